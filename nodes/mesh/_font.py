"""Letters from a font file, shaped by HarfBuzz: kerning, ligatures, accents, scripts that join or run to the left.

All lengths are in ems. Outlines are flattened to polygons whose distance from the curve is bounded.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.mesh._bidi import stretches

Array = NDArray[Any]
Point = tuple[float, float]
FONTS = {
    "sans": "DejaVuSans.ttf",
    "sans bold": "DejaVuSans-Bold.ttf",
    "serif": "DejaVuSerif.ttf",
    "serif bold": "DejaVuSerif-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
    "mono bold": "DejaVuSansMono-Bold.ttf",
}
CAPITAL = 0.7


def bundled(name: str) -> Path:
    """The file of a DejaVu font, which comes with matplotlib; matplotlib itself is not loaded."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise BadFile("The built-in fonts are missing.", "Install matplotlib, or choose a font file.")
    return Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / FONTS[name]


@dataclass(frozen=True)
class Letter:
    """A glyph and where its origin stands in its line, in ems."""

    glyph: int
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """``width``: to where the next letter would stand. ``lacking``: characters that the font does not have."""

    letters: tuple[Letter, ...]
    width: float
    lacking: str


class Font:
    """A TrueType or OpenType font. ``weight``: of a variable font, 1 to 1000; 0 as it is."""

    def __init__(self, path: Path, weight: float = 0.0) -> None:
        import uharfbuzz as hb

        face = hb.Face(hb.Blob(path.read_bytes()))
        if not face.glyph_count:
            raise BadFile(f"{path.name} is not a font that can be read.", "Choose a TrueType or OpenType file.")
        self.has_weight = any(axis.tag == "wght" for axis in face.axis_infos)
        self._font = hb.Font(face)
        if weight and self.has_weight:
            self._font.set_variations({"wght": weight})
        self._em = float(face.upem)

    @property
    def capital(self) -> float:
        """Height of the letter H."""
        glyph = self._font.get_nominal_glyph(ord("H"))
        extents = self._font.get_glyph_extents(glyph) if glyph else None
        return float(extents.y_bearing) / self._em if extents and extents.y_bearing > 0 else CAPITAL

    @property
    def step(self) -> float:
        """From one line down to the next."""
        extents = self._font.get_font_extents("ltr")
        return float(extents.ascender - extents.descender + extents.line_gap) / self._em

    def line(self, text: str, kerning: bool, spacing: float) -> Line:
        """The letters of one line from the left; ``spacing`` is added behind each character. Spread letters make no
        ligatures."""
        letters: list[Letter] = []
        lacking, x = "", 0.0
        for piece in stretches(text):
            infos, places = self._shaped(text[piece.start : piece.end], piece.level % 2 == 1, kerning, spacing == 0)
            last = -1
            for info, place in zip(infos, places, strict=True):
                if info.cluster != last and last >= 0:
                    x += spacing
                last = info.cluster
                if info.codepoint:
                    at = x + place.x_offset / self._em, place.y_offset / self._em
                    letters.append(Letter(info.codepoint, *at))
                else:
                    lacking += text[piece.start + info.cluster]
                x += place.x_advance / self._em
            x += spacing
        return Line(tuple(letters), x, lacking)

    def _shaped(self, text: str, leftward: bool, kerning: bool, joined: bool) -> tuple[Any, Any]:
        """What HarfBuzz says of a piece of text in one direction: glyphs and places, from the left."""
        import uharfbuzz as hb

        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if leftward else "ltr"
        hb.shape(self._font, buffer, {"kern": bool(kerning), "liga": bool(joined), "clig": bool(joined)})
        return buffer.glyph_infos, buffer.glyph_positions

    def outline(self, glyph: int, error: float) -> list[Array]:
        """(N, 2) closed polygons of a glyph at most ``error`` from its curves; none for a blank."""
        pen = _Pen(self._em, error)
        self._font.draw_glyph_with_pen(glyph, pen)
        return [np.array(ring) for ring in pen.rings if len(ring) > 2]


class _Pen:
    """Takes an outline in font units and keeps polygons in ems."""

    def __init__(self, em: float, error: float) -> None:
        self.em, self.error = em, error
        self.rings: list[list[Point]] = []

    def moveTo(self, to: Point) -> None:
        self.rings.append([self._at(to)])

    def lineTo(self, to: Point) -> None:
        self.rings[-1].append(self._at(to))

    def qCurveTo(self, by: Point, to: Point) -> None:
        a, b, c = (np.array(p) for p in (self.rings[-1][-1], self._at(by), self._at(to)))
        t = self._steps(float(np.abs(a - 2 * b + c).max()) / 4)
        self._add((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c)

    def curveTo(self, one: Point, two: Point, to: Point) -> None:
        a, b, c, d = (np.array(p) for p in (self.rings[-1][-1], self._at(one), self._at(two), self._at(to)))
        bend = max(float(np.abs(a - 2 * b + c).max()), float(np.abs(b - 2 * c + d).max()))
        t = self._steps(bend * 0.75)
        self._add((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d)

    def closePath(self) -> None:
        return

    endPath = closePath

    def _at(self, point: Point) -> Point:
        return point[0] / self.em, point[1] / self.em

    def _steps(self, deviation: float) -> Array:
        count = max(1, int(np.ceil(np.sqrt(deviation * np.sqrt(2) / self.error))))
        return (np.arange(1, count + 1) / count)[:, None]

    def _add(self, points: Array) -> None:
        self.rings[-1] += [(float(x), float(y)) for x, y in points]

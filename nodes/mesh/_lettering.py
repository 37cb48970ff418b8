"""Text as flat shapes: lines of letters set, letters that overlap melted into one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._font import Font, Line
from nodes.mesh._topology import joined

Array = NDArray[Any]
Align = Literal["left", "centre", "right"]
TOUCH = 1e-9


@dataclass(frozen=True)
class Setting:
    """``spacing``: behind each character, ems. ``step``: from line to line, in steps of the font. ``error``: ems."""

    align: Align
    kerning: bool
    spacing: float
    step: float
    error: float


@dataclass(frozen=True)
class Shape:
    """A manifold3d cross-section, in ems, and where its origin stands. ``name``: equal for equal shapes.

    ``letters``: by name the sections of the letters that it is made of.
    """

    section: Any
    at: tuple[float, float]
    name: int
    letters: dict[int, Any]

    @property
    def box(self) -> tuple[float, float, float, float]:
        x, y, right, top = self.section.bounds()
        return x + self.at[0], y + self.at[1], right + self.at[0], top + self.at[1]


def set_text(run: Run, font: Font, text: str, how: Setting) -> list[Shape]:
    """The shapes of all letters, the first line on y = 0, line by line. What the font lacks is said."""
    rows = [row.expandtabs(4) for row in text.splitlines()]
    lines = [font.line(row, how.kerning, how.spacing) for row in rows]
    _remark(run, lines)
    known: dict[int, Any] = {}
    shapes = []
    for number, line in enumerate(lines):
        run.progress(0.05 + 0.2 * number / len(lines), "outlines")
        left = {"left": 0.0, "centre": -0.5, "right": -1.0}[how.align] * (line.width - how.spacing)
        for letter in line.letters:
            if letter.glyph not in known:
                known[letter.glyph] = _section(font.outline(letter.glyph, how.error))
            if not known[letter.glyph].is_empty():
                at = letter.x + left, letter.y - number * how.step * font.step
                shapes.append(Shape(known[letter.glyph], at, letter.glyph, {letter.glyph: known[letter.glyph]}))
    return _melted(shapes)


def _section(rings: list[Array]) -> Any:
    from manifold3d import CrossSection, FillRule

    return CrossSection(rings, FillRule.NonZero).simplify(1e-5) if rings else CrossSection()


def _remark(run: Run, lines: Sequence[Line]) -> None:
    lacking = "".join(dict.fromkeys("".join(line.lacking for line in lines)))
    if lacking:
        run.warn(f"The font does not have these characters, they were left out: {lacking}")


def _melted(shapes: list[Shape]) -> list[Shape]:
    """Letters that overlap, as in joined scripts, become one shape each."""
    from manifold3d import CrossSection, OpType

    if len(shapes) < 2:
        return shapes
    low, high = np.split(np.array([shape.box for shape in shapes]), 2, axis=1)
    a, b = np.nonzero(np.triu((low[:, None] < high[None]).all(axis=2) & (high[:, None] > low[None]).all(axis=2), 1))
    moved = {k: shapes[k].section.translate(shapes[k].at) for k in np.union1d(a, b).tolist()}
    pairs = [(i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True) if (moved[i] ^ moved[j]).area() > TOUCH]
    if not pairs:
        return shapes
    _, group = joined(len(shapes), np.array(pairs, np.int32))
    out = []
    for name, first in zip(*np.unique(group, return_index=True), strict=True):
        members = np.flatnonzero(group == name).tolist()
        if len(members) == 1:
            out.append((first, shapes[members[0]]))
        else:
            whole = CrossSection.batch_boolean([moved[k] for k in members], OpType.Add).simplify(1e-5)
            letters = {shapes[k].name: shapes[k].section for k in members}
            out.append((first, Shape(whole, (0.0, 0.0), -1 - int(first), letters)))
    return [shape for _, shape in sorted(out, key=lambda pair: int(pair[0]))]

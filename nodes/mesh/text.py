"""Text as a solid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from app.engine import BadInput, Mesh, Multiline, OpenFile, Run, Setting, Slider, Text, node
from nodes.mesh._extrude import Bevel, Solid, extruded, widest
from nodes.mesh._font import Font, bundled
from nodes.mesh._lettering import Align, Shape, set_text
from nodes.mesh._lettering import Setting as Style
from nodes.mesh._sheet import as_mesh

LONGEST = 5_000
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")


@node("mesh.text", title="Text to mesh", group="Primitives")
def text(
    run: Run,
    words: Text | None = None,
    text: Annotated[
        str, Multiline(help="Several lines if you like. A text at the input is taken instead.")
    ] = "Polyloom",
    font: Annotated[
        Literal["sans", "sans bold", "serif", "serif bold", "mono", "mono bold", "own file"],
        Setting(help="DejaVu comes with the program, for Latin, Greek, Cyrillic and more."),
    ] = "sans bold",
    font_file: Annotated[
        Path, OpenFile(suffixes=SUFFIXES, optional=True, help="For own file: TrueType or OpenType.")
    ] = Path(),
    size: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Height of a capital H.")] = 1.0,
    depth: Annotated[float, Slider(0.0001, 1000, log=True, unit="m", help="From front to back.")] = 0.25,
    bevel: Annotated[float, Slider(0, 1, unit="m", help="How far the edges are cut off or rounded.")] = 0.0,
    bevel_steps: Annotated[int, Slider(1, 16, help="1: cut off flat. More: rounded.")] = 4,
    bevel_back: Annotated[bool, Setting(help="Bevel the edges of the back too.")] = True,
    align: Annotated[Align, Setting(help="How several lines stand to each other.")] = "centre",
    letter_spacing: Annotated[
        float, Slider(-0.5, 4, step=0.01, help="Added between letters, in letter heights.")
    ] = 0.0,
    line_spacing: Annotated[float, Slider(0.1, 10, step=0.01, help="1: as the font has it.")] = 1.0,
    kerning: Annotated[bool, Setting(help="Pairs such as AV stand closer, as the font says.", advanced=True)] = True,
    weight: Annotated[
        float, Slider(0, 1000, step=1, help="Of a variable font: 400 regular, 700 bold. 0: as it is.", advanced=True)
    ] = 0.0,
    place: Annotated[
        Literal["centre", "baseline"],
        Setting(help="centre: middle at the origin. baseline: the first line stands on the origin, aligned to it."),
    ] = "centre",
    curve_error: Annotated[
        float,
        Slider(
            0.0001,
            0.02,
            log=True,
            help="How far curves may be off, in letter heights. Less: more faces.",
            advanced=True,
        ),
    ] = 0.002,
) -> Mesh:
    """Letters as a closed solid that faces the viewer, each letter a part (face group) of its own.

    Letters that overlap are one part. The bevel cuts into the letters, so that these keep their size; where strokes are
    too thin for it, it becomes narrower.
    """
    run.progress(0.0, "font")
    written = (words.value if words is not None else text).rstrip()
    if len(written) > LONGEST:
        raise BadInput(f"The text has {len(written):,} characters.", f"Use at most {LONGEST:,}.")
    face = _font(run, font, font_file, weight)
    style = Style(align, kerning, letter_spacing * face.capital, line_spacing, curve_error * face.capital)
    shapes = set_text(run, face, written, style)
    if not shapes:
        raise BadInput("There is nothing to see in this text.", "Type letters that the font has.")
    scale = size / face.capital
    edge = _edge(run, shapes, Bevel(bevel / scale, bevel_steps, bevel_back), depth / scale, scale)
    known: dict[int, Solid] = {}
    for number, shape in enumerate(shapes):
        run.progress(0.3 + 0.5 * number / len(shapes), "letters")
        if shape.name not in known:
            known[shape.name] = extruded(shape.section, depth / scale, edge)
    placed = [(known[shape.name], shape.at) for shape in shapes]
    run.progress(0.85, "texture coordinates")
    wall = depth / scale - edge.width * (2 if bevel_back else 1)
    return as_mesh(placed, wall, scale, "text", place == "centre")


def _font(run: Run, font: str, path: Path, weight: float) -> Font:
    if font == "own file" and path == Path():
        raise BadInput("No font file is chosen.", "Choose a TrueType or OpenType file, or one of the built-in fonts.")
    face = Font(path if font == "own file" else bundled(font), weight)
    if weight and not face.has_weight:
        run.warn("The font has one weight only: the weight has no effect.")
    return face


def _edge(run: Run, shapes: list[Shape], wanted: Bevel, depth: float, scale: float) -> Bevel:
    """The bevel, narrowed to what the letters and the depth allow."""
    if not wanted.width:
        return wanted
    width = min(wanted.width, depth * (0.49 if wanted.back else 0.98))
    for letter in {name: letter for shape in shapes for name, letter in shape.letters.items()}.values():
        run.check()
        width = widest(letter, width)
    if width < wanted.width * (1 - 1e-6):
        run.warn(f"The letters have room for a bevel of {width * scale:.3g} m only.")
    return replace(wanted, width=width if width > 1e-5 else 0.0)

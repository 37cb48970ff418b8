"""Can this mesh be printed in layers?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Report, Run, Setting, Slider, node
from nodes.check._printing import Faces, faces_of, hanging, support
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._findings import painted
from nodes.mesh._mass import mass_of
from nodes.mesh._measure import Shape, Skin, measure, skin_of
from nodes.physics._stand import footing

Array = NDArray[Any]
Rows = list[tuple[str, str | int | float | bool]]
ROUNDING = 1e-5
SOUND = (0.55, 0.57, 0.60)
COLOURS = {
    "open": (0.95, 0.15, 0.15),
    "thin": (1.00, 0.85, 0.10),
    "overhang": (0.95, 0.45, 0.10),
    "bed": (0.20, 0.55, 0.95),
}
Show = Literal["all", "overhang", "thin", "bed", "open"]


class Printable(NamedTuple):
    """The findings, the mesh as it came in, and the mesh in colours."""

    report: Report
    mesh: Mesh
    marked: Mesh


@dataclass(frozen=True)
class Bed:
    """Metres."""

    width: float
    depth: float
    height: float

    def holds(self, size: Array) -> bool:
        """Also when turned by a quarter about the upright axis."""
        size = size * (1 - ROUNDING)
        fits = (size[0] <= self.width and size[2] <= self.depth) or (size[2] <= self.width and size[0] <= self.depth)
        return bool(fits and size[1] <= self.height)


@node("check.printable", title="Print check", version=2)
def printable(
    run: Run,
    mesh: Mesh,
    overhang: Annotated[
        float, Slider(0, 89, unit="°", help="Faces that hang over from upright by more than this need support.")
    ] = 45.0,
    wall: Annotated[float, Slider(0.05, 50, log=True, unit="mm", help="Thinner walls are too thin.")] = 0.8,
    layer: Annotated[float, Slider(0.01, 2, log=True, unit="mm", help="Height of a layer.")] = 0.2,
    least_contact: Annotated[
        float, Slider(0, 10_000, step=1, unit="mm²", help="Less area on the bed than this holds badly.")
    ] = 20.0,
    bed_width: Annotated[float, Slider(10, 2000, log=True, unit="mm", help="Of the printer.")] = 220.0,
    bed_depth: Annotated[float, Slider(10, 2000, log=True, unit="mm", help="Of the printer.")] = 220.0,
    bed_height: Annotated[float, Slider(10, 2000, log=True, unit="mm", help="Of the printer.")] = 250.0,
    show: Annotated[Show, Setting(help="What 'marked' shows in colour.")] = "all",
) -> Printable:
    """Overhangs, thin walls, contact with the bed, size, holes: what stands in the way of a print, built upwards (+Y).

    Overhang is measured from upright: 0° is a wall, 90° a ceiling. Support is at most what lies straight below the
    overhangs. Sharp edges, and spots less than three walls wide, are no walls and are counted apart. In 'marked' red
    faces lie at holes or non-manifold edges, yellow ones are thin, orange ones hang over, blue ones lie on the bed.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    skin = skin_of(mesh)
    shape = measure(mesh, skin)
    run.progress(0.2, "walls")
    faces = faces_of(mesh, layer / 1000, lambda done: run.progress(0.2 + 0.5 * done, "walls"))
    run.progress(0.7, "faces that run through one another")
    crossings = _crossings(run, skin)
    marks = _marks(skin, faces, overhang, wall / 1000)
    bed = Bed(bed_width / 1000, bed_depth / 1000, bed_height / 1000)
    rows, wrong = _findings(mesh, shape, faces, marks, crossings, bed, least_contact, layer / 1000)
    words = f"Not ready: {'; '.join(wrong)}." if wrong else _ready(faces, marks)
    run.progress(0.95, "colours")
    report = Report(f"Print check of {mesh.name}", (("ready to print", not wrong), *rows), words)
    return Printable(report, mesh, _coloured(mesh, marks, show))


def _crossings(run: Run, skin: Skin) -> int | None:
    from nodes.mesh._crossing import crossings

    found = crossings(skin.points, skin.faces, lambda done: run.progress(0.7 + 0.2 * done, "crossings"))
    return len(found.pairs) if found.whole else None


def _marks(skin: Skin, faces: Faces, overhang: float, wall: float) -> dict[str, Array]:
    from nodes.mesh._walls import walls_below

    least = wall * (1 - ROUNDING)
    thin = skin.marked(walls_below(skin, faces.wall[skin.real], least))
    return {
        "open": skin.marked(skin.edges.at(skin.edges.boundary | skin.edges.crowded)),
        "thin": thin,
        "specks": (faces.wall < least) & ~thin,
        "overhang": hanging(faces, overhang),
        "bed": faces.bed,
    }


def _findings(
    mesh: Mesh, shape: Shape, faces: Faces, marks: dict[str, Array], crossings: int | None, bed: Bed, least: float,
    layer: float,
) -> tuple[Rows, list[str]]:  # fmt: skip
    """(rows, what stands in the way)."""
    low, high = mesh.bounds
    size = high.astype(np.float64) - low
    area = {kind: float(faces.area[mark].sum()) for kind, mark in marks.items()}
    contact, whole = area["bed"] * 1e6, max(float(faces.area.sum()), 1e-300)
    thinnest = float(faces.wall[~marks["specks"]].min(initial=np.inf))
    rows: Rows = [
        ("watertight", shape.watertight),
        ("manifold", shape.manifold),
        ("pairs of faces that run through one another", "too many to count" if crossings is None else crossings),
        *((f"{name} (mm)", float(v) * 1000) for name, v in zip(("width", "height", "depth"), size, strict=True)),
        ("fits the printer", bed.holds(size)),
        ("area on the bed (mm²)", contact),
        ("overhang (mm²)", area["overhang"] * 1e6),
        ("overhang (share of area)", area["overhang"] / whole),
        ("steepest overhang (°)", float(faces.hang[~faces.bed].max(initial=-90.0))),
        ("support at most (cm³)", support(faces, marks["overhang"]) * 1e6),
        ("thin walls (share of area)", area["thin"] / whole),
        ("sharp edges and specks (share of area)", area["specks"] / whole),
        ("thinnest wall (mm)", thinnest * 1000 if np.isfinite(thinnest) else "nothing behind any face"),
    ]
    stands = _stands(mesh, shape, layer)
    rows.append(("stands while it is printed", "not closed" if stands is None else stands))
    wrong = [
        (not shape.watertight, "it is not watertight"),
        (not shape.manifold, "it is not manifold"),
        (crossings != 0, "faces run through one another"),
        (not bed.holds(size), "it is larger than the printer"),
        (contact < least, f"only {contact:.3g} mm² lie on the bed"),
        (bool(marks["thin"].any()), f"{_percent(area['thin'] / whole)} of its walls are too thin"),
        (stands is False, "it would tip over"),
    ]
    return rows, [words for found, words in wrong if found]


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 else "less than 0.1%"


def _stands(mesh: Mesh, shape: Shape, layer: float) -> bool | None:
    if not shape.watertight or shape.volume == 0:
        return None
    used = mesh.vertices[np.unique(mesh.faces)]
    return footing(used, mass_of(mesh.vertices, mesh.faces).centre, layer / 2).stands(0.0)


def _ready(faces: Faces, marks: dict[str, Array]) -> str:
    volume = support(faces, marks["overhang"]) * 1e6
    return f"Ready, with support of {volume:.3g} cm³ at most." if marks["overhang"].any() else "Ready, without support."


def _coloured(mesh: Mesh, marks: dict[str, Array], show: Show) -> Mesh:
    group = np.zeros(len(mesh.faces), np.int32)
    for number, kind in reversed(list(enumerate(COLOURS, start=1))):
        if show in ("all", kind):
            group[marks[kind]] = number
    return painted(mesh, group, [SOUND, *COLOURS.values()])

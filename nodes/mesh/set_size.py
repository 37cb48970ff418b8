"""Give a mesh its real size."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._rigid import Motion, moved

Array = NDArray[Any]
Unit = Literal["m", "cm", "mm", "in", "ft"]
METRES: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
Along = Literal["longest side", "height", "width", "depth", "diagonal"]
By = Literal["a size", "unit of the file", "kind of thing"]
Keep = Literal["base", "centre", "origin"]
Thing = Literal[
    "person", "child", "dog", "cat", "chair", "table", "sofa", "cupboard", "bed", "lamp", "bottle", "mug", "book",
    "phone", "shoe", "bicycle", "car", "lorry", "door", "house", "tree", "figurine", "chess piece",
]  # fmt: skip
TYPICAL: dict[str, tuple[float, Along]] = {
    "person": (1.72, "height"), "child": (1.2, "height"), "dog": (0.9, "longest side"), "cat": (0.5, "longest side"),
    "chair": (0.9, "height"), "table": (0.74, "height"), "sofa": (2.0, "longest side"), "cupboard": (1.9, "height"),
    "bed": (2.05, "longest side"), "lamp": (0.5, "height"), "bottle": (0.28, "height"), "mug": (0.1, "height"),
    "book": (0.23, "longest side"), "phone": (0.15, "longest side"), "shoe": (0.29, "longest side"),
    "bicycle": (1.75, "longest side"), "car": (4.4, "longest side"), "lorry": (9.0, "longest side"),
    "door": (2.05, "height"), "house": (8.0, "height"), "tree": (8.0, "height"), "figurine": (0.12, "height"),
    "chess piece": (0.08, "height"),
}  # fmt: skip
UPRIGHT = {"person", "child", "bottle", "cupboard", "door", "figurine", "chess piece"}
SMALLEST, LARGEST = 0.001, 300.0


class Sized(NamedTuple):
    """The scaled mesh, and its size in several units."""

    mesh: Mesh
    report: Report


@node("mesh.set_size", title="Set size", group="Place and arrange")
def set_size(
    run: Run,
    mesh: Mesh,
    by: Annotated[
        By,
        Setting(
            help="a size: a measure that you know. unit of the file: it was drawn in that unit and read as metres. "
            "kind of thing: the usual size of one."
        ),
    ] = "a size",
    size: Annotated[float, Slider(0.001, 10_000, log=True, help="In the unit; for a size.")] = 1.0,
    unit: Annotated[Unit, Setting(help="Of the size, or of the file's numbers.")] = "m",
    along: Annotated[
        Along, Setting(help="What is that long. Height is up (Y), width to the right (X), depth to the viewer (Z).")
    ] = "longest side",
    thing: Annotated[Thing, Setting(help="For kind of thing. Usual sizes; yours may differ.")] = "person",
    keep: Annotated[Keep, Setting(help="The point that stays: middle of the base, middle, or the origin.")] = "base",
) -> Sized:
    """Scale a mesh evenly to a size you know, in metres, centimetres, millimetres, inches or feet.

    Proportions stay. Sizes that no real thing has are said, as they come from a wrong unit. For height alone, turning
    and moving there is Transform.
    """
    run.progress(0.0, "measuring")
    need_sound(mesh)
    used = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    low, high = used.min(axis=0), used.max(axis=0)
    if by == "unit of the file":
        factor, told = METRES[unit], f"Its numbers were taken as {unit}."
    else:
        wanted, what = (size * METRES[unit], along) if by == "a size" else TYPICAL[thing]
        factor = wanted / _length(high - low, what)
        told = (
            f"Its {what} is {wanted:g} m now."
            if by == "a size"
            else f"Its {what} is that of a usual {thing}: {wanted:g} m."
        )
    middle = (low + high) / 2
    fixed = {"base": np.array([middle[0], low[1], middle[2]]), "centre": middle, "origin": np.zeros(3)}[keep]
    done = moved(mesh, Motion(np.eye(3), fixed - factor * fixed, factor))
    need_size(done)
    _doubt(run, factor * (high - low), thing if by == "kind of thing" else "")
    return Sized(done, _report(mesh, low, high, factor, told))


def _length(extent: Array, along: Along) -> float:
    sides = {"width": extent[0], "height": extent[1], "depth": extent[2]}
    length = float(sides.get(along, np.linalg.norm(extent) if along == "diagonal" else extent.max()))
    if not length > 1e-9 * float(extent.max()) or length < 1e-12:
        raise BadInput(f"The mesh has no {along}: it is flat that way.", "Choose another side, or turn it first.")
    return length


def _doubt(run: Run, extent: Array, thing: str) -> None:
    longest = float(extent.max())
    if longest < SMALLEST:
        run.warn(f"It is only {1000 * longest:.3g} mm long now. Was another unit meant?")
    elif longest > LARGEST:
        run.warn(f"It is {longest:.4g} m long now. Was another unit meant?")
    if thing in UPRIGHT and extent[1] < longest * 0.95:
        run.warn(
            f"A {thing} is usually tallest upright, and this mesh is longer another way. Turn it first (Transform)."
        )


def _report(mesh: Mesh, low: Array, high: Array, factor: float, told: str) -> Report:
    rows: list[tuple[str, str | int | float | bool]] = [("scaled by", factor)]
    for name, length in zip(("width", "height", "depth"), high - low, strict=True):
        now = factor * float(length)
        rows += [(f"{name} before (m)", float(length)), (f"{name} (m)", now), (f"{name} (cm)", 100 * now)]
        rows.append((f"{name} (in)", now / METRES["in"]))
    return Report(f"Size of {mesh.name}", tuple(rows), told)

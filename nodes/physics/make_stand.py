"""Change a mesh as little as needed so that it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._topology import diagonal
from nodes.physics._body import Fill, body_of
from nodes.physics._stand import footing
from nodes.physics._steady import flattened, leaned, moved_mesh, needed_lean, standing, with_foot
from nodes.physics.stands import Filled

Array = NDArray[Any]
How = Literal["auto", "flatten", "lean", "foot"]
Rows = list[tuple[str, str | int | float | bool]]
TRIED = 24
TOUCH = 5e-4


class Steadied(NamedTuple):
    """The mesh that stands, or as it came in where that cannot be had, and what was changed."""

    mesh: Mesh
    report: Report


@dataclass(frozen=True)
class Change:
    """``depth``: metres of the base that are flattened. ``lean``: (x, z) metres of the centre of mass.

    ``at``: the new positions. ``most``: metres that the farthest point moves.
    """

    depth: float
    lean: Array
    at: Array
    height: float
    most: float


@node("physics.make_stand", title="Make it stand")
def make_stand(
    run: Run,
    mesh: Mesh,
    how: Annotated[
        How,
        Setting(
            help="flatten: a plane at the base, up to which what lies lower is lifted. lean: shear it over its base. "
            "auto: either or both, whatever moves least. foot: add a plate under it; nothing else changes."
        ),
    ] = "auto",
    tolerance: Annotated[
        float, Slider(0.01, 20, log=True, unit="% of size", help="No point of the mesh moves farther than this.")
    ] = 2.0,
    least_tilt: Annotated[
        float, Slider(0.1, 30, step=0.1, unit="°", help="Tilt of the floor that it has to hold.")
    ] = 5.0,
    fill: Filled = "solid",
    foot_thickness: Annotated[float, Slider(0.2, 20, log=True, unit="% of size", help="Of the plate, for foot.")] = 2.0,
) -> Steadied:
    """Change a mesh as little as needed, within a tolerance, so that it stands and holds a given tilt.

    Faces, UVs and materials stay, and what was closed stays closed. A foot is a closed part of its own that the mesh
    stands a quarter deep in; a union makes it one piece. Where the tolerance does not suffice the mesh comes out
    unchanged, and the node says so.
    """
    run.progress(0.0, "mass")
    body = body_of(run, mesh, fill=fill)
    size = diagonal(mesh)
    now = footing(mesh.vertices[np.unique(mesh.faces)], body.centre, TOUCH * size)
    rows: Rows = [("stood before", now.stands(least_tilt)), ("tilt it held before (°)", max(0.0, now.tip))]
    if now.stands(least_tilt):
        told = f"It stands already and holds {now.tip:.1f}°; nothing was changed."
        return Steadied(mesh, Report(f"Standing of {mesh.name}", (*rows, ("changed", "nothing")), told))
    if how == "foot":
        return _with_foot(run, mesh, fill, least_tilt, foot_thickness / 100 * size, rows)
    change = _least_change(run, mesh, how, fill, least_tilt, tolerance / 100 * size)
    if change is None:
        run.warn(
            f"It cannot be made to hold {least_tilt:g}° by moving points {tolerance:g} % of its size at most: it was "
            "not changed. Allow more, ask for less tilt, or add a foot."
        )
        told = "It was not changed: the tolerance does not suffice."
        return Steadied(mesh, Report(f"Standing of {mesh.name}", (*rows, ("changed", "nothing")), told))
    steady = moved_mesh(mesh, change.at, change.lean, change.height)
    return Steadied(steady, _report(mesh, steady, change, fill, size, rows))


def _least_change(run: Run, mesh: Mesh, how: How, fill: Fill, least: float, tolerance: float) -> Change | None:
    """Of all depths tried, and those between the best one's neighbours, the change that moves least."""
    depths = np.zeros(1) if how == "lean" else tolerance * (np.arange(TRIED + 1) / TRIED) ** 2
    best: Change | None = None
    for sweep in range(1 if how == "lean" else 3):
        for number, depth in enumerate(depths):
            run.progress(0.1 + 0.3 * (sweep + number / len(depths)), "trying")
            change = _change(mesh, float(depth), how, fill, least)
            if change is not None and change.most <= tolerance and (best is None or change.most < best.most):
                best = change
        if best is None:
            return None
        near = int(np.abs(depths - best.depth).argmin())
        depths = np.linspace(depths[max(0, near - 1)], depths[min(len(depths) - 1, near + 1)], 10)
    return best


def _change(mesh: Mesh, depth: float, how: How, fill: Fill, least: float) -> Change | None:
    """What it takes with the base flattened by ``depth``; None where nothing helps."""
    size = diagonal(mesh)
    at = flattened(mesh.vertices, depth) if depth > 0 else mesh.vertices.astype(np.float64)
    now, centre = standing(at, mesh.faces, fill, size)
    lean = np.zeros(2)
    if not now.stands(least):
        wanted = None if how == "flatten" else needed_lean(now, centre, least)
        if wanted is None or not now.height > 0:
            return None
        lean = wanted
        at = leaned(at, lean, now.height)
    most = float(np.sqrt(np.square(at - mesh.vertices).sum(axis=1).max()))
    return Change(depth, lean, at, now.height, most)


def _report(mesh: Mesh, steady: Mesh, change: Change, fill: Fill, size: float, rows: Rows) -> Report:
    moved = np.sqrt(np.square(steady.vertices.astype(np.float64) - mesh.vertices).sum(axis=1))
    after, _ = standing(steady.vertices, steady.faces, fill, size)
    leans = bool(np.abs(change.lean).max() > 0)
    changed = [*(["base flattened"] if change.depth > 0 else []), *(["leaned"] if leans else [])]
    rows = [
        *rows,
        ("changed", " and ".join(changed)),
        ("base flattened by (mm)", change.depth * 1000),
        ("centre of mass moved by (mm)", float(np.linalg.norm(change.lean)) * 1000),
        ("vertices moved", int((moved > 1e-6 * size).sum())),
        ("moved by at most (mm)", float(moved.max()) * 1000),
        ("moved by at most (% of size)", 100 * float(moved.max()) / size),
        ("tilt it holds now (°)", after.tip),
    ]
    words = f"It stands and holds {after.tip:.1f}°: {' and '.join(changed)}, at most {moved.max() * 1000:.3g} mm."
    return Report(f"Standing of {mesh.name}", tuple(rows), words)


def _with_foot(run: Run, mesh: Mesh, fill: Fill, least: float, thick: float, rows: Rows) -> Steadied:
    size = diagonal(mesh)
    now, centre = standing(mesh.vertices, mesh.faces, fill, size)
    reach, done = (now.height + thick) * np.tan(np.radians(least)) * 1.01, mesh
    for step in range(8):
        run.progress(0.2 + 0.1 * step, "foot")
        done = with_foot(mesh, now.outline, centre[[0, 2]], float(reach), thick)
        after, _ = standing(done.vertices, done.faces, fill, size)
        if after.stands(least):
            break
        reach *= 1.1
    rows = [
        *rows,
        ("changed", "foot added"),
        ("reach of the foot around the centre of mass (mm)", float(reach) * 1000),
        ("thickness of the foot (mm)", thick * 1000),
        ("moved by at most (mm)", 0.0),
        ("tilt it holds now (°)", after.tip),
    ]
    return Steadied(done, Report(f"Standing of {mesh.name}", tuple(rows), f"With a foot it holds {after.tip:.1f}°."))

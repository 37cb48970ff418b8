"""Simple convex bodies that stand for a mesh where things collide."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Isolated, Mesh, Report, Run, Seed, Setting, Slider, Text, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._measure import Shape as Facts
from nodes.mesh._measure import measure
from nodes.mesh._topology import diagonal
from nodes.physics._fit import Hull, box_of, capsule_of, fitted

Array = NDArray[Any]
Shape = Annotated[
    Literal["convex parts", "hull", "box", "capsule"],
    Setting(help="convex parts: several hulls that follow hollows. hull, box, capsule: one body around all of it."),
]
Hulls = Annotated[int, Slider(1, 256, log=True, unit="hulls", help="At most so many convex parts.")]
Corners = Annotated[
    int, Slider(6, 255, log=True, unit="vertices", help="At most so many in each hull; PhysX takes 255, 32 is usual.")
]
Concavity = Annotated[
    float,
    Slider(0.01, 1, log=True, help="Hollows deeper than this share of the size are cut apart; less: more parts."),
]
Contain = Annotated[
    bool, Setting(help="Hulls are grown until every vertex of the mesh lies in one; off: they lie closer.")
]
Engine = Annotated[
    Literal["Unreal", "Godot", "Unity", "plain"],
    Setting(help="Names: UCX_mesh_00 for Unreal, mesh_00-convcolonly for Godot, mesh_collider_00 for Unity."),
]
Triangles = Annotated[
    int,
    Slider(
        500, 20_000, log=True, unit="triangles", help="Convex parts are found on a mesh reduced to this.", advanced=True
    ),
]


class Collision(NamedTuple):
    """The hulls as one mesh whose face groups number them, in colours; their names, one a line; and the findings."""

    mesh: Mesh
    names: Text
    report: Report


def one_hull(
    run: Run,
    mesh: Mesh,
    shape: Shape = "convex parts",
    max_hulls: Hulls = 16,
    max_vertices: Corners = 32,
    concavity: Concavity = 0.05,
    contain: Contain = True,
    engine: Engine = "Unreal",
    search_triangles: Triangles = 2_000,
    seed: Annotated[int, Seed(help="Of the search for cuts.")] = 0,
) -> Collision:
    """One convex hull around the whole mesh."""
    run.progress(0.0, "hull")
    points, floor = _ready(mesh)
    return _told(run, mesh, points, [fitted(points, max_vertices, contain, floor)], engine)


@node("physics.collision", title="Collision hulls", version=2, isolated=Isolated(limit_s=240, fallback=one_hull))
def collision(
    run: Run,
    mesh: Mesh,
    shape: Shape = "convex parts",
    max_hulls: Hulls = 16,
    max_vertices: Corners = 32,
    concavity: Concavity = 0.05,
    contain: Contain = True,
    engine: Engine = "Unreal",
    search_triangles: Triangles = 2_000,
    seed: Annotated[int, Seed(help="Of the search for cuts.")] = 0,
) -> Collision:
    """Convex collision bodies for a game engine, within a budget of hulls and of vertices each.

    Convex parts are found by CoACD on a reduced mesh: tens of seconds for shapes with many hollows, and one hull
    instead when it takes longer than four minutes. Holes are filled for it first. A vertex of the mesh
    counts as inside within a millionth of its size.
    """
    run.progress(0.0, "checking")
    points, floor = _ready(mesh)
    facts = None
    if shape == "hull":
        hulls = [fitted(points, max_vertices, contain, floor)]
    elif shape == "box":
        hulls = [box_of(points, floor)]
    elif shape == "capsule":
        hulls = [capsule_of(_outer(points, floor)).hull(max_vertices)]
    else:
        facts = measure(mesh)
        settings = max_hulls, max_vertices, concavity, contain, search_triangles, seed
        hulls = _parts(run, mesh, facts.watertight, points, floor, settings)
    return _told(run, mesh, points, hulls, engine, facts)


def _ready(mesh: Mesh) -> tuple[Array, float]:
    """(positions in use, (N, 3) float64; metres that every hull is thick at least)."""
    need_sound(mesh)
    need_size(mesh)
    points = np.unique(mesh.vertices[np.unique(mesh.faces)], axis=0).astype(np.float64)
    size = diagonal(mesh)
    if len(points) < 3 or not size > 0:
        raise BadInput("The mesh is a point or a line: nothing can collide with it.", "Check the mesh that comes in.")
    return points, 1e-3 * size


def _outer(points: Array, floor: float) -> Array:
    from nodes.physics._fit import hull_of

    return hull_of(points, floor).points


def _parts(
    run: Run, mesh: Mesh, closed: bool, points: Array, floor: float, settings: tuple[int, int, float, bool, int, int]
) -> list[Hull]:
    from nodes.physics._parts import around, convex_parts, stand_in

    hulls, corners, concavity, contain, triangles, seed = settings
    run.progress(0.05, "reducing")
    proxy = stand_in(run, mesh, triangles, closed)
    if proxy is None:
        run.warn("The mesh could not be closed, so one hull stands for all of it. Put a Repair step before this one.")
        return [fitted(points, corners, contain, floor)]
    if not closed:
        run.warn("The mesh is not closed; its holes were filled for finding the parts.")
    run.progress(0.2, "finding convex parts")
    parts = convex_parts(proxy, concavity, hulls, seed) or [points]
    run.progress(0.8, "fitting hulls")
    return around(points, parts, corners, contain, floor, lambda done: run.progress(0.8 + 0.15 * done, "fitting hulls"))


def plain_name(name: str) -> str:
    """Letters, digits and underscores only."""
    return re.sub(r"\W+", "_", name).strip("_") or "mesh"


def names_of(name: str, count: int, engine: str) -> list[str]:
    """A name for each hull, as importers read them: Unreal's FBX and glTF pipelines, Godot's import hints."""
    base = plain_name(name)
    numbers = [f"{k:02d}" for k in range(count)]
    if engine == "Unreal":
        return [f"UCX_{base}_{k}" for k in numbers]
    if engine == "Godot":
        return [f"{base}_{k}-convcolonly" for k in numbers]
    return [f"{base}_collider_{k}" if engine == "Unity" else f"{base}_{k}" for k in numbers]


def _told(run: Run, mesh: Mesh, points: Array, hulls: list[Hull], engine: str, facts: Facts | None = None) -> Collision:
    from nodes.physics._stray import stray

    run.progress(0.96, "measuring")
    names = names_of(mesh.name, len(hulls), engine)
    out, _ = stray(points, [hull.planes for hull in hulls], lambda _: run.check())
    facts, total = facts or measure(mesh), sum(hull.volume for hull in hulls)
    corners = [len(hull.points) for hull in hulls]
    stick = max(0.0, float(out.max()))
    rows: list[tuple[str, str | int | float | bool]] = [
        ("hulls", len(hulls)),
        ("vertices", sum(corners)),
        ("vertices in the largest hull", max(corners)),
        ("triangles", sum(len(hull.faces) for hull in hulls)),
        ("mesh sticks out by at most (mm)", stick * 1000),
        ("vertices of the mesh outside", int((out > 1e-6 * float(np.ptp(points, axis=0).max())).sum())),
        ("volume of all hulls (m³)", total),
        (
            "volume to that of the mesh",
            total / abs(facts.volume) if facts.watertight and facts.volume else "not closed",
        ),
        *(
            (name, f"{len(hull.points)} vertices, {hull.volume:.6g} m³")
            for name, hull in zip(names, hulls, strict=True)
        ),
    ]
    words = f"{len(hulls)} hulls with {sum(corners)} vertices; the mesh sticks out by {stick * 1000:.3g} mm at most."
    return Collision(
        _mesh(hulls, mesh.name), Text("\n".join(names)), Report(f"Collision of {mesh.name}", tuple(rows), words)
    )


def _mesh(hulls: list[Hull], name: str) -> Mesh:
    """All hulls as one mesh, each in a colour of its own."""
    starts = np.cumsum([0, *(len(hull.points) for hull in hulls)])
    number = np.repeat(np.arange(len(hulls)), np.diff(starts))
    hue = (number * 0.61803398875) % 1.0
    wheel = np.abs((hue[:, None] * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1
    paint = np.ones((len(number), 4), np.float32)
    paint[:, :3] = 0.45 + 0.5 * np.clip(wheel, 0, 1)
    return Mesh.of(
        np.concatenate([hull.points for hull in hulls]),
        np.concatenate([hull.faces + start for hull, start in zip(hulls, starts[:-1], strict=True)]),
        colours=paint,
        face_groups=np.repeat(np.arange(len(hulls)), [len(hull.faces) for hull in hulls]).astype(np.int32),
        name=f"{name} collision",
    )

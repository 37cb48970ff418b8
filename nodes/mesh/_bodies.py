"""Closed bodies: a mesh taken as one, mended first where it is open, and bodies of one mesh united."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.engine import BadInput, Mesh, Run
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._counts import counted
from nodes.mesh._mended import mended
from nodes.mesh._repairing import Job, mend
from nodes.mesh._stock import Stock, stocked
from nodes.mesh._topology import edges_of, fans, weld_points

FLAT = 1e-9
ASIDE = (0.1234, 0.5678, 0.9)


@dataclass(frozen=True)
class Pieces:
    """Connected surfaces of one Manifold. ``solids``: those that look outward. ``voids``: for each, those inside it."""

    whole: Any
    solids: list[Any]
    voids: list[list[Any]]


def pieces_of(body: Any) -> Pieces | None:
    """None where it bounds no room, or where a part that lies in no other one looks inward."""
    from manifold3d import Error

    if body.status() != Error.NoError or body.is_empty():
        return None
    box = np.array(body.bounding_box()).reshape(2, 3)
    least = FLAT * float(np.linalg.norm(box[1] - box[0])) ** 3
    surfaces = [(piece, piece.volume()) for piece in body.decompose()]
    solids = [piece for piece, volume in surfaces if volume >= 0]
    if sum(volume for _, volume in surfaces) <= least:
        return None
    voids: list[list[Any]] = [[] for _ in solids]
    for piece, volume in surfaces:
        if volume < 0:
            home = _around(piece, solids)
            if home is None:
                return None
            voids[home].append(piece)
    return Pieces(body, solids, voids)


def _around(void: Any, solids: list[Any]) -> int | None:
    """The smallest of the solids that a void lies in."""
    at = void.to_mesh().vert_properties[0, :3].astype(np.float64)
    inside = [k for k, solid in enumerate(solids) if _holds(solid, at)]
    return min(inside, key=lambda k: solids[k].volume(), default=None)


def _holds(solid: Any, at: Any) -> bool:
    """An odd number of walls lies on the way out."""
    box = np.array(solid.bounding_box()).reshape(2, 3)
    if (at < box[0]).any() or (at > box[1]).any():
        return False
    way = float(np.linalg.norm(box[1] - box[0])) * 2 * np.array(ASIDE)
    return len(solid.ray_cast(tuple(at), tuple(at + way))) % 2 == 1


def as_one(run: Run, pieces: Pieces) -> tuple[Any, int]:
    """(a body whose parts do not overlap, how many did). Voids stay with the part that they lie in."""
    from manifold3d import Manifold, OpType

    near = _near(np.array([solid.bounding_box() for solid in pieces.solids]).reshape(-1, 2, 3))
    if not near:
        return pieces.whole, 0
    run.check()
    groups = [
        Manifold.batch_boolean([solid, *map(_turned, inner)], OpType.Subtract) if inner else solid
        for solid, inner in zip(pieces.solids, pieces.voids, strict=True)
    ]
    over: set[int] = set()
    for one, other in near:
        run.check()
        if not {one, other} <= over and not (groups[one] ^ groups[other]).is_empty():
            over |= {one, other}
    return (Manifold.batch_boolean(groups, OpType.Add), len(over)) if over else (pieces.whole, 0)


def _turned(void: Any) -> Any:
    """A hollow as the body that fills it."""
    from manifold3d import Manifold, Mesh

    got = void.to_mesh()
    rows, faces = np.array(got.vert_properties), np.array(got.tri_verts[:, ::-1], order="C")
    names = ("merge_from_vert", "merge_to_vert", "run_index", "run_original_id", "face_id")
    return Manifold(Mesh(rows, faces, **{name: np.asarray(getattr(got, name), np.uint32) for name in names}))


def _near(boxes: Any) -> list[tuple[int, int]]:
    """Pairs of boxes, (N, 2, 3) lowest and highest corners, that touch."""
    order = np.argsort(boxes[:, 0, 0], kind="stable")
    last = np.searchsorted(boxes[order, 0, 0], boxes[order, 1, 0], side="right")
    pairs = []
    for i, end in enumerate(last.tolist()):
        one, others = order[i], order[i + 1 : end]
        meets = (boxes[others, 0] <= boxes[one, 1]).all(axis=1) & (boxes[one, 0] <= boxes[others, 1]).all(axis=1)
        pairs += [(int(one), int(other)) for other in others[meets]]
    return pairs


def bodies_of(run: Run, meshes: Sequence[Mesh], names: Sequence[str]) -> tuple[Stock, list[Any]]:
    """A body for each mesh. Those that are not closed are mended, those whose parts overlap united; both are said.

    Raises :class:`BadInput` for one that mending does not close, naming what is open.
    """
    stock, bodies = stocked(meshes), []
    for k, name in enumerate(names):
        run.progress(0.3 + 0.4 * k / len(names), "bodies")
        pieces = pieces_of(stock.body(k))
        if pieces is None:
            stock, pieces = _closed(run, stock, k, name)
        body, overlaps = as_one(run, pieces)
        if overlaps:
            run.warn(f"{overlaps:,} bodies of the {name} ran through each other and were united first.")
        bodies.append(body)
    return stock, bodies


def closed(run: Run, mesh: Mesh, name: str) -> Mesh:
    """The mesh, or what mending and uniting its bodies make of it, which is said."""
    need_sound(mesh, name)
    need_size(mesh, name)
    stock, (body,) = bodies_of(run, [mesh], [name])
    same = stock.meshes[0] is mesh and body.num_tri() == len(mesh.faces)
    return mesh if same else stock.mesh(body)


def _closed(run: Run, stock: Stock, k: int, name: str) -> tuple[Stock, Pieces]:
    mesh = stock.meshes[k]
    whole, job = _mended(run, mesh, 1e-6, 1e-5)
    meshes = [*stock.meshes]
    meshes[k] = whole
    stock = replace(stock, meshes=meshes)
    pieces = pieces_of(stock.body(k))
    if pieces is None:
        raise _open(mesh, name)
    changes = ", ".join(counted(count, what) for what, count in job.changes.items() if what != "unused vertices")
    run.warn(f"The {name} was not a closed body and was mended first: {changes or 'its faces turned'}.")
    return stock, pieces


def separated(run: Run, mesh: Mesh) -> Mesh:
    """A result that touches itself, so that it would not be manifold there, with a hair's breadth between."""
    weld = weld_points(mesh.vertices)
    welded = weld.ids[mesh.faces]
    edges = edges_of(welded)
    if (edges.uses == 2).all() and fans(edges, welded)[0] == weld.count:
        return mesh
    result, job = _mended(run, mesh, 0.0, 0.0)
    moved = job.done["touching vertices moved apart"]
    if moved:
        run.warn(f"The result touches itself: {moved:,} vertices were moved apart there, by 0.001 % of its size.")
    return result


def _mended(run: Run, mesh: Mesh, weld: float, snap: float) -> tuple[Mesh, Job]:
    job = Job(Run(stop=run.stop), weld, snap, 0.0, 0, remove=False, largest_hole=10.0, untangle=False)
    return mended(mesh, mend(mesh, job)), job


def _open(mesh: Mesh, name: str) -> BadInput:
    from nodes.mesh._measure import measure

    shape = measure(mesh)
    found = {
        "open edges": shape.boundary_edges,
        "edges with more than two faces": shape.non_manifold_edges,
        "edges between faces that look opposite ways": shape.crossed,
    }
    said = ", ".join(counted(count, what) for what, count in found.items() if count) or "it encloses no volume"
    return BadInput(
        f"The {name} is not a closed body ({said}), and mending does not close it.",
        "Put a Thicken step before this one if it is a sheet, else a Repair step with 'voxel wrap'.",
    )

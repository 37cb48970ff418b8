"""A closed solid from an open surface."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh import _mending as mending
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._mending import Sheet
from nodes.mesh._repairing import uncrowded
from nodes.mesh._rows import Rows, below, built, filled, rows_of
from nodes.mesh._shading import corner_angles, grouped_normals
from nodes.mesh._topology import edges_of, face_vectors, weld_bits

Array = NDArray[Any]
SHARES = {"inside": (-1.0, 0.0), "middle": (-0.5, 0.5), "outside": (0.0, 1.0)}
LONGEST = 4.0
SAME_WAY = 0.02
SOFT = 0.85


@node("mesh.thicken", title="Thicken", group="Solid")
def thicken(
    run: Run,
    mesh: Mesh,
    thickness: Annotated[float, Slider(0.0001, 100, log=True, unit="m", help="Of the walls.")] = 0.01,
    offset: Annotated[
        Literal["inside", "middle", "outside"],
        Setting(help="Where the walls lie, seen from the surface that comes in: behind it, around it, in front of it."),
    ] = "inside",
    even: Annotated[
        bool, Setting(help="Walls are as thick at folds and corners as elsewhere. Off: each vertex moves equally far.")
    ] = True,
    rim: Annotated[bool, Setting(help="Close the walls at open borders.")] = True,
) -> Mesh:
    """Give a surface thickness: an open sheet becomes a closed solid, a closed body becomes a shell.

    UVs, colours and parts of the surface stay, on both sides; the rim shows the texture at the border. The second side
    and the rim are parts (face groups) of their own. Faces wound against their neighbours are turned first.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    sheet, _, _, _ = mending.opened(mesh, 0.0)
    run.progress(0.2, "winding")
    if not len(sheet.faces):
        need_sound(Mesh.of(mesh.vertices, sheet.faces), "mesh, without faces that have no area,")
    sheet, turned, torn = mending.wound(mending.without_fins(mending.without_duplicates(sheet)))
    if turned or torn:
        run.warn(f"{turned:,} faces were turned and {torn:,} sides cut apart, so that all look the same way.")
    sheet, _ = mending.unstuck(uncrowded({"fins": 0}, sheet))
    if len(sheet.faces) < len(mesh.faces):
        run.warn(
            f"{len(mesh.faces) - len(sheet.faces):,} faces without area, doubled or hanging on others were left out."
        )
    run.progress(0.5, "directions")
    way = directions(sheet, even)
    low, high = (share * thickness for share in SHARES[offset])
    run.progress(0.7, "walls")
    inner, outer = sheet.points + low * way, sheet.points + high * way
    _tell_folds(run, sheet, inner, outer)
    return _walls(mesh, sheet, inner, outer, rim)


def directions(sheet: Sheet, even: bool) -> Array:
    """(K, 3) float64: how each point moves for a thickness of one.

    ``even``: x with n · x = 1 for the normals n of the faces around, in the least squares weighted by their corners,
    so that each face moves by one along its normal; at most four long.
    """
    normal = grouped_normals(sheet.points, sheet.faces, sheet.faces, len(sheet.points))
    if not even:
        return normal
    facing = face_vectors(sheet.points, sheet.faces)
    length = np.linalg.norm(facing, axis=1)
    facing /= np.maximum(length, 1e-30)[:, None]
    weight = corner_angles(sheet.points, sheet.faces)
    weight[length <= 0] = 0.0
    flat, count = sheet.faces.ravel(), len(sheet.points)
    pull, both = np.empty((count, 3)), np.empty((count, 3, 3))
    for i in range(3):
        pulled = weight * facing[:, i, None]
        pull[:, i] = np.bincount(flat, pulled.ravel(), minlength=count)
        for j in range(i, 3):
            both[:, i, j] = both[:, j, i] = np.bincount(flat, (pulled * facing[:, j, None]).ravel(), minlength=count)
    size, axes = np.linalg.eigh(both)
    share = np.einsum("kij,ki->kj", axes, pull)
    kept = size > SAME_WAY * size[:, 2:]
    found = np.einsum("kij,kj->ki", axes, np.where(kept, share / np.where(kept, size, 1.0), 0.0))
    long = np.linalg.norm(found, axis=1, keepdims=True)
    sound = (np.einsum("ij,ij->i", found, normal) > 0.1)[:, None]
    return np.where(sound, found * np.minimum(1.0, LONGEST / np.maximum(long, 1e-30)), normal)


def _tell_folds(run: Run, sheet: Sheet, *moved: Array) -> None:
    before = _sides(sheet.points[sheet.faces])
    over = sum(int((np.einsum("ijk,ijk->ij", _sides(at[sheet.faces]), before) < 0).any(axis=1).sum()) for at in moved)
    if over:
        run.warn(
            f"{over:,} faces turned over: the surface bends more tightly there than it is thick. Use less thickness, "
            "or the other side."
        )


def _sides(corner: Array) -> Array:
    return np.asarray(np.roll(corner, -1, axis=1) - corner)


def _walls(mesh: Mesh, sheet: Sheet, inner: Array, outer: Array, rim: bool) -> Mesh:
    """Both sides, and the rim between them."""
    vertex = weld_bits(np.stack([sheet.faces.ravel(), sheet.origin.ravel()], axis=1))
    place, origin = sheet.faces.ravel()[vertex.first], sheet.origin.ravel()[vertex.first]
    rows = {name: value[origin] for name, value in rows_of(mesh).items()}
    facing = grouped_normals(sheet.points, sheet.faces, sheet.faces, len(sheet.points))[place]
    normals = filled(mesh, "normals")[origin]
    back = np.einsum("ij,ij->i", normals, facing)[:, None] < 0
    front = {**rows, "vertices": outer[place], "normals": np.where(back, -normals, normals)}
    behind = {**front, "vertices": inner[place], "normals": -front["normals"]}
    faces, count = vertex.ids.reshape(-1, 3), vertex.count
    tables, all_faces = [front, behind], [faces, faces[:, ::-1] + count]
    groups = np.zeros(len(faces), np.int32) if mesh.face_groups is None else mesh.face_groups[sheet.source]
    step = int(groups.max()) - min(0, int(groups.min())) + 1
    numbers = [groups, groups + step]
    if rim:
        edge, between = _rim(sheet, faces, front, behind)
        tables.append(edge)
        all_faces.append(between + 2 * count)
        numbers.append(np.full(len(between), int(groups.max()) + step + 1, np.int32))
    return built(mesh, below(*tables), np.concatenate(all_faces), np.concatenate(numbers))


def _rim(sheet: Sheet, faces: Array, front: Rows, behind: Rows) -> tuple[Rows, Array]:
    """(four rows for each side on a border, (R, 3) faces into them). Normals are soft along bends."""
    edges = edges_of(sheet.faces)
    at = np.flatnonzero(edges.boundary[edges.sides.ravel()])
    after = at - at % 3 + (at + 1) % 3
    a, b = faces.ravel()[at], faces.ravel()[after]
    along = front["vertices"][b] - front["vertices"][a]
    out = np.cross(along, front["vertices"][a] - behind["vertices"][a])
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-30)
    out[np.linalg.norm(out, axis=1) < 0.5] = (0.0, 1.0, 0.0)
    place, ahead = sheet.faces.ravel()[at], sheet.faces.ravel()[after]
    starts = np.full(len(sheet.points), -1, np.int64)
    starts[place] = np.arange(len(at))
    ends = np.full(len(sheet.points), -1, np.int64)
    ends[ahead] = np.arange(len(at))
    at_a, at_b = _soft(out, ends[place]), _soft(out, starts[ahead])
    normals = np.concatenate([at_a, at_b, at_a, at_b])
    rows = below(*({name: table[name][end] for name in table} for table in (front, behind) for end in (a, b)))
    n = len(at)
    one, two, three, four = (np.arange(n) + k * n for k in range(4))
    between = np.concatenate([np.stack([two, one, three], axis=1), np.stack([two, three, four], axis=1)])
    return {**rows, "normals": normals}, between


def _soft(out: Array, beside: Array) -> Array:
    other = out[beside]
    near = (np.einsum("ij,ij->i", out, other) > SOFT) & (beside >= 0)
    mean = np.where(near[:, None], out + other, out)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True))

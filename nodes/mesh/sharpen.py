"""Strengthen the relief of a surface."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._diffuse import diffused
from nodes.mesh._masked import shares
from nodes.mesh._shading import grouped_normals, reshaped
from nodes.mesh._topology import Ints, diagonal, face_vectors, weld_points

Array = NDArray[Any]
ROUNDS = 12
HALVINGS = 5


@node("mesh.sharpen", title="Sharpen", group="Repair and smooth")
def sharpen(
    run: Run,
    mesh: Mesh,
    strength: Annotated[float, Slider(0, 10, step=0.05, help="1 doubles the height of fine relief.")] = 1.0,
    radius: Annotated[
        float, Slider(0.05, 50, log=True, unit="% of size", help="Relief smaller than this is strengthened.")
    ] = 5.0,
    most: Annotated[
        float, Slider(0.01, 20, log=True, unit="% of size", help="No point moves farther than this.")
    ] = 2.0,
    prevent_crossings: Annotated[
        bool, Setting(help="Move less where faces would flip or run through one another.")
    ] = True,
    keep_borders: Annotated[bool, Setting(help="Vertices on open borders stay where they are.")] = True,
    mask: Mask | None = None,
) -> Mesh:
    """Bring out folds, letters and wrinkles: what a smoothed copy of the surface lacks is added once more.

    It is an unsharp mask, as for pictures; noise is strengthened, too, so Denoise a scan before it. A mask lies on the
    UVs: where it is black nothing moves.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    before = mesh.vertices[weld.first].astype(np.float64)
    size = diagonal(mesh)
    run.progress(0.1, "smoothing a copy")
    smooth = diffused(before, faces, radius / 100 * size, keep_borders, run.check)
    normals = grouped_normals(smooth, faces, faces, len(before))
    relief = np.einsum("ij,ij->i", before - smooth, normals)
    far = most / 100 * size
    move = np.clip(strength * relief, -far, far)[:, None] * normals
    if mask is not None:
        move *= shares(mesh, mask)[weld.first, None]
    run.progress(0.4, "moving")
    share = _safe(run, before, move, faces) if prevent_crossings else np.ones(len(before))
    after = before + share[:, None] * move
    return reshaped(mesh, np.where((share > 0)[:, None], after, before)[weld.ids])


def _safe(run: Run, before: Array, move: Array, faces: Ints) -> Array:
    """(K,) the share of its way that each vertex may go without new flips and crossings."""
    from nodes.mesh._bvh import Tree, build, refitted
    from nodes.mesh._crossing import crossings

    facing = face_vectors(before, faces)
    old = _keys(crossings(before.astype(np.float32), faces, lambda _: run.check()).pairs)
    share, pairs, held = np.ones(len(before)), np.zeros((0, 2), np.int64), 0
    near: Array | None = None
    tree: Tree | None = None
    for number in range(ROUNDS):
        run.progress(0.4 + 0.5 * number / ROUNDS, "looking for crossings")
        now = (before + share[:, None] * move).astype(np.float32)
        bad = np.einsum("ij,ij->i", face_vectors(now, faces), facing) < 0
        tree = build(now, faces) if tree is None else refitted(tree, now, faces)
        found = crossings(now, faces, lambda _: run.check(), tree, near=near).pairs
        pairs = np.concatenate([pairs if near is None else pairs[~near[pairs].any(axis=1)], found])
        new = pairs[~np.isin(_keys(pairs), old)]
        bad[new.ravel()] = True
        touched = np.unique(faces[bad])
        touched = touched[share[touched] > 0]
        if not len(touched):
            break
        held = max(held, len(touched))
        share[touched] = share[touched] / 2 if number < HALVINGS else 0.0
        near = np.asarray(np.isin(faces, touched).any(axis=1))
    else:
        run.warn("Some faces run through one another now: choose less strength, or put a Repair step after this one.")
    if held:
        run.warn(f"{held:,} vertices moved less than asked, because faces would have crossed there.")
    return share


def _keys(pairs: Array) -> Array:
    return np.asarray(pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1].astype(np.int64))

"""Bake band by band: rows of texels to points on the target, to points on the source, to values, to pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.io._tangents import with_tangents
from nodes.mesh._raster import draw, texel_corners
from nodes.mesh._shading import smooth_normals
from nodes.texture._loops import gather, vote
from nodes.texture._samples import Order, Receiver, Samples, channels_of, values_of
from nodes.texture._surface import Surface

Array = NDArray[Any]
SAMPLES_PER_BAND = 1 << 17
RIM = 1.5
FAINT = 1e-4


@dataclass(frozen=True)
class Baked:
    """``maps``: (S, S, 4) float32 linear by name, the channels of the map first and 1 in the rest.

    ``filled``: (S, S) bool. ``lost``: share of the samples that took the nearest point because their ray met nothing.
    """

    maps: dict[str, Array]
    filled: Array
    lost: float


def receiver_of(mesh: Mesh, size: int, fine: int, cage: Mesh | float | None = None) -> Receiver:
    """``mesh`` has UVs and normals. ``cage``: positions of its vertices pushed out, or metres to push them, or None."""
    faces = mesh.faces
    mesh, tangents = with_tangents(mesh)
    assert mesh.uv is not None and mesh.normals is not None
    corners, rays = texel_corners(mesh.uv, mesh.faces, size * fine), smooth_normals(mesh.vertices, mesh.faces)
    outer = None
    if isinstance(cage, Mesh):
        outer = cage.vertices[faces].reshape(-1, 3)
    elif cage is not None:
        outer = (mesh.vertices + rays * np.float32(cage))[mesh.faces].reshape(-1, 3)
    return Receiver(mesh, corners, rays, mesh.normals, tangents, outer)


def bake_bands(run: Run, surface: Surface, receiver: Receiver, order: Order) -> Baked:
    """Fill the pictures of ``order`` band by band; what a band needs besides them does not grow with their size."""
    step = max(1, SAMPLES_PER_BAND // (order.size * order.fine**2))
    starts = range(0, order.size, step)
    filled = np.zeros((order.size, order.size), bool)
    maps = {name: np.ones((order.size, order.size, 4), np.float32) for name in order.maps}
    baked, samples, lost = Baked(maps, filled, 0.0), 0, 0
    for done, (seen, far) in enumerate(_in_turn(run, surface, receiver, order, starts, step, baked), 1):
        samples, lost = samples + seen, lost + far
        run.progress(0.1 + 0.8 * done / len(starts), f"baking, band {done} of {len(starts)}")
    return Baked(maps, filled, lost / max(samples, 1))


def _in_turn(
    run: Run, surface: Surface, receiver: Receiver, order: Order, starts: range, step: int, into: Baked
) -> Iterator[tuple[int, int]]:
    pool = ThreadPoolExecutor(max(1, os.cpu_count() or 1))
    try:
        yield from pool.map(
            lambda first: _bake_rows(run, surface, receiver, order, range(first, min(first + step, order.size)), into),
            starts,
        )
    finally:
        pool.shutdown(cancel_futures=True)


def _bake_rows(
    run: Run, surface: Surface, receiver: Receiver, order: Order, rows: range, into: Baked
) -> tuple[int, int]:
    """Write some rows of the pictures; how many samples there were and how many of them met nothing."""
    run.check()
    wide = order.size * order.fine
    fine = range(rows.start * order.fine, rows.stop * order.fine)
    owner, inside, covered = draw(receiver.corners, wide, fine, RIM * order.fine)
    seen = owner >= 0
    place = np.flatnonzero(seen)
    if not len(place):
        return 0, 0
    at = np.concatenate([np.zeros((len(place), 1)), inside[seen]], axis=1)
    weight = np.where(covered[seen], 1.0, FAINT)
    samples = Samples(surface, receiver, order, owner[seen], at, place + fine.start * wide)
    here = slice(rows.start, rows.stop)
    for name in order.maps:
        run.check()
        add = _voted if name == "ids" else _mixed
        value, into.filled[here] = add(values_of(name, samples), weight, place, (len(rows), order.size), order.fine)
        into.maps[name][here, :, : channels_of(name)] = value
    return len(place), int(samples.hits.far.sum())


def _mixed(rows: Array, weight: Array, place: Array, shape: tuple[int, int], fine: int) -> tuple[Array, Array]:
    """((R, S, C) mean of the (K, C) sample rows in each texel by their weights, (R, S) bool where there are any)."""
    total = np.zeros((*shape, rows.shape[1] + 1))
    gather(np.asarray(rows, np.float64), weight, place, shape[1] * fine, fine, total)
    held = total[..., -1:]
    return total[..., :-1] / np.maximum(held, FAINT * 1e-3), held[..., 0] > 0


def _voted(rows: Array, weight: Array, place: Array, shape: tuple[int, int], fine: int) -> tuple[Array, Array]:
    """The same for numbers that cannot be mixed: the one that most of a texel shows."""
    winner = np.full(shape, -1, np.int64)
    vote(rows[:, 0], weight, place, shape[1] * fine, fine, winner)
    return np.maximum(winner, 0)[..., None], winner >= 0

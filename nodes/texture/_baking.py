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
from nodes.mesh._blend import blend
from nodes.mesh._raster import draw, texel_corners
from nodes.mesh._shading import smooth_normals
from nodes.texture._loops import gather, into_frame
from nodes.texture._occlusion import Shade
from nodes.texture._surface import GREYS, Surface, unit

Array = NDArray[Any]
SAMPLES_PER_BAND = 1 << 18
RIM = 1.5
FAINT = 1e-4


@dataclass(frozen=True)
class Order:
    """What to bake. ``size``: texels a side. ``fine``: samples per texel and axis. ``reach``: metres.

    ``maps``: names of the wanted maps. ``shade``: how to measure ambient occlusion, or None.
    """

    size: int
    fine: int
    reach: float
    maps: tuple[str, ...]
    shade: Shade | None


@dataclass(frozen=True)
class Receiver:
    """The target made ready: corners in sample texels, normals for the rays, normals and tangents for shading."""

    mesh: Mesh
    corners: Array
    rays: Array
    normals: Array
    tangents: Array


@dataclass(frozen=True)
class Band:
    """Rows of the result: ``values`` by map (R, S, C), ``weight`` (R, S), samples in all and found by nearest point."""

    values: dict[str, Array]
    weight: Array
    samples: int
    far: int


def receiver_of(mesh: Mesh, order: Order) -> Receiver:
    """``mesh`` has UVs and normals."""
    mesh, tangents = with_tangents(mesh)
    assert mesh.uv is not None and mesh.normals is not None
    corners = texel_corners(mesh.uv, mesh.faces, order.size * order.fine)
    return Receiver(mesh, corners, smooth_normals(mesh.vertices, mesh.faces), mesh.normals, tangents)


def bake_bands(run: Run, surface: Surface, receiver: Receiver, order: Order) -> tuple[dict[str, Array], Array, float]:
    """(maps (S, S, C) float32 linear, (S, S) bool filled, share of samples found by nearest point)."""
    step = max(1, SAMPLES_PER_BAND // (order.size * order.fine**2))
    starts = range(0, order.size, step)
    bands: list[Band] = []
    for band in _in_turn(run, surface, receiver, order, starts, step):
        bands.append(band)
        run.progress(0.1 + 0.8 * len(bands) / len(starts), "baking")
    maps = {name: np.concatenate([b.values[name] for b in bands]) for name in order.maps}
    samples = sum(b.samples for b in bands)
    return maps, np.concatenate([b.weight for b in bands]) > 0, sum(b.far for b in bands) / max(samples, 1)


def _in_turn(run: Run, surface: Surface, receiver: Receiver, order: Order, starts: range, step: int) -> Iterator[Band]:
    pool = ThreadPoolExecutor(max(1, os.cpu_count() or 1))
    try:
        yield from pool.map(
            lambda first: _bake_rows(run, surface, receiver, order, range(first, min(first + step, order.size))), starts
        )
    finally:
        pool.shutdown(cancel_futures=True)


def _bake_rows(run: Run, surface: Surface, receiver: Receiver, order: Order, rows: range) -> Band:
    run.check()
    fine = range(rows.start * order.fine, rows.stop * order.fine)
    owner, inside, covered = draw(receiver.corners, order.size * order.fine, fine, RIM * order.fine)
    seen = owner >= 0
    face = owner[seen]
    at = np.concatenate([np.zeros((len(face), 1)), inside[seen]], axis=1)
    weight = np.where(covered[seen], 1.0, FAINT)
    values, far = _values(surface, receiver, order, face, at, rows.start)
    gathered = {name: _gathered(np.asarray(v, np.float64), weight, seen, order.fine) for name, v in values.items()}
    total = next(iter(gathered.values()))[..., -1]
    mixed = {name: g[..., :-1] / np.maximum(total, FAINT * 1e-3)[..., None] for name, g in gathered.items()}
    return Band({name: m.astype(np.float32) for name, m in mixed.items()}, total, len(face), far)


def _gathered(rows: Array, weight: Array, seen: Array, fine: int) -> Array:
    """(R, S, C + 1): (K, C) sample rows times their weights summed into texels, and last the weights' own sum."""
    high, wide = seen.shape[0] // fine, seen.shape[1] // fine
    total = np.zeros((high, wide, rows.shape[1] + 1))
    gather(rows, weight, np.flatnonzero(seen), seen.shape[1], fine, total)
    return total


def _values(
    surface: Surface, receiver: Receiver, order: Order, face: Array, at: Array, seed: int
) -> tuple[dict[str, Array], int]:
    faces = receiver.mesh.faces
    points = blend(receiver.mesh.vertices, faces, face, at)
    hits = surface.find(points, unit(blend(receiver.rays, faces, face, at)), order.reach)
    values: dict[str, Array] = {}
    for name in order.maps:
        if name == "base_colour":
            values[name] = surface.base_colour(hits)
        elif name == "normal":
            values[name] = _in_tangent_space(receiver, face, at, surface.shading(hits))
        elif name == "ambient":
            assert order.shade is not None
            values[name] = order.shade.openness(surface, hits, seed * 7919)[:, None]
        elif name == "relief":
            values[name] = np.clip(hits.at[:, :1] / order.reach, -1, 1) / 2 + 0.5
        else:
            sampled = surface.sample(name, hits)
            values[name] = sampled[:, :1] if name in GREYS else sampled
    return values, int(hits.far.sum())


def _in_tangent_space(receiver: Receiver, face: Array, at: Array, normal: Array) -> Array:
    """(N, 3): world normals in the frame in which a viewer will read the map (OpenGL, +Y up)."""
    faces = receiver.mesh.faces
    up = unit(blend(receiver.normals, faces, face, at))
    along = unit(blend(receiver.tangents[:, :3], faces, face, at))
    out = np.empty_like(up)
    into_frame(along, up, receiver.tangents[faces[face, 0], 3].astype(np.float64), normal, out)
    return out

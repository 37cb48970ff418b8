"""The surface that lies a given distance inside a closed body: where it would be cut if its walls were that thick.

Distances are exact, to the nearest point of the surface; inside is where it winds around a point. A grid finds where
the offset surface passes between two points, a search along that edge finds the place itself, and edges that leave the
distance half way are split until none does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree, build, nearest
from nodes.mesh._inside import winding
from nodes.mesh._room import held_back, wide_room
from nodes.mesh._topology import edges_of
from nodes.mesh._wrap import BLOCK, Grid, grid_over, points_of

Array = NDArray[Any]
Told = Callable[[float], None]
AT_ONCE = 65_536
STEPS = 6
CLOSE = 1e-4
ROUNDS = 5
LEAST_EDGE = 0.05
GROWTH = 6
BACK = 8
NARROW = 1.0  # voxels


@dataclass(frozen=True)
class Depth:
    """How deep points lie inside a body. ``middle``: subtracted from all points before."""

    tree: Tree
    middle: Array

    @classmethod
    def below(cls, points: Array, faces: Array) -> Depth:
        used = points[faces].reshape(-1, 3).astype(np.float64)
        middle = (used.min(axis=0) + used.max(axis=0)) / 2
        return cls(build((points - middle).astype(np.float32), faces), middle)

    def of(self, points: Array, known: Array | None = None) -> Array:
        """(N,) metres to the surface, negative outside. ``known``: (N,) 1 inside, -1 outside, 0 is to be found out."""
        _, at = nearest(self.tree, points.astype(np.float32))
        sign = np.zeros(len(points), np.int8) if known is None else known.copy()
        asked = sign == 0
        if asked.any():
            sign[asked] = np.where(winding(self.tree, points[asked]) > 0.5, 1, -1)
        return np.asarray(at[:, 0] * sign)

    def away(self, points: Array) -> tuple[Array, Array]:
        """((N,) metres to the surface, (N, 3) the nearest point on it)."""
        hit, at = nearest(self.tree, points.astype(np.float32))
        corner = self.tree.corner[np.argsort(self.tree.order)[hit]].astype(np.float64)
        on = corner[:, :3] + corner[:, 3:6] * at[:, 1:2] + corner[:, 6:9] * at[:, 2:3]
        return np.linalg.norm(points - on, axis=1), on


def inner_surface(points: Array, faces: Array, depth: float, voxels: int, tolerance: float, told: Told) -> Any:
    """((V, 3) float64, (F, 3) int32) of a closed surface that looks outward, or None where nothing is that deep.

    Room that a ball of one voxel does not fit into is left out, but for a voxel around wider room. Every other vertex
    lies ``depth`` metres below the surface. So does the middle of every edge, within ``tolerance`` (a share of the
    depth), but for edges shorter than a twentieth of the depth, and where it would take more than six times the faces.
    """
    from skimage.measure import marching_cubes

    body = Depth.below(points, faces)
    used = points[faces].reshape(-1, 3) - body.middle
    grid = grid_over(used.min(axis=0), used.max(axis=0), voxels)
    field = _field(body, grid, depth, lambda part: told(0.55 * part))
    wide = wide_room(field / grid.step, NARROW)
    told(0.6)
    both = np.minimum(field, wide * grid.step)
    if not (both > 0).any():
        return None
    at, triangles, _, _ = marching_cubes(both, 0.0, method="lewiner", gradient_direction="ascent")
    told(0.65)
    place = _searched(body, grid, field, at.astype(np.float64), depth)
    held = held_back(grid, field, wide, at.astype(np.float64), place)
    told(0.75)
    place, triangles = _refined(body, place, triangles.astype(np.int32), held, depth, tolerance, told)
    return place + body.middle, triangles


def _field(body: Depth, grid: Grid, depth: float, told: Told) -> Array:
    """(X, Y, Z) float32: depth of each grid point less ``depth``; far from 0 only the sign is right, and that room is
    wide."""
    blocks = [(n - 1) // BLOCK for n in grid.shape]
    index = np.stack(np.meshgrid(*map(np.arange, blocks), indexing="ij"), axis=-1).reshape(-1, 3)
    reach = grid.step * BLOCK / 2 * np.sqrt(3)
    centre = body.of(grid.at((index + 0.5) * BLOCK))
    told(0.1)
    near = (np.abs(centre) - depth >= -reach) & (np.abs(centre) - depth <= reach + NARROW * grid.step)
    near &= centre > -reach
    field = np.full(grid.shape, -grid.step, np.float32)
    deep = (centre > depth).reshape(blocks)
    field[:-1, :-1, :-1] = np.where(_fine(deep), 2 * NARROW * grid.step, -grid.step)
    known = np.zeros(grid.shape, np.int8)
    known[:-1, :-1, :-1] = _fine(np.where(np.abs(centre) > reach, np.sign(centre), 0).astype(np.int8).reshape(blocks))
    places = np.argwhere(points_of(near.reshape(blocks), grid.shape))
    for start in range(0, len(places), AT_ONCE):
        told(0.1 + 0.9 * start / len(places))
        part = places[start : start + AT_ONCE]
        value = body.of(grid.at(part), known[tuple(part.T)]) - depth
        least = 1e-3 * grid.step
        field[tuple(part.T)] = np.where(np.abs(value) < least, np.where(value < 0, -least, least), value)
    return field


def _fine(blocks: Array) -> Array:
    return np.repeat(np.repeat(np.repeat(blocks, BLOCK, 0), BLOCK, 1), BLOCK, 2)


def _searched(body: Depth, grid: Grid, field: Array, at: Array, depth: float) -> Array:
    """Each vertex at the place on its grid edge where the depth is right (Illinois method, Dowell and Jarratt 1971)."""
    low, high = np.floor(at).astype(np.int64), np.ceil(at).astype(np.int64)
    one, other = grid.at(low), grid.at(high)
    f, g = field[tuple(low.T)].astype(np.float64), field[tuple(high.T)].astype(np.float64)
    place = grid.at(at)
    on_edge = np.flatnonzero((f * g < 0) & ((low != high).sum(axis=1) == 1))
    a, b, f, g = one[on_edge], other[on_edge], f[on_edge], g[on_edge]
    deep, reach = np.where((f > 0)[:, None], a, b), np.maximum(f, g) + depth
    for _ in range(STEPS):
        middle = a + (b - a) * (f / (f - g))[:, None]
        within = np.linalg.norm(middle - deep, axis=1) < reach
        value = body.of(middle, within.astype(np.int8)) - depth
        place[on_edge] = middle
        left = f * value > 0
        g, f = np.where(left, g / 2, value), np.where(left, value, f / 2)
        a, b = np.where(left[:, None], middle, a), np.where(left[:, None], b, middle)
        open_still = np.abs(value) > CLOSE * depth
        on_edge, a, b, f, g = (rows[open_still] for rows in (on_edge, a, b, f, g))
        deep, reach = deep[open_still], reach[open_still]
        if not len(on_edge):
            break
    return place


def _refined(
    body: Depth, at: Array, faces: Array, held: Array, depth: float, tolerance: float, told: Told
) -> tuple[Array, Array]:
    """Split edges whose middle is not as deep as their ends; the new vertex goes where it is.

    ``held``: (V,) bool, deeper vertices, whose edges may lie deeper too.
    """
    most, parents, deep = GROWTH * len(faces), [np.zeros((0, 2), np.int64)], [np.zeros(len(at), bool)]
    for number in range(ROUNDS):
        told(0.75 + 0.25 * number / ROUNDS)
        edges = edges_of(faces)
        a, b = at[edges.ends[:, 0]], at[edges.ends[:, 1]]
        middle = (a + b) / 2
        found, on = body.away(middle)
        long = np.linalg.norm(b - a, axis=1)
        loose = held[edges.ends].any(axis=1) & (found > depth)
        off = np.flatnonzero((np.abs(found - depth) > tolerance * depth) & (long > LEAST_EDGE * depth) & ~loose)
        way = (middle[off] - on[off]) * (depth / np.maximum(found[off], 1e-12) - 1)[:, None]
        moved = middle[off] + way
        again, _ = body.away(moved)
        better = np.abs(again - depth) < np.abs(found[off] - depth)
        better &= np.linalg.norm(way, axis=1) < long[off] / 2
        if not better.any() or len(faces) + 2 * int(better.sum()) > most:
            break
        marked = np.zeros(len(long), bool)
        marked[off[better]] = True
        parents.append(edges.ends[marked].astype(np.int64))
        deep.append(found[off[better]] > depth)
        at, faces = split_edges(at, faces, edges.sides, marked, moved[better])
        held = np.concatenate([held, np.zeros(int(better.sum()), bool)])
    return _unfolded(at, faces, parents, np.concatenate(deep), told), faces


def _unfolded(at: Array, faces: Array, parents: list[Array], deep: Array, told: Told) -> Array:
    """The vertices, of which those that make faces run through each other are back in the middle of the edge that
    they split. The surface before any split, with each vertex on an edge of the grid, has no such faces.

    ``parents``: of each round of splits the ends of the edges, (K, 2); the vertices come last in ``at``, in order.
    ``deep``: (V,) bool, vertices that may go back: where the middle lies deeper, the wall becomes no thinner.
    """
    from nodes.mesh._crossing import crossings

    starts = np.cumsum([len(at) - sum(map(len, parents)), *map(len, parents)])
    straight, at = np.zeros(len(at), bool), at.copy()
    for _ in range(BACK):
        near: Array | None = np.asarray(straight[faces].any(axis=1)) if straight.any() else None
        found = crossings(at, faces, lambda _: told(1.0), near=near)
        guilty = np.unique(faces[found.pairs.ravel()])
        guilty = guilty[deep[guilty] & ~straight[guilty]]
        if not len(guilty):
            break
        straight[guilty] = True
        for start, ends in zip(starts, parents, strict=False):
            own = straight[start : start + len(ends)]
            at[start : start + len(ends)][own] = at[ends[own]].mean(axis=1)
    return at


def split_edges(at: Array, faces: Array, sides: Array, marked: Array, new: Array) -> tuple[Array, Array]:
    """Each marked edge, (E,) bool, gets a vertex from ``new``; faces around it become two, three or four."""
    name = np.full(len(marked), -1, np.int64)
    name[marked] = len(at) + np.arange(len(new))
    cut = name[sides]
    count = (cut >= 0).sum(axis=1)
    first = np.where(count == 2, (cut < 0).argmax(axis=1), (cut >= 0).argmax(axis=1))
    turn = (first[:, None] + np.arange(3)) % 3
    corner, cut = np.take_along_axis(faces.astype(np.int64), turn, 1), np.take_along_axis(cut, turn, 1)
    out = [faces[count == 0].astype(np.int64)]
    (a, b, c), (m, _, _) = corner[count == 1].T, cut[count == 1].T
    out += [np.stack([a, m, c], axis=1), np.stack([m, b, c], axis=1)]
    (a, b, c), (_, m, n) = corner[count == 2].T, cut[count == 2].T
    out += [np.stack(rows, axis=1) for rows in ((m, c, n), (a, b, m), (a, m, n))]
    (a, b, c), (l, m, n) = corner[count == 3].T, cut[count == 3].T  # noqa: E741
    out += [np.stack(rows, axis=1) for rows in ((a, l, n), (l, b, m), (n, m, c), (l, m, n))]
    return np.concatenate([at, new]), np.concatenate(out).astype(np.int32)

"""Triangulate the inside of outlines: edges follow the outlines, and thin parts get small triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Run
from nodes.image_to_3d._height import HeightField
from nodes.image_to_3d._silhouette import Floats, Silhouette, resample

Ints = NDArray[np.int64]
AROUND = 3.5  # edges per local radius
ROUNDS = 2


@dataclass(frozen=True)
class Planar:
    """``points``: (N, 2) picture positions, the first ``rim`` of them on the outlines. ``faces``: (M, 3), y down."""

    points: Floats
    faces: Ints
    rim: int


@dataclass(frozen=True)
class _Sizes:
    field: HeightField
    longest: float
    shortest: float

    def at(self, points: Floats) -> Floats:
        return np.clip(self.field.radii(points) / AROUND, self.shortest, self.longest)


def triangulate(run: Run, shape: Silhouette, field: HeightField, faces: int) -> Planar:
    """About ``faces`` triangles; raises :class:`BadInput` when outlines touch or cross."""
    sizes = _sizes(shape, field, faces)
    rim, links = _rim(shape, sizes)
    inner = _lattice(field, sizes)
    for _ in range(ROUNDS):
        run.check()
        rim, links, inner, triangles = _conforming(rim, links, inner)
        inner = _relaxed(np.concatenate([rim, inner]), triangles, len(rim))
    rim, links, inner, triangles = _conforming(rim, links, inner)
    return _without_chords(_compact(np.concatenate([rim, inner]), triangles, len(rim)))


def _sizes(shape: Silhouette, field: HeightField, faces: int) -> _Sizes:
    """The longest edge such that the triangles, at 2.31 per squared edge, come to the number asked for."""
    solid = field.inside > 0
    wanted, cell = field.radius[solid] / AROUND, field.cell
    shortest = max(0.75 * shape.pixel, 0.25 * float(np.sqrt(2.31 * solid.sum() * cell**2 / faces)))
    low, high = shortest, 100 * float(np.sqrt(2.31 * solid.sum() * cell**2 / faces))
    for _ in range(40):
        middle = (low * high) ** 0.5
        count = 2.31 * cell**2 * float((1 / np.clip(wanted, shortest, middle) ** 2).sum())
        low, high = (middle, high) if count > faces else (low, middle)
    return _Sizes(field, high, shortest)


def _rim(shape: Silhouette, sizes: _Sizes) -> tuple[Floats, Ints]:
    """Points on the outlines and (K, 2) links between them; closer together where an outline turns sharply."""
    lines, links, start = [], [], 0
    for outline in shape.outlines:
        fine = resample(outline, 0.5 * shape.pixel)
        size = sizes.at(fine)
        line = resample(fine, np.clip(0.7 * _turning_radius(fine), 0.4 * size, size))
        here = start + np.arange(len(line))
        lines.append(line)
        links.append(np.stack([here, np.roll(here, -1)], axis=1))
        start += len(line)
    return np.concatenate(lines), np.concatenate(links)


def _turning_radius(line: Floats) -> Floats:
    from scipy.ndimage import gaussian_filter1d, minimum_filter1d

    step = gaussian_filter1d(np.roll(line, -1, axis=0) - line, 3, axis=0, mode="wrap")
    before = np.roll(step, 1, axis=0)
    turn = np.abs(step[:, 0] * before[:, 1] - step[:, 1] * before[:, 0])
    length = np.linalg.norm(step, axis=1)
    return np.asarray(minimum_filter1d(length**3 / np.maximum(turn, 1e-12), 9, mode="wrap"))


def _lattice(field: HeightField, sizes: _Sizes) -> Floats:
    """Nested hexagonal lattices: each halving of the edge length joins in where the wanted length asks for it."""
    height, width = field.inside.shape
    lower, upper = field.corner, field.corner + field.cell * np.array([width - 1, height - 1])
    levels = int(np.ceil(np.log2(sizes.longest / sizes.shortest) - 0.25)) if sizes.longest > sizes.shortest else 0
    kept = []
    for level in range(levels + 1):
        edge = sizes.longest / 2**level
        i, j = np.meshgrid(
            np.arange(int((upper[0] - lower[0]) / edge) + 2), np.arange(int((upper[1] - lower[1]) / edge / 0.866) + 2)
        )
        new = np.ones(i.shape, bool) if level == 0 else (i + j // 2) % 2 + j % 2 > 0
        points = np.stack([lower[0] + edge * (i + 0.5 * (j % 2)), lower[1] + edge * 0.8660254 * j], axis=-1)[new]
        close = _inside(field, points) > 0.5 * edge
        points = points[close]
        kept.append(points[sizes.at(points) < edge * 1.42] if level else points)
    return np.concatenate(kept)


def _inside(field: HeightField, points: Floats) -> Floats:
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(field.inside, field.places(points), order=1, mode="nearest")) * field.cell


def _conforming(rim: Floats, links: Ints, inner: Floats) -> tuple[Floats, Ints, Floats, Ints]:
    """Delaunay triangles of the inside; links that the triangulation misses are halved until it has them all."""
    from scipy.spatial import Delaunay

    inner = _clear_of_rim(rim, links, inner)
    for _ in range(12):
        points = np.concatenate([rim, inner])
        mesh = Delaunay(points)
        lost = _missing(np.asarray(mesh.simplices, np.int64), links, len(points))
        if not lost.any():
            return rim, links, inner, _inside_faces(mesh, links, len(points))
        rim, links = _halved(rim, links, lost)
        inner = _clear_of_rim(rim, links, inner)
    raise BadInput("The outline touches or crosses itself.", "Soften the mask edge a little and try again.")


def _clear_of_rim(rim: Floats, links: Ints, inner: Floats) -> Floats:
    """Without the points inside the circle over any link, which would break that link."""
    from scipy.spatial import cKDTree

    middle = rim[links].mean(axis=1)
    length = np.linalg.norm(rim[links[:, 0]] - rim[links[:, 1]], axis=1)
    distance, nearest = cKDTree(middle).query(inner, k=3)
    return np.asarray(inner[(distance > 0.62 * length[nearest]).all(axis=1)])


def _keys(edges: Ints, count: int) -> Ints:
    return np.asarray(edges[:, 0].astype(np.int64) * count + edges[:, 1])


def _missing(faces: Ints, links: Ints, count: int) -> NDArray[np.bool_]:
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return ~np.isin(_keys(np.sort(links, axis=1), count), _keys(edges, count))


def _halved(rim: Floats, links: Ints, lost: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    middle = len(rim) + np.arange(int(lost.sum()))
    first, second = links[lost].copy(), links[lost].copy()
    first[:, 1], second[:, 0] = middle, middle
    return np.concatenate([rim, rim[links[lost]].mean(axis=1)]), np.concatenate([links[~lost], first, second])


def _inside_faces(mesh: object, links: Ints, count: int) -> Ints:
    """Triangles on the solid side of the links: flooded from those that hold a link in its own direction."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    faces = np.asarray(mesh.simplices, np.int64)  # type: ignore[attr-defined]
    beside = np.asarray(mesh.neighbors)  # type: ignore[attr-defined]
    a, b, c = (mesh.points[faces[:, k]] for k in range(3))  # type: ignore[attr-defined]
    wrong = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces[wrong] = faces[wrong][:, [0, 2, 1]]
    beside[wrong] = beside[wrong][:, [0, 2, 1]]
    keys = _keys(links, count)
    edge = np.stack([_keys(faces[:, pair], count) for pair in ([1, 2], [2, 0], [0, 1])], axis=1)
    back = np.stack([_keys(faces[:, pair], count) for pair in ([2, 1], [0, 2], [1, 0])], axis=1)
    holds = np.isin(edge, keys)
    open_ = (beside >= 0) & ~holds & ~np.isin(back, keys)
    here, side = np.nonzero(open_)
    graph = coo_matrix((np.ones(len(here)), (here, beside[here, side])), shape=(len(faces), len(faces)))
    label = connected_components(graph, directed=False)[1]
    return np.asarray(faces[np.isin(label, label[holds.any(axis=1)])])


def _relaxed(points: Floats, faces: Ints, rim: int) -> Floats:
    """Inner points moved to the area-weighted middle of the triangles around them."""
    corners = points[faces]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) ** 0.5
    middle = corners.mean(axis=1)
    total = np.bincount(faces.ravel(), np.repeat(area, 3), len(points))
    moved = [np.bincount(faces.ravel(), np.repeat(area * middle[:, k], 3), len(points)) for k in (0, 1)]
    used = total > 0
    result = points.copy()
    result[used] = np.stack(moved, axis=1)[used] / total[used, None]
    return np.asarray(result[rim:][used[rim:]])


def _compact(points: Floats, faces: Ints, rim: int) -> Planar:
    used = np.zeros(len(points), bool)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    return Planar(points[used], number[faces], int(used[:rim].sum()))


def _without_chords(flat: Planar) -> Planar:
    """Inner edges between two rim points are halved: front and back would otherwise meet along them."""
    faces, count = flat.faces, len(flat.points)
    sides = np.stack([np.sort(faces[:, pair], axis=1) for pair in ([1, 2], [2, 0], [0, 1])], axis=1)
    keys = sides[..., 0] * count + sides[..., 1]
    known, where, uses = np.unique(keys, return_inverse=True, return_counts=True)
    where = where.reshape(keys.shape)
    chord = (sides < flat.rim).all(axis=2) & (uses[where] == 2)
    if not chord.any():
        return flat
    cut = np.unique(where[chord])
    middle = np.full(len(known), -1)
    middle[cut] = count + np.arange(len(cut))
    ends = np.stack([known[cut] // count, known[cut] % count], axis=1)
    points = np.concatenate([flat.points, flat.points[ends].mean(axis=1)])
    whole = ~chord.any(axis=1)
    pieces = [
        p for f, m in zip(faces[~whole], middle[where[~whole]], strict=True) for p in _split(f.tolist(), m.tolist())
    ]
    return Planar(points, np.concatenate([faces[whole], np.array(pieces)]), flat.rim)


def _split(corners: list[int], middles: list[int]) -> list[tuple[int, int, int]]:
    """One triangle cut at the middles of its sides; ``middles[k]`` lies opposite corner k, -1 where there is none."""
    k = next(i for i in range(3) if middles[i] >= 0)
    a, b, c = (corners[(k + i) % 3] for i in range(3))
    m, n, o = (middles[(k + i) % 3] for i in range(3))  # on bc, ca, ab
    left = [(a, b, m)] if o < 0 else [(a, o, m), (o, b, m)]
    right = [(a, m, c)] if n < 0 else [(a, m, n), (n, m, c)]
    return left + right

"""Many copies of one mesh: turned, scaled and moved, and joined where they touch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._topology import collapsed, compacted, edges_of, face_vectors, joined, weld_points

Array = NDArray[Any]
MOST_FACES = 10_000_000
LEVEL = 1 - 1e-7
ROWS = 1 << 18


@dataclass(frozen=True)
class Spots:
    """Where K copies stand. ``moves``: (K, 3) metres. ``turns``: (K, 3, 3) rotations or None. ``scales``: (K,) or None.

    A point p of the mesh goes to turn @ (scale * p) + move.
    """

    moves: Array
    turns: Array | None = None
    scales: Array | None = None

    def __len__(self) -> int:
        return len(self.moves)

    def only(self, which: Array) -> Spots:
        turns, scales = (None if rows is None else rows[which] for rows in (self.turns, self.scales))
        return Spots(self.moves[which], turns, scales)

    def matrices(self) -> Array:
        """(K, 4, 4) float64, column vectors."""
        out = np.tile(np.eye(4), (len(self), 1, 1))
        out[:, :3, 3] = self.moves
        if self.turns is not None:
            out[:, :3, :3] = self.turns
        if self.scales is not None:
            out[:, :3, :3] *= self.scales[:, None, None]
        return out


def need_room(count: int, faces: int) -> None:
    """Raise :class:`BadInput` when ``count`` copies of ``faces`` faces are more than memory should be spent on."""
    if count * faces > MOST_FACES:
        raise BadInput(
            f"All copies together would have {count * faces:,} faces, more than {MOST_FACES:,}.",
            "Make fewer copies, or put a Decimate step before this one.",
        )


def copied(run: Run, mesh: Mesh, spots: Spots) -> Mesh:
    """One mesh of all copies in order. Part numbers: those of the mesh, raised from copy to copy, so that every copy
    has its own. A copy that is neither turned nor scaled is exact: float32 of position + move."""
    need_room(len(spots), len(mesh.faces))
    count, many = len(mesh.vertices), len(spots)
    vertices = np.empty((many, count, 3), np.float32)
    normals = None if mesh.normals is None else np.empty((many, count, 3), np.float32)
    step = max(1, ROWS // max(count, 1))
    for first in range(0, many, step):
        run.progress(0.1 + 0.7 * first / many, "copying")
        some = slice(first, first + step)
        at = mesh.vertices.astype(np.float64)[None]
        if spots.scales is not None:
            at = at * spots.scales[some, None, None]
        if spots.turns is not None:
            at = at @ spots.turns[some].transpose(0, 2, 1)
        vertices[some] = at + spots.moves[some, None]
        if normals is not None and mesh.normals is not None:
            normals[some] = mesh.normals[None]
            if spots.turns is not None:
                normals[some] = mesh.normals[None] @ spots.turns[some].transpose(0, 2, 1)
    start = np.arange(many, dtype=np.int32)[:, None]
    parts = np.zeros(len(mesh.faces), np.int32) if mesh.face_groups is None else mesh.face_groups
    own = int(parts.max(initial=0)) - int(parts.min(initial=0)) + 1
    return replace(
        mesh,
        vertices=vertices.reshape(-1, 3),
        faces=(mesh.faces[None] + start[:, :, None] * count).reshape(-1, 3).astype(np.int32),
        normals=None if normals is None else normals.reshape(-1, 3),
        uv=None if mesh.uv is None else np.tile(mesh.uv, (many, 1)),
        colours=None if mesh.colours is None else np.tile(mesh.colours, (many, 1)),
        face_groups=(parts[None] + start * own).ravel().astype(np.int32),
    )


def merged(run: Run, mesh: Mesh, one: Mesh, reach: float) -> Mesh:
    """Copies of ``one`` joined: vertices within ``reach`` metres get one position, and where a flat side of one copy
    lies on a flat side of another, border on border, both go."""
    run.progress(0.85, "joining")
    weld = weld_points(mesh.vertices, reach)
    vertices = mesh.vertices[weld.first][weld.ids]
    welded = weld.ids[mesh.faces]
    keep = ~(collapsed(welded) | _walls(welded.astype(np.int64), *_flat_sides(one)))
    if not keep.any():
        return replace(mesh, vertices=vertices)
    used, faces = compacted(mesh.faces[keep], len(vertices))
    return replace(
        mesh,
        vertices=vertices[used],
        faces=faces,
        normals=None if mesh.normals is None else mesh.normals[used],
        uv=None if mesh.uv is None else mesh.uv[used],
        colours=None if mesh.colours is None else mesh.colours[used],
        face_groups=None if mesh.face_groups is None else mesh.face_groups[keep],
    )


def _flat_sides(one: Mesh) -> tuple[int, Array]:
    """(number of flat sides, (M,) side of each face): faces that touch and look the same way."""
    faces = weld_points(one.vertices).ids[one.faces]
    direction = face_vectors(one.vertices, one.faces)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
    a, b = (edges_of(faces).pairs // 3).T
    level = np.einsum("ij,ij->i", direction[a], direction[b]) > LEVEL
    return joined(len(faces), np.stack([a, b], axis=1)[level])


def _walls(faces: Array, sides: int, side: Array) -> Array:
    """(M,) bool: the flat sides whose border is that of exactly one other, walked the other way round.

    The border of a side is told by the sum of a number for each edge of its faces, positive one way and negative the
    other, so that inner edges cancel; modulo 2^64 two borders have one sum by chance only.
    """
    name = np.arange(len(faces)) // len(side) * sides + np.tile(side, len(faces) // len(side))
    ahead = np.roll(faces, -1, axis=1)
    key = np.minimum(faces, ahead).astype(np.uint64) << np.uint64(32) | np.maximum(faces, ahead).astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        key = (key ^ key >> np.uint64(shift)) * np.uint64(factor)
    way = np.where(faces < ahead, key, np.uint64(0) - key)
    border = np.zeros(int(name.max()) + 1, np.uint64)
    np.add.at(border, name, way.sum(axis=1, dtype=np.uint64))
    undirected = np.minimum(border, np.uint64(0) - border)
    _, number, size = np.unique(undirected, return_inverse=True, return_counts=True)
    twice = np.flatnonzero((size[number] == 2) & (border != 0))
    pair = twice[np.argsort(number[twice], kind="stable")].reshape(-1, 2)
    facing = pair[border[pair[:, 0]] == np.uint64(0) - border[pair[:, 1]]]
    gone = np.zeros(len(border), bool)
    gone[facing.ravel()] = True
    return np.asarray(gone[name])

"""Sound meshes, and defects planted in them, each in a counted number and out of the others' way.

``Bed(mesh, seed)`` takes a closed mesh. Each planting method adds a number of defects of one kind, notes by how much
each row of the analysis has to rise, and which faces of the sound mesh it took away or changed. ``Bed.mesh`` is the
damaged mesh.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import trimesh

from app.engine import Mesh
from nodes.mesh._topology import weld_points
from nodes.mesh.primitives import box as box_node

ROWS = (
    "parts",
    "boundary edges",
    "holes",
    "non-manifold edges",
    "non-manifold vertices",
    "edges with crossed winding",
    "degenerate faces",
    "duplicate faces",
    "unused vertices",
    "flipped faces",
    "flipped parts",
    "self-intersections (pairs of faces)",
)


AWAY = np.float32([0, 5, 0])
NUDGE = 2.5e-7


class NoRoom(Exception):
    """The mesh has too few faces for so many defects apart from one another."""


def coloured(mesh: Mesh) -> Mesh:
    """With colours that differ from vertex to vertex, alike at equal positions."""
    wave = 0.5 + 0.5 * np.sin(np.arange(1, 4) * 7 * mesh.vertices)
    return replace(mesh, colours=np.concatenate([wave, np.ones((len(wave), 1))], axis=1).astype(np.float32))


def icosphere(splits: int = 3) -> Mesh:
    shape = trimesh.creation.icosphere(subdivisions=splits)
    return coloured(Mesh.of(shape.vertices, shape.faces))


def torus() -> Mesh:
    shape = trimesh.creation.torus(1.0, 0.35, major_sections=40, minor_sections=24)
    return coloured(Mesh.of(shape.vertices, shape.faces))


def uv_box() -> Mesh:
    """Six sides with UV seams and hard edges between them."""
    return coloured(box_node(pieces=10))


SOUND = {"icosphere": icosphere, "torus": torus, "box with UVs": uv_box}


class Bed:
    def __init__(self, mesh: Mesh, seed: int = 0) -> None:
        self.sound = mesh
        self.kept = np.ones(len(mesh.faces), bool)
        self.rises: Counter[str] = Counter()
        self._random = np.random.default_rng(seed)
        self._faces, self._vertices = mesh.faces.copy(), mesh.vertices.copy()
        self._more_faces: list[list[int]] = []
        self._more_vertices: list[np.ndarray] = []
        self._like: list[int] = []
        self._place = weld_points(mesh.vertices).ids[mesh.faces]
        self._taken = np.zeros(len(mesh.faces), bool)
        self._gone = np.zeros(len(mesh.faces), bool)

    @property
    def mesh(self) -> Mesh:
        """The damaged mesh. New vertices carry the attributes of a neighbour."""
        like = np.concatenate([np.arange(len(self._vertices)), np.array(self._like, int)])
        rows = {n: getattr(self.sound, n) for n in ("normals", "uv", "colours")}
        faces = [self._faces[~self._gone], np.array(self._more_faces, np.int32).reshape(-1, 3)]
        vertices = [self._vertices, np.array(self._more_vertices, np.float32).reshape(-1, 3)]
        attributes = {name: value[like] for name, value in rows.items() if value is not None}
        return replace(
            self.sound, vertices=np.concatenate(vertices), faces=np.concatenate(faces).astype(np.int32), **attributes
        )

    def _around(self, faces: np.ndarray) -> np.ndarray:
        """(M,) bool: faces with a corner where one of the marked faces has one."""
        at = np.zeros(self._place.max() + 1, bool)
        at[self._place[faces]] = True
        return at[self._place].any(axis=1)

    def _spots(self, count: int) -> list[int]:
        """Faces whose neighbours' neighbours are untouched, too."""
        found: list[int] = []
        while len(found) < count:
            room = np.flatnonzero(~self._around(self._around(self._around(self._taken))))
            if not len(room):
                raise NoRoom
            found.append(int(self._random.choice(room)))
            self._taken |= self._around(np.arange(len(self._faces)) == found[-1])
        return found

    def _vertex(self, at: np.ndarray, like: int) -> int:
        self._more_vertices.append(np.asarray(at, np.float32))
        self._like.append(like)
        return len(self._vertices) + len(self._like) - 1

    def _rise(self, **rows: int) -> None:
        for name, by in rows.items():
            self.rises[name.replace("_", " ").replace("non manifold", "non-manifold")] += by

    def holes(self, count: int) -> None:
        """All faces around a vertex go."""
        for face in self._spots(count):
            around = (self._place == self._place[face, 0]).any(axis=1)
            before = np.unique(self._faces[~self._gone])
            self._gone |= around
            self.kept &= ~around
            lost = len(before) - len(np.unique(self._faces[~self._gone]))
            self._rise(holes=1, boundary_edges=int(around.sum()), unused_vertices=lost)

    def flipped(self, count: int) -> None:
        for face in self._spots(count):
            self._faces[face] = self._faces[face, ::-1]
            self.kept[face] = False
            self._rise(flipped_faces=1, edges_with_crossed_winding=3)

    def duplicates(self, count: int) -> None:
        for face in self._spots(count):
            self._more_faces.append(np.roll(self._faces[face], 1).tolist())
            self._rise(duplicate_faces=1, non_manifold_edges=3, non_manifold_vertices=3)

    def fins(self, count: int) -> None:
        """A face that hangs on an edge, away from the body."""
        for face in self._spots(count):
            a, b, _ = self._faces[face].tolist()
            corner = self.sound.vertices[self._faces[face]].astype(float)
            out = np.cross(corner[1] - corner[0], corner[2] - corner[0])
            out *= np.linalg.norm(corner[1] - corner[0]) / np.linalg.norm(out)
            self._more_faces.append([a, b, self._vertex(corner[:2].mean(axis=0) + out, a)])
            self._rise(non_manifold_edges=1, non_manifold_vertices=2, boundary_edges=2, holes=1)

    def floaters(self, count: int) -> None:
        """Single triangles some way off."""
        for face in self._spots(count):
            corner = self.sound.vertices[self._faces[face]] + AWAY
            self._more_faces.append([self._vertex(p, int(self._faces[face, 0])) for p in corner])
            self._rise(parts=1, holes=1, boundary_edges=3)

    def _tetrahedron(self, tip: np.ndarray, out: np.ndarray, size: float, face: int, inward: bool = False) -> None:
        """Closed, on its tip; ``out`` points from the tip to the base."""
        out = out / np.linalg.norm(out)
        side = np.cross(out, np.eye(3)[np.abs(out).argmin()])
        side /= np.linalg.norm(side)
        third = np.cross(out, side)
        ring = [tip + size * (out + 0.3 * (np.cos(t) * side + np.sin(t) * third)) for t in 2 * np.pi * np.arange(3) / 3]
        top, a, b, c = (self._vertex(p, int(self._faces[face, 0])) for p in (tip, *ring))
        solid = [[top, b, a], [top, c, b], [top, a, c], [a, b, c]]
        self._more_faces += [f[::-1] for f in solid] if inward else solid

    def _frame(self, face: int) -> tuple[np.ndarray, np.ndarray, float]:
        """(centre, outward, shortest side) of a face."""
        corner = self.sound.vertices[self.sound.faces[face]].astype(float)
        out = np.cross(corner[1] - corner[0], corner[2] - corner[0])
        return corner.mean(axis=0), out, float(np.linalg.norm(corner - np.roll(corner, 1, axis=0), axis=1).min())

    def inside_out(self, count: int) -> None:
        """Closed crumbs some way off that look inward."""
        for face in self._spots(count):
            centre, out, size = self._frame(face)
            self._tetrahedron(centre + AWAY, out, 0.3 * size, face, inward=True)
            self._rise(parts=1, flipped_parts=1)

    def touching(self, count: int) -> None:
        """Closed crumbs that stand on a corner of the body with their tip."""
        for face in self._spots(count):
            _, out, size = self._frame(face)
            self._tetrahedron(self.sound.vertices[self.sound.faces[face, 0]], out, 0.3 * size, face)
            self._rise(parts=1, non_manifold_vertices=1)

    def piercing(self, count: int) -> None:
        """Closed crumbs that stick with their tip in a face: their three sides run through it."""
        for face in self._spots(count):
            centre, out, size = self._frame(face)
            unit = out / np.linalg.norm(out)
            self._tetrahedron(centre - 0.05 * size * unit, out, 0.15 * size, face)
            self._rise(parts=1)
            self.rises["self-intersections (pairs of faces)"] += 3

    def collapsed(self, count: int) -> None:
        for face in self._spots(count):
            a, b, _ = self._faces[face].tolist()
            self._more_faces.append([a, b, b])
            self._rise(degenerate_faces=1)

    def caps(self, count: int) -> None:
        """A face is cut in two at the middle of a side; a face no higher than rounding closes the gap that is left."""
        for face in self._spots(count):
            a, b, c = self._faces[face].tolist()
            at = self.sound.vertices[[a, b, c]].astype(float)
            into = at[2] - at[:2].mean(axis=0)
            reach = float(np.abs(self.sound.vertices).max())
            middle = self._vertex(at[:2].mean(axis=0) + NUDGE * reach * into / np.linalg.norm(into), a)
            self._gone[face] = True
            self._more_faces += [[a, middle, c], [middle, b, c], [a, b, middle]]
            across = (np.isin(self._place, self._place[face, :2]).sum(axis=1) == 2) & ~self._gone
            self.kept[face] = False
            self.kept &= ~across
            self._rise(degenerate_faces=1)

    def unused(self, count: int) -> None:
        for _ in range(count):
            self._vertex(self._random.normal(size=3), 0)
            self._rise(unused_vertices=1)

    def slits(self, count: int, wide: float = 1e-5) -> None:
        """Two edges in a row are cut open and one lip is moved by ``wide`` metres, away from the other."""
        for face in self._spots(count):
            at = self._place[face, 0]
            ring = np.flatnonzero((self._place == at).any(axis=1))
            half = self._half(ring, at)
            away = self.sound.vertices[self.sound.faces[half]].astype(float).mean(axis=(0, 1))
            old = self.sound.vertices[self.sound.faces[face, 0]].astype(float)
            new = old + wide * (away - old) / np.linalg.norm(away - old)
            for f in half:
                k = int(np.flatnonzero(self._place[f] == at)[0])
                self._faces[f, k] = self._vertex(new, int(self.sound.faces[f, k]))
            left = np.unique(self._faces[~self._gone])
            lost = np.setdiff1d(np.unique(self.sound.faces[ring][self._place[ring] == at]), left)
            self.kept[half] = False
            self._rise(holes=1, boundary_edges=4, unused_vertices=len(lost))

    def _half(self, ring: np.ndarray, at: int) -> np.ndarray:
        """Half of the faces around a corner, next to one another."""
        after = {}
        for f in ring.tolist():
            k = int(np.flatnonzero(self._place[f] == at)[0])
            after[self._place[f, (k + 1) % 3]] = (f, self._place[f, (k + 2) % 3])
        found, edge = [], next(iter(after))
        for _ in range(len(ring) // 2):
            f, edge = after[edge]
            found.append(f)
        return np.array(found)


DEFECTS = (
    "holes",
    "flipped",
    "duplicates",
    "fins",
    "floaters",
    "inside_out",
    "touching",
    "piercing",
    "collapsed",
    "caps",
    "unused",
    "slits",
)


def face_rows(mesh: Mesh, *attributes: str) -> Counter[bytes]:
    """Each face as the bits of its corners' positions and attributes, turned so that the least corner comes first."""
    rows = np.concatenate([mesh.vertices, *(getattr(mesh, name) for name in attributes)], axis=1)
    table: Counter[bytes] = Counter()
    for corner in np.ascontiguousarray(rows[mesh.faces] + np.float32(0)):
        parts = [c.tobytes() for c in corner]
        least = parts.index(min(parts))
        table[b"".join(parts[least:] + parts[:least])] += 1
    return table

"""Small meshes for the tests of mesh steps."""

from __future__ import annotations

import numpy as np
import trimesh

from app.engine import Mesh


def of(shape: trimesh.Trimesh, **attributes: object) -> Mesh:
    return Mesh.of(shape.vertices, shape.faces, **attributes)


def oracle(mesh: Mesh) -> trimesh.Trimesh:
    """What trimesh, an independent reader, makes of a mesh; equal positions are merged."""
    shape = trimesh.Trimesh(mesh.vertices.astype(np.float64), mesh.faces, process=False)
    shape.merge_vertices(merge_tex=True, merge_norm=True)
    return shape


def sphere(splits: int = 4, radius: float = 1.0) -> Mesh:
    return of(trimesh.creation.icosphere(subdivisions=splits, radius=radius))


def bumpy(splits: int = 5) -> Mesh:
    """A closed mesh of genus 0 with bumps and dents."""
    shape = trimesh.creation.icosphere(subdivisions=splits)
    v = shape.vertices
    bumps = 1 + 0.15 * np.sin(5 * v[:, :1]) * np.cos(4 * v[:, 1:2]) + 0.03 * np.sin(19 * v[:, 2:])
    return Mesh.of(v * bumps, shape.faces)


def torus() -> Mesh:
    return of(trimesh.creation.torus(1.0, 0.3))


def box() -> Mesh:
    return of(trimesh.creation.box())


def together(*meshes: Mesh) -> Mesh:
    start = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    return Mesh.of(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + n for m, n in zip(meshes, start, strict=False)]),
    )


def moved(mesh: Mesh, *by: float) -> Mesh:
    return Mesh.of(mesh.vertices + np.float32(by), mesh.faces)


def moebius(count: int = 40) -> Mesh:
    """A strip with one half twist: one border, one side."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rows = []
    for side in (-0.3, 0.3):
        radius = 1 + side * np.cos(turn / 2)
        rows.append(np.stack([radius * np.cos(turn), radius * np.sin(turn), side * np.sin(turn / 2)], axis=1))
    vertices = np.concatenate(rows)
    faces = []
    for i in range(count - 1):
        faces += [(i, i + 1, count + i), (i + 1, count + i + 1, count + i)]
    last = count - 1
    faces += [(last, count, count + last), (count, 0, count + last)]
    return Mesh.of(vertices, faces)


def grid(cells: int = 8, size: float = 1.0) -> Mesh:
    """A flat square in the XZ plane that looks up, with UVs."""
    line = np.linspace(0, 1, cells + 1)
    u, v = (a.ravel() for a in np.meshgrid(line, line))
    at = np.stack([(u - 0.5) * size, np.zeros_like(u), (0.5 - v) * size], axis=1)
    i = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    faces = np.concatenate(
        [np.stack([i, i + 1, i + cells + 2], axis=1), np.stack([i, i + cells + 2, i + cells + 1], axis=1)]
    )
    return Mesh.of(at, faces, uv=np.stack([u, v], axis=1).astype(np.float32))


def surface_points(mesh: Mesh, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(points (N, 3), faces (N,), weights (N, 3)) spread evenly over the surface."""
    rng = np.random.default_rng(seed)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = rng.choice(len(area), count, p=area / area.sum())
    r, s = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1 - r, r * (1 - s), r * s], axis=1)
    points = np.einsum("nk,nkj->nj", weights, mesh.vertices[mesh.faces[face]].astype(np.float64))
    return points, face, weights


def gap(one: Mesh, other: Mesh, count: int = 20_000) -> float:
    """Largest distance of sampled points of one surface to dense samples of the other, both ways."""
    from scipy.spatial import cKDTree

    dense = [surface_points(m, 20 * count, seed=7)[0] for m in (one, other)]
    spread = [surface_points(m, count, seed=3)[0] for m in (one, other)]
    return float(max(cKDTree(dense[1]).query(spread[0])[0].max(), cKDTree(dense[0]).query(spread[1])[0].max()))


def uv_turns(mesh: Mesh) -> np.ndarray:
    """(M,) twice the signed area of each face in UV space."""
    corner = mesh.uv[mesh.faces].astype(np.float64)
    one, two = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]

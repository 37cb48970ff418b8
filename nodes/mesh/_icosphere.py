"""A sphere of even triangles: each side of an icosahedron cut into smaller ones and pushed out to the radius."""

from __future__ import annotations

import numpy as np

from nodes.mesh._revolve import Array, Patch

GOLDEN = (1 + np.sqrt(5)) / 2
STRIPS = 5
GAP = 0.01


def icosphere(radius: float, detail: int) -> Patch:
    """20 detail² triangles with exactly shared positions. UVs: five strips of four sides each, one above the other."""
    corners, sides = _icosahedron()
    weights = _weights(detail)
    order = np.sort(sides, axis=1)
    column = np.argsort(np.argsort(sides, axis=1), axis=1)
    positions: Array = np.zeros((len(sides), len(weights), 3))
    for k in range(3):
        share = np.stack([weights[:, row.tolist().index(k)] for row in column])
        positions += share[..., None] * corners[order[:, k]][:, None, :]
    positions = (positions / detail).reshape(-1, 3)
    normals = positions / np.linalg.norm(positions, axis=1, keepdims=True)
    uv = np.einsum("pk,skc->spc", weights / detail, _net()).reshape(-1, 2)
    faces = (_small_faces(detail)[None] + np.arange(len(sides))[:, None, None] * len(weights)).reshape(-1, 3)
    return Patch(normals * radius, normals, uv, faces)


def _icosahedron() -> tuple[Array, Array]:
    """(12, 3) unit corners with a pole up, and (20, 3) outward sides: top, upper belt, lower belt, bottom per strip."""
    turn = np.arange(STRIPS) * (2 * np.pi / STRIPS)
    high, wide = 1 / np.sqrt(5), 2 / np.sqrt(5)
    upper = np.stack([wide * np.cos(turn), np.full(STRIPS, high), -wide * np.sin(turn)], axis=1)
    half = turn + np.pi / STRIPS
    lower = np.stack([wide * np.cos(half), np.full(STRIPS, -high), -wide * np.sin(half)], axis=1)
    corners = np.concatenate([[[0, 1, 0]], upper, lower, [[0, -1, 0]]])
    sides = []
    for k in range(STRIPS):
        u, u_next, low, low_next = 1 + k, 1 + (k + 1) % STRIPS, 6 + k, 6 + (k + 1) % STRIPS
        sides += [(0, u, u_next), (u, low, u_next), (low, low_next, u_next), (low, 11, low_next)]
    return corners, np.array(sides)


def _net() -> Array:
    """(20, 3, 2) UVs of the sides' corners: a strip zigzags between two lines, each corner half an edge further on."""
    height = 1 / STRIPS - 2 * GAP
    edge = height * 2 / np.sqrt(3)
    zigzag = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [3, 5, 4]]
    number = np.array(zigzag)[None] + np.zeros((STRIPS, 1, 1), int)
    v = np.where(number % 2 == 0, height, 0.0) + np.arange(STRIPS)[:, None, None] / STRIPS + GAP
    return np.stack([GAP + number * edge / 2, v], axis=-1).reshape(-1, 3, 2)


def _weights(detail: int) -> Array:
    """(K, 3) whole numbers that add up to ``detail``: the shares of the three corners at each point of a side."""
    return np.array([(detail - a - b, a, b) for a in range(detail + 1) for b in range(detail + 1 - a)])


def _small_faces(detail: int) -> Array:
    number = {(a, b): k for k, (_, a, b) in enumerate(_weights(detail).tolist())}
    faces = []
    for a in range(detail):
        for b in range(detail - a):
            faces.append((number[a, b], number[a + 1, b], number[a, b + 1]))
            if a + b < detail - 1:
                faces.append((number[a + 1, b], number[a + 1, b + 1], number[a, b + 1]))
    return np.array(faces)

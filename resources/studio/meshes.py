"""The sample meshes: a dense painted sculpt, a dirty scan, a textured low-poly barrel."""

from math import pi

import numpy as np
from numba import njit, prange
from skimage.measure import marching_cubes
from studio.owl import owl_distance, owl_paint
from studio.props import duck_distance, duck_surface

from app.engine import Image, Material, Mesh
from nodes.image._pixels import to_srgb


def sampler(distance):
    """Distances on a grid: (X, Y, Z) float32 from a corner and a step."""

    @njit(parallel=True)
    def sample(low, step, shape):
        values = np.empty(shape, np.float32)
        for i in prange(shape[0]):
            for j in range(shape[1]):
                for k in range(shape[2]):
                    values[i, j, k] = distance(low[0] + i * step, low[1] + j * step, low[2] + k * step)
        return values

    return sample


def surface(distance, low, high, step):
    """(vertices, faces) of the zero level, wound outward."""
    low, high = np.array(low, float), np.array(high, float)
    shape = tuple(int(n) for n in np.ceil((high - low) / step) + 1)
    values = sampler(distance)(low, step, shape)
    vertices, faces, _, _ = marching_cubes(values, 0.0, spacing=(step,) * 3)
    return vertices + low, faces


def owl() -> Mesh:
    """Closed, about 60,000 triangles, painted vertex by vertex, 40 cm tall."""
    vertices, faces = surface(owl_distance, (-0.9, -0.06, -0.8), (0.9, 2.12, 0.95), 0.0229)
    paint = np.array([owl_paint(*(float(v) for v in p)) for p in vertices])
    colours = np.column_stack([np.clip(paint, 0, 1), np.ones(len(paint))])
    return Mesh.of(vertices * 0.2, faces, colours=np.ascontiguousarray(colours, np.float32), name="owl")


def scan() -> Mesh:
    """A duck as a hand scanner sees it: noise, no underside, holes, floaters, flipped patches, doubled faces."""
    random = np.random.default_rng(7)
    vertices, faces = surface(duck_distance, (-1.15, -0.05, -0.75), (1.25, 1.75, 0.75), 0.030)
    still = np.zeros(3)
    paint = np.array([duck_surface(*(float(v) for v in p), *still)[:3] for p in vertices])
    colours = np.column_stack([to_srgb(np.clip(paint, 0, 1).astype(np.float32)), np.ones(len(paint))])
    centres = vertices[faces].mean(axis=1)
    kept = centres[:, 1] > 0.05
    for at, radius in (
        ((0.2, 0.5, 0.6), 0.16),
        ((-0.5, 0.6, -0.5), 0.20),
        ((0.1, 1.35, 0.2), 0.10),
        ((0.8, 0.3, 0.2), 0.12),
    ):
        kept &= np.linalg.norm(centres - at, axis=1) > radius * (0.8 + 0.4 * random.random(len(centres)))
    faces, centres = faces[kept], centres[kept]
    for at, radius in (((-0.6, 0.4, 0.5), 0.25), ((0.4, 1.2, -0.4), 0.2)):
        near = np.linalg.norm(centres - at, axis=1) < radius
        faces[near] = faces[near][:, ::-1]
    vertices = vertices + random.normal(0, 0.0045, vertices.shape)
    parts = [(vertices, faces, colours), (vertices, faces[::97], colours)]
    parts += [floater(random) for _ in range(14)]
    return joined(parts, 0.1)


def floater(random):
    """A scrap in the air."""
    points = random.normal(0, 0.025, (4, 3)) + random.uniform((-1.0, 0.0, -0.7), (1.1, 1.9, 0.7))
    return points, np.array([[0, 1, 2], [0, 2, 3]]), np.tile([0.6, 0.6, 0.55, 1.0], (4, 1))


def joined(parts, scale) -> Mesh:
    """One mesh of many; the second part shares the vertices of the first, so its faces are doubled."""
    vertices, faces, colours, start = [], [], [], 0
    for number, (points, corners, paint) in enumerate(parts):
        shared = number == 1
        faces.append(corners + (0 if shared else start))
        if not shared:
            vertices.append(points)
            colours.append(paint)
            start += len(points)
    return Mesh.of(
        np.concatenate(vertices) * scale,
        np.concatenate(faces),
        colours=np.ascontiguousarray(np.concatenate(colours), np.float32),
        name="scan",
    )


SIDES = 20
PROFILE = ((0.0, 0.27), (0.12, 0.315), (0.28, 0.34), (0.45, 0.35), (0.62, 0.34), (0.78, 0.315), (0.90, 0.27))


def barrel() -> Mesh:
    """A wooden barrel of 276 triangles with a painted texture, 90 cm tall."""
    points, uv, faces = [], [], []
    for k in range(SIDES + 1):
        turn = 2 * pi * (k % SIDES) / SIDES
        for height, radius in PROFILE:
            points.append((radius * np.sin(turn), height, radius * np.cos(turn)))
            uv.append((k / SIDES, 0.36 + 0.63 * height / 0.90))
    rows = len(PROFILE)
    for k in range(SIDES):
        for j in range(rows - 1):
            a, b = k * rows + j, (k + 1) * rows + j
            faces += [(a, b, b + 1), (a, b + 1, a + 1)]
    for up, middle in ((False, 0.17), (True, 0.53)):
        start, (height, radius) = len(points), PROFILE[-1 if up else 0]
        for k in range(SIDES):
            turn = 2 * pi * k / SIDES
            points.append((radius * np.sin(turn), height, radius * np.cos(turn)))
            uv.append((middle + 0.165 * np.sin(turn), 0.175 + 0.165 * np.cos(turn) * (-1 if up else 1)))
        for k in range(1, SIDES - 1):
            corner = (start, start + k, start + k + 1)
            faces.append(corner if up else corner[::-1])
    return Mesh.of(points, faces, uv=np.array(uv, np.float32), material=barrel_material(), name="barrel")


def barrel_material(side: int = 512) -> Material:
    """Staves with two iron hoops; the iron is metallic."""
    from studio.shapes import noise

    v, u = np.mgrid[1 - 0.5 / side : 0 : side * 1j, 0.5 / side : 1 : side * 1j]
    grain = np.array([[noise(x * 150 + y * 4, y * 14, 2.0) for x in u[0]] for y in v[:, 0]])
    stave = np.where(v > 0.35, u * SIDES, u * 36)
    seam = np.abs(stave - np.round(stave)) < 0.035
    each = np.array([noise(k * 3.7, 0.5, 0.5) for k in range(40)])[np.floor(stave).astype(int)]
    wood = (0.62 + 0.25 * grain + 0.25 * (each - 0.5))[..., None] * np.array([0.62, 0.40, 0.22])
    wood[seam] *= 0.45
    up = (v - 0.36) / 0.63
    iron = ((np.abs(up - 0.2) < 0.055) | (np.abs(up - 0.8) < 0.055)) & (v > 0.35)
    colour = np.where(iron[..., None], (0.26 + 0.10 * grain)[..., None] * np.array([1.0, 0.98, 0.96]), wood)
    rough = np.where(iron, 0.42 + 0.2 * grain, 0.72 + 0.2 * grain)
    return Material(
        "barrel",
        base_colour=Image.of(colour.astype(np.float32)),
        roughness=Image.of(rough.astype(np.float32), "data"),
        metallic=Image.of(iron.astype(np.float32), "data"),
        metallic_factor=1.0,
        roughness_factor=1.0,
    )

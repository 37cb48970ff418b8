"""Pictures from three sides, and masks of wear: known solids, known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import surface_points

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.io._tangents import with_tangents
from nodes.mesh._raster import draw, texel_corners
from nodes.mesh.primitives import box, sphere
from nodes.texture.triplanar import triplanar
from nodes.texture.wear import wear


def read(image: Image, uv: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    width, height = image.size
    at = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
    return np.stack([map_coordinates(image.pixels[..., c], at, order=1, mode="nearest") for c in range(4)], axis=1)


def at_points(mesh: Mesh, count: int = 8000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points, face, weights = surface_points(mesh, count)
    return points, face, weights, np.einsum("nk,nkj->nj", weights, mesh.uv[mesh.faces[face]].astype(np.float64))


def waves(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A smooth picture that tiles, as a function of its UVs; it tells right from left and up from down."""
    one, two = 2 * np.pi * u, 2 * np.pi * v
    return np.stack([0.5 + 0.3 * np.sin(one), 0.5 + 0.3 * np.sin(two), 0.5 + 0.2 * np.cos(one + 2 * two)], axis=-1)


def picture(size: int = 64) -> Image:
    at = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(at, 1 - at)
    return Image.of(waves(u, v))


def test_every_side_of_a_box_shows_the_picture_upright_at_its_size() -> None:
    cube = box()
    got = triplanar(Run(), cube, picture(), tile=0.5, size=512)
    points, face, _, uv = at_points(cube)
    found = read(got.material.base_colour, uv)[:, :3]
    normal = cube.normals[cube.faces[face, 0]]
    x, y, z = points.T / 0.5
    right = {(2, 1): (x, y), (2, -1): (-x, y), (0, 1): (-z, y), (0, -1): (z, y), (1, 1): (x, -z), (1, -1): (x, z)}
    for (axis, sign), (u, v) in right.items():
        side = normal[:, axis] * sign > 0.5
        assert side.sum() > 800
        assert np.abs(found[side] - waves(u, v)[side]).max() < 0.03, (axis, sign)


def test_between_the_sides_contrast_stays() -> None:
    ball = sphere(segments=48)
    rough = Image.of(np.random.default_rng(0).random((64, 64, 3)) * 0.5 + 0.25)
    lively, plain = (
        triplanar(Run(), ball, rough, tile=0.4, size=512, sharpness=1, keep_contrast=on).material.base_colour
        for on in (True, False)
    )
    points, _, _, uv = at_points(ball)
    corner = np.abs(points / 0.5).min(axis=1) > 0.45
    spread = [read(image, uv)[corner, :3].std() for image in (lively, plain)]
    assert corner.sum() > 200 and spread[0] > 1.4 * spread[1] and spread[0] < 1.3 * rough.rgb.std()


def test_flat_normals_stay_flat_and_bumps_lie_where_the_picture_has_them() -> None:
    flat = Image.of(np.broadcast_to(np.float32((0.5, 0.5, 1)), (8, 8, 3)), "data")
    got = triplanar(Run(), sphere(segments=32), picture(), flat, size=128).material
    inside = draw(texel_corners(sphere(segments=32).uv, sphere(segments=32).faces, 128), 128, range(128), 0.0)[2]
    assert np.abs(got.normal.rgb[inside] - (0.5, 0.5, 1)).max() < 1e-3
    tilt = np.float32((0.3, 0.2, np.sqrt(1 - 0.13)))
    cube = box()
    leaning = Image.of(np.broadcast_to(tilt * 0.5 + 0.5, (8, 8, 3)), "data")
    dressed = triplanar(Run(), cube, picture(), leaning, size=128)
    split, tangents = with_tangents(replace(dressed, normals=cube.normals))
    _, face, _, uv = at_points(split, 2000)
    bump = read(dressed.material.normal, uv)[:, :3] * 2 - 1
    corner = split.faces[face]
    up, along = split.normals[corner[:, 0]].astype(np.float64), tangents[corner[:, 0], :3].astype(np.float64)
    side = np.cross(up, along) * tangents[corner[:, 0], 3:]
    world = along * bump[:, :1] + side * bump[:, 1:2] + up * bump[:, 2:]
    front = up[:, 2] > 0.5
    assert front.any() and np.abs(world[front] - tilt).max() < 0.01, "right is +X and up is +Y on the front"
    top = up[:, 1] > 0.5
    assert np.abs(world[top] - (tilt[0], tilt[2], -tilt[1])).max() < 0.01, "up in the picture points to the back"


def test_other_maps_stay_and_factors_are_neutral() -> None:
    old = Material(emissive=picture(), base_factor=(0.2, 0.2, 0.2, 1), roughness_factor=0.3)
    mesh = replace(box(), material=old)
    got = triplanar(Run(), mesh, picture(), roughness_map=Image.of(np.full((4, 4), 0.7), "data"), size=64).material
    assert got.emissive.size == old.emissive.size and got.base_factor == (1, 1, 1, 1) and got.roughness_factor == 1
    assert np.allclose(got.roughness.rgb, 0.7, atol=1e-5) and got.normal is None
    with pytest.raises(BadInput, match="10,000"):
        triplanar(Run(), replace(mesh, vertices=mesh.vertices * 100), picture(), tile=0.005)


def step() -> Mesh:
    """A closed step: a box with a smaller one taken out along an edge; one inner corner, many outer edges."""
    import trimesh

    from nodes.mesh.unwrap import unwrap

    outline = np.array([[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]])
    solid = trimesh.creation.extrude_triangulation(outline, [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]], 2.0)
    fine = solid.subdivide().subdivide()
    flat = Mesh.of(fine.vertices[fine.faces].reshape(-1, 3), np.arange(3 * len(fine.faces)).reshape(-1, 3))
    normals = np.repeat(fine.face_normals, 3, axis=0).astype(np.float32)
    laid = unwrap(Run(), replace(flat, normals=normals), method="box", texture_size=256)
    from nodes.mesh.normals import normals as shaded

    return shaded(Run(), laid) if laid.normals is None else laid


def test_edges_are_worn_and_hollows_are_dirty() -> None:
    mesh = step()
    got = wear(Run(), mesh, breakup=0, edge_width=5, dirt_width=5, edge_amount=0.7, dirt_amount=0.7, size=256, rays=64)
    points, _, _, uv = at_points(mesh)
    edges, dirt = (read(Image.of(mask.values, "data"), uv)[:, 0] for mask in (got.edges, got.dirt))
    lines = [((0, 0), (2, 0)), ((2, 0), (2, 1)), ((1, 2), (0, 2))]
    outer = np.minimum.reduce([np.hypot(points[:, 0] - x, points[:, 1] - y) for (x, y), _ in lines])
    inner = np.hypot(points[:, 0] - 1, points[:, 1] - 1)
    off = np.minimum(np.abs(points[:, 2]), np.abs(2 - points[:, 2]))
    middle = off > 0.4
    assert edges[(outer < 0.02) & middle].mean() > 0.8 and dirt[(inner < 0.02) & middle].mean() > 0.8
    assert edges[(inner < 0.1) & middle].max() < 0.2, "an inner corner is not worn"
    assert dirt[(outer < 0.1) & middle].max() < 0.2, "an outer edge is not dirty"
    corners = np.array([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    far = middle & (np.abs(points[:, None, :2] - corners).max(axis=2).min(axis=1) > 0.35)
    assert far.sum() > 100 and edges[far].max() == 0 and dirt[far].max() == 0


def test_dust_lies_on_top_and_nothing_is_nothing() -> None:
    ball = sphere(segments=32)
    got = wear(Run(), ball, size=128, breakup=0, dust_amount=0.6, rays=8)
    points, _, _, uv = at_points(ball)
    dust = read(Image.of(got.dust.values, "data"), uv)[:, 0]
    assert dust[points[:, 1] > 0.35].min() > 0.5 and dust[points[:, 1] < 0].max() == 0
    none = wear(Run(), ball, size=64, edge_amount=0, dirt_amount=0, dust_amount=0)
    assert not any(mask.values.any() for mask in none)
    ragged = wear(Run(), ball, size=128, breakup=1, dust_amount=0.5, rays=8).dust.values
    assert ragged.std() > 0.2
    assert np.array_equal(ragged, wear(Run(), ball, size=128, breakup=1, dust_amount=0.5, rays=8).dust.values)

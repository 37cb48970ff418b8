"""The software camera: analytic scenes, exact where they are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine import Image, Material, Mesh
from nodes.image._pixels import to_linear, to_srgb
from nodes.mesh._camera import camera, fitting_distance, intrinsics_of, middle, orbit, reach, unproject
from nodes.mesh._render import render, subject
from nodes.mesh.primitives import box, sphere

QUAD = Mesh.of(
    [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]],
    [[0, 1, 2], [0, 2, 3]],
    uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
)


def rays(size: tuple[int, int], intrinsics: np.ndarray) -> np.ndarray:
    """(H, W, 3) directions with depth 1, in camera axes."""
    return unproject(np.ones(size[::-1]), intrinsics)


def test_a_sphere_has_its_depth_and_normals() -> None:
    size, radius, distance = (97, 80), 0.5, 2.0
    seen = camera(35, 20, distance, 40, size)
    got = render(sphere(radius=radius, style="icosphere", detail=96), *seen, size)
    d = rays(size, seen.intrinsics)
    a, b = (d * d).sum(-1), distance * d[..., 2]
    c = distance**2 - radius**2
    inside = b * b - a * c
    depth = (-b - np.sqrt(np.maximum(inside, 0))) / a
    sure = inside > 0.02 * distance**2 * radius**2
    assert ((got.face >= 0) == sure)[sure].all() and not (got.face >= 0)[inside < 0].any()
    footprint = distance / seen.intrinsics[0, 0]
    assert np.abs(got.depth - depth)[sure].max() < footprint / 2
    truth = (d * depth[..., None] + (0, 0, distance)) / radius
    angle = np.degrees(np.arccos(np.clip((truth * got.normal).sum(-1)[sure], -1, 1)))
    assert angle.max() < 1


def test_a_textured_quad_shows_its_texels_in_perspective() -> None:
    texture = Image.of(np.random.default_rng(0).random((4, 4, 3)).astype(np.float32))
    size = (64, 48)
    seen = camera(50, 15, 3, 45, size)
    got = render(replace(QUAD, material=Material(base_colour=texture)), *seen, size)
    hit = got.face >= 0
    points = rays(size, seen.intrinsics) * got.depth[..., None] @ seen.pose[:3, :3].T + seen.pose[:3, 3]
    assert np.abs(points[hit][:, 2]).max() < 1e-6, "depth leads back to the plane"
    from nodes.texture._loops import look_up

    linear = np.ascontiguousarray(to_linear(texture.rgb))
    expected = to_srgb(look_up(linear, (points[hit][:, :2] + 1) / 2))
    assert np.abs(got.colour[hit] - expected).max() < 1e-4
    assert np.allclose(got.normal[hit], np.array([0, 0, 1.0]) @ seen.pose[:3, :3], atol=1e-6)


def test_a_flat_front_view_is_exact_and_its_edges_are_covered_in_part() -> None:
    size = (8, 8)
    fov = float(np.degrees(2 * np.arctan(2 / 4)))  # at 4 m, the picture is 4 m wide: the quad covers pixels 2 to 6
    half = replace(QUAD, vertices=(QUAD.vertices * np.float32(1.25)), colours=np.tile(np.float32([1, 0, 0, 1]), (4, 1)))
    got = render(half, *camera(0, 0, 4, fov, size), size, finer=2)
    assert np.allclose(got.alpha[4], [0, 0.5, 1, 1, 1, 1, 0.5, 0], atol=1e-6)
    assert got.alpha[1, 1] == pytest.approx(0.25)
    assert np.allclose(got.colour[got.alpha > 0], [1, 0, 0], atol=1e-6)
    assert np.allclose(got.depth[got.face >= 0], 4, atol=1e-6) and np.isnan(got.depth[0, 0])


def test_no_pixel_is_lost_between_faces() -> None:
    """A box around the camera: every pixel hits one of its sides, although most faces reach behind the camera."""
    mesh = box(pieces=7)
    for azimuth, elevation in ((0, 0), (45, 0), (33, 71), (200, -90)):
        got = render(mesh, *camera(azimuth, elevation, 0.1, 100, (90, 60)), (90, 60))
        assert (got.face >= 0).all()
        toward = (got.normal * rays((90, 60), intrinsics_of(100, (90, 60)))).sum(-1)
        assert (toward < 0).all(), "normals are turned to the camera, also inside"


def test_what_is_behind_is_hidden_and_what_is_behind_the_camera_unseen() -> None:
    near, far, behind = (QUAD.vertices * np.float32(0.3) + np.float32([0, 0, z]) for z in (0.5, -0.5, 5))
    faces = np.concatenate([QUAD.faces + 4 * k for k in range(3)])
    mesh = Mesh.of(np.concatenate([far, near, behind]), faces)
    got = render(mesh, *camera(0, 0, 3, 20, (40, 40)), (40, 40))
    assert set(np.unique(got.face)) == {-1, 2, 3} and np.allclose(got.depth[got.face >= 0], 2.5)


def test_the_camera_stands_where_it_is_told() -> None:
    for azimuth, elevation, place in ((0, 0, (0, 0, 2)), (90, 0, (2, 0, 0)), (0, 90, (0, 2, 0)), (180, 0, (0, 0, -2))):
        pose, _ = camera(azimuth, elevation, 2, 30, (10, 10))
        assert np.allclose(pose[:3, 3], place, atol=1e-12)
        assert np.allclose(pose[:3, :3].T @ pose[:3, :3], np.eye(3)) and np.linalg.det(pose[:3, :3]) > 0.99
        assert np.allclose(pose @ [0, 0, -2, 1], [0, 0, 0, 1]), "it looks at the aim"
    assert np.allclose(camera(0, 90, 1, 30, (8, 8)).pose[:3, 1], [0, 0, -1]), "from above, what lay behind is on top"


@pytest.mark.parametrize("size", [(60, 60), (90, 40), (40, 90)])
def test_a_fitted_mesh_is_wholly_in_the_picture(size: tuple[int, int]) -> None:
    mesh = sphere(radius=0.7)
    distance = fitting_distance(reach(mesh), 40, size, room=0.1)
    got = render(mesh, *camera(20, 30, distance, 40, size, middle(mesh)), size)
    rows, columns = np.nonzero(got.face >= 0)
    narrow = min(size)
    spans = (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1)
    assert all(0.88 * narrow <= span <= 0.91 * narrow + 1 for span in spans)


def test_an_orbit_goes_around_at_one_distance() -> None:
    mesh = replace(box(), vertices=box().vertices + np.float32([3, 1, 0]))
    views = orbit(mesh, 4, 10, 35, (32, 32))
    arms = np.array([pose[:3, 3] - middle(mesh) for pose, _ in views])
    assert np.allclose(np.linalg.norm(arms, axis=1), np.linalg.norm(arms[0]))
    assert arms[0][2] > 0 and arms[1][0] > 0 and arms[2][2] < 0 and arms[3][0] < 0


def test_a_normal_map_bends_the_normals() -> None:
    tilt = np.array([0.6, 0.0, 0.8])
    flat = Image.of(np.broadcast_to((tilt + 1) / 2, (2, 2, 3)), "data")
    got = render(replace(QUAD, material=Material(normal=flat)), *camera(0, 0, 4, 40, (16, 16)), (16, 16))
    assert np.allclose(got.normal[got.face >= 0], tilt, atol=1e-3)
    plain = render(
        subject(replace(QUAD, material=Material(normal=flat)), bumps=False), *camera(0, 0, 4, 40, (8, 8)), (8, 8)
    )
    assert np.allclose(plain.normal[plain.face >= 0], (0, 0, 1))


def test_fine_textures_are_averaged_not_skipped() -> None:
    checks = np.indices((512, 512)).sum(0) % 2
    mesh = replace(QUAD, material=Material(base_colour=Image.of(checks.astype(np.float32))))
    got = render(mesh, *camera(0, 0, 4, 40, (32, 32)), (32, 32))
    assert np.abs(got.colour[got.face >= 0] - to_srgb(np.float32(0.5))).max() < 0.02


def test_without_colours_all_else_is_the_same() -> None:
    seen = camera(30, 10, 2, 40, (40, 30))
    bare, full = (render(sphere(), *seen, (40, 30), finer=finer) for finer in (0, 1))
    assert not bare.colour.any() and np.array_equal(bare.alpha, full.alpha)
    for name in ("depth", "normal", "face", "at"):
        assert np.array_equal(getattr(bare, name), getattr(full, name), equal_nan=True)


def test_soft_light_is_brightest_to_the_upper_left_and_equal_runs_are_equal() -> None:
    mesh = sphere(radius=0.5)
    seen = camera(0, 0, 2, 40, (64, 64))
    got, again = (render(mesh, *seen, (64, 64), light="soft") for _ in range(2))
    assert got.colour[20, 22].sum() > got.colour[32, 32].sum() > got.colour[46, 40].sum()
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(got, again, strict=True))

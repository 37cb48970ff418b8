"""What is baked can be read back: colours, normals, occlusion, height, at random points of the surface."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, sphere, surface_points, together

from app.engine import BadInput, Image, Material, Mesh, Run
from app.engine.errors import Cancelled
from nodes.image._pixels import to_linear, to_srgb
from nodes.io._tangents import with_tangents
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap
from nodes.texture.bake import bake


def field(points: np.ndarray) -> np.ndarray:
    """A smooth colour for every place, sRGB."""
    waves = 0.5 + 0.45 * np.sin(3 * points @ np.array([[1.0, 0.2, -0.5], [0.3, 1, 0.4], [-0.4, 0.6, 1]]))
    return np.concatenate([waves, np.ones((len(points), 1))], axis=1).astype(np.float32)


def painted(mesh: Mesh) -> Mesh:
    return replace(mesh, colours=field(mesh.vertices.astype(np.float64)))


def read(image: Image, uv: np.ndarray) -> np.ndarray:
    """Bilinear look-up by scipy, independent of the baker's own."""
    from scipy.ndimage import map_coordinates

    width, height = image.size
    at = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
    return np.stack([map_coordinates(image.pixels[..., c], at, order=1, mode="nearest") for c in range(4)], axis=1)


def at_points(mesh: Mesh, count: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points, face, weights = surface_points(mesh, count)
    return points, face, weights, np.einsum("nk,nkj->nj", weights, mesh.uv[mesh.faces[face]].astype(np.float64))


@pytest.fixture(scope="module")
def pair() -> tuple[Mesh, Mesh]:
    high = painted(bumpy(5))
    return high, unwrap(Run(), decimate(Run(), high, 1500), texture_size=512)


def test_colours_read_back_equal_the_field(pair: tuple[Mesh, Mesh]) -> None:
    high, low = pair
    run = Run()
    baked = bake(run, high, low, 512)
    points, _, _, uv = at_points(baked)
    error = np.abs(read(baked.material.base_colour, uv)[:, :3] - field(points)[:, :3])
    assert error.mean() < 0.01 and error.max() < 0.12
    assert run.notes == []
    assert baked.colours is None and np.array_equal(baked.uv, low.uv)


def test_textures_read_back_equal_the_field() -> None:
    """From one texture layout to another: the source is unwrapped one way, the target another."""
    high = bumpy(5)
    textured = unwrap(Run(), high, method="fast", texture_size=1024)
    first = bake(Run(), painted(high), textured, 1024, normal_map=False)
    again = bake(Run(), first, unwrap(Run(), decimate(Run(), high, 1500)), 512)
    points, _, _, uv = at_points(again)
    error = np.abs(read(again.material.base_colour, uv)[:, :3] - field(points)[:, :3])
    assert error.mean() < 0.015 and np.quantile(error, 0.999) < 0.12


def reshaded(baked: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """(points, world normals) as a glTF viewer computes them from the normal map."""
    split, tangents = with_tangents(baked)
    points, face, weights, uv = at_points(split)
    corner = split.faces[face]
    up = np.einsum("nk,nkj->nj", weights, split.normals[corner].astype(np.float64))
    along = np.einsum("nk,nkj->nj", weights, tangents[corner, :3].astype(np.float64))
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(up, along) * tangents[corner[:, 0], 3:]
    bump = read(split.material.normal, uv)[:, :3] * 2 - 1
    world = along * bump[:, :1] + side * bump[:, 1:2] + up * bump[:, 2:]
    return points, world / np.linalg.norm(world, axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["xatlas", "fast"])
def test_normals_of_a_fine_sphere_on_a_coarse_one(method: str) -> None:
    low = unwrap(Run(), sphere(2), method=method, texture_size=512)
    baked = bake(Run(), sphere(6), low, 512)
    points, world = reshaded(baked)
    truth = points / np.linalg.norm(points, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", world, truth), -1, 1)))
    assert angle.mean() < 0.5 and np.quantile(angle, 0.999) < 3


def test_the_source_normal_map_is_baked_too() -> None:
    """A plane with a uniformly tilted normal map onto a plane whose UVs are turned by 90 degrees."""
    tilt = np.array([0.3, 0.4, np.sqrt(1 - 0.25)])
    plane = grid(2)
    image = Image.of(np.broadcast_to(tilt * 0.5 + 0.5, (8, 8, 3)), "data")
    source = replace(plane, material=Material(normal=image))
    turned = replace(plane, uv=np.stack([plane.uv[:, 1], 1 - plane.uv[:, 0]], axis=1))
    _, world = reshaded(bake(Run(), source, turned, 64))
    assert np.allclose(world, (tilt[0], tilt[2], -tilt[1]), atol=0.01)


def test_occlusion_beside_a_wall() -> None:
    """Ground at distance d from a wall of height h and great length sees (1 + d / sqrt(d² + h²)) / 2 of the sky."""
    ground = grid(4, size=4.0)
    wall = Mesh.of([[-2, 0, -400], [-2, 0, 400], [-2, 1, 400], [-2, 1, -400]], [[0, 2, 1], [0, 3, 2]])
    scene = together(Mesh.of(ground.vertices, ground.faces), wall)
    baked = bake(Run(), scene, ground, 128, ambient_occlusion=True, rays=256, max_distance=0.01)
    points, _, _, uv = at_points(baked, 4000)
    gap = points[:, 0] + 2
    inner = gap > 0.1
    truth = (1 + gap / np.sqrt(gap**2 + 1)) / 2
    error = np.abs(read(baked.material.occlusion, uv)[:, 0] - truth)[inner]
    assert error.mean() < 0.01 and error.max() < 0.06


def test_height_is_the_distance() -> None:
    plane = grid(40)
    wave = plane.vertices.copy()
    wave[:, 1] = 0.05 * np.sin(6 * wave[:, 0])
    high = Mesh.of(wave, plane.faces)
    diagonal = float(np.linalg.norm(np.ptp(wave, axis=0)))
    baked = bake(Run(), high, grid(1), 128, height=True, max_distance=10)
    points, _, _, uv = at_points(baked, 4000)
    read_back = (read(baked.material.height, uv)[:, 0] - 0.5) * 2 * 0.1 * diagonal
    assert np.abs(read_back - 0.05 * np.sin(6 * points[:, 0])).max() < 0.003


def test_both_sides_of_a_thin_wall_keep_their_own_colour() -> None:
    import trimesh

    shape = trimesh.creation.box((1, 1, 0.01))
    low = unwrap(Run(), Mesh.of(shape.vertices, shape.faces), texture_size=256)
    fine = shape.subdivide_to_size(0.05)
    red = fine.face_normals[:, 2] > 0.5
    vertices = fine.vertices[fine.faces.ravel()]
    colours = np.repeat(np.where(red[:, None], (1, 0, 0, 1), (0, 0, 1, 1)), 3, axis=0).astype(np.float32)
    high = Mesh.of(vertices, np.arange(len(vertices)).reshape(-1, 3), colours=colours)
    baked = bake(Run(), high, low, 256, max_distance=5)
    points, _, _, uv = at_points(baked)
    seen = read(baked.material.base_colour, uv)
    front, back = (points[:, 2] > 0.0049), (points[:, 2] < -0.0049)
    middle = (np.abs(points[:, :2]) < 0.47).all(axis=1)
    assert (seen[front & middle, 0] > 0.95).all() and (seen[back & middle, 2] > 0.95).all()


def test_margin_is_filled_and_nothing_is_left_black(pair: tuple[Mesh, Mesh]) -> None:
    from scipy.ndimage import distance_transform_edt

    from nodes.texture._margin import Margin

    rng = np.random.default_rng(0)
    filled = np.zeros((64, 64), bool)
    filled[20:30, 12:44] = True
    picture = np.where(filled[..., None], rng.random((64, 64, 3)) * 0.5 + 0.5, 0).astype(np.float32)
    out = Margin(filled, 8).fill(picture)
    gap, nearest = distance_transform_edt(~filled, return_indices=True)
    assert np.array_equal(out[filled], picture[filled])
    near = ~filled & (gap <= 8)
    assert (out[near] > 0.4).all()
    straight = near & ((nearest[0] == np.arange(64)[:, None]) | (nearest[1] == np.arange(64)))
    assert np.array_equal(out[straight], picture[nearest[0], nearest[1]][straight])
    assert (bake(Run(), *pair, 256).material.base_colour.rgb.max(axis=2) > 0.04).all()


def test_other_maps_and_factors_come_along() -> None:
    plane = grid(2)
    material = Material(
        name="steel",
        base_colour=Image.of(np.full((4, 4, 3), 0.5)),
        roughness=Image.of(np.tile(np.linspace(0, 1, 32), (4, 1)), "data"),
        base_factor=(0.5, 1.0, 1.0, 1.0),
        metallic_factor=1.0,
    )
    made = bake(Run(), replace(plane, material=material), grid(1), 128).material
    assert made.name == "steel" and made.metallic_factor == 1.0 and made.base_factor == (1.0, 1.0, 1.0, 1.0)
    assert np.allclose(made.roughness.pixels[64, 8:120, 0], (np.arange(8, 120) + 0.5) / 128, atol=0.02)
    half = float(to_srgb(np.float32(0.5 * ((0.5 + 0.055) / 1.055) ** 2.4)))
    assert np.allclose(made.base_colour.pixels[64, 64, :3], (half, 0.5, 0.5), atol=0.005)


def test_equal_input_gives_equal_output(pair: tuple[Mesh, Mesh]) -> None:
    one, two = (bake(Run(), *pair, 256, ambient_occlusion=True, rays=8) for _ in range(2))
    for name in ("base_colour", "normal", "occlusion"):
        assert np.array_equal(getattr(one.material, name).pixels, getattr(two.material, name).pixels)


def test_more_samples_come_nearer_to_the_mean_light_of_a_texel() -> None:
    """Checks whose borders cross texels: the truth is the share of each texel that is white, in linear light."""
    squares = np.kron([[0, 1] * 4, [1, 0] * 4] * 4, np.ones((100, 100)))
    truth = squares.reshape(50, 16, 50, 16).mean(axis=(1, 3))
    source = replace(grid(2), material=Material(base_colour=Image.of(squares)))
    errors = []
    for antialias in ("off", "4 samples", "16 samples"):
        made = bake(Run(), source, grid(1), 50, antialias=antialias).material.base_colour.rgb[..., 0]
        errors.append(float(np.abs(to_linear(made) - truth).mean()))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


def test_cancel_stops_it(pair: tuple[Mesh, Mesh]) -> None:
    stop = Event()

    def report(fraction: float, note: str) -> None:
        if fraction > 0.1:
            stop.set()

    with pytest.raises(Cancelled):
        bake(Run(report=report, stop=stop), *pair, 2048)


def test_far_target_is_said(pair: tuple[Mesh, Mesh]) -> None:
    run = Run()
    high, low = pair
    bake(run, high, replace(low, vertices=low.vertices * np.float32(2)), 64)
    assert any("nearest point" in note for note in run.notes)


def test_bad_input_says_what_to_do(pair: tuple[Mesh, Mesh]) -> None:
    high, low = pair
    empty = Mesh.of(np.zeros((3, 3)), np.zeros((0, 3)))
    flat = replace(low, uv=np.zeros_like(low.uv))
    lost = replace(high, vertices=np.full_like(high.vertices, np.nan))
    for source, target in ((empty, low), (high, empty), (lost, low), (high, bumpy(2)), (high, flat)):
        with pytest.raises(BadInput) as caught:
            bake(Run(), source, target, 64)
        assert caught.value.advice
    with pytest.raises(BadInput):
        bake(Run(), bumpy(2), low, 64, normal_map=False)

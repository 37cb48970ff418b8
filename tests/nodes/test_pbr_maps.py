"""PBR maps and Material: known heights and light, neutral answers, tiling, transparency."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.image._pixels import to_linear, to_srgb
from nodes.texture._maps import de_lit, normals_from_height, occlusion_from_height
from nodes.texture.material import apply_material
from nodes.texture.pbr_maps import pbr_maps


def picture(rgb, alpha=1.0):
    height, width = rgb.shape[:2]
    return Image(np.dstack([rgb, np.broadcast_to(np.float32(alpha), (height, width))]).astype(np.float32))


def noise(side=128, cells=32, seed=0, low=0.2, high=0.8):
    rough = np.random.default_rng(seed).random((cells, cells, 3)).astype(np.float32)
    return np.clip(low + (high - low) * cv2.resize(rough, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)


def square(uv=True):
    return Mesh.of(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
        [[0, 1, 2], [0, 2, 3]],
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) if uv else None,
    )


def test_normals_of_a_known_bump_agree_with_calculus():
    y, x = np.mgrid[:128, :128].astype(float) - 63.5
    height = 12 * np.exp(-(x**2 + y**2) / (2 * 20**2))
    slope_x, slope_y = -height * x / 400, -height * y / 400
    true = np.dstack([-slope_x, slope_y, np.ones_like(x)])
    true /= np.linalg.norm(true, axis=-1, keepdims=True)
    got = normals_from_height(height.astype(np.float32))
    angle = np.degrees(np.arccos(np.clip((true * got).sum(axis=-1), -1, 1)))[2:-2, 2:-2]
    assert angle.max() < 0.5
    assert got[40, 64, 1] > 0.1  # above the bump the surface leans up: green is bright, as OpenGL has it
    assert got[64, 90, 0] > 0.1


def test_normals_wrap_around():
    wave = np.sin(np.arange(64) * 2 * np.pi / 64).astype(np.float32)
    height = np.repeat(3 * wave[None], 16, axis=0)
    rolled = np.roll(height, 20, axis=1)
    assert np.allclose(
        np.roll(normals_from_height(height, True), 20, axis=1), normals_from_height(rolled, True), atol=1e-6
    )


def test_the_bottom_of_a_pit_is_dark_and_a_peak_is_open():
    y, x = np.mgrid[:128, :128] - 64.0
    pit = np.where(np.hypot(x, y) < 8, -20.0, 0.0).astype(np.float32)
    assert occlusion_from_height(pit)[64, 64] < 0.3
    assert occlusion_from_height(pit)[10, 10] == 1
    assert occlusion_from_height(-pit)[64, 64] == 1


def test_occlusion_of_a_wall_is_half_the_horizon():
    wall = np.zeros((200, 200), np.float32)
    wall[:, 100:] = 500
    assert occlusion_from_height(wall)[100, 99] == pytest.approx(1 - 3 / 8, abs=0.02)  # three of eight directions


def test_occlusion_of_large_pictures_agrees_with_small_ones():
    y, x = np.mgrid[:512, :512] - 256.0
    small = (20 * np.cos(x / 30) * np.cos(y / 30)).astype(np.float32)
    large = cv2.resize(small, (2048, 2048), interpolation=cv2.INTER_CUBIC) * 4
    got = cv2.resize(occlusion_from_height(large), (512, 512), interpolation=cv2.INTER_AREA)
    assert abs(got - occlusion_from_height(small))[40:-40, 40:-40].mean() < 0.05


def test_an_even_picture_gives_neutral_maps():
    maps = pbr_maps(Run(), picture(np.full((96, 64, 3), 0.42)), roughness=0.6)
    assert np.allclose(maps.normal.rgb, (0.5, 0.5, 1.0), atol=2e-3)
    assert np.allclose(maps.height.rgb, 0.5, atol=1e-3)
    assert np.allclose(maps.occlusion.rgb, 1, atol=2e-3)
    assert np.allclose(maps.roughness.rgb, 0.6, atol=5e-3)
    assert np.allclose(maps.albedo.rgb, 0.42, atol=2e-3)


def test_ranges_spaces_and_sizes():
    maps = pbr_maps(Run(), picture(noise(97)[:, :71]), depth=5.0, contrast=4.0, occlusion=2.0)
    assert [m.space for m in maps] == ["srgb", "data", "data", "data", "data"]
    assert all(m.size == (71, 97) and m.pixels.min() >= 0 and m.pixels.max() <= 1 for m in maps)
    length = np.linalg.norm(maps.normal.rgb * 2 - 1, axis=-1)
    assert length == pytest.approx(1, abs=1e-3)
    assert maps.normal.rgb[..., 2].min() > 0.5
    assert np.ptp(maps.height.rgb) > 0.3 and np.ptp(maps.roughness.rgb) > 0.02 and maps.occlusion.rgb.min() < 0.9


def test_normals_belong_to_the_height_map():
    maps = pbr_maps(Run(), picture(noise()), depth=2.0)
    normal = maps.normal.rgb * 2 - 1
    height = maps.height.rgb[..., 0].astype(float) * 0.02 * 128
    slope = (height[1:-1, 2:] - height[1:-1, :-2]) / 2
    assert np.corrcoef((-normal[..., 0] / normal[..., 2])[1:-1, 1:-1].ravel(), slope.ravel())[0, 1] > 0.97


def test_dark_is_deep_or_high_as_asked():
    rgb = np.full((128, 128, 3), 0.6)
    rgb[56:72, 56:72] = 0.2
    raised, sunk = (pbr_maps(Run(), picture(rgb), bright_is=way).height.rgb[..., 0] for way in ("raised", "sunk"))
    assert raised[64, 64] < 0.3 < 0.7 < sunk[64, 64]


def test_de_lighting_takes_an_added_gradient_out():
    true = to_linear(noise(256, 64))
    light = np.linspace(0.35, 1.3, 256, dtype=np.float32)[None, :, None]
    lit = np.clip(true * light, 0, 1)
    got = de_lit(lit, np.ones((256, 256), np.float32), 1.0, False)

    def error(colours):
        broad = [cv2.GaussianBlur(c.mean(axis=-1), (0, 0), 12) for c in (colours, true)]
        ratio = np.log(broad[0] / broad[1])
        return float((ratio - ratio.mean()).std())

    assert error(got) < error(lit) / 4


def test_de_lighting_off_gives_the_colours_back():
    image = picture(noise())
    assert np.allclose(pbr_maps(Run(), image, delight=0.0).albedo.rgb, image.rgb, atol=1e-5)


def test_a_tiling_picture_gives_tiling_maps():
    """A shifted torus gives shifted maps, so no border can show."""
    image = picture(noise(128, 16, seed=4))
    shifted = picture(np.roll(image.rgb, (32, 64), (0, 1)))
    for one, two in zip(pbr_maps(Run(), image, tiles=True), pbr_maps(Run(), shifted, tiles=True), strict=True):
        assert abs(np.roll(one.rgb, (32, 64), (0, 1)) - two.rgb).mean() < 0.01


def test_transparent_places_are_neutral_and_leave_no_halo():
    y, x = np.mgrid[:128, :128] - 64.0
    alpha = np.clip(40 - np.hypot(x, y) + 0.5, 0, 1)
    rgb = np.repeat(
        np.where(np.hypot(x, y) < 40, 0.6, 0.0)[..., None], 3, axis=2
    )  # black lies under the transparent pixels
    maps = pbr_maps(Run(), picture(rgb, alpha), roughness=0.5, depth=4.0)
    assert np.allclose(maps.normal.rgb, (0.5, 0.5, 1.0), atol=0.02)
    assert np.allclose(maps.occlusion.rgb, 1, atol=0.02)
    assert np.allclose(maps.roughness.rgb, 0.5, atol=0.02)
    assert np.array_equal(maps.albedo.alpha, picture(rgb, alpha).alpha)
    assert abs(maps.albedo.rgb - 0.6).max() < 0.02


def test_same_in_same_out_and_the_input_is_untouched():
    image = picture(noise())
    before = image.pixels.tobytes()
    one, two = pbr_maps(Run(), image), pbr_maps(Run(), image)
    assert all(a.pixels.tobytes() == b.pixels.tobytes() for a, b in zip(one, two, strict=True))
    assert image.pixels.tobytes() == before


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_the_smallest_pictures_work(size):
    for tiles in (False, True):
        assert all(m.size == size for m in pbr_maps(Run(), picture(np.full((size[1], size[0], 3), 0.3)), tiles=tiles))


def test_nan_is_refused_in_words():
    with pytest.raises(BadInput, match="not numbers") as caught:
        pbr_maps(Run(), picture(np.full((8, 8, 3), np.nan)))
    assert caught.value.advice


def test_material_dresses_the_mesh():
    maps = pbr_maps(Run(), picture(noise(32)))
    mesh = square()
    dressed = apply_material(
        mesh, maps.albedo, normal=replace(maps.normal, space="srgb"), roughness_map=maps.roughness, tint="#ff8000"
    )
    got = dressed.material
    assert mesh.material is None and dressed.vertices is not None and np.array_equal(dressed.faces, mesh.faces)
    assert got.base_colour.space == "srgb" and got.normal.space == "data" and got.roughness.space == "data"
    assert got.roughness_factor == 1 and got.metallic_factor == 0 and got.emissive_factor == (0, 0, 0)
    assert got.base_factor == pytest.approx((1, float(to_linear(np.float32(128 / 255))), 0, 1), abs=1e-5)
    assert to_srgb(np.float32(got.base_factor[1])) == pytest.approx(128 / 255, abs=1e-5)


def test_material_keeps_or_drops_what_was_there():
    old = Material(
        base_colour=picture(noise(16)), roughness=picture(noise(16)), emissive=picture(noise(16)), name="old",
        base_factor=(0.5, 0.25, 1, 1), roughness_factor=0.5, emissive_factor=(4, 2, 0)
    )  # fmt: skip
    mesh = replace(square(), material=old)
    kept, dropped = apply_material(mesh, metallic=0.3), apply_material(mesh, keep=False, roughness=0.2)
    assert kept.material.base_colour is old.base_colour and kept.material.roughness_factor == 0.5
    assert kept.material.base_factor == (0.5, 0.25, 1, 1) and kept.material.emissive_factor == (4, 2, 0)
    linked = apply_material(mesh, picture(noise(16)), roughness_map=picture(noise(16)), emissive=picture(noise(16)))
    assert linked.material.base_factor == (1, 1, 1, 1) and linked.material.emissive_factor == (1, 1, 1)
    assert linked.material.roughness_factor == 1
    assert kept.material.metallic_factor == 0.3
    assert dropped.material.base_colour is None and dropped.material.roughness_factor == 0.2


def test_maps_need_uvs_and_numbers_do_not():
    with pytest.raises(BadInput, match="UV"):
        apply_material(square(uv=False), picture(noise(16)))
    assert apply_material(square(uv=False), tint="#336699").material.base_factor[3] == 1

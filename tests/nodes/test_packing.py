"""Channels in and out again, engine layouts, and sizes by what a map holds."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine import BadInput, Image, Material, Run
from nodes.image._pixels import to_linear
from nodes.io._textures import orm_bytes
from nodes.texture.pack import pack, unpack
from nodes.texture.pack_maps import LAYOUTS, pack_maps, unpack_maps
from nodes.texture.resize import resize_texture


def grey(seed: int, size: tuple[int, int] = (32, 24)) -> Image:
    return Image.of(np.random.default_rng(seed).integers(0, 256, size[::-1]).astype(np.uint8), "data")


def test_what_is_packed_is_unpacked_bit_by_bit() -> None:
    maps = [grey(n) for n in range(4)]
    packed = pack(Run(), *maps)
    assert packed.space == "data"
    for before, after in zip(maps, unpack(packed), strict=True):
        assert np.array_equal(before.rgb, after.rgb)


def test_any_channel_from_any_picture_inverted_or_filled() -> None:
    source = Image(np.random.default_rng(0).random((8, 8, 4)).astype(np.float32))
    got = pack(Run(), source, source, None, source, red_from="blue", green_from="alpha", invert_green=True,
               fill_blue=0.25, alpha_from="brightness")  # fmt: skip
    assert np.array_equal(got.pixels[..., 0], source.pixels[..., 2])
    assert np.allclose(got.pixels[..., 1], 1 - source.pixels[..., 3]) and (got.pixels[..., 2] == 0.25).all()
    assert np.allclose(got.pixels[..., 3], source.rgb @ np.float32((0.2126, 0.7152, 0.0722)))
    with pytest.raises(BadInput, match="not numbers"):
        pack(Run(), Image(np.full((4, 4, 4), np.nan, np.float32)))


def test_orm_is_what_gltf_reads() -> None:
    maps = {"roughness": grey(2), "occlusion": grey(1), "metallic": grey(3)}
    packed = pack_maps(Run(), **maps)
    assert np.array_equal(np.rint(packed.rgb * 255).astype(np.uint8), orm_bytes(Material(**maps), 0))
    assert (packed.alpha == 1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_its_maps_back(layout: str) -> None:
    maps = {name: grey(n) for n, name in enumerate(("occlusion", "roughness", "metallic", "height", "detail"))}
    run = Run()
    got = unpack_maps(Run(), pack_maps(run, **maps, layout=layout), layout)._asdict()  # type: ignore[arg-type]
    held = {("roughness" if name == "smoothness" else name) for name in LAYOUTS[layout]} - {"one"}
    assert all(np.allclose(got[name].rgb, maps[name].rgb, atol=1e-6) for name in held)
    assert all(float(np.ptp(got[name].rgb)) == 0 for name in set(got) - held)
    lost = set(maps) - held
    assert bool(lost) == bool(run.notes) and all(name in run.notes[0] for name in lost)


def test_unity_smoothness_is_roughness_turned_over() -> None:
    rough = grey(5)
    mask = pack_maps(Run(), roughness=rough, layout="Mask map (Unity HDRP)")
    assert np.allclose(mask.alpha, 1 - rough.rgb[..., 0])
    assert (mask.pixels[..., 0] == 0).all() and (mask.pixels[..., 1:3] == 1).all()


def test_smaller_maps_grow_to_the_largest() -> None:
    packed = pack_maps(Run(), grey(1, (64, 64)), metallic=Image.of(np.full((4, 4), 0.5), "data"))
    assert packed.size == (64, 64) and np.allclose(packed.pixels[..., 2], 0.5)


def test_colours_are_averaged_as_light_and_data_as_numbers() -> None:
    checker = Image.of((np.indices((8, 8)).sum(0) % 2).astype(np.float32))
    light = resize_texture(Run(), checker, longest_side=4)
    assert np.allclose(to_linear(light.rgb), 0.5, atol=1e-3) and light.space == "srgb"
    number = resize_texture(Run(), checker, content="data", longest_side=4)
    assert np.allclose(number.rgb, 0.5, atol=1e-6) and number.space == "data"


def test_normals_stay_unit_in_every_size() -> None:
    vector = np.random.default_rng(0).normal(size=(64, 64, 3)) * (0.5, 0.5, 0) + (0, 0, 1)
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    for side in (16, 100):
        small = resize_texture(Run(), Image.of(vector * 0.5 + 0.5, "data"), content="normal", longest_side=side)
        assert np.allclose(np.linalg.norm(small.rgb * 2 - 1, axis=2), 1, atol=1e-5)


@pytest.mark.parametrize(("how", "size"), [("nearest", (128, 64)), ("smaller", (64, 32)), ("larger", (128, 64))])
def test_sides_become_powers_of_two(how: str, size: tuple[int, int]) -> None:
    image = Image.of(np.zeros((60, 100, 3)))
    got = resize_texture(Run(), image, longest_side=100, powers_of_two=how)  # type: ignore[arg-type]
    assert got.size == size
    exact = resize_texture(Run(), image, to="exact size", width=64, height=16, powers_of_two=how)  # type: ignore[arg-type]
    assert exact.size == (64, 16)


@pytest.mark.parametrize("spread", [0.05, 0.15, 0.3])
def test_lost_bumps_become_the_roughness_that_they_are(spread: float) -> None:
    """Slopes of a Gaussian spread s on a mirror have the microfacet width alpha = s times the root of 2."""
    rng = np.random.default_rng(0)
    slope = rng.normal(size=(256, 256, 2)) * spread
    vector = np.dstack([-slope, np.ones((256, 256))])
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    normal = Image.of(vector * 0.5 + 0.5, "data")
    flat = Image.of(np.zeros((256, 256)), "data")
    got = resize_texture(Run(), flat, normal, content="roughness", longest_side=4).rgb[..., 0] ** 2
    assert np.allclose(got, np.sqrt(2) * spread, rtol=0.15 if spread > 0.2 else 0.06)


def test_flat_normals_leave_roughness_alone() -> None:
    rough, flat = grey(1, (64, 64)), Image.of(np.broadcast_to(np.float32((0.5, 0.5, 1)), (64, 64, 3)), "data")
    one = resize_texture(Run(), rough, flat, content="roughness", longest_side=16)
    two = resize_texture(Run(), rough, content="roughness", longest_side=16)
    assert np.allclose(one.rgb, two.rgb, atol=1e-3)
    run = Run()
    resize_texture(run, rough, flat, longest_side=16)
    assert "roughness only" in run.notes[0]

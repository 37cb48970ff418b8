"""Picture steps: exact results where they are known, and what must hold for every picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine import BadInput, Image, Mask, Run
from nodes.image._pixels import blur, extend_colours, to_linear, to_srgb
from nodes.image.alpha import alpha_to_mask, brightness_to_mask, mask_to_alpha, mask_to_image
from nodes.image.blur_sharpen import blur_sharpen
from nodes.image.composite import composite
from nodes.image.crop_and_pad import crop_and_pad
from nodes.image.levels import levels
from nodes.image.mask_edit import mask_edit
from nodes.image.resize import resize

RNG = np.random.default_rng(5)
NOISE = Image(RNG.random((60, 80, 4), np.float32))


def disc(size: int = 200, radius: float = 60, inside: object = (1, 0, 0, 1), outside: object = (0, 1, 0, 0)) -> Image:
    yy, xx = np.mgrid[:size, :size] + 0.5
    within = (yy - size / 2) ** 2 + (xx - size / 2) ** 2 < radius**2
    return Image(np.where(within[..., None], np.array(inside, np.float32), np.array(outside, np.float32)))


def seen(image: Image) -> np.ndarray:
    return image.pixels[image.alpha > 1 / 512]


def test_srgb_and_linear_are_inverse() -> None:
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.allclose(to_srgb(to_linear(values)), values, atol=2e-6)
    assert to_linear(np.float32([0.5]))[0] == pytest.approx(0.21404114, abs=1e-6)


@pytest.mark.parametrize("sigma", [0.7, 3, 9.9, 10.1, 25, 70, 160])
def test_wide_blurs_equal_the_true_gaussian(sigma: float) -> None:
    impulse = np.zeros((401, 403), np.float32)
    impulse[190:215, 180:230] = 1
    want = cv2.GaussianBlur(impulse.astype(np.float64), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    assert np.abs(blur(impulse, sigma) - want).max() < 0.01 * want.max()
    assert blur(np.ones((401, 403, 3), np.float32), sigma) == pytest.approx(1, abs=1e-5)


def test_colours_reach_into_empty_places_and_leave_the_rest() -> None:
    image = disc(outside=(0, 0, 0, 0))
    out = extend_colours(image.rgb, image.alpha)
    assert np.abs(out - (1, 0, 0)).max() < 1e-5
    halves = np.zeros((64, 64, 3), np.float32)
    halves[:, :2], halves[:, -2:] = (1, 0, 0), (0, 0, 1)
    weight = np.zeros((64, 64), np.float32)
    weight[:, :2] = weight[:, -2:] = 1
    out = extend_colours(halves, weight)
    assert (np.diff(out[32, :, 0]) <= 1e-6).all()
    assert (extend_colours(halves, np.zeros((64, 64), np.float32)) == halves).all()


@pytest.mark.parametrize("method", ["auto", "area", "lanczos", "bilinear", "nearest"])
@pytest.mark.parametrize("width", [7, 33, 200, 317])
@pytest.mark.parametrize("linear", [False, True])
def test_resizing_shows_no_colour_from_under_transparency(method: str, width: int, linear: bool) -> None:
    small = resize(disc(), "exact size", width=width, height=width, method=method, linear_light=linear)
    assert small.size == (width, width)
    assert np.abs(seen(small)[:, :3] - (1, 0, 0)).max() < 1e-3
    area = float(small.alpha.sum()) / width**2 * 200**2
    assert width == 7 or area == pytest.approx(np.pi * 60**2, rel=0.06)


def test_sizes_that_resize_gives() -> None:
    assert resize(NOISE, longest_side=40).size == (40, 30)
    assert resize(NOISE, "factor", factor=0.25).size == (20, 15)
    assert resize(NOISE, "factor", factor=0.01).size == (1, 1)
    assert resize(NOISE, "longest side", longest_side=80).pixels.tobytes() == NOISE.pixels.tobytes()
    halves = resize(NOISE, "factor", factor=0.5, linear_light=False).pixels
    blocks = NOISE.pixels.reshape(30, 2, 40, 2, 4)
    assert np.allclose(halves[..., 3], blocks[..., 3].mean((1, 3)), atol=1e-5)
    weighted = (blocks[..., :3] * blocks[..., 3:]).mean((1, 3)) / blocks[..., 3:].mean((1, 3))
    assert np.allclose(halves[..., :3], weighted, atol=1e-4)


def test_linear_light_keeps_the_light_of_a_chequer() -> None:
    chequer = Image.of(np.indices((64, 64)).sum(0) % 2 * 255.0)
    assert np.allclose(resize(chequer, longest_side=8).rgb, 0.7354, atol=1e-3)
    assert np.allclose(resize(chequer, longest_side=8, linear_light=False).rgb, 0.5, atol=1e-3)
    data = Image(chequer.pixels, "data")
    assert np.allclose(resize(data, longest_side=8).rgb, 0.5, atol=1e-3)
    behind = composite(Image.of(np.zeros((8, 8, 4), np.float32)), chequer)
    assert np.allclose(behind.rgb, 0.7354, atol=1e-3)


def test_an_enormous_result_is_refused() -> None:
    with pytest.raises(BadInput, match="16,384 x 16,384") as caught:
        resize(NOISE, "exact size", width=16384, height=16384)
    assert caught.value.advice


def test_crop_to_the_subject_with_exact_margins() -> None:
    pixels = np.zeros((100, 120, 4), np.float32)
    pixels[20:60, 30:50] = 1
    image = Image(pixels)
    bare = crop_and_pad(Run(), image, margin=0, shape="as it is")
    assert bare.size == (20, 40) and float(bare.alpha.min()) == 1
    square = crop_and_pad(Run(), image, margin=25)
    assert square.size == (60, 60)
    ys, xs = np.nonzero(square.alpha)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (10, 49, 20, 39)


def test_room_beyond_the_border_shows_the_chosen_fill() -> None:
    image = Image.of(RNG.random((10, 20, 3)))
    clear = crop_and_pad(Run(), image, crop="nothing", margin=0)
    assert clear.size == (20, 20)
    assert (clear.pixels[5:15] == image.pixels).all() and (clear.alpha[:5] == 0).all()
    assert (clear.rgb[0] == image.rgb[0]).all()
    blue = crop_and_pad(Run(), image, crop="nothing", margin=10, fill="colour", colour="#0000ff80")
    assert np.allclose(blue.pixels[0, 0], (0, 0, 1, 128 / 255))
    edge = crop_and_pad(Run(), image, crop="nothing", margin=10, fill="edge")
    assert (edge.pixels[0, 0] == image.pixels[0, 0]).all()


def test_crop_to_a_rectangle_and_by_a_mask() -> None:
    part = crop_and_pad(Run(), NOISE, crop="rectangle", rectangle=(0.25, 0.5, 0.75, 1.0), margin=0, shape="as it is")
    assert (part.pixels == NOISE.pixels[30:, 20:60]).all()
    values = np.zeros((60, 80), np.float32)
    values[10:20, 5:9] = 1
    by_mask = crop_and_pad(Run(), NOISE, Mask(values), margin=0, shape="as it is")
    assert (by_mask.pixels == NOISE.pixels[10:20, 5:9]).all()


def test_cropping_without_subject_or_rectangle_says_so() -> None:
    with pytest.raises(BadInput, match="no subject") as caught:
        crop_and_pad(Run(), Image(np.zeros((4, 4, 4), np.float32)))
    assert caught.value.advice
    with pytest.raises(BadInput, match="rectangle"):
        crop_and_pad(Run(), NOISE, crop="rectangle")
    run = Run()
    crop_and_pad(run, Image.of(np.ones((4, 4, 3))))
    assert "opaque everywhere" in run.notes[0]


def test_levels_at_their_rest_change_nothing_and_do_what_they_say() -> None:
    assert np.array_equal(levels(NOISE).pixels, NOISE.pixels)
    assert np.allclose(levels(NOISE, black=0.2, white=0.7).rgb, np.clip((NOISE.rgb - 0.2) / 0.5, 0, 1), atol=1e-6)
    assert np.allclose(levels(NOISE, gamma=2).rgb, np.sqrt(NOISE.rgb), atol=1e-6)
    grey = levels(NOISE, saturation=0).rgb
    assert np.allclose(grey[..., 0], grey[..., 2], atol=1e-6)
    brighter = levels(NOISE, exposure=1)
    assert np.allclose(to_linear(brighter.rgb), np.minimum(2 * to_linear(NOISE.rgb), 1), atol=1e-4)
    assert np.array_equal(brighter.alpha, NOISE.alpha)
    with pytest.raises(BadInput) as caught:
        levels(NOISE, black=0.5, white=0.5)
    assert caught.value.advice


@pytest.mark.parametrize("radius", [1, 8, 40])
def test_blur_mixes_only_what_is_visible(radius: float) -> None:
    soft = blur_sharpen(disc(), "blur", radius)
    assert np.abs(seen(soft)[:, :3] - (1, 0, 0)).max() < 1e-3
    assert float(soft.alpha.sum()) == pytest.approx(float(disc().alpha.sum()), rel=0.01)
    crisp = blur_sharpen(disc(), "blur", radius, keep_edge=True)
    assert np.array_equal(crisp.alpha, disc().alpha)


def test_sharpening_steepens_an_edge_and_leaves_flat_places() -> None:
    ramp = Image.of(np.clip((np.mgrid[:40, :40][1] - 15) / 10, 0.2, 0.8))
    crisp = blur_sharpen(ramp, "sharpen", 3, 1.5)
    assert np.abs(np.diff(crisp.rgb[20, :, 0])).max() > 1.4 * np.abs(np.diff(ramp.rgb[20, :, 0])).max()
    assert np.allclose(crisp.rgb[:, :2], 0.2, atol=1e-3)
    assert np.allclose(blur_sharpen(ramp, "sharpen", 3, 1.5, threshold=1).rgb, ramp.rgb, atol=1e-6)
    assert blur_sharpen(ramp, "sharpen", 0) is ramp


def test_composite_equals_the_formula() -> None:
    under = Image(RNG.random((60, 80, 4), np.float32))
    got = composite(NOISE, under).pixels.astype(np.float64)
    a, b = NOISE.alpha[..., None].astype(float), under.alpha[..., None].astype(float)
    total = a + b * (1 - a)
    assert np.allclose(got[..., 3:], total, atol=1e-6)
    assert np.allclose(got[..., :3], (a * NOISE.rgb + (1 - a) * b * under.rgb) / total, atol=1e-5)
    solid, over = Image.of(under.rgb), Image.of(NOISE.rgb)
    assert np.allclose(composite(over, solid, mode="multiply").rgb, over.rgb * solid.rgb, atol=1e-6)
    screen = 1 - (1 - over.rgb) * (1 - solid.rgb)
    assert np.allclose(composite(over, solid, mode="screen").rgb, screen, atol=1e-6)


def test_composite_over_a_colour_through_a_mask_and_over_another_size() -> None:
    half = Mask(np.full((60, 80), 0.5, np.float32))
    got = composite(Image.of(NOISE.rgb), mask=half, colour="#000000", opacity=0.5)
    assert np.allclose(got.rgb, NOISE.rgb / 4, atol=1e-6) and (got.alpha == 1).all()
    wide = Image.of(np.full((30, 200, 3), 0.25))
    assert np.allclose(composite(NOISE, wide, opacity=0).pixels, (0.25, 0.25, 0.25, 1), atol=1e-6)
    with pytest.raises(BadInput, match="shapes differ") as caught:
        composite(NOISE, mask=Mask(np.ones((60, 60), np.float32)))
    assert caught.value.advice


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    to=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    method=st.sampled_from(["auto", "area", "lanczos", "bilinear", "nearest"]),
    mode=st.sampled_from(["normal", "multiply", "screen"]),
)
def test_every_step_keeps_values_between_0_and_1(
    seed: int, size: tuple[int, int], to: tuple[int, int], method: str, mode: str
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((*size, 4), np.float32)
    pixels[..., 3] *= rng.random(size) < 0.5
    image = Image(pixels)
    for result in (
        resize(image, "exact size", width=to[0], height=to[1], method=method, linear_light=seed % 2 == 0),
        composite(image, Image(rng.random((*to, 4), np.float32)), mode=mode, linear_light=seed % 2 == 0),
        blur_sharpen(image, "sharpen", 3, 5),
        blur_sharpen(image, "blur", 30),
        levels(image, exposure=3, saturation=3, gamma=0.2),
    ):
        assert np.isfinite(result.pixels).all()
        assert float(result.pixels.min()) >= 0 and float(result.pixels.max()) <= 1
        assert not result.pixels.flags.writeable


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.05, 3), radius=st.floats(0.3, 30))
def test_the_colours_of_clear_pixels_change_nothing_that_shows(seed: int, scale: float, radius: float) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((32, 32, 4), np.float32)
    pixels[..., 3] = np.where(blur(rng.random((32, 32), np.float32), 3) > 0.5, pixels[..., 3], 0)
    other = pixels.copy()
    other[other[..., 3] == 0, :3] = rng.random(3, np.float32)
    for step in (
        lambda image: resize(image, "factor", factor=scale),
        lambda image: blur_sharpen(image, "blur", radius),
        lambda image: composite(image, colour="#336699"),
    ):
        one, two = step(Image(pixels)), step(Image(other))
        assert np.allclose(composite(one).rgb, composite(two).rgb, atol=2 / 512)


def test_growing_and_shrinking_move_the_edge_by_that_distance() -> None:
    mask = alpha_to_mask(disc(400, 100))
    for by in (-40.0, -3.5, 7.25, 60.0):
        area = float(mask_edit(mask, grow=by).values.sum())
        assert np.sqrt(area / np.pi) == pytest.approx(100 + by, abs=0.4)
    assert float(mask_edit(mask, grow=-150).values.max()) == 0


def test_feather_widens_the_edge_and_keeps_its_place() -> None:
    step = Mask(np.repeat((np.arange(200) >= 100)[None], 50, 0).astype(np.float32))
    line = mask_edit(step, feather=40).values[25]
    assert line[99] + line[100] == pytest.approx(1, abs=1e-3)
    assert line[78] < 0.03 and line[121] > 0.97 and 0.1 < line[90] < 0.3


def test_holes_parts_and_inversion() -> None:
    values = np.zeros((100, 100), np.float32)
    values[10:70, 10:70] = 1
    values[30:40, 30:40] = 0
    values[80:90, 80:90] = 1
    mask = Mask(values)
    assert mask_edit(mask, fill_holes=True).values[35, 35] == 1
    largest = mask_edit(mask, keep="largest part").values
    assert largest[85, 85] == 0 and largest[20, 20] == 1 and largest[35, 35] == 0
    assert np.array_equal(mask_edit(mask, invert=True).values, 1 - values)
    empty = Mask(np.zeros((9, 9), np.float32))
    assert mask_edit(empty, keep="largest part", fill_holes=True, grow=4).values.max() == 0
    with pytest.raises(BadInput) as caught:
        mask_edit(Mask(np.full((4, 4), np.nan, np.float32)))
    assert caught.value.advice


def test_alpha_and_masks_go_both_ways() -> None:
    mask = alpha_to_mask(NOISE)
    assert np.array_equal(mask.values, NOISE.alpha)
    plain = Image.of(NOISE.rgb)
    assert np.array_equal(mask_to_alpha(plain, mask).pixels, NOISE.pixels)
    assert np.allclose(mask_to_alpha(NOISE, mask, "multiply").alpha, NOISE.alpha**2)
    assert mask_to_alpha(plain, Mask(np.ones((120, 160), np.float32))).size == plain.size
    assert np.array_equal(mask_to_image(mask).rgb[..., 1], mask.values) and mask_to_image(mask).space == "data"
    assert brightness_to_mask(Image.of(np.ones((2, 2, 3)))).values == pytest.approx(1)

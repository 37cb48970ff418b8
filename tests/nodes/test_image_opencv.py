"""Picture steps on OpenCV: exact where that is true, and blind to what is hidden."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine import BadInput, Cancelled, Image, Run, Stroke
from nodes.image._equalise import local
from nodes.image._pixels import blur, to_linear
from nodes.image._tones import brightness
from nodes.image.colour import colour
from nodes.image.composite import composite
from nodes.image.denoise import denoise
from nodes.image.edges import edges
from nodes.image.histogram import histogram
from nodes.image.morphology import morphology
from nodes.image.threshold import otsu, threshold
from nodes.image.warp import warp

RNG = np.random.default_rng(7)
NOISE = Image(RNG.random((40, 56, 4), np.float32))
SOLID = Image.of(NOISE.rgb)


def same(one: Image, two: Image) -> bool:
    return one.pixels.tobytes() == two.pixels.tobytes() and one.space == two.space


def smooth(height: int = 60, width: int = 80) -> Image:
    rgb = blur(RNG.random((height, width, 3), np.float32), 4)
    return Image.of((rgb - rgb.min()) / (rgb.max() - rgb.min()))


def photo(size: int = 160) -> Image:
    """Flat areas, edges, a slope."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    disc = np.hypot(x - 0.5, y - 0.5) < 0.3
    return Image.of(np.stack([np.where(disc, 0.8, 0.2), 0.3 + 0.4 * x, np.where(y > 0.5, 0.7, 0.3)], axis=-1))


# colour


def test_colour_at_rest_changes_nothing_and_undoes_itself() -> None:
    data = Image(NOISE.pixels, "data")
    assert same(colour(NOISE), NOISE) and same(colour(data), data)
    assert np.abs(colour(colour(NOISE, invert=True), invert=True).pixels - NOISE.pixels).max() < 1e-6
    pale = Image.of(0.4 + 0.2 * SOLID.rgb)
    assert np.abs(colour(colour(pale, hue=75), hue=-75).rgb - pale.rgb).max() < 1e-5
    assert np.abs(colour(pale, hue=180).rgb - colour(pale, hue=-180).rgb).max() < 1e-6
    assert np.abs(colour(pale, gamma=2).rgb - np.sqrt(pale.rgb)).max() < 1e-6
    assert np.abs(colour(colour(pale, temperature=60), temperature=-30).rgb - pale.rgb).max() > 0.01


def test_grey_keeps_light_and_no_saturation_is_grey() -> None:
    grey = colour(NOISE, grey=True)
    assert np.allclose(grey.rgb[..., 0], grey.rgb[..., 1]) and np.allclose(grey.rgb[..., 0], grey.rgb[..., 2])
    assert np.abs(brightness(to_linear(grey.rgb)) - brightness(to_linear(NOISE.rgb))).max() < 1e-4
    plain = colour(NOISE, saturation=0).rgb
    assert np.abs(plain - plain[..., :1]).max() < 1e-3
    flat = Image.of(np.full((2, 2, 3), 0.5))
    assert np.abs(colour(flat, hue=90, saturation=3).rgb - 0.5).max() < 1e-4, "a grey has no hue"
    assert (colour(flat, lightness=0.1).rgb > 0.5).all() and (colour(flat, lightness=-0.1).rgb < 0.5).all()


def test_warmer_means_more_red_less_blue_and_the_same_light() -> None:
    flat = Image.of(np.full((2, 2, 3), 0.5))
    warm, cool = colour(flat, temperature=80).rgb[0, 0], colour(flat, temperature=-80).rgb[0, 0]
    assert warm[0] > warm[1] > warm[2] and cool[0] < cool[1] < cool[2]
    for tint in (warm, cool):
        assert brightness(to_linear(tint)) == pytest.approx(to_linear(np.float32(0.5)), abs=1e-4)
    reddest = [colour(flat, temperature=t).rgb[0, 0, 0] for t in range(-110, 251, 20)]
    assert reddest == sorted(reddest)


# edges


def test_a_step_of_any_height_has_that_slope_and_one_thin_line() -> None:
    for height in (1.0, 0.4, 0.01):
        step = Image.of(np.repeat((np.arange(40) >= 17)[None] * height, 30, axis=0).astype(np.float32))
        for method in ("Sobel", "Laplacian"):
            got = edges(step, method, smooth=0).mask.values
            assert np.allclose(got[:, 16:18], height, atol=1e-6) and (np.delete(got, (16, 17), 1) == 0).all()
        line = edges(step, "Canny", smooth=0.8, low=0.2 * height, high=0.4 * height).mask.values
        assert (line.sum(axis=1) == 1).all() and set(np.argmax(line, axis=1)) <= {16, 17}
        assert edges(step, "Canny", high=1.0, low=0.9, smooth=2).mask.values.max() == 0


def test_edges_turn_with_the_picture_and_flat_ones_have_none() -> None:
    image = smooth()
    for method in ("Sobel", "Laplacian"):
        turned = edges(Image(np.ascontiguousarray(np.rot90(image.pixels))), method).mask.values
        assert np.allclose(turned, np.rot90(edges(image, method).mask.values), atol=1e-5)
        assert edges(Image.of(np.full((9, 9, 3), 0.3)), method).mask.values.max() < 1e-6
    assert edges(Image.of(np.full((9, 9, 3), 0.3))).mask.values.max() == 0
    flat = np.full((30, 30, 4), 0.5, np.float32)
    flat[..., 3] = 0
    flat[8:20, 8:20, 3] = 1
    assert edges(Image(flat), outline=False).mask.values.max() == 0
    assert edges(Image(flat)).mask.values.sum() >= 40


# morphology


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    radius=st.integers(0, 5),
    shape=st.sampled_from(["disc", "square", "cross"]),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_the_laws_of_morphology_hold_exactly(seed: int, radius: int, shape: str, size: tuple[int, int]) -> None:
    image = Image.of(np.random.default_rng(seed).random((*size, 3), np.float32))

    def do(operation: str, of: Image = image) -> Image:
        return morphology(Run(), of, operation, radius, shape)

    def negative(of: Image) -> Image:
        return Image.of(1 - of.rgb)

    assert same(do("erode", negative(image)), negative(do("dilate")))
    assert same(do("open", negative(image)), negative(do("close")))
    assert (do("erode").rgb <= do("open").rgb).all() and (do("open").rgb <= image.rgb).all()
    assert (image.rgb <= do("close").rgb).all() and (do("close").rgb <= do("dilate").rgb).all()
    assert same(do("open", do("open")), do("open")) and same(do("close", do("close")), do("close"))
    assert np.allclose(do("gradient").rgb, do("dilate").rgb - do("erode").rgb)
    assert np.allclose(do("top hat").rgb, image.rgb - do("open").rgb)
    assert np.allclose(do("black hat").rgb, do("close").rgb - image.rgb)


def test_morphology_of_transparency_moves_its_border_only() -> None:
    pixels = np.zeros((21, 21, 4), np.float32)
    pixels[10, 10] = (1, 0, 0, 1)
    grown = morphology(Run(), Image(pixels), "dilate", 3, "square", "transparency")
    assert grown.alpha.sum() == 49 and np.array_equal(grown.rgb, pixels[..., :3])
    both = morphology(Run(), Image(pixels), "dilate", 3, "square", "both")
    assert np.allclose(both.pixels[both.alpha > 0], (1, 0, 0, 1), atol=1e-5)
    assert same(morphology(Run(), NOISE, "open", 0, on="both"), NOISE)


# warp


def test_quarters_and_mirrors_move_pixels_and_change_none() -> None:
    assert same(warp(NOISE), NOISE) and same(warp(NOISE, turn=360), NOISE) and same(warp(NOISE, turn=-360), NOISE)
    assert same(warp(NOISE, turn=90), Image(np.ascontiguousarray(np.rot90(NOISE.pixels))))
    assert same(warp(warp(NOISE, turn=90), turn=270), NOISE) and same(warp(NOISE, turn=-90), warp(NOISE, turn=270))
    for how in ("left and right", "top and bottom", "both"):
        assert same(warp(warp(NOISE, flip=how), flip=how), NOISE) and not same(warp(NOISE, flip=how), NOISE)
    assert same(warp(NOISE, flip="both"), warp(NOISE, turn=180))
    kept = warp(NOISE, turn=90, canvas="keep")
    assert kept.size == NOISE.size and np.allclose(kept.pixels[:, 8:48], np.rot90(NOISE.pixels)[8:48], atol=1e-5)
    assert (kept.alpha[:, :8] == 0).all()


@pytest.mark.parametrize("method", ["cubic", "linear", "lanczos"])
def test_turning_there_and_back_gives_the_picture_again(method: str) -> None:
    image = smooth()
    there = warp(image, turn=33, method=method)
    assert there.size == (100, 94) and there.alpha.mean() == pytest.approx(60 * 80 / 9400, abs=0.01)
    image = smooth(64, 64)
    back = warp(warp(image, turn=33, method=method, canvas="keep"), turn=-33, method=method, canvas="keep")
    inner = np.s_[14:50, 14:50, :3]
    assert np.abs(back.pixels[inner] - image.pixels[inner]).max() < (0.03 if method == "linear" else 0.01)


def test_directions_are_as_the_help_says() -> None:
    pixels = np.zeros((41, 41, 3), np.float32)
    pixels[18:23, 33:38] = 1
    image = Image.of(pixels)

    def centre(of: Image) -> tuple[float, float]:
        mass = of.rgb[..., 0] * of.alpha
        y, x = np.mgrid[: mass.shape[0], : mass.shape[1]]
        return float((mass * x).sum() / mass.sum()), float((mass * y).sum() / mass.sum())

    x, y = centre(warp(image, turn=45, canvas="keep"))
    assert (x - 20, 20 - y) == pytest.approx((15 / np.sqrt(2), 15 / np.sqrt(2)), abs=0.05), "counter-clockwise"
    x, y = centre(warp(image, shear_y=45, canvas="keep"))
    assert (x, y) == pytest.approx((35, 5), abs=0.3), "right end up"
    upper = Image.of(np.ascontiguousarray(np.rot90(pixels)))
    assert centre(upper) == pytest.approx((20, 5), abs=0.01)
    assert centre(warp(upper, shear_x=45, canvas="keep")) == pytest.approx((35, 5), abs=0.3), "to the right"
    assert warp(image, shear_x=45).size == (82, 41)


def clicks(*points: tuple[float, float]) -> tuple[Stroke, ...]:
    return tuple(Stroke(True, 0.01, (point,)) for point in points)


def test_four_corners_set_a_slanted_picture_upright() -> None:
    flat = smooth(64, 96)
    quad = np.float32([[30, 20], [150, 40], [140, 110], [20, 90]])
    to_scene = cv2.getPerspectiveTransform(np.float32([[0, 0], [96, 0], [96, 64], [0, 64]]), quad)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    scene = cv2.warpPerspective(flat.rgb, np.linalg.inv(half) @ to_scene @ half, (180, 130), flags=cv2.INTER_CUBIC)
    shares = [(x / 180, y / 130) for x, y in quad]
    upright = warp(Image.of(scene), clicks(*shares))
    want = cv2.resize(flat.rgb, upright.size, interpolation=cv2.INTER_CUBIC)
    assert upright.size == (122, 71) and np.abs(upright.rgb - want)[3:-3, 3:-3].max() < 0.03
    for order in ((2, 0, 3, 1), (3, 2, 1, 0)):
        assert same(warp(Image.of(scene), clicks(*(shares[i] for i in order))), upright)
    whole = warp(SOLID, clicks((0, 0), (1, 0), (1, 1), (0, 1)))
    assert whole.size == SOLID.size and np.abs(whole.pixels - SOLID.pixels).max() < 1e-5
    for bad in (shares[:3], [(0.1, 0.1)] * 4, [(0, 0), (1, 0), (0.2, 0.2), (0, 1)]):
        with pytest.raises(BadInput) as told:
            warp(Image.of(scene), clicks(*bad))
        assert told.value.advice


# denoise


def psnr(one: Image, two: Image) -> float:
    return float(-10 * np.log10(np.mean((one.rgb - two.rgb) ** 2)))


@pytest.mark.parametrize("method", ["non-local means", "bilateral"])
def test_noise_goes_and_edges_stay(method: str) -> None:
    clean = photo()
    noisy = Image.of(clean.rgb + RNG.normal(0, 0.05, clean.rgb.shape).astype(np.float32))
    better = denoise(Run(), noisy, method, 0.05, radius=4)
    assert psnr(better, clean) > psnr(noisy, clean) + (7 if method == "non-local means" else 5)
    step = better.rgb[80, 34:44, 0].mean() - better.rgb[80, 20:30, 0].mean()
    assert step == pytest.approx(0.6, abs=0.03)
    assert same(denoise(Run(), noisy, method, 0.0), noisy)


def test_strips_of_a_large_picture_have_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.of(photo().rgb + RNG.normal(0, 0.05, (160, 160, 3)).astype(np.float32))
    for method in ("non-local means", "bilateral", "median"):
        monkeypatch.setattr("nodes.image._tones.STRIP_PIXELS", 1 << 22)
        whole = denoise(Run(), image, method, radius=3)
        monkeypatch.setattr("nodes.image._tones.STRIP_PIXELS", 160 * 23)
        assert same(denoise(Run(), image, method, radius=3), whole)
    told: list[int] = []
    run = Run(lambda *_: (told.append(1), run.stop.set()) if len(told) else told.append(1))
    with pytest.raises(Cancelled):
        denoise(run, image)


def test_the_median_drops_single_pixels_and_keeps_values_exactly() -> None:
    flat = np.full((40, 40, 3), 0.123456, np.float32)
    pixels = flat.copy()
    pixels[5::7, 5::7] = 1
    for radius in (1, 2, 3):
        assert same(denoise(Run(), Image.of(pixels), "median", radius=radius), Image.of(flat))
        less = denoise(Run(), SOLID, "median", radius=radius)
        assert same(denoise(Run(), Image.of(1 - SOLID.rgb), "median", radius=radius), Image.of(1 - less.rgb))
    fine = Image.of(np.repeat(np.linspace(0.5, 0.501, 40, dtype=np.float32)[None], 40, axis=0))
    quiet = denoise(Run(), fine, strength=0.00001)
    assert len(np.unique(quiet.rgb[..., 0])) > 30, "more than eight bits pass through"


def test_transparency_is_cleaned_only_when_asked_and_never_mixed_with_colour() -> None:
    alpha = np.ones((40, 40), np.float32)
    alpha[3:38:4, 3:38:5] = 0
    image = Image(np.dstack([np.full((40, 40, 3), 0.6, np.float32) * alpha[..., None], alpha]))
    kept = denoise(Run(), image, "median")
    assert np.array_equal(kept.alpha, alpha) and np.abs(kept.rgb - 0.6).max() < 1e-5
    assert (denoise(Run(), image, "median", transparency=True).alpha == 1).all()
    for method in ("non-local means", "bilateral"):
        assert denoise(Run(), image, method, 0.2, transparency=True).alpha.std() < alpha.std()


# histogram


def test_the_histogram_of_a_picture_matches_itself_and_that_of_another() -> None:
    assert same(histogram(NOISE, NOISE, "match").image, NOISE)
    other = Image.of(RNG.random((30, 30, 3), np.float32) ** 3)
    got = histogram(SOLID, other, "match").image
    for channel in range(3):
        have, want = (np.quantile(i.rgb[..., channel], np.linspace(0.02, 0.98, 25)) for i in (got, other))
        assert np.abs(have - want).max() < 5e-3
        assert (np.argsort(got.rgb[..., channel].ravel()) == np.argsort(SOLID.rgb[..., channel].ravel())).mean() > 0.99
    with pytest.raises(BadInput, match="second picture"):
        histogram(SOLID, None, "match")


def test_equalised_tones_are_all_alike_and_stay_so() -> None:
    grey = Image.of(RNG.random((40, 50), np.float32) ** 2)
    flat = histogram(grey, change="equalise").image
    assert np.allclose(np.sort(flat.rgb[..., 0].ravel()), np.linspace(0, 1, 2000), atol=1e-5)
    assert np.allclose(histogram(flat, change="equalise").image.rgb, flat.rgb, atol=1e-5)
    same_everywhere = Image.of(np.full((5, 5, 3), 0.4))
    assert np.allclose(histogram(same_everywhere, change="equalise").image.rgb, 0.4)
    assert same(histogram(NOISE, change="local contrast", amount=0).image, NOISE)
    assert same(histogram(NOISE, change="nothing").image, NOISE)


def test_local_contrast_agrees_with_opencv_in_eight_bits() -> None:
    grey = (np.asarray(brightness(smooth(512, 512).rgb)) * 200).astype(np.uint8)
    values = grey.astype(np.float32) / 255
    ours = local((values * 255 + 0.5) / 256, np.ones_like(values), 3.0, 4)
    theirs = cv2.createCLAHE(3.0, (4, 4)).apply(grey).astype(np.float32) / 255
    assert np.abs(ours - theirs).mean() < 0.01 and np.abs(ours - theirs).max() < 0.05
    pale = Image.of(0.4 + 0.1 * smooth().rgb)
    assert histogram(pale).image.rgb.std() > 1.2 * pale.rgb.std()


def test_the_plot_and_the_figures_tell_what_is_there() -> None:
    pixels = np.zeros((4, 8, 4), np.float32)
    pixels[..., 3] = 1
    pixels[:, 4:, :3] = (0.5, 0.0, 1.0)
    pixels[0, :, 3], pixels[0, :, 0] = 0, 1
    result = histogram(Image(pixels), change="nothing")
    assert result.report.value("black, part of 1") == 0.5 and result.report.value("darkest") == 0
    lit = result.plot.rgb > 0.5
    columns = [sorted(set(np.flatnonzero(lit[..., c].any(axis=0)) // 2)) for c in range(3)]
    assert columns == [[0, 128], [0], [0, 255]] and result.plot.size == (512, 256)
    assert lit[:, 0, 1].sum() == pytest.approx(2 * lit[:, 0, 0].sum(), abs=2)
    clear = histogram(Image(np.zeros((3, 3, 4), np.float32)))
    assert "transparent" in clear.report.verdict


# threshold


def test_otsu_parts_two_tones_and_agrees_with_opencv() -> None:
    tones = RNG.random((30, 30)) < 0.3
    for dark, light in ((0.2, 0.7), (0.5, 0.50002), (0.0, 1.0)):
        found = threshold(Image.of(np.where(tones, light, dark).astype(np.float32)))
        assert np.array_equal(found.mask.values > 0, tones) and dark < found.level.value < light
    grey = np.clip(np.where(tones, 160, 80) + RNG.normal(0, 25, tones.shape), 0, 255).astype(np.uint8)
    theirs, _ = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ours = otsu(grey.astype(np.float32), np.ones(grey.shape, np.float32))
    assert theirs <= ours < theirs + 1.01
    assert threshold(Image.of(np.full((4, 4), 0.3))).mask.values.max() == 0


def test_fixed_and_local_levels() -> None:
    grey = (smooth().rgb[..., 0] * 255).astype(np.uint8)
    image = Image.of(grey)
    fixed = threshold(image, "fixed", level=100 / 255)
    assert np.array_equal(fixed.mask.values > 0, image.rgb[..., 0] > 100 / 255)
    other = threshold(image, "fixed", level=100 / 255, invert=True)
    assert np.array_equal(fixed.mask.values + other.mask.values, np.ones_like(fixed.mask.values))
    theirs = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 15, 0)
    ours = threshold(image, "local mean", radius=7, offset=0).mask.values
    assert (ours == theirs).mean() > 0.97, "OpenCV rounds the mean to whole steps"
    slope = np.tile(np.linspace(0, 0.6, 200, dtype=np.float32), (60, 1))
    dots = np.zeros((60, 200), bool)
    dots[20:40:6, 10:190:8] = True
    for method in ("local mean", "local Gaussian"):
        found = threshold(Image.of(slope + dots * 0.2), method, radius=6, offset=0.08).mask.values > 0
        assert np.array_equal(found, dots), "dots are found in uneven light"
    assert np.array_equal(threshold(NOISE, "fixed", "opacity", 0.3).mask.values, NOISE.alpha > np.float32(0.3))
    assert np.array_equal(threshold(NOISE, "fixed", "red", 0.0).mask.values, NOISE.alpha)


# all


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_hidden_colours_change_nothing_that_shows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((32, 32, 4), np.float32)
    pixels[..., 3] = blur(rng.random((32, 32), np.float32), 3) > 0.5
    other = pixels.copy()
    other[other[..., 3] == 0, :3] = rng.random(3, np.float32)
    for step in (
        lambda image: colour(image, 30, 40, 1.5, 0.1),
        lambda image: edges(image).image,
        lambda image: edges(image, "Sobel").image,
        lambda image: morphology(Run(), image, "dilate", 3, on="both"),
        lambda image: warp(image, shear_x=10, turn=20),
        lambda image: denoise(Run(), image),
        lambda image: denoise(Run(), image, "median", transparency=True),
        lambda image: histogram(image).image,
        lambda image: histogram(image, change="equalise").image,
    ):
        one, two = step(Image(pixels)), step(Image(other))
        assert np.allclose(composite(one).rgb, composite(two).rgb, atol=2 / 512)
        assert np.isfinite(one.pixels).all() and one.pixels.min() >= 0 and one.pixels.max() <= 1
    assert np.array_equal(threshold(Image(pixels)).mask.values, threshold(Image(other)).mask.values)

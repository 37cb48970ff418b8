"""Seamless pictures: the joint is no rougher than the inside, contrast and colours stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.engine import BadInput, Image, Run
from nodes.texture._tiling import blended, periodic, stitched
from nodes.texture.make_seamless import make_seamless

METHODS = ("blend", "cut", "smooth")


def noise(size: int = 192, cells: int = 48, seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).random((cells, cells, 3)).astype(np.float32)
    return cv2.resize(rough, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def lit(seed: int = 0) -> Image:
    """Grain under a light from one side: borders that differ strongly."""
    x = np.linspace(0.35, 1.0, 192, dtype=np.float32)
    return Image.of(noise(seed=seed) * 0.6 * x[None, :, None] + 0.3 * x[:, None, None])


def joint(values: np.ndarray) -> tuple[float, float]:
    """Mean step across the borders over the mean step inside, for left-right and top-bottom."""
    across = np.abs(values[:, 0] - values[:, -1]).mean() / np.abs(np.diff(values, axis=1)).mean()
    down = np.abs(values[0] - values[-1]).mean() / np.abs(np.diff(values, axis=0)).mean()
    return float(across), float(down)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_the_step_across_the_border_is_no_larger_than_inside(method: str, seed: int) -> None:
    image = lit(seed)
    assert min(joint(image.rgb)) > 4
    got = make_seamless(Run(), image, method=method)  # type: ignore[arg-type]
    assert max(joint(got.image.rgb)) < 1.1, joint(got.image.rgb)


def test_borders_join_exactly_where_the_picture_is_cut_through() -> None:
    """Past the overlap, the picture goes on with the column that came next in the original."""
    values = noise()
    for method in (blended, stitched):
        got = method(values, (40, 30))
        assert got.shape == (162, 152, 3)
        assert np.array_equal(got[30:, 40:], values[30:162, 40:152])


@pytest.mark.parametrize("method", ("blend", "cut"))
def test_repeated_it_has_no_seam_in_any_place(method: str) -> None:
    """The largest mean step of any row or column is not at the joint."""
    got = make_seamless(Run(), lit(), method=method)  # type: ignore[arg-type]
    twice = got.repeated.rgb
    assert np.array_equal(twice[: got.image.size[1], : got.image.size[0]], got.image.rgb)
    for axis in (0, 1):
        steps = np.abs(np.diff(twice, axis=axis)).mean(axis=(1 - axis, 2))
        middle = got.image.size[1 - axis] - 1
        assert steps[middle] <= np.quantile(steps, 0.98)


def test_the_fade_keeps_contrast_where_a_plain_one_loses_it() -> None:
    values = noise(cells=64)
    inside = values.std(axis=(0, 1)).mean()
    got = blended(values, (76, 1))
    faded = got[:, 30:46].std(axis=(0, 1)).mean()
    plain = (0.5 * values[:, 30:46] + 0.5 * values[:, 146:162]).std(axis=(0, 1)).mean()
    assert 0.9 < faded / inside < 1.1 and plain / inside < 0.8


def test_a_picture_that_tiles_already_is_hardly_changed_by_smooth() -> None:
    x = np.arange(256) * 2 * np.pi / 256
    waves = (0.5 + 0.2 * np.sin(3 * x)[:, None] * np.cos(2 * x)[None]).astype(np.float32)[..., None]
    assert np.abs(periodic(waves) - waves).max() < 0.02
    even = np.full((32, 48, 3), 0.3, np.float32)
    assert np.allclose(periodic(even), even, atol=1e-6)


def test_periodic_and_smooth_part_follow_moisan() -> None:
    """The periodic part has, as a torus, the Laplacian that the picture has with its borders closed off."""
    values = noise(48, 12)
    got = periodic(values).astype(np.float64)

    def laplace(v: np.ndarray) -> np.ndarray:
        return sum(np.roll(v, s, axis=a) for a in (0, 1) for s in (1, -1)) - 4 * v

    wide = np.pad(values.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    closed = wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2] - 4 * wide[1:-1, 1:-1]
    assert np.abs(laplace(got) - closed).max() < 1e-4
    assert np.abs(got.mean(axis=(0, 1)) - values.mean(axis=(0, 1))).max() < 1e-5


def test_the_cut_goes_where_the_sides_agree() -> None:
    """Opposite borders agree in one winding line alone; the cut follows it, so no pixel is mixed of two that differ."""
    height, width, overlap = 64, 120, 30
    values = np.random.default_rng(0).random((height, width, 1)).astype(np.float32)
    line = (15 + 6 * np.sin(np.arange(height) * 2 * np.pi / height)).astype(int)
    for row, at in enumerate(line):
        for near in range(-4, 5):
            values[row, width - overlap + at + near] = values[row, at + near]
    got = stitched(values, (overlap, 1))[1:, :, 0]
    first, last = values[1:-1, :overlap, 0], values[1:-1, width - overlap :, 0]
    pure = np.isclose(got[: len(first), :overlap], first, atol=1e-5) | np.isclose(
        got[: len(first), :overlap], last, atol=1e-5
    )
    assert pure.mean() > 0.999


def test_normals_stay_unit_and_transparency_tiles_too() -> None:
    vector = noise() * 2 - 1
    vector[..., 2] = 1
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    got = make_seamless(Run(), Image.of(vector * 0.5 + 0.5, "data"), content="normal").image
    assert np.allclose(np.linalg.norm(got.rgb * 2 - 1, axis=2), 1, atol=1e-5) and got.space == "data"
    x = np.linspace(0, 1, 192, dtype=np.float32)
    clear = Image(np.dstack([np.where(x[None, :, None] > 0.5, noise(), 0), np.tile(x, (192, 1))]).astype(np.float32))
    made = make_seamless(Run(), clear, method="blend").image
    steps = np.abs(np.diff(made.alpha, axis=1)).mean()
    assert np.abs(made.alpha[:, 0] - made.alpha[:, -1]).mean() < 3 * steps


def test_small_pictures_and_bad_numbers() -> None:
    run = Run()
    assert make_seamless(run, Image.of(np.ones((4, 4, 3)))).image.size == (4, 4) and "evened out" in run.notes[0]
    with pytest.raises(BadInput):
        make_seamless(Run(), Image(np.full((9, 9, 4), np.nan, np.float32)))

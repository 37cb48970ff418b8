"""Maps without weights: equal to OpenCV where it is the standard, exact on drawn edges elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.engine import BadInput, Image, Run, Stroke
from nodes.control._lines import darker, ridges, soft_edges
from nodes.control.canny import canny
from nodes.control.line_art import line_art
from nodes.control.paint import paint
from nodes.control.scribble import scribble
from nodes.control.soft_edge import soft_edge
from nodes.control.tile import tile

RUN = Run(wanted_device="cpu")
MAKERS = (canny, scribble, soft_edge, line_art, tile)


def photo() -> np.ndarray:
    """(96, 128, 3) uint8: coloured shapes with soft noise."""
    rng = np.random.default_rng(3)
    canvas = np.full((96, 128, 3), 200, np.uint8)
    cv2.rectangle(canvas, (20, 15), (70, 80), (180, 40, 30), -1)
    cv2.circle(canvas, (90, 50), 25, (20, 90, 160), -1)
    noise = cv2.GaussianBlur(rng.normal(0, 25, canvas.shape), (0, 0), 1.5)
    return np.clip(canvas + noise, 0, 255).astype(np.uint8)


def step(size: int = 512) -> Image:
    """Left half dark, right half light."""
    shades = np.full((size, size), 0.3, np.float32)
    shades[:, size // 2 :] = 0.8
    return Image.of(shades)


def stroke_drawing(size: int = 512) -> Image:
    """A black line, 3 pixels wide, on white."""
    canvas = np.full((size, size), 255, np.uint8)
    canvas[:, 200:203] = 0
    return Image.of(canvas)


@pytest.mark.parametrize(("low", "high"), [(100, 200), (50, 120), (200, 100)])
def test_canny_equals_opencv_on_eight_bit_colours(low: int, high: int) -> None:
    expected = cv2.Canny(photo(), min(low, high), max(low, high))
    assert 0 < (expected > 0).mean() < 0.3
    got = canny(RUN, Image.of(photo()), low, high)
    assert np.array_equal(got.rgb[..., 0] * 255, expected) and (got.rgb[..., :1] == got.rgb).all()


def test_what_is_transparent_counts_as_white() -> None:
    pixels = Image.of(photo()).pixels.copy()
    pixels[:, 64:, 3] = 0
    flat = photo()
    flat[:, 64:] = 255
    for make in MAKERS:
        assert np.array_equal(make(RUN, Image(pixels)).pixels, make(RUN, Image.of(flat)).pixels), make
        assert make(RUN, Image(pixels)).alpha.min() == 1


def test_dark_lines_are_found_where_they_are() -> None:
    image = stroke_drawing()
    for made in (scribble(RUN, image), line_art(RUN, image), line_art(RUN, image, detail=1)):
        line = made.rgb[256, :, 0]
        assert line[201] > 0.98 * line.max() > 0.4 and (line[:185] == 0).all() and (line[218:] == 0).all()
    thin, wide = (scribble(RUN, image, pen=pen).rgb[256, :, 0] for pen in (1, 9))
    assert set(np.unique(wide)) == {0, 1} and wide.sum() - thin.sum() == 8


def test_the_dark_side_of_an_edge_is_a_line_and_its_strength_is_that_of_gaussians() -> None:
    rgb = step().rgb
    found = darker(rgb, 1, 4)[100]
    x = np.arange(512) - 255.5
    from scipy.special import ndtr

    expected = np.clip(0.5 * (ndtr(x / 4) - ndtr(x / 1)), 0, 1)
    assert np.abs(found - expected).max() < 5e-3
    assert scribble(RUN, step()).rgb[100, 240:256, 0].max() == 1 and not scribble(RUN, step()).rgb[100, 262:].any()


def test_soft_edges_lie_on_the_edge_and_scale_with_the_picture() -> None:
    for size in (512, 1024):
        row = soft_edge(RUN, step(size)).rgb[size // 2, :, 0]
        assert abs(row.argmax() - (size / 2 - 0.5)) <= 1 and row.max() > 0.8
        lit = np.flatnonzero(row > 0.5 * row.max())
        assert 2 * size / 512 <= len(lit) <= 8 * size / 512 and not row[: size // 4].any()


def test_texture_without_direction_is_dimmed_and_edges_are_not() -> None:
    noise = np.random.default_rng(0).random((256, 256, 1)).astype(np.float32) * 0.3
    rough = np.repeat(cv2.GaussianBlur(noise, (0, 0), 1.0)[..., None], 3, axis=2)
    kept, dimmed = (soft_edges(rough, texture).mean() for texture in (0.0, 1.0))
    assert dimmed < 0.5 * kept
    edge = np.ascontiguousarray(step(256).rgb)
    assert soft_edges(edge, 1.0).max() > 0.95 * soft_edges(edge, 0.0).max()


def test_ridges_peak_on_the_crest_and_vanish_in_a_hollow() -> None:
    x = np.arange(101) - 50.0
    crest = np.tile(np.exp(-(x**2) / 50), (101, 1)).astype(np.float32)
    row = ridges(crest, 2)[50]
    assert row.argmax() == 50 and row[50] > 0.9 and row[35] < 0.02
    assert ridges(1 - crest, 2)[50, 50] < 1e-3


@pytest.mark.parametrize("ground", [255, 0])
def test_a_drawing_passes_through_in_white_on_black(ground: int) -> None:
    canvas = np.full((64, 64), ground, np.uint8)
    cv2.line(canvas, (10, 10), (50, 40), 255 - ground, 3)
    expected = canvas if ground == 0 else 255 - canvas
    assert np.allclose(scribble(RUN, Image.of(canvas), "own drawing").rgb[..., 0], expected / 255, atol=1e-6)


def test_specks_are_left_out() -> None:
    canvas = np.full((512, 512), 255, np.uint8)
    canvas[100:102, 100:102] = 0
    canvas[:, 300:303] = 0
    assert not scribble(RUN, Image.of(canvas)).rgb[:, :200].any()
    assert scribble(RUN, Image.of(canvas), specks=0).rgb[:, :200].any()


def test_tile_keeps_means_and_drops_detail() -> None:
    fine = Image.of((np.indices((64, 64)).sum(0) % 2).astype(np.float32))
    assert np.allclose(tile(RUN, fine, 4).rgb, 0.5) and np.array_equal(tile(RUN, fine, 1).pixels, fine.pixels)
    rng = np.random.default_rng(1).random((32, 48, 3)).astype(np.float32)
    squares = tile(RUN, Image.of(rng), 8, "squares").rgb
    means = rng.reshape(4, 8, 6, 8, 3).mean(axis=(1, 3))
    assert np.allclose(squares, means.repeat(8, 0).repeat(8, 1), atol=1e-5)


def test_strokes_are_painted_and_erased_where_they_were_drawn() -> None:
    black = Image.of(np.zeros((40, 80), np.float32))
    line = Stroke(True, 0.05, ((0.25, 0.5), (0.75, 0.5)))
    dot = Stroke(False, 0.025, ((0.5, 0.5),))
    got = paint(RUN, black, (line, dot), "#ff0000").rgb
    assert (
        np.allclose(got[20, 25], (1, 0, 0))
        and not got[20, 40].any()
        and not got[30, 40].any()
        and not got[20, 10].any()
    )
    covered = paint(RUN, black, (line,)).rgb[..., 0].sum()
    assert covered == pytest.approx(40 * 8 + np.pi * 16, rel=0.03)
    assert np.array_equal(paint(RUN, black).pixels, black.pixels)


def test_every_map_has_the_size_of_its_picture_and_is_repeatable() -> None:
    image = Image.of(photo())
    for make in MAKERS:
        first = make(RUN, image)
        assert first.size == image.size and np.array_equal(first.pixels, make(RUN, image).pixels)


def test_hopeless_pictures_are_refused_in_words() -> None:
    for make in MAKERS:
        with pytest.raises(BadInput, match="3 x 2"):
            make(RUN, Image(np.zeros((2, 3, 4), np.float32)))
        with pytest.raises(BadInput, match="not numbers"):
            make(RUN, replace(step(32), pixels=np.full((32, 32, 4), np.nan, np.float32)))


def test_real_pictures_give_maps_with_lines_and_ground(shared: Path) -> None:
    from PIL import Image as Pictures

    for name in ("bird", "house", "room"):
        with Pictures.open(shared / "controlnet_inputs" / f"{name}.png") as file:
            image = Image.of(np.asarray(file.convert("RGB").resize((384, 384))))
        for make in (canny, scribble, soft_edge, line_art):
            values = make(RUN, image).rgb[..., 0]
            assert 0.005 < (values > 0.5).mean() < 0.35 and (values < 0.1).mean() > 0.4, (name, make)

"""Cut out: pictures made here with a known answer, then real photographs with one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine import BadInput, Cancelled, Image, Mask, Run, Stroke
from nodes.image.resize import resize
from nodes.segment._kernels import barrier_distance, minimum_cut
from nodes.segment.cut_out import cut_out

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no shared pictures here")


def shape(size: int, *discs: tuple[float, float, float], soft: float = 0.6, hole: float = 0) -> np.ndarray:
    """(size, size) opacity of discs (x, y, radius), the first with a round hole; the edge is a blur of ``soft``."""
    big = size * 4
    yy, xx = (np.mgrid[:big, :big] + 0.5) / 4
    inside = np.zeros((big, big), bool)
    for x, y, radius in discs:
        inside |= (xx - x) ** 2 + (yy - y) ** 2 < radius**2
    x, y, _ = discs[0]
    inside &= ~((xx - x) ** 2 + (yy - y) ** 2 < hole**2)
    return cv2.GaussianBlur(
        cv2.resize(inside.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA), (0, 0), soft
    )


def surface(
    size: int, colour: tuple[float, float, float], seed: int, strength: float, grain: float = 0.0
) -> np.ndarray:
    """(size, size, 3) colour with soft blotches of ``strength`` and pixel noise of ``grain``."""
    rng = np.random.default_rng(seed)
    blotches = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 7)
    blotches *= strength / blotches.std()
    return np.clip(np.array(colour) + blotches[..., None] + rng.normal(0, grain, (size, size, 3)), 0, 1).astype(
        np.float32
    )


def over(top: np.ndarray, alpha: np.ndarray, under: np.ndarray) -> np.ndarray:
    return top * alpha[..., None] + under * (1 - alpha[..., None])


def overlap(alpha: np.ndarray, truth: np.ndarray) -> float:
    a, t = alpha > 0.5, truth > 0.5
    return float((a & t).sum() / (a | t).sum())


def edge_of(truth: np.ndarray) -> np.ndarray:
    return cv2.dilate(((truth > 0.02) & (truth < 0.98)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


BACKDROPS = {
    "plain": surface(240, (0.5, 0.5, 0.5), 1, 0),
    "white with grain": surface(240, (0.95, 0.95, 0.95), 2, 0, 0.01),
    "gradient": np.clip(np.linspace(0.35, 0.8, 240)[:, None, None] + np.zeros((240, 240, 3)), 0, 1).astype(np.float32),
    "blotches": surface(240, (0.35, 0.45, 0.3), 3, 0.06, 0.02),
    "wall and table": np.where(np.arange(240)[:, None, None] < 150, (0.75, 0.75, 0.72), (0.5, 0.42, 0.33))
    * np.ones((240, 240, 1)),
}
RED = surface(240, (0.75, 0.2, 0.15), 9, 0.04, 0.01)


@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_a_ring_before_any_backdrop(backdrop: str) -> None:
    truth = shape(240, (120, 125, 70), (170, 90, 40), hole=22)
    picture = over(RED, truth, BACKDROPS[backdrop].astype(np.float32))
    result = cut_out(Run(), Image.of(picture))
    alpha = result.mask.values
    assert overlap(alpha, truth) > 0.985
    assert alpha[125, 120] < 0.05 and alpha[125, 165] > 0.95 and alpha[5, 5] == 0
    assert float(np.abs(alpha - truth)[edge_of(truth)].mean()) < 0.06
    assert np.array_equal(alpha, result.image.alpha)


@pytest.mark.parametrize("backdrop", ["plain", "white with grain", "blotches"])
def test_no_rim_of_the_old_background_remains(backdrop: str) -> None:
    truth = shape(240, (120, 120, 75), soft=1.5)
    picture = over(RED, truth, BACKDROPS[backdrop].astype(np.float32))
    image = cut_out(Run(), Image.of(picture)).image
    green = np.broadcast_to(np.float32([0.1, 0.8, 0.3]), RED.shape)
    wrong = np.abs(over(image.rgb, image.alpha, green) - over(RED, truth, green))
    assert float(wrong[edge_of(truth)].mean()) < 0.03
    rim = image.pixels[(image.alpha > 0.1) & (image.alpha < 0.9)]
    assert np.abs(rim[:, :3] - (0.75, 0.2, 0.15)).mean() < 0.1


def test_colours_reach_on_under_transparency_so_filtering_brings_no_rim() -> None:
    truth = shape(240, (120, 120, 75))
    image = cut_out(Run(), Image.of(over(RED, truth, BACKDROPS["white with grain"]))).image
    clear = image.alpha == 0
    assert np.abs(image.rgb[clear] - (0.75, 0.2, 0.15)).mean() < 0.1
    small = resize(image, longest_side=31)
    assert np.abs(small.rgb[small.alpha > 0.05] - (0.75, 0.2, 0.15)).max() < 0.2


def test_a_rectangle_and_strokes_choose_between_two_objects() -> None:
    left, right = shape(240, (65, 120, 40)), shape(240, (175, 120, 40))
    blue = surface(240, (0.2, 0.3, 0.75), 4, 0.03)
    picture = Image.of(over(blue, right, over(RED, left, BACKDROPS["blotches"])))
    by_rectangle = cut_out(Run(), picture, rectangle=(0.5, 0.25, 0.95, 0.75)).mask.values
    assert overlap(by_rectangle, right) > 0.97
    strokes = (
        Stroke(True, 0.02, ((65 / 240, 0.4), (65 / 240, 0.6))),
        Stroke(False, 0.03, ((175 / 240, 0.36), (175 / 240, 0.64))),
    )
    assert overlap(cut_out(Run(), picture, strokes=strokes).mask.values, left) > 0.97
    both = cut_out(Run(), picture, parts="all parts").mask.values
    assert overlap(both, np.maximum(left, right)) > 0.97


def test_a_rough_mask_is_enough_of_a_hint() -> None:
    left, right = shape(240, (65, 120, 40)), shape(240, (175, 120, 40))
    picture = Image.of(over(RED, np.maximum(left, right), BACKDROPS["blotches"]))
    rough = Mask(shape(120, (34, 58, 17), soft=2))
    assert overlap(cut_out(Run(), picture, rough).mask.values, left) > 0.96


def test_holes_can_be_filled_or_kept() -> None:
    truth = shape(240, (120, 120, 75), hole=25)
    picture = Image.of(over(RED, truth, BACKDROPS["plain"]))
    assert cut_out(Run(), picture, holes="fill").mask.values[120, 120] == 1
    assert cut_out(Run(), picture, holes="keep").mask.values[120, 120] == 0


def test_the_inside_of_a_line_drawing_belongs_to_it() -> None:
    paper = np.full((256, 256, 3), 255, np.uint8)
    cv2.ellipse(paper, (128, 128), (90, 60), 0, 0, 360, (0, 0, 0), 4)
    cv2.line(paper, (60, 128), (196, 128), (0, 0, 0), 3)
    cv2.circle(paper, (170, 100), 6, (0, 0, 0), 3)
    inside = cv2.ellipse(np.zeros((256, 256), np.uint8), (128, 128), (92, 62), 0, 0, 360, 1, -1)
    assert overlap(cut_out(Run(), Image.of(paper)).mask.values, inside) > 0.97


def test_existing_transparency_is_kept_and_said() -> None:
    truth = shape(64, (32, 32, 20))
    run = Run()
    result = cut_out(run, Image(np.dstack([np.full((64, 64, 3), 0.4, np.float32), truth])))
    assert np.array_equal(result.mask.values, truth)
    assert "already" in run.notes[0]
    ignored = cut_out(Run(), Image(np.dstack([over(RED, shape(240, (120, 120, 60)), BACKDROPS["plain"]),
                                              np.zeros((240, 240), np.float32)])), existing_alpha="ignore")  # fmt: skip
    assert overlap(ignored.mask.values, shape(240, (120, 120, 60))) > 0.98


def test_feather_softens_and_keeps_the_area() -> None:
    truth = shape(240, (120, 120, 70))
    picture = Image.of(over(RED, truth, BACKDROPS["plain"]))
    hard, soft = cut_out(Run(), picture).mask.values, cut_out(Run(), picture, feather=24).mask.values
    assert ((soft > 0.05) & (soft < 0.95)).sum() > 3 * ((hard > 0.05) & (hard < 0.95)).sum()
    assert float(soft.sum()) == pytest.approx(float(hard.sum()), rel=0.01)


def test_the_same_picture_gives_the_same_bytes() -> None:
    picture = Image.of(over(RED, shape(240, (120, 120, 70)), BACKDROPS["blotches"]))
    one, two = cut_out(Run(), picture), cut_out(Run(), picture)
    assert one.image.pixels.tobytes() == two.image.pixels.tobytes()


def test_a_large_picture_keeps_a_sharp_edge() -> None:
    truth = shape(1600, (800, 800, 500), soft=1.0)
    flat = np.broadcast_to(np.float32([0.75, 0.2, 0.15]), (1600, 1600, 3))
    picture = over(flat, truth, np.full((1600, 1600, 3), 0.8, np.float32))
    alpha = cut_out(Run(), Image.of(picture)).mask.values
    assert overlap(alpha, truth) > 0.995
    assert float(np.abs(alpha - truth)[edge_of(truth)].mean()) < 0.08


def test_nothing_to_cut_out_is_said_with_advice() -> None:
    grey = Image.of(np.full((64, 64, 3), 0.5))
    cases = [
        (grey, {}),
        (Image(np.zeros((64, 64, 4), np.float32)), {}),
        (Image(np.full((64, 64, 4), np.nan, np.float32)), {}),
        (Image.of(np.ones((3, 3, 3))), {}),
        (grey, {"rectangle": (0.1, 0.1, 0.11, 0.11)}),
    ]
    for image, params in cases:
        with pytest.raises(BadInput) as caught:
            cut_out(Run(), image, **params)
        assert caught.value.advice


def test_cancelling_leaves() -> None:
    run = Run()
    run.stop.set()
    with pytest.raises(Cancelled):
        cut_out(run, Image.of(over(RED, shape(240, (120, 120, 70)), BACKDROPS["plain"])))


def test_the_cut_is_the_cheapest_region() -> None:
    cost = np.full((40, 40), 0.2, np.float32)
    cost[10:30, 10:30] = -1
    weights = np.full((40, 40), 0.5, np.float32)
    right, below = weights.copy(), weights.copy()
    right[:, -1] = below[-1] = 0
    region = minimum_cut(cost, right, below, np.zeros_like(cost), 500) > 0.5
    assert region[12:28, 12:28].all() and not region[:9].any() and not region[:, 31:].any()
    nothing = minimum_cut(np.full_like(cost, 0.2), right, below, np.ones_like(cost), 500)
    assert float(nothing.max()) < 0.5


def test_barriers_are_what_a_path_from_the_border_must_cross() -> None:
    layer = np.zeros((30, 30, 1), np.float32)
    layer[8:22, 8:22] = 5
    layer[10:20, 10:20] = 2
    barrier = barrier_distance(layer, 6)
    assert barrier[2, 2] == 0 and barrier[9, 9] == 5 and barrier[15, 15] == 5
    layer[8:10, 12] = 0
    assert barrier_distance(layer, 6)[15, 15] == 2


def picture_and_truth(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A photographed object with its known opacity."""
    pixels = np.asarray(Pictures.open(DATA / name).convert("RGBA"), np.float32) / 255
    return pixels[..., :3], pixels[..., 3]


@needs_data
@pytest.mark.parametrize(
    ("name", "backdrop", "least"),
    [
        ("photos/chair.png", (0.5, 0.5, 0.5, 0.0), 0.985),
        ("photos/chair.png", (0.94, 0.94, 0.94, 0.01), 0.965),
        ("photos/hamburger.png", (0.2, 0.6, 0.3, 0.02), 0.985),
        ("single_image_sets/catstatue_rgba.png", (0.5, 0.5, 0.5, 0.0), 0.97),
        ("single_image_sets/catstatue_rgba.png", (0.94, 0.94, 0.94, 0.01), 0.98),
    ],
)
def test_photographed_objects_before_known_backdrops(
    name: str, backdrop: tuple[float, float, float, float], least: float
) -> None:
    colours, truth = picture_and_truth(name)
    noise = np.random.default_rng(0).normal(0, backdrop[3], colours.shape)
    picture = np.rint(np.clip(over(colours, truth, np.array(backdrop[:3]) + noise), 0, 1) * 255) / 255
    assert overlap(cut_out(Run(), Image.of(picture)).mask.values, truth) > least


@needs_data
@pytest.mark.parametrize("name", ["marble", "poly_fox", "teapot"])
def test_photographs_before_grey(name: str) -> None:
    colours, _ = picture_and_truth(f"photos/{name}.png")
    ink = np.abs(colours - np.median(colours[0], axis=0)).max(axis=-1) > 4 / 255
    ink = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    alpha = cut_out(Run(), Image.of(colours)).mask.values
    missed = (ink > 0) & (cv2.erode(ink, np.ones((9, 9), np.uint8)) > 0) & (alpha < 0.5)
    extra = (cv2.dilate(ink, np.ones((9, 9), np.uint8)) == 0) & (alpha > 0.5)
    assert missed.sum() < 0.015 * ink.sum()
    assert extra.sum() < 0.06 * ink.sum()


@needs_data
def test_a_real_photograph_before_a_textured_ground() -> None:
    colours, _ = picture_and_truth("single_image_sets/catstatue.png")
    _, truth = picture_and_truth("single_image_sets/catstatue_rgba.png")
    found, known = (_framed(a) for a in (cut_out(Run(), Image.of(colours)).mask.values, truth))
    assert overlap(found, cv2.resize(known, found.shape[::-1])) > 0.975


def _framed(alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    return alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

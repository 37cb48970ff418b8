"""Find all parts: its grid, its measure of sharpness, its choice, and the whole of it on a small network."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from sam_files import published_file

from app.engine import Cancelled, Image, Run
from app.engine.codec import digest, encode
from nodes.segment._boxes import box_of
from nodes.segment._models import segmenter
from nodes.segment.auto_masks import _distinct, auto_masks, grid, stability_of
from nodes.segment.pick import pick


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return published_file(tmp_path / "sam.pth")


def scene(width: int = 64, height: int = 40) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    disc = (np.hypot(x - 25, y - 20) < 12).astype(np.float32)
    return Image.of(np.stack([disc, x / width, y / height], axis=-1))


def test_the_grid_lies_in_the_middle_of_equal_cells() -> None:
    places = grid(4)
    assert places.shape == (16, 2) and places[0].tolist() == [0.125, 0.125] and places[1].tolist() == [0.375, 0.125]
    assert np.allclose(places.mean(axis=0), 0.5)


def test_stability_is_the_share_that_a_stricter_threshold_leaves() -> None:
    """Logits that fall by 1 a pixel from the middle: radius 9 at the strict, 11 at the loose threshold."""
    y, x = torch.meshgrid(torch.arange(-40, 41), torch.arange(-40, 41), indexing="ij")
    slope = 10 - torch.hypot(x.float(), y.float())
    sharp = slope * 100
    found = stability_of(torch.stack([slope, sharp, slope - 1000]))
    assert abs(float(found[0]) - 81 / 121) < 0.02 and float(found[1]) > 0.95 and float(found[2]) == 0


def test_of_masks_that_mean_the_same_the_best_stays() -> None:
    masks = np.zeros((4, 40, 64), bool)
    masks[0, 5:25, 5:25], masks[1, 6:25, 5:25], masks[2, 30:38, 40:60], masks[3, 0:40, 0:64] = True, True, True, True
    found = [(box_of(m), s, np.packbits(m)) for m, s in zip(masks, (0.9, 0.95, 0.8, 0.7), strict=True)]
    parts = _distinct(found, 0.7, (64, 40))
    assert parts.scores.tolist() == pytest.approx([0.95, 0.8, 0.7]) and parts.labels == ("part 1", "part 2", "part 3")
    assert np.array_equal(parts.masks > 0, masks[[1, 2, 3]])
    assert _distinct([], 0.7, (64, 40)).labels == ()


def loose(file: Path, run: Run, image: Image, **settings: Any) -> Any:
    given = {"points": 6, "quality": 0.0, "stability": 0.0, "smallest": 0.0, **settings}
    return auto_masks(run, image, model="own file", file=file, **given)


def test_it_keeps_exactly_what_passes(file: Path) -> None:
    """Against a plain loop over the points one by one."""
    image, network = scene(), segmenter.load_file(file, "cpu", False)
    embedding, frame = network.embed(image.rgb), network.frame(image.size)
    run = Run(wanted_device="cpu")
    result = loose(file, run, image, quality=0.5, stability=0.4, smallest=5.0, overlap=1.0)
    wanted = []
    for place in grid(6).astype(np.float64):
        logits, scores = network.decode(embedding, points=frame.points(place)[None, None], labels=np.ones((1, 1)))
        fine = frame.picture(logits, image.size)[0].numpy()
        coarse = frame.picture(logits, (256, 160))
        for number in range(3):
            steady, share = stability_of(coarse[0, number]), (coarse[0, number] > 0).float().mean()
            if scores[0, number] >= 0.5 and float(steady) >= 0.4 and float(share) >= 0.05:
                wanted.append((min(float(scores[0, number]), 1.0), (fine[number] > 0).tobytes()))
    assert 3 < len(wanted) < 108, "some pass and some do not"
    assert sorted(round(s, 5) for s, _ in wanted) == pytest.approx(sorted(result.parts.scores.tolist()), abs=2e-5)
    same = {m for _, m in wanted} & {(m > 0).tobytes() for m in result.parts.masks}
    assert len(same) >= 0.9 * len({m for _, m in wanted}), "batches may differ in the last bit"


def test_the_picture_shows_every_part_and_a_click_takes_one(file: Path) -> None:
    run = Run(wanted_device="cpu")
    result = loose(file, run, scene(200, 125))
    assert result.picture.size == (200, 125) and result.parts.size == (200, 125)
    inside = result.parts.masks.any(axis=0)
    assert np.array_equal(result.picture.rgb.any(axis=2), inside)
    assert (result.parts.boxes >= 0).all() and (result.parts.boxes <= 1).all()
    picked = pick(run, scene(200, 125), result.parts, "part 1", edge=0.0)
    assert np.array_equal(picked.mask.values > 0, result.parts.masks[0] > 0)


def test_nothing_may_pass(file: Path) -> None:
    result = loose(file, Run(wanted_device="cpu"), scene(), stability=1.0, quality=1.0)
    assert result.parts.labels == () and (result.picture.rgb == 0).all() and result.picture.size == (64, 40)


def test_large_pictures_keep_small_masks(file: Path) -> None:
    result = loose(file, Run(wanted_device="cpu"), scene(2000, 500), points=2)
    assert result.parts.masks.shape[1:] == (256, 1024) and result.picture.size == (2000, 500)


def test_it_is_the_same_twice_and_stops_between_batches(file: Path) -> None:
    one, other = (loose(file, Run(wanted_device="cpu"), scene()) for _ in range(2))
    assert digest(encode(one.parts)) == digest(encode(other.parts))
    stop, told = Event(), list[float]()

    def tell(done: float, _: str) -> None:
        told.append(done)
        if done >= 0.3:
            stop.set()

    with pytest.raises(Cancelled):
        loose(file, Run(tell, stop=stop, wanted_device="cpu"), scene(), points=16)
    assert told == [0, 0.05, 0.3]

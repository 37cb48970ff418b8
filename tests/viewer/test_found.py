"""Detections in the viewer: boxes and outlines where they are, each in its own colour."""

from __future__ import annotations

import numpy as np

from app.engine.palette import distinct_colours
from app.engine.payloads import Detections
from viewer.adapters import adapt
from viewer.found import found_picture
from viewer.shown import Page, Picture
from viewer.thumbnails import thumbnail


def two() -> Detections:
    boxes = np.array([[0.1, 0.2, 0.5, 0.9], [0.6, 0.1, 0.95, 0.6]], np.float32)
    masks = np.zeros((2, 50, 100), np.uint8)
    masks[0, 20:40, 15:45] = 1
    return Detections(boxes, np.array([0.9, 0.5], np.float32), ("cup", "dog"), masks, (400, 200))


def test_boxes_and_outlines_lie_where_they_belong() -> None:
    picture = found_picture(two())
    assert picture.shape == (512, 1024, 4) and picture.dtype == np.float32 and picture.max() <= 1
    colours = distinct_colours(2)
    near = lambda place, colour: np.abs(picture[place][:3] - colour).max() < 0.01  # noqa: E731
    for (left, top, right, bottom), colour in zip(two().boxes * [1024, 512, 1024, 512], colours, strict=True):
        middle = int((left + right) / 2), int((top + bottom) / 2)
        assert near((int(bottom) - 2, middle[0]), colour) and near((middle[1], int(right) - 2), colour)
    inside, outside = picture[300, 300, :3], picture[480, 900, :3]
    assert np.abs(inside - (outside + 0.55 * (colours[0] - outside))).max() < 0.02 and outside.max() < 0.15


def test_nothing_found_is_said_and_something_has_a_thumbnail() -> None:
    none = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
    assert isinstance(adapt(none), Page) and "Nothing" in adapt(none).text
    assert isinstance(adapt(two()), Picture) and adapt(two()).note == "2 found"
    small = thumbnail(two())
    assert small is not None and small[..., 3].any()

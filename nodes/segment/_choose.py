"""Which of the found objects a word, a click or a rectangle means."""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.engine import BadInput, Detections, Rect, Stroke
from nodes.image._pixels import Float32
from nodes.segment._boxes import area, overlap
from nodes.segment._labels import listed, numbers_of

Take = Literal["one", "all"]


def choose(
    objects: Detections, word: str, rectangle: Rect | None, strokes: tuple[Stroke, ...], take: Take
) -> list[int]:
    """Numbers of the objects that the hints mean, at least one. Raises :class:`BadInput` in words when none does."""
    if not objects.labels:
        raise BadInput("Nothing was found in the picture.", "Lower the detector's threshold, or use Cut out.")
    left = numbers_of(word, objects.labels) if word.strip() else list(range(len(objects.labels)))
    if not left:
        raise BadInput(
            f'No "{word.strip()}" was found; found: {listed(objects.labels)}.',
            "Type one of these words, click on the object, or lower the detector's threshold.",
        )
    dropped = [point for stroke in strokes if not stroke.keep for point in stroke.points]
    left = [i for i in left if not any(_holds(objects, i, point) for point in dropped)]
    if not left:
        raise BadInput("Every object that fits was marked as not wanted.", "Clear some strokes.")
    clicked = [stroke for stroke in strokes if stroke.keep]
    if clicked:
        return list(dict.fromkeys(_under(objects, left, stroke) for stroke in clicked))
    if rectangle is not None:
        return _inside(objects, left, rectangle, take)
    if take == "all":
        return left
    return [max(left, key=lambda i: float(_size(objects, i) * objects.scores[i]))]


def _holds(objects: Detections, number: int, point: tuple[float, float]) -> bool:
    x, y = point
    if objects.masks is None:
        left, top, right, bottom = objects.boxes[number]
        return bool(left <= x <= right and top <= y <= bottom)
    height, width = objects.masks.shape[1:]
    row, column = min(max(int(y * height), 0), height - 1), min(max(int(x * width), 0), width - 1)
    return bool(objects.masks[number, row, column])


def _size(objects: Detections, number: int) -> float:
    if objects.masks is None:
        return float(area(objects.boxes[number : number + 1])[0])
    return float(objects.masks[number].mean())


def _under(objects: Detections, left: list[int], stroke: Stroke) -> int:
    """What most points of a stroke lie on, the smallest of equals; without any, what is nearest to its middle."""
    hits = {i: sum(_holds(objects, i, point) for point in stroke.points) for i in left}
    most = max(hits.values())
    if most:
        return min((i for i in left if hits[i] == most), key=lambda i: _size(objects, i))
    middle = np.mean(np.array(stroke.points, np.float32), axis=0)
    return min(left, key=lambda i: _away(objects, objects.boxes[i], middle))


def _away(objects: Detections, box: Float32, point: Float32) -> float:
    """Distance in pixels from a point to the nearest point of a box."""
    nearest = np.clip(point, box[:2], box[2:])
    return float(np.hypot(*((nearest - point) * np.array(objects.size))))


def _inside(objects: Detections, left: list[int], rectangle: Rect, take: Take) -> list[int]:
    """All that lie in it by half or more, or the one that fills it best; without any, the one nearest to its middle."""
    drawn = np.array(rectangle, np.float32)
    boxes = objects.boxes[left]
    if take == "all":
        low, high = np.maximum(boxes[:, :2], drawn[:2]), np.minimum(boxes[:, 2:], drawn[2:])
        within = area(np.concatenate([low, high], axis=1)) >= 0.5 * area(boxes)
        if within.any():
            return [i for i, ok in zip(left, within, strict=True) if ok]
    shared = overlap(boxes, drawn[None])[:, 0]
    if shared.max() > 0:
        return [left[int(shared.argmax())]]
    middle = np.asarray((drawn[:2] + drawn[2:]) / 2, np.float32)
    return min(([i] for i in left), key=lambda i: _away(objects, objects.boxes[i[0]], middle))

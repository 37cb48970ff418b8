"""What a person marked on a picture, in the form that Segment anything takes: points, boxes and rough masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Detections, Image, Mask, Rect, Run, Stroke
from nodes.image._pixels import Float32, fit_within, fitted_mask
from nodes.segment._boxes import box_of
from nodes.segment._clean import main_parts, without_specks
from nodes.segment._coarse import Hints, find_object, reduced

Float64 = NDArray[np.float64]
MOST_POINTS, PER_STROKE, SEARCH = 48, 8, 512
SURE = 10.0


@dataclass(frozen=True)
class Prompt:
    """One object. ``points``: (K, 2) in 0..1 of the picture. ``inside``: (K,), whether each lies on the object.

    ``box``: (4,) in 0..1 or None. ``hint``: (h, w) opacity 0..1 over the picture, or None.
    """

    points: Float64
    inside: NDArray[np.bool_]
    box: Float64 | None = None
    hint: Float32 | None = None

    @property
    def definite(self) -> bool:
        """Whether it says more than one click does: then the network's one answer is better than the best of three."""
        return self.box is not None or self.hint is not None or len(self.points) > 1


def points_of(stroke: Stroke, size: tuple[int, int]) -> Float64:
    """(K, 2) in 0..1: a click gives itself, a line up to eight points at equal distances along it.

    They are about two brush widths apart, in the middle of their stretches, so that none lies on the very end.
    """
    line = np.array(stroke.points, np.float64)
    if len(line) == 1:
        return line
    steps = np.hypot(*((line[1:] - line[:-1]) * size).T)
    length = float(steps.sum())
    brush = max(4 * stroke.radius * size[0], 1.0)
    count = int(np.clip(round(length / brush), 1, PER_STROKE))
    along = np.concatenate([[0], np.cumsum(steps)])
    at = (np.arange(count) + 0.5) / count * length
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)


def prompts_of(
    image: Image, hint: Mask | None, objects: Detections | None, rectangle: Rect | None, strokes: tuple[Stroke, ...]
) -> list[Prompt]:
    """One for each object, and one for what is drawn; strokes that drop count for all. Empty where nothing is said."""
    drops = _points([stroke for stroke in strokes if not stroke.keep], image.size)
    keeps = _points([stroke for stroke in strokes if stroke.keep], image.size)
    outside = np.zeros(len(drops), bool)
    prompts = [Prompt(drops, outside, box.astype(np.float64)) for box in (objects.boxes if objects else ())]
    if objects is not None and not prompts:
        raise BadInput("Nothing was found in the picture.", "Lower the detector's threshold, or draw on the picture.")
    drawn = np.array(rectangle, np.float64) if rectangle is not None else None
    if drawn is None and not len(keeps) and hint is None:
        return prompts
    points = np.concatenate([keeps, drops])[:MOST_POINTS]
    inside = np.concatenate([np.ones(len(keeps), bool), outside])[:MOST_POINTS]
    prompt = Prompt(points, inside, drawn)
    return [*prompts, prompt if hint is None else with_hint(prompt, fitted_mask(hint, _working(image.size)))]


def with_hint(prompt: Prompt, values: Float32) -> Prompt:
    """With a rough mask: its box, its innermost point, and the mask itself."""
    import cv2

    region = values > 0.5
    if not region.any():
        raise BadInput("The hint mask is empty.", "Use a mask that marks the object, or unlink it.")
    deep = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(deep.argmax()), deep.shape)
    middle = [[(float(column) + 0.5) / region.shape[1], (float(row) + 0.5) / region.shape[0]]]
    box = box_of(region).astype(np.float64) if prompt.box is None else prompt.box
    return Prompt(np.concatenate([middle, prompt.points]), np.concatenate([[True], prompt.inside]), box, values)


def standing_out(run: Run, image: Image, strokes: tuple[Stroke, ...]) -> Prompt:
    """Where nothing is kept: what stands out from the picture's border, as Cut out finds it without weights."""
    small = reduced(np.ascontiguousarray(image.rgb), SEARCH)
    nothing = np.zeros(small.shape[:2], bool)
    found = find_object(Run(stop=run.stop), small, Hints(nothing, nothing, None)) > 0.5
    region = main_parts(without_specks(found, 12)) if found.any() else found
    if not region.any() or region.mean() > 0.98:
        raise BadInput("No object stands out from the background.", "Click on it, or draw a rectangle around it.")
    drops = _points(list(strokes), image.size)
    return with_hint(Prompt(drops, np.zeros(len(drops), bool)), region.astype(np.float32))


def _working(size: tuple[int, int]) -> tuple[int, int]:
    return fit_within(size, SEARCH) if max(size) > SEARCH else size


def _points(strokes: list[Stroke], size: tuple[int, int]) -> Float64:
    return np.concatenate([np.zeros((0, 2)), *(points_of(stroke, size) for stroke in strokes)])


def logits_of(values: Float32) -> Float32:
    """A mask 0..1 as the network would have given it: from -10 to 10."""
    return np.asarray((values * 2 - 1) * SURE, np.float32)

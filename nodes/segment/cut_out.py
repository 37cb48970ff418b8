"""Cut one object out of a photograph or a drawing, without any weights."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mask, Rect, Rectangle, Run, Setting, Slider, Stroke, Strokes, node
from nodes.image._pixels import Float32, check_finite, fitted_mask, resample
from nodes.image._regions import filled
from nodes.segment._clean import main_parts, parts_with, true_holes, without_specks
from nodes.segment._coarse import Hints, find_object, lab_of, reduced
from nodes.segment._finish import finished, solved

Bools = NDArray[np.bool_]
Box = tuple[int, int, int, int]
Holes = Literal["auto", "keep", "fill"]
Parts = Literal["main parts", "all parts"]
SEARCH = 512
LEAST = 8
MARK = "Draw a rectangle around the object, or mark it with strokes."


class CutOut(NamedTuple):
    """``image``: the object with straight alpha; its colours reach on under transparency. ``mask``: that alpha."""

    image: Image
    mask: Mask


@node("segment.cut_out", title="Cut out")
def cut_out(
    run: Run,
    image: Image,
    hint: Mask | None = None,
    rectangle: Annotated[Rect | None, Rectangle(help="The object lies inside; all outside is background.")] = None,
    strokes: Annotated[tuple[Stroke, ...], Strokes(help="Paint what to keep and what to drop.")] = (),
    holes: Annotated[Holes, Setting(help="Auto keeps a hole where the background shows through.")] = "auto",
    parts: Annotated[Parts, Setting(help="Main parts drops what is much smaller than the largest.")] = "main parts",
    edge: Annotated[float, Slider(0.1, 5, unit="%", help="Reach of the soft edge; wider for hair and fur.")] = 0.8,
    feather: Annotated[float, Slider(0, 128, unit="px", help="Softens the finished edge.")] = 0.0,
    existing_alpha: Annotated[
        Literal["honour", "ignore"], Setting(help="A picture that is already cut out is left as it is.")
    ] = "honour",
) -> CutOut:
    """Cut one object out of its background.

    Without any help, the object is what stands out from the picture's border. Draw a rectangle around it, paint
    strokes on it, or link a rough mask where that is not enough. The edge is solved pixel by pixel, and the
    background's colour is taken out of it, so that no rim remains. A picture that is already transparent around its
    object keeps its own edge.
    """
    run.check()
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    if existing_alpha == "honour" and _is_cut_out(image):
        run.warn("The picture is cut out already; its own transparency was kept.")
        return CutOut(*finished(image, image.rgb, image.alpha, feather))
    box = _window(image, rectangle)
    rgb = np.ascontiguousarray(image.rgb[box[1] : box[3], box[0] : box[2]])
    small = reduced(rgb, SEARCH)
    hints = _hints(image, box, small, hint, rectangle, strokes)
    region = _cleaned(find_object(run, small, hints), small, hints.object, holes, parts)
    run.progress(0.6, "refining the edge")
    alpha, colours = np.zeros(image.alpha.shape, np.float32), image.rgb.copy()
    inner = np.s_[box[1] : box[3], box[0] : box[2]]
    colours[inner], alpha[inner] = solved(rgb, region, edge / 100 * max(rgb.shape[:2]))
    return CutOut(*finished(image, colours, alpha, feather))


def _is_cut_out(image: Image) -> bool:
    clear = float((image.alpha < 0.02).mean())
    if clear == 1:
        raise BadInput("The picture is transparent everywhere.", "Choose another picture, or ignore its alpha.")
    return clear > 0.002


def _window(image: Image, rectangle: Rect | None) -> Box:
    """(left, top, right, bottom) in pixels: the rectangle with some background around it, or the whole picture."""
    width, height = image.size
    if rectangle is None:
        return 0, 0, width, height
    left, top, right, bottom = (v * n for v, n in zip(rectangle, (width, height) * 2, strict=True))
    if min(right - left, bottom - top) < LEAST:
        raise BadInput("The rectangle is too small.", "Draw it again around the whole object.")
    room = max(4.0, 0.08 * max(right - left, bottom - top))
    return (
        max(0, int(left - room)), max(0, int(top - room)),
        min(width, int(right + room) + 1), min(height, int(bottom + room) + 1),
    )  # fmt: skip


def _hints(
    image: Image, box: Box, small: Float32, hint: Mask | None, rectangle: Rect | None, strokes: tuple[Stroke, ...]
) -> Hints:
    keep, drop = (_painted(image, box, small, [s for s in strokes if s.keep is wanted]) for wanted in (True, False))
    if rectangle:
        drop |= ~_inside(image, box, small, rectangle)
    guess = None
    if hint:
        values = fitted_mask(hint, image.size)[box[1] : box[3], box[0] : box[2]]
        guess = resample(np.ascontiguousarray(values), small.shape[1::-1])
    return Hints(keep & ~drop if rectangle else keep, drop & ~keep if not rectangle else drop, guess)


def _painted(image: Image, box: Box, small: Float32, strokes: list[Stroke]) -> Bools:
    import cv2

    scale = small.shape[1] / (box[2] - box[0])
    canvas = np.zeros(small.shape[:2], np.uint8)
    for stroke in strokes:
        points = (np.array(stroke.points, np.float64) * image.size - box[:2]) * scale
        radius = max(2, round(stroke.radius * image.size[0] * scale))
        for point in points:
            cv2.circle(canvas, [int(v) for v in point], radius, 1, -1)
        cv2.polylines(canvas, [points.astype(np.int32)], False, 1, 2 * radius)
    return canvas > 0


def _inside(image: Image, box: Box, small: Float32, rectangle: Rect) -> Bools:
    height, width = small.shape[:2]
    x = (box[0] + (np.arange(width) + 0.5) * (box[2] - box[0]) / width) / image.size[0]
    y = (box[1] + (np.arange(height) + 0.5) * (box[3] - box[1]) / height) / image.size[1]
    left, top, right, bottom = rectangle
    return np.asarray(((y > top) & (y < bottom))[:, None] & ((x > left) & (x < right))[None, :])


def _cleaned(found: Float32, small: Float32, marked: Bools, holes: Holes, parts: Parts) -> Float32:
    """The found region without specks, with the parts and holes that were asked for. Raises BadInput for nothing."""
    region = without_specks(found > 0.5, 12)
    if parts == "main parts":
        region = parts_with(region, marked) if (marked & region).any() else main_parts(region)
    if not region.any() or region.mean() > 0.98:
        raise BadInput("No object stands out from the background.", MARK)
    whole = filled(region)
    if holes == "auto":
        whole &= ~true_holes(region, lab_of(small))
    elif holes == "keep":
        whole = region
    outside = np.minimum(found, 0.49) * _near(region)
    return np.where(region, np.maximum(found, 0.51), np.where(whole, np.float32(1), outside))


def _near(region: Bools) -> Float32:
    import cv2

    return np.asarray(cv2.dilate(region.astype(np.float32), np.ones((3, 3), np.uint8)), np.float32)

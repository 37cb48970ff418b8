"""Turn, mirror, slant, and set a slanted picture upright."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Setting, Slider, Stroke, Strokes, node
from nodes.image._pixels import Float32, check_finite, check_size, unweight

Flip = Literal["no", "left and right", "top and bottom", "both"]
Canvas = Literal["grow", "keep"]
Method = Literal["cubic", "linear", "nearest", "lanczos"]
Float64 = NDArray[np.float64]


@node("image.warp", title="Turn and warp", group="Size and place")
def warp(
    image: Image,
    corners: Annotated[
        tuple[Stroke, ...], Strokes(help="Click the four corners of something flat: it fills the picture, upright.")
    ] = (),
    flip: Annotated[Flip, Setting(help="What changes places.")] = "no",
    shear_x: Annotated[float, Slider(-75, 75, unit="°", help="Slants upright lines to the right.")] = 0.0,
    shear_y: Annotated[float, Slider(-75, 75, unit="°", help="Slants level lines, their right end up.")] = 0.0,
    turn: Annotated[float, Slider(-360, 360, step=0.1, unit="°", help="Counter-clockwise.")] = 0.0,
    canvas: Annotated[Canvas, Setting(help="Grow: nothing is cut off. Keep: the size stays, around the middle.")] = (
        "grow"
    ),
    method: Annotated[Method, Setting(help="Between pixels; nearest invents no new colour.", advanced=True)] = "cubic",
) -> Image:
    """Set upright by four corners, mirror, slant and turn a picture, in this order.

    What the picture does not reach becomes transparent. Colours are weighted by their opacity. Mirroring and turning
    by quarters move pixels and change none.
    """
    check_finite(image.pixels)
    pixels = _upright(image.pixels, corners, method) if corners else image.pixels
    across, down = flip in ("left and right", "both"), flip in ("top and bottom", "both")
    pixels = pixels[:: -1 if down else 1, :: -1 if across else 1]
    quarters, rest = divmod(turn, 90)
    square = pixels.shape[0] == pixels.shape[1] or quarters % 2 == 0
    if not (shear_x or shear_y or rest) and (canvas == "grow" or square):
        return Image(np.ascontiguousarray(np.rot90(pixels, int(quarters) % 4)), image.space)
    return Image(_moved(pixels, _linear(shear_x, shear_y, turn), canvas, method), image.space)


def _linear(shear_x: float, shear_y: float, turn: float) -> Float64:
    """(2, 2) on (x right, y down)."""
    kx, ky, t = -np.tan(np.deg2rad(shear_x)), -np.tan(np.deg2rad(shear_y)), np.deg2rad(turn)
    turned = np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])
    return np.asarray(turned @ [[1, 0], [ky, 1]] @ [[1, kx], [0, 1]])


def _moved(pixels: Float32, linear: Float64, canvas: Canvas, method: Method) -> Float32:
    """The picture after a linear map around its middle."""
    height, width = pixels.shape[:2]
    size = (width, height)
    if canvas == "grow":
        reach = np.abs(linear) @ [width, height]
        size = (max(1, int(np.ceil(reach[0] - 1e-6))), max(1, int(np.ceil(reach[1] - 1e-6))))
    shift = np.array(size) / 2 - linear @ (np.array([width, height]) / 2)
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, shift
    return _resampled(pixels, matrix, size, method)


def _upright(pixels: Float32, corners: tuple[Stroke, ...], method: Method) -> Float32:
    """The quadrangle between four clicks, as a rectangle as large as its longer sides."""
    import cv2

    height, width = pixels.shape[:2]
    quad = _ordered(np.array([p for stroke in corners for p in stroke.points], float) * [width, height])
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    size = (max(1, round(max(sides[0], sides[2]))), max(1, round(max(sides[1], sides[3]))))
    target = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target.astype(np.float32))
    return _resampled(pixels, matrix, size, method)


def _ordered(points: Float64) -> Float64:
    """Four points (x, y), clockwise from the one nearest to the top left. Raises :class:`BadInput`."""
    advice = "Clear the clicks and click the four corners, one after the other."
    if points.shape != (4, 2):
        raise BadInput(f"There are {len(points)} points where four corners are wanted.", advice)
    middle = points - points.mean(axis=0)
    points = points[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]))]
    sides = np.roll(points, -1, axis=0) - points
    after = np.roll(sides, -1, axis=0)
    if (sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]).min() <= 1:
        raise BadInput("The four corners do not span a quadrangle that bulges everywhere.", advice)
    return np.roll(points, -int(np.argmin(points.sum(axis=1))), axis=0)


def _resampled(pixels: Float32, matrix: Float64, size: tuple[int, int], method: Method) -> Float32:
    """``matrix`` (3, 3) takes source to result; both measure from the top left corner, pixel centres at halves."""
    import cv2

    check_size(*size)
    flag = {"cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST,
            "lanczos": cv2.INTER_LANCZOS4}[method]  # fmt: skip
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(half) @ matrix @ half
    colours, alpha = np.ascontiguousarray(pixels[..., :3]), pixels[..., 3:]
    plain = cv2.warpPerspective(colours, centred, size, flags=flag, borderMode=cv2.BORDER_REPLICATE)
    weighted = np.concatenate([colours * alpha, alpha], axis=-1)
    moved = cv2.warpPerspective(weighted, centred, size, flags=flag, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    seen = np.clip(moved[..., 3:], 0, 1)
    rgb = unweight(moved[..., :3], seen, np.asarray(np.clip(plain, 0, 1), np.float32))
    return np.concatenate([rgb, seen], axis=-1).astype(np.float32)

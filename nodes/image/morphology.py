"""Grow and shrink what is bright."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import Float32, image_of
from nodes.image._tones import layers

Operation = Literal["dilate", "erode", "open", "close", "gradient", "top hat", "black hat"]
Shape = Literal["disc", "square", "cross"]
On = Literal["colours", "transparency", "both"]


@node("image.morphology", title="Morphology", group="Adjust")
def morphology(
    run: Run,
    image: Image,
    operation: Annotated[
        Operation, Setting(help="Open drops small bright spots, close small dark ones; the hats keep what was dropped.")
    ] = "dilate",
    radius: Annotated[int, Slider(0, 64, unit="px", help="Of the shape that is passed over the picture.")] = 2,
    shape: Shape = "disc",
    on: Annotated[On, Setting(help="What is worked on; the rest stays.")] = "colours",
) -> Image:
    """Take the brightest or the darkest value around every pixel, each channel by itself.

    Dilate takes the brightest, erode the darkest, open erodes and then dilates, close the other way round; gradient is
    their difference, the hats what open and close change. To grow a mask by a true distance, use Edit mask.
    """
    run.check()
    if not radius and operation in ("dilate", "erode", "open", "close"):
        return image
    rgb, alpha = layers(image, on != "transparency", on != "colours")
    if on != "transparency":
        rgb = _morphed(run, rgb, operation, radius, shape)
    if on != "colours":
        alpha = _morphed(run, alpha, operation, radius, shape)
    return image_of(rgb, alpha, image)


def _morphed(run: Run, array: Float32, operation: Operation, radius: int, shape: Shape) -> Float32:
    import cv2

    kinds = {"disc": cv2.MORPH_ELLIPSE, "square": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS}
    element = cv2.getStructuringElement(kinds[shape], (2 * radius + 1, 2 * radius + 1))

    def most(values: Float32) -> Float32:
        run.check()
        return np.asarray(cv2.dilate(values, element), np.float32)

    def least(values: Float32) -> Float32:
        run.check()
        return np.asarray(cv2.erode(values, element), np.float32)

    if operation in ("dilate", "erode"):
        return most(array) if operation == "dilate" else least(array)
    if operation == "gradient":
        return most(array) - least(array)
    if operation in ("open", "top hat"):
        opened = most(least(array))
        return opened if operation == "open" else array - opened
    closed = least(most(array))
    return closed if operation == "close" else closed - array

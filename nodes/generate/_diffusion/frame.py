"""A picture cut and padded to what the networks can work on, and put back exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image
from nodes.generate._diffusion.facts import GRID
from nodes.image._pixels import check_finite, extend_colours, fit_within, resample

Float32 = NDArray[np.float32]
LEAST = 64


def solid(image: Image) -> Float32:
    """(H, W, 3) of 0..1 without transparency: where the picture is clear, its colours are carried on."""
    check_finite(image.pixels)
    if float(image.alpha.min()) >= 1:
        return np.ascontiguousarray(image.rgb)
    return extend_colours(np.ascontiguousarray(image.rgb), np.ascontiguousarray(image.alpha))


def scaled(image: Image, longest: int) -> Float32:
    """(H, W, 3) with a longer side of ``longest`` pixels; 0 keeps the size. No side becomes less than 64."""
    colours = solid(image)
    size = fit_within(image.size, longest) if longest else image.size
    grow = max(1.0, LEAST / min(size))
    if grow > 32:
        raise BadInput(f"A picture of {size[0]} x {size[1]} pixels is too thin to work on.", "Crop or resize it first.")
    size = (round(size[0] * grow), round(size[1] * grow))
    return np.clip(resample(colours, size, "area" if size[0] < image.size[0] else "lanczos"), 0, 1)


def padded(array: Float32) -> Float32:
    """(H, W[, C]) to the next multiples of eight: the last row and column are repeated below and to the right."""
    down, across = (-length % GRID for length in array.shape[:2])
    more = ((0, down), (0, across)) + ((0, 0),) * (array.ndim - 2)
    return np.pad(array, more, mode="edge")


def blocks(mask: Float32) -> Float32:
    """(H, W) of multiples of eight to 0 and 1: each 8 x 8 block, which is one place of the latents, is 1 where the
    mask is above 0 anywhere in it, so that no stroke is too thin to count.
    """
    height, width = mask.shape
    coarse = mask.reshape(height // GRID, GRID, width // GRID, GRID).max(axis=(1, 3)) > 0
    return np.repeat(np.repeat(coarse.astype(np.float32), GRID, 0), GRID, 1)


@dataclass(frozen=True)
class Window:
    """The part of a picture that is worked on. ``box``: left, top, right, bottom in pixels of the whole picture.

    ``size``: (width, height) that it is worked on at, multiples of eight.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]

    def cut(self, array: Float32) -> Float32:
        """(H, W[, C]) of the whole picture to the part at its working size."""
        left, top, right, bottom = self.box
        part = np.ascontiguousarray(array[top:bottom, left:right])
        if self.size == (right - left, bottom - top):
            return part
        return np.clip(resample(part, self.size, "area" if self.size[0] < right - left else "lanczos"), 0, 1)

    def back(self, whole: Float32, part: Float32) -> Float32:
        """(H, W, 3) of the whole picture with a part that was worked on laid over it."""
        left, top, right, bottom = self.box
        size = (right - left, bottom - top)
        result = whole.copy()
        fitted = resample(part, size, "area" if size[0] < part.shape[1] else "lanczos")
        result[top:bottom, left:right] = np.clip(fitted, 0, 1)
        return result


def window_around(mask: Float32, margin: int, edge: int) -> Window:
    """The surroundings of a mask, ``margin`` pixels to each side, worked on at about ``edge`` x ``edge`` pixels."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.max(1) > 0), np.flatnonzero(mask.max(0) > 0)
    left, right = max(int(columns[0]) - margin, 0), min(int(columns[-1]) + 1 + margin, width)
    top, bottom = max(int(rows[0]) - margin, 0), min(int(rows[-1]) + 1 + margin, height)
    grow = edge / np.sqrt((right - left) * (bottom - top))
    wide, high = (max(round(n * grow / GRID) * GRID, LEAST) for n in (right - left, bottom - top))
    return Window((left, top, right, bottom), (wide, high))

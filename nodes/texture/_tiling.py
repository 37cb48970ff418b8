"""Ways to make the borders of a picture meet. Arrays: (H, W, C) float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import Float32, blur

Array = NDArray[Any]
FEATHER = 2


def periodic(values: Float32) -> Float32:
    """The picture less the smoothest one with the same jumps at the borders.

    The periodic component of Moisan, Periodic plus smooth image decomposition (2011): a Poisson equation, solved in
    Fourier space. What lies away from the borders hardly changes; means stay.
    """
    from scipy.fft import irfft2, rfft2

    height, width, _ = values.shape
    jumps = np.zeros_like(values, np.float32)
    across, down = values[:, -1] - values[:, 0], values[-1] - values[0]
    jumps[:, 0] += across
    jumps[:, -1] -= across
    jumps[0] += down
    jumps[-1] -= down
    x, y = np.arange(width // 2 + 1) / width, np.arange(height) / height
    bend = 2 * np.cos(2 * np.pi * y)[:, None] + 2 * np.cos(2 * np.pi * x)[None] - 4
    bend[0, 0] = 1
    smooth = rfft2(jumps, axes=(0, 1)) / bend[..., None].astype(np.float32)
    smooth[0, 0] = 0
    return np.asarray(values - irfft2(smooth, (height, width), axes=(0, 1)), np.float32)


def blended(values: Float32, overlap: tuple[int, int]) -> Float32:
    """Opposite borders laid over each other by ``overlap`` (across, down) pixels and faded; smaller by as much.

    What differs from the local mean is divided by the root of the summed squares of both weights, so that the fade
    keeps its contrast (Heitz and Neyret, High-Performance By-Example Noise, 2018).
    """
    for axis, width in ((1, overlap[0]), (0, overlap[1])):
        mean = blur(values, max(width / 2, 1))
        first, rest, last, means = *_cut(values, width, axis), _cut(mean, width, axis)
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(width) + 0.5) / width)).astype(np.float32)
        ramp = ramp.reshape((1, -1, 1) if axis == 1 else (-1, 1, 1))
        level = ramp * means[0] + (1 - ramp) * means[2]
        detail = ramp * (first - means[0]) + (1 - ramp) * (last - means[2])
        values = np.concatenate([level + detail / np.sqrt(ramp**2 + (1 - ramp) ** 2), rest], axis=axis)
    return values


def stitched(values: Float32, overlap: tuple[int, int]) -> Float32:
    """Opposite borders laid over each other and cut along the line where they differ least; smaller by the overlap.

    The cut by dynamic programming is that of Efros and Freeman, Image Quilting (2001), closed into a ring.
    """
    for axis, width in ((1, overlap[0]), (0, overlap[1])):
        upright = values if axis == 1 else values.transpose(1, 0, 2)
        first, rest, last = _cut(upright, width, 1)
        path = _ring(_spread(np.square(first - last).sum(axis=2)))
        side = np.arange(width)[None] - path[:, None]
        ramp = np.clip((side + 0.5) / (2 * FEATHER) + 0.5, 0, 1)[..., None].astype(np.float32)
        joined = np.concatenate([ramp * first + (1 - ramp) * last, rest], axis=1)
        values = joined if axis == 1 else joined.transpose(1, 0, 2)
    return np.ascontiguousarray(values)


def _cut(values: Array, width: int, axis: int) -> tuple[Array, Array, Array]:
    """(first ``width``, what lies between, last ``width``) along an axis."""
    size = values.shape[axis]
    first, rest, last = np.split(values, [width, size - width], axis=axis)
    return first, rest, last


def _spread(cost: Array) -> Array:
    """The cost of cutting somewhere: what the feather mixes there."""
    import cv2

    reach = (2 * FEATHER + 1, 1)
    return np.asarray(cv2.blur(np.ascontiguousarray(cost, np.float32), reach, borderType=cv2.BORDER_REFLECT))


def _ring(cost: Array) -> Array:
    """(H,) columns of the cheapest path from the top of (H, W) to the bottom that ends where it began."""
    free = _path(cost, None)
    return _path(cost, int(free[len(free) // 2]))


def _path(cost: Array, end: int | None) -> Array:
    """The cheapest path from row to row, a column aside at most; ``end``: where it begins and ends."""
    height, width = cost.shape
    total = cost.astype(np.float64).copy()
    far = np.full(width, 1e30)
    edge = min(max(FEATHER, 1), (width - 1) // 2)
    total[:, :edge], total[:, width - edge :] = 1e12, 1e12
    if end is not None:
        total[0] = far
        total[0, end] = 0
    step = np.zeros((height, width), np.int8)
    for row in range(1, height):
        above = np.pad(total[row - 1], 1, constant_values=1e30)
        three = np.stack([above[:-2], above[1:-1], above[2:]])
        step[row] = three.argmin(axis=0) - 1
        total[row] += three.min(axis=0)
    path = np.empty(height, np.int64)
    path[-1] = int(total[-1].argmin()) if end is None else end
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + step[row, path[row]]
    return path

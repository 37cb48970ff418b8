"""Loops of the noise generators. Each is periodic on a lattice of whole cells, so that pictures of it tile.

Value and gradient noise (Perlin, Improving Noise, 2002), gradients on a triangular lattice (in the manner of simplex
noise, Perlin 2001, on a lattice that closes), distances to scattered points (Worley 1996); octaves as fractal sums,
ridged and billowed (Musgrave, in Ebert et al., Texturing and Modeling, 2003).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
VALUE, GRADIENT, TRIANGLES, CELLS, CRACKS = range(5)
PLAIN, RIDGED, BILLOW = range(3)
ROW = math.sqrt(0.75)


@kernel
def _hash(x: int, y: int, z: int, seed: int) -> Any:
    """A repeatable 32-bit number for a lattice point (integer mixing in the manner of Wellons 2018)."""
    h = np.uint32(x) * np.uint32(0x8DA6B343) ^ np.uint32(y) * np.uint32(0xD8163841)
    h = np.uint32(h ^ np.uint32(z) * np.uint32(0xCB1AB31F) ^ np.uint32(seed) * np.uint32(0x9E3779B9))
    h = np.uint32((h ^ h >> np.uint32(16)) * np.uint32(0x7FEB352D))
    h = np.uint32((h ^ h >> np.uint32(15)) * np.uint32(0x846CA68B))
    return np.uint32(h ^ h >> np.uint32(16))


@kernel
def _part(h: Any) -> float:
    """0..1."""
    return float(h) / 4294967296.0


@kernel
def _fade(t: float) -> float:
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@kernel
def _slope(i: int, j: int, dx: float, dy: float, seed: int) -> float:
    turn = 2.0 * math.pi * _part(_hash(i, j, 0, seed))
    return math.cos(turn) * dx + math.sin(turn) * dy


@kernel
def _square(x: float, y: float, across: int, down: int, seed: int, gradient: bool) -> float:
    """Value or gradient noise, -1..1, on a lattice of ``across`` by ``down`` squares."""
    left, top = math.floor(x), math.floor(y)
    s, t = x - left, y - top
    i0, j0 = int(left) % across, int(top) % down
    i1, j1 = (i0 + 1) % across, (j0 + 1) % down
    if gradient:
        a, b = _slope(i0, j0, s, t, seed), _slope(i1, j0, s - 1.0, t, seed)
        c, d = _slope(i0, j1, s, t - 1.0, seed), _slope(i1, j1, s - 1.0, t - 1.0, seed)
        scale = 1.4142135623730951
    else:
        a, b = _part(_hash(i0, j0, 0, seed)), _part(_hash(i1, j0, 0, seed))
        c, d = _part(_hash(i0, j1, 0, seed)), _part(_hash(i1, j1, 0, seed))
        a, b, c, d, scale = a * 2.0 - 1.0, b * 2.0 - 1.0, c * 2.0 - 1.0, d * 2.0 - 1.0, 1.0
    u, v = _fade(s), _fade(t)
    return scale * ((a * (1.0 - u) + b * u) * (1.0 - v) + (c * (1.0 - u) + d * u) * v)


@kernel
def _triangles(x: float, y: float, across: int, down: int, seed: int) -> float:
    """Gradient noise, about -1..1, on a lattice of triangles: ``down`` rows (even), every other one shifted by half."""
    row = math.floor(y)
    total = 0.0
    for j in range(int(row), int(row) + 2):
        shift = 0.5 * (j & 1)
        first = math.floor(x - shift)
        for i in range(int(first), int(first) + 2):
            dx, dy = x - shift - i, (y - j) * 0.8660254037844386
            near = 0.75 - dx * dx - dy * dy
            if near > 0.0:
                total += near**4 * _slope(i % across, j % down, dx, dy, seed)
    return total * 15.6


@kernel
def _points(x: float, y: float, across: int, down: int, seed: int, cracks: bool) -> float:
    """-1..1: distance to the nearest scattered point (bright at points), or how much nearer it is than the second."""
    left, top = math.floor(x), math.floor(y)
    one, two = 1e9, 1e9
    for j in range(int(top) - 2, int(top) + 3):
        for i in range(int(left) - 2, int(left) + 3):
            h = _hash(i % across, j % down, 0, seed)
            px, py = i + _part(h), j + _part(_hash(i % across, j % down, 1, seed))
            gap = math.sqrt((px - x) ** 2 + (py - y) ** 2)
            if gap < one:
                one, two = gap, one
            elif gap < two:
                two = gap
    if cracks:
        return min(2.0 * (two - one), 2.0) - 1.0
    return max(1.0 - 1.8 * one, -1.0)


@kernel
def _one(kind: int, x: float, y: float, across: int, down: int, seed: int) -> float:
    if kind == TRIANGLES:
        return _triangles(x, y, across, down, seed)
    if kind >= CELLS:
        return _points(x, y, across, down, seed, kind == CRACKS)
    return _square(x, y, across, down, seed, kind == GRADIENT)


@kernel
def _shaped(value: float, shape: int) -> float:
    if shape == RIDGED:
        return 1.0 - 2.0 * abs(value)
    return 2.0 * abs(value) - 1.0 if shape == BILLOW else value


@kernel
def noise_rows(
    kind: int, shape: int, across: int, down: int, octaves: int, gain: float, warp: float, seed: int,
    first: int, last: int, out: Array,
) -> None:  # fmt: skip
    """Rows first..last of ``out`` (H, W) float32 in -1..1; ``across``, ``down``: cells of the first octave."""
    height, width = out.shape
    for row in range(first, last):
        for column in range(width):
            x, y = (column + 0.5) / width, (row + 0.5) / height
            if warp > 0.0:
                dx = _square(x * across, y * down, across, down, seed + 7919, True)
                dy = _square(x * across, y * down, across, down, seed + 104729, True)
                x, y = x + warp * dx / across, y + warp * dy / down
            total, weight, amount = 0.0, 0.0, 1.0
            for k in range(octaves):
                a, d = across << k, down << k
                total += amount * _shaped(_one(kind, x * a, y * d, a, d, seed + 31 * k), shape)
                weight += amount
                amount *= gain
            out[row, column] = total / weight


@kernel
def _corner(i: int, j: int, k: int, dx: float, dy: float, dz: float, seed: int) -> float:
    h = _hash(i, j, k, seed)
    z = 2.0 * _part(h) - 1.0
    turn = 2.0 * math.pi * _part(_hash(i, j, k, seed + 1))
    flat = math.sqrt(1.0 - z * z)
    return flat * math.cos(turn) * dx + flat * math.sin(turn) * dy + z * dz


@kernel
def solid(points: Array, octaves: int, gain: float, seed: int, out: Array) -> None:
    """``out`` (N,) about -1..1: gradient noise in space at (N, 3) places, one cell a unit; it has no seams anywhere."""
    for n in range(len(points)):
        total, weight, amount, scale = 0.0, 0.0, 1.0, 1.0
        for octave in range(octaves):
            x, y, z = points[n, 0] * scale, points[n, 1] * scale, points[n, 2] * scale
            fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
            sum_ = 0.0
            for c in range(8):
                i, j, k = c & 1, c >> 1 & 1, c >> 2
                dx, dy, dz = x - fx - i, y - fy - j, z - fz - k
                share = _fade(1.0 - abs(dx)) * _fade(1.0 - abs(dy)) * _fade(1.0 - abs(dz))
                sum_ += share * _corner(int(fx) + i, int(fy) + j, int(fz) + k, dx, dy, dz, seed + 2 * octave)
            total += amount * sum_ * 1.6
            weight += amount
            amount *= gain
            scale *= 2.0
        out[n] = total / weight

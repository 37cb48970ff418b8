"""Loops of the baker: texture look-up, chance, sums over texels, normals in a frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _look_up(texture: Array, uv: Array, out: Array) -> None:
    height, width, channels = texture.shape
    for i in range(len(uv)):
        x, y = uv[i, 0] * width - 0.5, (1.0 - uv[i, 1]) * height - 0.5
        left, top = math.floor(x), math.floor(y)
        s, t = x - left, y - top
        x0, y0 = int(left) % width, int(top) % height
        x1, y1 = (x0 + 1) % width, (y0 + 1) % height
        for c in range(channels):
            upper = texture[y0, x0, c] * (1.0 - s) + texture[y0, x1, c] * s
            lower = texture[y1, x0, c] * (1.0 - s) + texture[y1, x1, c] * s
            out[i, c] = upper * (1.0 - t) + lower * t


def look_up(texture: Array, uv: Array) -> Array:
    """(N, C) float32 bilinear samples of an (H, W, C) float32 texture at (N, 2) UVs; it repeats outside 0..1."""
    out = np.empty((len(uv), texture.shape[2]), np.float32)
    _look_up(texture, np.ascontiguousarray(uv, np.float64), out)
    return out


@kernel
def scramble(number: int) -> tuple[float, float]:
    """Two repeatable numbers in 0..1 from a whole one (an integer hash in the manner of Wellons 2018)."""
    h = np.uint32(number * 9781 + 1)
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x7FEB352D))
    h ^= h >> np.uint32(15)
    h = np.uint32(h * np.uint32(0x846CA68B))
    h ^= h >> np.uint32(16)
    return float(h & np.uint32(0xFFFF)) / 65536.0, float(h >> np.uint32(16)) / 65536.0


@kernel
def hemisphere(normal: Array, rays: int, seed: int, out: Array) -> None:
    """``out``: (N * rays, 3) float32 unit directions around (N, 3) unit normals, denser along the normal by its cosine.

    Stratified in elevation, golden-ratio steps in azimuth; frame around the normal after Duff et al. 2017.
    """
    for r in range(len(normal)):
        nx, ny, nz = normal[r, 0], normal[r, 1], normal[r, 2]
        sign = 1.0 if nz >= 0.0 else -1.0
        a = -1.0 / (sign + nz)
        b = nx * ny * a
        one, two = scramble(seed + r)
        for k in range(rays):
            u, v = (k + one) / rays, (k * 0.6180339887498949 + two) % 1.0
            radius, turn = math.sqrt(u), 2.0 * math.pi * v
            x, y, z = radius * math.cos(turn), radius * math.sin(turn), math.sqrt(max(0.0, 1.0 - u))
            i = r * rays + k
            out[i, 0] = (1.0 + sign * nx * nx * a) * x + b * y + nx * z
            out[i, 1] = sign * b * x + (sign + ny * ny * a) * y + ny * z
            out[i, 2] = -sign * nx * x - ny * y + nz * z


@kernel
def vote(number: Array, weight: Array, place: Array, width: int, fine: int, out: Array) -> None:
    """``out`` (R, S) int64 becomes, for each texel, the number whose samples weigh most in it, or stays.

    ``number``, ``weight``, ``place``: (K,); see :func:`gather`. Of equal ones the one met first wins.
    """
    many = fine * fine
    wide = width // fine
    held, heavy = np.full((out.size, many), -1, np.int64), np.zeros((out.size, many))
    for i in range(len(number)):
        texel = place[i] // width // fine * wide + place[i] % width // fine
        for k in range(many):
            if held[texel, k] < 0:
                held[texel, k] = number[i]
            if held[texel, k] == number[i]:
                heavy[texel, k] += weight[i]
                break
    for texel in range(out.size):
        best = 0.0
        for k in range(many):
            if held[texel, k] >= 0 and heavy[texel, k] > best:
                best = heavy[texel, k]
                out[texel // wide, texel % wide] = held[texel, k]


@kernel
def gather(rows: Array, weight: Array, place: Array, width: int, fine: int, total: Array) -> None:
    """Add (K, C) ``rows`` times ``weight`` to the texels of ``total`` (R, S, C + 1); the last channel sums the weights.

    ``place``: (K,) flat sample numbers in a picture ``width`` samples wide; ``fine`` samples a texel and axis.
    """
    channels = rows.shape[1]
    for i in range(len(rows)):
        y, x = place[i] // width // fine, place[i] % width // fine
        for c in range(channels):
            total[y, x, c] += rows[i, c] * weight[i]
        total[y, x, channels] += weight[i]


@kernel
def into_frame(along: Array, up: Array, hand: Array, normal: Array, out: Array) -> None:
    """``out`` (N, 3): unit ``normal`` in the frame of a tangent, a bitangent and a normal.

    ``along``, ``up``, ``normal``: (N, 3) unit; ``hand``: (N,) 1 or -1; the bitangent is ``hand * cross(up, along)``
    made unit. The frame may lean: its inverse is used, so that reading the map gives the
    normal back exactly.
    """
    for i in range(len(up)):
        t, n, m = along[i], up[i], normal[i]
        bx, by, bz = (n[1] * t[2] - n[2] * t[1]), (n[2] * t[0] - n[0] * t[2]), (n[0] * t[1] - n[1] * t[0])
        square = bx * bx + by * by + bz * bz
        lean = t[0] * n[0] + t[1] * n[1] + t[2] * n[2]
        mt, mn = m[0] * t[0] + m[1] * t[1] + m[2] * t[2], m[0] * n[0] + m[1] * n[1] + m[2] * n[2]
        if square < 1e-6:
            x, y, z = 0.0, 0.0, 1.0
        else:
            x, z = (mt - lean * mn) / square, (mn - lean * mt) / square
            y = (m[0] * bx + m[1] * by + m[2] * bz) / math.sqrt(square) * hand[i]
        length = math.sqrt(x * x + y * y + z * z)
        out[i, 0], out[i, 1], out[i, 2] = x / length, y / length, z / length

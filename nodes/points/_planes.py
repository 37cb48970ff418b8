"""Loops over neighbourhoods of points: the plane through each, and a side handed on from point to point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]


@inlined
def _least_eigenvalue(xx: float, xy: float, xz: float, yy: float, yz: float, zz: float) -> float:
    """Of a symmetric 3 x 3 matrix, by the trigonometric solution of its characteristic equation."""
    middle = (xx + yy + zz) / 3.0
    off = xy * xy + xz * xz + yz * yz
    spread = (xx - middle) ** 2 + (yy - middle) ** 2 + (zz - middle) ** 2 + 2.0 * off
    if spread <= 0.0:
        return middle
    p = math.sqrt(spread / 6.0)
    a, b, c = (xx - middle) / p, (yy - middle) / p, (zz - middle) / p
    d, e, f = xy / p, xz / p, yz / p
    half = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / 2.0
    angle = math.acos(min(1.0, max(-1.0, half))) / 3.0
    return middle + 2.0 * p * math.cos(angle + 2.0943951023931953)


@kernel
def _flattest(m: Array, out: Array) -> None:
    """``out``: (3,) unit eigenvector of the least eigenvalue of ``m`` (6,): xx, xy, xz, yy, yz, zz."""
    least = _least_eigenvalue(m[0], m[1], m[2], m[3], m[4], m[5])
    a, b, c = m[0] - least, m[3] - least, m[5] - least
    best = 0.0
    for k in range(3):
        if k == 0:
            x, y, z = m[1] * m[4] - m[2] * b, m[2] * m[1] - a * m[4], a * b - m[1] * m[1]
        elif k == 1:
            x, y, z = m[1] * c - m[2] * m[4], m[2] * m[2] - a * c, a * m[4] - m[1] * m[2]
        else:
            x, y, z = b * c - m[4] * m[4], m[4] * m[2] - m[1] * c, m[1] * m[4] - b * m[2]
        size = x * x + y * y + z * z
        if size > best:
            best = size
            out[0], out[1], out[2] = x, y, z
    if best <= 1e-24 * (m[0] + m[3] + m[5]) ** 4:
        _across_line(m, out)
    length = math.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2)
    if length > 0.0:
        for k in range(3):
            out[k] /= length
    else:
        out[0], out[1], out[2] = 0.0, 1.0, 0.0


@kernel
def _across_line(m: Array, out: Array) -> None:
    """Any direction across points on a line, which lie along the longest column of ``m``."""
    columns = ((m[0], m[1], m[2]), (m[1], m[3], m[4]), (m[2], m[4], m[5]))
    best, x, y, z = -1.0, 0.0, 0.0, 0.0
    for k in range(3):
        size = columns[k][0] ** 2 + columns[k][1] ** 2 + columns[k][2] ** 2
        if size > best:
            best = size
            x, y, z = columns[k]
    if abs(y) <= abs(x) or abs(y) <= abs(z):
        out[0], out[1], out[2] = -y * x, x * x + z * z, -y * z
    else:
        out[0], out[1], out[2] = y, -x, 0.0


@kernel
def plane_normals(points: Array, index: Array, out: Array) -> None:
    """``out``: (N, 3) unit normals of the planes nearest to the points named in each row of ``index`` (N, K)."""
    m, normal, mean = np.empty(6), np.empty(3), np.empty(3)
    for i in range(len(index)):
        mean[:] = 0.0
        m[:] = 0.0
        for j in range(index.shape[1]):
            for k in range(3):
                mean[k] += float(points[index[i, j], k]) - float(points[index[i, 0], k])
        for k in range(3):
            mean[k] = mean[k] / index.shape[1] + float(points[index[i, 0], k])
        for j in range(index.shape[1]):
            x, y, z = (
                points[index[i, j], 0] - mean[0],
                points[index[i, j], 1] - mean[1],
                points[index[i, j], 2] - mean[2],
            )
            m[0] += x * x
            m[1] += x * y
            m[2] += x * z
            m[3] += y * y
            m[4] += y * z
            m[5] += z * z
        _flattest(m, normal)
        for k in range(3):
            out[i, k] = normal[k]


@kernel
def hand_on(order: Array, before: Array, normals: Array) -> None:
    """Turn ``normals`` (N, 3), in place, to the side of the point each comes after; that of a start is negative."""
    for i in order:
        j = before[i]
        if j < 0:
            continue
        dot = 0.0
        for k in range(3):
            dot += normals[i, k] * normals[j, k]
        if dot < 0.0:
            for k in range(3):
                normals[i, k] = -normals[i, k]

"""Place charts in a square: tall ones first, each where its lower outline fits the skyline best.

After the packing of Lévy, Petitjean, Ray and Maillot 2002. ``corners``: (M, 3, 2) float64 in chart coordinates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput
from nodes.mesh._jit import kernel

Array = NDArray[Any]
TURNS = 30


@kernel
def _extent(corners: Array, faces: Array, turn: float, box: Array) -> None:
    c, s = math.cos(turn), math.sin(turn)
    box[0], box[1], box[2], box[3] = 1e300, -1e300, 1e300, -1e300
    for i in range(len(faces)):
        for k in range(3):
            x, y = corners[faces[i], k, 0], corners[faces[i], k, 1]
            across, up = c * x - s * y, s * x + c * y
            box[0], box[1] = min(box[0], across), max(box[1], across)
            box[2], box[3] = min(box[2], up), max(box[3], up)


@kernel
def _turn(corners: Array, faces: Array, turn: float, box: Array) -> None:
    _extent(corners, faces, turn, box)
    c, s = math.cos(turn), math.sin(turn)
    for i in range(len(faces)):
        for k in range(3):
            x, y = corners[faces[i], k, 0], corners[faces[i], k, 1]
            corners[faces[i], k, 0], corners[faces[i], k, 1] = c * x - s * y - box[0], s * x + c * y - box[2]


@kernel
def stand_up(corners: Array, order: Array, start: Array, size: Array) -> None:
    """Turn each chart to its smallest box, taller than wide, lower left at 0; ``size``: (C, 2) becomes the boxes."""
    box = np.empty(4)
    for chart in range(len(start) - 1):
        faces = order[start[chart] : start[chart + 1]]
        best, turn = 1e300, 0.0
        for i in range(TURNS):
            angle = i * math.pi / (2 * TURNS)
            _extent(corners, faces, angle, box)
            area = (box[1] - box[0]) * (box[3] - box[2])
            if area < best:
                best, turn = area, angle
        _extent(corners, faces, turn, box)
        if box[1] - box[0] > box[3] - box[2]:
            turn += math.pi / 2
        _turn(corners, faces, turn, box)
        _extent(corners, faces, 0.0, box)
        size[chart, 0], size[chart, 1] = box[1], box[3]


@kernel
def _outline_side(ax: float, ay: float, bx: float, by: float, low: Array, high: Array) -> None:
    """Lower ``low`` and raise ``high`` of every column that the side from a to b crosses."""
    if ax > bx:
        ax, ay, bx, by = bx, by, ax, ay
    for x in range(int(ax), min(int(bx), len(low) - 1) + 1):
        s = (max(ax, x) - ax) / (bx - ax) if bx > ax else 0.0
        e = (min(bx, x + 1.0) - ax) / (bx - ax) if bx > ax else 1.0
        y, z = ay + s * (by - ay), ay + e * (by - ay)
        low[x] = min(low[x], int(min(y, z)))
        high[x] = max(high[x], int(max(y, z)) + 1)


@kernel
def _outline(corners: Array, faces: Array, scale: float, gap: int, low: Array, high: Array) -> None:
    """Columns of a chart in cells, grown by ``gap`` cells to the right and up."""
    low[:], high[:] = 1 << 30, -1
    for i in range(len(faces)):
        for k in range(3):
            j = (k + 1) % 3
            ax, ay = corners[faces[i], k, 0] * scale, corners[faces[i], k, 1] * scale
            _outline_side(ax, ay, corners[faces[i], j, 0] * scale, corners[faces[i], j, 1] * scale, low, high)
    for x in range(len(low) - 1, -1, -1):
        for step in range(1, min(gap, x) + 1):
            low[x], high[x] = min(low[x], low[x - step]), max(high[x], high[x - step])
        high[x] += gap


@kernel
def _fit(sky: Array, low: Array, high: Array) -> tuple[int, int]:
    """(x, y) for the lowest top, then the least ground lost below."""
    best, lost, at_x, at_y = 1 << 60, 1 << 60, 0, 0
    top = high.max()
    for x in range(len(sky) - len(low) + 1):
        y = 0
        for i in range(len(low)):
            y = max(y, sky[x + i] - low[i])
            if y + top > best:
                break
        if y + top > best:
            continue
        waste = 0
        for i in range(len(low)):
            waste += y + low[i] - sky[x + i]
        if y + top < best or waste < lost:
            best, lost, at_x, at_y = y + top, waste, x, y
    return at_x, at_y


@kernel
def _place(
    corners: Array, order: Array, start: Array, size: Array, tall: Array, scale: float, gap: int, cells: int, at: Array
) -> int:
    """Fill ``at`` (C, 2) with the cell of each chart's lower left corner; returns the rows used."""
    sky, rows = np.zeros(cells, np.int64), 0
    for i in range(len(tall)):
        chart = tall[i]
        wide = min(cells, int(size[chart, 0] * scale) + 1 + gap)
        low, high = np.empty(wide, np.int64), np.empty(wide, np.int64)
        _outline(corners, order[start[chart] : start[chart + 1]], scale, gap, low, high)
        x, y = _fit(sky, low, high)
        at[chart, 0], at[chart, 1] = x, y
        for j in range(wide):
            sky[x + j] = y + high[j]
            rows = max(rows, sky[x + j])
    return int(rows)


def pack(corners: Array, label: Array, cells: int, gap: int) -> Array:
    """(M, 3, 2) coordinates in the unit square. Charts keep their relative size; ``gap`` cells of ``cells`` apart."""
    count = int(label.max()) + 1
    order = np.argsort(label, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))])
    corners, size = corners.copy(), np.empty((count, 2))
    stand_up(corners, order, start, size)
    tall = np.argsort(-size[:, 1], kind="stable")
    at, scale = _best_scale(corners, order, start, size, tall, cells, gap)
    placed = corners * scale + (at[label] + gap / 2)[:, None, :]
    return np.clip(placed / cells, 0.0, 1.0)


def _best_scale(
    corners: Array, order: Array, start: Array, size: Array, tall: Array, cells: int, gap: int
) -> tuple[Array, float]:
    """The largest scale found at which everything fits into ``cells`` rows, and the places at that scale."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = float(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum()) / 2
    widest = (cells - gap - 2) / max(float(size[:, 0].max()), 1e-30)
    scale = min(widest, cells * math.sqrt(0.65 / max(area, 1e-30)))
    best: tuple[Array, float] | None = None
    for trial in range(40):
        at = np.zeros((len(size), 2), np.int64)
        rows = _place(corners, order, start, size, tall, scale, gap, cells, at)
        if rows <= cells and (best is None or scale > best[1]):
            best = at, scale
        if best is not None and (trial >= 5 or scale >= widest or 0.99 * cells <= rows <= cells):
            break
        factor = math.sqrt(cells / rows)
        scale = min(widest, scale * (factor if rows <= cells else min(factor, 0.985)))
    if best is None:
        raise BadInput(
            f"{len(size):,} charts, {gap} apart, do not fit into {cells} x {cells}.",
            "Use a larger texture, less padding, or a Decimate or Smooth step before.",
        )
    return best

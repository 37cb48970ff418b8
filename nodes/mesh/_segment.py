"""Cut a surface into charts of similar direction: grow, and merge what goes together.

``across``: (M, 3) int32 neighbour faces or -1. ``facing``: (M, 3) float64 unit normals. ``label``: (M,) int32 chart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._topology import joined

Array = NDArray[Any]
GROW = 0.64  # cosine: 50 degrees off the chart's direction
MERGE = 0.30  # 72 degrees
CRUMB = 1e-3  # of the area
LEAST = 0.05  # a face nearly edge-on still keeps its winding


@kernel
def _dot(a: Array, i: int, b: Array, j: int) -> float:
    return float(a[i, 0] * b[j, 0] + a[i, 1] * b[j, 1] + a[i, 2] * b[j, 2])


@kernel
def _flood(
    seed: int, own: int, axis: Array, across: Array, soft: Array, facing: Array, label: Array, queue: Array
) -> int:
    """Give ``own`` to faces reachable from the seed that look along ``axis``; returns how many, in ``queue`` order."""
    queue[0], label[seed], tail, head = seed, own, 1, 0
    while head < tail:
        f = queue[head]
        head += 1
        for k in range(3):
            g = across[f, k]
            if g >= 0 and label[g] < 0 and _dot(soft, g, axis, 0) > GROW and _dot(facing, g, axis, 0) > LEAST:
                label[g] = own
                queue[tail] = g
                tail += 1
    return tail


@kernel
def _mean(queue: Array, count: int, soft: Array, area: Array, axis: Array) -> None:
    axis[:] = 0.0
    for i in range(count):
        for k in range(3):
            axis[0, k] += soft[queue[i], k] * area[queue[i]]
    length = np.sqrt(_dot(axis, 0, axis, 0))
    if length > 0.0:
        axis /= length


@kernel
def _grow(seeds: Array, across: Array, soft: Array, facing: Array, area: Array, label: Array, rank: Array) -> int:
    """Charts around the seeds, each grown twice: along its seed's direction, then along the mean of what that gave."""
    queue, axis = np.empty(len(label), np.int64), np.empty((1, 3))
    charts, placed = 0, 0
    for s in range(len(seeds)):
        seed = seeds[s]
        if label[seed] >= 0:
            continue
        axis[0] = soft[seed]
        count = _flood(seed, charts, axis, across, soft, facing, label, queue)
        _mean(queue, count, soft, area, axis)
        for i in range(count):
            label[queue[i]] = -1
        count = _flood(seed, charts, axis, across, soft, facing, label, queue)
        for i in range(count):
            rank[queue[i]] = placed + i
        placed += count
        charts += 1
    return charts


@kernel
def _root(parent: Array, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _suits(chart: int, first: Array, after: Array, facing: Array, axis: Array) -> bool:
    f = first[chart]
    while f >= 0:
        if _dot(facing, f, axis, 0) <= MERGE:
            return False
        f = after[f]
    return True


@kernel
def _partner(
    chart: int, first: Array, after: Array, across: Array, side: Array, label: Array, parent: Array, total: Array,
    shared: Array,
) -> int:  # fmt: skip
    """The neighbour chart with the longest common border, weighted by how alike the directions are, or -1."""
    best, at = 0.0, -1
    for again in range(2):
        f = first[chart]
        while f >= 0:
            for k in range(3):
                other = _root(parent, label[across[f, k]]) if across[f, k] >= 0 else chart
                if other != chart and again == 0:
                    shared[other] += side[f, k]
                elif other != chart and shared[other] > 0.0:
                    like = _dot(total, chart, total, other)
                    like /= np.sqrt(_dot(total, chart, total, chart) * _dot(total, other, total, other)) + 1e-300
                    if shared[other] * max(0.0, like) > best:
                        best, at = shared[other] * max(0.0, like), other
                    shared[other] = 0.0
            f = after[f]
    return at


@kernel
def _merge(
    order: Array, first: Array, last: Array, after: Array, across: Array, side: Array, label: Array, parent: Array,
    total: Array, facing: Array,
) -> int:  # fmt: skip
    """Join each chart of ``order`` to its best neighbour where every face of both still looks along their mean."""
    shared, axis, merged = np.zeros(len(parent)), np.empty((1, 3)), 0
    for i in range(len(order)):
        chart = order[i]
        if parent[chart] != chart:
            continue
        other = _partner(chart, first, after, across, side, label, parent, total, shared)
        if other < 0:
            continue
        axis[0] = total[chart] + total[other]
        axis /= np.sqrt(_dot(axis, 0, axis, 0)) + 1e-300
        if _suits(chart, first, after, facing, axis) and _suits(other, first, after, facing, axis):
            parent[chart] = other
            after[last[other]], last[other] = first[chart], last[chart]
            total[other] += total[chart]
            merged += 1
    return merged


@kernel
def _chain(label: Array, first: Array, last: Array, after: Array) -> None:
    for f in range(len(label)):
        chart = label[f]
        if first[chart] < 0:
            first[chart] = f
        else:
            after[last[chart]] = f
        last[chart] = f


def softened(across: Array, facing: Array, area: Array, rounds: int = 4) -> Array:
    """Face directions averaged with their neighbours', so that small bumps do not cut charts."""
    soft = facing
    weight = np.where(across >= 0, area[across], 0.0)[:, :, None]
    for _ in range(rounds):
        soft = soft * area[:, None] + (soft[across] * weight).sum(axis=1)
        soft = soft / np.maximum(np.linalg.norm(soft, axis=1, keepdims=True), 1e-30)
    return soft


def by_direction(across: Array, facing: Array, area: Array, side: Array) -> tuple[Array, Array]:
    """(label, rank) of charts whose faces look within about 70 degrees of one direction. ``side``: (M, 3) lengths.

    ``rank``: (M,) order in which the faces were reached, so that a chart can be laid down face by face.
    """
    soft = softened(across, facing, area)
    label, rank = np.full(len(area), -1, np.int32), np.zeros(len(area), np.int64)
    seeds = np.argsort(-area, kind="stable")
    count = _grow(seeds, across, soft, facing, area, label, rank)
    label = _fewer(label, count, across, facing, area, side)
    for _ in range(3):
        label = _absorbed(label, across, facing, area, side)
    return label, rank


def _absorbed(label: Array, across: Array, facing: Array, area: Array, side: Array) -> Array:
    """Crumbs given to the chart they share most of their border with, if it looks the same way at all."""
    size = np.bincount(label, area)
    axis: Array = np.stack([np.bincount(label, facing[:, k] * area) for k in range(3)], axis=1)
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-300)
    face, k = np.nonzero(
        (across >= 0) & (label[across] != label[:, None]) & (size < CRUMB * size.sum())[label][:, None]
    )
    own, other = label[face], label[across[face, k]]
    key, pair = np.unique(own.astype(np.int64) * len(size) + other, return_inverse=True)
    own, other = np.divmod(key, len(size))
    like = np.einsum("ij,ij->i", axis[own], axis[other])
    weight = np.bincount(pair, side[face, k]) * np.maximum(like, 0.0)
    order = np.lexsort([other, -weight, own])
    first = np.ones(len(order), bool)
    first[1:] = own[order][1:] != own[order][:-1]
    best = order[first & (weight[order] > 0)]
    return joined(len(size), np.stack([own[best], other[best]], axis=1))[1][label]


def _fewer(label: Array, count: int, across: Array, facing: Array, area: Array, side: Array) -> Array:
    for _ in range(6):
        total = np.stack([np.bincount(label, facing[:, k] * area, minlength=count) for k in range(3)], axis=1)
        first, last = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
        after = np.full(len(label), -1, np.int64)
        _chain(label, first, last, after)
        parent = np.arange(count)
        order = np.argsort(np.bincount(label, area, minlength=count), kind="stable")
        merged = _merge(order, first, last, after, across, side, label, parent, total, facing)
        root = np.array([_root(parent, i) for i in range(count)])
        _, numbers = np.unique(root, return_inverse=True)
        label = numbers.reshape(-1)[label].astype(np.int32)
        count = int(label.max()) + 1
        if merged == 0:
            break
    return label

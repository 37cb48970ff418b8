"""A dry stone wall seen straight on, in light from the upper left: a picture of a surface, for tiling materials."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nodes.image._pixels import blur
from nodes.texture._noise import noise_rows

Grid = NDArray[np.float32]
STONES, ROUNDS = 120, 3


def clouds(side: int, cells: int, seed: int, octaves: int = 5, kind: int = 1) -> Grid:
    """(side, side) about -1..1."""
    out = np.zeros((side, side), np.float32)
    noise_rows(kind, 0, cells, cells, octaves, 0.55, 0.0, seed, 0, side, out)
    return out


def stones(side: int, seed: int) -> tuple[Grid, NDArray[np.int64]]:
    """Distance from the joints in pixels and the number of the stone, (side, side) each; wider than high."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-0.1, 1.1, (int(STONES * 1.44), 2))
    wide = np.array([0.62, 1.0])
    y, x = np.mgrid[:side, :side] / side
    bend = np.stack([clouds(side, 6, seed + 1), clouds(side, 6, seed + 2)], axis=-1) * 0.035
    places = (np.stack([x, y], axis=-1) + bend) * wide
    for _ in range(ROUNDS):
        sample = rng.uniform(-0.1, 1.1, (40_000, 2))
        near = cKDTree(middle * wide).query(sample * wide)[1]
        count = np.maximum(np.bincount(near, minlength=len(middle)), 1)
        middle = np.stack([np.bincount(near, sample[:, k], minlength=len(middle)) / count for k in range(2)], axis=1)
    gap, number = cKDTree(middle * wide).query(places.reshape(-1, 2), k=2)
    between = np.linalg.norm((middle * wide)[number[:, 0]] - (middle * wide)[number[:, 1]], axis=1)
    edge = (gap[:, 1] ** 2 - gap[:, 0] ** 2) / (2 * np.maximum(between, 1e-9))
    return (edge * side).reshape(side, side).astype(np.float32), number[:, 0].reshape(side, side)


def wall(side: int, seed: int = 11) -> NDArray[np.uint8]:
    """(side, side, 3) sRGB, developed as a camera would: uneven light, vignette and grain included."""
    edge, number = stones(side, seed)
    rng = np.random.default_rng(seed + 5)
    unit = side / 1024
    dome = np.tanh(np.maximum(edge / unit - 3, 0) / 16)
    rough = 0.35 * clouds(side, 24, seed + 3, 6) + 0.2 * clouds(side, 9, seed + 4)
    lean = rng.uniform(-0.25, 0.25, int(number.max()) + 1)[number]
    height = unit * (30 * dome * (1 + 0.3 * lean) + 9 * rough * (0.25 + 0.75 * dome)).astype(np.float32)
    slope = [cv2.Scharr(height, cv2.CV_32F, *axis) / 32 for axis in ((1, 0), (0, 1))]
    normal = np.stack([-slope[0], -slope[1], np.ones_like(height)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lamp = np.array([-0.45, -0.55, 0.70]) / np.linalg.norm([0.45, 0.55, 0.70])
    pit = np.clip((blur(height, 14 * unit) - height) / (12 * unit), 0, 1)
    light = 0.42 * (1 - 0.75 * pit) + 0.75 * np.maximum(normal @ lamp, 0) * (1 - 0.45 * pit)
    colour = _colour(number, dome, rough, clouds(side, 5, seed + 8), rng)
    shot = colour * light[..., None] * _lens(side)[..., None]
    shot += rng.normal(0, 0.006, shot.shape) * np.sqrt(np.maximum(shot, 0.01))
    return (np.clip(shot, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)


def _colour(number: NDArray[np.int64], dome: Grid, rough: Grid, moss: Grid, rng: np.random.Generator) -> Grid:
    """(H, W, 3) linear: each stone its own, earth in the joints, moss in patches."""
    kinds = np.array([[0.36, 0.31, 0.25], [0.30, 0.29, 0.28], [0.42, 0.35, 0.26], [0.25, 0.22, 0.20]])
    shade = rng.uniform(0.8, 1.2, (int(number.max()) + 1, 1))
    each = kinds[rng.integers(0, len(kinds), len(shade))] * shade
    stone = each[number] * (1 + 0.5 * rough)[..., None]
    earth = np.array([0.10, 0.075, 0.05]) * (1 + 0.8 * rough)[..., None]
    green = np.array([0.13, 0.18, 0.05]) * (1 + 0.9 * rough)[..., None]
    share = np.clip(dome * 2.2, 0, 1)[..., None]
    mixed = earth * (1 - share) + stone * share
    grown = np.clip((moss - 0.12 - 0.25 * dome + 0.4 * rough) * 5, 0, 1)[..., None]
    return np.asarray(mixed * (1 - grown) + green * grown)


def _lens(side: int) -> Grid:
    """Light that falls off to the right and below, and into the corners."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    return np.asarray((1.25 - 0.5 * x - 0.35 * y) * (1 - 0.35 * (x * x + y * y)))

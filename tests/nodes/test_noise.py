"""Noise tiles, repeats for its seed, fills its range, and is what its kind says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from app.engine import Run
from nodes.texture._noise import _hash, _part, _square, noise_rows, solid
from nodes.texture.noise import KINDS, SHAPES, noise


def made(**settings: object) -> np.ndarray:
    return noise(Run(), **{"width": 96, "height": 96, "octaves": 3, "cells": 4, **settings}).mask.values  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_it_repeats_without_a_border(kind: str, shape: str) -> None:
    """The step across the border is one of the steps inside, in every place."""
    values = made(kind=kind, shape=shape, warp=0.5, width=128, height=96)
    for axis in (0, 1):
        inside = np.abs(np.diff(values, axis=axis))
        across = np.abs(values.take(0, axis=axis) - values.take(-1, axis=axis))
        assert across.mean() < 1.4 * inside.mean() and across.max() <= 1.1 * inside.max()


@pytest.mark.parametrize("kind", KINDS)
def test_range_seed_and_threads(kind: str) -> None:
    one = made(kind=kind)
    assert one.min() == pytest.approx(0, abs=1e-6) and one.max() == pytest.approx(1, abs=1e-6)
    assert np.array_equal(one, made(kind=kind)) and not np.array_equal(one, made(kind=kind, seed=1))
    whole = np.zeros((96, 96), np.float32)
    noise_rows(KINDS.index(kind), 0, 4, 4, 3, 0.5, 0.0, 0, 0, 96, whole)
    assert np.abs(whole).max() <= 1.05
    raw = made(kind=kind, stretch=False)
    assert np.abs(raw - (0.5 + 0.5 * whole).clip(0, 1)).max() < 1e-6
    assert np.abs(made(kind=kind, contrast=0) - 0.5).max() < 1e-6
    assert np.abs(made(kind=kind, invert=True) - (1 - one)).max() < 1e-5


def test_gradient_noise_is_zero_on_its_lattice_and_smooth_across_it() -> None:
    for i in range(12):
        for j in range(3):
            assert _square(float(i), float(j), 5, 3, 7, True) == 0
            assert _square(i + 0.3, j + 0.6, 5, 3, 7, True) == pytest.approx(_square(i + 5.3, j - 2.4, 5, 3, 7, True))
    for kind in (True, False):
        steps = [_square(2 + d, 1.4, 5, 3, 7, kind) - _square(2 - d, 1.4, 5, 3, 7, kind) for d in (1e-3, 1e-4)]
        assert abs(steps[0]) < 6e-3 and abs(steps[1]) < 6e-4


def test_finer_layers_add_finer_detail() -> None:
    steps = [np.abs(np.diff(made(octaves=n, stretch=False), axis=1)).mean() for n in (1, 3, 6)]
    assert steps[0] < steps[1] < steps[2]
    power = np.abs(np.fft.rfft(made(octaves=1, cells=8, stretch=False) - 0.5, axis=1)).mean(axis=0)
    assert 3 <= power[1:].argmax() + 1 <= 10, "most power lies near eight features a width"


def test_cells_measure_the_distance_to_the_nearest_point() -> None:
    across = 5
    lattice = [(i, j) for i in range(across) for j in range(across)]
    points = np.array([[i + _part(_hash(i, j, 0, 9)), j + _part(_hash(i, j, 1, 9))] for i, j in lattice])
    tree = cKDTree(points, boxsize=across)
    out, cracks = np.zeros((50, 50), np.float32), np.zeros((50, 50), np.float32)
    noise_rows(3, 0, across, across, 1, 0.5, 0.0, 9, 0, 50, out)
    noise_rows(4, 0, across, across, 1, 0.5, 0.0, 9, 0, 50, cracks)
    y, x = (np.mgrid[:50, :50] + 0.5) / 10
    gap = tree.query(np.dstack([x, y]).reshape(-1, 2), k=2)[0].reshape(50, 50, 2)
    assert np.allclose(out, np.maximum(1 - 1.8 * gap[..., 0], -1), atol=1e-5)
    assert np.allclose(cracks, np.minimum(2 * (gap[..., 1] - gap[..., 0]), 2) - 1, atol=1e-5)


def test_noise_in_space_is_smooth_and_has_no_grid_of_its_own_on_a_plane() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-20, 20, (20_000, 3))
    here, there = np.empty(len(points)), np.empty(len(points))
    solid(points, 1, 0.5, 3, here)
    solid(points + 1e-4, 1, 0.5, 3, there)
    assert np.abs(here - there).max() < 2e-3, "continuous"
    assert abs(here.mean()) < 0.02 and 0.2 < here.std() < 0.6 and np.abs(here).max() <= 1.1
    whole = np.empty(100)
    solid(np.round(points[:100]), 1, 0.5, 3, whole)
    assert np.abs(whole).max() < 1e-9, "zero on the lattice"

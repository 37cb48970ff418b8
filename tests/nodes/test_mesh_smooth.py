"""Smoothing removes noise and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, oracle, sphere

from app.engine import BadInput, Mesh, Run
from nodes.mesh.normals import normals
from nodes.mesh.smooth import smooth
from nodes.mesh.unwrap import unwrap


def noisy(mesh: Mesh, amount: float = 0.006) -> Mesh:
    rng = np.random.default_rng(0)
    return replace(mesh, vertices=(mesh.vertices + rng.normal(0, amount, mesh.vertices.shape)).astype(np.float32))


@pytest.mark.parametrize("weights", ["uniform", "cotangent"])
@pytest.mark.parametrize("method", ["taubin", "laplacian"])
def test_noise_on_a_sphere_goes_and_the_volume_stays(method: str, weights: str) -> None:
    mesh = noisy(sphere(4))
    smoothed = smooth(Run(), mesh, method=method, weights=weights)
    assert np.linalg.norm(smoothed.vertices, axis=1).std() < 0.6 * np.linalg.norm(mesh.vertices, axis=1).std()
    assert oracle(smoothed).volume == pytest.approx(oracle(mesh).volume, rel=1e-5)
    assert np.array_equal(smoothed.faces, mesh.faces)


def test_taubin_keeps_the_size_without_help_and_laplacian_does_not() -> None:
    mesh = noisy(sphere(4))
    kept = [oracle(smooth(Run(), mesh, 30, method=m, keep_volume=False)).volume for m in ("taubin", "laplacian")]
    assert kept[0] == pytest.approx(oracle(mesh).volume, rel=0.01)
    assert kept[1] < 0.97 * oracle(mesh).volume


def test_borders_stay() -> None:
    mesh = noisy(grid(10), 0.01)
    smoothed = smooth(Run(), mesh, 20)
    border = (mesh.uv == 0).any(axis=1) | (mesh.uv == 1).any(axis=1)
    assert np.array_equal(smoothed.vertices[border], mesh.vertices[border])
    assert not np.allclose(smoothed.vertices[~border], mesh.vertices[~border], atol=1e-3)


def test_uv_seams_do_not_open_and_normals_stay_smooth_across_them() -> None:
    laid = unwrap(Run(), bumpy(4), method="fast")
    smoothed = smooth(Run(), laid, 20)
    assert oracle(smoothed).is_watertight
    assert np.array_equal(smoothed.uv, laid.uv)
    same = {}
    for place, normal in zip(map(tuple, smoothed.vertices.tolist()), smoothed.normals, strict=True):
        assert np.allclose(same.setdefault(place, normal), normal, atol=1e-5)


def test_hard_edges_stay_hard() -> None:
    faceted = normals(Run(), box(), 30)
    assert len(smooth(Run(), faceted, 1).vertices) == 24


def test_no_steps_change_nothing() -> None:
    mesh = bumpy(3)
    assert np.allclose(smooth(Run(), mesh, 0).vertices, mesh.vertices, atol=1e-6)


def test_bad_input_says_what_to_do() -> None:
    with pytest.raises(BadInput) as caught:
        smooth(Run(), Mesh.of(np.full((3, 3), np.inf), [[0, 1, 2]]))
    assert "Repair" in caught.value.advice

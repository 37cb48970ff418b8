"""Displacement against shapes that can be written down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, oracle, sphere

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.mesh import primitives
from nodes.mesh._measure import measure
from nodes.mesh.displace import displace
from nodes.mesh.unwrap import unwrap

SIZE = 64


def level(value: float) -> Image:
    return Image.of(np.full((8, 8), value, np.float32), "data")


def waves() -> Image:
    """One wave over the width and two over the height, at pixel centres."""
    u = (np.arange(SIZE) + 0.5) / SIZE
    return Image.of(0.5 + 0.25 * np.sin(2 * np.pi * u)[None] * np.cos(4 * np.pi * (1 - u))[:, None], "data")


@pytest.mark.parametrize("lay", ["UVs", "triplanar"])
def test_an_even_map_makes_a_larger_ball(lay: str) -> None:
    ball = primitives.sphere(0.5, "icosphere", detail=24)
    grown = displace(Run(), ball, level(1.0), strength=0.2, lay=lay)
    radius = np.linalg.norm(grown.vertices.astype(np.float64), axis=1)
    assert np.abs(radius[: len(ball.vertices)] - 0.6).max() < 1e-6
    assert len(grown.faces) == len(ball.faces) or radius.max() < 0.6 + 1e-6
    shrunk = displace(Run(), ball, level(0.0), strength=0.2, detail=0)
    assert np.abs(np.linalg.norm(shrunk.vertices, axis=1) - 0.4).max() < 1e-6
    same = displace(Run(), ball, level(0.5), strength=0.2, detail=0)
    assert np.abs(same.vertices - ball.vertices).max() < 1e-7
    plain = displace(Run(), sphere(4), level(1.0), strength=0.2, lay="triplanar", detail=0)
    assert np.abs(np.linalg.norm(plain.vertices, axis=1) - 1.1).max() < 1e-6


def test_waves_on_a_plane_are_the_waves() -> None:
    cells = SIZE - 1
    flat = grid(cells)
    inner = ((flat.uv * cells + 0.5) / SIZE).astype(np.float32)
    moved = displace(Run(), replace(flat, uv=inner), waves(), strength=0.4, detail=0)
    u, v = inner.T.astype(np.float64)
    wanted = 0.4 * 0.25 * np.sin(2 * np.pi * u) * np.cos(4 * np.pi * v)
    assert np.abs(moved.vertices[:, 1] - wanted).max() < 1e-6
    assert np.array_equal(moved.vertices[:, [0, 2]], flat.vertices[:, [0, 2]])


def test_a_coarse_plane_is_cut_until_the_waves_show() -> None:
    flat = grid(1)
    flat = replace(flat, normals=np.tile(np.float32([0, 1, 0]), (4, 1)))
    moved = displace(Run(), flat, waves(), strength=0.4, detail=2)
    u, v = moved.uv.T.astype(np.float64)
    inside = (np.abs(moved.uv - 0.5) < 0.49).all(axis=1)
    wanted = 0.1 * np.sin(2 * np.pi * u) * np.cos(4 * np.pi * v)
    assert np.abs(moved.vertices[:, 1] - wanted)[inside].max() < 1e-3
    assert np.linalg.norm(moved.uv[moved.faces] - np.roll(moved.uv[moved.faces], 1, axis=1), axis=2).max() <= 2 / SIZE
    slope = 0.2 * np.pi * np.cos(2 * np.pi * u) * np.cos(4 * np.pi * v)
    assert np.abs(-moved.normals[:, 0] / moved.normals[:, 1] - slope)[inside].mean() < 0.05


def test_seams_do_not_open() -> None:
    mesh = unwrap(Run(), bumpy(3), method="fast")
    noise = Image.of(np.random.default_rng(0).random((256, 256)).astype(np.float32), "data")
    moved = displace(Run(), mesh, noise, strength=0.05, detail=8)
    assert len(moved.faces) > 2 * len(mesh.faces)
    assert measure(moved).watertight and oracle(moved).euler_number == 2


def test_noise_needs_no_uvs_and_repeats_with_its_seed() -> None:
    ball = sphere(4)
    run = Run()
    one, again, other = (displace(run, ball, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.vertices, again.vertices) and not np.array_equal(one.vertices, other.vertices)
    assert measure(one).watertight and "noise" in run.notes[0]
    off = np.abs(np.linalg.norm(one.vertices, axis=1) - 1)
    assert 0.001 < off.max() < 0.03
    assert off.mean() > 0.001


def test_the_material_s_map_is_used_and_taken_off() -> None:
    ball = primitives.sphere(0.5, "icosphere", detail=8)
    dressed = replace(ball, material=Material(height=level(1.0), normal=Image.of(np.full((4, 4, 3), 0.5), "data")))
    run = Run()
    grown = displace(run, dressed, strength=0.2, detail=0)
    assert np.allclose(np.linalg.norm(grown.vertices, axis=1), 0.6, atol=1e-6)
    assert grown.material is not None and grown.material.height is None and grown.material.normal is not None
    assert len(run.notes) == 2
    linked = displace(Run(), dressed, level(0.5), detail=0)
    assert linked.material is not None and linked.material.height is not None


def test_a_map_finer_than_the_mesh_is_averaged() -> None:
    board = Image.of(np.indices((256, 256)).sum(axis=0) % 2 * 1.0, "data")
    run = Run()
    moved = displace(run, grid(16), board, strength=1.0, most_faces=1_000)
    assert np.abs(moved.vertices[:, 1]).max() < 0.01 and "1,000" in run.notes[0]


def test_bad_input_says_what_to_do() -> None:
    with pytest.raises(BadInput) as caught:
        displace(Run(), sphere(1), lay="UVs")
    assert "picture" in caught.value.advice
    with pytest.raises(BadInput) as caught:
        displace(Run(), sphere(1), level(1.0), lay="UVs")
    assert "Unwrap" in caught.value.advice
    with pytest.raises(BadInput):
        displace(Run(), Mesh.of(np.eye(3) * 1e6, [[0, 1, 2]]), tile=0.001)

"""Denoising keeps edges, implicit smoothing halves a wave, sharpening doubles it, and nothing crosses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moved, oracle, sphere, together, torus

from app.engine import BadInput, Image, Mask, Mesh, Run
from nodes.mesh import primitives
from nodes.mesh._crossing import crossings
from nodes.mesh._measure import measure
from nodes.mesh._topology import diagonal, face_vectors, weld_points
from nodes.mesh.denoise import denoise
from nodes.mesh.displace import displace
from nodes.mesh.sharpen import sharpen
from nodes.mesh.smooth import smooth
from nodes.mesh.subdivide import subdivide
from nodes.mesh.unwrap import unwrap


def noisy(mesh: Mesh, amount: float) -> Mesh:
    """Moved at random along the normals, alike at seams."""
    weld = weld_points(mesh.vertices)
    by = np.random.default_rng(0).normal(0, amount, (weld.count, 3))[weld.ids]
    return replace(mesh, vertices=(mesh.vertices + by).astype(np.float32))


def off_box(mesh: Mesh) -> np.ndarray:
    """(N,) how far vertices are from the surface of the unit cube."""
    out = np.abs(mesh.vertices) - 0.5
    outside = np.linalg.norm(np.maximum(out, 0), axis=1)
    return np.where(outside > 0, outside, np.abs(out.max(axis=1)))


def tilt(mesh: Mesh) -> float:
    """Mean degrees between face normals and the nearest axis."""
    normal = face_vectors(mesh.vertices, mesh.faces)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return float(np.degrees(np.arccos(np.clip(np.abs(normal).max(axis=1), -1, 1))).mean())


def test_a_noisy_box_is_a_box_again_with_its_edges() -> None:
    rough = noisy(primitives.box(pieces=20), 0.005)
    clean, soft = denoise(Run(), rough), smooth(Run(), rough, 10)
    assert tilt(rough) > 9 and tilt(clean) < 2 < tilt(soft)
    assert off_box(clean).mean() < 0.4 * off_box(rough).mean()
    assert np.quantile(off_box(clean), 0.99) < 0.6 * np.quantile(off_box(soft), 0.99)
    assert measure(clean).watertight and np.array_equal(clean.uv, rough.uv)
    assert oracle(clean).volume == pytest.approx(1.0, rel=0.01)


def test_what_is_clean_stays_clean() -> None:
    flat = primitives.box(pieces=8)
    assert np.abs(denoise(Run(), flat).vertices - flat.vertices).max() < 1e-6
    ball = sphere(4)
    assert np.abs(np.linalg.norm(denoise(Run(), ball).vertices, axis=1) - 1).max() < 0.005
    sheet = noisy(grid(10), 0.01)
    border = (sheet.uv == 0).any(axis=1) | (sheet.uv == 1).any(axis=1)
    assert np.array_equal(denoise(Run(), sheet).vertices[border], sheet.vertices[border])
    assert not np.array_equal(denoise(Run(), sheet, keep_borders=False).vertices[border], sheet.vertices[border])


def rippled(cells: int, waves: int, height: float = 0.002) -> Mesh:
    flat = grid(cells)
    lift = height * np.sin(2 * np.pi * waves * flat.uv[:, :1]) * (0, 1, 0)
    return replace(flat, vertices=(flat.vertices + lift).astype(np.float32), normals=None)


def height_left(mesh: Mesh, waves: int) -> float:
    """Height of the ripple far from the border, by its projection on the sine."""
    inside = (np.abs(mesh.uv - 0.5) < 0.25).all(axis=1)
    wave = np.sin(2 * np.pi * waves * mesh.uv[inside, 0])
    return float(mesh.vertices[inside, 1] @ wave / (wave @ wave))


@pytest.mark.parametrize("cells", [40, 80])
def test_a_wave_of_the_chosen_length_is_halved_however_fine_the_triangles_are(cells: int) -> None:
    mesh = rippled(cells, 8)
    length = 100 / 8 / diagonal(mesh)
    for times, kept in ((0.5, 0.8), (1.0, 0.5), (2.0, 0.2)):
        done = smooth(Run(), mesh, method="implicit", detail=times * length)
        assert height_left(done, 8) / 0.002 == pytest.approx(kept, rel=0.12 if cells == 40 else 0.04)


def test_implicit_smoothing_keeps_volume_and_seams() -> None:
    mesh = unwrap(Run(), noisy(bumpy(4), 0.003), method="fast")
    done = smooth(Run(), mesh, method="implicit", detail=8)
    assert measure(done).watertight and oracle(done).volume == pytest.approx(oracle(mesh).volume, rel=1e-4)
    ball = smooth(Run(), noisy(sphere(4), 0.005), method="implicit", detail=30)
    assert np.linalg.norm(ball.vertices, axis=1).std() < 0.001


def test_sharpening_adds_what_smoothing_takes() -> None:
    mesh = rippled(60, 8)
    length = 100 / 8 / diagonal(mesh)
    doubled = sharpen(Run(), mesh, strength=2.0, radius=length)
    assert height_left(doubled, 8) / 0.002 == pytest.approx(2.0, rel=0.05)
    same = sharpen(Run(), mesh, strength=0.0)
    assert np.abs(same.vertices - mesh.vertices).max() < 1e-7
    little = sharpen(Run(), mesh, strength=10, radius=length, most=0.01)
    assert np.linalg.norm(little.vertices - mesh.vertices, axis=1).max() <= 1.001e-4 * diagonal(mesh)


def crossed(mesh: Mesh) -> int:
    weld = weld_points(mesh.vertices)
    return len(crossings(mesh.vertices[weld.first], weld.ids[mesh.faces], lambda _: None).pairs)


def test_sharpening_makes_no_crossings_where_walls_are_near() -> None:
    ball = noisy(sphere(4), 0.004)
    pair = together(ball, moved(ball, 2.03, 0, 0))
    assert crossed(pair) == 0
    run = Run()
    strong = sharpen(run, pair, strength=8, most=20)
    assert crossed(strong) == 0 and measure(strong).watertight and "crossed" in run.notes[0]
    wild = sharpen(Run(), pair, strength=8, most=20, prevent_crossings=False)
    assert crossed(wild) > 0
    apart = np.linalg.norm(wild.vertices - strong.vertices, axis=1)
    assert (apart == 0).mean() > 0.8


def test_a_torus_gets_more_relief_where_it_has_some() -> None:
    ring = subdivide(Run(), torus(), "flat")
    assert np.abs(sharpen(Run(), ring, radius=5).vertices - ring.vertices).max() < 0.05
    assert len(sharpen(Run(), box()).vertices) == 8


def test_a_mask_over_the_uvs_tells_where() -> None:
    """Black on the left of the texture: nothing moves there; white on the right: as without a mask."""
    mesh = unwrap(Run(), noisy(bumpy(4), 0.004), method="fast")
    halves = Mask(np.repeat(np.float32([[0, 1]]), 64, axis=1).repeat(128, axis=0))
    weld = weld_points(mesh.vertices)
    left, right = mesh.uv[:, 0] < 0.49, mesh.uv[:, 0] > 0.51
    off = np.bincount(weld.ids, ~left)[weld.ids] == 0
    full = np.bincount(weld.ids, ~right)[weld.ids] == 0
    assert off.sum() > 500 and full.sum() > 500
    even = Image.of(np.ones((4, 4), np.float32), "data")
    for step in (
        lambda mask: smooth(Run(), mesh, keep_volume=False, mask=mask),
        lambda mask: denoise(Run(), mesh, mask=mask),
        lambda mask: sharpen(Run(), mesh, prevent_crossings=False, mask=mask),
        lambda mask: displace(Run(), mesh, even, detail=0, mask=mask),
    ):
        part, whole = step(halves), step(None)
        assert measure(part).watertight
        assert np.array_equal(part.vertices[off], mesh.vertices[off])
        assert np.allclose(part.vertices[full], whole.vertices[full], atol=1e-6)
        assert np.abs(part.vertices[full] - mesh.vertices[full]).max() > 1e-3
    with pytest.raises(BadInput) as caught:
        smooth(Run(), sphere(1), mask=halves)
    assert "Unwrap" in caught.value.advice

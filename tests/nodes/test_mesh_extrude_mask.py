"""A mask becomes a closed solid as large as the mask is bright."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_shapes import oracle
from test_primitives import covered_once, uv_areas

from app.engine import BadInput, Image, Mask, Run
from nodes.mesh._flips import flipped
from nodes.mesh.extrude_mask import extrude_mask as extrude


def discs(*rings: tuple[float, float, float, float], size: tuple[int, int] = (300, 200)) -> Mask:
    """Soft discs, or rings: x, y, outer and inner radius in pixels."""
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    values = np.zeros(x.shape)
    for cx, cy, outer, inner in rings:
        away = np.hypot(x - cx, y - cy)
        values = np.maximum(values, np.clip(outer - away + 0.5, 0, 1) * np.clip(away - inner + 0.5, 0, 1))
    return Mask(values.astype(np.float32))


def test_a_disc_and_a_ring_have_their_volume_place_and_holes() -> None:
    mask = discs((80, 60, 50, 0), (220, 120, 60, 25))
    mesh = extrude(Run(), mask, width=3.0, depth=0.2, smooth=0, error=0.05)
    solid = oracle(mesh)
    assert solid.is_watertight and solid.is_winding_consistent and solid.body_count == 2 and solid.euler_number == 2
    area = np.pi * (50**2 + 60**2 - 25**2) * 0.01**2
    assert solid.volume == pytest.approx(area * 0.2, rel=3e-3)
    assert np.allclose(mesh.bounds, [[-1.2, -0.8, -0.1], [1.3, 0.9, 0.1]], atol=2e-3)
    assert np.array_equal(np.unique(mesh.face_groups), [0, 1])
    assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1 and uv_areas(mesh).min() > 0 and covered_once(mesh) == 1


def test_a_bevel_keeps_it_closed() -> None:
    mask = discs((220, 120, 60, 25))
    plain, soft = (extrude(Run(), mask, bevel=b, width=3.0, depth=0.4) for b in (0.0, 0.05))
    assert oracle(soft).is_watertight and oracle(soft).euler_number == 0
    assert 0.9 < oracle(soft).volume / oracle(plain).volume < 0.99


def test_steps_of_a_hard_mask_are_rounded_off() -> None:
    hard = Mask((discs((150, 100, 80, 0)).values > 0.5).astype(np.float32))
    stepped, smooth = (extrude(Run(), hard, smooth=s, width=3.0, depth=1.0) for s in (0.0, 2.0))
    area = np.pi * 0.8**2
    for mesh in (stepped, smooth):
        assert oracle(mesh).volume == pytest.approx(area, rel=0.01)

    def wobble(mesh: object) -> float:
        rim = mesh.vertices[np.abs(mesh.normals[:, 2]) < 0.1]
        return float(np.hypot(rim[:, 0], rim[:, 1]).std())

    assert wobble(smooth) < wobble(stepped) / 2


def test_a_picture_lies_where_the_mask_was_cut_from_it() -> None:
    picture = Image.of(np.random.default_rng(0).random((200, 300, 3)))
    mesh = extrude(Run(), discs((80, 60, 50, 0)), picture, width=3.0)
    assert mesh.material.base_colour is picture
    assert np.allclose(mesh.uv, (mesh.vertices[:, :2] + (1.5, 1.0)) / (3, 2), atol=1e-6)
    assert mesh.uv[:, 1].max() == pytest.approx(1 - 10 / 200, abs=0.01), "up in the picture is up"


def test_small_spots_go_and_nothing_is_said_in_words() -> None:
    mask = discs((80, 60, 50, 0), (250, 150, 3, 0))
    assert oracle(extrude(Run(), mask, smooth=0)).body_count == 2
    assert oracle(extrude(Run(), mask, smooth=0, smallest=60)).body_count == 1
    with pytest.raises(BadInput, match="large and bright"):
        extrude(Run(), Mask(np.zeros((20, 20), np.float32)))
    full = oracle(extrude(Run(), Mask(np.ones((20, 40), np.float32)), smooth=0, width=4, depth=1))
    assert full.is_watertight and full.volume == pytest.approx(8, rel=0.02)
    run = Run()
    extrude(run, mask, bevel=0.5)
    assert any("room for a bevel" in note for note in run.notes)


def test_flips_keep_the_shape_and_end_with_delaunay_triangles() -> None:
    from manifold3d import triangulate

    rng = np.random.default_rng(2)
    for _ in range(20):
        turn = np.sort(rng.random(40)) * 2 * np.pi
        away = 1 + 0.6 * rng.random(40)
        outer = np.stack([np.cos(turn), np.sin(turn)], axis=1) * away[:, None]
        hole = outer[::-1] * 0.4
        at = np.concatenate([outer, hole])
        before = np.asarray(triangulate([outer, hole]))
        after = flipped(at, before, np.zeros(len(at), int))
        areas = [cross(at[f]) for f in (before, after)]
        assert areas[1].min() > 0 and areas[1].sum() == pytest.approx(areas[0].sum())
        sides = {(a, b): c for f in after.tolist() for a, b, c in (f, f[1:] + f[:1], f[2:] + f[:2])}
        for (a, b), c in sides.items():
            d = sides.get((b, a))
            if d is not None and cross(at[[a, d, c]]) > 1e-9 and cross(at[[d, b, c]]) > 1e-9:
                assert opening(at, a, b, c) + opening(at, a, b, d) < np.pi + 1e-6
        mixed = flipped(at, before, np.repeat([0, 1], len(outer)))
        assert sum(len(set(f // len(outer))) == 1 for f in mixed) <= sum(len(set(f // len(outer))) == 1 for f in after)


def cross(corners: np.ndarray) -> np.ndarray:
    one, two = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]


def opening(at: np.ndarray, a: int, b: int, c: int) -> float:
    one, two = at[a] - at[c], at[b] - at[c]
    return float(np.arccos(np.clip(one @ two / np.linalg.norm(one) / np.linalg.norm(two), -1, 1)))

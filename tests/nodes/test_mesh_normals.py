"""Normals, hard and soft, and placing a mesh."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_shapes import box, grid, oracle, sphere

from app.engine import BadInput, Mesh, Run
from nodes.mesh.normals import normals
from nodes.mesh.transform import transform


def test_a_box_has_hard_or_soft_corners() -> None:
    hard, soft = normals(Run(), box(), 40), normals(Run(), box(), 180)
    assert (len(hard.vertices), len(soft.vertices)) == (24, 8)
    assert np.allclose(np.abs(hard.normals).max(axis=1), 1)
    assert np.allclose(soft.normals, np.sign(soft.vertices) / np.sqrt(3), atol=1e-6)


def test_a_sphere_is_smooth_and_facets_are_flat() -> None:
    smooth = normals(Run(), sphere(4), 40)
    assert (np.einsum("ij,ij->i", smooth.normals, smooth.vertices) > 0.999).all()
    flat = normals(Run(), sphere(2), 0)
    assert len(flat.vertices) == 3 * len(flat.faces)
    assert np.allclose(flat.normals[flat.faces[:, 0]], oracle(sphere(2)).face_normals, atol=1e-5)


def test_turning_inside_out() -> None:
    turned = normals(Run(), sphere(3), 180, flip=True)
    assert oracle(turned).volume < 0
    assert (np.einsum("ij,ij->i", turned.normals, turned.vertices) < -0.99).all()


def test_uv_and_colours_follow_the_split() -> None:
    mesh = grid(4)
    assert np.array_equal(normals(Run(), mesh, 0).uv[normals(Run(), mesh, 0).faces], mesh.uv[mesh.faces])


def test_scaled_to_a_height_on_the_floor() -> None:
    placed = transform(Run(), sphere(3), height=1.8, place="floor", move_x=2)
    low, high = placed.bounds
    assert np.allclose(low, (2 - 0.9, 0, -0.9), atol=0.01) and high[1] == pytest.approx(1.8)


def test_turns_are_counter_clockwise_and_carry_the_normals() -> None:
    mesh = Mesh.of([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 2]], normals=np.eye(3, dtype=np.float32))
    assert np.allclose(transform(Run(), mesh, turn_y=90).vertices, [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-6)
    turned = transform(Run(), mesh, turn_x=90, turn_z=90)
    assert np.allclose(turned.vertices, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-6)
    assert np.allclose(turned.normals, turned.vertices)


def test_centre() -> None:
    mesh = Mesh.of(sphere(2).vertices + np.float32(7), sphere(2).faces)
    low, high = transform(Run(), mesh, place="centre", scale=3).bounds
    assert np.allclose(low + high, 0, atol=1e-5) and high[0] - low[0] == pytest.approx(6, rel=1e-3)


def test_a_flat_mesh_has_no_height() -> None:
    with pytest.raises(BadInput) as caught:
        transform(Run(), grid(), height=1)
    assert caught.value.advice

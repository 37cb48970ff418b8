from __future__ import annotations

from dataclasses import replace

import numpy as np
from viewer_samples import quad, scene, sphere

from app.engine.payloads import Mesh
from viewer.adapters import adapt
from viewer.facts import closed, counted
from viewer.proxy import coarse
from viewer.shown import finite_bounds

TETRAHEDRON = Mesh.of(
    np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]), [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]
)


def test_a_mesh_is_closed_across_its_uv_seam():
    assert closed(sphere())
    assert closed(TETRAHEDRON)


def test_open_empty_broken_and_doubled_meshes_are_not_closed():
    ball = sphere()
    assert not closed(quad())
    assert not closed(replace(ball, faces=ball.faces[1:]))
    assert not closed(Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))
    assert not closed(replace(TETRAHEDRON, faces=np.tile(TETRAHEDRON.faces, (2, 1))))
    assert not closed(replace(TETRAHEDRON, vertices=TETRAHEDRON.vertices * np.float32(np.nan)))


def test_faces_without_area_and_negative_zero_do_not_open_a_mesh():
    vertices = np.concatenate([TETRAHEDRON.vertices, [[-0.0, 0.0, -0.0]]])
    faces = np.concatenate([TETRAHEDRON.faces[:3], [[4, 3, 2]], [[0, 4, 1]]])
    assert closed(Mesh.of(vertices, faces))


def test_counts_and_size_are_told():
    assert counted(adapt(quad())) == "2 triangles · 2 × 2 × 0 m · 4 vertices"
    assert counted(adapt(quad()), False) == "2 triangles · 2 × 2 × 0 m · not watertight · 4 vertices"


def test_a_coarse_mesh_keeps_shape_size_and_attributes():
    big = sphere(400, 600)
    small = coarse(big, 20_000)
    assert 5_000 < len(small.faces) < 30_000
    assert np.abs(np.subtract(finite_bounds(small.vertices), finite_bounds(big.vertices))).max() < 0.03
    assert small.uv.shape == (len(small.vertices), 2)
    assert np.abs(np.linalg.norm(small.vertices - [0, 0.5, 0], axis=1) - 0.5).max() < 1e-5


def test_a_scene_tells_its_objects_and_materials():
    assert counted(adapt(scene())).startswith("4 objects · 2 materials · 4,")

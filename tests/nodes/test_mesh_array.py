"""Arrays: exact copies where they should be, one solid where they touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import oracle

from app.engine import BadInput, Mesh, Run
from nodes.mesh.array import array, grid_array, path_array, radial_array
from nodes.mesh.bend import bend
from nodes.mesh.primitives import box, cylinder, plane, sphere, torus


def split(mesh: Mesh, one: Mesh) -> np.ndarray:
    """(K, N, 3) vertices of the copies."""
    count = len(one.vertices)
    assert len(mesh.vertices) % count == 0
    for k in range(len(mesh.vertices) // count):
        assert np.array_equal(mesh.faces[k * len(one.faces) : (k + 1) * len(one.faces)], one.faces + k * count)
    return mesh.vertices.reshape(-1, count, 3)


def test_a_line_is_of_exact_copies() -> None:
    one = torus(0.5, 0.25, 16, 8)
    one = replace(one, vertices=np.round(one.vertices * 1024) / np.float32(1024))
    got = array(Run(), one, 7, 0, 0, 0, 2.0, 0.25, -0.5)
    copies = split(got, one)
    for k, copy in enumerate(copies):
        assert np.array_equal(copy - np.float32([2 * k, k / 4, -k / 2]), one.vertices), "equal to the last bit"
    assert np.array_equal(got.normals.reshape(7, -1, 3), np.tile(one.normals, (7, 1, 1)))
    assert np.array_equal(got.uv.reshape(7, -1, 2), np.tile(one.uv, (7, 1, 1)))
    assert np.array_equal(got.face_groups, np.repeat(np.arange(7), len(one.faces)))


def test_steps_are_in_sizes_and_part_numbers_never_collide() -> None:
    one = replace(box(2, 1, 1), face_groups=np.repeat(np.arange(3, dtype=np.int32), 4))
    got = array(Run(), one, 3, 1.5)
    assert np.allclose(got.bounds, [[-1, -0.5, -0.5], [7, 0.5, 0.5]])
    assert np.array_equal(np.unique(got.face_groups), np.arange(9))
    small = array(Run(), one, 4, 0, 1, scale=0.5, turn=90)
    widths = [np.ptp(copy, axis=0) for copy in split(small, one)]
    assert np.allclose(widths, [[2, 1, 1], [0.5, 0.5, 1], [0.5, 0.25, 0.25], [0.125, 0.125, 0.25]], atol=1e-6)


@pytest.mark.parametrize("pieces", [1, 3])
def test_touching_boxes_become_one_solid_without_walls(pieces: int) -> None:
    got = array(Run(), box(0.3, 0.2, 0.1, pieces), 9, 1.0, merge=1e-4)
    solid = oracle(got)
    assert solid.is_watertight and solid.body_count == 1 and solid.euler_number == 2
    assert solid.volume == pytest.approx(9 * 0.006, rel=1e-5) and solid.area == pytest.approx(
        2 * (2.7 * 0.2 + 2.7 * 0.1 + 0.02), rel=1e-5
    )
    wall = grid_array(Run(), box(1, 1, 1, pieces), 3, 3, 3, x=0, y=0, z=0, merge=1e-4)
    assert oracle(wall).area == pytest.approx(54, rel=1e-6) and oracle(wall).is_watertight


def test_without_merge_and_apart_nothing_is_joined() -> None:
    assert oracle(array(Run(), box(), 3, 1.0)).area == pytest.approx(18)
    apart = array(Run(), box(), 3, 1.1, merge=0.05)
    assert len(apart.faces) == 36 and oracle(apart).body_count == 3


def test_open_tubes_join_at_their_ends() -> None:
    tube = cylinder(0.2, 1.0, 24, 2)
    wall = np.abs(tube.normals[tube.faces, 1]).max(axis=1) < 0.5
    got = array(Run(), replace(tube, faces=tube.faces[wall]), 4, 0, 1.0, merge=1e-4)
    used = oracle(replace(got, uv=None))
    assert used.body_count == 1 and used.euler_number == 0


def test_a_grid_stands_where_it_should() -> None:
    got = grid_array(Run(), box(1, 1, 1), 3, 2, 4, "step", 2, 3, 1.5)
    middles = split(got, box()).mean(axis=1)
    assert len(np.unique(middles, axis=0)) == 24 and np.allclose(middles.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(got.bounds, [[-2.5, -2, -2.75], [2.5, 2, 2.75]])
    bricks = grid_array(Run(), box(1, 1, 1), 2, 2, 1, "gap", 0, 0, 0, 0.5, False)
    assert np.allclose(split(bricks, box()).mean(axis=1)[:, 0], [0, 1, 0.5, 1.5], atol=1e-6)


def test_a_circle_closes_and_faces_outward() -> None:
    one = box(0.2, 0.5, 0.1)
    got = split(radial_array(Run(), one, 12, 2.0), one)
    middles = got.mean(axis=1)
    assert np.allclose(np.hypot(middles[:, 0], middles[:, 2]), 2, atol=1e-6)
    angle = np.unwrap(np.arctan2(-middles[:, 2], middles[:, 0]))
    assert np.allclose(np.diff(angle), 2 * np.pi / 12, atol=1e-6)
    outer = np.hypot(*got[:, :, [0, 2]].transpose(2, 0, 1)).max(axis=1)
    assert np.allclose(outer, np.hypot(2.1, 0.05), atol=1e-6)
    kept = split(radial_array(Run(), one, 12, 2.0, facing="keep"), one)
    assert np.allclose(kept - kept.mean(axis=1, keepdims=True), one.vertices, atol=1e-6)
    half = split(radial_array(Run(), one, 5, 1.0, 180), one).mean(axis=1)
    assert np.allclose(half[-1], [-1, 0, 0], atol=1e-6)
    stair = split(radial_array(Run(), one, 5, 1.0, 360, rise=0.2), one).mean(axis=1)
    assert np.allclose(stair[:, 1], np.arange(5) * 0.2, atol=1e-6) and np.allclose(stair[-1, ::2], [1, 0], atol=1e-6)


def test_a_fence_stands_on_the_border_and_turns_with_it() -> None:
    post = box(0.5, 1.0, 0.1)
    got = split(path_array(Run(), post, plane(4, 2, 3)), post)
    assert len(got) == 24
    feet = got.mean(axis=1)
    assert np.allclose(feet[:, 1], 0.5, atol=1e-6)
    on_side = (np.abs(np.abs(feet[:, 0]) - 2) < 1e-5) | (np.abs(np.abs(feet[:, 2]) - 1) < 1e-5)
    assert on_side.all()
    for copy, foot in zip(got, feet, strict=True):
        wide = np.ptp(copy, axis=0)[[0, 2]]
        assert np.allclose(wide, [0.5, 0.1] if abs(abs(foot[2]) - 1) < 1e-5 else [0.1, 0.5], atol=1e-5)
    assert len(split(path_array(Run(), post, plane(4, 2), 1.0, turn=False), post)) == 12
    for along, bar in (("y", box(0.1, 0.5, 0.2)), ("z", box(0.1, 0.2, 0.5))):
        rails = path_array(Run(), bar, plane(4, 2), along=along, merge=1e-4)
        low, high = rails.bounds
        assert np.allclose(
            high - low, [4.1, 0.1 if along == "y" else 0.2, 2.1] if along == "z" else [4.2, 0.1, 2.2], atol=1e-5
        )


def test_around_a_closed_mesh_they_stand_at_its_foot() -> None:
    post, run = box(0.1, 0.4, 0.1), Run()
    got = split(path_array(run, post, sphere(2.0, segments=64)), post)
    feet = got.mean(axis=1)
    assert np.allclose(np.hypot(feet[:, 0], feet[:, 2]), 2, atol=0.01) and np.allclose(feet[:, 1], -1.8, atol=1e-5)
    assert any("closed" in note for note in run.notes)


def test_too_much_and_nothing_are_said_in_words() -> None:
    with pytest.raises(BadInput, match="All copies"):
        array(Run(), sphere(segments=256), 10_000)
    with pytest.raises(BadInput, match="too large"):
        array(Run(), box(), 100, scale=2.0)
    with pytest.raises(BadInput):
        array(Run(), Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))


def test_eight_bent_pieces_become_one_ring() -> None:
    piece = bend(Run(), box(0.2, 1.0, 0.3), 45, pieces=8)
    middle = np.float32([1.0 / (np.pi / 4), -0.5, 0])
    piece = replace(piece, vertices=piece.vertices - middle)
    ring = oracle(radial_array(Run(), piece, 8, 0.0, axis="z", merge=1e-4))
    assert ring.is_watertight and ring.body_count == 1 and ring.euler_number == 0
    assert ring.volume == pytest.approx(8 * oracle(piece).volume, rel=1e-4)
    loose = oracle(radial_array(Run(), piece, 8, 0.0, axis="z"))
    assert loose.area == pytest.approx(ring.area + 16 * 0.06, rel=1e-4), "the walls between the pieces are gone"

"""Unwrapped meshes have no overlap, no mirrored part and bounded distortion, whichever method laid them out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moebius, moved, oracle, sphere, together, torus, uv_turns

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.mesh._flatten import _shape
from nodes.mesh._measure import measure, measure_uv
from nodes.mesh._raster import count_covers, texel_corners
from nodes.mesh.unwrap import box_unwrap, unwrap

METHODS = ["xatlas", "fast", "box"]
SHAPES = {"box": box(), "torus": torus(), "bumpy": bumpy(4), "grid": grid(), "moebius": moebius()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_layout(shape: str, method: str) -> None:
    mesh = SHAPES[shape]
    laid = unwrap(Run(), mesh, method=method)
    layout = measure_uv(laid, 1.0)
    assert layout.mirrored == 0 and layout.outside == 0
    assert layout.overlap < 0.001
    assert layout.coverage > 0.25
    assert np.array_equal(laid.vertices[laid.faces], mesh.vertices[mesh.faces])


@pytest.mark.parametrize("method", ["fast", "box"])
def test_area_and_angles_are_kept_within_bounds(method: str) -> None:
    """The ratio of UV area to surface area, and the stretch of each face, against those of a perfect layout."""
    mesh = bumpy(5)
    laid = unwrap(Run(), mesh, method=method)
    _, _, area = _shape(laid)
    share = (uv_turns(laid) / 2 / area) * area.sum() / (uv_turns(laid).sum() / 2)
    assert (share > 0).all()
    weight = area / area.sum()
    assert (weight * np.maximum(share, 1 / share)).sum() < 1.5
    assert weight[(share > 3) | (share < 1 / 3)].sum() < 0.02


def test_charts_keep_their_distance() -> None:
    """Grown by just under half the padding, no chart touches another."""
    padding, size = 8, 512
    laid = unwrap(Run(), bumpy(4), texture_size=size, padding=padding, method="fast")
    from nodes.mesh._topology import edges_of, parts

    _, chart = parts(laid.faces, edges_of(laid.faces))
    owner = np.full((size, size), -1)
    for c in range(int(chart.max()) + 1):
        counts = np.zeros((size, size), np.uint16)
        count_covers(texel_corners(laid.uv, laid.faces[chart == c], size), counts)
        near = np.zeros_like(counts, bool)
        rows, columns = np.nonzero(counts)
        reach = padding // 2 - 1
        for dy in (-reach, 0, reach):
            for dx in (-reach, 0, reach):
                near[(rows + dy).clip(0, size - 1), (columns + dx).clip(0, size - 1)] = True
        assert not ((owner >= 0) & near).any()
        owner[near] = c


def test_normals_stay_smooth_across_seams() -> None:
    laid = unwrap(Run(), sphere(4))
    assert (np.einsum("ij,ij->i", laid.normals, laid.vertices) > 0.999).all()


def test_hard_edges_stay_hard() -> None:
    from nodes.mesh.normals import normals

    faceted = normals(Run(), box(), crease=30)
    laid = unwrap(Run(), faceted, method="fast")
    assert np.array_equal(laid.normals[laid.faces], faceted.normals[faceted.faces])


def test_colours_and_groups_stay() -> None:
    mesh = bumpy(3)
    rng = np.random.default_rng(0)
    full = replace(
        mesh,
        colours=rng.random((len(mesh.vertices), 4)).astype(np.float32),
        face_groups=rng.integers(0, 3, len(mesh.faces)).astype(np.int32),
    )
    for method in METHODS:
        laid = unwrap(Run(), full, method=method)
        assert np.array_equal(laid.colours[laid.faces], full.colours[full.faces])
        assert np.array_equal(laid.face_groups, full.face_groups)


def test_old_textures_are_dropped_and_said() -> None:
    run = Run()
    textured = replace(grid(), material=Material(base_colour=Image.of(np.ones((4, 4))), roughness_factor=0.3))
    laid = unwrap(run, textured)
    assert laid.material is not None and laid.material.base_colour is None and laid.material.roughness_factor == 0.3
    assert any("dropped" in note for note in run.notes)


def test_large_mesh_takes_the_fast_way_and_stays_whole() -> None:
    run = Run()
    mesh = bumpy(6)
    laid = unwrap(run, mesh)
    layout = measure_uv(laid, 1.0)
    assert not run.notes
    assert layout.mirrored == 0 and layout.overlap < 0.001 and layout.charts < 100 and layout.coverage > 0.45
    assert measure(laid).watertight


def test_noise_does_not_shatter_the_layout() -> None:
    mesh = sphere(5)
    rng = np.random.default_rng(0)
    rough = replace(mesh, vertices=(mesh.vertices + rng.normal(0, 0.006, mesh.vertices.shape)).astype(np.float32))
    layout = measure_uv(unwrap(Run(), rough, method="fast"), 1.0)
    assert layout.mirrored == 0 and layout.overlap < 0.001 and layout.charts < 600


def test_a_spiral_ramp_is_taken_apart() -> None:
    """Seen from above its turns lie over each other, though they all look the same way."""
    turn = np.linspace(0, 6 * np.pi, 200)
    rows = [np.stack([r * np.cos(turn), turn * 0.05, r * np.sin(turn)], axis=1) for r in (0.6, 1.0)]
    i = np.arange(199)
    faces = np.concatenate([np.stack([i, i + 200, i + 1], axis=1), np.stack([i + 1, i + 200, i + 201], axis=1)])
    for method in ("fast", "box"):
        layout = measure_uv(unwrap(Run(), Mesh.of(np.concatenate(rows), faces), method=method), 1.0)
        assert layout.overlap < 0.001 and layout.mirrored == 0


def test_faces_without_area_do_no_harm() -> None:
    mesh = bumpy(3)
    broken = Mesh.of(mesh.vertices, np.concatenate([mesh.faces, [[0, 0, 1], [5, 5, 5]]]))
    for method in METHODS:
        laid = unwrap(Run(), broken, method=method)
        assert len(laid.faces) == len(broken.faces) and np.isfinite(laid.uv).all()


def test_equal_input_gives_equal_output() -> None:
    mesh = bumpy(4)
    for method in METHODS:
        one, two = unwrap(Run(), mesh, method=method), unwrap(Run(), mesh, method=method)
        assert np.array_equal(one.uv, two.uv) and np.array_equal(one.faces, two.faces)


def test_the_fallback_takes_the_same_arguments() -> None:
    laid = box_unwrap(Run(), together(box(), moved(torus(), 3, 0, 0)), texture_size=256, padding=2, method="auto")
    assert measure_uv(laid, 1.0).overlap < 0.001


def test_known_models(shared: Path) -> None:
    import trimesh

    for name in ("spot", "teapot", "suzanne"):
        shape = trimesh.load(shared / "meshes" / f"{name}.obj", force="mesh")
        for method in ("xatlas", "fast"):
            layout = measure_uv(unwrap(Run(), Mesh.of(shape.vertices, shape.faces), method=method), 1.0)
            assert layout.overlap < 0.001 and layout.mirrored == 0, (name, method)


def test_bad_input_says_what_to_do() -> None:
    for mesh in (Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))), Mesh.of(np.full((3, 3), np.nan), [[0, 1, 2]])):
        with pytest.raises(BadInput) as caught:
            unwrap(Run(), mesh)
        assert caught.value.advice


def test_watertightness_survives() -> None:
    assert oracle(unwrap(Run(), bumpy(4))).is_watertight


def test_a_part_without_area_is_no_obstacle() -> None:
    """A sliver apart from the rest: its chart has no direction to be seen along."""
    rest = box()
    sliver = Mesh.of([[3, 0, 0], [4, 0, 0], [5, 0, 0]], [[0, 1, 2]])
    laid = unwrap(Run(), together(rest, sliver), method="fast")
    assert np.isfinite(laid.uv).all() and measure_uv(laid, 1.0).overlap < 0.001


def test_charts_that_cannot_fit_are_told() -> None:
    many = together(*(moved(box(), 3 * i, 0, 0) for i in range(80)))
    with pytest.raises(BadInput, match="do not fit") as caught:
        unwrap(Run(), many, texture_size=64, padding=16, method="box")
    assert "larger texture" in caught.value.advice

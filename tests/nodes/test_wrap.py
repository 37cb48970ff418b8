"""A skin around anything: closed, two-sided, around every point, no farther away than promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, grid, moved, oracle, sphere, surface_points, together

from app.engine import BadInput, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._bvh import build
from nodes.mesh._inside import winding
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.wrap import wrap

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
needs_meshes = pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")


def size(mesh: Mesh) -> float:
    return float(np.ptp(mesh.vertices[mesh.faces].reshape(-1, 3), axis=0).max())


def assert_kept(mesh: Mesh, skin: Mesh, gap: float, offset: float) -> np.ndarray:
    """Everything that is promised; returns the distances of the skin's vertices to the mesh, in % of the size."""
    shape = measure(skin)
    assert shape.watertight and shape.manifold and shape.crossed == shape.duplicate == 0
    assert oracle(skin).is_watertight
    middle = skin.vertices.mean(axis=0)
    inner = np.concatenate([mesh.vertices[np.unique(mesh.faces)], surface_points(mesh, 3000)[0]])
    assert (winding(build(skin.vertices - middle, skin.faces), inner - middle) > 0.5).all()
    away = nearest_on(surface_of(mesh), skin.vertices.astype(np.float64)).distance / size(mesh) * 100
    assert away.max() <= gap / 2 * 1.001 and away.min() > 0.8 * offset
    return away


@pytest.mark.parametrize("mesh", [sphere(4), box(), together(box(), moved(box(), 0.5, 0.3, 0.2))])
def test_around_a_body_it_lies_at_the_offset(mesh: Mesh) -> None:
    run = Run()
    skin = wrap(run, mesh, gap=12, offset=2)
    away = assert_kept(mesh, skin, 12, 2)
    assert away.mean() == pytest.approx(2, rel=0.03) and measure(skin).genus == 0 and measure(skin).parts == 1
    assert run.notes == []


def test_a_hole_narrower_than_the_ball_is_closed_and_a_wider_one_is_not() -> None:
    """A ball with a hole of 31 % of its size."""
    whole = sphere(4)
    shell = Mesh.of(whole.vertices, whole.faces[whole.vertices[whole.faces][..., 1].max(axis=1) < 0.95])
    shut, opened = wrap(Run(), shell, gap=40, offset=4), wrap(Run(), shell, gap=20, offset=4)
    assert_kept(shell, shut, 40, 4)
    assert_kept(shell, opened, 20, 4)
    full = 4 / 3 * np.pi * 1.08**3
    assert measure(shut).volume == pytest.approx(full, rel=0.04)
    assert measure(opened).volume == pytest.approx(4 * np.pi * 0.16, rel=0.25)
    assert measure(shut).genus == measure(opened).genus == 0


def test_bodies_inside_a_closed_one_do_not_show() -> None:
    shell = sphere(4)
    inner = together(shell, Mesh.of(shell.vertices * np.float32(0.4), shell.faces))
    skin = wrap(Run(), inner, gap=12, offset=3)
    assert measure(skin).parts == 1 and np.linalg.norm(skin.vertices, axis=1).min() > 1


def test_a_loose_sheet_and_a_single_triangle_get_a_thin_body() -> None:
    for mesh in (grid(3), Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])):
        skin = wrap(Run(), replace(mesh, uv=None), gap=12, offset=2)
        away = assert_kept(mesh, skin, 12, 2)
        assert away.mean() == pytest.approx(2, rel=0.05)
        assert measure(skin).genus == 0


def test_triangle_soup() -> None:
    corners = np.random.default_rng(0).normal(size=(120, 3))
    soup = Mesh.of(corners, np.arange(120).reshape(-1, 3))
    assert_kept(soup, wrap(Run(), soup, gap=16, offset=2.5), 16, 2.5)


def test_an_offset_too_wide_for_the_gap_is_said() -> None:
    run = Run()
    skin = wrap(run, sphere(3), gap=8, offset=4)
    assert_kept(sphere(3), skin, 8, 2)
    assert any("quarter" in note for note in run.notes)


def test_colours_and_parts_come_from_the_nearest_place() -> None:
    ball = sphere(4)
    shade = np.concatenate([ball.vertices / 2 + 0.5, np.ones((len(ball.vertices), 1))], axis=1).astype(np.float32)
    upper = (ball.vertices[ball.faces][..., 1].mean(axis=1) > 0).astype(np.int32)
    skin = wrap(Run(), replace(ball, colours=shade, face_groups=upper), gap=16, offset=3)
    way = skin.vertices / np.linalg.norm(skin.vertices, axis=1, keepdims=True)
    assert np.abs(skin.colours[:, :3] - (way / 2 + 0.5)).max() < 0.03
    middle = skin.vertices[skin.faces][..., 1].mean(axis=1)
    assert ((skin.face_groups == 1) == (middle > 0))[np.abs(middle) > 0.08].all()


@needs_meshes
@pytest.mark.parametrize("name", ["suzanne", "teapot", "stanford-bunny"])
def test_real_meshes(name: str) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    assert_kept(mesh, wrap(Run(), mesh, gap=20, offset=3), 20, 3)


@pytest.mark.parametrize(
    "mesh",
    [
        Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))),
        Mesh.of(np.zeros((3, 3)), [[0, 1, 2]]),
        Mesh.of(np.full((3, 3), np.nan), [[0, 1, 2]]),
    ],
    ids=["empty", "collapsed", "nan"],
)
def test_bad_input_says_what_to_do(mesh: Mesh) -> None:
    with pytest.raises(BadInput) as caught:
        wrap(Run(), mesh)
    assert caught.value.advice

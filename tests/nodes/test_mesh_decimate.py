"""Never more triangles than asked, closed stays closed, and the surface stays where it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy, gap, grid, moved, oracle, sphere, together, torus

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh.decimate import decimate


@pytest.mark.parametrize("mesh", [bumpy(5), torus(), together(bumpy(4), moved(torus(), 4, 0, 0))])
@pytest.mark.parametrize("target", [1000, 200, 60])
def test_closed_mesh_stays_closed_and_keeps_its_handles(mesh: Mesh, target: int) -> None:
    run = Run()
    fewer = decimate(run, mesh, target)
    assert len(fewer.faces) <= target
    was, now = measure(mesh), measure(fewer)
    assert now.watertight and now.manifold and oracle(fewer).is_volume
    assert now.genus == was.genus and now.parts == was.parts
    assert run.notes == []


def test_the_surface_stays_within_a_known_distance() -> None:
    mesh = bumpy(5)
    for target, allowed in ((5000, 0.013), (1000, 0.03), (300, 0.08)):
        fewer = decimate(Run(), mesh, target)
        assert gap(mesh, fewer) < allowed
        assert measure(fewer).volume == pytest.approx(measure(mesh).volume, rel=allowed / 2)


def test_flat_regions_cost_nothing() -> None:
    import trimesh

    shape = trimesh.creation.box().subdivide().subdivide().subdivide()
    fewer = decimate(Run(), Mesh.of(shape.vertices, shape.faces), 60)
    assert measure(fewer).volume == pytest.approx(1, rel=1e-4)


def test_a_mesh_that_is_small_enough_comes_back_as_it_is() -> None:
    mesh = sphere(2)
    assert decimate(Run(), mesh, 320) is mesh


def test_colours_follow_the_surface() -> None:
    mesh = bumpy(5)
    shade = (mesh.vertices / 3 + 0.5).astype(np.float32)
    coloured = replace(mesh, colours=np.concatenate([shade, np.ones((len(shade), 1), np.float32)], axis=1))
    fewer = decimate(Run(), coloured, 2000)
    assert np.abs(fewer.colours[:, :3] - (fewer.vertices / 3 + 0.5)).max() < 0.02


def test_normals_look_outward_and_have_length_one() -> None:
    fewer = decimate(Run(), sphere(5), 500)
    assert np.allclose(np.linalg.norm(fewer.normals, axis=1), 1, atol=1e-5)
    assert (np.einsum("ij,ij->i", fewer.normals, fewer.vertices) > 0.95).all()


def test_split_vertices_do_not_crack() -> None:
    mesh = sphere(4)
    apart = Mesh.of(mesh.vertices[mesh.faces.ravel()], np.arange(mesh.faces.size).reshape(-1, 3))
    assert oracle(decimate(Run(), apart, 300)).is_watertight


def test_dropped_textures_are_said() -> None:
    run = Run()
    textured = replace(grid(20), material=Material(base_colour=Image.of(np.ones((4, 4)))))
    fewer = decimate(run, textured, 50)
    assert fewer.uv is None and any("dropped" in note for note in run.notes)


@pytest.mark.parametrize(
    "mesh",
    [
        Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))),
        Mesh.of(np.full((40, 3), np.nan), np.arange(39).reshape(-1, 3)),
        Mesh.of(np.zeros((40, 3)), np.arange(39).reshape(-1, 3)),
    ],
    ids=["empty", "nan", "collapsed"],
)
def test_bad_input_says_what_to_do(mesh: Mesh) -> None:
    with pytest.raises(BadInput) as caught:
        decimate(Run(), mesh, 4)
    assert caught.value.advice

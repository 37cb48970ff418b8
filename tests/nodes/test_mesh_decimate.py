"""Never more triangles than asked, closed stays closed, and the surface stays where it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy, gap, grid, moved, oracle, sphere, surface_points, together, torus, uv_turns

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.mesh._measure import measure, measure_uv
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap


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


def test_without_keep_uv_uvs_and_textures_go_as_asked() -> None:
    run = Run()
    textured = replace(grid(20), material=Material(base_colour=Image.of(np.ones((4, 4)))))
    fewer = decimate(run, textured, 50, keep_uv=False)
    assert fewer.uv is None and not run.notes
    assert fewer.material is None or fewer.material.base_colour is None


def textured(method: str, mesh: Mesh) -> Mesh:
    return replace(unwrap(Run(), mesh, method=method), material=Material(base_colour=Image.of(np.ones((4, 4)))))


@pytest.mark.parametrize("method", ["xatlas", "fast", "box"])
@pytest.mark.parametrize("target", [2000, 500])
def test_texture_and_seams_are_kept(method: str, target: int) -> None:
    """Every vertex is one of the input's, seams do not crack, nothing mirrors, and charts keep their ground."""
    mesh = textured(method, bumpy(4))
    run = Run()
    fewer = decimate(run, mesh, target)
    assert len(fewer.faces) <= target and run.notes == []
    was, now = measure(mesh), measure(fewer)
    assert now.watertight and now.manifold and now.genus == was.genus
    assert fewer.material is mesh.material
    before, after = measure_uv(mesh, 1.0), measure_uv(fewer, 1.0)
    assert after.mirrored == 0 and after.overlap < 0.001 and after.charts <= before.charts
    assert after.coverage == pytest.approx(before.coverage, rel=0.06)
    rows = {tuple(r) for r in np.concatenate([mesh.vertices, mesh.uv], axis=1).tolist()}
    assert rows.issuperset(tuple(r) for r in np.concatenate([fewer.vertices, fewer.uv], axis=1).tolist())
    assert gap(mesh, fewer) < (0.06 if target == 2000 else 0.2)


def test_the_texture_stays_where_it_was() -> None:
    """A colour that grows along each axis, looked up through the UVs, barely moves on the surface."""
    mesh = textured("fast", bumpy(5))
    fewer = decimate(Run(), mesh, 2000)
    points, face, weights = surface_points(fewer, 5000)
    uv = np.einsum("nk,nkj->nj", weights, fewer.uv[fewer.faces[face]].astype(np.float64))
    from nodes.mesh._raster import draw, texel_corners

    owner, at, _ = draw(texel_corners(mesh.uv, mesh.faces, 2048), 2048, range(2048), 4)
    column, row = (uv[:, 0] * 2048).astype(int).clip(0, 2047), ((1 - uv[:, 1]) * 2048).astype(int).clip(0, 2047)
    hit, (u, v) = owner[row, column], at[row, column].T.astype(np.float64)
    assert (hit >= 0).mean() > 0.995
    corner = mesh.vertices[mesh.faces[hit]].astype(np.float64)
    there = corner[:, 0] * (1 - u - v)[:, None] + corner[:, 1] * u[:, None] + corner[:, 2] * v[:, None]
    drift = np.linalg.norm(there - points, axis=1)[hit >= 0]
    assert drift.mean() < 0.01 and np.quantile(drift, 0.99) < 0.04


def test_borders_and_corners_of_a_sheet_stay() -> None:
    fewer = decimate(Run(), grid(24), 40)
    assert len(fewer.faces) <= 40
    assert measure(fewer).area == pytest.approx(1, rel=1e-5)
    assert np.abs(uv_turns(fewer)).sum() / 2 == pytest.approx(1, rel=1e-5)


def test_fewest_possible_is_said() -> None:
    run = Run()
    shape = torus()
    fewer = decimate(run, textured("box", shape), 4)
    assert measure(fewer).genus == 1
    assert any("fewest" in note for note in run.notes)


def test_face_groups_follow_their_faces() -> None:
    mesh = textured("fast", bumpy(4))
    halves = replace(mesh, face_groups=(mesh.vertices[mesh.faces][..., 0].mean(axis=1) > 0).astype(np.int32))
    fewer = decimate(Run(), halves, 1000)
    side = fewer.vertices[fewer.faces][..., 0].mean(axis=1)
    assert ((side > 0) == (fewer.face_groups == 1))[np.abs(side) > 0.15].mean() > 0.97


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

"""Catmull-Clark on pairs of triangles: the pairs that were quads, the surface of the paper, seams and creases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from mesh_shapes import box, bumpy, grid, oracle, sphere, torus
from scipy.spatial import cKDTree

from app.engine import Mesh, Run
from nodes.mesh import primitives
from nodes.mesh._catmull import Cage
from nodes.mesh._measure import measure
from nodes.mesh._refine import sheet_of
from nodes.mesh._topology import weld_points
from nodes.mesh.subdivide import subdivide
from nodes.mesh.unwrap import unwrap


def polygons(mesh: Mesh) -> list[list[int]]:
    """Of welded places, as the step sees them."""
    cage = Cage.of(sheet_of(mesh))
    place = weld_points(mesh.vertices).ids[cage.corner]
    return [place[cage.ring.face == k].tolist() for k in range(len(cage.ring.source))]


def by_hand(mesh: Mesh, angle: float) -> np.ndarray:
    """One level by the rules of the papers, place by place."""
    at = mesh.vertices[weld_points(mesh.vertices).first].astype(np.float64)
    faces = polygons(mesh)
    middle = [at[face].mean(axis=0) for face in faces]
    beside: dict[tuple[int, int], list[int]] = {}
    for number, face in enumerate(faces):
        for k, v in enumerate(face):
            beside.setdefault(tuple(sorted((v, face[k - 1]))), []).append(number)
    facing = [sum(np.cross(at[f[k - 1]], at[f[k]]) for k in range(len(f))) for f in faces]
    facing = [n / np.linalg.norm(n) for n in facing]
    sharp = {e for e, f in beside.items() if len(f) != 2 or facing[f[0]] @ facing[f[1]] < np.cos(np.radians(angle))}
    half = {e: (at[e[0]] + at[e[1]]) / 2 for e in beside}
    out = []
    for v in range(len(at)):
        edges = [e for e in beside if v in e]
        lines = [e for e in edges if e in sharp]
        if len(lines) > 2:
            out.append(at[v])
        elif len(lines) == 2:
            out.append(0.75 * at[v] + 0.125 * sum(at[sum(e) - v] for e in lines))
        else:
            n = len(edges)
            around = sum(middle[k] for k, face in enumerate(faces) if v in face) / n
            out.append((around + 2 * sum(half[e] for e in edges) / n + (n - 3) * at[v]) / n)
    for e, pair in beside.items():
        out.append(half[e] if e in sharp else (half[e] * 2 + sum(middle[f] for f in pair)) / 4)
    return np.array(out + middle)


def wavy() -> Mesh:
    flat = grid(5)
    lift = 0.1 * np.sin(5 * flat.vertices[:, :1]) * (0, 1, 0)
    return Mesh.of(flat.vertices + lift, flat.faces)


def test_the_quads_of_known_meshes_are_found() -> None:
    assert sorted(map(len, polygons(box()))) == [4] * 6
    assert sorted(map(len, polygons(primitives.box(pieces=5)))) == [4] * 150
    assert sorted(map(len, polygons(grid(6)))) == [4] * 36
    assert sorted(map(len, polygons(torus()))) == [4] * (len(torus().faces) // 2)
    parts = replace(box(), face_groups=np.arange(12, dtype=np.int32))
    assert sorted(map(len, polygons(parts))) == [3] * 12
    assert sum(map(len, polygons(sphere(0)))) >= 20 * 2
    corners = np.sort(np.concatenate(polygons(bumpy(2))))
    assert set(corners) == set(range(len(bumpy(2).vertices)))


@pytest.mark.parametrize("angle", [30, 180])
def test_one_level_is_that_of_the_papers(angle: float) -> None:
    for mesh in (box(), wavy(), bumpy(1), sphere(0)):
        ours = subdivide(Run(), mesh, "smooth quads", sharp_edges=angle, keep_corners=False, limit_surface=False)
        wanted = by_hand(mesh, angle)
        assert len(ours.vertices) == len(wanted)
        assert cKDTree(wanted).query(ours.vertices)[0].max() < 1e-6
        assert len(ours.faces) == 2 * sum(map(len, polygons(mesh)))


def test_a_cube_stays_alike_from_every_side_and_ends_where_it_should() -> None:
    ball = subdivide(Run(), box(), "smooth quads", levels=3, sharp_edges=180)
    at = ball.vertices.astype(np.float64)
    for turned in (at[:, [1, 2, 0]], at * (-1, 1, 1), at[:, [1, 0, 2]]):
        assert cKDTree(at).query(turned)[0].max() < 1e-6
    corner = at[np.abs(at).min(axis=1).argmax()]
    assert np.abs(corner) == pytest.approx([0.25] * 3, abs=1e-6)
    coarse = subdivide(Run(), box(), "smooth quads", levels=2, sharp_edges=180)
    assert cKDTree(at).query(coarse.vertices)[0].max() < 1e-6
    kept = oracle(subdivide(Run(), box(), "smooth quads", levels=2, sharp_edges=60))
    assert kept.volume == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("mesh", [torus(), bumpy(2), box()], ids=["torus", "bumpy", "box"])
def test_what_was_closed_stays_closed(mesh: Mesh) -> None:
    before, after = measure(mesh), measure(subdivide(Run(), mesh, "smooth quads", levels=2))
    assert after.watertight and after.manifold and after.genus == before.genus and after.crossed == 0


def test_seams_colours_parts_and_normals_come_along() -> None:
    mesh = unwrap(Run(), bumpy(3), method="fast")
    colours = np.concatenate([mesh.vertices * 0.3 + 0.5, np.ones((len(mesh.vertices), 1))], axis=1)
    mesh = replace(
        mesh, colours=colours.astype(np.float32), face_groups=np.arange(len(mesh.faces), dtype=np.int32) // 99
    )
    finer = subdivide(Run(), mesh, "smooth quads", levels=2)
    assert measure(finer).watertight and set(finer.face_groups) == set(mesh.face_groups)
    assert np.abs(finer.colours[:, :3] - (finer.vertices * 0.3 + 0.5)).max() < 0.02
    assert np.allclose(np.linalg.norm(finer.normals, axis=1), 1, atol=1e-5)
    assert finer.uv.min() >= mesh.uv.min() and finer.uv.max() <= mesh.uv.max()


def test_uvs_of_an_uneven_sheet_stay_an_even_picture() -> None:
    mesh = grid(8)
    rng = np.random.default_rng(0)
    inside = (np.abs(mesh.vertices[:, [0, 2]]).max(axis=1) < 0.49)[:, None]
    at = mesh.vertices + inside * rng.uniform(-0.03, 0.03, mesh.vertices.shape) * (1, 0, 1)
    mesh = Mesh.of(at, mesh.faces, uv=(at[:, [0, 2]] * (1, -1) + 0.5).astype(np.float32))
    fine = subdivide(Run(), mesh, "smooth quads", levels=2)
    assert np.abs(fine.uv - (fine.vertices[:, [0, 2]] * (1, -1) + 0.5)).max() < 1e-6
    assert oracle(fine).area == pytest.approx(1.0, rel=1e-6) and np.abs(fine.vertices[:, 1]).max() == 0


def test_the_budget_counts_what_it_makes() -> None:
    run = Run()
    fewer = subdivide(run, sphere(2), "smooth quads", levels=5, most_faces=6_000)
    assert len(fewer.faces) <= 6_000 and "levels" in run.notes[0]
    one = subdivide(Run(), Mesh.of(np.eye(3), [[0, 1, 2]]), "smooth quads", levels=2)
    assert len(one.faces) == 24 and trimesh.Trimesh(one.vertices, one.faces).euler_number == 1

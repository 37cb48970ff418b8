"""Subdivision: Loop's surface, exact counts, no cracks, textures that stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from mesh_shapes import box, bumpy, grid, oracle, sphere, surface_points, torus
from scipy.spatial import cKDTree

from app.engine import Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh.normals import normals
from nodes.mesh.subdivide import subdivide
from nodes.mesh.unwrap import unwrap

MESHES = Path(__file__).parents[3] / "shared" / "data" / "meshes"


def said(mesh: Mesh, *args: object, **more: object) -> tuple[Mesh, list[str]]:
    run = Run()
    return subdivide(run, mesh, *args, **more), run.notes


def round_grid() -> Mesh:
    mesh = grid(5)
    lift = 0.2 * np.sin(5 * mesh.vertices[:, :1]) * (0, 1, 0)
    return replace(mesh, vertices=(mesh.vertices + lift).astype(np.float32), uv=None)


@pytest.mark.parametrize("mesh", [sphere(1), torus(), bumpy(2)], ids=["ball", "torus", "bumpy"])
def test_loop_is_that_of_an_independent_program(mesh: Mesh) -> None:
    ours = subdivide(Run(), mesh, levels=2, sharp_edges=180, limit_surface=False)
    vertices, faces = trimesh.remesh.subdivide_loop(mesh.vertices.astype(np.float64), mesh.faces, iterations=2)
    assert len(ours.faces) == len(faces) == 16 * len(mesh.faces)
    assert len(ours.vertices) == len(vertices)
    assert cKDTree(vertices).query(ours.vertices)[0].max() < 1e-6


def loop_by_hand(mesh: Mesh, angle: float) -> np.ndarray:
    """The rules of the papers, vertex by vertex; sharp: open, or turned by more than ``angle`` degrees."""
    at, faces = mesh.vertices.astype(np.float64), mesh.faces.tolist()
    beside: dict[tuple[int, int], list[int]] = {}
    for number, face in enumerate(faces):
        for k in range(3):
            beside.setdefault(tuple(sorted((face[k], face[(k + 1) % 3]))), []).append(number)
    facing = [np.cross(at[b] - at[a], at[c] - at[a]) for a, b, c in faces]
    facing = [n / np.linalg.norm(n) for n in facing]
    sharp = {e for e, f in beside.items() if len(f) == 1 or facing[f[0]] @ facing[f[1]] < np.cos(np.radians(angle))}
    out = []
    for v in range(len(at)):
        around = [sum(e) - v for e in beside if v in e]
        lines = [sum(e) - v for e in sharp if v in e]
        if len(lines) > 2:
            out.append(at[v])
        elif len(lines) == 2:
            out.append(0.75 * at[v] + 0.125 * (at[lines[0]] + at[lines[1]]))
        else:
            n = len(around)
            beta = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / n) / 4) ** 2) / n
            out.append((1 - n * beta) * at[v] + beta * sum(at[w] for w in around))
    for (a, b), pair in beside.items():
        if (a, b) in sharp:
            out.append((at[a] + at[b]) / 2)
        else:
            off = sum(at[w] for f in pair for w in faces[f] if w not in (a, b))
            out.append(3 / 8 * (at[a] + at[b]) + off / 8)
    return np.array(out)


@pytest.mark.parametrize("angle", [25, 50, 180])
def test_borders_and_creases_are_those_of_the_papers(angle: float) -> None:
    for mesh in (round_grid(), sphere(0), torus(), bumpy(2)):
        ours = subdivide(Run(), mesh, sharp_edges=angle, keep_corners=False, limit_surface=False)
        by_hand = loop_by_hand(mesh, angle)
        assert len(by_hand) == len(ours.vertices)
        assert cKDTree(by_hand).query(ours.vertices)[0].max() < 1e-6
        assert np.abs(by_hand[: len(mesh.vertices)] - ours.vertices[: len(mesh.vertices)]).max() < 1e-6


@pytest.mark.parametrize("method", ["smooth", "flat"])
@pytest.mark.parametrize("mesh", [sphere(0), torus(), box()], ids=["ball", "torus", "box"])
def test_every_face_becomes_four_and_the_topology_stays(mesh: Mesh, method: str) -> None:
    before, after = measure(mesh), measure(subdivide(Run(), mesh, method, levels=2))
    assert after.watertight and after.manifold and after.genus == before.genus
    finer = oracle(subdivide(Run(), mesh, method, levels=2))
    assert len(finer.faces) == 16 * len(mesh.faces)
    assert finer.euler_number == oracle(mesh).euler_number and finer.is_winding_consistent


def test_vertices_on_the_limit_surface_stay_at_the_next_level() -> None:
    mesh = sphere(0)
    one, two = (subdivide(Run(), mesh, levels=n, sharp_edges=180) for n in (1, 3))
    assert np.allclose(two.vertices[: len(one.vertices)], one.vertices, atol=1e-6)
    radius = np.linalg.norm(subdivide(Run(), sphere(2), levels=2).vertices, axis=1)
    assert radius.std() < 0.002


def test_a_square_stays_the_square_and_a_flat_one_flat() -> None:
    flat = grid(3)
    smooth = subdivide(Run(), flat, levels=3)
    assert np.abs(smooth.vertices[:, 1]).max() == 0
    shape = oracle(smooth)
    assert shape.area == pytest.approx(1.0, rel=1e-6)
    rim = smooth.vertices[np.unique(shape.edges[trimesh.grouping.group_rows(shape.edges_sorted, require_count=1)])]
    assert np.abs(np.abs(rim[:, [0, 2]]).max(axis=1) - 0.5).max() < 1e-6
    rounded = subdivide(Run(), flat, levels=3, keep_corners=False)
    assert 0.9 < oracle(rounded).area < 0.995


def test_sharp_edges_keep_a_box_and_without_them_it_is_round() -> None:
    kept, blob = (oracle(subdivide(Run(), box(), levels=3, sharp_edges=angle)) for angle in (60, 180))
    assert kept.volume == pytest.approx(1.0, rel=1e-6) and kept.area == pytest.approx(6.0, rel=1e-6)
    assert 0.2 < blob.volume < 0.7


@pytest.mark.parametrize("method", ["smooth", "flat", "edge length"])
def test_seams_stay_closed_and_attributes_stay_in_place(method: str) -> None:
    mesh = unwrap(Run(), bumpy(3), method="fast")
    colours = np.concatenate([mesh.vertices * 0.3 + 0.5, np.ones((len(mesh.vertices), 1))], axis=1)
    mesh = replace(mesh, colours=colours.astype(np.float32), face_groups=np.arange(len(mesh.faces), dtype=np.int32))
    finer = subdivide(Run(), mesh, method, levels=2, longest_edge=0.05)
    assert measure(finer).watertight
    area = np.bincount(finer.face_groups, minlength=len(mesh.faces))
    assert (area >= 1).all() and (method == "edge length" or (area == 16).all())
    expected = finer.colours[:, :3] * 1.0
    assert np.abs(expected - (finer.vertices * 0.3 + 0.5)).max() < (0.02 if method == "smooth" else 1e-5)
    assert np.allclose(np.linalg.norm(finer.normals, axis=1), 1, atol=1e-5)
    if method != "smooth":
        assert oracle(finer).volume == pytest.approx(oracle(mesh).volume, rel=1e-5)


def test_flat_uvs_show_the_same_texel_at_the_same_place() -> None:
    mesh = unwrap(Run(), bumpy(3), method="fast")
    mesh = replace(mesh, face_groups=np.arange(len(mesh.faces), dtype=np.int32))
    finer = subdivide(Run(), mesh, "edge length", longest_edge=0.06)
    points, face, at = surface_points(finer, 2000)
    old = mesh.faces[finer.face_groups[face]]
    weight = trimesh.triangles.points_to_barycentric(mesh.vertices[old].astype(np.float64), points)
    was = np.einsum("nk,nkj->nj", weight, mesh.uv[old])
    now = np.einsum("nk,nkj->nj", at, finer.uv[finer.faces[face]])
    assert np.abs(now - was).max() < 1e-5


def test_smooth_uvs_move_with_the_surface() -> None:
    """Where UVs are an even picture of a flat sheet they stay one, however uneven its triangles are."""
    mesh = grid(8)
    rng = np.random.default_rng(0)
    inside = (np.abs(mesh.vertices[:, [0, 2]]).max(axis=1) < 0.49)[:, None]
    at = mesh.vertices + inside * rng.uniform(-0.03, 0.03, mesh.vertices.shape) * (1, 0, 1)
    mesh = Mesh.of(at, mesh.faces, uv=np.stack([at[:, 0] + 0.5, 0.5 - at[:, 2]], axis=1).astype(np.float32))
    fine, stiff = (subdivide(Run(), mesh, levels=2, smooth_uv=how) for how in (True, False))
    off = [
        np.abs(m.uv - np.stack([m.vertices[:, 0] + 0.5, 0.5 - m.vertices[:, 2]], axis=1)).max() for m in (fine, stiff)
    ]
    assert off[0] < 1e-6 and off[1] > 1e-3


def test_hard_edges_stay_hard_and_normals_are_of_the_new_surface() -> None:
    hard = subdivide(Run(), normals(Run(), box(), 30), levels=2)
    turned = np.abs(hard.normals).max(axis=1)
    assert np.allclose(turned, 1, atol=1e-5)
    ball = subdivide(Run(), normals(Run(), sphere(2), 180), levels=2)
    assert np.abs((ball.normals * ball.vertices).sum(axis=1) / np.linalg.norm(ball.vertices, axis=1)).min() > 0.999


def test_edge_length_is_reached_without_cracks_or_needles() -> None:
    mesh = replace(grid(1), uv=None)
    long = replace(mesh, vertices=(mesh.vertices * (7, 1, 1)).astype(np.float32))
    cut = subdivide(Run(), long, "edge length", longest_edge=0.11)
    shape = oracle(cut)
    assert shape.edges_unique_length.max() <= 0.11
    assert shape.area == pytest.approx(7.0, rel=1e-6) and shape.euler_number == 1
    assert shape.face_angles.min() >= oracle(long).face_angles.min() / 2
    closed = subdivide(Run(), bumpy(2), "edge length", longest_edge=0.1)
    assert measure(closed).watertight and oracle(closed).edges_unique_length.max() <= 0.1


def test_the_budget_is_kept_and_said() -> None:
    mesh = sphere(2)
    fewer, heard = said(mesh, levels=5, most_faces=6_000)
    assert len(fewer.faces) == 16 * len(mesh.faces) and "2 of 5 levels" in heard[0]
    same, heard = said(mesh, levels=5, most_faces=1_000)
    assert same is mesh and heard
    some, heard = said(mesh, "edge length", longest_edge=0.001, most_faces=5_000)
    assert len(mesh.faces) < len(some.faces) <= 5_000 and "left" in heard[0]


def test_open_crowded_and_broken_meshes_come_through() -> None:
    fan = Mesh.of([[0, 0, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1]], [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    finer = subdivide(Run(), fan, levels=2)
    spine = finer.vertices[(np.abs(finer.vertices[:, [0, 2]]) < 1e-7).all(axis=1)]
    assert len(finer.faces) == 48 and len(spine) == 5
    assert len(subdivide(Run(), Mesh.of(np.eye(3), [[0, 1, 2]]), levels=3).faces) == 64
    kept, heard = said(Mesh.of(np.eye(3), [[0, 1, 2], [0, 0, 1]]))
    assert len(kept.faces) == 4 and "left out" in heard[0]


@pytest.mark.parametrize("name", ["spot.obj", "suzanne.obj"])
def test_real_meshes(name: str) -> None:
    if not (MESHES / name).is_file():
        pytest.skip("the sample meshes are not here")
    mesh = load_mesh(Run(), MESHES / name)
    before, after = measure(mesh), measure(subdivide(Run(), mesh, levels=1))
    assert after.boundary_edges == 2 * before.boundary_edges and after.parts == before.parts
    assert after.non_manifold_edges == 2 * before.non_manifold_edges + 3 * before.duplicate

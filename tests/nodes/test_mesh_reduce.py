"""What decimation keeps: planes, borders, parts, hard edges, colours, textures; and the error that was asked for."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import bumpy, gap, grid, moved, oracle, sphere, surface_points, together, torus

from app.engine import Cancelled, Image, Mesh, Run
from app.engine.codec import digest, encode
from nodes.io.load_mesh import load_mesh
from nodes.mesh import _levels
from nodes.mesh._measure import measure
from nodes.mesh._metrics import difference, nearest_on, surface_of
from nodes.mesh._topology import edges_of, face_vectors, weld_points
from nodes.mesh.decimate import decimate
from nodes.mesh.primitives import box, cylinder
from nodes.mesh.unwrap import unwrap
from nodes.texture._loops import look_up


@pytest.fixture(autouse=True, params=[pytest.param(50_000, id="one part"), pytest.param(4_000, id="many parts")])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large meshes are worked on in parts: all that is promised holds in small ones too."""
    monkeypatch.setattr(_levels, "FACES_EACH", request.param)


def turned(mesh: Mesh, was: Mesh) -> int:
    """Faces whose side differs from that of the nearest face of the original."""
    near = nearest_on(surface_of(was), mesh.vertices[mesh.faces].mean(axis=1, dtype=np.float64))
    here, there = face_vectors(mesh.vertices, mesh.faces), surface_of(was).normals[near.face]
    return int((np.einsum("ij,ij->i", here, there) <= 0).sum())


def folded(mesh: Mesh) -> int:
    """Edges whose two faces look opposite ways, by more than 150 degrees."""
    edges = edges_of(weld_points(mesh.vertices).ids[mesh.faces])
    way = face_vectors(mesh.vertices, mesh.faces)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    a, b = edges.pairs.T // 3
    return int((np.einsum("ij,ij->i", way[a], way[b]) < np.cos(np.radians(150))).sum())


def without(mesh: Mesh, *at: tuple[float, float, float]) -> Mesh:
    """With a hole of radius 0.15 at each place."""
    centre = mesh.vertices[mesh.faces].mean(axis=1)
    gone = np.any([np.linalg.norm(centre - np.array(p), axis=1) < 0.15 for p in at], axis=0)
    return replace(mesh, faces=mesh.faces[~gone])


def borders(mesh: Mesh, keys: np.ndarray | None = None) -> np.ndarray:
    """(L, 2, 3) sides on an open border, or between faces of different keys (M,)."""
    weld = weld_points(mesh.vertices)
    edges = edges_of(weld.ids[mesh.faces])
    marked = edges.boundary
    if keys is not None:
        a, b = edges.pairs.T
        marked = np.zeros(len(edges.ends), bool)
        marked[edges.sides.ravel()[a[keys[a // 3] != keys[b // 3]]]] = True
    return mesh.vertices[weld.first][edges.ends[marked]].astype(np.float64)


def length(lines: np.ndarray) -> float:
    return float(np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1).sum())


def test_flat_sides_collapse_to_the_fewest_triangles() -> None:
    fine = box(pieces=12)
    bare = Mesh.of(fine.vertices, fine.faces)
    for fewer in (decimate(Run(), bare, 12), decimate(Run(), bare, reduce_to="error", max_error=1e-4)):
        assert len(fewer.faces) == 12
        assert np.abs(np.abs(fewer.vertices) - 0.5).max() < 1e-6 and measure(fewer).volume == pytest.approx(1, rel=1e-6)
    flat = decimate(Run(), grid(30), 4)
    assert len(flat.faces) in (2, 4) and measure(flat).area == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("target", [1500, 300])
def test_handles_holes_and_sides_stay(target: int) -> None:
    mesh = without(torus(), (1.3, 0, 0), (-1, 0, 0.3), (0, 1, 0.3))
    ring = together(mesh, moved(bumpy(4), 5, 0, 0))
    was, fewer = measure(ring), decimate(Run(), ring, target)
    now = measure(fewer)
    assert target - 2 <= len(fewer.faces) <= target
    assert (now.euler, now.boundary_loops, now.parts) == (was.euler, was.boundary_loops, was.parts)
    assert now.non_manifold_edges == now.crossed == now.degenerate == now.duplicate == 0
    assert now.non_manifold_vertices <= was.non_manifold_vertices
    assert turned(fewer, ring) == 0
    assert length(borders(fewer)) == pytest.approx(length(borders(ring)), rel=0.05 if target > 1000 else 0.15)


@pytest.mark.parametrize("bound", [0.02, 0.004])
@pytest.mark.parametrize("uv", [False, True])
def test_no_point_lies_farther_off_than_the_error_allows(bound: float, uv: bool) -> None:
    mesh = unwrap(Run(), bumpy(4), method="fast") if uv else bumpy(4)
    fewer = decimate(Run(), mesh, reduce_to="error", max_error=bound)
    one, other = surface_of(fewer), surface_of(mesh)
    assert difference(one, other, 100_000, 0.01, seed=9).hausdorff / other.diagonal < 1.05 * bound
    assert len(fewer.faces) < (0.25 if bound > 0.01 else 0.85) * len(mesh.faces)
    fewer_still = decimate(Run(), mesh, len(fewer.faces) // 2)
    assert difference(surface_of(fewer_still), other, 100_000, 0.01, seed=9).hausdorff / other.diagonal > bound


def test_a_share_is_a_share() -> None:
    mesh = bumpy(4)
    assert len(decimate(Run(), mesh, reduce_to="share", share=0.1).faces) == len(mesh.faces) // 10


def test_borders_between_parts_stay_where_they_are() -> None:
    mesh = sphere(5)
    side = (mesh.vertices[mesh.faces][..., 0].mean(axis=1) > 0).astype(np.int32)
    was = borders(mesh, side)
    fewer = decimate(Run(), replace(mesh, face_groups=side), 600)
    assert len(fewer.faces) <= 600 and set(fewer.face_groups) == {0, 1}
    now = borders(fewer, fewer.face_groups)
    assert length(now) == pytest.approx(2 * np.pi, rel=0.03)
    assert np.abs(now[..., 0]).max() <= np.abs(was[..., 0]).max() + 1e-3
    loose = decimate(Run(), replace(mesh, face_groups=side), 600, group_weight=0)
    assert np.abs(borders(loose, loose.face_groups)[..., 0]).max() > 2 * np.abs(now[..., 0]).max()


def test_hard_edges_stay_hard_and_in_place() -> None:
    """The rims of a cylinder: lids look exactly up and down, walls exactly sideways, nothing in between."""
    from nodes.mesh.normals import normals

    fine = cylinder(segments=96)
    shape = oracle(fine).subdivide().subdivide()
    mesh = normals(Run(), Mesh.of(shape.vertices, shape.faces), 40)
    fewer = decimate(Run(), mesh, 400)
    assert len(fewer.faces) <= 400
    up = np.abs(fewer.normals[:, 1])
    assert ((up < 0.02) | (up > 0.9998)).all() and (up > 0.9998).any()
    assert measure(fewer).volume == pytest.approx(measure(mesh).volume, rel=0.01)
    rim = fewer.vertices[up > 0.9998]
    assert np.abs(np.abs(rim[:, 1]) - 0.5).max() < 1e-5
    soft = decimate(Run(), mesh, 400, hard_edges=180)
    assert len(soft.vertices) < len(fewer.vertices)


def test_colours_do_not_run_over_their_borders() -> None:
    mesh = sphere(5)
    left = mesh.vertices[mesh.faces][..., 0].mean(axis=1) < 0
    vertices = np.concatenate([mesh.vertices, mesh.vertices])
    colours = np.zeros((len(vertices), 4), np.float32)
    colours[:, 3] = 1
    colours[: len(mesh.vertices), 0] = colours[len(mesh.vertices) :, 1] = 1
    faces = np.where(left[:, None], mesh.faces, mesh.faces + len(mesh.vertices)).astype(np.int32)
    for placement in ("best", "old vertices"):
        fewer = decimate(Run(), Mesh.of(vertices, faces, colours=colours), 500, placement=placement)
        assert measure(fewer).watertight and len(fewer.faces) <= 500
        red = fewer.colours[:, 0] > 0.5
        assert np.allclose(fewer.colours[red], (1, 0, 0, 1), atol=1e-4)
        assert np.allclose(fewer.colours[~red], (0, 1, 0, 1), atol=1e-4)
        painted = red[fewer.faces].all(axis=1)
        assert ((fewer.vertices[fewer.faces][..., 0].mean(axis=1) < 0) == painted).mean() > 0.98


def stripes(uv: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.sin(uv * (31.0, 23.0))


@pytest.mark.parametrize("placement", ["best", "old vertices"])
def test_textures_stay_in_place(placement: str) -> None:
    """What a fine texture shows at a point of the result, against the nearest point of the original."""
    mesh = unwrap(Run(), bumpy(5), method="fast")
    fewer = decimate(Run(), mesh, 2500, placement=placement)
    assert len(fewer.faces) <= 2500 and measure(fewer).watertight
    points, face, weights = surface_points(fewer, 20_000)
    here = np.einsum("nk,nkj->nj", weights, fewer.uv[fewer.faces[face]].astype(np.float64))
    original = surface_of(mesh)
    near = nearest_on(original, points)
    corner = mesh.vertices[original.faces[near.face]].astype(np.float64)
    there = np.einsum("nk,nkj->nj", barycentric(corner, near.point), mesh.uv[original.faces[near.face]])
    wrong = np.abs(stripes(here) - stripes(there)).mean(axis=1)
    assert wrong.mean() < 0.012 and np.quantile(wrong, 0.95) < 0.05


def barycentric(corner: np.ndarray, points: np.ndarray) -> np.ndarray:
    u, v, p = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0], points - corner[:, 0]
    uu, uv, vv, pu, pv = ((a * b).sum(1) for a, b in ((u, u), (u, v), (v, v), (p, u), (p, v)))
    det = uu * vv - uv * uv
    b, c = (vv * pu - uv * pv) / det, (uu * pv - uv * pu) / det
    return np.stack([1 - b - c, b, c], axis=1)


def test_three_sheets_on_one_edge_stay_joined() -> None:
    flat = grid(16)
    up = replace(flat, vertices=np.ascontiguousarray(flat.vertices[:, [0, 2, 1]]) + np.float32([0, 0.5, 0]), uv=None)
    mesh = together(replace(flat, uv=None), up)
    run = Run()
    fewer = decimate(run, mesh, 60)
    now = measure(fewer)
    assert len(fewer.faces) <= 60 and not run.notes
    assert now.parts == 1 and now.non_manifold_edges > 0 and now.area == pytest.approx(2, rel=1e-5)


def test_equal_input_gives_equal_bytes() -> None:
    mesh = unwrap(Run(), bumpy(4), method="fast")
    first, again = (digest(encode(decimate(Run(), mesh, 700))) for _ in range(2))
    assert first == again
    order = np.random.default_rng(0).permutation(len(mesh.faces))
    other = decimate(Run(), replace(mesh, faces=mesh.faces[order]), 700)
    assert gap(other, decimate(Run(), mesh, 700)) < 0.12


def test_the_number_of_processors_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = unwrap(Run(), bumpy(5), method="fast")
    made = set()
    for count in (1, 8):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        made.add(digest(encode(decimate(Run(), mesh, 2000))))
    assert len(made) == 1


def test_it_stops_in_the_middle() -> None:
    run = Run()
    told: list[float] = []

    def report(done: float, _: str) -> None:
        told.append(done)
        if done > 0.3:
            run.stop.set()

    run.report = report
    with pytest.raises(Cancelled):
        decimate(run, bumpy(5), 200)
    assert 0.3 < told[-1] < 1


def test_a_scan_keeps_its_holes(shared: Path) -> None:
    """The Stanford bunny, five holes, to a twentieth: as near as the best of the measured peers, within 5 %."""
    mesh = load_mesh(Run(), shared / "meshes" / "stanford-bunny.obj")
    fewer = decimate(Run(), replace(mesh, uv=None, normals=None), 3500)
    was, now = measure(mesh), measure(fewer)
    assert 3498 <= len(fewer.faces) <= 3500
    assert (now.euler, now.boundary_loops, now.parts) == (was.euler, was.boundary_loops, was.parts)
    assert now.manifold and now.crossed == 0
    assert folded(fewer) == 0 and folded(mesh) == 1
    assert turned(fewer, mesh) <= 1, "where the scan itself is folded"
    apart = difference(surface_of(fewer), surface_of(mesh), 60_000, 0.01, seed=3)
    assert max(apart.there, apart.back) / surface_of(mesh).diagonal < 356e-6


def test_a_textured_cow_keeps_its_colours(shared: Path, tmp_path: Path) -> None:
    """Spot, split to 23,000 triangles, to 5,000: its texture is off by less than 0.2 of 255 on average."""
    from PIL import Image as Pictures

    with zipfile.ZipFile(shared / "meshes" / "spot.zip") as pack:
        for name in ("spot_triangulated.obj", "spot_texture.png"):
            (tmp_path / name).write_bytes(pack.read(f"spot/{name}"))
    cow = load_mesh(Run(), tmp_path / "spot_triangulated.obj")
    shape = split(cow)
    picture = Image.of(np.asarray(Pictures.open(tmp_path / "spot_texture.png").convert("RGB")))
    original = surface_of(shape)
    for placement in ("best", "old vertices"):
        fewer = decimate(Run(), shape, 5000, placement=placement)
        points, face, weights = surface_points(fewer, 40_000)
        here = np.einsum("nk,nkj->nj", weights, fewer.uv[fewer.faces[face]].astype(np.float64))
        near = nearest_on(original, points)
        corner = shape.vertices[original.faces[near.face]].astype(np.float64)
        there = np.einsum("nk,nkj->nj", barycentric(corner, near.point), shape.uv[original.faces[near.face]])
        seen, meant = (look_up(np.ascontiguousarray(picture.rgb), uv) for uv in (here, there))
        assert len(fewer.faces) <= 5000 and measure(fewer).euler == measure(shape).euler
        assert np.abs(seen - meant).mean() * 255 < 0.2


def split(mesh: Mesh) -> Mesh:
    """Each triangle in four."""
    import trimesh

    vertices, faces = trimesh.remesh.subdivide(np.concatenate([mesh.vertices, mesh.uv], axis=1), mesh.faces)
    return Mesh.of(vertices[:, :3], faces, uv=vertices[:, 3:].astype(np.float32))

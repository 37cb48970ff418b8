"""How much memory nodes need for large meshes, in times what the mesh takes. Only arrays, as tracemalloc counts."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from app.engine import Mesh, Run
from app.engine.registry import discover
from nodes.mesh._topology import by_bands, compacted, edges_of, fans, parts

RINGS, STEPS = 400, 300
ROOM = {
    "mesh.analyse": 19.0,
    "mesh.displace": 10.5,
    "mesh.mirror": 7.0,
    "mesh.normals": 9.0,
    "mesh.repair": 13.0,
    "mesh.smooth": 12.5,
    "mesh.split": 4.2,
}


def torus(rings: int = RINGS, steps: int = STEPS) -> Mesh:
    """Closed, 2 * rings * steps triangles, with bumps."""
    u, v = (g.ravel() for g in np.meshgrid(np.arange(rings), np.arange(steps), indexing="ij"))
    around, across = 2 * np.pi * u / rings, 2 * np.pi * v / steps
    tube = 0.4 + 0.01 * np.sin(9 * around) * np.cos(8 * across)
    reach = 1 + tube * np.cos(across)
    points = np.stack([reach * np.cos(around), tube * np.sin(across), -reach * np.sin(around)], axis=1)
    a, b = u * steps + v, (u + 1) % rings * steps + v
    c, d = (u + 1) % rings * steps + (v + 1) % steps, u * steps + (v + 1) % steps
    return Mesh.of(points, np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]))


@pytest.mark.parametrize("node", ROOM)
def test_a_large_mesh_takes_no_more_than_so_many_times_its_own_memory(node: str) -> None:
    mesh, spec = torus(), discover(("nodes",))[node]
    spec.call(Run(), mesh) if spec.wants_run else spec.call(mesh)
    tracemalloc.start()
    try:
        spec.call(Run(), mesh) if spec.wants_run else spec.call(mesh)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most <= ROOM[node] * (mesh.vertices.nbytes + mesh.faces.nbytes)


def test_edges_of_loose_triangles_fit_though_there_are_three_a_face() -> None:
    loose = np.arange(30_000, dtype=np.int32).reshape(-1, 3)
    edges = edges_of(loose)
    assert len(edges.ends) == 30_000 and (edges.uses == 1).all()
    assert np.array_equal(np.sort(edges.sides.ravel()), np.arange(30_000))
    assert np.array_equal(edges.ends[edges.sides[:, 0]], loose[:, :2])
    assert parts(loose, edges) == (10_000, pytest.approx(np.arange(10_000)))


def test_edges_of_loose_triangles_behind_a_closed_mesh() -> None:
    closed = torus(20, 20).faces
    loose = np.arange(9_000, dtype=np.int32).reshape(-1, 3) + 400
    edges = edges_of(np.concatenate([closed, loose]))
    assert len(edges.ends) == 1_200 + 9_000
    assert (edges.uses[:1_200] == 2).all() and (edges.uses[1_200:] == 1).all()
    assert parts(np.concatenate([closed, loose]), edges)[0] == 1 + 3_000


def test_fans_of_two_tetrahedra_that_touch_in_a_point() -> None:
    one = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)
    other = np.where(one == 0, 0, one + 3)
    faces = np.concatenate([one, other])
    count, fan = fans(edges_of(faces), faces)
    assert count == 8
    assert len({fan[f, k] for f in range(8) for k in range(3) if faces[f, k] == 0}) == 2


def test_pairs_are_numbered_as_sorting_would() -> None:
    from nodes.mesh._tables import number_pairs

    rng = np.random.default_rng(1)
    ones, others = rng.integers(0, 50, 2_000).astype(np.int32), rng.integers(0, 30, 2_000).astype(np.int32)
    ids, first = number_pairs(ones, others, (50, 30))
    _, first_seen, inverse = np.unique(ones.astype(np.int64) * 30 + others, return_index=True, return_inverse=True)
    assert np.array_equal(ids, inverse) and np.array_equal(first, first_seen)


def test_bands_and_compaction_give_what_the_whole_gives() -> None:
    faces = np.random.default_rng(2).integers(0, 1_000, (120_001, 3)).astype(np.int32)
    assert np.array_equal(by_bands(lambda some: some.sum(axis=1), faces), faces.sum(axis=1))
    used, names = np.unique(faces[:90] * 2, return_inverse=True)
    found, places = compacted(faces[:90] * 2, 2_000)
    assert np.array_equal(found, used) and np.array_equal(places, names.reshape(-1, 3))

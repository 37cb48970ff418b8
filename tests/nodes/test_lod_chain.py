"""Levels of detail: names, counts, errors as measured, and switch distances at which no error can be seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from mesh_shapes import bumpy, oracle, sphere

from app.engine import BadParam, Image, Material, Mesh, Run
from nodes.mesh._camera import intrinsics_of, reach
from nodes.mesh._measure import measure
from nodes.mesh._metrics import difference, surface_of
from nodes.mesh.lod_chain import Chain, lod_chain
from nodes.mesh.unwrap import unwrap


def levels(chain: Chain) -> list[Mesh]:
    return [mesh for mesh in chain[:-1] if mesh is not None]


def test_each_level_has_its_share_its_name_and_everything_the_mesh_carries() -> None:
    mesh = replace(
        unwrap(Run(), bumpy(4), method="fast"),
        material=Material("skin", base_colour=Image.of(np.ones((4, 4)))),
        name="rock_LOD0",
    )
    chain = levels(lod_chain(Run(), mesh, levels=4, ratio=0.4))
    assert [m.name for m in chain] == ["rock_LOD0", "rock_LOD1", "rock_LOD2", "rock_LOD3"]
    for finer, coarser in pairwise(chain):
        assert 0.4 * len(finer.faces) - 3 <= len(coarser.faces) <= 0.4 * len(finer.faces) + 1
        assert coarser.material is mesh.material and coarser.uv is not None
        assert measure(coarser).watertight and oracle(coarser).is_volume
    assert np.array_equal(chain[0].vertices, mesh.vertices)


def test_counts_may_be_given() -> None:
    result = lod_chain(Run(), bumpy(4), by="triangles", triangles="2_000; 500, 100", name="stone")
    assert [len(m.faces) for m in levels(result)] == [5120, 2000, 500, 100]
    assert result.lod3 is not None and result.lod3.name == "stone_LOD3" and result.lod4 is None


@pytest.mark.parametrize("text", ["", "many", "100, 200", "3", "9,8,7,6,5,4"])
def test_counts_that_make_no_chain_are_refused(text: str) -> None:
    with pytest.raises(BadParam) as caught:
        lod_chain(Run(), bumpy(3), by="triangles", triangles=text)
    assert caught.value.advice


def test_errors_are_as_measured_and_invisible_from_the_switch_distance_on() -> None:
    mesh, height, fov = bumpy(5), 720, 50.0
    result = lod_chain(Run(), mesh, levels=4, ratio=0.25, pixel_error=1.5, screen_height=height, fov=fov)
    focal, radius, last = intrinsics_of(fov, (height, height))[1, 1], reach(mesh), 0.0
    for k, level in enumerate(levels(result)[1:], 1):
        told = {
            name: result.report.value(f"LOD{k} {name}") for name in ("largest error (m)", "mean error (m)", "from (m)")
        }
        found = difference(surface_of(level), surface_of(mesh), 50_000, 0.01, seed=5)
        assert told["mean error (m)"] == pytest.approx(max(found.there, found.back), rel=0.03)
        assert told["largest error (m)"] == pytest.approx(found.hausdorff, rel=0.15)
        assert told["largest error (m)"] * focal / told["from (m)"] == pytest.approx(1.5, rel=1e-6)
        assert told["from (m)"] > last
        size = 2 * radius * focal / told["from (m)"] / height
        assert result.report.value(f"LOD{k} below screen size") == pytest.approx(min(1, size), rel=1e-6)
        assert result.report.value(f"LOD{k} faded in at (m)") == pytest.approx(1.1 * told["from (m)"])
        last = told["from (m)"]


def test_by_screen_error_each_level_is_as_coarse_as_its_size_allows() -> None:
    mesh = bumpy(5)
    result = lod_chain(Run(), mesh, by="screen error", levels=4, pixel_error=2, screen_height=1000, first_switch=0.4)
    radius = reach(mesh)
    for k in (1, 2, 3):
        allowed = 2 * 2 * radius / (0.4 / 2 ** (k - 1) * 1000)
        error = result.report.value(f"LOD{k} largest error (m)")
        assert 0.4 * allowed < error <= allowed
        assert result.report.value(f"LOD{k} below screen size") >= 0.4 / 2 ** (k - 1) * 0.999
    counts = [len(m.faces) for m in levels(result)]
    assert counts == sorted(counts, reverse=True) and counts[-1] < counts[0] / 20


def test_a_chain_that_cannot_go_on_ends_with_a_remark() -> None:
    run = Run()
    result = lod_chain(run, sphere(0), levels=4, ratio=0.3)
    assert len(levels(result)) < 4 and any("ends there" in note for note in run.notes)

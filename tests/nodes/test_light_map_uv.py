"""Light-map UVs: everything has a place of its own, and both sets of UVs find together again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moved, together, uv_turns
from uv_proofs import least_gap, overlapping_pairs

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.mesh import _charts
from nodes.mesh._charts import flattened
from nodes.mesh._light_map import with_second_uv
from nodes.mesh._surface import Surface, Tried
from nodes.mesh.light_map_uv import light_map_uv
from nodes.mesh.unwrap import unwrap


def tiled() -> Mesh:
    """Two planks that share one piece of a texture, repeated, one of them mirrored."""
    uv = grid(4).uv * 3
    both = together(grid(4), moved(grid(4), 0, 1, 0))
    picture = Image.of(np.random.default_rng(0).random((8, 8, 3)))
    return replace(
        both, uv=np.concatenate([uv, uv * (-1, 1)]).astype(np.float32), material=Material(base_colour=picture)
    )


@pytest.mark.parametrize("charts", ["auto", "keep", "new"])
def test_nothing_overlaps_and_gaps_hold(charts: str) -> None:
    run = Run()
    laid, report = light_map_uv(run, tiled(), texture_size=128, padding=3, charts=charts)
    assert (uv_turns(laid) > 0).all() and overlapping_pairs(laid) == 0
    assert least_gap(laid, 6 / 128) >= 3 / 128 * (1 - 1e-5)
    assert laid.uv.min() >= 0 and laid.uv.max() <= 1
    assert laid.material.base_colour is None and not run.notes
    assert report.value("charts") == 2


def test_faces_stay_in_order_so_that_both_sets_come_together() -> None:
    mesh = unwrap(Run(), bumpy(3))
    light, _ = light_map_uv(Run(), mesh, charts="new", padding=8)
    both, second = with_second_uv(mesh, light)
    assert np.array_equal(both.vertices[both.faces], mesh.vertices[mesh.faces])
    assert np.array_equal(both.uv[both.faces], mesh.uv[mesh.faces])
    assert np.array_equal(both.normals[both.faces], mesh.normals[mesh.faces])
    assert np.array_equal(second[both.faces], light.uv[light.faces])


def test_a_mesh_without_uvs_gets_new_charts() -> None:
    laid, _ = light_map_uv(Run(), box())
    assert overlapping_pairs(laid) == 0
    with pytest.raises(BadInput, match="no UVs"):
        light_map_uv(Run(), box(), charts="keep")


def test_another_mesh_is_refused() -> None:
    light, _ = light_map_uv(Run(), bumpy(2))
    for other in (bumpy(3), moved(bumpy(2), 1, 0, 0)):
        with pytest.raises(BadInput, match="another mesh"):
            with_second_uv(other, light)


def test_charts_that_are_not_numbers_are_made_anew_with_a_word() -> None:
    ball = tiled()
    uv = ball.uv.copy()
    uv[5] = np.nan
    run = Run()
    laid = light_map_uv(run, replace(ball, uv=uv))[0]
    assert np.isfinite(laid.uv).all() and "made anew" in run.notes[0]


def test_charts_that_are_put_away_lie_as_if_they_had_stayed(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, random = bumpy(5), np.random.default_rng(0)
    rough = replace(mesh, vertices=(mesh.vertices + 0.01 * random.standard_normal(mesh.vertices.shape)).astype("f4"))
    seen: list[int] = []

    def counted(run: Run, surface: Surface, *more: Any) -> Tried:
        seen.append(len(surface.area))
        return flattened(run, surface, *more)

    monkeypatch.setattr(_charts, "flattened", counted)
    away, there = light_map_uv(Run(), rough)
    assert len(seen) > 3 and min(seen) < len(rough.faces) / 2
    monkeypatch.setattr("nodes.mesh._lying.WORTH", 2.0)
    seen.clear()
    stayed, report = light_map_uv(Run(), rough)
    assert min(seen) == len(rough.faces)
    assert np.array_equal(away.uv, stayed.uv) and np.array_equal(away.faces, stayed.faces) and there.rows == report.rows

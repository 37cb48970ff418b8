"""A mesh as control: what the maps show, and that the picture leads back to the surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine import Image, Material, Run
from nodes.control.from_mesh import FLOOR, from_mesh
from nodes.mesh._camera import unproject
from nodes.mesh.primitives import box, sphere


def test_the_maps_of_a_sphere() -> None:
    run = Run()
    got = from_mesh(run, sphere(radius=0.5), azimuth=0, elevation=0, width=96, height=80)
    inside = got.mask.values > 0
    assert got.depth_map.size == (96, 80) and got.depth_map.space == "data"
    nearest = np.unravel_index(got.depth_map.rgb[..., 0].argmax(), (80, 96))
    assert abs(nearest[0] - 39.5) <= 1.5 and abs(nearest[1] - 47.5) <= 1.5
    assert (got.depth_map.rgb[~inside] == 0).all() and got.depth_map.rgb[np.isfinite(got.depth.metres)].min() >= FLOOR
    assert np.allclose(got.normal_map.rgb[~inside], (0.5, 0.5, 1))
    red, green, blue = np.moveaxis(got.normal_map.rgb, -1, 0)
    assert red[40, 15] > 0.8 > 0.2 > red[40, 80], "red is left"
    assert green[8, 48] > 0.8 > 0.2 > green[71, 48] and blue[40, 48] > 0.99
    line = got.line_map.rgb[..., 0]
    assert line[40, 48] == 0 and line[40].max() == 1 and 0.005 < (line > 0.5).mean() < 0.1
    assert run.notes == []


def test_edges_of_a_box_are_lines_and_its_sides_are_not() -> None:
    got = from_mesh(Run(), box(pieces=3), azimuth=35, elevation=30, width=128, height=128)
    line = got.line_map.rgb[..., 0] > 0.5
    labels = np.unique((got.normal_map.rgb * 20).round().reshape(-1, 3)[(got.mask.values == 1).ravel()], axis=0)
    assert len(labels) == 3, "three sides are seen"
    assert 0.02 < line.mean() < 0.08
    whole = from_mesh(Run(), box(pieces=3), azimuth=35, elevation=30, width=128, height=128, crease=180)
    assert line.sum() > 1.3 * (whole.line_map.rgb[..., 0] > 0.5).sum(), "inner edges are lines, too"


def test_the_view_leads_back_to_the_surface() -> None:
    mesh = replace(sphere(radius=0.5), material=Material(base_colour=Image.of(np.full((2, 2, 3), 0.25, np.float32))))
    got = from_mesh(Run(), mesh, azimuth=70, elevation=-20, width=64, height=64)
    points = unproject(got.depth.metres, got.views.intrinsics[0].astype(np.float64))
    pose = got.views.poses[0].astype(np.float64)
    world = points[np.isfinite(got.depth.metres)] @ pose[:3, :3].T + pose[:3, 3]
    assert np.abs(np.linalg.norm(world, axis=1) - 0.5).max() < 0.003
    assert got.views.images[0].size == (64, 64)
    covered = got.colour.alpha > 0
    assert np.allclose(got.colour.rgb[covered], 0.25, atol=1e-5)
    assert np.array_equal(got.mask.values, got.colour.alpha)


def test_a_point_to_look_at_moves_the_picture_and_an_empty_view_is_told() -> None:
    mesh, run = sphere(radius=0.5), Run()
    got = from_mesh(run, mesh, azimuth=0, elevation=0, distance=3, aim="point", aim_x=0.5, width=64, height=64)
    columns = np.nonzero(got.mask.values.max(axis=0))[0]
    assert columns.mean() < 24 and run.notes == []
    empty = from_mesh(run, mesh, aim="point", aim_y=100, width=64, height=64)
    assert not empty.mask.values.any() and not empty.depth_map.rgb.any() and "sees nothing" in run.notes[0]


def test_lines_do_not_depend_on_the_bands_they_are_drawn_in(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = from_mesh(Run(), box(pieces=2), width=96, height=96).line_map.pixels
    monkeypatch.setattr("nodes.control._outlines.BAND", 7)
    assert np.array_equal(from_mesh(Run(), box(pieces=2), width=96, height=96).line_map.pixels, whole)

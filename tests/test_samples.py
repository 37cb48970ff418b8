"""The samples are what they promise, small, and made by the script beside them."""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from app.engine import Run
from nodes.io.load_image import load_image
from nodes.io.load_mesh import load_mesh
from nodes.mesh.analyse import analyse

RESOURCES = Path(__file__).parents[1] / "resources"
SAMPLES = RESOURCES / "samples"
PHOTOGRAPHS = ("chair.jpg", "mug.jpg", "mushroom_house.jpg", "rubber_duck.jpg", "toy_rocket.jpg")
MESHES = ("barrel.glb", "duck_scan.ply", "owl.glb")


def test_the_folder_holds_these_and_stays_small() -> None:
    files = list(SAMPLES.iterdir())
    assert {file.name for file in files} == {*PHOTOGRAPHS, *MESHES, "dinosaur.png", "stone_wall.jpg", "LICENSE.txt"}
    assert sum(file.stat().st_size for file in files) < 4_000_000


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_has_one_thing_before_a_calm_background(name: str) -> None:
    picture = load_image(Run(), SAMPLES / name)
    assert picture.size == (1024, 1024)
    assert picture.alpha.min() == 1
    rim = np.concatenate([picture.rgb[:40].reshape(-1, 3), picture.rgb[600:, :40].reshape(-1, 3)])
    middle = picture.rgb[400:700, 350:700].reshape(-1, 3)
    assert rim.std(axis=0).max() < 0.2
    assert np.abs(middle - np.median(rim, axis=0)).max(axis=1).mean() > 0.15


def test_the_drawing_is_flat_and_cut_out() -> None:
    picture = load_image(Run(), SAMPLES / "dinosaur.png")
    assert picture.alpha[0].max() == 0 and picture.alpha[512, 512] == 1
    assert 0.2 < float(picture.alpha.mean()) < 0.6
    solid = (picture.rgb[picture.alpha == 1] * 255 + 0.5).astype(np.uint8)
    _, counts = np.unique(solid, axis=0, return_counts=True)
    assert np.sort(counts)[-8:].sum() > 0.9 * len(solid)


def test_the_wall_is_a_surface_that_does_not_tile() -> None:
    """Detail everywhere, light that falls off to one side, borders that do not meet."""
    grey = load_image(Run(), SAMPLES / "stone_wall.jpg").rgb.mean(axis=2)
    assert grey.shape == (1024, 1024)
    parts = grey.reshape(8, 128, 8, 128)
    assert parts.std(axis=(1, 3)).min() > 0.04 and np.abs(np.diff(parts.mean(axis=(1, 3)), axis=0)).max() < 0.2
    assert grey[:, :256].mean() > 1.08 * grey[:, -256:].mean()
    assert np.abs(grey[:, 0] - grey[:, -1]).mean() > 3 * np.abs(np.diff(grey, axis=1)).mean()


def test_the_sculpt_is_dense_closed_and_painted() -> None:
    mesh = load_mesh(Run(), SAMPLES / "owl.glb")
    report = analyse(Run(), mesh).report
    assert 50_000 < len(mesh.faces) < 70_000
    assert report.value("watertight") is True and float(report.value("volume (m³)")) > 0
    assert mesh.colours is not None and np.ptp(mesh.colours[:, :3], axis=0).min() > 0.4
    assert mesh.uv is None


def test_the_scan_has_every_fault_of_a_scan() -> None:
    report = analyse(Run(), load_mesh(Run(), SAMPLES / "duck_scan.ply")).report
    faults = ("holes", "edges with crossed winding", "duplicate faces", "boundary edges")
    assert report.value("closed") is False
    assert all(int(report.value(name)) > 0 for name in faults)
    assert int(report.value("parts")) > 10


def test_the_barrel_is_light_unwrapped_and_textured() -> None:
    mesh = load_mesh(Run(), SAMPLES / "barrel.glb")
    report = analyse(Run(), mesh).report
    assert len(mesh.faces) < 500
    assert report.value("watertight") is True and float(report.value("UV overlap")) == 0
    assert mesh.material is not None and mesh.material.base_colour is not None and mesh.material.metallic is not None


def test_the_script_makes_the_same_barrel_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    script = runpy.run_path(str(RESOURCES / "make_samples.py"))
    monkeypatch.setitem(script["main"].__globals__, "SAMPLES", tmp_path)
    script["main"](["barrel.glb"])
    made, kept = (load_mesh(Run(), folder / "barrel.glb") for folder in (tmp_path, SAMPLES))
    np.testing.assert_allclose(made.vertices, kept.vertices, atol=1e-6)
    np.testing.assert_array_equal(made.faces, kept.faces)


def test_the_script_draws_the_same_dinosaur_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(RESOURCES))
    drawn = np.asarray(importlib.import_module("studio.drawing").dinosaur(128), np.float32) / 255
    kept = load_image(Run(), SAMPLES / "dinosaur.png", longest_side=128).pixels
    assert np.abs(drawn - kept)[..., 3].mean() < 0.005
    assert (np.abs(drawn - kept) * kept[..., 3:]).mean() < 0.01

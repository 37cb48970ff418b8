"""Blender opens the USD that we write, and we open the FBX and USD that Blender writes of it.

``make peers`` brings Blender (``bpy``, of another licence) into an environment of its own; without it this is skipped.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from io_samples import coloured, full_material, noise, plain, solid, textured, write

from app.engine import Material, Run
from nodes.io.export_usd import export_usd
from nodes.io.load_mesh import load_mesh
from nodes.mesh.primitives import box

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".tools" / "peers"
PYTHON = next((path for path in (PEERS / "bin" / "python", PEERS / "Scripts" / "python.exe") if path.exists()), None)
FULL = full_material(base_colour=noise(1, (24, 16), space="srgb"), emissive=None, height=None, base_factor=(1, 1, 1, 1))
SHAPES = {
    "plain": lambda: replace(box(width=0.2, height=0.4, depth=0.8), material=None),
    "full": lambda: replace(textured(), material=FULL),
    "red": lambda: replace(plain(), material=Material("red", base_factor=(1, 0, 0, 1), metallic_factor=0.5)),
    "coloured": coloured,
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict]]:
    """Of each sample its file and what Blender says about it."""
    if PYTHON is None:
        pytest.skip("needs Blender: make peers")
    folder = tmp_path_factory.mktemp("blender")
    paths = {name: write(export_usd(Run(), make(), path=Path(f"{name}.usdz")), folder) for name, make in SHAPES.items()}
    command = [str(PYTHON), str(ROOT / "tests" / "usd" / "blender_foreign.py"), *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    reports = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("REPORT")]
    return {name: (path, report) for (name, path), report in zip(paths.items(), reports, strict=True)}


@pytest.mark.parametrize("name", SHAPES)
def test_blender_sees_the_same_mesh_where_it_stands(seen, name):
    mesh, (found,) = SHAPES[name](), seen[name][1]["meshes"]
    assert found["faces"] == len(mesh.faces) and found["uv"] == (mesh.uv is not None)
    assert np.allclose(found["corners"], mesh.bounds, atol=1e-6)


def test_blender_sees_the_same_material(seen):
    (found,) = seen["full"][1]["meshes"]
    assert found["materials"] == ["all_maps"]
    assert {"Base Color", "Metallic", "Roughness", "Normal"} <= set(seen["full"][1]["linked"]["all_maps"])
    assert [24, 16] in seen["full"][1]["images"]


@pytest.mark.parametrize("name", SHAPES)
def test_the_fbx_that_blender_writes_is_read(seen, name):
    mesh, run = SHAPES[name](), Run()
    back = load_mesh(run, Path(f"{seen[name][0]}.fbx"))
    assert len(back.faces) == len(mesh.faces) and (back.uv is None) == (mesh.uv is None)
    assert np.allclose(back.bounds, mesh.bounds, atol=1e-5)
    assert solid(back).volume == pytest.approx(solid(mesh).volume, rel=1e-4)
    assert "Converted centimetres to metres." in run.notes
    if name == "full":
        texture = back.material.base_colour
        assert texture is not None and texture.size == (24, 16)
        assert np.abs(texture.pixels - mesh.material.base_colour.pixels).max() < 1e-6
    if name == "red":
        assert back.material.base_factor == pytest.approx((1, 0, 0, 1))


@pytest.mark.parametrize("name", SHAPES)
def test_the_usd_that_blender_writes_is_read(seen, name):
    pytest.importorskip("pxr", reason="needs: uv sync --extra usd")
    mesh, run = SHAPES[name](), Run()
    back = load_mesh(run, Path(f"{seen[name][0]}.usdc"))
    assert len(back.faces) == len(mesh.faces) and (back.uv is None) == (mesh.uv is None)
    assert np.allclose(back.bounds, mesh.bounds, atol=1e-5)
    assert solid(back).volume == pytest.approx(solid(mesh).volume, rel=1e-4)
    assert any("+Z up to +Y up" in note for note in run.notes)

"""Blender opens what we write, with the same objects, materials and pictures, and we open what Blender writes of it.

``make peers`` brings Blender (``bpy``, of another licence) into an environment of its own; without it this is skipped.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from io_samples import GLTF_CHECK
from scene_samples import gallery, glb, table, tree

from app.engine import Run, Scene
from app.engine.placing import in_place
from nodes.io.load_scene import load_scene

PEERS = Path(__file__).parents[2] / ".tools" / "peers"
PYTHON = next((path for path in (PEERS / "bin" / "python", PEERS / "Scripts" / "python.exe") if path.exists()), None)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict]]:
    """Of each sample its file and what Blender says about it."""
    if PYTHON is None:
        pytest.skip("needs Blender: make peers")
    folder = tmp_path_factory.mktemp("blender")
    written = {"table": glb(table()), "draco": glb(table(), compression="Draco"), "gallery": glb(gallery())}
    paths = {name: folder / f"{name}.glb" for name in written}
    for name, data in written.items():
        paths[name].write_bytes(data)
    command = [str(PYTHON), str(GLTF_CHECK / "blender_reads.py"), *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    reports = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("REPORT")]
    return {name: (paths[name], report) for name, report in zip(written, reports, strict=True)}


def parents(scene: Scene) -> dict[str, str | None]:
    return {
        name: None if up < 0 else scene.names[up] for name, up in zip(scene.names, scene.parents.tolist(), strict=True)
    }


@pytest.mark.parametrize("name", ["table", "draco", "gallery"])
def test_blender_sees_the_same_objects_where_they_stand(seen, name):
    scene, found = gallery() if name == "gallery" else table(), seen[name][1]["objects"]
    assert {key: thing["parent"] for key, thing in found.items()} == parents(scene)
    shown = [k for k, row in enumerate(scene.parts) if row]
    for k in shown:
        thing, meshes = found[scene.names[k]], [scene.meshes[m] for m in scene.parts[k]]
        assert thing["faces"] == sum(len(m.faces) for m in meshes)
        assert thing["vertices"] == sum(len(m.vertices) for m in meshes)
        assert thing["materials"] == [m.material.name for m in meshes]
        assert thing["uv"] == 1 + any(scene.second_uvs and scene.second_uvs[m] is not None for m in scene.parts[k])
    assert len({thing["mesh"] for thing in found.values() if thing["mesh"]}) == len({scene.parts[k] for k in shown})
    stand = {mesh.name: mesh for mesh in in_place(scene) if mesh.name != "top"}
    for key, mesh in stand.items():
        np.testing.assert_allclose(found[key]["corners"], mesh.bounds, atol=2e-4 if name == "draco" else 1e-5)


@pytest.mark.parametrize("name", ["table", "gallery"])
def test_blender_sees_the_same_materials_and_pictures(seen, name):
    path, found = seen[name]
    written = tree(path.read_bytes())
    assert set(found["materials"]) == {m["name"] for m in written["materials"]}
    assert set(found["images"]) == {i["name"] for i in written["images"]}
    scene = load_scene(Run(), path)
    made = {m.material.name: m.material for m in scene.meshes}
    for key, entry in found["materials"].items():
        if "Metallic" in entry and made[key].metallic is None and made[key].roughness is None:
            assert np.isclose(entry["Metallic"], made[key].metallic_factor)
            assert np.isclose(entry["Roughness"], made[key].roughness_factor)
    for key, material in made.items():
        if material.base_colour is not None and f"{key} base_colour" in found["images"]:
            width, height, total = found["images"][f"{key} base_colour"]
            alpha = material.base_colour.alpha if material.alpha_mode != "opaque" else np.ones((height, width))
            ours = int(np.rint(material.base_colour.rgb * 255).sum() + np.rint(alpha * 255).sum())
            assert (width, height) == material.base_colour.size and total == ours
    if name == "gallery":
        layers = {key: dict(m.layers) for key, m in made.items()}
        assert np.isclose(found["materials"]["glass"]["Transmission Weight"], 0.9)
        assert np.isclose(found["materials"]["glass"]["IOR"], layers["glass"]["ior.ior"])
        assert found["materials"]["glow"]["Emission Strength"] == 8.0


@pytest.mark.parametrize("name", ["table", "gallery"])
def test_what_blender_writes_of_it_is_read_again(seen, name):
    path = seen[name][0]
    run = Run()
    scene, back = load_scene(Run(), path), load_scene(run, Path(f"{path}.blender.glb"))
    assert "KHR_draco_mesh_compression" in tree(Path(f"{path}.blender.glb").read_bytes())["extensionsRequired"]
    assert parents(back) == parents(scene)
    ours, theirs = ({m.name: m for m in in_place(s) if m.name != "top"} for s in (scene, back))
    for key, mesh in ours.items():
        assert len(theirs[key].faces) == len(mesh.faces)
        np.testing.assert_allclose(theirs[key].bounds, mesh.bounds, atol=2e-3)
    one, two = ({m.material.name: m.material for m in s.meshes} for s in (scene, back))
    assert one.keys() == two.keys()
    for key in one:
        assert one[key].alpha_mode == two[key].alpha_mode
        assert (one[key].base_colour is None) == (two[key].base_colour is None)

"""Reading and writing a mesh of a million triangles, ours beside trimesh's; compare within each group.

pytest benchmarks/bench_io.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,min,rounds
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.engine import Files, Image, Material, Mesh, Run, Scene
from nodes.io.export_glb import export_glb
from nodes.io.export_obj import export_obj
from nodes.io.export_ply import export_ply
from nodes.io.export_scene import export_scene
from nodes.io.export_stl import export_stl
from nodes.io.load_mesh import load_mesh
from nodes.io.load_scene import load_scene
from nodes.mesh.primitives import plane

EXPORTS = {"glb": export_glb, "ply": export_ply, "stl": export_stl, "obj": export_obj}
SIDE = 732


@pytest.fixture(scope="module")
def hills() -> Mesh:
    """1,071,648 triangles with normals and UVs, and positions with all their digits."""
    flat = plane(1, 1, SIDE)
    height = np.random.default_rng(0).normal(0, 0.001, len(flat.vertices))
    vertices = flat.vertices + np.stack([height * 0, height, height * 0], axis=1)
    return replace(flat, vertices=vertices.astype(np.float32), material=None)


@pytest.fixture(scope="module")
def bare(hills: Mesh) -> Mesh:
    return Mesh(hills.vertices, hills.faces)


def save(files: Files, path: Path) -> None:
    with path.open("wb") as out:
        out.write(files.contents[0].data)


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("who", ["polyloom", "trimesh"])
def test_write_positions(benchmark, tmp_path, bare, kind, who):
    benchmark.group = f"write {kind}, positions and triangles"
    path = tmp_path / f"mesh.{kind}"
    if kind == "glb":  # ours always writes normals; trimesh writes none here
        bare = replace(bare, normals=np.broadcast_to(np.float32([0, 1, 0]), bare.vertices.shape))
    mine = lambda: save(EXPORTS[kind](Run(), bare), path)  # noqa: E731
    theirs = lambda: trimesh.Trimesh(bare.vertices, bare.faces, process=False).export(path)  # noqa: E731
    mine()
    benchmark.pedantic(mine if who == "polyloom" else theirs, rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("who", ["polyloom", "trimesh"])
def test_read_positions(benchmark, tmp_path, bare, kind, who):
    benchmark.group = f"read {kind}, positions and triangles"
    path = tmp_path / f"mesh.{kind}"
    trimesh.Trimesh(bare.vertices, bare.faces, process=False).export(path)
    ours = lambda: load_mesh(Run(), path, merge=kind == "stl")  # noqa: E731
    theirs = lambda: trimesh.load_scene(path, process=kind == "stl")  # noqa: E731
    found = benchmark.pedantic(ours if who == "polyloom" else theirs, rounds=3, iterations=1)
    meshes = [found] if who == "polyloom" else list(found.geometry.values())
    assert sum(len(mesh.faces) for mesh in meshes) == len(bare.faces)


@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_write_everything(benchmark, tmp_path, hills, kind):
    benchmark.group = "write positions, normals and UVs"
    benchmark.pedantic(lambda: save(EXPORTS[kind](Run(), hills), tmp_path / "mesh"), rounds=3, iterations=1)


@pytest.mark.parametrize("who", ["polyloom", "polyloom scene", "polyloom Draco", "trimesh"])
def test_write_glb_beside_trimesh(benchmark, tmp_path, hills, who):
    """Positions, normals and UVs; at most a fifth of trimesh's time is asked for, without Draco."""
    benchmark.group = "write GLB with positions, normals and UVs"
    path, scene = tmp_path / "mesh.glb", Scene.of(hills)
    visual = trimesh.visual.TextureVisuals(uv=hills.uv)
    other = trimesh.Trimesh(hills.vertices, hills.faces, vertex_normals=hills.normals, visual=visual, process=False)
    tasks = {
        "polyloom": lambda: save(export_glb(Run(), hills), path),
        "polyloom scene": lambda: save(export_scene(Run(), scene), path),
        "polyloom Draco": lambda: save(export_glb(Run(), hills, compression="Draco"), path),
        "trimesh": lambda: other.export(path),
    }
    benchmark.pedantic(tasks[who], rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)


@pytest.mark.parametrize("packed", ["none", "Draco"])
def test_read_scene(benchmark, tmp_path, hills, packed):
    benchmark.group = "read a GLB scene"
    path = tmp_path / "mesh.glb"
    save(export_glb(Run(), hills, compression=packed), path)
    benchmark.pedantic(lambda: load_scene(Run(), path), rounds=3, iterations=1)


@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_read_everything(benchmark, tmp_path, hills, kind):
    benchmark.group = "read positions, normals and UVs"
    path = tmp_path / f"mesh.{kind}"
    save(EXPORTS[kind](Run(), hills), path)
    benchmark.pedantic(lambda: load_mesh(Run(), path, merge=False), rounds=3, iterations=1)


@pytest.mark.parametrize("who", ["polyloom", "trimesh"])
def test_write_glb_with_textures(benchmark, tmp_path, who):
    """10,082 triangles and six 1024² maps; trimesh gets its pictures ready-made and packed."""
    benchmark.group = "write GLB with 1024² PBR textures"
    rng = np.random.default_rng(0)
    coarse = rng.random((6, 64, 64, 3)).astype(np.float32)
    maps = [Image.of(np.kron(c, np.ones((16, 16, 1), np.float32)) + rng.random((1024, 1024, 3)) * 0.05) for c in coarse]
    names = ("base_colour", "normal", "metallic", "roughness", "occlusion", "emissive")
    sheet = replace(plane(1, 1, 71), material=Material(**dict(zip(names, maps, strict=True))))
    path = tmp_path / "mesh.glb"
    from PIL import Image as Pictures

    pictures = [Pictures.fromarray((m.rgb * 255).astype(np.uint8)) for m in maps]
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=pictures[0],
        normalTexture=pictures[1],
        metallicRoughnessTexture=pictures[2],
        occlusionTexture=pictures[2],
        emissiveTexture=pictures[5],
    )
    visual = trimesh.visual.TextureVisuals(uv=sheet.uv, material=material)
    other = trimesh.Trimesh(sheet.vertices, sheet.faces, visual=visual, process=False)
    mine = lambda: save(export_glb(Run(), sheet), path)  # noqa: E731
    benchmark.pedantic(mine if who == "polyloom" else lambda: other.export(path), rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)

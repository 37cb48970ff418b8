"""Packed glTF: Draco both ways, meshopt and WebP read."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import meshopt_samples
import numpy as np
import pytest
from io_samples import GLTF_CHECK, gltf_reports, noise, same_geometry, textured, write
from PIL import Image as Pictures
from scene_samples import glb, same_picture, table, through, tree
from test_gltf_scene import edited

from app.engine import BadFile, BadInput, Mesh, Run, Scene
from app.engine.codec import digest, encode
from nodes.io._meshopt import unpacked
from nodes.io.export_glb import export_glb
from nodes.io.load_mesh import load_mesh
from nodes.io.load_scene import load_scene
from nodes.mesh.primitives import sphere


def peer(name: str) -> str:
    """The path of a node module's folder; skips the test where it is not installed."""
    folder = GLTF_CHECK / "node_modules" / name
    if not shutil.which("node") or not folder.is_dir():
        pytest.skip("needs node and: npm install --prefix tests/gltf --no-package-lock")
    return str(folder)


def nearest(points: np.ndarray, others: np.ndarray) -> float:
    from scipy.spatial import cKDTree

    return float(cKDTree(others).query(points)[0].max())


@pytest.mark.parametrize("bits", [10, 14, 20])
def test_draco_keeps_the_shape_within_its_grid(tmp_path, bits):
    rng = np.random.default_rng(0)
    ball = sphere(0.5, segments=64)
    mesh = replace(ball, material=textured().material, colours=rng.random((len(ball.vertices), 4)).astype(np.float32))
    path = write(export_glb(Run(), mesh, compression="Draco", draco_bits=bits), tmp_path)
    back = load_mesh(Run(), path, merge=False)
    assert len(back.faces) == len(mesh.faces)
    step = 1.0 / (2**bits - 1)
    assert nearest(back.vertices, mesh.vertices) <= step and nearest(mesh.vertices, back.vertices) <= step
    rows = np.column_stack([mesh.vertices, mesh.uv])
    others = np.column_stack([back.vertices, back.uv])
    assert nearest(others, rows) <= 2 * step + 2.0 ** -max(12, bits - 2)
    assert np.abs(np.linalg.norm(back.normals, axis=1) - 1).max() < 1e-2
    ordered = [np.sort(np.rint(m.colours * 255).astype(int), axis=0) for m in (mesh, back)]
    assert np.abs(ordered[0] - ordered[1]).max() <= 1


def test_draco_is_smaller_and_keeps_instances(tmp_path):
    scene = table()
    found = tree(glb(scene, compression="Draco"))
    assert found["extensionsRequired"] == ["KHR_draco_mesh_compression"]
    back, _ = through(scene, tmp_path, compression="Draco")
    assert back.names == scene.names and back.parts == scene.parts
    ball = replace(sphere(0.5, segments=200), material=None)
    sizes = [len(export_glb(Run(), ball, compression=c).contents[0]) for c in ("none", "Draco")]
    assert sizes[1] < 0.3 * sizes[0]


def test_damaged_draco_is_refused_in_words(tmp_path):
    data = bytearray(glb(Scene.of(replace(textured(), material=None)), compression="Draco"))
    at = data.index(b"DRACO")
    (tmp_path / "a.glb").write_bytes(bytes(data[: at + 40]) + bytes(len(data) - at - 40))
    with pytest.raises(BadInput, match="Draco"):
        load_mesh(Run(), tmp_path / "a.glb")


def jobs() -> list[dict]:
    """Streams of every mode and filter: even, random, long, of one element."""
    rng = np.random.default_rng(0)
    ball = sphere(0.5, segments=40)
    grid = np.zeros((len(ball.vertices), 4), np.uint16)
    grid[:, :3] = np.rint((ball.vertices + 0.5) * 65535)
    faces = ball.faces.astype(np.uint32)
    turns = rng.normal(size=(500, 4)).astype(np.float32)
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    units = np.ones((len(ball.normals), 4), np.float32)
    units[:, :3] = ball.normals
    made = [
        ("ATTRIBUTES", grid, len(grid), 8, "NONE", 0),
        ("ATTRIBUTES", rng.integers(0, 256, (1000, 12), dtype=np.uint8), 1000, 12, "NONE", 0),
        ("ATTRIBUTES", rng.integers(0, 9, (37, 256), dtype=np.uint8), 37, 256, "NONE", 0),
        ("ATTRIBUTES", np.zeros((1, 4), np.uint8), 1, 4, "NONE", 0),
        ("TRIANGLES", faces, faces.size, 4, "NONE", 0),
        ("TRIANGLES", faces.astype(np.uint16), faces.size, 2, "NONE", 0),
        ("TRIANGLES", rng.integers(0, 100_000, 15_000).astype(np.uint32), 15_000, 4, "NONE", 0),
        ("TRIANGLES", rng.integers(0, 40, 15_000).astype(np.uint32), 15_000, 4, "NONE", 0),
        ("INDICES", rng.integers(0, 2**30, 999).astype(np.uint32), 999, 4, "NONE", 0),
        ("ATTRIBUTES", units, len(units), 4, "OCTAHEDRAL", 8),
        ("ATTRIBUTES", units, len(units), 8, "OCTAHEDRAL", 12),
        ("ATTRIBUTES", turns, 500, 8, "QUATERNION", 14),
        ("ATTRIBUTES", rng.normal(size=(500, 3)).astype(np.float32) * 100, 500, 12, "EXPONENTIAL", 15),
    ]
    names = ("mode", "data", "count", "stride", "filter", "bits")
    rows = [dict(zip(names, row, strict=True)) for row in made]
    return [row | {"data": base64.b64encode(row["data"].tobytes()).decode()} for row in rows]


def test_meshopt_streams_are_unpacked_as_the_reference_does(tmp_path):
    peer("meshoptimizer")
    (tmp_path / "jobs.json").write_text(json.dumps(jobs()))
    command = [shutil.which("node"), str(GLTF_CHECK / "meshopt.mjs"), str(tmp_path / "jobs.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    for job, answer in zip(jobs(), json.loads(done.stdout), strict=True):
        data, wanted = (base64.b64decode(answer[key]) for key in ("packed", "expected"))
        found = unpacked(data, job["count"], job["stride"], job["mode"], job["filter"])
        if job["filter"] in ("OCTAHEDRAL", "QUATERNION"):
            kind = np.int8 if job["stride"] == 4 else np.int16
            one, two = (np.frombuffer(raw, kind).astype(int) for raw in (found, wanted))
            assert np.abs(one - two).max() <= 1, job["filter"]
        else:
            assert found == wanted, (job["mode"], job["count"])
        for cut in (data[:-1], data[: len(data) // 2], data[:1], b"", b"\0" + data[1:], data + b"\0"):
            with pytest.raises(BadFile):
                unpacked(cut, job["count"], job["stride"], job["mode"], job["filter"])


def test_files_of_gltfpack_are_read(tmp_path):
    """Quantised and packed by the library's own program: the shape within its grid of 14 bits."""
    tool = Path(peer("gltfpack")) / "cli.js"
    mesh = replace(textured(), material=replace(textured().material, normal=None, emissive=None))
    (tmp_path / "in.glb").write_bytes(export_glb(Run(), mesh).contents[0].tobytes())
    command = [shutil.which("node"), str(tool), "-i", str(tmp_path / "in.glb"), "-o", str(tmp_path / "out.glb"), "-c"]
    subprocess.run([*command, "-kn", "-km"], capture_output=True, timeout=120, check=True)
    found = tree((tmp_path / "out.glb").read_bytes())
    assert "EXT_meshopt_compression" in found["extensionsRequired"]
    run = Run()
    back = load_mesh(run, tmp_path / "out.glb", merge=False)
    assert not run.notes and len(back.faces) == len(mesh.faces)
    assert nearest(back.vertices, mesh.vertices) < 2e-4 and nearest(mesh.vertices, back.vertices) < 2e-4
    rows, others = np.column_stack([mesh.vertices, mesh.uv]), np.column_stack([back.vertices, back.uv])
    assert nearest(others, rows) < 1e-3
    assert same_picture(back.material.base_colour, mesh.material.base_colour)


def test_a_packed_file_is_the_plain_one_bit_by_bit(tmp_path):
    plain = glb(table())
    (tmp_path / "plain.glb").write_bytes(plain)
    (tmp_path / "packed.glb").write_bytes(meshopt_samples.packed(plain))
    one, two = (load_scene(Run(), tmp_path / f"{name}.glb") for name in ("plain", "packed"))
    assert digest(encode(replace(one, name=""))) == digest(encode(replace(two, name="")))
    (report,) = gltf_reports([tmp_path / "packed.glb"])
    assert report["errors"] == 0, report["messages"]


def test_numbers_that_lie_in_a_meshopt_view_are_refused():
    for count, stride, mode, sieve in [
        (10**9, 256, "ATTRIBUTES", "NONE"),
        (4, 6, "ATTRIBUTES", "NONE"),
        (4, 4, "ATTRIBUTES", "STRANGE"),
        (4, 12, "ATTRIBUTES", "OCTAHEDRAL"),
        (4, 8, "TRIANGLES", "NONE"),
        (4, 4, "OTHER", "NONE"),
    ]:
        with pytest.raises(BadFile):
            unpacked(b"\xa0" + bytes(200), count, stride, mode, sieve)


def test_webp_textures_are_read(tmp_path):
    picture = noise(1, space="srgb")
    out = io.BytesIO()
    Pictures.fromarray(np.rint(picture.rgb * 255).astype(np.uint8)).save(out, "WEBP", lossless=True)
    mesh = replace(textured(), material=replace(textured().material, base_colour=picture, emissive=None))

    def change(found: dict) -> None:
        found["images"].append({"uri": "a.webp"})
        (texture,) = {m["pbrMetallicRoughness"]["baseColorTexture"]["index"] for m in found["materials"]}
        found["textures"][texture] = {"extensions": {"EXT_texture_webp": {"source": len(found["images"]) - 1}}}
        found["extensionsUsed"] = found["extensionsRequired"] = ["EXT_texture_webp"]

    (tmp_path / "a.webp").write_bytes(out.getvalue())
    (tmp_path / "a.glb").write_bytes(edited(glb(Scene.of(mesh)), change))
    run = Run()
    assert same_picture(load_scene(run, tmp_path / "a.glb").meshes[0].material.base_colour, picture) and not run.notes


@pytest.mark.parametrize("required", [True, False])
def test_basis_textures_are_said_in_words(tmp_path, required):
    def change(found: dict) -> None:
        for texture in found["textures"]:
            texture["extensions"] = {"KHR_texture_basisu": {"source": texture.pop("source")}}
        found["extensionsUsed"] = ["KHR_texture_basisu"]
        found |= {"extensionsRequired": ["KHR_texture_basisu"]} if required else {}

    (tmp_path / "a.glb").write_bytes(edited(glb(Scene.of(textured())), change))
    run = Run()
    if required:
        with pytest.raises(BadFile, match="Basis"):
            load_mesh(run, tmp_path / "a.glb")
    else:
        assert load_mesh(run, tmp_path / "a.glb", merge=False).material.base_colour is None
        assert any("Basis" in note for note in run.notes)


def test_an_empty_draco_mesh_is_not_asked_for(tmp_path):
    one = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    path = write(export_glb(Run(), one, compression="Draco", draco_bits=24), tmp_path)
    back = load_mesh(Run(), path, merge=False)
    assert len(back.faces) == 1 and nearest(back.vertices, one.vertices) < 1e-6
    same_geometry(load_mesh(Run(), write(export_glb(Run(), one), tmp_path), merge=False), one)

"""Meshes and helpers that the import and export tests share."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.engine import BadInput, Files, Image, Material, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh.primitives import sphere

GLTF_CHECK = Path(__file__).parents[1] / "gltf"


def write(files: Files, folder: Path) -> Path:
    """Write all files below ``folder``; the first one's path."""
    for name, content in zip(files.names, files.contents, strict=True):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.tobytes())
    return folder / files.names[0]


def noise(seed: int, size: tuple[int, int] = (24, 16), channels: int = 3, space: str = "data") -> Image:
    """Random values that 8 bits hold exactly; (width, height)."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return Image.of(values if channels > 1 else values[..., 0], space)  # type: ignore[arg-type]


def full_material(**changes: object) -> Material:
    every = Material(
        name="all maps",
        base_colour=noise(1, channels=3, space="srgb"),
        normal=noise(2),
        metallic=noise(3, channels=1),
        roughness=noise(4, channels=1),
        occlusion=noise(5, channels=1),
        height=noise(6, channels=1),
        emissive=noise(7, space="srgb"),
        base_factor=(0.5, 0.25, 1.0, 1.0),
        metallic_factor=0.75,
        roughness_factor=0.5,
        emissive_factor=(1.0, 0.5, 0.25),
    )
    return replace(every, **changes)  # type: ignore[arg-type]


def plain() -> Mesh:
    ball = sphere(0.5, segments=12)
    return Mesh(ball.vertices, ball.faces)


def textured(**changes: object) -> Mesh:
    return replace(sphere(0.5, segments=12), material=full_material(**changes))


def coloured() -> Mesh:
    ball = sphere(0.5, segments=12)
    levels = np.random.default_rng(0).integers(0, 256, (len(ball.vertices), 4), dtype=np.uint8)
    return replace(ball, uv=None, colours=(levels / 255).astype(np.float32), material=None)


def tiny() -> Mesh:
    return Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], name="one triangle")


def wild() -> Mesh:
    """Positions of every size that float32 has, with nothing round about them."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(300, 3)) * 10.0 ** rng.integers(-30, 30, (300, 3))
    return Mesh.of(points, rng.permutation(300).reshape(-1, 3))


def same_geometry(a: Mesh, b: Mesh) -> None:
    """The same faces over exactly equal positions, in the same order."""
    np.testing.assert_array_equal(a.vertices, b.vertices)
    assert a.faces.tobytes() == b.faces.tobytes()


def bytes_of(image: Image) -> bytes:
    return np.rint(image.pixels * 255).astype(np.uint8).tobytes()


def gltf_reports(paths: list[Path]) -> list[dict[str, object]]:
    """What the Khronos validator says about each file; skips the test where it is not installed."""
    node = shutil.which("node")
    if not node or not (GLTF_CHECK / "node_modules" / "gltf-validator").is_dir():
        pytest.skip("needs node and: npm install --prefix tests/gltf --no-package-lock")
    command = [node, str(GLTF_CHECK / "validate.js"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def load(folder: Path, name: str, content: bytes | str, **options: object) -> tuple[Mesh, list[str]]:
    """Write a file and load it: the mesh and the remarks."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    run = Run()
    return load_mesh(run, folder / name, **options), run.notes


def refused(folder: Path, name: str, content: bytes | str, **options: object) -> str:
    """The message with which a file is refused."""
    with pytest.raises(BadInput) as error:
        load(folder, name, content, **options)
    assert error.value.advice
    return error.value.message


def solid(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)

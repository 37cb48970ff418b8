"""A scene as one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Files, Run, SaveFile, Scene, node
from app.engine.placing import moved, placed
from nodes.io._credits import CreditsFile, with_credits
from nodes.io._glb_material import Materials
from nodes.io._textures import longest_side
from nodes.io._written import checked, unit_normals
from nodes.io.export_3mf import scene_3mf
from nodes.io.export_glb import Bits, ColourFormat, Compression, Quality, Size, scene_bytes
from nodes.io.export_usd import usd_files

SQUARE = 1e-5
SceneFile = Annotated[
    Path,
    SaveFile(suffixes=(".glb", ".usdz", ".usda", ".3mf"), help="Where to write. The ending of the name decides."),
]


@node("io.export_scene", title="Export scene", group="Export", version=3, credits=True)
def export_scene(
    run: Run,
    scene: Scene,
    path: SceneFile = Path("scene.glb"),
    texture_size: Size = "as they are",
    colour_format: ColourFormat = "PNG",
    jpeg_quality: Quality = 92,
    compression: Compression = "none",
    draco_bits: Bits = 14,
    credits_file: CreditsFile = False,
) -> Files:
    """Write a scene as one file: objects with names, places and parents, materials, credits, in GLB this graph.

    What is shared is written once: instances name the same mesh, and materials the same texture. Metres and +Y up.
    Everything that Load scene reads from GLB is written again: texture transforms, wrapping, alpha cut-off, unlit,
    clear coat, sheen, transmission and the like, and second UVs. USDZ and USDA keep the hierarchy and the PBR maps, 3MF
    for printing the objects and their base colours.
    """
    ready = whole(run, scene)
    if path.suffix.lower() != ".glb":
        files = _others(run, ready, path, longest_side(texture_size), jpeg_quality if colour_format == "JPEG" else 0)
        return with_credits(run, Files.of(files, shows=scene), credits_file)
    materials = Materials(longest_side(texture_size), jpeg_quality if colour_format == "JPEG" else 0)
    data = scene_bytes(run, ready, materials, draco_bits if compression == "Draco" else 0)
    return with_credits(run, Files.of({path.as_posix(): data}, shows=scene), credits_file)


def _others(run: Run, scene: Scene, path: Path, longest: int, jpeg: int) -> dict[str, bytes]:
    if path.suffix.lower() == ".3mf":
        return {path.as_posix(): scene_3mf(run, scene, longest)}
    return usd_files(run, scene, path, longest, jpeg)


def whole(run: Run, scene: Scene) -> Scene:
    """The scene with sound meshes only, in places that a glTF file can say. Raises :class:`BadInput` in words."""
    kept = [number for number, mesh in enumerate(scene.meshes) if len(mesh.faces)]
    used = sorted({m for row in scene.parts for m in row} & set(kept))
    if not used:
        raise BadInput("The scene has no faces.", "Check the node before this one.")
    if not np.isfinite(scene.places).all():
        raise BadInput("Some objects stand at places that are not numbers.", "Check the node before this one.")
    if len(used) < len(scene.meshes):
        scene = _only(scene, used)
    scene = replace(scene, meshes=tuple(unit_normals(checked(mesh)) for mesh in scene.meshes))
    return scene if square(scene.places).all() else _level(run, scene)


def square(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(K,) which (4, 4) matrices are a turn and a scale, without shear, and do not flatten."""
    linear = places[:, :3, :3].astype(np.float64)
    length = np.linalg.norm(linear, axis=1)
    unit = linear / np.maximum(length, 1e-30)[:, None, :]
    across = np.abs(np.einsum("kij,kil->kjl", unit, unit) - np.eye(3)).max(axis=(1, 2))
    last = (places[:, 3] == (0, 0, 0, 1)).all(axis=1)
    return np.asarray((across < SQUARE) & (length > 1e-12).all(axis=1) & last)


def _only(scene: Scene, used: list[int]) -> Scene:
    """With the meshes in ``used`` alone; what showed others is an empty."""
    place_of = {number: k for k, number in enumerate(used)}
    return replace(
        scene,
        meshes=tuple(scene.meshes[m] for m in used),
        parts=tuple(tuple(place_of[m] for m in row if m in place_of) for row in scene.parts),
        second_uvs=tuple(scene.second_uvs[m] for m in used) if scene.second_uvs else (),
    )


def _level(run: Run, scene: Scene) -> Scene:
    """Every object moved to where it stands, without parents: a file of turns and scales cannot say a shear."""
    run.warn("Some objects are sheared, which glTF cannot say: every object is written where it stands, by itself.")
    rows = list(placed(scene))
    parts: list[tuple[int, ...]] = [() for _ in scene.names]
    for number, (k, _, _) in enumerate(rows):
        parts[k] = (*parts[k], number)
    return replace(
        scene,
        meshes=tuple(moved(scene.meshes[m], matrix) for _, m, matrix in rows),
        parts=tuple(parts),
        places=np.tile(np.eye(4, dtype=np.float32), (len(parts), 1, 1)),
        parents=np.full(len(parts), -1, np.int32),
        second_uvs=tuple(scene.second_uvs[m] for _, m, _ in rows) if scene.second_uvs else (),
    )

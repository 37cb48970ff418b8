"""Read a file of several objects as a scene, with its hierarchy, names, instances and materials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from app.engine import BadFile, Isolated, OpenFile, Run, Scene, Setting, node
from nodes.io._assembly import Assembly, apart
from nodes.io._axes import said_in
from nodes.io._beside import Beside
from nodes.io._companions import companions
from nodes.io._near import say_coarse
from nodes.io._read_3mf import read_3mf_scene
from nodes.io._read_assimp import read_assimp_scene
from nodes.io._read_gltf import read_gltf_scene
from nodes.io._read_obj import read_obj_scene
from nodes.io._read_usd import read_usd_scene
from nodes.io._scene_of import scene_of
from nodes.io._stated import Author, Licence, Source, credit_file
from nodes.io.load_mesh import COMMENTED, READERS, Units, bytes_of, finite_part, in_words, said_frame

Reader = Callable[[bytes, Beside], Assembly]
SCENES: dict[str, Reader] = {
    ".glb": read_gltf_scene,
    ".gltf": read_gltf_scene,
    ".obj": read_obj_scene,
    ".3mf": read_3mf_scene,
    ".usdz": read_usd_scene,
    ".usda": read_usd_scene,
    ".usdc": read_usd_scene,
    ".usd": read_usd_scene,
    ".fbx": read_assimp_scene,
    ".dae": read_assimp_scene,
    ".3ds": read_assimp_scene,
}
"""Readers of files with a hierarchy. Of any other mesh file each part becomes an object."""


@node("io.load_scene", title="Load scene", group="Load", isolated=Isolated(limit_s=120))
def load_scene(
    run: Run,
    path: Annotated[
        Path,
        OpenFile(suffixes=(".glb", ".gltf", *READERS), companions=companions, usual=False, help="The scene to read."),
    ] = Path(),
    units: Annotated[
        Units, Setting(help="What one unit of the file is. Auto: as it says, millimetres for STL, or metres.")
    ] = "auto",
    up: Annotated[
        Literal["auto", "+Y", "+Z"], Setting(help="Which way is up in the file. Auto: as it says, +Z for STL, or +Y.")
    ] = "auto",
    licence: Licence = "",
    author: Author = "",
    source: Source = "",
) -> Scene:
    """Read a file with all its objects: names, hierarchy, instances and every material stay as they are.

    GLB and glTF keep everything, 3MF, USD, FBX and DAE their objects; of OBJ each object or group becomes one. The
    result is in metres with +Y up. Take one object out with Pick from scene, put it back with Replace in scene, and
    write all of it with Export scene.
    """
    data = bytes_of(path)
    credit_file(run, path, licence, author, source)
    run.progress(0.1, "reading")
    suffix = path.suffix.lower()
    beside = Beside(path.parent, run.warn, path.name)
    if path.suffix.lower() in COMMENTED and (said := said_in(data)):
        beside.says(said.metres, said.up)
    found = in_words(lambda: _read(suffix, data, beside, path.stem), path.name)
    beside.tell_ngons()
    run.progress(0.7, "objects")
    parts = [finite_part(part, False, run) for part in found.parts]
    if not any(len(part.faces) for part in parts):
        raise BadFile(
            f"{path.name} has no faces.", "Choose a file with triangles. Points alone are read by Load points."
        )
    frame = said_frame(path, beside, units, up, run.warn)
    scene = scene_of(found, parts, path.stem, frame.metres, frame.up)
    say_coarse((mesh.vertices for mesh in scene.meshes), run.warn)
    return scene


def _read(suffix: str, data: bytes, beside: Beside, name: str) -> Assembly:
    found = SCENES[suffix](data, beside) if suffix in SCENES else apart(READERS[suffix](data, beside), name)
    found.names[:] = [given or name for given in found.names]
    return found

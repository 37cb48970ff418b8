"""One file with a mesh and its collision bodies, named as an engine reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np

from app.engine import BadInput, Files, Mesh, Run, SaveFile, Setting, Text, node
from nodes.io._credits import CreditsFile
from nodes.io._textures import TextureSize
from nodes.io.export_glb import export_glb
from nodes.mesh._checks import need_sound
from nodes.physics._named_nodes import with_nodes
from nodes.physics.collision import plain_name


@node("physics.export_collision", title="Export with collision", credits=True)
def export_collision(
    run: Run,
    mesh: Mesh,
    hulls: Mesh,
    names: Text,
    path: Annotated[Path, SaveFile(suffixes=(".glb",), help="Where to write, inside the output folder.")] = Path(
        "asset.glb"
    ),
    texture_size: Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")] = "as they are",
    credits_file: CreditsFile = False,
) -> Files:
    """Write one GLB file: the mesh as Export GLB writes it, and a node for each collision hull under its name.

    'hulls' and 'names' come from Collision hulls. Unreal takes UCX_name_00 for the collision of the mesh called name,
    Godot makes a body of what ends in -convcolonly; in Unity put mesh colliders (convex) on the collider objects.
    """
    run.progress(0.0, "checking")
    need_sound(hulls, "collision mesh")
    groups = hulls.face_groups if hulls.face_groups is not None else np.zeros(len(hulls.faces), np.int32)
    numbers, words = np.unique(groups), names.value.split("\n")
    if len(words) != len(numbers) or len(set(words)) != len(words) or not all(words):
        raise BadInput(
            f"There are {len(numbers)} hulls and {len(set(words))} different names.",
            "Connect 'mesh' and 'names' of the same Collision hulls step.",
        )
    written = export_glb(run, replace(mesh, name=plain_name(mesh.name)), path, texture_size, credits_file=credits_file)
    run.progress(0.95, "hulls")
    bodies = []
    for number, word in zip(numbers, words, strict=True):
        used, corner = np.unique(hulls.faces[groups == number], return_inverse=True)
        bodies.append((word, hulls.vertices[used], corner.reshape(-1, 3)))
    data = with_nodes(written.contents[0].tobytes(), bodies)
    return Files(written.names, (np.frombuffer(data, np.uint8), *written.contents[1:]), shows=mesh)

"""python blender_foreign.py FILE...  ->  one line of JSON for each USD file: what Blender made of it.

Beside each file FILE.fbx (textures inside) and FILE.usdc are what Blender writes of it again. Run by the interpreter
of an environment that has bpy (``make peers`` brings it); bpy is never part of the program.
"""

import json
import sys

import bpy
import numpy as np


def corners(thing) -> list[list[float]]:
    """Lowest and highest corner in the world, in our axes (Blender's z is up, and its y goes away)."""
    found = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
    turned = np.column_stack([found[:, 0], found[:, 2], -found[:, 1]])
    return [turned.min(axis=0).tolist(), turned.max(axis=0).tolist()]


def report(path: str) -> dict:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.usd_import(filepath=path)
    shapes = [thing for thing in bpy.data.objects if thing.type == "MESH"]
    shaders = {m.name: next((n for n in m.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
               for m in bpy.data.materials if m.node_tree}  # fmt: skip
    return {
        "meshes": [
            {
                "faces": len(thing.data.polygons),
                "uv": len(thing.data.uv_layers),
                "materials": [m.name for m in thing.data.materials if m],
                "corners": corners(thing),
            }
            for thing in shapes
        ],
        "linked": {
            name: sorted(key for key, socket in shader.inputs.items() if socket.is_linked)
            for name, shader in shaders.items()
            if shader
        },
        "images": sorted([i.size[0], i.size[1]] for i in bpy.data.images if i.size[0]),
    }


for file in sys.argv[1:]:
    sys.stdout.write("\nREPORT" + json.dumps(report(file)) + "\n")
    sys.stdout.flush()
    bpy.ops.export_scene.fbx(filepath=f"{file}.fbx", path_mode="COPY", embed_textures=True)
    bpy.ops.wm.usd_export(filepath=f"{file}.usdc")

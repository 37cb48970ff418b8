"""python blender_reads.py FILE...  ->  one line of JSON for each glTF file: what Blender made of it.

Beside each file FILE.blender.glb is what Blender writes of it again, packed by Draco.
Run by the interpreter of an environment that has bpy (``make peers`` brings it); bpy is never part of the program.
"""

import json
import sys

import bpy
import numpy as np


def corners(thing) -> list[list[float]]:
    """Lowest and highest corner in the world, in glTF's axes (Blender's z is up, and its y goes away)."""
    found = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
    turned = np.column_stack([found[:, 0], found[:, 2], -found[:, 1]])
    return [turned.min(axis=0).tolist(), turned.max(axis=0).tolist()]


def inputs(material) -> dict[str, float]:
    shader = next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
    wanted = ("Metallic", "Roughness", "Coat Weight", "Transmission Weight", "Emission Strength", "IOR")
    return {} if shader is None else {name: shader.inputs[name].default_value for name in wanted}


def images(material) -> list[str]:
    return sorted({n.image.name for n in material.node_tree.nodes if n.type == "TEX_IMAGE" and n.image})


def report(path: str) -> dict:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=path, merge_vertices=False)
    things = [thing for thing in bpy.data.objects if thing.users_scene]
    return {
        "objects": {
            thing.name: {
                "parent": thing.parent.name if thing.parent else None,
                "mesh": thing.data.name if thing.type == "MESH" else None,
                "faces": len(thing.data.polygons) if thing.type == "MESH" else 0,
                "vertices": len(thing.data.vertices) if thing.type == "MESH" else 0,
                "uv": len(thing.data.uv_layers) if thing.type == "MESH" else 0,
                "materials": [m.name for m in thing.data.materials] if thing.type == "MESH" else [],
                "corners": corners(thing) if thing.type == "MESH" else None,
            }
            for thing in things
        },
        "materials": {m.name: {"images": images(m), **inputs(m)} for m in bpy.data.materials},
        "images": {
            i.name: [*i.size, int(np.rint(np.array(i.pixels) * 255).sum())] for i in bpy.data.images if i.size[0]
        },
    }


for file in sys.argv[1:]:
    sys.stdout.write("REPORT" + json.dumps(report(file)) + "\n")
    sys.stdout.flush()
    bpy.ops.export_scene.gltf(filepath=f"{file}.blender.glb", export_draco_mesh_compression_enable=True)

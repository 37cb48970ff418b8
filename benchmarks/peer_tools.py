"""What programs under other licences take for the same work: run in an environment and a process of their own.

``python peer_tools.py TASK IN.npz OUT.npz``, started by :mod:`peers` with the interpreter of ``.tools/peers``, where
Blender (``bpy``), MeshLab (``pymeshlab``) and pymeshfix lie. The clock runs around the work alone. The result holds
the arrays made, ``seconds`` of wall time and ``cpu`` seconds of all threads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

Arrays = dict[str, Any]
SPENT: Arrays = {}


@contextmanager
def clock() -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    SPENT.update(seconds=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def into_blender(given: Arrays, name: str = "given", uv: bool = False) -> Any:
    """A new object of ``vertices`` and ``faces``, with ``uv`` (N, 2) per vertex where asked."""
    import bpy

    vertices, faces = given["vertices"], given["faces"].astype(np.int32)
    shape = bpy.data.meshes.new(name)
    shape.vertices.add(len(vertices))
    shape.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    shape.loops.add(faces.size)
    shape.loops.foreach_set("vertex_index", faces.ravel())
    shape.polygons.add(len(faces))
    shape.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    shape.update()
    shape.shade_smooth()
    if uv:
        shape.uv_layers.new().uv.foreach_set("vector", given["uv"][faces].astype(np.float32).ravel())
    thing = bpy.data.objects.new(name, shape)
    bpy.context.collection.objects.link(thing)
    return thing


def empty_blender() -> Any:
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy


def out_of_blender(shape: Any) -> Arrays:
    shape.calc_loop_triangles()
    at, rows = np.empty(3 * len(shape.vertices), np.float32), np.empty(3 * len(shape.loop_triangles), np.int32)
    shape.vertices.foreach_get("co", at)
    shape.loop_triangles.foreach_get("vertices", rows)
    return {"vertices": at.reshape(-1, 3), "faces": rows.reshape(-1, 3)}


def modified(given: Arrays, kind: str, **settings: Any) -> Arrays:
    """The mesh after one of Blender's modifiers."""
    bpy = empty_blender()
    thing = into_blender(given)
    modifier = thing.modifiers.new("step", kind)
    for name, value in settings.items():
        setattr(modifier, name, value)
    with clock():
        after = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
        shape = bpy.data.meshes.new_from_object(after)
    return out_of_blender(shape)


def blender_decimate(given: Arrays) -> Arrays:
    return modified(given, "DECIMATE", ratio=float(given["target"]) / len(given["faces"]))


def blender_voxel_remesh(given: Arrays) -> Arrays:
    return modified(given, "REMESH", mode="VOXEL", voxel_size=float(given["size"]))


def blender_bend(given: Arrays) -> Arrays:
    return modified(given, "SIMPLE_DEFORM", deform_method="BEND", angle=np.pi / 2, deform_axis="X")


def blender_text(given: Arrays) -> Arrays:
    """Text with a bevel of ``steps``, as a mesh."""
    bpy = empty_blender()
    words = bpy.data.curves.new("words", "FONT")
    words.font = bpy.data.fonts.load(str(given["font"]))
    words.body = str(given["text"])
    words.extrude, words.bevel_depth = float(given["depth"]) / 2, float(given["bevel"])
    words.bevel_resolution = int(given["steps"])
    thing = bpy.data.objects.new("words", words)
    bpy.context.collection.objects.link(thing)
    with clock():
        after = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
        shape = bpy.data.meshes.new_from_object(after)
    return out_of_blender(shape)


def blender_smart_project(given: Arrays) -> Arrays:
    bpy = empty_blender()
    thing = into_blender(given)
    bpy.context.view_layer.objects.active = thing
    thing.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    with clock():
        bpy.ops.uv.smart_project(angle_limit=np.radians(66), island_margin=float(given["margin"]))
        bpy.ops.object.mode_set(mode="OBJECT")
    uv = np.empty(2 * len(thing.data.loops), np.float32)
    thing.data.uv_layers.active.uv.foreach_get("vector", uv)
    return {"uv": uv.reshape(-1, 2)}


def blender_bake(given: Arrays) -> Arrays:
    """High to low through Cycles on the processor. ``kinds``: NORMAL, POSITION or AO, one bake for each."""
    bpy = empty_blender()
    high = into_blender({"vertices": given["high_vertices"], "faces": given["high_faces"]}, "high")
    low = into_blender(given, "low", uv=True)
    size = int(given["size"])
    material = bpy.data.materials.new("baked")
    material.use_nodes = True
    low.data.materials.append(material)
    picture = bpy.data.images.new("baked", size, size, float_buffer=True)
    step = material.node_tree.nodes.new("ShaderNodeTexImage")
    step.image, material.node_tree.nodes.active = picture, step
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", int(given["samples"]), False
    scene.cycles.seed = int(given.get("seed", 0))
    scene.world = bpy.data.worlds.new("world")
    high.select_set(True)
    low.select_set(True)
    bpy.context.view_layer.objects.active = low
    far = float(given["far"])
    with clock():
        for kind in given["kinds"].tolist():
            bpy.ops.object.bake(
                type=kind, use_selected_to_active=True, cage_extrusion=far, max_ray_distance=3 * far, margin=0
            )
    pixels = np.empty(size * size * 4, np.float32)
    picture.pixels.foreach_get(pixels)
    return {"pixels": pixels.reshape(size, size, 4)[::-1]}


def meshlab_decimate(given: Arrays) -> Arrays:
    import pymeshlab

    work = pymeshlab.MeshSet()
    work.add_mesh(pymeshlab.Mesh(given["vertices"].astype(float), given["faces"]))
    with clock():
        work.meshing_decimation_quadric_edge_collapse(targetfacenum=int(given["target"]), preservenormal=True)
    made = work.current_mesh()
    return {"vertices": made.vertex_matrix(), "faces": made.face_matrix()}


def meshlab_filter(given: Arrays, name: str, **settings: Any) -> Arrays:
    """The mesh after one of MeshLab's filters."""
    import pymeshlab

    work = pymeshlab.MeshSet()
    work.add_mesh(pymeshlab.Mesh(given["vertices"].astype(float), given["faces"]))
    with clock():
        getattr(work, name)(**settings)
    made = work.current_mesh()
    return {"vertices": made.vertex_matrix(), "faces": made.face_matrix()}


def meshlab_loop(given: Arrays) -> Arrays:
    import pymeshlab

    never = pymeshlab.PercentageValue(0)
    return meshlab_filter(given, "meshing_surface_subdivision_loop", iterations=1, threshold=never)


def meshlab_denoise(given: Arrays) -> Arrays:
    """Two-step smoothing: normals that look alike are averaged, then vertices fitted."""
    steps, degrees = int(given["steps"]), float(given["degrees"])
    return meshlab_filter(
        given,
        "apply_coord_two_steps_smoothing",
        stepsmoothnum=3,
        normalthr=degrees,
        stepnormalnum=steps,
        stepfitnum=steps,
    )


def blender_mirror(given: Arrays) -> Arrays:
    """Cut at x = 0 and mirrored."""
    return modified(given, "MIRROR", use_bisect_axis=(True, False, False), use_mirror_merge=True)


def meshlab_boolean(given: Arrays) -> Arrays:
    import pymeshlab

    work = pymeshlab.MeshSet()
    work.add_mesh(pymeshlab.Mesh(given["vertices"].astype(float), given["faces"]))
    work.add_mesh(pymeshlab.Mesh(given["other_vertices"].astype(float), given["other_faces"]))
    with clock():
        work.generate_boolean_difference(first_mesh=0, second_mesh=1)
    made = work.current_mesh()
    return {"vertices": made.vertex_matrix(), "faces": made.face_matrix()}


def meshlab_remesh(given: Arrays) -> Arrays:
    """Isotropic, to edges of ``size`` metres."""
    import pymeshlab

    work = pymeshlab.MeshSet()
    work.add_mesh(pymeshlab.Mesh(given["vertices"].astype(float), given["faces"]))
    with clock():
        work.meshing_isotropic_explicit_remeshing(targetlen=pymeshlab.PureValue(float(given["size"])))
    made = work.current_mesh()
    return {"vertices": made.vertex_matrix(), "faces": made.face_matrix()}


def pymeshfix_repair(given: Arrays) -> Arrays:
    import pymeshfix

    with clock():
        vertices, faces = pymeshfix.clean_from_arrays(given["vertices"].astype(float), given["faces"])
    return {"vertices": vertices, "faces": faces}


TASKS: dict[str, Callable[[Arrays], Arrays]] = {
    step.__name__: step
    for step in (
        blender_decimate,
        blender_voxel_remesh,
        blender_bend,
        blender_text,
        blender_smart_project,
        blender_bake,
        meshlab_decimate,
        blender_mirror,
        meshlab_loop,
        meshlab_denoise,
        meshlab_boolean,
        meshlab_remesh,
        pymeshfix_repair,
    )
}

if __name__ == "__main__":
    task, source, goal = sys.argv[1:]
    with np.load(source) as file:
        made = TASKS[task](dict(file))
    np.savez(goal, **made, **SPENT)

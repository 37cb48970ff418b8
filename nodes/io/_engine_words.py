"""What IMPORT.txt says: how to get an asset into its engine, in a few lines."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.io._engines import Target


@dataclass(frozen=True)
class Given:
    """What was written. ``name``: the asset in the engine's spelling. ``maps``: the engine's words for them.

    ``mesh``: name of the finest level.
    """

    name: str
    levels: int
    hulls: int
    light_map: bool
    maps: frozenset[str]
    mesh: str = ""


def words(target: Target, given: Given) -> str:
    """The whole text."""
    lines = {"Unreal": _unreal, "Unity": _unity, "Godot": _godot, "glTF": _gltf}[target](given)
    numbered = [f"{number}. {line}" for number, line in enumerate(filter(None, lines), start=1)]
    return "\n".join([f"{given.name} for {target}", "", *numbered]) + "\n"


def _unreal(given: Given) -> list[str]:
    name = given.name
    maps = {
        "BC": f"T_{name}_BC is sRGB",
        "ORM": f"T_{name}_ORM is not: Compression 'Masks'; red occlusion, green roughness, blue metallic",
        "N": f"T_{name}_N is a DirectX normal map (green down): leave 'Flip Green Channel' off",
    }
    keep = " Keep 'Import Collision According To Mesh Name' on: the UCX_ meshes become collision."
    return [
        "Drag the folders Meshes and Textures into the Content Browser of Unreal Engine 5, which reads glTF by itself."
        + (keep if given.hulls else ""),
        "The models are in metres with +Y up, as glTF asks; the importer turns them into centimetres with +Z up.",
        f"Levels: open SM_{name} in the Static Mesh editor, LOD Import > Import LOD Level 1, and choose "
        f"SM_{name}_LOD1.glb; likewise the others." if given.levels > 1 else "",
        _material(f"Material M_{name}: ", maps, given),
        "The second UV set is for the light map: set Light Map Coordinate Index to 1." if given.light_map else "",
    ]  # fmt: skip


def _unity(given: Given) -> list[str]:
    name = given.name
    maps = {
        "NormalMap": f"{name}_NormalMap with Texture Type 'Normal map' (+Y up)",
        "MaskMap": f"{name}_MaskMap with sRGB off; HDRP: Mask Map; URP: the same picture for Metallic and for "
        "Occlusion, Smoothness from Metallic Alpha",
    }
    return [
        "Unity reads no glTF by itself: in the Package Manager, 'Install package by name', com.unity.cloud.gltfast.",
        "Copy the folder Assets into your project. The models are in metres with +Y up, as Unity has them.",
        _material("Material with the Lit shader, maps by their names: ", maps, given),
        f"Levels: add a LOD Group to the object and put {name}_LOD0, {name}_LOD1 … into its slots."
        if given.levels > 1 else "",
        f"Collision: a Mesh Collider with Convex on for each mesh of {name}_Colliders.glb." if given.hulls else "",
        "The second UV set is for the light map: leave 'Generate Lightmap UVs' off." if given.light_map else "",
    ]  # fmt: skip


def _material(start: str, maps: dict[str, str], given: Given) -> str:
    """About the maps that are there."""
    said = ". ".join(text for word, text in maps.items() if word in given.maps)
    return f"{start}{said}." if said else ""


def _godot(given: Given) -> list[str]:
    return [
        "Copy this folder into your project. Godot imports the GLB with its material and textures, in metres, +Y up.",
        "Nodes that end in -convcolonly become static bodies with convex shapes." if given.hulls else "",
        f"{given.mesh} becomes a static body of the mesh itself." if given.mesh.endswith("-col") else "",
        "Godot makes levels of detail by itself on import (Meshes > Generate LODs). The files _lod1 … are for levels "
        "of your own: one MeshInstance3D each, switched by Visibility Range." if given.levels > 1 else "",
        "The second UV set is for the light map (UV2 for LightmapGI)."
        if given.light_map else "",
    ]  # fmt: skip


def _gltf(given: Given) -> list[str]:
    name = given.name
    return [
        f"{name}.glb holds shape, material and textures, in metres, +Y up (glTF 2.0).",
        f"{name}_LOD1.glb and so on are coarser levels." if given.levels > 1 else "",
        f"{name}_collision.glb holds the convex bodies for collision." if given.hulls else "",
        "The second UV set (TEXCOORD_1) is for a light map." if given.light_map else "",
    ]

"""Scenes that the tests of reading, writing and changing them share."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from io_samples import full_material, noise, textured, write

from app.engine import Image, Material, Mesh, Run, Scene
from nodes.io.export_scene import export_scene
from nodes.io.load_scene import load_scene
from nodes.mesh.primitives import box, sphere

TRANSFORM = (0.25, -0.5, 0.3, 2.0, 0.5)
COAT = (
    ("clearcoat.clearcoatFactor", 0.75),
    ("clearcoat.clearcoatRoughnessFactor", 0.125),
    ("clearcoat.clearcoatTexture", noise(11)),
    ("clearcoat.clearcoatNormalTexture", noise(12)),
    ("clearcoat.clearcoatNormalTexture.scale", 0.5),
)
GLASS = (
    ("transmission.transmissionFactor", 0.9),
    ("volume.thicknessFactor", 0.01),
    ("volume.attenuationDistance", 0.5),
    ("volume.attenuationColor", (0.5, 0.75, 1.0)),
    ("ior.ior", 1.45),
    ("dispersion.dispersion", 0.25),
)
CLOTH = (
    ("sheen.sheenColorFactor", (0.25, 0.5, 1.0)),
    ("sheen.sheenColorTexture", noise(13, space="srgb")),
    ("sheen.sheenRoughnessFactor", 0.5),
    ("specular.specularFactor", 0.5),
    ("specular.specularTexture", noise(14, channels=4)),
    ("specular.specularColorFactor", (1.0, 0.5, 0.25)),
)
SHELL = (
    ("iridescence.iridescenceFactor", 1.0),
    ("iridescence.iridescenceIor", 1.25),
    ("anisotropy.anisotropyStrength", 0.5),
    ("anisotropy.anisotropyRotation", 1.5),
    ("anisotropy.anisotropyTexture", noise(15)),
)


def material(name: str, **changes: object) -> Material:
    """All maps but height, factors that 32 bits hold exactly."""
    return full_material(name=name, height=None, **changes)


MATERIALS: dict[str, Material] = {
    "all maps": material("all maps"),
    "cut out": material(
        "cut out", alpha_mode="mask", alpha_cutoff=0.25, base_colour=noise(9, channels=4, space="srgb")
    ),
    "scales": material("scales", normal_scale=0.5, occlusion_strength=0.75),
    "unlit": Material(
        "unlit", base_colour=noise(1, space="srgb"), unlit=True, metallic_factor=0.0, roughness_factor=1.0
    ),
    "glow": material("glow", emissive_factor=(8.0, 4.0, 0.0)),
    "clamped": material("clamped", wrap=("clamp", "mirror")),
    "squares": material("squares", layers=(("sampler.nearest", True),)),
    "moved": material("moved", transforms=(("uv", TRANSFORM),)),
    "moved apart": material(
        "moved apart", transforms=(("normal", (0.0, 0.0, 0.0, 8.0, 8.0)), ("occlusion", TRANSFORM))
    ),
    "one in place": material("one in place", transforms=(("uv", TRANSFORM), ("emissive", (0.0, 0.0, 0.0, 1.0, 1.0)))),
    "light map": material("light map", second_uv=("occlusion",)),
    "coat": material("coat", layers=COAT),
    "glass": Material("glass", layers=GLASS, roughness_factor=0.0),
    "cloth": material("cloth", layers=CLOTH),
    "shell": material("shell", layers=SHELL),
    "plain": Material("plain", base_factor=(0.5, 0.25, 1.0, 0.5), alpha_mode="blend", double_sided=True),
}


def ball(number: int, made: Material | None) -> Mesh:
    return replace(sphere(0.1 + 0.01 * number, segments=8), material=made, name=f"ball {number}")


def gallery() -> Scene:
    """A ball for every kind of material, in a row, under two empties; every map that is shared is one picture."""
    meshes = tuple(ball(number, made) for number, made in enumerate(MATERIALS.values()))
    k = len(meshes)
    places = np.tile(np.eye(4, dtype=np.float32), (k + 2, 1, 1))
    places[0, :3, 3] = (0, 1, 0)
    places[1, :3, :3] = [[0, 0, 2], [0, 2, 0], [-2, 0, 0]]
    places[2:, 0, 3] = np.arange(k, dtype=np.float32) / 3
    places[3, :3, :3] = np.diag([1, 2, -3])
    names = ("stand", "row", *MATERIALS)
    parents = np.array([-1, 0, *[1] * k], np.int32)
    rng = np.random.default_rng(1)
    seconds = tuple(
        rng.random((len(mesh.vertices), 2)).astype(np.float32) if mesh.material.second_uv else None for mesh in meshes
    )
    return Scene(meshes, names, ((), (), *((n,) for n in range(k))), places, parents, seconds, "gallery")


def table() -> Scene:
    """A leg four times, a top of two materials, and a vase whose material is that of the top's first part."""
    wood, steel = material("wood"), Material("steel", metallic_factor=1.0, roughness_factor=0.25)
    leg = replace(box(0.1, 0.7, 0.1), material=wood, name="leg")
    top = replace(box(1, 0.05, 1), material=wood, name="top")
    rim = replace(box(1.1, 0.02, 1.1), material=steel, name="top")
    vase = replace(textured(), material=wood, name="vase")
    places = np.tile(np.eye(4, dtype=np.float32), (7, 1, 1))
    for k, (x, z) in enumerate([(-1, -1), (1, -1), (1, 1), (-1, 1)]):
        places[k + 1, :3, 3] = (0.45 * x, 0.35, 0.45 * z)
    places[5, 1, 3], places[6, 1, 3] = 0.7, 0.5
    names = ("table", "leg 1", "leg 2", "leg 3", "leg 4", "top", "vase")
    parents = np.array([-1, 0, 0, 0, 0, 0, 5], np.int32)
    parts = ((), (0,), (0,), (0,), (0,), (1, 2), (3,))
    return Scene((leg, top, rim, vase), names, parts, places, parents, name="table")


def glb(scene: Scene, **options: object) -> bytes:
    return export_scene(Run(), scene, **options).contents[0].tobytes()


def tree(data: bytes) -> dict:
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def through(scene: Scene, folder: Path, **options: object) -> tuple[Scene, list[str]]:
    """Written and read again: the scene and the remarks."""
    run = Run()
    return load_scene(run, write(export_scene(run, scene, **options), folder)), run.notes


def same_picture(one: Image | None, two: Image | None) -> bool:
    if one is None or two is None:
        return one is two
    return one.space == two.space and np.array_equal(np.rint(one.pixels * 255), np.rint(two.pixels * 255))

"""Materials as glTF 2.0 can hold them: numbers inside their ranges, and nothing that contradicts itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.engine import Image, Material, Scene
from nodes.io._gltf_layers import TEXTURES
from nodes.io._parts import Warn
from nodes.io._settled import settled

SHARES = (
    "clearcoat.clearcoatFactor",
    "clearcoat.clearcoatRoughnessFactor",
    "transmission.transmissionFactor",
    "specular.specularFactor",
    "sheen.sheenColorFactor",
    "sheen.sheenRoughnessFactor",
    "iridescence.iridescenceFactor",
    "anisotropy.anisotropyStrength",
    "diffuse_transmission.diffuseTransmissionFactor",
)
LEAST = {"ior.ior": 1.0, "iridescence.iridescenceIor": 1.0}


def writable(scene: Scene, warn: Warn) -> Scene:
    """The scene with such materials. What is left out is said; a scene that needs nothing comes back as it is."""
    known: dict[tuple[int, bool], Material] = {}
    meshes = []
    seconds = scene.second_uvs or (None,) * len(scene.meshes)
    for mesh, second in zip(scene.meshes, seconds, strict=True):
        material = mesh.material
        if material is not None:
            key = id(material), second is None
            if key not in known:
                known[key] = _sound(material, second is None, warn)
            mesh = mesh if known[key] is material else replace(mesh, material=known[key])
        meshes.append(mesh)
    return (
        scene if all(a is b for a, b in zip(meshes, scene.meshes, strict=True)) else replace(scene, meshes=(*meshes,))
    )


def _sound(material: Material, alone: bool, warn: Warn) -> Material:
    if alone and material.second_uv:
        material = settled(material, warn) or material
    changes: dict[str, Any] = {
        "base_factor": _within(material.base_factor, 0, 1, 1),
        "metallic_factor": _within((material.metallic_factor,), 0, 1, 0)[0],
        "roughness_factor": _within((material.roughness_factor,), 0, 1, 1)[0],
        "emissive_factor": _within(material.emissive_factor, 0, 1e30, 0),
        "occlusion_strength": _within((material.occlusion_strength,), 0, 1, 1)[0],
        "normal_scale": _within((material.normal_scale,), -1e30, 1e30, 1)[0],
        "alpha_cutoff": _within((material.alpha_cutoff,), 0, 1e30, 0.5)[0],
        "layers": tuple((name, _layer(name, value)) for name, value in material.layers),
    }
    if material.unlit and (lost := sorted({n.partition(".")[0] for n, _ in material.layers} & set(TEXTURES))):
        warn(f"A surface that is shown without light has no {', '.join(lost)}: left out.")
        changes["layers"] = tuple(row for row in material.layers if row[0].partition(".")[0] not in TEXTURES)
    changes = {name: value for name, value in changes.items() if value != getattr(material, name)}
    return replace(material, **changes) if changes else material


def _layer(name: str, value: Any) -> Any:
    if isinstance(value, Image | bool):
        return value
    high = 1.0 if name in SHARES else 1e30
    low = 0.0 if name in SHARES else LEAST.get(name, -1e30)
    if isinstance(value, tuple):
        return _within(value, low, high, low)
    return value if name == "ior.ior" and value == 0 else _within((value,), low, high, max(low, 0.0))[0]


def _within(values: tuple[float, ...], low: float, high: float, instead: float) -> tuple[float, ...]:
    """Clipped; ``instead`` of what is no number."""
    return tuple(v if low <= v <= high else instead if np.isnan(v) else float(np.clip(v, low, high)) for v in values)

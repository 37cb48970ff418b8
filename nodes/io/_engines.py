"""How game engines want names, folders and packed maps, each with the page that says so.

Unreal: prefixes SM_, T_, M_ in "Recommended asset naming conventions in Unreal Engine projects"; convex collision as
UCX_[render mesh]_## in "FBX static mesh pipeline", read from any format by ``bImportCollisionAccordingToMeshName`` of
the Interchange mesh pipeline (API reference, ``UInterchangeGenericMeshPipeline``). The descriptors BC, N, ORM, E and H
are usual in Epic's samples. Normal maps point down in green (DirectX).
https://dev.epicgames.com/documentation/en-us/unreal-engine/recommended-asset-naming-conventions-in-unreal-engine-projects

Unity: levels as name_LOD0, name_LOD1 in "Import a mesh with LOD settings"; the mask map (metallic, occlusion, detail,
smoothness) in "Mask and detail maps" of HDRP, and "Assign a channel-packed texture to a URP material", where the same
picture serves Metallic and Occlusion; glTF by the package com.unity.cloud.gltfast ("Editor import").
https://docs.unity3d.com/6/Documentation/Manual/importing-lod-meshes.html
https://docs.unity3d.com/Packages/com.unity.render-pipelines.high-definition@15.0/manual/Mask-Map-and-Detail-Map.html
https://docs.unity3d.com/6000.7/Documentation/Manual/urp/shaders-in-universalrp-channel-packed-texture.html

Godot: snake_case files and PascalCase nodes, beside one another, in "Project organization"; -convcolonly and the other
suffixes in "Node type customization using name suffixes"; its own levels on import in "Mesh level of detail (LOD)".
https://docs.godotengine.org/en/stable/tutorials/best_practices/project_organization.html
https://docs.godotengine.org/en/stable/tutorials/assets_pipeline/importing_3d_scenes/node_type_customization.html
https://docs.godotengine.org/en/stable/tutorials/3d/mesh_lod.html
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Target = Literal["Unreal", "Unity", "Godot", "glTF"]
ORM, MASK = "ORM (glTF, Unreal, Godot)", "Mask map (Unity HDRP)"


@dataclass(frozen=True)
class Engine:
    """Patterns over ``name`` (the asset in the engine's spelling), ``level`` (such as ``_LOD1``) and ``number``.

    ``model``: file of a level; one without ``{level}`` holds all levels. ``mesh``: name of a level. ``hull``: of a
    collision body; ``hulls``: the file for them, empty where they go into the model. ``texture``: file of a map; empty
    where textures go into the model. ``maps``: word for each map; ``packed``: word and layout of the packed one.
    ``body``: what a mesh's name ends in that is its own collision body, where the engine knows one.
    """

    model: str
    mesh: str
    material: str
    hull: str
    hulls: str = ""
    texture: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    packed: tuple[str, str] = ("", "")
    green_down: bool = False
    body: str = ""
    snake: bool = False

    def level(self, number: int, count: int) -> str:
        """``_LOD1`` and so on. The finest has none where it has a file of its own, or is alone."""
        one_file = "{level}" not in self.model
        word = f"_LOD{number}" if number or (one_file and count > 1) else ""
        return word.lower() if self.snake else word


ENGINES: dict[Target, Engine] = {
    "Unreal": Engine(
        model="Meshes/SM_{name}{level}.glb",
        mesh="SM_{name}{level}",
        material="M_{name}",
        hull="UCX_SM_{name}_{number:02d}",
        texture="Textures/T_{name}_{what}",
        maps={"base_colour": "BC", "normal": "N", "emissive": "E", "height": "H"},
        packed=("ORM", ORM),
        green_down=True,
    ),
    "Unity": Engine(
        model="Assets/Models/{name}.glb",
        mesh="{name}{level}",
        material="{name}",
        hull="{name}_Collider_{number:02d}",
        hulls="Assets/Models/{name}_Colliders.glb",
        texture="Assets/Textures/{name}_{what}",
        maps={"base_colour": "BaseMap", "normal": "NormalMap", "emissive": "EmissionMap", "height": "HeightMap"},
        packed=("MaskMap", MASK),
    ),
    "Godot": Engine(
        model="{file}{level}.glb",
        mesh="{name}{level}",
        material="{name}",
        hull="{name}_{number:02d}-convcolonly",
        body="-col",
        snake=True,
    ),
    "glTF": Engine(
        model="{name}{level}.glb",
        mesh="{name}{level}",
        material="{name}",
        hull="{name}_collision_{number:02d}",
        hulls="{name}_collision.glb",
    ),
}


def pascal(name: str) -> str:
    """``rubber duck_LOD0`` as ``RubberDuck``: plain letters and digits, without prefixes and levels of engines."""
    return spelled(name) or "Asset"


def spelled(name: str) -> str:
    """As :func:`pascal`, and empty where nothing of the name can be written so."""
    words = re.split(r"[^A-Za-z0-9]+", re.sub(r"^(SM|S|UCX)_|_LOD\d+$", "", _plain(name), flags=re.IGNORECASE))
    return "".join(word[:1].upper() + word[1:] for word in words)


def snake(name: str) -> str:
    """``RubberDuck`` as ``rubber_duck``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", pascal(name))
    return apart.lower()


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return letters.encode("ascii", "ignore").decode()

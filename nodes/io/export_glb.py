"""One file for game engines, viewers and browsers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Mesh, Run, SaveFile, Scene, Setting, Slider, node
from nodes.io._credits import CreditsFile, gltf_asset, with_credits
from nodes.io._glb import glb_bytes
from nodes.io._glb_geometry import surface_of
from nodes.io._glb_material import Materials
from nodes.io._glb_sound import writable
from nodes.io._left_out import GLTF_MAPS, say_left_out
from nodes.io._textures import TextureSize, longest_side
from nodes.io._written import checked, unit_normals
from nodes.mesh._light_map import with_second_uv

GlbFile = Annotated[Path, SaveFile(suffixes=(".glb",), help="Where to write, inside the output folder.")]
Size = Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")]
ColourFormat = Annotated[
    Literal["PNG", "JPEG"], Setting(help="How base colour and glow are kept; transparency needs PNG.")
]
Quality = Annotated[int, Slider(50, 100, help="Quality of JPEG textures.", advanced=True)]
Compression = Annotated[
    Literal["none", "Draco"],
    Setting(help="Draco makes the shape about a third as large; web viewers and Blender read it, some engines do not."),
]
Bits = Annotated[
    int,
    Slider(8, 24, help="Draco: bits for each coordinate. 14 is a sixteen thousandth of the size.", advanced=True),
]


@node("io.export_glb", title="Export GLB", version=4, group="Export", credits=True)
def export_glb(
    run: Run,
    mesh: Mesh,
    path: GlbFile = Path("asset.glb"),
    texture_size: Size = "as they are",
    colour_format: ColourFormat = "PNG",
    jpeg_quality: Quality = 92,
    compression: Compression = "none",
    draco_bits: Bits = 14,
    light_map: Mesh | None = None,
    credits_file: CreditsFile = False,
) -> Files:
    """Write one GLB file with everything inside: shape, UVs, PBR material, textures, credits and this graph.

    Metres and +Y up, as glTF 2.0 asks. Occlusion, roughness and metallic share one texture; tangents are written where
    there is a normal map. Normals are smoothed where the mesh has none. A height map has no place in glTF and is left
    out. Connect what Light-map UV made of this mesh to 'light_map' for a second set of UVs. Dropping the file on the
    canvas brings back the graph that made it.
    """
    written, second = checked(mesh), None
    if light_map is not None:
        written, second = with_second_uv(unit_normals(mesh), light_map)
    scene = replace(Scene.of(written), second_uvs=() if second is None else (np.asarray(second, np.float32),))
    materials = Materials(longest_side(texture_size), jpeg_quality if colour_format == "JPEG" else 0)
    data = scene_bytes(run, scene, materials, draco_bits if compression == "Draco" else 0)
    return with_credits(run, Files.of({path.as_posix(): data}, shows=mesh), credits_file)


def scene_bytes(run: Run, scene: Scene, materials: Materials, draco_bits: int) -> bytes:
    """The scene as a ``.glb``. Its meshes are sound."""
    run.progress(0.1, "normals and tangents")
    say_left_out(run.warn, (mesh.material for mesh in scene.meshes), "glTF", GLTF_MAPS, layers=True)
    scene = writable(scene, run.warn)
    seconds = scene.second_uvs or (None,) * len(scene.meshes)
    surfaces = [surface_of(mesh, second) for mesh, second in zip(scene.meshes, seconds, strict=True)]
    run.progress(0.3, "textures and geometry")
    return glb_bytes(
        scene, surfaces, materials, gltf_asset(run), draco_bits, lambda share: run.progress(0.5 + share / 2, "geometry")
    )

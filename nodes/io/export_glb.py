"""One file for game engines, viewers and browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Files, Material, Mesh, Run, SaveFile, Setting, Slider, node
from nodes.io._credits import CreditsFile, gltf_asset, with_credits
from nodes.io._glb import glb_bytes
from nodes.io._tangents import with_tangents
from nodes.io._textures import Encoded, TextureSize, UInt8, colour_bytes, encode_all, longest_side, orm_bytes
from nodes.io._written import checked, unit_normals


@node("io.export_glb", title="Export GLB", group="Export", credits=True)
def export_glb(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".glb",), help="Where to write, inside the output folder.")] = Path(
        "asset.glb"
    ),
    texture_size: Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")] = "as they are",
    colour_format: Annotated[
        Literal["PNG", "JPEG"], Setting(help="How base colour and glow are kept; transparency needs PNG.")
    ] = "PNG",
    jpeg_quality: Annotated[int, Slider(50, 100, help="Quality of JPEG textures.", advanced=True)] = 92,
    credits_file: CreditsFile = False,
) -> Files:
    """Write one GLB file with everything inside: shape, UVs, PBR material, textures, credits and this graph.

    Metres and +Y up, as glTF 2.0 asks. Occlusion, roughness and metallic share one texture; tangents are written where
    there is a normal map. Normals are smoothed where the mesh has none. A height map has no place in glTF and is left
    out. Dropping the file on the canvas brings back the graph that made it.
    """
    mesh = unit_normals(checked(mesh))
    run.progress(0.1, "textures")
    quality = jpeg_quality if colour_format == "JPEG" else 0
    textures = _textures(mesh, longest_side(texture_size), quality)
    run.progress(0.7, "geometry")
    shape, tangents = with_tangents(mesh) if "normal" in textures else (mesh, None)
    data = glb_bytes(shape, tangents, textures, gltf_asset(run))
    return with_credits(run, Files.of({path.as_posix(): data}, shows=mesh), credits_file)


def _textures(mesh: Mesh, longest: int, quality: int) -> dict[str, Encoded]:
    if mesh.uv is None or mesh.material is None:
        return {}
    pictures = _pictures(mesh.material, longest)
    return encode_all(pictures, {"base_colour": quality, "emissive": quality})


def _pictures(material: Material, longest: int) -> dict[str, UInt8]:
    pictures: dict[str, UInt8] = {}
    if material.base_colour is not None:
        pictures["base_colour"] = colour_bytes(material.base_colour, longest, material.alpha_mode != "opaque")
    if (orm := orm_bytes(material, longest)) is not None:
        pictures["orm"] = orm
    if material.normal is not None:
        pictures["normal"] = colour_bytes(material.normal, longest, alpha=False)
    if material.emissive is not None:
        pictures["emissive"] = colour_bytes(material.emissive, longest, alpha=False)
    return pictures

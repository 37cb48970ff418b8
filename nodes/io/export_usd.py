"""USDZ for augmented reality on phones, and USD text for the programs of film and games."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from app.engine import Files, Mesh, Run, SaveFile, Scene, node
from nodes.io._credits import CreditsFile, properties, with_credits
from nodes.io._textures import longest_side
from nodes.io._write_usd import Stage, usdz_bytes
from nodes.io._written import beside, checked
from nodes.io.export_glb import ColourFormat, Quality, Size

HEAVY = 25_000_000
UsdFile = Annotated[
    Path,
    SaveFile(suffixes=(".usdz", ".usda"), help="Where to write. USDZ is one file; USDA has its textures beside it."),
]


@node("io.export_usd", title="Export USD", group="Export", version=2, credits=True)
def export_usd(
    run: Run,
    mesh: Mesh,
    path: UsdFile = Path("asset.usdz"),
    texture_size: Size = "as they are",
    colour_format: ColourFormat = "PNG",
    jpeg_quality: Quality = 92,
    credits_file: CreditsFile = False,
) -> Files:
    """Write USDZ, which phones open in augmented reality, or USDA: shape, normals, UVs, colours, PBR material.

    Metres with +Y up. The material becomes a UsdPreviewSurface; occlusion, roughness and metallic share one texture. A
    height map has no place in it and is left out. Credits go into the layer's custom data.
    """
    mesh = checked(mesh)
    run.progress(0.1, "textures and geometry")
    scene = Scene.of(mesh, name=mesh.name)
    files = usd_files(run, scene, path, longest_side(texture_size), jpeg_quality if colour_format == "JPEG" else 0)
    return with_credits(run, Files.of(files, shows=mesh), credits_file)


def usd_files(run: Run, scene: Scene, path: Path, longest: int, jpeg: int) -> dict[str, bytes]:
    """A scene of sound meshes as the files that ``path`` asks for by its ending."""
    packed = path.suffix.lower() == ".usdz"
    stem = Path(beside(path, "")).name
    folder = "textures/" if packed else f"{stem}_textures/"
    stage = Stage(scene, run.warn, longest, jpeg, folder)
    text = stage.text({"creator": "Polyloom", **properties(run)})
    pictures = stage.materials.files
    if not packed:
        return {path.as_posix(): text, **{(path.parent / name).as_posix(): data for name, data in pictures.items()}}
    data = usdz_bytes({f"{stem}.usda": text, **pictures})
    if len(data) > HEAVY:
        run.warn(f"The file has {len(data) / 1e6:,.0f} MB; phones like 25 MB or less. Reduce mesh or textures.")
    return {path.as_posix(): data}

"""An asset as a folder that a game engine takes without renaming anything."""

from __future__ import annotations

from typing import Annotated

from app.engine import Files, Line, Mesh, Run, Setting, node
from nodes.io._credits import CreditsFile, with_credits
from nodes.io._engine_asset import Asset
from nodes.io._engine_maps import Form
from nodes.io._engine_words import Given, words
from nodes.io._engines import ENGINES, Target, spelled
from nodes.io._textures import TextureSize, longest_side
from nodes.io._written import checked


@node("io.export_game", title="Export for a game engine", group="Export", version=3, credits=True)
def export_game(
    run: Run,
    mesh: Mesh,
    lod1: Mesh | None = None,
    lod2: Mesh | None = None,
    lod3: Mesh | None = None,
    lod4: Mesh | None = None,
    lod5: Mesh | None = None,
    collision: Mesh | None = None,
    light_map: Mesh | None = None,
    target: Annotated[
        Target, Setting(help="Decides names, folders, packed maps and the green of normal maps.")
    ] = "Unreal",
    name: Annotated[
        str, Line(placeholder="the mesh's own", help="Of the asset; it is spelled as the engine wants it.")
    ] = "",
    textures: Annotated[
        Form,
        Setting(help="Files of Unreal and Unity; Godot and glTF keep PNG inside. Unreal packs PNG and TGA itself."),
    ] = "PNG",
    mesh_collides: Annotated[
        bool,
        Setting(
            help="Godot: where no hulls are linked, the mesh itself is the body (-col): exact, slow.", advanced=True
        ),
    ] = False,
    texture_size: Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")] = "as they are",
    credits_file: CreditsFile = False,
) -> Files:
    """Write a folder for Unreal, Unity, Godot or any glTF reader: models, levels, collision, textures, IMPORT.txt.

    Unreal: SM_Name, T_Name_BC, _N (DirectX), _ORM, UCX_ hulls; the material is put together there. Unity: Assets/Models
    and Assets/Textures with a mask map, Name_LOD0; likewise. Godot and glTF: name.glb with everything inside. 'lod1'
    and so on come from a LOD chain, 'collision' from Collision hulls, 'light_map' from Light-map UV.

    Models are GLB in metres, +Y up, which Unreal 5 and Godot read, and Unity with its package glTFast. FBX cannot be
    written with free software of a licence that fits.
    """
    itself = mesh_collides and collision is None
    asset = Asset(run, ENGINES[target], name.strip() or mesh.name, longest_side(texture_size), textures, itself)
    run.progress(0.0, "checking")
    if not spelled(asset.given):
        run.warn(
            f"Names of engines are made of Latin letters and digits: {asset.given} is called Asset. Fill in 'name'."
        )
    chain = [checked(level) for level in (mesh, lod1, lod2, lod3, lod4, lod5) if level is not None]
    levels, second = asset.levels(chain, light_map)
    hulls = asset.hulls(collision, levels[0].material)
    files = asset.models(levels, second, hulls)
    run.progress(0.6, "textures")
    maps = asset.maps(levels)
    told = Given(asset.name, len(levels), len(hulls), second is not None, asset.words(maps), levels[0].name)
    files |= maps | {asset.place("IMPORT.txt"): words(target, told).encode()}
    text = asset.place(f"{asset.file}.credits.txt")
    return with_credits(run, Files.of(files, shows=mesh), credits_file, always=True, place=text)

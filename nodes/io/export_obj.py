"""The old lingua franca: a text file, a material file and pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from app.engine import Files, Image, Material, Mesh, Run, SaveFile, Setting, node
from nodes.io._axes import METRES, Frame, UnitSetting, UpSetting, comment_of, in_frame
from nodes.io._credits import CreditsFile, comments, with_credits
from nodes.io._factors import times_factor
from nodes.io._left_out import say_left_out
from nodes.io._quad_rows import quad_rows
from nodes.io._settled import settled
from nodes.io._textures import TextureSize, UInt8, colour_bytes, encode_all, grey_bytes, longest_side
from nodes.io._written import beside, checked

KEYWORDS = {
    "base_colour": "map_Kd",
    "opacity": "map_d",
    "emissive": "map_Ke",
    "roughness": "map_Pr",
    "metallic": "map_Pm",
    "occlusion": "map_Ka",
    "normal": "norm",
    "height": "disp",
}


@node("io.export_obj", title="Export OBJ", group="Export", version=2, credits=True)
def export_obj(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".obj",), help="Where to write, inside the output folder.")] = Path(
        "asset.obj"
    ),
    texture_size: Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")] = "as they are",
    quads: Annotated[
        bool,
        Setting(help="Two triangles that follow one another and form a convex quad, as Remesh makes them, become one."),
    ] = False,
    unit: UnitSetting = "metres",
    up: UpSetting = "+Y",
    credits_file: CreditsFile = False,
) -> Files:
    """Write an OBJ with its MTL material and PNG textures beside it, in metres, +Y up, or as the program wants it.

    Numbers are written so that they read back exactly. Vertex colours follow the position, as most tools read them;
    PBR maps use the widely read extension of MTL (Pr, Pm, norm), of which Blender leaves out the normal map: GLB is for
    that. Both files begin with the credits as comments.
    """
    mesh = checked(mesh)
    mesh = replace(mesh, material=settled(mesh.material, run.warn))
    contents: dict[str, UInt8] = {}
    frame = Frame(METRES[unit], up)
    head = f"# {comment_of(frame)}\n# {len(mesh.vertices)} vertices, {len(mesh.faces)} triangles\n"
    head += comments(run, "# ")
    if mesh.material is not None:
        say_left_out(run.warn, [mesh.material], "MTL")
        contents, library = _material_files(run, path, mesh.material, longest_side(texture_size), mesh.uv is not None)
        head += f"mtllib {library}\nusemtl {_word(mesh.material.name)}\n"
    run.progress(0.5, "geometry")
    contents = {path.as_posix(): obj_bytes(in_frame(mesh, frame), head, quads), **contents}
    return with_credits(run, Files(tuple(contents), tuple(contents.values()), shows=mesh), credits_file)


def obj_bytes(mesh: Mesh, head: str = "", quads: bool = False) -> UInt8:
    """OBJ text of a mesh with finite numbers, (size,) uint8. ``head``: whole lines to begin with.

    ``quads``: write pairs of triangles as quads where :func:`quad_rows` finds them.
    """
    from nodes.io._text_loops import face_lines, number_lines

    blocks: list[tuple[bytes, np.ndarray[Any, np.dtype[np.float32]]]] = [(b"v", mesh.vertices)]
    if mesh.colours is not None:
        blocks = [(b"v", np.column_stack([mesh.vertices, np.nan_to_num(mesh.colours[:, :3])]))]
    if mesh.uv is not None:
        blocks.append((b"vt", mesh.uv))
    if mesh.normals is not None:
        blocks.append((b"vn", np.nan_to_num(mesh.normals)))
    with ThreadPoolExecutor(len(blocks) + 1) as pool:
        rows = quad_rows(mesh.vertices, mesh.faces) if quads else mesh.faces
        faces = pool.submit(face_lines, rows, mesh.uv is not None, mesh.normals is not None)
        lines = [pool.submit(number_lines, np.frombuffer(word, np.uint8), values) for word, values in blocks]
        parts = [np.frombuffer(head.encode(), np.uint8), *(task.result() for task in [*lines, faces])]
    return np.concatenate(parts)


def _material_files(
    run: Run, path: Path, material: Material, longest: int, textured: bool
) -> tuple[dict[str, UInt8], str]:
    """Contents by file name, and the name of the material file."""
    encoded = encode_all(_pictures(material, longest) if textured else {})
    contents: dict[str, UInt8] = {}
    lines = _factors(material, set(encoded))
    for name, picture in encoded.items():
        file = beside(path, f"_{name}{picture.suffix}")
        contents[file] = np.frombuffer(picture.data, np.uint8)
        lines.append(f"{KEYWORDS[name]} {Path(file).name}")
    library = beside(path, ".mtl")
    head = "# Polyloom\n" + comments(run, "# ")
    text = head + "\n".join([f"newmtl {_word(material.name)}", *lines]) + "\n"
    return {library: np.frombuffer(text.encode(), np.uint8), **contents}, Path(library).name


def _factors(material: Material, maps: set[str]) -> list[str]:
    """1 for what stands in a map: some readers multiply the two, others take the map alone."""
    red, green, blue, alpha = (1.0,) * 4 if "base_colour" in maps else material.base_factor
    glow = (1.0,) * 3 if "emissive" in maps else material.emissive_factor
    rough = 1.0 if "roughness" in maps else material.roughness_factor
    metal = 1.0 if "metallic" in maps else material.metallic_factor
    return [
        f"Kd {red:.6g} {green:.6g} {blue:.6g}",
        f"Ke {' '.join(f'{value:.6g}' for value in glow)}",
        f"Ns {1000 * (1 - min(1.0, material.roughness_factor)) ** 2:.6g}",
        f"Pr {rough:.6g}",
        f"Pm {metal:.6g}",
        f"d {1.0 if material.alpha_mode == 'opaque' else alpha:.6g}",
        "illum 2",
    ]


def _pictures(material: Material, longest: int) -> dict[str, UInt8]:
    """Readers take a map instead of its factor, so the factor is multiplied in."""
    pictures: dict[str, UInt8] = {}
    maps = {name: _full(material, name) for name in Material.MAPS}
    if (base := maps["base_colour"]) is not None:
        pixels = colour_bytes(base, longest, material.alpha_mode != "opaque")
        pictures["base_colour"] = pixels
        if pixels.shape[2] == 4:
            pictures["opacity"] = pixels[..., 3]
    for name in ("emissive", "normal"):
        if (image := maps[name]) is not None:
            pictures[name] = colour_bytes(image, longest, alpha=False, normal=name == "normal")
    for name in ("roughness", "metallic", "occlusion", "height"):
        if (image := maps[name]) is not None:
            pictures[name] = grey_bytes(image, longest)
    return pictures


def _full(material: Material, name: str) -> Image | None:
    image: Image | None = getattr(material, name)
    return None if image is None else Image(times_factor(image.pixels, name, material), image.space)


def _word(name: str) -> str:
    return "_".join(name.split()) or "material"

"""A plain binary file for scanning, printing and research tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np

from app.engine import Files, Image, Mesh, Run, SaveFile, Setting, node
from nodes.io._axes import METRES, OURS, Frame, UnitSetting, UpSetting, comment_of, in_frame
from nodes.io._credits import CreditsFile, comments, with_credits
from nodes.io._factors import times_factor
from nodes.io._left_out import say_left_out
from nodes.io._textures import UInt8, colour_bytes, encode_all, to_bytes
from nodes.io._written import beside, checked

COLUMNS = {"vertices": ("x", "y", "z"), "normals": ("nx", "ny", "nz"), "uv": ("s", "t")}
CHANNELS = ("red", "green", "blue", "alpha")


@node("io.export_ply", title="Export PLY", group="Export", version=2, credits=True)
def export_ply(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".ply",), help="Where to write, inside the output folder.")] = Path(
        "asset.ply"
    ),
    texture: Annotated[bool, Setting(help="Write the base colour as a PNG beside it, named in the file.")] = True,
    unit: UnitSetting = "metres",
    up: UpSetting = "+Y",
    credits_file: CreditsFile = False,
) -> Files:
    """Write a binary PLY with normals, UVs and vertex colours where the mesh has them: in metres, +Y up, or as set.

    UVs are the vertex properties s and t, origin bottom left. PLY knows no materials; the base colour texture is
    written beside it and named in the way MeshLab reads. Credits are comments in the header.
    """
    mesh = checked(mesh)
    contents: dict[str, UInt8] = {}
    note = ""
    material = mesh.material
    say_left_out(run.warn, [material], "PLY", ("base_colour",))
    if texture and mesh.uv is not None and material is not None and material.base_colour is not None:
        shown = Image(times_factor(material.base_colour.pixels, "base_colour", material))
        picture = colour_bytes(shown, 0, material.alpha_mode != "opaque")
        name = beside(path, "_base_colour.png")
        contents[name] = np.frombuffer(encode_all({"base_colour": picture})["base_colour"].data, np.uint8)
        note = f"comment TextureFile {Path(name).name}\n"
    run.progress(0.5, "geometry")
    contents = {path.as_posix(): ply_bytes(mesh, note + comments(run, "comment "), Frame(METRES[unit], up)), **contents}
    return with_credits(run, Files(tuple(contents), tuple(contents.values()), shows=mesh), credits_file)


def ply_bytes(mesh: Mesh, comments: str = "", frame: Frame = OURS) -> UInt8:
    """Binary little-endian PLY 1.0 of a mesh, (size,) uint8. ``comments``: whole header lines.

    ``frame``: the units and axes to write in.
    """
    vertices = _vertex_rows(in_frame(mesh, frame))
    faces = np.empty(len(mesh.faces), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, mesh.faces
    kinds = {"<f4": "float", "|u1": "uchar"}
    properties = "".join(f"property {kinds[vertices.dtype[n].str]} {n}\n" for n in vertices.dtype.names or ())
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment {comment_of(frame)}\n{comments}"
        f"element vertex {len(vertices)}\n{properties}"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    parts = (np.frombuffer(header.encode(), np.uint8), vertices.view(np.uint8), faces.view(np.uint8))
    return np.concatenate(parts)


def _vertex_rows(mesh: Mesh) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    present = {name: columns for name, columns in COLUMNS.items() if getattr(mesh, name) is not None}
    layout = [(column, "<f4") for columns in present.values() for column in columns]
    if mesh.colours is not None:
        layout += [(channel, "u1") for channel in CHANNELS]
    rows = np.empty(len(mesh.vertices), np.dtype(layout))
    for name, columns in present.items():
        for k, column in enumerate(columns):
            rows[column] = getattr(mesh, name)[:, k]
    if mesh.colours is not None:
        for k, channel in enumerate(CHANNELS):
            rows[channel] = to_bytes(mesh.colours[:, k])
    return rows

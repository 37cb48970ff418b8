"""Read a mesh file into metres, +Y up, or say in words why it cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np

from app.engine import BadFile, BadInput, Isolated, Mesh, OpenFile, Run, Setting, node
from nodes.io._axes import METRES, OURS, USUAL, Frame, said_in, turned
from nodes.io._beside import MAX_BYTES, Beside
from nodes.io._companions import companions
from nodes.io._content import content_of
from nodes.io._near import brought_near, say_coarse
from nodes.io._parts import Part, Warn, joined
from nodes.io._read_3mf import read_3mf
from nodes.io._read_assimp import read_assimp
from nodes.io._read_gltf import read_gltf
from nodes.io._read_obj import read_obj
from nodes.io._read_off import read_off
from nodes.io._read_ply import read_ply
from nodes.io._read_stl import read_stl
from nodes.io._read_usd import read_usd
from nodes.io._settled import on_one_set
from nodes.io._stated import Author, Licence, Source, credit_file
from nodes.mesh._topology import weld_rows

Units = Literal["auto", "metres", "centimetres", "millimetres", "inches"]
READERS: dict[str, Callable[[bytes, Beside], list[Part]]] = {
    ".obj": read_obj,
    ".ply": read_ply,
    ".stl": read_stl,
    ".glb": read_gltf,
    ".gltf": read_gltf,
    ".off": read_off,
    ".3mf": read_3mf,
    ".usdz": read_usd,
    ".usda": read_usd,
    ".usdc": read_usd,
    ".usd": read_usd,
    ".fbx": read_assimp,
    ".dae": read_assimp,
    ".3ds": read_assimp,
}
READABLE = "Choose an OBJ, PLY, STL, GLB, glTF, OFF, 3MF, USD, FBX, DAE or 3DS file."
Found = TypeVar("Found")
COMMENTED = (".obj", ".ply")
PLAUSIBLE = (0.001, 1000.0)


@node("io.load_mesh", title="Load mesh", version=3, group="Load", isolated=Isolated(limit_s=60))
def load_mesh(
    run: Run,
    path: Annotated[Path, OpenFile(suffixes=tuple(READERS), companions=companions, help="The mesh to read.")] = Path(),
    units: Annotated[
        Units,
        Setting(help="What one unit of the file is. Auto: as it says, millimetres for STL, or metres."),
    ] = "auto",
    up: Annotated[
        Literal["auto", "+Y", "+Z"],
        Setting(help="Which way is up in the file. Auto: as it says, +Z for STL, or +Y."),
    ] = "auto",
    merge: Annotated[
        bool, Setting(help="Join vertices that are the same in every way, so that touching triangles connect.")
    ] = True,
    near: Annotated[
        bool,
        Setting(
            label="Bring near",
            help="Move what lies far from the origin, as surveys have it, near it, so that nothing is rounded.",
            advanced=True,
        ),
    ] = True,
    drop_bad: Annotated[
        bool, Setting(help="Leave out faces whose vertices are not numbers, instead of stopping.", advanced=True)
    ] = False,
    licence: Licence = "",
    author: Author = "",
    source: Source = "",
) -> Mesh:
    """Read a mesh file: OBJ, PLY, STL, GLB, glTF, OFF, 3MF, USD, FBX, COLLADA (DAE) or 3DS.

    The result is in metres with +Y up; what was converted is said on the node. Polygons become triangles, and all
    parts of a file become one mesh, with their numbers kept as face groups. Several materials are put on one texture
    sheet where they fit. Textures are looked for in the folder of the file and below, nowhere else. Author and licence
    travel to every export.
    """
    data = bytes_of(path)
    credit_file(run, path, licence, author, source)
    run.progress(0.1, "reading")
    beside = Beside(path.parent, run.warn, path.name)
    if path.suffix.lower() in COMMENTED and (said := said_in(data)):
        beside.says(said.metres, said.up)
    parts = in_words(lambda: READERS[path.suffix.lower()](data, beside), path.name)
    beside.tell_ngons()
    run.progress(0.7, "joining")
    parts = [finite_part(part, drop_bad, run) for part in on_one_set(parts, run.warn)]
    if not any(len(part.faces) for part in parts):
        raise BadFile(
            f"{path.name} has no faces.", "Choose a mesh with triangles. Points alone are read by Load points."
        )
    frame = said_frame(path, beside, units, up, run.warn)
    if near:
        parts = brought_near(parts, frame.metres, run.warn)
    mesh = joined([_placed(part, frame) for part in parts], path.stem, run.warn)
    run.progress(0.9, "checking")
    say_coarse([mesh.vertices], run.warn)
    return _plausible(_merged(mesh) if merge else mesh, run)


def said_frame(path: Path, beside: Beside, units: Units, up: Literal["auto", "+Y", "+Z"], warn: Warn) -> Frame:
    """Units and axes as chosen, else as the file or its format says. Says in words what will be converted."""
    found = beside.frame or USUAL.get(path.suffix.lower(), OURS)
    frame = Frame(found.metres if units == "auto" else METRES[units], found.up if up == "auto" else up)
    if frame.words:
        warn(frame.words)
    return frame


def in_words(read: Callable[[], Found], name: str) -> Found:
    """What ``read`` gives. Foreign files lie in more ways than anyone lists: what trips a reader is said as damage."""
    try:
        return read()
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadFile(f"{name} is damaged: {error}.", "Copy or export the file again.") from error


def bytes_of(path: Path) -> bytes:
    return content_of(path, READERS, "mesh", READABLE, MAX_BYTES, "Reduce the mesh in the program that made it.")


def finite_part(part: Part, drop: bool, run: Run) -> Part:
    """The part without positions that are not numbers; UVs, normals and colours of that kind become zero."""
    clean = {
        name: np.nan_to_num(array, posinf=0.0, neginf=0.0)
        for name in ("normals", "uv", "colours", "second_uv")
        if (array := getattr(part, name)) is not None and not np.isfinite(array).all()
    }
    if clean:
        run.warn(f"Some {' and '.join(clean)} of the file were not numbers; they are zero now.")
        part = replace(part, **clean)
    with np.errstate(over="ignore"):
        finite = np.isfinite(part.vertices.astype(np.float32))
    if finite.all():
        return part
    bad = np.logical_not(finite.all(axis=1))
    count = f"{int(bad.sum()):,} of {len(bad):,} vertices are not numbers (NaN or infinite)"
    if not drop:
        raise BadInput(f"{count}.", "Switch on Drop bad to leave their faces out, or repair the file first.")
    run.warn(f"{count}; the faces that use them are left out.")
    keep = np.cumsum(~bad) - 1
    faces = keep[part.faces[~bad[part.faces].any(axis=1)]]
    chosen = {name: array[~bad] for name in ("vertices", "normals", "uv", "colours", "second_uv")
              if (array := getattr(part, name)) is not None}  # fmt: skip
    return replace(part, faces=faces, **chosen)


def _merged(mesh: Mesh) -> Mesh:
    """Equal vertices, attributes included, become one."""
    columns = [array for array in (mesh.vertices, mesh.normals, mesh.uv, mesh.colours) if array is not None]
    weld = weld_rows(np.column_stack(columns))
    if weld.count == len(mesh.vertices):
        return mesh
    return replace(
        mesh,
        vertices=mesh.vertices[weld.first],
        faces=weld.ids[mesh.faces],
        normals=None if mesh.normals is None else mesh.normals[weld.first],
        uv=None if mesh.uv is None else mesh.uv[weld.first],
        colours=None if mesh.colours is None else mesh.colours[weld.first],
    )


def _placed(part: Part, frame: Frame) -> Part:
    if frame == OURS:
        return part
    vertices = turned(part.vertices.astype(np.float64) * frame.metres, frame.up, "+Y")
    normals = None if part.normals is None else turned(part.normals, frame.up, "+Y")
    return replace(part, vertices=vertices, normals=normals)


def _plausible(mesh: Mesh, run: Run) -> Mesh:
    low, high = mesh.bounds
    size = float((high - low).max())
    if not PLAUSIBLE[0] <= size <= PLAUSIBLE[1]:
        run.warn(f"The mesh is {size:,.4g} m across. If that is not meant, choose other Units.")
    return mesh

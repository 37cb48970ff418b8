"""The file for 3D printing that knows its unit, its colours and its parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Mesh, Run, SaveFile, Scene, Setting, node
from app.engine.placing import in_place, moved, placed
from nodes.image._pixels import resample_pixels
from nodes.io._axes import METRES
from nodes.io._credits import CreditsFile, with_credits
from nodes.io._left_out import say_left_out
from nodes.io._parts import Array
from nodes.io._textures import TextureSize, encode_all, longest_side, to_bytes
from nodes.io._threemf_texts import metadata
from nodes.io._write_3mf import Item, Model, package_bytes
from nodes.io._written import checked

Unit = Literal["millimetres", "centimetres", "metres", "inches"]
PREVIEW = 256
KEPT = ("base_colour",)


@node("io.export_3mf", title="Export 3MF", group="Export", version=2, credits=True)
def export_3mf(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".3mf",), help="Where to write, inside the output folder.")] = Path(
        "asset.3mf"
    ),
    unit: Annotated[Unit, Setting(help="The unit that the file names; its size stays the same.")] = "millimetres",
    parts: Annotated[
        Literal["one object", "by face group"], Setting(help="By face group: each part is an object of its own.")
    ] = "one object",
    on_bed: Annotated[
        bool, Setting(help="Stand on the print bed at its corner; off keeps the place that the mesh has.")
    ] = True,
    texture_size: Annotated[TextureSize, Setting(help="Larger textures are reduced to this.")] = "as they are",
    credits_file: CreditsFile = False,
) -> Files:
    """Write a 3MF for 3D printing: shape, unit, and the base colour as texture, vertex colours or material.

    +Z is up, as the format asks. Positions that UV seams and hard edges double become one vertex again, so that slicers
    see a closed shape. The format has no normals, and of a material it keeps the base colour.
    Title, designer, copyright and licence terms go into it.
    """
    mesh = checked(mesh)
    say_left_out(run.warn, [mesh.material], "3MF", KEPT)
    run.progress(0.1, "picture")
    thumbnail = _picture(mesh)
    run.progress(0.4, "geometry")
    place = _place(mesh) if on_bed else np.eye(4)
    items = [Item(piece, place) for piece in (_pieces(mesh) if parts == "by face group" else [mesh])]
    model = Model(unit, METRES[unit], longest_side(texture_size))
    data = package_bytes(items, model, metadata(run, mesh.name), thumbnail, run.warn)
    return with_credits(run, Files.of({path.as_posix(): data}, shows=mesh), credits_file)


def scene_3mf(run: Run, scene: Scene, longest: int) -> bytes:
    """A scene of sound meshes in millimetres: each mesh an object, each place of it a build item."""
    say_left_out(run.warn, (mesh.material for mesh in scene.meshes), "3MF", KEPT)
    standing = in_place(scene)
    sizes = np.cumsum([0, *(len(mesh.vertices) for mesh in standing)])
    faces = [mesh.faces + size for mesh, size in zip(standing, sizes, strict=False)]
    all_in_one = Mesh.of(np.concatenate([mesh.vertices for mesh in standing]), np.concatenate(faces))
    items = [_item(scene.meshes[m], to) for _, m, to in placed(scene)]
    model = Model("millimetres", METRES["millimetres"], longest)
    return package_bytes(items, model, metadata(run, scene.name), _picture(all_in_one), run.warn)


def _item(mesh: Mesh, to: Array) -> Item:
    """Mirrored objects are written as they stand: a transform that turns a solid inside out is not for printers."""
    mirrored = float(np.linalg.det(to[:3, :3])) <= 0
    return Item(moved(mesh, to), np.eye(4)) if mirrored else Item(mesh, to)


def _place(mesh: Mesh) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Lowest corner at the origin of the bed: in our axes x and height from 0 up, and z (the bed's -y) from 0 down."""
    low, high = (corner.astype(np.float64) for corner in mesh.bounds)
    place = np.eye(4)
    place[:3, 3] = -low[0], -low[1], -high[2]
    return place


def _pieces(mesh: Mesh) -> list[Mesh]:
    if mesh.face_groups is None:
        return [mesh]
    numbers = np.unique(mesh.face_groups)
    return [
        replace(mesh, faces=mesh.faces[mesh.face_groups == k], face_groups=None, name=f"{mesh.name} {place + 1}")
        for place, k in enumerate(numbers)
    ]


def _picture(mesh: Mesh) -> bytes:
    """A small PNG of the mesh, for file browsers and slicers."""
    from nodes.mesh._camera import camera, fitting_distance, middle, reach
    from nodes.mesh._render import render

    size = (2 * PREVIEW, 2 * PREVIEW)
    pose, lens = camera(25, 30, fitting_distance(reach(mesh), 35, size), 35, size, middle(mesh))
    seen = render(mesh, pose, lens, size, "soft")
    pixels = resample_pixels(np.dstack([seen.colour, seen.alpha]), (PREVIEW, PREVIEW))
    return encode_all({"preview": to_bytes(pixels)})["preview"].data

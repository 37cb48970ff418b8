"""Move the surface in and out by a picture or by noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mask, Mesh, Run, Seed, Setting, Slider, node
from nodes.image._pixels import check_finite
from nodes.mesh._checks import need_size, need_sound, need_uv
from nodes.mesh._heights import Heights, picture_of
from nodes.mesh._masked import at_places, shares
from nodes.mesh._refine import bisected, mesh_of, sheet_of
from nodes.mesh._shading import place_normals, reshaped
from nodes.mesh._topology import weld_points

Array = NDArray[Any]
Lay = Literal["auto", "UVs", "triplanar", "noise"]
MOST_REPEATS = 10_000


@node("mesh.displace", title="Displace", group="Deform")
def displace(
    run: Run,
    mesh: Mesh,
    height: Image | None = None,
    strength: Annotated[
        float, Slider(-10, 10, step=0.001, unit="m", help="From black to white, along the normals. Below 0: inward.")
    ] = 0.05,
    mid_level: Annotated[float, Slider(0, 1, step=0.01, help="What is this bright stays where it is.")] = 0.5,
    lay: Annotated[
        Lay,
        Setting(
            help="auto: the linked picture, else the material's height map, over the UVs; without UVs triplanar; "
            "without a picture noise. triplanar: tiles from three sides, without seams."
        ),
    ] = "auto",
    tile: Annotated[
        float, Slider(0.001, 100, log=True, unit="m", help="Width of one repeat, or of the largest bumps of the noise.")
    ] = 0.5,
    octaves: Annotated[int, Slider(1, 10, help="Noise: each adds bumps of half the size.")] = 4,
    seed: Annotated[int, Seed(help="Of the noise.")] = 0,
    detail: Annotated[
        float,
        Slider(0, 64, step=0.5, unit="px", help="Edges are cut until none is longer than this on the map. 0: none is."),
    ] = 4.0,
    most_faces: Annotated[
        int, Slider(1_000, 20_000_000, log=True, unit="triangles", help="No edges are cut beyond this.")
    ] = 500_000,
    mask: Mask | None = None,
) -> Mesh:
    """Real relief from a height map: the surface moves along its normals, after it got vertices enough to show it.

    Seams of UVs do not open: where several charts meet, the mean of their heights counts. A map that is finer than the
    mesh is averaged first. A mask lies on the UVs: where it is black nothing moves. A height map of the material that
    was used is taken off it.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    heights = _heights(run, mesh, height, lay, tile, octaves, seed)
    sheet = sheet_of(mesh)
    if not len(sheet.mesh.faces):
        raise BadInput("Every triangle of the mesh is a line or a point.", "Check the mesh that comes in.")
    if detail > 0:
        run.progress(0.1, "cutting long edges")
        sheet, enough = bisected(sheet, heights.pixels, detail, most_faces, run.check)
        if not enough:
            left = float(heights.pixels(sheet).max())
            run.warn(f"Edges of up to {left:.0f} px are left: finer relief needs more than {most_faces:,} triangles.")
    run.progress(0.6, "moving")
    heights = heights.no_finer_than(float(np.median(heights.pixels(sheet))))
    fine = mesh_of(sheet, new_normals=False)
    return _without_map(run, reshaped(fine, _moved(fine, heights, strength, mid_level, mask)), height, heights)


def _heights(run: Run, mesh: Mesh, image: Image | None, lay: Lay, tile: float, octaves: int, seed: int) -> Heights:
    if image is None and mesh.material is not None:
        image = mesh.material.height
    if lay == "noise" or (lay == "auto" and image is None):
        if lay == "auto":
            run.warn("No height map is linked, and the material has none: noise was used.")
        _check_tile(mesh, tile)
        return Heights(None, tile, octaves, seed)
    if image is None:
        raise BadInput("There is no height map.", "Link a picture, or set 'lay' to noise.")
    check_finite(image.pixels, "The height map")
    if lay == "triplanar" or (lay == "auto" and mesh.uv is None):
        _check_tile(mesh, tile)
        return Heights(picture_of(image), tile)
    need_uv(mesh)
    return Heights(picture_of(image), 0.0)


def _check_tile(mesh: Mesh, tile: float) -> None:
    if float(np.ptp(mesh.vertices, axis=0).max()) / tile > MOST_REPEATS:
        raise BadInput(f"The pattern would repeat more than {MOST_REPEATS:,} times.", "Choose a larger tile.")


def _moved(mesh: Mesh, heights: Heights, strength: float, mid: float, mask: Mask | None) -> Array:
    """(N, 3) float64; vertices at one place move alike."""
    weld = weld_points(mesh.vertices)
    normals = place_normals(mesh, weld.ids, weld.count)
    at = mesh.vertices.astype(np.float64)
    level = at_places(mesh, heights.at(at, normals[weld.ids], mesh.uv), mid)
    rise = strength * (level - mid)
    if mask is not None:
        rise *= shares(mesh, mask)
    return np.asarray(at + rise[:, None] * normals[weld.ids])


def _without_map(run: Run, mesh: Mesh, linked: Image | None, heights: Heights) -> Mesh:
    material = mesh.material
    if heights.picture is None or material is None:
        return mesh
    if linked is None and material.height is not None:
        run.warn("The height map is part of the shape now: it was taken off the material.")
        material = replace(material, height=None)
    if material.normal is not None:
        run.warn("The normal map stays. If it shows the same relief, take it off or bake a new one: it counts twice.")
    return replace(mesh, material=material)

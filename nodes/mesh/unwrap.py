"""Lay a mesh flat: texture coordinates without overlap."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Isolated, Material, Mesh, Run, Setting, Slider, node
from nodes.mesh import _flatten as flatten
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import face_vectors, weld_rows

XATLAS_FACES = 20_000

Padding = Annotated[int, Slider(0, 32, unit="px", help="Least gap between charts, in texels.")]
TextureSize = Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the texture the padding counts for.")]
Method = Annotated[
    Literal["auto", "xatlas", "fast", "box"],
    Setting(help="auto: xatlas up to 20,000 triangles, fast above. xatlas: few, well-shaped charts, slow on large "
                 "meshes. fast: charts of similar direction. box: six views along the axes."),
]  # fmt: skip


def box_unwrap(
    run: Run, mesh: Mesh, texture_size: TextureSize = 1024, padding: Padding = 4, method: Method = "auto"
) -> Mesh:
    """Six views along the axes: rougher charts, but it always ends."""
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    run.progress(0.3, "box projection")
    return flatten.by_box(_prepared(run, mesh), texture_size, padding)


@node("mesh.unwrap", title="Unwrap UV", isolated=Isolated(limit_s=90, fallback=box_unwrap))
def unwrap(
    run: Run, mesh: Mesh, texture_size: TextureSize = 1024, padding: Padding = 4, method: Method = "auto"
) -> Mesh:
    """Texture coordinates in the unit square, without overlap and without mirrored parts.

    Vertices are duplicated along the seams; normals stay smooth across them. Textures that belonged to older UVs are
    dropped: Bake brings them over. For a large mesh, decimate first.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    mesh = _prepared(run, mesh)
    few = len(mesh.faces) <= XATLAS_FACES
    if method == "box":
        return flatten.by_box(mesh, texture_size, padding)
    if method == "xatlas" or (method == "auto" and few):
        run.progress(0.05, "xatlas")
        if not few:
            run.warn(f"xatlas is slow above {XATLAS_FACES:,} triangles; decimate first, or choose fast.")
        return _xatlas(mesh, texture_size, padding)
    if method == "auto":
        run.warn(
            f"More than {XATLAS_FACES:,} triangles: unwrapped with the fast method. Decimate first for fewer charts."
        )
    return flatten.by_normals(run, mesh, texture_size, padding)


def _prepared(run: Run, mesh: Mesh) -> Mesh:
    """The mesh with smooth or given normals, without older UVs, its vertices split only where attributes differ."""
    if not face_vectors(mesh.vertices, mesh.faces).any():
        raise BadInput("No face of the mesh has an area.", "Put a Repair step before this one, or check the mesh.")
    material = mesh.material
    if material is not None and any(getattr(material, name) is not None for name in material.MAPS):
        run.warn(
            "The textures no longer fit and were dropped. Connect the mesh before this step to Bake as its source."
        )
        material = untextured(material)
    normals = mesh.normals if mesh.normals is not None else smooth_normals(mesh.vertices, mesh.faces)
    rows = [mesh.vertices, normals] + ([] if mesh.colours is None else [mesh.colours])
    weld = weld_rows(np.concatenate(rows, axis=1))
    return Mesh(
        vertices=mesh.vertices[weld.first],
        faces=weld.ids[mesh.faces],
        normals=normals[weld.first],
        colours=None if mesh.colours is None else mesh.colours[weld.first],
        material=material,
        face_groups=mesh.face_groups,
        name=mesh.name,
    )


def untextured(material: Material) -> Material:
    """The factors of a material without its pictures."""
    none: dict[str, Any] = dict.fromkeys(material.MAPS)
    return replace(material, **none)


def _unit_sized(mesh: Mesh) -> NDArray[np.float32]:
    """Positions in the unit cube: xatlas hangs on very large and on very small coordinates."""
    at = mesh.vertices.astype(np.float64)
    at -= at.min(axis=0)
    return np.ascontiguousarray(at / at.max(), np.float32)


def _xatlas(mesh: Mesh, size: int, padding: int) -> Mesh:
    """xatlas with winding fixed and chart rotation off: its rotation mirrors charts."""
    from xatlas import Atlas, ChartOptions, PackOptions

    atlas, charts, packing = Atlas(), ChartOptions(), PackOptions()
    charts.fix_winding = True
    packing.resolution, packing.padding, packing.bilinear, packing.rotate_charts = size, padding, True, False
    atlas.add_mesh(_unit_sized(mesh), mesh.faces.astype(np.uint32))
    atlas.generate(charts, packing)
    source, faces, uv = atlas[0]
    shape = np.array([atlas.width, atlas.height], np.float64)
    laid = flatten.with_uv(mesh, source, faces, np.clip(uv * (shape / shape.max()), 0, 1))
    return flatten.closer(laid, size, padding)

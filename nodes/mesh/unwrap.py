"""Lay a mesh flat: texture coordinates without overlap."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Isolated, Material, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh import _flatten as flatten
from nodes.mesh._checks import need_size, need_sound, need_uv
from nodes.mesh._cuts import NEVER, Seams
from nodes.mesh._flatten import Laid, Plan
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import face_vectors, weld_rows
from nodes.mesh._uv_report import report_on

XATLAS_FACES = 20_000
FAST_FACES = 4_000_000
XATLAS_S = 90


class Unwrapped(NamedTuple):
    """The mesh with its texture coordinates, and how good they are."""

    out: Mesh
    report: Report


Padding = Annotated[int, Slider(0, 64, unit="px", help="Least gap between charts, in texels.")]
TextureSize = Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the texture the padding counts for.")]
Method = Annotated[
    Literal["auto", "fast", "xatlas", "box", "keep"],
    Setting(help="fast: charts of similar direction, laid out with their lengths kept and joined where they fit. auto: "
                 "fast, and box above 4 million triangles. xatlas: the charts of that library, slow on large meshes. "
                 "box: six views along the axes. keep: the charts of the UVs that are there, packed anew."),
]  # fmt: skip
SeamAngle = Annotated[
    float, Slider(1, 180, unit="°", help="Edges sharper than this are cut. 180: none is cut for its angle.")
]
PartSeams = Annotated[bool, Setting(help="Cut between parts (face groups).")]
KeepSeams = Annotated[bool, Setting(help="Cut where the UVs that are there are cut; lay the charts out anew.")]
Density = Annotated[
    float,
    Slider(0, 100_000, step=1, unit="px/m", help="Texels per metre of surface. 0: as many as fit."),
]
Tiles = Annotated[int, Slider(1, 100, help="UDIM tiles that may be used; tile 1001 is the unit square.")]
Even = Annotated[
    bool, Setting(label="One density", help="Scale all charts to one density. Off, with keep: their sizes stay.")
]
Strain = Annotated[
    float,
    Slider(0.5, 50, log=True, unit="%", help="A chart whose lengths change by more on average is cut.", advanced=True),
]
Budget = Annotated[
    int,
    Slider(1_000, 1_000_000, log=True, unit="triangles", advanced=True,
           help="xatlas is not tried above this; its time grows faster than the mesh."),
]  # fmt: skip


def box_unwrap(
    run: Run, mesh: Mesh, texture_size: TextureSize = 1024, padding: Padding = 4, method: Method = "auto"
) -> Mesh:
    """Six views along the axes: rougher charts, but it always ends."""
    run.progress(0.0, "checking")
    check_mesh(mesh)
    return flatten.by_box(run, prepared(run, mesh), mesh, Plan(texture_size, padding)).mesh


def simpler_unwrap(run: Run, mesh: Mesh, **asked: Any) -> Unwrapped:
    """Fast charts where xatlas was stopped, box projection where those were."""
    quiet = Run(stop=run.stop)
    was = _affordable(quiet, mesh, asked["method"], asked["face_budget"])
    return unwrap_uv(run, mesh, **{**asked, "method": "fast" if was == "xatlas" else "box"})


@node(
    "mesh.unwrap",
    title="Unwrap UV",
    group="UV",
    version=3,
    isolated=Isolated(limit_s=XATLAS_S, fallback=simpler_unwrap),
)
def unwrap_uv(
    run: Run,
    mesh: Mesh,
    texture_size: TextureSize = 1024,
    padding: Padding = 4,
    method: Method = "auto",
    seam_angle: SeamAngle = NEVER,
    part_seams: PartSeams = False,
    keep_seams: KeepSeams = False,
    density: Density = 0.0,
    tiles: Tiles = 1,
    one_density: Even = True,
    max_strain: Strain = 10.0,
    face_budget: Budget = XATLAS_FACES,
) -> Unwrapped:
    """Texture coordinates without overlap and without mirrored parts, and a report on them.

    Vertices are duplicated along the seams; normals stay smooth across them. Textures that belonged to older UVs are
    dropped: Bake brings them over. xatlas is stopped after 90 s, and what it leaves is done by the fast method.
    """
    run.progress(0.0, "checking")
    check_mesh(mesh)
    if method == "keep" or keep_seams:
        need_uv(mesh)
    plan = Plan(
        texture_size, padding, density, tiles, one_density, max_strain / 100, Seams(seam_angle, part_seams, keep_seams)
    )
    laid = _laid(run, mesh, _affordable(run, mesh, method, face_budget), plan)
    run.progress(0.97, "measuring")
    return Unwrapped(laid.mesh, report_on(laid, plan))


def unwrap(
    run: Run, mesh: Mesh, texture_size: TextureSize = 1024, padding: Padding = 4, method: Method = "auto", **more: Any
) -> Mesh:
    """The mesh alone, for scripts and for other steps: arguments as for the node."""
    return unwrap_uv(run, mesh, texture_size, padding, method, **more).out


def check_mesh(mesh: Mesh) -> None:
    """Raise :class:`BadInput` for a mesh that cannot be laid out at all."""
    need_sound(mesh)
    need_size(mesh)
    if not face_vectors(mesh.vertices, mesh.faces).any():
        raise BadInput("No face of the mesh has an area.", "Put a Repair step before this one, or check the mesh.")


def _affordable(run: Run, mesh: Mesh, method: str, budget: int) -> str:
    """The method that will be used: what costs too much for so many triangles gives way, and that is said."""
    count = len(mesh.faces)
    if method == "xatlas" and count > budget:
        run.warn(f"{count:,} triangles are above the budget of {budget:,} for xatlas: unwrapped with the fast method.")
        method = "fast"
    if method in ("auto", "fast") and count > FAST_FACES:
        run.warn(f"{count:,} triangles are more than the fast method takes: box projection instead. Decimate first.")
        return "box"
    return "fast" if method == "auto" else method


def _laid(run: Run, mesh: Mesh, method: str, plan: Plan) -> Laid:
    ready = prepared(run, mesh)
    if method == "box":
        return flatten.by_box(run, ready, mesh, plan)
    if method == "keep":
        return flatten.as_given(run, ready, mesh, plan)
    if method == "xatlas":
        run.progress(0.05, "xatlas")
        return flatten.as_given(run, ready, _xatlas(ready, plan), plan)
    return flatten.by_normals(run, ready, mesh, plan)


def prepared(run: Run, mesh: Mesh) -> Mesh:
    """The mesh with smooth or given normals, without older UVs, its vertices split only where attributes differ."""
    material = mesh.material
    if material is not None and material.has_pictures():
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
    return material.bare()


def _unit_sized(mesh: Mesh) -> NDArray[np.float32]:
    """Positions in the unit cube: xatlas hangs on very large and on very small coordinates."""
    at = mesh.vertices.astype(np.float64)
    at -= at.min(axis=0)
    return np.ascontiguousarray(at / at.max(), np.float32)


def _xatlas(mesh: Mesh, plan: Plan) -> Mesh:
    """Charts of xatlas with winding fixed and chart rotation off: its rotation mirrors charts."""
    from xatlas import Atlas, ChartOptions, PackOptions

    atlas, charts, packing = Atlas(), ChartOptions(), PackOptions()
    charts.fix_winding = True
    packing.resolution, packing.padding, packing.bilinear, packing.rotate_charts = plan.size, plan.padding, True, False
    atlas.add_mesh(_unit_sized(mesh), mesh.faces.astype(np.uint32))
    atlas.generate(charts, packing)
    source, faces, uv = atlas[0]
    shape = np.array([atlas.width, atlas.height], np.float64)
    return flatten.with_uv(mesh, source, faces, uv * (shape / shape.max()))

"""Several meshes with materials of their own as one mesh with one texture sheet."""

from __future__ import annotations

from app.engine import Mesh, Run, node
from nodes.io._parts import Part, joined
from nodes.mesh._checks import need_finite


@node("texture.atlas", title="Join with one atlas", group="Material", version=2)
def atlas(
    run: Run,
    first: Mesh,
    second: Mesh | None = None,
    third: Mesh | None = None,
    fourth: Mesh | None = None,
) -> Mesh:
    """One mesh, one material, one draw call: the maps of all materials on one sheet, with UVs moved to match.

    Maps keep their size up to a sheet of 4096 pixels; tiling UVs are rolled out. Each mesh becomes a part of its own.
    For more than four, link one after another. To repaint onto other UVs instead, use Unwrap UV and Bake.
    """
    run.progress(0.0, "checking")
    meshes = [mesh for mesh in (first, second, third, fourth) if mesh is not None]
    for mesh in meshes:
        need_finite(mesh)
    if len(meshes) == 1:
        return first
    run.progress(0.2, "laying out the sheet")
    parts = [Part(m.vertices, m.faces, m.normals, m.uv, m.colours, m.material) for m in meshes]
    return joined(parts, first.name, run.warn)

"""How good texture coordinates are: tiles, coverage, overlap, stretch, density and seams, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Report
from nodes.mesh._flatten import Laid, Plan

Array = NDArray[Any]


def report_on(laid: Laid, plan: Plan) -> Report:
    """The table that an unwrapping step gives out."""
    from nodes.mesh._measure import charts_of, uv_turns
    from nodes.mesh._stretch import stretch

    mesh = laid.mesh
    assert mesh.uv is not None
    charts, pulled = charts_of(mesh)[0], stretch(mesh.vertices, mesh.uv, mesh.faces)
    tiles, coverage, overlap = tile_use(mesh)
    density = laid.density / np.maximum(pulled.long[pulled.area > 0], 1e-12)
    rows = (
        ("charts", charts),
        ("tiles", tiles),
        ("coverage", coverage),
        ("overlap", overlap),
        ("mirrored faces", int((uv_turns(mesh) < 0).sum())),
        ("texels per metre", laid.density),
        ("texels per metre, least", float(density.min(initial=laid.density))),
        ("stretch, mean (L2)", pulled.l2),
        ("stretch, largest (Linf)", pulled.linf),
        ("angle error, mean", pulled.conformal),
        ("seam length (m)", seam_length(mesh)),
        ("vertices", len(mesh.vertices)),
    )
    verdict = (
        f"{charts:,} charts cover {coverage:.0%} of {tiles} tile{'s' * (tiles > 1)} of {plan.size} px, "
        f"{laid.density:,.4g} px/m."
    )
    return Report(f"UVs of {mesh.name}", rows, verdict)


def tile_use(mesh: Mesh) -> tuple[int, float, float]:
    """(tiles in use, share of them that is covered, share of the covered ground that is covered twice)."""
    from nodes.mesh._raster import uv_use

    assert mesh.uv is not None
    tile = np.floor(mesh.uv[mesh.faces].mean(axis=1)).astype(np.int64)
    names, which = np.unique(tile, axis=0, return_inverse=True)
    covered = doubled = 0.0
    for i, shift in enumerate(names):
        one, two = uv_use((mesh.uv - shift).astype(np.float32), mesh.faces[which.reshape(-1) == i])
        covered, doubled = covered + one, doubled + one * two
    return len(names), covered / len(names), doubled / max(covered, 1e-12)


def seam_length(mesh: Mesh) -> float:
    """Metres of edges whose two faces lie apart in the texture."""
    from nodes.mesh._cuts import torn
    from nodes.mesh._topology import edges_of, weld_points

    assert mesh.uv is not None
    edges = edges_of(weld_points(mesh.vertices).ids[mesh.faces])
    a, b = edges.pairs.T
    cut = a[torn(mesh.uv[mesh.faces], a, b)]
    at = mesh.vertices.astype(np.float64)[mesh.faces].reshape(-1, 3)
    return float(np.linalg.norm(at[cut] - at[cut - cut % 3 + (cut + 1) % 3], axis=1).sum())

"""How good texture coordinates are: stretch, density, overlap, seams, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Report
from nodes.mesh._flatten import Laid, Plan

Array = NDArray[Any]


@dataclass(frozen=True)
class Stretch:
    """Of the map from the texture to the surface, each face weighed by its area; 1 is perfect in all but ``even``.

    ``mean``: L² stretch after Sander, Snyder, Gortler and Hoppe 2001: root mean square of how far texels are pulled
    apart, relative to the mean density. ``largest``: the same for the worst direction of the worst face, leaving out
    the worst thousandth of the area. ``angles``: mean of half the sum of the ratio of the two directions and its
    inverse (conformal error). ``mirrored``: faces that run clockwise. ``flat``: faces with an area that have none here.
    """

    mean: float
    largest: float
    angles: float
    mirrored: int
    flat: int


def pulls(at: Array, uv: Array) -> tuple[Array, Array, Array, Array]:
    """(most, least, flat area, area) of each face: metres of surface per unit of texture along two directions.

    ``at``: (M, 3, 3) corners. ``uv``: (M, 3, 2). Where the flat area is 0 the first two are 0.
    """
    one, two = at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]
    p, q = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    turn = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    part = np.where(turn != 0, 1 / np.where(turn != 0, turn, 1), 0)[:, None]
    along, up = (one * q[:, 1:] - two * p[:, 1:]) * part, (two * p[:, :1] - one * q[:, :1]) * part
    a, b, c = (np.einsum("ij,ij->i", x, y) for x, y in ((along, along), (along, up), (up, up)))
    root = np.sqrt((a - c) ** 2 + 4 * b * b)
    area = np.linalg.norm(np.cross(one, two), axis=1) / 2
    return np.sqrt((a + c + root) / 2), np.sqrt(np.maximum(a + c - root, 0) / 2), turn / 2, area


def stretch_of(mesh: Mesh) -> Stretch:
    """Of a mesh with finite UVs."""
    assert mesh.uv is not None
    most, least, flat, area = pulls(
        mesh.vertices.astype(np.float64)[mesh.faces], mesh.uv.astype(np.float64)[mesh.faces]
    )
    real = area > area.sum() * 1e-12
    good = real & (flat != 0)
    if not good.any():
        return Stretch(np.inf, np.inf, np.inf, int((flat < 0).sum()), int((real & (flat == 0)).sum()))
    share = area[good] / area[good].sum()
    unit = np.sqrt(np.abs(flat[good]).sum() / area[good].sum())
    most, least = most[good] * unit, np.maximum(least[good] * unit, 1e-12)
    ranked = np.argsort(most)
    worst = ranked[min(len(ranked) - 1, int(np.searchsorted(np.cumsum(share[ranked]), 0.999)))]
    return Stretch(
        mean=float(np.sqrt((share * (most**2 + least**2) / 2).sum())),
        largest=float(most[worst]),
        angles=float((share * (most / least + least / most) / 2).sum()),
        mirrored=int((flat < 0).sum()),
        flat=int((real & (flat == 0)).sum()),
    )


def tile_use(mesh: Mesh) -> tuple[int, float, float]:
    """(tiles in use, share of them that is covered, share of the covered ground that is covered twice)."""
    from nodes.mesh._raster import uv_use

    assert mesh.uv is not None
    corner = mesh.uv[mesh.faces]
    tile = np.floor(corner.mean(axis=1)).astype(np.int64)
    names, which = np.unique(tile, axis=0, return_inverse=True)
    covered = doubled = 0.0
    for i, shift in enumerate(names):
        one, two = uv_use((mesh.uv - shift).astype(np.float32), mesh.faces[which.reshape(-1) == i])
        covered, doubled = covered + one, doubled + one * two
    return len(names), covered / len(names), doubled / max(covered, 1e-12)


def report_on(laid: Laid, plan: Plan) -> Report:
    """The table that an unwrapping step gives out."""
    from nodes.mesh._measure import measure_uv

    stretch = stretch_of(laid.mesh)
    tiles, coverage, overlap = tile_use(laid.mesh)
    charts = measure_uv(laid.mesh, 1.0).charts
    rows = (
        ("charts", charts),
        ("tiles", tiles),
        ("coverage", coverage),
        ("overlap", overlap),
        ("mirrored faces", stretch.mirrored),
        ("texels per metre", laid.density),
        ("stretch, mean", stretch.mean),
        ("stretch, largest", stretch.largest),
        ("angle error, mean", stretch.angles),
        ("seam length (m)", seam_length(laid.mesh)),
        ("vertices", len(laid.mesh.vertices)),
    )
    verdict = f"{charts:,} charts fill {coverage:.0%} at {laid.density:,.4g} px/m of {plan.size} px textures."
    return Report(f"UVs of {laid.mesh.name}", rows, verdict)


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

"""How fit a mesh is, from 0 to 100, with what was taken off and why."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._findings import Findings
from nodes.mesh._measure import Layout, Shape

WEIGHTS = {
    "holes": 20,
    "non-manifold": 20,
    "self-intersections": 15,
    "flipped": 20,
    "degenerate or duplicate": 10,
    "thin walls": 10,
    "UV overlap": 10,
    "mirrored UVs": 5,
    "UV stretch": 10,
}
AT_LEAST = 0.4
WORST = 0.05
LITTLE = {"thin walls": 0.005, "UV overlap": 0.001, "UV stretch": 0.05}


def score(
    shape: Shape, found: Findings, layout: Layout | None, area: NDArray[Any]
) -> tuple[int, list[tuple[str, int]]]:
    """(points, what was taken off for each kind of problem).

    Each kind costs two fifths of its weight as soon as it occurs, and all of it when a twentieth of the faces (walls
    and UVs: of the area) have it. Thin walls under 0.5 % of the area, UVs over another under 0.1 % and stretched ones
    under 5 % cost nothing. A mesh without UVs loses nothing.
    """
    off = []
    for kind, weight in WEIGHTS.items():
        share = _share(kind, found, layout, area)
        if share > LITTLE.get(kind, 0.0):
            off.append((kind, round(weight * (AT_LEAST + (1 - AT_LEAST) * min(1.0, share / WORST)))))
    if shape.loose:
        off.append(("unused vertices", 1))
    return max(0, 100 - sum(points for _, points in off)), off


def _share(kind: str, found: Findings, layout: Layout | None, area: NDArray[Any]) -> float:
    if kind not in found.marks:
        return 0.0
    if kind == "UV overlap" and layout is not None:
        return layout.overlap
    marked = found.marks[kind]
    if kind in LITTLE or kind == "mirrored UVs":
        return float((area * marked).sum() / max(float(area.sum()), 1e-300))
    return float(np.mean(marked))

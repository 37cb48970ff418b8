"""Points of a PLY file, with or without faces."""

from __future__ import annotations

import numpy as np

from app.engine import BadFile
from nodes.io._cloud_parts import Rows, as_colours, stacked
from nodes.io._ply_rows import read_elements, read_header

PREFIXES = ("", "diffuse_")
INTENSITIES = ("intensity", "scalar_Intensity", "scalar_intensity")
WAVE_0 = 0.28209479


def read_ply_points(data: bytes) -> Rows:
    """Vertices with normals and colours: red, green, blue, the first harmonic of a splat file, or intensity."""
    header = read_header(data)
    vertex = read_elements(data, header).get("vertex", {})
    points = stacked(vertex, ("x", "y", "z"))
    if points is None:
        raise BadFile("The PLY file has no vertex positions.", "Export the file again.")
    return Rows(points, _colours(vertex), stacked(vertex, ("nx", "ny", "nz"), np.float32), "+Y")


def _colours(vertex: dict[str, np.ndarray]) -> np.ndarray | None:
    for prefix in PREFIXES:
        names = tuple(prefix + name for name in ("red", "green", "blue"))
        if all(name in vertex for name in names):
            full = {"u1": 255.0, "u2": 65535.0}.get(vertex[names[0]].dtype.str[1:], 0.0)
            with_alpha = (*names, "alpha") if "alpha" in vertex else names
            return as_colours(np.stack([vertex[name] for name in with_alpha], axis=1), full)
    harmonic = stacked(vertex, ("f_dc_0", "f_dc_1", "f_dc_2"), np.float32)
    if harmonic is not None:
        return as_colours(np.clip(0.5 + WAVE_0 * harmonic, 0, 1), 1.0)
    for name in INTENSITIES:
        if name in vertex:
            return as_colours(vertex[name][:, None])
    return None

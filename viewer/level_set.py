"""A field of samples seen as the surface where it crosses one value."""

from __future__ import annotations

import numpy as np

from app.engine.payloads import Field, Float32, Mesh
from viewer.shown import Page, Shown, Solid

MOST = 128


def level_set(field: Field) -> Shown:
    """The surface where the first channel is zero, or half-way between its extremes when its sign never changes."""
    values = field.values[..., 0]
    finite = values[np.isfinite(values)]
    shape = " × ".join(str(n) for n in field.values.shape[:3])
    if min(values.shape) < 2 or not finite.size:
        return Page(title="Field", text=f"{shape} samples: too few to draw a surface.")
    low, high = float(finite.min()), float(finite.max())
    signed = low < 0 < high
    level = 0.0 if signed else (low + high) / 2
    mesh = _surface(values, field.lower, field.upper, level, inside_is_low=signed)
    facts = f"{shape} samples · values {low:.3g} to {high:.3g} · surface at {level:.3g}"
    return Solid(mesh, (field.lower, field.upper), facts)


def _surface(values: Float32, lower: Float32, upper: Float32, level: float, inside_is_low: bool) -> Mesh:
    """Flying edges (Schroeder et al. 2015) over at most ``MOST`` samples a side.

    ``inside_is_low``: values grow outwards, as signed distances do; densities fall outwards.
    """
    import pyvista as pv

    steps = [max(1, -(-n // MOST)) for n in values.shape]
    coarse = np.nan_to_num(values[:: steps[0], :: steps[1], :: steps[2]], nan=level)
    count = np.array(coarse.shape)
    spacing = (upper - lower) / (np.array(values.shape) - 1) * steps
    grid = pv.ImageData(dimensions=tuple(count), spacing=tuple(spacing), origin=tuple(lower))
    grid.point_data["value"] = coarse.ravel(order="F")
    found = grid.contour([level], scalars="value", method="flying_edges", compute_normals=False)
    if not found.n_cells:
        return Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)))
    faces = found.regular_faces
    return Mesh.of(found.points, faces[:, ::-1] if inside_is_low else faces, name="surface")

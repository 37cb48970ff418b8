"""A mesh as a body of one material: mass, centre of mass, inertia. Solid, or a thin shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._mass import Mass, mass_of
from nodes.mesh._measure import measure
from nodes.mesh._topology import face_vectors

Array = NDArray[Any]
Fill = Literal["solid", "shell"]
Stuff = Literal[
    "own", "PLA", "PETG", "ABS", "nylon", "resin", "oak", "pine", "cork", "glass", "ceramic", "concrete", "gypsum",
    "rubber", "aluminium", "steel", "brass", "bronze", "gold", "ice", "water",
]  # fmt: skip
DENSITIES: dict[str, float] = {
    "PLA": 1240, "PETG": 1270, "ABS": 1040, "nylon": 1140, "resin": 1180, "oak": 720, "pine": 510, "cork": 160,
    "glass": 2500, "ceramic": 2300, "concrete": 2400, "gypsum": 1200, "rubber": 1100, "aluminium": 2700,
    "steel": 7850, "brass": 8500, "bronze": 8800, "gold": 19_320, "ice": 917, "water": 1000,
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """``mass``: kg. ``centre``: (3,) m. ``inertia``: (3, 3) kg m² about the centre, axes of the world.

    ``volume``: m³ of material.
    """

    mass: float
    centre: Array
    inertia: Array
    volume: float


def density_of(material: Stuff, own: float) -> float:
    """kg/m³ of the preset, or the own value. Usual handbook values; real materials differ by some per cent."""
    return DENSITIES.get(material, own)


def body_of(run: Run, mesh: Mesh, density: float = 1000.0, fill: Fill = "solid", wall: float = 0.001) -> Body:
    """The body behind a mesh. ``wall``: metres, of a shell. Raises :class:`BadInput` when it has no volume."""
    need_sound(mesh)
    need_size(mesh)
    if fill == "shell":
        return _weighed(shell_of(mesh.vertices, mesh.faces), density * wall, wall)
    shape = measure(mesh)
    if not shape.watertight:
        raise BadInput(
            f"The mesh is not closed ({shape.boundary_edges:,} open edges, {shape.non_manifold_edges:,} edges with "
            f"more than two faces, {shape.crossed:,} between faces that look opposite ways), so it has no volume.",
            "Put a Repair step before this one, or take it as a thin shell.",
        )
    mass = mass_of(mesh.vertices, mesh.faces)
    if mass.volume == 0:
        raise BadInput("The mesh is flat: it encloses no volume.", "Thicken it, or take it as a thin shell.")
    if mass.volume < 0:
        run.warn("The mesh is inside out; it was weighed as if its faces looked outward.")
        mass = Mass(-mass.volume, mass.centre, -mass.inertia)
    return _weighed(mass, density, 1.0)


def shell_of(vertices: Array, faces: Array) -> Mass:
    """The surface as a thin sheet of 1 kg/m². ``volume`` holds its area in m²; inertia in kg m² about the centre."""
    doubled = np.linalg.norm(face_vectors(vertices, faces), axis=1)
    area = float(doubled.sum()) / 2
    if not area > 0:
        raise BadInput("No face of the mesh has an area.", "Check the mesh that comes in.")
    at = vertices[faces].astype(np.float64)
    middle = (at.min(axis=(0, 1)) + at.max(axis=(0, 1))) / 2
    at -= middle
    total = at.sum(axis=1)
    centre = doubled @ total / 6 / area
    second = np.einsum("i,ij,ik->jk", doubled, total, total)
    for corner in range(3):
        second += np.einsum("i,ij,ik->jk", doubled, at[:, corner], at[:, corner])
    spread = second / 24 - area * np.outer(centre, centre)
    return Mass(area, middle + centre, np.eye(3) * np.trace(spread) - spread)


def _weighed(mass: Mass, factor: float, thick: float) -> Body:
    return Body(mass.volume * factor, mass.centre, mass.inertia * factor, mass.volume * thick)

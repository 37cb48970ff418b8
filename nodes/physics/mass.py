"""What a mesh weighs, and how it resists being turned."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from app.engine import Mesh, Number, Report, Run, Setting, Slider, node
from nodes.physics._body import Body, Fill, Stuff, body_of, density_of

Material = Annotated[Stuff, Setting(help="What it is made of. own: the density below.")]
Density = Annotated[float, Slider(1, 25_000, log=True, unit="kg/m³", help="For own; 1000 is water.")]
Filled = Annotated[Fill, Setting(help="solid: a closed mesh, full. shell: only a wall along the surface.")]
Wall = Annotated[float, Slider(0.01, 1000, log=True, unit="mm", help="Thickness of a shell.")]
Rows = list[tuple[str, str | int | float | bool]]


class Weighed(NamedTuple):
    """All properties, the mass in kg, and the volume of material in m³."""

    report: Report
    mass: Number
    volume: Number


@node("physics.mass", title="Mass properties")
def mass(
    run: Run,
    mesh: Mesh,
    material: Material = "PLA",
    density: Density = 1000.0,
    fill: Filled = "solid",
    wall: Wall = 1.2,
) -> Weighed:
    """Mass, volume, centre of mass and inertia tensor of a closed mesh in metres, filled or as a thin shell.

    The integrals are exact for the triangles. Inertia is about the centre of mass, along the axes of the world;
    principal moments are those along the body's own axes. Parts that run through one another count twice where they
    overlap; a part inside another that looks inward is a cavity.
    """
    run.progress(0.0, "checking")
    kilos = density_of(material, density)
    body = body_of(run, mesh, kilos, fill, wall / 1000)
    run.progress(0.8, "inertia")
    made_of = "own density" if material == "own" else material
    rows: Rows = [("material", made_of), ("density (kg/m³)", kilos), *_rows(body)]
    words = f"{body.mass:.4g} kg of {made_of}, {body.volume * 1e6:.4g} cm³."
    return Weighed(Report(f"Mass of {mesh.name}", tuple(rows), words), Number(body.mass), Number(body.volume))


def _rows(body: Body) -> Rows:
    moments, axes = np.linalg.eigh(body.inertia)
    rows: Rows = [("mass (kg)", body.mass), ("volume of material (m³)", body.volume)]
    rows += [(f"centre of mass {axis} (m)", float(v)) for axis, v in zip("xyz", body.centre, strict=True)]
    pairs = (("xx", 0, 0), ("yy", 1, 1), ("zz", 2, 2), ("xy", 0, 1), ("yz", 1, 2), ("zx", 2, 0))
    rows += [(f"inertia {name} (kg m²)", float(body.inertia[i, j])) for name, i, j in pairs]
    for k in range(3):
        axis = axes[:, k] * (1 if axes[int(np.abs(axes[:, k]).argmax()), k] > 0 else -1)
        rows.append((f"principal moment {k + 1} (kg m²)", float(moments[k])))
        rows.append((f"principal axis {k + 1}", " ".join(f"{v + 0.0:.5f}" for v in axis)))
    return rows

"""How far a mesh is from another, in numbers and in colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Report, Run, Seed, Setting, Slider, node
from nodes.mesh import _align
from nodes.mesh._metrics import Difference, Surface, difference, nearest_on, surface_of
from nodes.mesh._rigid import STAY, Motion

Array = NDArray[Any]
Align = Literal["as placed", "centre and scale", "full"]
Rows = list[tuple[str, str | int | float | bool]]
COLOURS = ((0.10, 0.19, 0.55), (0.10, 0.60, 0.72), (0.45, 0.80, 0.33), (0.98, 0.80, 0.20), (0.82, 0.12, 0.12))


class Compared(NamedTuple):
    """The findings, and the first mesh where it was measured, coloured by its distance."""

    report: Report
    mesh: Mesh


@node("mesh.compare_shapes", title="Shape difference", group="Inspect")
def compare_shapes(
    run: Run,
    mesh: Mesh,
    reference: Mesh,
    align: Annotated[
        Align,
        Setting(
            help="centre and scale: same middle and size first. full: turned, too, by quarter turns and closest points."
        ),
    ] = "as placed",
    threshold: Annotated[
        float,
        Slider(0.0005, 0.2, log=True, unit="of diagonal", help="F-score: nearer than this to the other mesh is right."),
    ] = 0.01,
    samples: Annotated[
        int, Slider(1_000, 1_000_000, log=True, unit="points", help="On each mesh, evenly by area.", advanced=True)
    ] = 50_000,
    red_at: Annotated[
        float, Slider(0.001, 1, log=True, unit="of diagonal", help="Distance that is coloured red; 0 is blue.")
    ] = 0.05,
    seed: Annotated[int, Seed(help="Decides where on the surfaces the points lie.")] = 0,
) -> Compared:
    """How far apart two shapes are: chamfer and Hausdorff distance, F-score, normals.

    Points are spread evenly over each mesh, and the exact nearest point on the other one is found for each. Chamfer
    distance is the mean of the two mean distances, not squared. The diagonal is that of the reference's bounding box.
    The mesh comes out where it was measured, coloured at its vertices from blue (touches the reference) to red.
    """
    run.progress(0, "preparing")
    one, other = surface_of(mesh), surface_of(reference, "reference")
    placed = _placed(run, one, other, align, seed)
    one = one if placed is STAY else _align.moved(one, placed)
    limit = threshold * other.diagonal
    found = difference(one, other, samples, limit, seed, lambda done: run.progress(0.5 + 0.3 * done, "measuring"))
    vertices = placed.of(mesh.vertices.astype(np.float64))
    far = nearest_on(other, vertices, lambda done: run.progress(0.8 + 0.2 * done, "colours")).distance
    rows = _rows(found, other.diagonal, limit) + _facts(mesh, reference, one, other, samples, placed)
    told = f"{found.chamfer / other.diagonal:.3%} of the diagonal apart on average, F-score {found.f_score:.3f}."
    report = Report(f"{mesh.name} against {reference.name}", tuple(rows), told)
    return Compared(report, _coloured(mesh, vertices, placed, far / (red_at * other.diagonal)))


def _placed(run: Run, one: Surface, other: Surface, align: Align, seed: int) -> Motion:
    if align == "as placed":
        return STAY
    if align == "centre and scale":
        return _align.by_centre_and_scale(one, other)
    return _align.full(one, other, seed, lambda done: run.progress(0.5 * done, "aligning"))


def _rows(found: Difference, diagonal: float, limit: float) -> Rows:
    return [
        ("chamfer distance (m)", found.chamfer),
        ("chamfer distance (of diagonal)", found.chamfer / diagonal),
        ("mesh to reference (m)", found.there),
        ("reference to mesh (m)", found.back),
        ("root mean square (m)", found.rms),
        ("Hausdorff distance, sampled (m)", found.hausdorff),
        ("F-score", found.f_score),
        ("precision", found.precision),
        ("recall", found.recall),
        ("threshold (m)", limit),
        ("normal consistency", found.normal_consistency),
        ("diagonal of reference (m)", diagonal),
    ]


def _facts(mesh: Mesh, reference: Mesh, one: Surface, other: Surface, samples: int, placed: Motion) -> Rows:
    return [
        ("area (m²)", float(one.areas.sum())),
        ("area of reference (m²)", float(other.areas.sum())),
        ("triangles", len(mesh.faces)),
        ("triangles of reference", len(reference.faces)),
        ("points on each", samples),
        ("scaled by", placed.scale),
        ("turned by (°)", placed.degrees),
    ]


def _coloured(mesh: Mesh, vertices: Array, placed: Motion, share: Array) -> Mesh:
    """``share``: (N,) 0..1 and more, 1 is red."""
    steps = np.linspace(0, 1, len(COLOURS))
    colours = np.ones((len(share), 4), np.float32)
    for channel in range(3):
        colours[:, channel] = np.interp(share, steps, [colour[channel] for colour in COLOURS])
    normals = None if mesh.normals is None else (mesh.normals @ placed.turn.T).astype(np.float32)
    return replace(mesh, vertices=vertices.astype(np.float32), normals=normals, colours=colours, material=None, uv=None)

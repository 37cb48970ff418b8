"""Bend, twist and taper along an axis, with normals turned by the exact derivative of the map (Barr 1984).

All work in local coordinates: u and w across the axis, a along it, right-handed as (u, a, w), in metres from the middle
of the bounding box across and from the world's origin along. A normal moves with the cofactors of the Jacobian J,
det(J) J^-T, so that hard edges stay hard and smooth ones smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run, Slider
from nodes.mesh._bisect import bisected
from nodes.mesh._checks import need_size, need_sound

Array = NDArray[Any]
Axis = Literal["x", "y", "z"]
Still = Literal["start", "middle", "end"]
Moved = tuple[Array, Array | None]
CHUNK = 1 << 14
Begin = Annotated[float, Slider(0, 1, step=0.01, label="Start limit", help="Share of the length where it begins.")]
Finish = Annotated[float, Slider(0, 1, step=0.01, label="End limit", help="Share of the length where it ends.")]
Pieces = Annotated[
    int, Slider(0, 512, help="Faces longer than a piece are cut, so that they can follow. 0: none.", advanced=True)
]
BASES = {
    "x": ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    "y": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "z": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


@dataclass(frozen=True)
class Span:
    """Between ``start`` and ``end``, metres along the axis, the shape changes; ``still``: where it stays in place."""

    start: float
    end: float
    still: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def inside(self, along: Array) -> Array:
        """1 where the deformation grows, 0 beyond the limits."""
        return np.asarray(((along >= self.start) & (along <= self.end)).astype(np.float64))


@dataclass(frozen=True)
class Where:
    """``begin`` and ``finish``: shares of the length. ``turn``: degrees about the axis to the direction u."""

    axis: Axis
    begin: float
    finish: float
    still: Still
    pieces: int
    turn: float = 0.0


def frame(axis: Axis, turn: float) -> Array:
    """(3, 3) rows u, a, w. u is +X for the axis Y, else +Y, turned about the axis counter-clockwise, in degrees."""
    across, along = (np.array(v) for v in BASES[axis])
    side = np.cross(along, across)
    u = np.cos(np.radians(turn)) * across + np.sin(np.radians(turn)) * side
    return np.stack([u, along, np.cross(u, along)])


def deformed(run: Run, mesh: Mesh, where: Where, change: Callable[[Array, Array | None, Span], Moved]) -> Mesh:
    """The mesh with ``change`` made in local coordinates: (positions, normals, span) to new ones, normals unnormalised.

    Raises :class:`BadInput` for a mesh that has no length along the axis, or limits without a length between them.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    if where.finish <= where.begin:
        raise BadInput("The limits leave nothing between them.", "Make the end limit larger than the start limit.")
    basis = frame(where.axis, where.turn)
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    along = mesh.vertices[used].astype(np.float64) @ basis[1]
    low, high = float(along.min()), float(along.max())
    if high - low < 1e-9:
        raise BadInput(f"The mesh is flat along {where.axis.upper()}.", "Choose another axis.")
    start, end = (low + share * (high - low) for share in (where.begin, where.finish))
    span = Span(start, end, {"start": start, "middle": (start + end) / 2, "end": end}[where.still])
    run.progress(0.1, "cutting long faces")
    if where.pieces:
        mesh = bisected(run, mesh, basis[1], span.length / where.pieces)
    lowest, highest = mesh.bounds
    middle = (lowest.astype(np.float64) + highest) / 2
    middle -= (middle @ basis[1]) * basis[1]
    vertices = np.empty_like(mesh.vertices)
    normals = None if mesh.normals is None else np.empty_like(mesh.normals)
    for first in range(0, len(vertices), CHUNK):
        run.progress(0.4 + 0.6 * first / len(vertices), "moving")
        rows = slice(first, first + CHUNK)
        facing = None if mesh.normals is None else mesh.normals[rows]
        at, turned = change(
            (mesh.vertices[rows] - middle) @ basis.T, None if facing is None else facing @ basis.T, span
        )
        vertices[rows] = at @ basis + middle
        if normals is not None and turned is not None and facing is not None:
            normals[rows] = _unit(turned @ basis, facing)
    return replace(mesh, vertices=vertices, normals=normals)


def _unit(vectors: Array, fallback: Array) -> Array:
    size = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.where(size > 1e-30, vectors / np.maximum(size, 1e-30), fallback).astype(np.float32)


def bent(at: Array, normals: Array | None, span: Span, angle: float) -> Moved:
    """The axis becomes an arc of ``angle`` radians that leans to +u; beyond the span it goes on straight."""
    u, a, w = at.T
    curve = angle / span.length
    on = np.clip(a, span.start, span.end)
    phi, beyond = curve * (on - span.still), a - on
    c, s = np.cos(phi), np.sin(phi)
    arc = (on - span.still) * np.sinc(phi / np.pi)
    lean = (on - span.still) * np.sinc(phi / (2 * np.pi)) * np.sin(phi / 2)
    moved = np.stack([u * c + lean + beyond * s, span.still + arc - u * s + beyond * c, w], axis=1)
    if normals is None:
        return moved, None
    stretch = 1 - curve * u * span.inside(a)
    nu, na, nw = normals.T
    return moved, np.stack([stretch * nu * c + na * s, na * c - stretch * nu * s, stretch * nw], axis=1)


def twisted(at: Array, normals: Array | None, span: Span, angle: float) -> Moved:
    """Turned about the axis, counter-clockwise seen against it, by ``angle`` radians from start to end."""
    u, a, w = at.T
    rate = angle / span.length
    phi = rate * (np.clip(a, span.start, span.end) - span.still)
    c, s = np.cos(phi), np.sin(phi)
    moved = np.stack([c * u + s * w, a, c * w - s * u], axis=1)
    if normals is None:
        return moved, None
    nu, na, nw = normals.T
    skew = rate * span.inside(a) * (w * nu - u * nw)
    return moved, np.stack([c * nu + s * nw, na - skew, c * nw - s * nu], axis=1)


def tapered(at: Array, normals: Array | None, span: Span, factor: float, bulge: float, which: str) -> Moved:
    """Scaled across the axis: 1 where it is still, growing evenly by ``factor`` - 1 over the span, plus ``bulge``
    times a parabola that is 1 in its middle; never below 0. ``which``: u, w or both."""
    u, a, w = at.T
    t = (np.clip(a, span.start, span.end) - span.start) / span.length
    begin = (span.still - span.start) / span.length
    sign = -1.0 if begin == 1 else 1.0
    scale = np.maximum(1 + (factor - 1) * sign * (t - begin) + 4 * bulge * t * (1 - t), 0.0)
    slope = ((factor - 1) * sign + 4 * bulge * (1 - 2 * t)) * span.inside(a) * (scale > 0) / span.length
    ku, kw = (scale if which in (name, "both") else np.ones_like(scale) for name in "uw")
    moved = np.stack([ku * u, a, kw * w], axis=1)
    if normals is None:
        return moved, None
    du, dw = (slope if which in (name, "both") else np.zeros_like(scale) for name in "uw")
    nu, na, nw = normals.T
    ku, kw = np.maximum(ku, 1e-9), np.maximum(kw, 1e-9)
    return moved, np.stack([nu / ku, na - du * u * nu / ku - dw * w * nw / kw, nw / kw], axis=1)

"""Deform a mesh by its box."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np

from app.engine import Mesh, Multiline, Run, Slider, node
from nodes.mesh._bisect import bisected, without_collapsed
from nodes.mesh._cage import Array, pulled, straight, warped
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._deform import Pieces

Width = Slider(0, 4, step=0.01, help="1: as it is.")
Shift = Slider(-2, 2, step=0.01, help="As a share of the box.")
CHUNK = 1 << 13


@node("mesh.lattice", title="Lattice", group="Deform")
def lattice(
    run: Run,
    mesh: Mesh,
    box: Mesh | None = None,
    top_width: Annotated[float, Width] = 1.0,
    middle_width: Annotated[float, Width] = 1.0,
    bottom_width: Annotated[float, Width] = 1.0,
    height: Annotated[float, Slider(0.01, 4, step=0.01, help="1: as it is. The bottom stays.")] = 1.0,
    lean_right: Annotated[float, Shift] = 0.0,
    lean_front: Annotated[float, Shift] = 0.0,
    belly_right: Annotated[float, Shift] = 0.0,
    belly_front: Annotated[float, Shift] = 0.0,
    pulls: Annotated[
        str,
        Multiline(
            placeholder="top front: move 0 0 0.2\nright: scale 1.5",
            help="One pull a line: a place, a colon, then move x y z (shares of the box), scale s, scale x y z or turn "
            "degrees. Places: left centre right, bottom waist top, back core front, and several of these together.",
        ),
    ] = "",
    pieces: Pieces = 16,
) -> Mesh:
    """Put a mesh into a box of 3 x 3 x 3 points and pull at these: the mesh follows smoothly.

    Lean moves the top, belly the middle. With a mesh at the box input its box is taken, so that several meshes, such as
    a body and its clothes, deform alike.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    if box is not None:
        need_sound(box, "box")
        need_size(box, "box")
    low, high = (corner.astype(np.float64) for corner in (box or mesh).bounds)
    middle, size = (low + high) / 2, high - low
    size[size < 1e-9 * size.max()] = max(size.max(), 1e-9)
    text = (
        f"top: scale {top_width} 1 {top_width}\nwaist: scale {middle_width} 1 {middle_width}\n"
        f"bottom: scale {bottom_width} 1 {bottom_width}\ntop: move {lean_right} {height - 1} {lean_front}\n"
        f"waist: move {belly_right} {(height - 1) / 2} {belly_front}\n"
    )
    points = pulled(pulled(straight(size), size, text), size, pulls)
    for axis in np.eye(3) if pieces else ():
        mesh = bisected(run, mesh, axis, float(size @ axis) / pieces)
    return _moved(run, mesh, middle, size, points)


def _moved(run: Run, mesh: Mesh, middle: Array, size: Array, points: Array) -> Mesh:
    vertices = np.empty_like(mesh.vertices)
    normals = None if mesh.normals is None else np.empty_like(mesh.normals)
    folded, tips = False, False
    for start in range(0, len(vertices), CHUNK):
        run.progress(0.2 + 0.8 * start / len(vertices), "moving")
        rows = slice(start, start + CHUNK)
        at, jacobian = warped(mesh.vertices[rows] - middle, size, points)
        vertices[rows] = at + middle
        one, two, three = jacobian.transpose(2, 1, 0)
        cofactors = [_crossed(two, three), _crossed(three, one), _crossed(one, two)]
        growth = (one * cofactors[0]).sum(axis=0)
        folded, tips = folded or bool((growth < -1e-9).any()), tips or bool((growth < 1e-9).any())
        if normals is not None and mesh.normals is not None:
            turned = sum(c * n for c, n in zip(cofactors, mesh.normals[rows].T, strict=True)).T
            length = np.sqrt(np.einsum("nj,nj->n", turned, turned))[:, None]
            normals[rows] = np.where(length > 1e-20, turned / np.maximum(length, 1e-20), mesh.normals[rows])
    if folded:
        run.warn("The box is pulled through itself: a part of the mesh folds over. Pull less.")
    made = replace(mesh, vertices=vertices, normals=normals)
    return without_collapsed(made) if tips else made


def _crossed(a: Array, b: Array) -> Array:
    """(3, N) cross products of (3, N) vectors."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])

"""Faces that a cut leaves without height in single precision, turned into their neighbours without touching others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._caps import without_caps
from nodes.mesh._measure import flat
from nodes.mesh._mended import mended
from nodes.mesh._mending import opened
from nodes.mesh._rows import below, built, only, rows_of
from nodes.mesh._topology import weld_points, weld_rows

Array = NDArray[Any]
RINGS = 3


def without_slivers(mesh: Mesh, asked: Array) -> Mesh:
    """Nothing moves and nothing opens. ``asked``: (M,) bool, the faces that may be slivers.

    Faces more than three rings of neighbours away stay as they are, bit by bit; changed ones come last.
    """
    suspects = np.flatnonzero(asked)
    bad = suspects[flat(mesh.vertices, mesh.faces[suspects])] if len(suspects) else suspects
    if not len(bad):
        return mesh
    place = weld_points(mesh.vertices).ids[mesh.faces]
    near: Array = np.zeros(len(place), bool)
    near[bad] = True
    for _ in range(RINGS):
        touched = np.zeros(int(place.max()) + 1, bool)
        touched[place[near]] = True
        near = np.asarray(touched[place].any(axis=1))
    local = only(mesh, near)
    sheet, went = without_caps(opened(local, 0.0)[0])
    if not went:
        return mesh
    tidy = mended(local, sheet)
    return _put_back(mesh, near, local, replace(tidy, normals=None if mesh.normals is None else tidy.normals))


def _put_back(mesh: Mesh, near: Array, local: Mesh, tidy: Mesh) -> Mesh:
    """Vertices of ``tidy`` that ``local`` has are those of the mesh that they were."""
    tables = [np.concatenate([*rows_of(part).values()], axis=1) for part in (local, tidy)]
    alike = weld_rows(np.concatenate(tables))
    known = alike.first[alike.ids[len(tables[0]) :]]
    here = np.unique(mesh.faces[near]) if len(local.vertices) < len(mesh.vertices) else np.arange(len(mesh.vertices))
    new = len(mesh.vertices) + np.arange(len(known))
    number = np.where(known < len(here), here[np.minimum(known, len(here) - 1)], new)
    faces = np.concatenate([mesh.faces[~near], number[tidy.faces]])
    groups = None
    if mesh.face_groups is not None and tidy.face_groups is not None:
        groups = np.concatenate([mesh.face_groups[~near], tidy.face_groups])
    return built(mesh, below(rows_of(mesh), rows_of(tidy)), faces, groups)

"""What every exporter asks of a mesh, and how it names the files beside the main one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from app.engine import BadInput, Mesh
from nodes.mesh._checks import need_sound
from nodes.mesh._shading import smooth_normals

TOLERANCE = 1e-3


def checked(mesh: Mesh) -> Mesh:
    """The mesh, or :class:`BadInput`: no faces, positions or UVs that are not finite."""
    need_sound(mesh)
    if mesh.uv is not None and not np.isfinite(mesh.uv).all():
        bad = int((~np.isfinite(mesh.uv).all(axis=1)).sum())
        raise BadInput(f"{bad:,} UVs of the mesh are NaN or infinite.", "Put an Unwrap UV step before this one.")
    return mesh


def unit_normals(mesh: Mesh) -> Mesh:
    """The mesh with normals of unit length; those that are sound keep their exact values. Missing ones are smoothed."""
    if mesh.normals is None:
        return replace(mesh, normals=smooth_normals(mesh.vertices, mesh.faces))
    square = np.einsum("ij,ij->i", mesh.normals, mesh.normals)
    off = ~(np.abs(square - 1) <= TOLERANCE)
    if not off.any():
        return mesh
    normals = mesh.normals.copy()
    length = np.sqrt(square[off])
    usable = np.isfinite(length) & (length > 1e-12)
    fixed = smooth_normals(mesh.vertices, mesh.faces)[off]
    fixed[usable] = normals[off][usable] / length[usable, None]
    normals[off] = fixed
    return replace(mesh, normals=normals)


def beside(path: Path, ending: str) -> str:
    """The name of a companion file in the folder of ``path``: plain letters only, since MTL files allow no spaces."""
    stem = re.sub(r"[^A-Za-z0-9.-]+", "_", path.stem).strip("._") or "asset"
    return str(PurePosixPath(path.as_posix()).with_name(stem + ending))

"""What a mesh step asks of the mesh it is given, said in words when it is not so."""

from __future__ import annotations

import numpy as np

from app.engine import BadInput, Mesh

LARGEST_M = 1e9


def need_faces(mesh: Mesh, which: str = "mesh") -> None:
    """Raise :class:`BadInput` for a mesh without triangles."""
    if not len(mesh.faces):
        raise BadInput(f"The {which} has no faces.", "Connect a mesh with triangles; points alone are not enough.")


def need_finite(mesh: Mesh, which: str = "mesh") -> None:
    """Raise :class:`BadInput` when a vertex position is NaN or infinite."""
    finite = np.isfinite(mesh.vertices)
    if not finite.all():
        bad = int((~finite.all(axis=1)).sum())
        raise BadInput(
            f"{bad:,} vertices of the {which} have no valid position (NaN or infinite).",
            "Put a Repair step before this one: it removes the faces that use them.",
        )


def need_size(mesh: Mesh, which: str = "mesh") -> None:
    """Raise :class:`BadInput` for a mesh so large that float32 arithmetic on it overflows."""
    extent = float(np.abs(mesh.vertices).max(initial=0.0))
    if extent > LARGEST_M:
        raise BadInput(
            f"The {which} reaches {extent:.3g} m from the origin.", "Put a Transform step before this one to scale it."
        )


def need_uv(mesh: Mesh, which: str = "mesh") -> None:
    """Raise :class:`BadInput` when texture coordinates are missing or not finite."""
    if mesh.uv is None:
        raise BadInput(f"The {which} has no UVs.", "Put an Unwrap UV step before this one.")
    if not np.isfinite(mesh.uv).all():
        raise BadInput(f"Some UVs of the {which} are NaN or infinite.", "Put an Unwrap UV step before this one.")


def need_sound(mesh: Mesh, which: str = "mesh") -> None:
    """Triangles, and finite positions."""
    need_faces(mesh, which)
    need_finite(mesh, which)

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


def need_fine(mesh: Mesh, finest: float, what: str) -> None:
    """Raise :class:`BadInput` where float32 positions, which lie the farther apart the farther out they are, cannot
    tell ``finest`` (metres) apart; ``what`` of that size is wanted."""
    away = float(np.abs(mesh.vertices).max(initial=0.0))
    apart = float(np.spacing(np.float32(away)))
    if apart > finest:
        raise BadInput(
            f"The mesh lies {in_words(away)} from the origin, where positions are {in_words(apart)} apart: "
            f"too coarse for {what}.",
            "Put an Align step before this one, which moves it to the origin; better still, move it in the program "
            "that made it, before it is rounded.",
        )


def in_words(metres: float) -> str:
    """A length in a unit that suits it."""
    for unit, size in (("km", 1000.0), ("m", 1.0)):
        if metres >= size:
            return f"{metres / size:,.0f} {unit}" if metres >= 100 * size else f"{metres / size:.3g} {unit}"
    return f"{metres * 1000:.3g} mm"


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

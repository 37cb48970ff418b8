"""The texels of a texture that lie on a mesh, and where each is on the surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._checks import need_size, need_sound, need_uv
from nodes.mesh._shading import smooth_normals

Array = NDArray[Any]
TEXELS_PER_BAND = 1 << 19
RIM = 1.5


@dataclass(frozen=True)
class Texels:
    """K texels. ``place``: (K,) int64 flat numbers in the picture. ``face``: (K,). ``at``: (K, 3) whose last two are
    u, v on the face. ``points``, ``normals``: (K, 3) float64, metres and unit vectors."""

    mesh: Mesh
    place: Array
    face: Array
    at: Array
    points: Array
    normals: Array

    def value(self, rows: Array) -> Array:
        """(K, C) float64 of a (V, C) vertex attribute."""
        from nodes.mesh._blend import blend

        return blend(rows, self.mesh.faces, self.face, self.at)


def ready(run: Run, mesh: Mesh) -> Mesh:
    """The mesh with normals; raises :class:`BadInput` where nothing can be painted, warns of UVs that mislead."""
    from nodes.mesh._raster import uv_use

    need_sound(mesh)
    need_size(mesh)
    need_uv(mesh)
    assert mesh.uv is not None
    covered, doubled = uv_use(mesh.uv, mesh.faces, 512)
    if covered == 0:
        raise BadInput("The UVs of the mesh have no area.", "Put an Unwrap UV step before this one.")
    if doubled > 0.01:
        run.warn(f"{doubled:.0%} of the UVs overlap: those places share one colour. Unwrap UV gives each its own.")
    if mesh.uv.min() < -1e-4 or mesh.uv.max() > 1.0001:
        run.warn("Some UVs lie outside the unit square; what is there gets no texture.")
    if mesh.normals is not None:
        return mesh
    return replace(mesh, normals=smooth_normals(mesh.vertices, mesh.faces))


def bands(mesh: Mesh, size: int) -> Iterator[tuple[float, Texels]]:
    """(share done, texels) of a square texture from the top down; a rim around each chart belongs to it.

    The mesh has UVs and normals, as :func:`ready` gives it.
    """
    from nodes.mesh._blend import blend
    from nodes.mesh._raster import draw, texel_corners

    assert mesh.uv is not None and mesh.normals is not None
    corners = texel_corners(mesh.uv, mesh.faces, size)
    step = max(1, TEXELS_PER_BAND // size)
    for first in range(0, size, step):
        rows = range(first, min(first + step, size))
        owner, inside, _ = draw(corners, size, rows, RIM)
        seen = owner >= 0
        face = owner[seen]
        at = np.concatenate([np.zeros((len(face), 1)), inside[seen]], axis=1)
        normals = blend(mesh.normals, mesh.faces, face, at)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
        points = blend(mesh.vertices, mesh.faces, face, at)
        yield rows.stop / size, Texels(mesh, np.flatnonzero(seen) + first * size, face, at, points, normals)


def surface_colour(texels: Texels, texture: Array | None, colours: Array | None) -> Array:
    """(K, 4) float32 linear RGBA as a glTF viewer shows it: texture times vertex colour times factor.

    ``texture``: (H, W, 4) linear. ``colours``: (V, 4) linear.
    """
    from nodes.texture._loops import look_up

    mesh = texels.mesh
    assert mesh.uv is not None
    factor = mesh.material.base_factor if mesh.material else (1.0, 1.0, 1.0, 1.0)
    shade = np.broadcast_to(np.asarray(factor, np.float32), (len(texels.face), 4)).copy()
    if texture is not None:
        shade *= look_up(texture, texels.value(mesh.uv))
    if colours is not None:
        shade *= texels.value(colours).astype(np.float32)
    return shade

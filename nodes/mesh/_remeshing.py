"""A mesh taken apart for a new net of faces, and what it carried brought onto the new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._reduce import without_pictures
from nodes.mesh._topology import collapsed, face_vectors, weld_bits, weld_points

Array = NDArray[Any]
Colours = Literal["vertex colours", "texture", "none"]


@dataclass(frozen=True)
class Sheet:
    """``points``: (V, 3) float64, each place once. ``faces``: (M, 3) int32, no corner and no face twice.

    ``groups``: (M,) or None. ``area``: m². ``size``: longest side of the box around it, metres.
    """

    points: Array
    faces: Array
    groups: Array | None
    area: float
    size: float


def sheet_of(mesh: Mesh) -> Sheet:
    """Raises :class:`BadInput` for meshes without area, or with positions that are no numbers or out of reach."""
    need_sound(mesh)
    need_size(mesh)
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    real = ~collapsed(faces)
    real[real] = _first_of_each(faces[real])
    points, faces = mesh.vertices[weld.first].astype(np.float64), np.ascontiguousarray(faces[real])
    area = float(np.linalg.norm(face_vectors(points, faces), axis=1).sum()) / 2
    size = float(np.ptp(points[faces].reshape(-1, 3), axis=0).max()) if len(faces) else 0.0
    if not area > 1e-12 * size**2:
        raise BadInput("The mesh has no area: every triangle is a line or a point.", "Connect another mesh.")
    return Sheet(points, faces, None if mesh.face_groups is None else mesh.face_groups[real], area, size)


def _first_of_each(faces: Array) -> Array:
    """(M,) bool: no face before has the same corners in the same order."""
    least = faces.argmin(axis=1)[:, None]
    mark = np.zeros(len(faces), bool)
    mark[weld_bits(np.take_along_axis(faces, (least + np.arange(3)) % 3, axis=1)).first] = True
    return mark


def dressed(run: Run, source: Mesh, bare: Mesh, colours: Colours) -> Mesh:
    """``bare`` with parts (unless it has them) and colours of the nearest places of ``source``; says what is lost."""
    from nodes.mesh._bvh import build, nearest

    _say_lost(run, source, colours)
    bare = replace(bare, name=source.name, material=without_pictures(source.material))
    wanted = _colours_of(run, source, colours)
    grouped = source.face_groups is not None and bare.face_groups is None
    if wanted is None and not grouped:
        return bare
    middle = (source.bounds[0] + source.bounds[1]) / 2
    tree = build(source.vertices - middle, source.faces)
    if grouped and source.face_groups is not None:
        centres = bare.vertices[bare.faces].mean(axis=1) - middle
        bare = replace(bare, face_groups=source.face_groups[nearest(tree, centres)[0]])
    if wanted is None:
        return bare
    face, at = nearest(tree, bare.vertices - middle, bare.normals, 0.0)
    lost = np.flatnonzero(face < 0)
    face[lost], at[lost] = nearest(tree, bare.vertices[lost] - middle)
    return replace(bare, colours=wanted(face, at))


def _colours_of(run: Run, source: Mesh, colours: Colours) -> Any:
    """A function from (N,) faces and (N, 3) places on them to (N, 4) float32 colours, or None."""
    from nodes.mesh._blend import blend

    picture = None if source.material is None else source.material.base_colour
    if colours == "texture" and picture is not None and source.uv is not None:
        from nodes.texture._loops import look_up

        uv, pixels = source.uv, picture.pixels
        return lambda face, at: look_up(pixels, blend(uv, source.faces, face, at)).clip(0, 1)
    if colours == "texture":
        run.warn("There is no texture to take colours from.")
    own = source.colours
    if colours == "none" or own is None:
        return None
    return lambda face, at: blend(own, source.faces, face, at).clip(0, 1).astype(np.float32)


def _say_lost(run: Run, source: Mesh, colours: Colours) -> None:
    pictures = source.material is not None and without_pictures(source.material) is not source.material
    lost = [word for word, there in (("UVs", source.uv is not None), ("textures", pictures)) if there]
    if source.colours is not None and colours == "none":
        lost.append("vertex colours")
    if lost:
        run.warn(f"The new faces have none of the old {' and '.join(lost)}: unwrap them, then bake from the old mesh.")

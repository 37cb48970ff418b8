"""A scene from what a file holds, in metres with +Y up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.engine import Mesh, Scene
from nodes.io._assembly import Assembly
from nodes.io._axes import Up, turned
from nodes.io._parts import Array, Part


def scene_of(found: Assembly, parts: Sequence[Part], name: str, metres: float = 1.0, up: Up = "+Y") -> Scene:
    """``parts``: those of ``found``, cleaned; empty ones are left out, so that their objects become empties.

    Another unit or axis changes the meshes and every step from object to parent alike, and no object gains a scale or
    a turn of its own.
    """
    kept = [number for number, part in enumerate(parts) if len(part.faces)]
    place_of = {number: k for k, number in enumerate(kept)}
    pairs = [(parts[number], _in_metres(parts[number], metres, up)) for number in kept]
    seconds = tuple(None if p.second_uv is None else np.asarray(p.second_uv, np.float32) for p, _ in pairs)
    matrices = [_step(place, metres, up) for place in found.places]
    return Scene(
        meshes=tuple(mesh for _, mesh in pairs),
        names=tuple(found.names),
        parts=tuple(tuple(place_of[n] for n in row if n in place_of) for row in found.shows),
        places=np.array(matrices, np.float32).reshape(-1, 4, 4) + np.float32(0),
        parents=np.array(found.parents, np.int32),
        second_uvs=seconds if any(uv is not None for uv in seconds) else (),
        name=name,
    )


def _in_metres(part: Part, metres: float, up: Up) -> Mesh:
    vertices, normals = part.vertices, part.normals
    if metres != 1.0 or up != "+Y":
        vertices = turned(vertices.astype(np.float64) * metres, up, "+Y")
        normals = None if normals is None else turned(normals, up, "+Y")
    return Mesh.of(
        vertices, part.faces, normals=_floats(normals), uv=_floats(part.uv), colours=_floats(part.colours),
        material=part.material, name=part.name or "mesh",
    )  # fmt: skip


def _floats(values: Array | None) -> Array | None:
    return None if values is None else np.ascontiguousarray(values, np.float32)


def _step(place: Array, metres: float, up: Up) -> Array:
    """(4, 4) of an object to its parent, between metres with +Y up."""
    out = place.copy()
    out[:3, 3] *= metres
    if up == "+Y":
        return out
    turn = turned(np.eye(3), up, "+Y").T
    out[:3, :3] = turn @ out[:3, :3] @ turn.T
    out[:3, 3] = turn @ out[:3, 3]
    return out

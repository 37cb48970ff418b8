"""What the baking steps do before and after: checks, distances, and from numbers to pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mesh, Run
from app.engine.memory import available_bytes
from app.engine.palette import distinct_colours
from nodes.image._pixels import to_linear, to_srgb
from nodes.mesh._checks import need_size, need_sound, need_uv
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import diagonal, edges_of, parts, weld_points
from nodes.mesh._wide import widen
from nodes.texture._bake_words import Empty, Wish
from nodes.texture._baking import Baked, receiver_of
from nodes.texture._curvature import mean_curvature
from nodes.texture._fill import Edge
from nodes.texture._samples import Order, Receiver, channels_of
from nodes.texture._sky import Sky
from nodes.texture._surface import Surface

Array = NDArray[Any]
VECTORS = ("normal", "object_normal", "bent_normal")
RAYED = ("ambient", "bent_normal", "thickness", "cavity")
COLOURS = ("base_colour", "emissive", "vertex_colour")
ROWS = 256
SMALLEST_M = 1e-9
FIRST_TILE = 1001


@dataclass(frozen=True)
class Finish:
    """``margin``: px. ``empty``: what lies beyond it. ``srgb``: maps that hold colours as they are shown."""

    margin: int
    empty: Empty
    srgb: tuple[str, ...] = COLOURS


def checked(run: Run, source: Mesh, target: Mesh, cage: Mesh | None, tile: int = FIRST_TILE) -> Mesh:
    """The target with normals; raises in words when one of the meshes cannot be baked. ``tile``: as UDIM numbers it."""
    from nodes.mesh._raster import uv_use

    for mesh, which in ((source, "source"), (target, "target")):
        need_sound(mesh, which)
        need_size(mesh, which)
    need_uv(target, "target")
    if source.uv is not None:
        need_uv(source, "source")
    _check_cage(cage, target)
    target, there = on_tile(target, tile), tiles_of(target)
    assert target.uv is not None
    covered, doubled = uv_use(target.uv, target.faces, 512)
    if covered == 0 and there - {tile}:
        raise BadInput(f"The target has no UVs on tile {tile}.", f"Choose one of {_listed(there)}.")
    if covered == 0:
        raise BadInput("The UVs of the target have no area.", "Put an Unwrap UV step before this one.")
    if doubled > 0.01:
        run.warn(f"{doubled:.0%} of the target's UVs overlap; an Unwrap UV step gives each part its own place.")
    if target.uv.min() < -1e-4 or target.uv.max() > 1.0001:
        run.warn(f"Only tile {tile} is baked here; the target has UVs on {_listed(there)}. Bake maps bakes any tile.")
    if target.normals is not None:
        return target
    return replace(target, normals=smooth_normals(target.vertices, target.faces))


def on_tile(mesh: Mesh, tile: int) -> Mesh:
    """The mesh with its UVs moved so that a UDIM tile lies on the unit square."""
    assert mesh.uv is not None
    row, column = divmod(tile - FIRST_TILE, 10)
    if not row and not column:
        return mesh
    return replace(mesh, uv=mesh.uv - np.array([column, row], np.float32))


def tiles_of(mesh: Mesh) -> set[int]:
    """UDIM numbers of the tiles in which faces have their middle; -1 stands for places that have no number."""
    assert mesh.uv is not None
    middle = mesh.uv[mesh.faces].astype(np.float64).mean(axis=1)
    at = np.floor(middle).astype(np.int64)
    numbered = (at >= 0).all(axis=1) & (at[:, 0] < 10) & (at[:, 1] < 900)
    return set(np.unique(np.where(numbered, FIRST_TILE + at[:, 0] + 10 * at[:, 1], -1)).tolist())


def _listed(tiles: set[int]) -> str:
    named = [str(tile) for tile in sorted(tiles - {-1})]
    more = [f"{len(named) - 8} more"] if len(named) > 8 else []
    return ", ".join([*named[:8], *more, *(["places without a number"] if -1 in tiles else [])])


def _check_cage(cage: Mesh | None, target: Mesh) -> None:
    if cage is None:
        return
    need_sound(cage, "cage")
    if len(cage.vertices) != len(target.vertices):
        raise BadInput(
            f"The cage has {len(cage.vertices):,} vertices, the target {len(target.vertices):,}.",
            "A cage is the target with its vertices moved outward; make it from the target without adding any.",
        )


def check_memory(size: int, maps: int) -> None:
    """Raise :class:`BadInput` when the pictures will not fit into the memory that is free."""
    needed, free = size * size * 16 * (maps + 1), available_bytes()
    if free is not None and needed > free:
        raise BadInput(
            f"{maps} maps of {size:,} x {size:,} px take {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free.",
            "Choose a smaller size, or bake fewer maps at a time.",
        )


def prepare(surface: Surface, target: Mesh, cage: Mesh | None, maps: tuple[str, ...], wish: Wish) -> Order:
    """Everything that the bands read; only what ``maps`` need is computed."""
    extent = max(diagonal(surface.mesh), SMALLEST_M)
    percent = extent / 100
    reach = wish.max_distance * percent or _measured_reach(surface, target, extent)
    caged = cage is not None or wish.search == "from the cage inward"
    rayed = any(name in RAYED for name in maps)
    tree = widen(surface.tree) if caged or rayed else None
    sky = None
    if tree is not None and rayed:
        far = wish.occlusion_distance * percent or 4 * extent
        many = max(1, wish.rays // wish.fine**2)
        sky = Sky(tree, many, extent * 1e-4, far, wish.cavity_distance * percent, wish.thickness * percent)
    bend = mean_curvature(surface.mesh, wish.curvature_smoothing)[:, None] if "curvature" in maps else None
    group = numbered_groups(surface.mesh) if "ids" in maps else None
    radius = wish.curvature_radius * percent
    return Order(wish.size, wish.fine, reach, maps, tree, sky, bend, radius, group, None, wish.tangent)


def receiver(target: Mesh, cage: Mesh | None, order: Order, wish: Wish) -> Receiver:
    """The target with its cage: the given one, or where rays start there, one at the reach along smoothed normals."""
    outer = order.reach if cage is None and wish.search == "from the cage inward" else cage
    return receiver_of(target, order.size, order.fine, outer)


def numbered_groups(mesh: Mesh) -> Array:
    """(M,) int64 from 0 on: the mesh's face groups in ascending order, else its connected parts."""
    if mesh.face_groups is not None:
        return np.unique(mesh.face_groups, return_inverse=True)[1].reshape(-1).astype(np.int64)
    faces = weld_points(mesh.vertices).ids[mesh.faces]
    return np.asarray(parts(faces, edges_of(faces))[1], np.int64)


def _measured_reach(surface: Surface, target: Mesh, extent: float) -> float:
    """Twice the distance within which nearly all of the target lies; at least half a percent of the source's size."""
    from nodes.mesh._bvh import nearest

    centres = target.vertices[target.faces].mean(axis=1)
    points = np.concatenate([target.vertices, centres])
    points = points[:: max(1, len(points) // 20_000)]
    gap = nearest(surface.tree, points)[1][:, 0]
    return float(np.clip(2 * np.quantile(gap, 0.99), 0.005 * extent, 0.2 * extent))


def pictures_of(run: Run, baked: Baked, finish: Finish, groups: int = 0) -> dict[str, Image]:
    """The maps with their empty part filled, as pictures; ``baked`` is used up."""
    run.progress(0.9, "margins")
    edge, pictures = Edge(baked.filled, finish.margin, run.check), {}
    for done, name in enumerate(list(baked.maps), 1):
        run.progress(0.9 + 0.1 * done / (len(baked.maps) + 1), "margins")
        values = baked.maps.pop(name)
        edge.fill(values, channels_of(name), finish.empty, mix=name != "ids")
        for first in range(0, len(values), ROWS):
            _encode(name, values[first : first + ROWS], name in finish.srgb, groups)
        pictures[name] = Image(values, "srgb" if name in finish.srgb or name == "ids" else "data")
    return pictures


def _encode(name: str, rows: Array, srgb: bool, groups: int) -> None:
    """From the numbers of a map to 0..1 as pictures hold them, in place; (R, S, 4)."""
    if name in VECTORS:
        length = np.linalg.norm(rows[..., :3], axis=2, keepdims=True)
        up = np.array((0, 0, 1), np.float32)
        rows[..., :3] = np.where(length > 1e-6, rows[..., :3] / np.maximum(length, 1e-6), up) / 2 + 0.5
    elif name == "ids":
        rows[..., :3] = distinct_colours(max(groups, 1))[rows[..., 0].astype(np.int64)]
    elif channels_of(name) == 1:
        rows[..., 1:3] = rows[..., :1]
    if srgb:
        rows[..., :3] = to_srgb(np.clip(rows[..., :3], 0, 1))
    np.clip(rows, 0, 1, out=rows)


def linear_pixels(image: Image) -> Array:
    """(H, W, 4) float32, linear."""
    if image.space == "data":
        return image.pixels
    return np.ascontiguousarray(np.concatenate([to_linear(image.rgb), image.pixels[..., 3:]], axis=-1))

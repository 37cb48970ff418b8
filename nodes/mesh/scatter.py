"""Scatter copies of meshes over a surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Mask, Mesh, PointCloud, Run, Scene, Seed, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound, need_uv
from nodes.mesh._copies import Array, Spots, copied, need_room
from nodes.mesh._one_material import under_one
from nodes.mesh._planted import planted
from nodes.mesh._sprinkle import Dots, Wanted, sprinkled
from nodes.mesh.join import stacked

Share = Slider(0, 1, step=0.01, help="How often this kind is taken, against the other kinds.", advanced=True)
Angle = Slider(0, 180, step=1, unit="°", help="Steeper than this only.", advanced=True)


class Scattered(NamedTuple):
    """``mesh``: ground and copies as one mesh. ``scene``: the same as instances, each kind stored once. ``points``:
    where the copies stand, with the direction they stand in."""

    mesh: Mesh
    scene: Scene
    points: PointCloud


@node("mesh.scatter", title="Scatter", group="Place and arrange", version=2)
def scatter(
    run: Run,
    ground: Mesh,
    thing: Mesh,
    thing_2: Mesh | None = None,
    thing_3: Mesh | None = None,
    thing_4: Mesh | None = None,
    mask: Mask | None = None,
    amount: Annotated[Literal["count", "density"], Setting(help="Which of the next two numbers counts.")] = "count",
    count: Annotated[int, Slider(1, 100_000, log=True)] = 100,
    density: Annotated[float, Slider(0.0001, 10_000, log=True, unit="/m²")] = 10.0,
    spread: Annotated[
        Literal["even", "random"], Setting(help="even: no clumps and no gaps. random: as chance has it.")
    ] = "even",
    distance: Annotated[float, Slider(0, 100, unit="m", help="No two copies stand nearer than this.")] = 0.0,
    seed: Annotated[int, Seed()] = 0,
    upright: Annotated[
        float, Slider(0, 1, step=0.01, help="1: straight up, as trees. 0: away from the surface, as fur.")
    ] = 1.0,
    turn: Annotated[
        float, Slider(0, 360, step=1, unit="°", help="Random turn about the direction they stand in.")
    ] = 360.0,
    tilt: Annotated[float, Slider(0, 90, step=1, unit="°", help="Random lean, up to this.", advanced=True)] = 0.0,
    smallest: Annotated[float, Slider(0.01, 10, log=True, help="Random size, from this factor.")] = 0.8,
    largest: Annotated[float, Slider(0.01, 10, log=True, help="Random size, to this factor.")] = 1.2,
    flattest: Annotated[float, Angle] = 0.0,
    steepest: Annotated[float, Slider(0, 180, step=1, unit="°", help="90: walls too. 180: undersides too.")] = 180.0,
    colour: Annotated[
        Literal["none", "red", "green", "blue", "alpha"],
        Setting(help="This channel of the ground's vertex colours says how dense they stand.", advanced=True),
    ] = "none",
    sink: Annotated[float, Slider(-2, 2, unit="m", help="How deep they stand in the ground.")] = 0.0,
    stand: Annotated[
        Literal["base", "origin"],
        Setting(help="What touches the ground: the middle of the underside, or the origin of the mesh.", advanced=True),
    ] = "base",
    share: Annotated[float, Share] = 1.0,
    share_2: Annotated[float, Share] = 1.0,
    share_3: Annotated[float, Share] = 1.0,
    share_4: Annotated[float, Share] = 1.0,
    keep_ground: Annotated[bool, Setting(help="The ground is part of the mesh and the scene.")] = True,
) -> Scattered:
    """Place copies of up to four kinds of things over a surface at random, the same for the same seed.

    A mask lies on the UVs of the ground: white is as dense as asked, black is bare. A copy is a part (face group) of
    its own. Even spreading is after Yuksel 2015.
    """
    run.progress(0.0, "checking")
    given = ((thing, share), (thing_2, share_2), (thing_3, share_3), (thing_4, share_4))
    kinds = [(mesh, part) for mesh, part in given if mesh is not None]
    for mesh, which in [(ground, "ground"), *((mesh, "thing") for mesh, _ in kinds)]:
        need_sound(mesh, which)
        need_size(mesh, which)
    if not sum(part for _, part in kinds) > 0:
        raise BadInput("All shares are 0.", "Give at least one kind a share above 0.")
    if mask is not None:
        need_uv(ground, "ground")
    if colour != "none" and ground.colours is None:
        raise BadInput("The ground has no vertex colours.", "Set Colour to none, or connect a ground with colours.")
    where, what, how = (np.random.default_rng([seed, k]) for k in range(3))
    chance = _Chance(ground, mask, "rgba".find(colour[0]) if colour != "none" else -1)
    asked = (count if amount == "count" else 0, density, distance, spread == "even", (flattest, steepest))
    dots = sprinkled(run, ground, Wanted(*asked, chance), where)
    many, weights = len(dots.at), np.array([part for _, part in kinds])
    if not many:
        raise BadInput("Not one copy found a place.", "Allow more slopes, or paint more of the mask white.")
    kind = what.choice(len(kinds), many, p=weights / weights.sum())
    low, high = sorted((smallest, largest))
    spots, up = planted(ground, dots, upright, (turn, tilt, low, high), sink, how)
    return _built(run, ground if keep_ground else None, [m for m, _ in kinds], kind, spots, up, stand == "base")


class _Chance:
    """How likely a point of the ground is to be taken, by the mask and by a channel of the vertex colours."""

    def __init__(self, ground: Mesh, mask: Mask | None, channel: int) -> None:
        self.ground, self.channel = ground, channel
        self.mask = None if mask is None else np.nan_to_num(np.ascontiguousarray(mask.values[..., None]))

    def __call__(self, dots: Dots) -> Array:
        chance = np.ones(len(dots.at))
        if self.mask is not None and self.ground.uv is not None:
            from nodes.texture._loops import look_up

            uv, texel = dots.value(self.ground, self.ground.uv), 0.5 / np.array(self.mask.shape[1::-1])
            inside = (uv >= 0) & (uv <= 1)
            chance *= look_up(self.mask, np.where(inside, np.clip(uv, texel, 1 - texel), uv))[:, 0]
        if self.channel >= 0 and self.ground.colours is not None:
            chance *= dots.value(self.ground, self.ground.colours)[:, self.channel]
        return np.clip(chance, 0, 1)


def _built(
    run: Run, ground: Mesh | None, kinds: list[Mesh], kind: Array, spots: Spots, up: Array, base: bool
) -> Scattered:
    many = np.bincount(kind, minlength=len(kinds))
    total = sum(int(n) * len(mesh.faces) for n, mesh in zip(many, kinds, strict=True))
    need_room(1, total + (len(ground.faces) if ground else 0))
    kinds = [_footed(mesh) if base else mesh for mesh in kinds]
    some = [k for k in range(len(kinds)) if many[k]]
    sorts = [spots.only(kind == k) for k in some]
    given = [kinds[k] for k in some] + ([ground] if ground else [])
    alike = under_one(given, run.warn)
    copies = [copied(run, mesh, own) for mesh, own in zip(alike, sorts, strict=False)]
    run.progress(0.9, "joining")
    mesh = stacked([*alike[len(some) :], *copies])
    scene = _scene(ground, [kinds[k] for k in some], sorts)
    points = PointCloud(spots.moves.astype(np.float32), normals=up.astype(np.float32))
    return Scattered(replace(mesh, name="scatter"), scene, points)


def _footed(mesh: Mesh) -> Mesh:
    """With the middle of its underside at the origin."""
    low, high = (corner.astype(np.float64) for corner in mesh.bounds)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return replace(mesh, vertices=(mesh.vertices - foot).astype(np.float32))


def _scene(ground: Mesh | None, kinds: list[Mesh], sorts: list[Spots]) -> Scene:
    """The ground, and under an empty for each kind its copies as instances."""
    names, places, parents = [], [np.zeros((0, 4, 4))], [np.zeros(0, int)]
    parts: list[tuple[int, ...]] = []
    if ground is not None:
        names, parts, places, parents = [ground.name], [(0,)], [np.eye(4)[None]], [np.array([-1])]
    for number, (mesh, spots) in enumerate(zip(kinds, sorts, strict=True), len(names)):
        empty = len(names)
        names += [f"{mesh.name} copies", *(f"{mesh.name} {k + 1}" for k in range(len(spots)))]
        parts += [(), *[(number,)] * len(spots)]
        places += [np.eye(4)[None], spots.matrices()]
        parents += [np.array([-1]), np.full(len(spots), empty)]
    meshes = (*([ground] if ground is not None else []), *kinds)
    at = np.concatenate(places).astype(np.float32)
    return Scene(meshes, tuple(names), tuple(parts), at, np.concatenate(parents).astype(np.int32), name="scatter")

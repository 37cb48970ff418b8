"""Let it fall and see."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from app.engine import Mesh, Pictures, Report, Run, Seed, Slider, node
from nodes.mesh._topology import diagonal
from nodes.physics._body import Body, body_of
from nodes.physics._drop import Fall, Thing, fall, random_turns, world
from nodes.physics._film import film
from nodes.physics._stable import Sides, sides_of
from nodes.physics._stand import footing, placed, turn_down, way
from nodes.physics.stands import Filled

Rows = list[tuple[str, str | int | float | bool]]
NEAR = 1.5
UPRIGHT = 3.0


class Dropped(NamedTuple):
    """The mesh as it came to rest on the floor, pictures of its way there, and the findings."""

    mesh: Mesh
    film: Pictures
    report: Report


@node("physics.drop_test", title="Drop test")
def drop_test(
    run: Run,
    mesh: Mesh,
    height: Annotated[float, Slider(0, 5, step=0.01, unit="of size", help="Between the floor and the mesh.")] = 0.1,
    tilt: Annotated[float, Slider(0, 180, unit="°", help="How far it is tilted before it is let go.")] = 5.0,
    towards: Annotated[
        float, Slider(-180, 180, unit="°", help="Where its top is tilted to: 0 front, 90 right, -90 left, 180 back.")
    ] = 0.0,
    fill: Filled = "solid",
    friction: Annotated[float, Slider(0.05, 2, step=0.05, help="With the floor: 0.2 ice, 0.6 wood, 1 rubber.")] = 0.6,
    frames: Annotated[int, Slider(2, 64, help="Pictures, at even times.")] = 8,
    size: Annotated[int, Slider(32, 1024, log=True, unit="px", help="Side of a picture.")] = 256,
    throws: Annotated[
        int, Slider(0, 500, help="More throws, in random orientations: on which sides does it come to rest?")
    ] = 0,
    seed: Annotated[int, Seed(help="Decides the random orientations.")] = 0,
) -> Dropped:
    """A rigid body is let go above a floor: whether it stands, where it tips, and how it comes to lie.

    The simulation is MuJoCo's; contact is slightly soft and does not bounce. What it rests on is compared with what
    geometry says in Will it stand?; a pose that lies within 1.5° of such a side is laid flush on it.
    """
    run.progress(0.0, "mass")
    body = body_of(run, mesh, fill=fill)
    used = mesh.vertices[np.unique(mesh.faces)]
    sides = sides_of(used, body.centre)
    thing = Thing.of(used, body.centre, body.mass, body.inertia)
    run.progress(0.1, "building the scene")
    model = world(thing, friction)
    way_down = fall(model, thing, _tilted(tilt, towards), height * thing.size,
                    lambda done: run.progress(0.1 + 0.3 * done, "falling"))  # fmt: skip
    if way_down.settled is None:
        run.warn("It had not come to rest when the simulation ended; it may roll on.")
    rows = _rows(way_down, body, sides, used, diagonal(mesh))
    rows += _throws(run, model, thing, sides, throws, seed)
    pictures = film(mesh, body.centre, way_down, frames, size, lambda done: run.progress(0.7 + 0.3 * done, "pictures"))
    resting = placed(mesh, _flush(way_down.turns[-1], sides), body.centre)
    report = Report(f"Drop test of {mesh.name}", tuple(rows), _verdict(way_down))
    return Dropped(resting, Pictures(pictures), report)


def _tilted(degrees: float, towards: float) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    angle = np.radians(towards)
    axis = np.array([np.cos(angle), 0.0, -np.sin(angle)])
    return np.asarray(Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix())


def _down(turn: np.ndarray) -> np.ndarray:
    """The direction of the mesh that points to the floor after the turn."""
    return np.asarray(turn.T @ np.array([0.0, -1.0, 0.0]))


def _nearest(turn: np.ndarray, sides: Sides) -> tuple[int, float]:
    """(the side that the body lies on, degrees that it is off): of the near ones the one that looks down most."""
    cosine = sides.normal @ _down(turn)
    side = int(np.where(sides.margin >= 0, cosine, -2).argmax())
    return side, float(np.degrees(np.arccos(np.clip(cosine[side], -1, 1))))


def _flush(turn: np.ndarray, sides: Sides) -> np.ndarray:
    side, off = _nearest(turn, sides)
    return np.asarray(turn_down(turn @ sides.normal[side]) @ turn) if off <= NEAR else turn


def _leaning(down: Fall) -> tuple[float, np.ndarray]:
    """(degrees between the mesh's upright axis and the vertical at rest, where its top points)."""
    up = down.turns[-1][:, 1]
    return float(np.degrees(np.arccos(np.clip(up[1], -1, 1)))), up


def _rows(down: Fall, body: Body, sides: Sides, used: np.ndarray, size: float) -> Rows:
    side, off = _nearest(down.turns[-1], sides)
    degrees, up = _leaning(down)
    now = footing(used, body.centre, 5e-4 * size)
    moved = float(np.linalg.norm(down.places[-1, [0, 2]]))
    rows: Rows = [
        ("comes to rest", down.settled is not None),
        ("settles after (s)", float(down.times[-1]) if down.settled is None else down.settled),
        ("stands upright", degrees <= UPRIGHT),
        ("leans at rest (°)", degrees),
    ]
    if degrees > UPRIGHT:
        words, towards = way(up)
        rows += [("top points", words), ("top points towards (°, 0 front, 90 right)", towards)]
    normal = " ".join(f"{v + 0.0:.4f}" for v in sides.normal[side])
    return [
        *rows,
        ("moved along the floor (m)", moved),
        ("side that lies down", normal),
        ("off the side that geometry says (°)", off),
        ("tilt that it holds there (°)", float(sides.tip[side])),
        ("tilt that it holds upright (°)", max(0.0, now.tip)),
    ]


def _throws(run: Run, model: object, thing: Thing, sides: Sides, throws: int, seed: int) -> Rows:
    if not throws:
        return []
    landed: dict[int, int] = {}
    restless = 0
    for number, turn in enumerate(random_turns(throws, seed)):
        run.progress(0.4 + 0.3 * number / throws, f"throw {number + 1} of {throws}")
        one = fall(model, thing, turn, 0.02 * thing.size, lambda _: run.check())
        restless += one.settled is None
        if one.settled is not None:
            side, _ = _nearest(one.turns[-1], sides)
            landed[side] = landed.get(side, 0) + 1
    chance = np.bincount(sides.rests(0.0), sides.share, minlength=len(sides.share))
    rows: Rows = [("throws", throws), ("throws that did not come to rest", restless)]
    for number, side in enumerate(sorted(landed, key=lambda s: (-landed[s], s))[:10], start=1):
        normal = " ".join(f"{v + 0.0:.4f}" for v in sides.normal[side])
        rows += [
            (f"throws, side {number}", normal),
            (f"throws, side {number}: share", landed[side] / throws),
            (f"throws, side {number}: probability by geometry", float(chance[side])),
        ]
    return rows


def _verdict(down: Fall) -> str:
    degrees, up = _leaning(down)
    if down.settled is None:
        return "It does not come to rest: it rolls on."
    if degrees <= UPRIGHT:
        return f"It stands, {down.settled:.2f} s after it was let go."
    words, _ = way(up)
    if degrees > 170:
        return f"It lies upside down, {down.settled:.2f} s after it was let go."
    return f"It tips over: its top points {words}, {down.settled:.2f} s after it was let go."

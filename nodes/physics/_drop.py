"""A rigid body let go above a floor, by MuJoCo (Todorov, Erez and Tassa 2012, Apache-2.0).

On a flat floor only the convex hull of a body can touch, so the hull is all that collides; mass and inertia are those
of the body itself. Everything is scaled to a body of size 1 and mass 1: falling and tipping only change their tempo
with size, by the square root of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STEP_S = 0.002
KEPT_EVERY = 10
LONGEST_S = 30.0
QUIET = 50
STILL, STILL_TURN = 1e-3, 1e-6
ROLLING = 2e-4
MOST_CORNERS = 1500
FLOOR = """<mujoco><option gravity="0 -9.81 0"/><worldbody>
<geom type="plane" size="100 100 1" quat="0.70710678118654757 -0.70710678118654757 0 0"/></worldbody></mujoco>"""


@dataclass(frozen=True)
class Thing:
    """``points``: (N, 3) metres about the centre of mass, the corners of the hull. ``size``: metres. ``inertia``:
    (3, 3) in units of mass times size squared."""

    points: Array
    size: float
    inertia: Array

    @classmethod
    def of(cls, vertices: Array, centre: Array, mass: float, inertia: Array) -> Thing:
        from scipy.spatial import ConvexHull

        at = np.unique(vertices, axis=0).astype(np.float64) - centre
        size = float(np.linalg.norm(np.ptp(at, axis=0)))
        at = at[ConvexHull(at).vertices]
        return cls(at, size, inertia / (mass * size**2))


@dataclass(frozen=True)
class Fall:
    """``times``: (K,) s. ``places``: (K, 3) metres, of the centre of mass. ``turns``: (K, 3, 3) rotations from how
    the mesh stands. ``settled``: s until it came to rest, or None."""

    times: Array
    places: Array
    turns: Array
    settled: float | None


def world(thing: Thing, friction: float) -> Any:
    """The compiled scene."""
    import mujoco

    spec = mujoco.MjSpec.from_string(FLOOR)
    spec.option.timestep = STEP_S
    hull = spec.add_mesh(name="hull")
    hull.uservert = (_fewer(thing.points) / thing.size).ravel()
    hull.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
    body = spec.worldbody.add_body(name="body")
    body.add_freejoint()
    body.explicitinertial = True
    body.mass, body.ipos = 1.0, [0.0, 0.0, 0.0]
    i = thing.inertia
    body.fullinertia = [i[0, 0], i[1, 1], i[2, 2], i[0, 1], i[0, 2], i[1, 2]]
    grip = [friction, 0.005, ROLLING]
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="hull", friction=grip, condim=6, priority=1)
    return spec.compile()


def fall(model: Any, thing: Thing, turn: Array, height: float, told: Callable[[float], None]) -> Fall:
    """Let go, without speed, ``height`` metres above the floor, turned by the rotation ``turn``, until it is quiet.

    ``told``: called with the simulated share of the longest time, several times a second.
    """
    import mujoco

    data = mujoco.MjData(model)
    low = float((thing.points @ turn.T)[:, 1].min())
    data.qpos[:3] = 0.0, (height - low) / thing.size, 0.0
    mujoco.mju_mat2Quat(data.qpos[3:7], np.ascontiguousarray(turn).ravel())
    kept: list[tuple[float, Array]] = []
    steps = int(LONGEST_S / STEP_S)
    settled = None
    for step in range(steps):
        if step % KEPT_EVERY == 0:
            kept.append((data.time, data.qpos.copy()))
            if _still(kept[-QUIET - 1 :]):
                settled = kept[-QUIET - 1][0]
                break
        if step % 250 == 0:
            told(step / steps)
        mujoco.mj_step(model, data)
    kept.append((data.time, data.qpos.copy()))
    return _in_metres(kept, thing, settled)


def _still(kept: list[tuple[float, Array]]) -> bool:
    """Whether the body has kept its place within a thousandth of its size, and its turn within 0.2°, for a second.

    Speeds would not do: on a few points a simulated body never lies quite still.
    """
    if len(kept) <= QUIET:
        return False
    poses = np.stack([pose for _, pose in kept])
    turned = 1 - np.abs(poses[:, 3:] @ poses[-1, 3:])
    return bool(np.abs(poses[:, :3] - poses[-1, :3]).max() < STILL and turned.max() < STILL_TURN)


def _in_metres(kept: list[tuple[float, Array]], thing: Thing, settled: float | None) -> Fall:
    import mujoco

    tempo = np.sqrt(thing.size)
    turns = np.empty((len(kept), 9))
    for row, (_, pose) in zip(turns, kept, strict=True):
        mujoco.mju_quat2Mat(row, pose[3:7])
    times = np.array([time for time, _ in kept]) * tempo
    places = np.stack([pose[:3] for _, pose in kept]) * thing.size
    return Fall(times, places, turns.reshape(-1, 3, 3), None if settled is None else float(settled * tempo))


def _fewer(points: Array) -> Array:
    """Those that lie outermost in even directions, where there are very many."""
    if len(points) <= MOST_CORNERS:
        return points
    k = np.arange(MOST_CORNERS) + 0.5
    up, turn = 1 - 2 * k / MOST_CORNERS, k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - up**2)
    ways = np.stack([flat * np.cos(turn), up, flat * np.sin(turn)], axis=1)
    flat_floor = points[:, 1] <= points[:, 1].min() + 1e-4 * np.ptp(points[:, 1])
    return np.asarray(points[np.union1d(np.flatnonzero(flat_floor), (points @ ways.T).argmax(axis=0))])


def random_turns(count: int, seed: int) -> Array:
    """(count, 3, 3) rotations, all orientations alike likely (Shoemake 1992)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.random(count, rng=np.random.default_rng(seed)).as_matrix()).reshape(-1, 3, 3)

"""Does it stand, where does it tip, and on which sides can it rest?"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Mesh, Number, Report, Run, Setting, Slider, node
from nodes.mesh._topology import diagonal
from nodes.physics._body import Fill, body_of
from nodes.physics._stable import Sides, sides_of
from nodes.physics._stand import Footing, footing, placed, turn_down, way

Rows = list[tuple[str, str | int | float | bool]]
Put = Literal["as it falls", "most likely", "firmest", "as it is"]
Filled = Annotated[
    Fill, Setting(help="solid: a closed mesh, full. shell: its weight lies along the surface; it may be open.")
]
Least = Annotated[
    float, Slider(0, 45, step=0.1, unit="°", help="A pose stands when it holds this much tilt of the floor.")
]
Touch = Annotated[
    float, Slider(0, 5, step=0.01, unit="% of size", help="What lies no higher above the lowest point stands.")
]  # fmt: skip


class Standing(NamedTuple):
    """The mesh on the floor, the findings, the tilt in degrees that it holds as it is put down, 0 when it falls."""

    mesh: Mesh
    report: Report
    tilt: Number


@node("physics.stands", title="Will it stand?")
def stands(
    run: Run,
    mesh: Mesh,
    put: Annotated[
        Put,
        Setting(
            help="How the result lies on the floor. as it falls: where it comes to rest from how it stands now. most "
            "likely: where it rests most often when dropped. firmest: where it holds the most tilt."
        ),
    ] = "as it falls",
    fill: Filled = "solid",
    least_tilt: Least = 1.0,
    touch: Touch = 0.05,
    poses: Annotated[int, Slider(1, 50, help="So many poses at most are listed, the likeliest first.")] = 6,
) -> Standing:
    """Whether a rigid body stands on level ground, how far and where it tips, and all poses in which it can rest.

    A pose is a flat side of the convex hull above which the centre of mass lies. Its probability is that of coming to
    rest there when let down without speed in any orientation, rolling over edges while it falls (Goldberg and others
    1999). The directions: front is +Z, right is +X.
    """
    run.progress(0.0, "mass")
    body = body_of(run, mesh, fill=fill)
    used = mesh.vertices[np.unique(mesh.faces)]
    run.progress(0.3, "footprint")
    now = footing(used, body.centre, touch / 100 * diagonal(mesh))
    run.progress(0.4, "hull")
    sides = sides_of(used, body.centre)
    ends = sides.rests(least_tilt)
    chance = np.bincount(ends, sides.share, minlength=len(ends))
    run.progress(0.8, "poses")
    firm = np.flatnonzero((chance > 0) & (sides.tip >= least_tilt))
    stays = now.stands(least_tilt)
    fallen = int(ends[sides.landed(np.array([0.0, -1.0, 0.0]))])
    rows = [*_now(now, stays, least_tilt), *_listed(sides, chance, firm, poses)]
    if not stays:
        rows.append(("comes to rest on pose", _number_of(fallen, chance, firm)))
    report = Report(f"Standing of {mesh.name}", tuple(rows), _verdict(now, stays, firm))
    pose = _chosen(put, fallen, chance, firm, sides)
    turn = np.eye(3) if put == "as it is" or (put == "as it falls" and stays) else turn_down(sides.normal[pose])
    return Standing(placed(mesh, turn, body.centre), report, Number(max(0.0, now.tip)))


def _chosen(put: Put, fallen: int, chance: np.ndarray, firm: np.ndarray, sides: Sides) -> int:
    if put == "most likely" and len(firm):
        return int(firm[chance[firm].argmax()])
    if put == "firmest" and len(firm):
        return int(firm[sides.tip[firm].argmax()])
    return fallen


def _order(chance: np.ndarray, firm: np.ndarray) -> np.ndarray:
    return np.asarray(firm[np.argsort(-np.round(chance[firm], 9), kind="stable")])


def _number_of(pose: int, chance: np.ndarray, firm: np.ndarray) -> int | str:
    place = np.flatnonzero(_order(chance, firm) == pose)
    return int(place[0]) + 1 if len(place) else "none: it keeps rolling"


def _now(now: Footing, stays: bool, least: float) -> Rows:
    words, degrees = way(now.out)
    return [
        ("stands as it is", stays),
        ("tilt it holds (°)", max(0.0, now.tip)),
        ("tilt asked for (°)", least),
        ("tips first", words),
        ("tips towards (°, 0 front, 90 right)", degrees),
        ("centre of mass above the floor (m)", now.height),
        ("from its foot to the edge (m)", now.margin),
    ]


def _listed(sides: Sides, chance: np.ndarray, firm: np.ndarray, poses: int) -> Rows:
    rows: Rows = [("poses that stand", len(firm)), ("share that comes to rest firmly", float(chance[firm].sum()))]
    for number, pose in enumerate(_order(chance, firm)[:poses], start=1):
        normal = " ".join(f"{v + 0.0:.4f}" for v in sides.normal[pose])
        rows += [
            (f"pose {number}: probability", float(chance[pose])),
            (f"pose {number}: tilt it holds (°)", float(sides.tip[pose])),
            (f"pose {number}: side that lies down", normal),
            (f"pose {number}: centre of mass (m)", float(sides.height[pose])),
        ]
    return rows


def _verdict(now: Footing, stays: bool, firm: np.ndarray) -> str:
    words, _ = way(now.out)
    if stays:
        return f"It stands, and tips {words} when tilted by more than {now.tip:.1f}°."
    if not len(firm):
        return "It stands on no side: it rolls."
    how = "falls" if now.margin <= 0 else f"holds only {now.tip:.1f}° of tilt: it tips"
    return f"It {how} {words}. It can rest on {len(firm):,} sides."

"""Solids with a flat outline: wedge, stairs, gear, star. Closed, with hard edges, centred at the origin, +Y up."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from app.engine import BadInput, Mesh, Slider, node
from nodes.mesh._extrude import Bevel, extruded, widest
from nodes.mesh._sheet import Array, as_mesh

Size = Slider(0.001, 1000, log=True, unit="m")
Edge = Slider(0, 1, unit="m", help="How far the edges of front and back are cut off or rounded.")
Steps = Slider(1, 16, help="1: edges are cut off flat. More: they are rounded.")
SIDEWAYS = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
ORIGIN = (0.0, 0.0)
PRESSURE = np.radians(20)
FLANK = np.linspace(0, 1, 8)


@node("mesh.wedge", title="Wedge", group="Primitives")
def wedge(
    width: Annotated[float, Size] = 1.0,
    height: Annotated[float, Size] = 0.5,
    depth: Annotated[float, Size] = 1.0,
) -> Mesh:
    """A ramp that rises from the front to the back."""
    return _upright("wedge", np.array([[0, 0], [depth, 0], [depth, height]]), width)


@node("mesh.stairs", title="Stairs", group="Primitives")
def stairs(
    steps: Annotated[int, Slider(1, 500, log=True)] = 10,
    width: Annotated[float, Size] = 1.0,
    height: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Of all steps together.")] = 1.75,
    depth: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Of all steps together.")] = 2.8,
    thickness: Annotated[
        float,
        Slider(0, 100, unit="m", help="From the underside straight up to the inner corners. 0: solid to the floor."),
    ] = 0.0,
) -> Mesh:
    """A straight flight of stairs that climbs from the front to the back."""
    rise, going = height / steps, depth / steps
    if thickness >= height:
        raise BadInput(f"Stairs of {height:g} m cannot be {thickness:g} m thick.", "Make the thickness smaller, or 0.")
    number = np.arange(steps)
    tread = np.stack([number * going, (number + 1) * rise], axis=1)
    nose = np.stack([(number + 1) * going, (number + 1) * rise], axis=1)
    zigzag = np.stack([tread, nose], axis=1).reshape(-1, 2)
    foot = [[thickness * going / rise, 0]] if thickness else [[depth, 0]]
    end = [[depth, height - thickness]] if thickness else []
    return _upright("stairs", np.array([[0, 0], *foot, *end, *zigzag[::-1].tolist()]), width)


@node("mesh.gear", title="Gear", group="Primitives")
def gear(
    teeth: Annotated[int, Slider(4, 400, log=True, help="Gears fit whose radius divided by teeth + 2 is equal.")] = 16,
    radius: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="To the tips of the teeth.")] = 0.5,
    thickness: Annotated[float, Size] = 0.2,
    hole: Annotated[float, Slider(0, 1000, unit="m", help="Radius of the hole in the middle. 0: none.")] = 0.1,
    bevel: Annotated[float, Edge] = 0.0,
    bevel_steps: Annotated[int, Steps] = 1,
    backlash: Annotated[
        float, Slider(0, 0.5, step=0.01, help="Play: teeth thinner by this share of their width.")
    ] = 0.0,
) -> Mesh:
    """A spur gear with involute teeth of 20 degrees, as ISO 53 has them, facing the viewer."""
    outline = _gear_outline(teeth, backlash)
    inner = float(np.linalg.norm(outline, axis=1).min())
    if hole / radius >= 0.98 * inner:
        raise BadInput(
            f"A hole of {hole:g} m leaves nothing below the teeth.", f"Use less than {inner * radius:.3g} m."
        )
    rings = [outline]
    if hole > 0:
        turn = -np.arange(96) * (2 * np.pi / 96)
        rings.append(np.stack([np.cos(turn), np.sin(turn)], axis=1) * hole / radius)
    return _cut_out("gear", rings, radius, thickness, bevel, bevel_steps)


@node("mesh.star", title="Star", group="Primitives")
def star(
    points: Annotated[int, Slider(3, 200, log=True)] = 5,
    radius: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="To the tips.")] = 0.5,
    inner: Annotated[float, Slider(0.05, 1, step=0.01, help="Where the notches are, as a share of the radius.")] = 0.38,
    thickness: Annotated[float, Size] = 0.15,
    bevel: Annotated[float, Edge] = 0.0,
    bevel_steps: Annotated[int, Steps] = 1,
) -> Mesh:
    """A flat star, one tip up, facing the viewer."""
    turn = np.pi / 2 + np.arange(2 * points) * (np.pi / points)
    away = np.where(np.arange(2 * points) % 2, inner, 1.0)
    return _cut_out(
        "star", [np.stack([np.cos(turn), np.sin(turn)], axis=1) * away[:, None]], radius, thickness, bevel, bevel_steps
    )


def _gear_outline(teeth: int, backlash: float) -> Array:
    """(N, 2) counter-clockwise, tips at 1. Addendum 1 module, dedendum 1.25 modules."""
    module = 1 / (teeth / 2 + 1)
    pitch = module * teeth / 2
    base, root = pitch * np.cos(PRESSURE), pitch - 1.25 * module
    away = max(base, root) + FLANK * (1 - max(base, root))
    slant = np.arccos(np.minimum(base / away, 1))
    half = np.pi / (2 * teeth) * (1 - backlash) + np.tan(PRESSURE) - PRESSURE - (np.tan(slant) - slant)
    half = np.maximum(half, 1e-4)
    if root < base:
        away, half = np.append(root, away), np.append(half[0], half)
    angle = np.concatenate([-half, half[::-1]])
    away = np.concatenate([away, away[::-1]])
    turn = np.pi / 2 + np.arange(teeth)[:, None] * (2 * np.pi / teeth) + angle
    return np.asarray(np.stack([np.cos(turn) * away, np.sin(turn) * away], axis=2).reshape(-1, 2))


def _cut_out(name: str, rings: list[Array], size: float, thickness: float, bevel: float, steps: int) -> Mesh:
    """Rings of the size 1 as a plate of a thickness in metres."""
    shape, depth = _section(rings), thickness / size
    edge = Bevel(bevel / size, steps, True)
    if bevel and (bevel > 0.49 * thickness or widest(shape, edge.width) < edge.width):
        most = widest(shape, min(edge.width, 0.49 * depth)) * size
        raise BadInput(f"A bevel of {bevel:g} m does not fit.", f"Use at most {most:.3g} m.")
    return as_mesh([(extruded(shape, depth, edge), ORIGIN)], depth - 2 * edge.width, size, name)


def _upright(name: str, outline: Array, width: float) -> Mesh:
    """An outline of (to the back, up) in metres, ``width`` metres wide along X."""
    size = float(np.abs(outline).max())
    solid = extruded(_section([outline / size]), width / size, Bevel(0.0, 1, False))
    return as_mesh([(solid, ORIGIN)], width / size, size, name, True, SIDEWAYS)


def _section(rings: list[Array]) -> Any:
    from manifold3d import CrossSection

    return CrossSection([np.ascontiguousarray(ring, np.float64) for ring in rings])

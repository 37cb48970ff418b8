"""A mirrored copy of a mesh."""

from __future__ import annotations

from typing import Annotated, Literal

from app.engine import BadInput, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._halved import Mirror, doubled, half, reflected
from nodes.mesh._topology import diagonal

Axis = Literal["x", "y", "z"]
Where = Literal["origin", "middle", "low end", "high end"]
Cut = Literal["nothing", "negative side", "positive side"]

CROSSES = 0.02


@node("mesh.mirror", title="Mirror", group="Place and arrange", version=2)
def mirror(
    run: Run,
    mesh: Mesh,
    axis: Annotated[Axis, Setting(help="x: left and right change places. y: up and down. z: front and back.")] = "x",
    plane: Annotated[
        Where, Setting(help="Where the mirror stands: at the origin, or in the middle or at an end of the mesh.")
    ] = "origin",
    offset: Annotated[float, Slider(-100, 100, step=0.001, unit="m", help="Moves the mirror along the axis.")] = 0.0,
    join: Annotated[bool, Setting(help="The mesh and its mirror image as one. Off: the image alone.")] = True,
    cut: Annotated[Cut, Setting(help="Side of the mirror that is cut off first.")] = "nothing",
    weld: Annotated[
        float, Slider(0, 5, step=0.001, unit="% of size", help="What is nearer than this to the mirror lies on it.")
    ] = 0.01,
) -> Mesh:
    """Mirror a mesh, alone or joined with itself. Joined halves share their vertices on the mirror.

    Both sides are equal to the last bit. UVs of the copy lie on those of the mesh, so it wears the same texture; walls
    that lie in the mirror go, so that two closed halves become one closed body.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    number = "xyz".index(axis)
    low, high = (float(corner[number]) for corner in mesh.bounds)
    at = {"origin": 0.0, "middle": (low + high) / 2, "low end": low, "high end": high}[plane] + offset
    glass = Mirror.of(mesh, number, at)
    ready = glass.on_grid(mesh, weld / 100 * diagonal(mesh) if join or cut != "nothing" else 0.0)
    if cut != "nothing":
        run.progress(0.3, "cutting")
        ready = half(ready, glass, positive=cut == "negative side")
        if not len(ready.faces):
            raise BadInput(
                f"The whole mesh lies on the {cut} of the mirror.", "Cut the other side, or move the mirror."
            )
    elif join and min(at - low, high - at) > CROSSES * diagonal(mesh):
        run.warn("The mesh lies on both sides of the mirror, so it and its image run through each other: set 'cut'.")
    run.progress(0.6, "mirroring")
    result = doubled(ready, glass) if join else reflected(ready, glass)
    if not len(result.faces):
        raise BadInput("The whole mesh lies in the mirror.", "Move the mirror, or choose another axis.")
    return result

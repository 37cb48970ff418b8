"""The surface of a field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Field, Mesh, Run, Setting, Slider, node

Array = NDArray[Any]
FAR_OUT = 3e38


@node("mesh.from_field", title="Field to mesh", group="Reduce and remesh")
def from_field(
    run: Run,
    field: Field,
    level: Annotated[
        float, Slider(-1000, 1000, step=0.001, help="The surface lies where the field has this value.")
    ] = 0.0,
    inside: Annotated[
        Literal["below", "above"],
        Setting(help="below: for distances, which grow outward. above: for densities, which are high inside."),
    ] = "below",
    close: Annotated[bool, Setting(help="Put a lid on where the inside reaches the border of the field.")] = True,
    channel: Annotated[int, Slider(0, 63, help="Which value of each sample counts.", advanced=True)] = 0,
) -> Mesh:
    """The surface where a field crosses a value: welded, and closed when `close` is on.

    Marching cubes in the manner of flying edges. Samples that are not numbers count as outside.
    """
    run.progress(0.0, "reading the samples")
    far_out = np.float32(FAR_OUT if inside == "below" else -FAR_OUT)
    values, low, step = _samples(field, channel, far_out)
    told = f"its values go from {values.min():.3g} to {values.max():.3g}"
    if close:
        values, low = np.pad(values, 1, constant_values=far_out), low - step
    run.progress(0.2, "following the surface")
    from nodes.mesh._iso import normals, surface

    points, faces = surface(values, level, low, step, below=inside == "below")
    if not len(faces):
        raise BadInput(
            f"Nothing of the field is inside at the level {level:g}: {told}.", "Choose a level between these."
        )
    run.progress(0.8, "normals")
    return Mesh(points, faces, normals(points, faces), name="surface")


def _samples(field: Field, channel: int, outside: np.float32) -> tuple[Array, Array, Array]:
    """((X, Y, Z) float32 finite samples, (3,) place of the first, (3,) metres between two)."""
    shape = field.values.shape
    if min(shape[:3]) < 2:
        raise BadInput(
            "The field is too thin for a surface: it needs two samples along each axis.", "Use another field."
        )
    if channel >= shape[3]:
        raise BadInput(f"The field has {shape[3]} values for each sample, and no number {channel}.", "Lower 'channel'.")
    low, high = field.lower.astype(np.float64), field.upper.astype(np.float64)
    if not (np.isfinite([low, high]).all() and (high > low).all()):
        raise BadInput("The corners of the field are not in order.", "Check the node that made it.")
    values = field.values[..., channel]
    sound = np.isfinite(values)
    return values if sound.all() else np.where(sound, values, outside), low, (high - low) / (np.array(shape[:3]) - 1)

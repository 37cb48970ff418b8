"""Which way the surfaces in a depth map face."""

from __future__ import annotations

from typing import Annotated

from app.engine import Depth, Image, Run, Slider, node
from nodes.depth._maps import normal_image, normals_of, smoothed


@node("depth.normals", title="Normals from depth")
def normals(
    run: Run,
    depth: Depth,
    smooth: Annotated[
        float, Slider(0, 20, step=0.5, unit="px", help="Softens the depth first: hides the grain of estimates.")
    ] = 1.0,
) -> Image:
    """A normal map of what the camera saw, by geometry: no weights are needed.

    The directions are those of the camera: red to the right, green up, blue to the viewer (OpenGL, +Y). Where no depth
    is known, the map faces the viewer.
    """
    run.progress(0.0, "normals")
    return normal_image(normals_of(smoothed(depth, smooth)))

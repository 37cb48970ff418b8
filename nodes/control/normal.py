"""A normal map as the normal ControlNet expects it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Mask, Run, Setting, node
from nodes.depth._maps import normal_image
from nodes.image._pixels import check_finite, fitted_mask


@node("control.normal", title="Normal map")
def normal_map(
    run: Run,
    normals: Image,
    inside: Mask | None = None,
    red: Annotated[
        Literal["left", "right"], Setting(help="Where red faces in the result. Left: control_v11p_sd15_normalbae.")
    ] = "left",
) -> Image:
    """Turn a normal map (OpenGL: red right, green up, blue to the viewer) into ControlNet's colours.

    The normal model of ControlNet 1.1 was trained with red to the left, green up and blue to the front. Normals are
    made unit length; outside of a mask the map faces the viewer.
    """
    run.progress(0.0, "normals")
    check_finite(normals.pixels)
    vectors = normals.rgb * 2 - 1
    if inside is not None:
        vectors = vectors * (fitted_mask(inside, normals.size) > 0.5)[..., None]
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-3)
    return normal_image(unit, red_left=red == "left")

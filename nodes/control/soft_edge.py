"""Soft edges, strong where an object ends and weak where it only has texture."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Image, Run, Slider, node
from nodes.control._lines import on_white, ridges, soft_edges, unit


@node("control.soft_edge", title="Soft edges")
def soft_edge(
    run: Run,
    image: Image,
    strength: Annotated[float, Slider(0.1, 8, log=True, help="How bright edges become.")] = 1.0,
    dim_texture: Annotated[
        float, Slider(0, 1, help="1: what has no direction, such as grass and fur, is dimmed.")
    ] = 0.7,
    threshold: Annotated[float, Slider(0, 0.3, help="Weaker edges are left out.")] = 0.03,
    sharpness: Annotated[float, Slider(0, 1, help="0: wide and soft. 1: narrow.")] = 1.0,
) -> Image:
    """Soft white edges on black, for the soft-edge (HED) models of ControlNet. Needs no weights.

    This is a filter and no trained detector: contrast over three scales, dimmed where a texture has no direction. Use
    the output of a trained one where there is one; the maps look alike to the network.
    """
    run.progress(0.0, "edges")
    rgb = on_white(image)
    edges = soft_edges(rgb, dim_texture)
    run.progress(0.6, "crests")
    if sharpness > 0:
        edges = (1 - sharpness) * edges / 2 + sharpness * ridges(edges, 1.5 * unit(rgb))
    return Image.of(1 - np.exp(-8 * strength * np.maximum(edges - threshold, 0)))

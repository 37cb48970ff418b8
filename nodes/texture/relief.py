"""Normal maps from heights, heights from normal maps."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Number, Run, Setting, Slider, node
from nodes.image._pixels import check_finite
from nodes.image._tones import brightness
from nodes.texture._integrate import integrated, slopes_of
from nodes.texture._maps import normals_from_height
from nodes.texture._scaling import vectors

Green = Annotated[Literal["OpenGL", "DirectX"], Setting(help="Which way green points: up (OpenGL) or down (DirectX).")]
Tiles = Annotated[bool, Setting(help="The picture repeats: opposite borders join.")]


class Heights(NamedTuple):
    """``depth``: from the lowest to the highest point, in percent of the width."""

    height: Image
    depth: Number


@node("texture.normal_from_height", title="Normal from height", group="Normal and height")
def normal_from_height(
    run: Run,
    height: Image,
    depth: Annotated[float, Slider(0, 50, step=0.01, unit="% of width", help="Height between black and white.")] = 1.0,
    tiles: Tiles = False,
    bright_is: Annotated[Literal["raised", "sunk"], Setting(help="Whether white stands out or lies deep.")] = "raised",
    green: Green = "OpenGL",
) -> Image:
    """A tangent-space normal map from a height map, bump map or displacement."""
    run.progress(0.0, "normals")
    check_finite(height.pixels)
    level = brightness(height.rgb) if np.ptp(height.rgb, axis=2).max() > 1e-6 else height.rgb[..., 0]
    if bright_is == "sunk":
        level = 1 - level
    normal = normals_from_height(np.ascontiguousarray(level * np.float32(depth / 100 * height.size[0])), tiles)
    return _map(normal, height, green)


@node("texture.height_from_normal", title="Height from normal", group="Normal and height")
def height_from_normal(
    run: Run,
    normal: Image,
    depth: Annotated[
        float,
        Slider(
            0,
            50,
            step=0.01,
            unit="% of width",
            help="Height between black and white. 0: black is the lowest point and white the highest.",
        ),
    ] = 0.0,
    tiles: Tiles = False,
    green: Green = "OpenGL",
) -> Heights:
    """The height map that belongs to a tangent-space normal map, and how deep it is.

    Broad shapes come out as far as the normals tell them; steps that a normal map cannot show are not there.
    """  # fmt: skip
    run.progress(0.0, "slopes")
    check_finite(normal.pixels)
    vector = vectors(normal)
    if green == "DirectX":
        vector = vector * np.array((1, -1, 1), np.float32)
    cover = np.clip(normal.alpha, 0, 1)
    right, down = (slope * cover for slope in slopes_of(vector))
    run.progress(0.3, "adding them up")
    surface = integrated(right, down, tiles)
    low, high = float(surface.min()), float(surface.max())
    span = depth / 100 * normal.size[0] or high - low
    if depth and high - low > span * 1.001:
        run.warn(f"The relief is {100 * (high - low) / normal.size[0]:.3g} % of the width deep; what is beyond is cut.")
    middle = (low + high) / 2
    level = 0.5 + (surface - middle) / span if span > 1e-6 else np.full_like(surface, 0.5)
    return Heights(Image.of(level, "data"), Number(100 * span / normal.size[0]))


def _map(normal: np.ndarray, like: Image, green: str) -> Image:
    if green == "DirectX":
        normal = normal * np.array((1, -1, 1), np.float32)
    return Image.of(np.dstack([normal * 0.5 + 0.5, like.alpha]), "data")

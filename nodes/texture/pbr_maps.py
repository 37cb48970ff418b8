"""Guess the maps of a material from one picture of it, without any trained model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import check_finite, extend_colours, to_linear, to_srgb
from nodes.texture._maps import (
    de_lit,
    height_from_grey,
    normals_from_height,
    occlusion_from_height,
    roughness_from_colour,
)


class PbrMaps(NamedTuple):
    """``albedo``: sRGB. ``normal``: tangent space, OpenGL +Y. The others: grey data. All of the picture's size."""

    albedo: Image
    normal: Image
    height: Image
    roughness: Image
    occlusion: Image


@node("texture.pbr_maps", title="PBR maps", group="Material")
def pbr_maps(
    run: Run,
    image: Image,
    delight: Annotated[float, Slider(0, 1, help="How much broad light and shade is taken out of the colours.")] = 0.7,
    bright_is: Annotated[
        Literal["raised", "sunk"], Setting(help="Whether light places stand out or lie deep.")
    ] = "raised",
    depth: Annotated[float, Slider(0, 10, unit="% of width", help="Height between deepest and highest point.")] = 1.0,
    detail: Annotated[float, Slider(-1, 1, help="-1: broad shapes. 1: fine grain.")] = 0.0,
    contrast: Annotated[float, Slider(0.1, 4, log=True, help="How soon the height reaches its limits.")] = 1.0,
    roughness: Annotated[float, Slider(0, 1, help="Roughness of even places: 0 is a mirror, 1 is chalk.")] = 0.65,
    roughness_variation: Annotated[float, Slider(0, 1, help="How far busy and shiny places differ from it.")] = 0.5,
    occlusion: Annotated[float, Slider(0, 2, help="How dark crevices become.")] = 1.0,
    tiles: Annotated[bool, Setting(help="The picture repeats: its left and right, top and bottom edges join.")] = False,
) -> PbrMaps:
    """Albedo, normal, height, roughness and occlusion from one picture. These are guesses from light and dark.

    They look right on cloth, stone, wood and plaster seen straight on in even light; painted patterns turn into relief
    and shadows into pits, so keep the depth small there. See-through places stay flat and neutral.
    """
    check_finite(image.pixels)
    run.progress(0.05, "albedo")
    rgb, cover = np.clip(image.rgb, 0, 1), np.clip(image.alpha, 0, 1)
    rgb = _continued(rgb, cover)
    linear = to_linear(rgb) if image.space == "srgb" else rgb
    albedo = to_srgb(de_lit(linear, cover, delight, tiles))
    run.progress(0.3, "height")
    grey = albedo @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    high = height_from_grey(grey if bright_is == "raised" else 1 - grey, detail, contrast, tiles)
    high = _over(high, 0.5, cover)
    run.progress(0.5, "normal")
    raised = (high * np.float32(depth / 100 * image.size[0])).astype(np.float32)
    normal = 0.5 + 0.5 * normals_from_height(raised, tiles)
    run.progress(0.65, "occlusion")
    shade = np.clip(1 - occlusion * (1 - occlusion_from_height(raised, tiles)), 0, 1)
    run.progress(0.85, "roughness")
    rough = roughness_from_colour(albedo, roughness, roughness_variation, tiles)
    return PbrMaps(
        albedo=Image(np.ascontiguousarray(np.dstack([albedo, image.alpha]), np.float32)),
        normal=Image.of(_over(normal, (0.5, 0.5, 1.0), cover), "data"),
        height=Image.of(high, "data"),
        roughness=Image.of(_over(rough, roughness, cover), "data"),
        occlusion=Image.of(_over(shade, 1.0, cover), "data"),
    )


def _continued(rgb: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours carried out of the opaque part, so that what lies under transparent pixels leaves no halo."""
    if float(cover.min()) >= 1 or float(cover.max()) <= 0:
        return rgb
    return extend_colours(np.ascontiguousarray(rgb), (cover >= 0.98 * float(cover.max())).astype(np.float32))


def _over(values: NDArray[Any], neutral: float | tuple[float, ...], cover: NDArray[np.float32]) -> NDArray[Any]:
    weight = cover if values.ndim == 2 else cover[..., None]
    quiet = np.asarray(neutral, np.float32)
    return np.asarray(quiet + weight * (values - quiet), np.float32)

"""Another size for a texture."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import check_finite, check_size, fit_within
from nodes.texture._scaling import held, scaled, vectors, widened

Kind = Literal["colour", "normal", "roughness", "data"]
Side = Annotated[int, Slider(1, 16384, log=True, unit="px")]


@node("texture.resize", title="Resize texture", group="Paint", version=2)
def resize_texture(
    run: Run,
    image: Image,
    normal: Image | None = None,
    content: Annotated[
        Kind,
        Setting(
            help="colour: mixed as light. normal: stays of unit length. roughness: widened by the normal map, where "
            "one is linked. data: plain numbers."
        ),
    ] = "colour",
    to: Annotated[Literal["longest side", "exact size"], Setting(help="What decides the new size.")] = "longest side",
    longest_side: Annotated[int, Slider(1, 16384, log=True, unit="px", help="For longest side.")] = 1024,
    width: Side = 1024,
    height: Side = 1024,
    powers_of_two: Annotated[
        Literal["off", "nearest", "smaller", "larger"], Setting(help="Round both sides, as graphics cards like it.")
    ] = "off",
) -> Image:
    """Resize a map of a material by what it holds.

    Roughness with the normal map of the full size linked: bumps that vanish in the smaller map make the surface as
    much rougher as they spread its highlight, so that a far object neither sparkles nor turns to plastic.
    """  # fmt: skip
    run.progress(0.0, "resizing")
    check_finite(image.pixels)
    size = (width, height) if to == "exact size" else fit_within(image.size, longest_side)
    size = (_rounded(size[0], powers_of_two), _rounded(size[1], powers_of_two))
    check_size(*size)
    smaller = max(size) <= max(image.size)
    kind = "data" if content == "roughness" else held(image, content)
    pixels = scaled(image.pixels, size, kind, "area" if smaller or kind == "normal" else "lanczos")
    if content == "roughness" and normal is not None:
        check_finite(normal.pixels, "The normal map")
        rough = widened(pixels[..., 0], vectors(normal), size)
        pixels = np.dstack([rough, rough, rough, pixels[..., 3]])
    elif normal is not None:
        run.warn("The normal map counts for roughness only.")
    return Image(np.ascontiguousarray(pixels, np.float32), image.space if content == "colour" else "data")


def _rounded(side: int, how: str) -> int:
    if how == "off":
        return side
    power = float(np.log2(side))
    whole = {"nearest": round(power), "smaller": int(power), "larger": math.ceil(power)}[how]
    return int(2**whole)

"""The maps of a material as an engine reads them: named, packed, and with green its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from app.engine import Image, Material, Run
from nodes.image._pixels import fit_within
from nodes.io._credits import properties
from nodes.io._engines import Engine
from nodes.io._factors import times_factor
from nodes.io._write_pictures import levels, saved
from nodes.io.export_png import png_bytes
from nodes.texture._blocks import Blocks, compress, dds, format_for
from nodes.texture._scaling import Content, scaled
from nodes.texture.pack import channel, largest
from nodes.texture.pack_maps import EMPTY, LAYOUTS

Form = Literal["PNG", "TGA", "DDS"]
CONTENT: dict[str, Content] = {"base_colour": "colour", "emissive": "colour", "normal": "normal", "height": "data"}


class Picture(NamedTuple):
    """``word``: the map's name in the engine."""

    word: str
    image: Image
    content: Content


def pictures(material: Material, engine: Engine, longest: int) -> Iterator[Picture]:
    """Every map that there is, factors multiplied in, at most ``longest`` pixels a side (0: as it is)."""
    for name, word in engine.maps.items():
        image: Image | None = getattr(material, name)
        if image is None:
            continue
        pixels = times_factor(image.pixels, name, material).copy()
        if name == "normal" and engine.green_down:
            pixels[..., 1] = 1 - pixels[..., 1]
        if name != "base_colour" or material.alpha_mode == "opaque":
            pixels[..., 3] = 1
        yield Picture(word, _limited(Image(pixels, image.space), CONTENT[name], longest), CONTENT[name])
    word, layout = engine.packed
    if material.occlusion or material.roughness or material.metallic:
        yield Picture(word, packed(material, layout, longest), "data")


def packed(material: Material, layout: str, longest: int = 0) -> Image:
    """Occlusion, roughness and metallic in the order of ``layout``; a map that is missing is even, its factor."""
    maps = {"occlusion": material.occlusion, "roughness": material.roughness, "metallic": material.metallic}
    there = {
        name: Image(times_factor(image.pixels, name, material), "data")
        for name, image in maps.items()
        if image is not None
    }
    even = {**EMPTY, "roughness": material.roughness_factor, "metallic": material.metallic_factor}
    size = largest(list(there.values()))
    size = fit_within(size, longest) if 0 < longest < max(size) else size
    rows = []
    for name in LAYOUTS[layout]:
        if name == "smoothness":
            rows.append(channel(there.get("roughness"), "red", True, 1 - even["roughness"], size))
        else:
            rows.append(channel(there.get(name), "red", False, even[name], size))
    return Image(np.ascontiguousarray(np.stack(rows, axis=-1)), "data")


def encoded(run: Run, picture: Picture, form: Form) -> bytes:
    """8 bits a channel; DDS as BC7, normals as BC5, grey as BC4, with mipmaps. Alpha only where there is some."""
    image = picture.image
    if form == "DDS":
        return dds(_blocks(run, image, picture.content))
    clear = float(image.alpha.min()) < 1
    values = levels(image.pixels if clear else image.rgb, 255)
    colour = picture.content == "colour"
    if form == "TGA":
        return saved(values, "TGA", colour, compression="tga_rle")
    return png_bytes(values, colour, properties(run))


def _blocks(run: Run, image: Image, content: Content) -> Blocks:
    """With mipmaps."""
    return compress(image, content, format_for(image, content), True, lambda _: run.check())


def _limited(image: Image, content: Content, longest: int) -> Image:
    if not 0 < longest < max(image.size):
        return image
    return Image(scaled(image.pixels, fit_within(image.size, longest), content), image.space)

"""The maps of a material in the channels that an engine reads."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Run, Setting, node
from nodes.texture.pack import channel, largest

Layout = Literal[
    "ORM (glTF, Unreal, Godot)", "Mask map (Unity HDRP)", "Metallic smoothness (Unity URP)", "MRA", "ORM and height"
]
LAYOUTS: dict[str, tuple[str, str, str, str]] = {
    "ORM (glTF, Unreal, Godot)": ("occlusion", "roughness", "metallic", "one"),
    "Mask map (Unity HDRP)": ("metallic", "occlusion", "detail", "smoothness"),
    "Metallic smoothness (Unity URP)": ("metallic", "metallic", "metallic", "smoothness"),
    "MRA": ("metallic", "roughness", "occlusion", "one"),
    "ORM and height": ("occlusion", "roughness", "metallic", "height"),
}
EMPTY = {"occlusion": 1.0, "roughness": 1.0, "metallic": 0.0, "detail": 1.0, "height": 0.5, "one": 1.0}
Which = Annotated[Layout, Setting(help="The engine's order of red, green, blue and alpha.")]


class Maps(NamedTuple):
    """Grey data. What the layout does not hold is even: no occlusion, full roughness, no metal, height one half."""

    occlusion: Image
    roughness: Image
    metallic: Image
    height: Image
    detail: Image


@node("texture.pack_maps", title="Pack maps", group="Pack and compress")
def pack_maps(
    run: Run,
    roughness: Image,
    occlusion: Image | None = None,
    metallic: Image | None = None,
    height: Image | None = None,
    detail: Image | None = None,
    layout: Which = "ORM (glTF, Unreal, Godot)",
) -> Image:
    """One picture with a material's grey maps, in the order that an engine wants.

    Where the layout asks for smoothness, roughness is inverted. The red channel of each map counts. A map that is not
    linked is even: no occlusion, full roughness, no metal.
    """
    run.progress(0.0, "packing")
    maps = {"occlusion": occlusion, "roughness": roughness, "metallic": metallic, "height": height, "detail": detail}
    linked = {name: image for name, image in maps.items() if image is not None}
    order = LAYOUTS[layout]
    lost = [name for name in linked if name not in order and not (name == "roughness" and "smoothness" in order)]
    if lost:
        run.warn(f"This layout has no place for: {', '.join(lost)}.")
    size = largest(list(linked.values()))
    return Image(np.ascontiguousarray(np.stack([_filled(maps, name, size) for name in order], axis=-1)), "data")


def _filled(maps: dict[str, Image | None], name: str, size: tuple[int, int]) -> np.ndarray:
    if name == "smoothness":
        return channel(maps["roughness"], "red", True, 0.0, size)
    return channel(maps.get(name), "red", False, EMPTY[name], size)


@node("texture.unpack_maps", title="Unpack maps", group="Pack and compress")
def unpack_maps(run: Run, image: Image, layout: Which = "ORM (glTF, Unreal, Godot)") -> Maps:
    """The grey maps out of a packed picture; smoothness comes back as roughness."""
    run.progress(0.0, "unpacking")
    found: dict[str, np.ndarray] = {name: np.full(image.size[::-1], EMPTY[name], np.float32) for name in Maps._fields}
    sources: tuple[Literal["red", "green", "blue", "alpha"], ...] = ("red", "green", "blue", "alpha")
    for name, source in reversed(list(zip(LAYOUTS[layout], sources, strict=True))):
        if name != "one":
            values = channel(image, source, name == "smoothness", 0.0, image.size)
            found["roughness" if name == "smoothness" else name] = values
    return Maps(**{name: Image.of(values, "data") for name, values in found.items()})

"""Texture maps to 8-bit PNG or JPEG bytes, several at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material
from nodes.image._pixels import fit_within, resample
from nodes.texture._scaling import scaled

UInt8 = NDArray[np.uint8]
TextureSize = Literal["as they are", "4096", "2048", "1024", "512", "256"]


class Encoded(NamedTuple):
    """A picture file in memory. ``suffix``: ``.png`` or ``.jpg``."""

    data: bytes
    suffix: str

    @property
    def mime(self) -> str:
        return "image/png" if self.suffix == ".png" else "image/jpeg"


def longest_side(size: TextureSize) -> int:
    """The limit in pixels that the choice stands for; 0 means none."""
    return 0 if size == "as they are" else int(size)


def colour_bytes(image: Image, longest: int, alpha: bool, normal: bool = False) -> UInt8:
    """(H, W, 4) uint8, or (H, W, 3) without ``alpha`` or where the picture is opaque throughout.

    A picture that is too large shrinks as what it is: colours as light, a ``normal`` map as directions, else numbers.
    """
    pixels = image.pixels
    keep = alpha and float(pixels[..., 3].min()) < 254.5 / 255
    size = _limited(image.size, longest)
    if size != image.size:
        opaque = np.ones((*pixels.shape[:2], 1), np.float32)
        whole = pixels if keep else np.concatenate([pixels[..., :3], opaque], axis=2)
        pixels = scaled(whole, size, "normal" if normal else "colour" if image.space == "srgb" else "data")
    return to_bytes(pixels if keep else pixels[..., :3])


def grey_bytes(image: Image, longest: int) -> UInt8:
    """(H, W) uint8 of the red channel."""
    return to_bytes(resample(np.ascontiguousarray(image.pixels[..., 0]), _limited(image.size, longest)))


def orm_bytes(material: Material, longest: int) -> UInt8 | None:
    """Occlusion, roughness and metallic as the red, green and blue of one (H, W, 3) uint8 picture, as glTF wants it.

    A map that is missing is white, so that its factor stands alone. None when all three are missing.
    """
    maps = (material.occlusion, material.roughness, material.metallic)
    sizes = [image.size for image in maps if image is not None]
    if not sizes:
        return None
    size = _limited((max(w for w, _ in sizes), max(h for _, h in sizes)), longest)
    packed = np.full((size[1], size[0], 3), 255, np.uint8)
    for channel, image in enumerate(maps):
        if image is not None:
            packed[..., channel] = to_bytes(resample(np.ascontiguousarray(image.pixels[..., 0]), size))
    return packed


def to_bytes(values: NDArray[np.float32]) -> UInt8:
    """0..1 to 0..255, rounded; NaN becomes 0."""
    scaled = np.nan_to_num(values * np.float32(255), nan=0.0)
    result: UInt8 = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return result


def encode_all(pictures: Mapping[str, UInt8], jpeg: Mapping[str, int] | None = None) -> dict[str, Encoded]:
    """Encode uint8 pictures side by side. ``jpeg``: the quality (1..100) of those that become JPEG; alpha stays PNG."""
    quality = jpeg or {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        tasks = {name: pool.submit(_encode, pixels, quality.get(name, 0)) for name, pixels in pictures.items()}
        return {name: task.result() for name, task in tasks.items()}


def _encode(pixels: UInt8, quality: int) -> Encoded:
    from PIL import Image as Pictures

    out = io.BytesIO()
    picture = Pictures.fromarray(np.ascontiguousarray(pixels))
    if quality and picture.mode != "RGBA":
        picture.save(out, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
        return Encoded(out.getvalue(), ".jpg")
    options: dict[str, Any] = {"compress_level": 1}
    picture.save(out, "PNG", **options)
    return Encoded(out.getvalue(), ".png")


def _limited(size: tuple[int, int], longest: int) -> tuple[int, int]:
    return fit_within(size, longest) if 0 < longest < max(size) else size

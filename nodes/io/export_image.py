"""Write a picture in the format that its file name asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Image, Mask, Run, SaveFile, Setting, Slider, node
from nodes.image._pixels import Float32, check_finite, fitted_mask, to_linear
from nodes.io._credits import CreditsFile, properties, texts, with_credits
from nodes.io._write_exr import exr_bytes
from nodes.io._write_pictures import levels, radiance, saved, tiff
from nodes.io._xmp import as_xml
from nodes.io.export_png import png_bytes

Depth = Literal["auto", "8 bit", "16 bit", "32 bit"]
Transparency = Literal["auto", "always", "never"]
DEPTHS = {
    ".png": (8, 16),
    ".jpg": (8,),
    ".jpeg": (8,),
    ".webp": (8,),
    ".tga": (8,),
    ".tif": (8, 16, 32),
    ".tiff": (8, 16, 32),
    ".exr": (16, 32),
    ".hdr": (32,),
}
OPAQUE = (".jpg", ".jpeg", ".hdr")
MUTE = (".tga", ".hdr")


@node("io.export_image", title="Export image", group="Export", credits=True)
def export_image(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    path: Annotated[
        Path,
        SaveFile(suffixes=tuple(DEPTHS), help="Name in the output folder. Its ending decides the format."),
    ] = Path("picture.tif"),
    depth: Annotated[
        Depth, Setting(help="Bits for each channel. Auto: 8, or 16 for data; EXR: half, or float for data.")
    ] = "auto",
    one_channel: Annotated[bool, Setting(help="Only red, as grey: for height, roughness and masks.")] = False,
    transparency: Annotated[Transparency, Setting(help="Auto: only where something is transparent.")] = "auto",
    quality: Annotated[int, Slider(1, 100, help="JPEG and WebP. 100 keeps WebP without loss.")] = 95,
    black: Annotated[
        float, Slider(-1e6, 1e6, help="EXR, HDR, 32-bit TIFF of data: the number for 0.", advanced=True)
    ] = 0.0,
    white: Annotated[
        float, Slider(-1e6, 1e6, help="EXR, HDR, 32-bit TIFF of data: the number for 1.", advanced=True)
    ] = 1.0,
    credits_file: CreditsFile = False,
) -> Files:
    """Save a picture as PNG, JPEG, WebP, TGA, TIFF, EXR or Radiance HDR; the ending of the name decides.

    Colours are written as sRGB, with a profile where the format has a place for one; EXR, HDR and 32-bit TIFF take
    linear light instead, as other programs expect. Data (normals, height, roughness) is written as it is; in the
    three formats of floats, Black and White say which numbers it stands for, for instance a height in metres. Credits
    go into the file; TGA and HDR have no place for them and get name.credits.txt.
    """
    run.check()
    check_finite(image.pixels)
    suffix = path.suffix.lower()
    alpha = fitted_mask(mask, image.size) if mask else image.alpha
    values = _channels(run, image, alpha, suffix, one_channel, transparency)
    bits = _bits(run, suffix, depth, image.space)
    run.progress(0.3, "writing")
    if suffix in (".exr", ".hdr") or bits == 32:
        light = _light(values, image.space, (black, white), suffix == ".exr")
        data = _floats(light, suffix, bits, run)
    else:
        data = _integers(levels(values, 2**bits - 1), suffix, image.space == "srgb", quality, run)
    files = Files.of({path.as_posix(): data}, shows=Image.of(values, image.space))
    return with_credits(run, files, credits_file, always=suffix in MUTE)


def _channels(run: Run, image: Image, alpha: Float32, suffix: str, one: bool, transparency: Transparency) -> Float32:
    """(H, W, 1, 3 or 4) as the file holds them."""
    if one:
        return np.ascontiguousarray(image.pixels[..., :1])
    clear = float(alpha.min()) < 1
    if suffix in OPAQUE:
        if clear and transparency != "never":
            run.warn(f"{suffix[1:].upper()} keeps no transparency; choose PNG, WebP, TIFF or EXR to keep it.")
        return np.ascontiguousarray(image.rgb)
    keep = transparency == "always" or (transparency == "auto" and clear)
    return np.dstack([image.rgb, alpha]) if keep else np.ascontiguousarray(image.rgb)


def _bits(run: Run, suffix: str, depth: Depth, space: str) -> int:
    possible = DEPTHS[suffix]
    if depth == "auto":
        wanted = {"srgb": 8, "data": 32 if suffix == ".exr" else 16}[space]
        return max((bits for bits in possible if bits <= wanted), default=possible[0])
    wanted = int(depth.split()[0])
    if wanted in possible:
        return wanted
    nearest = min(possible, key=lambda bits: abs(bits - wanted))
    if suffix != ".hdr":
        run.warn(f"{suffix[1:].upper()} has no {wanted} bits a channel; {nearest} were written.")
    return nearest


def _light(values: Float32, space: str, span: tuple[float, float], premultiply: bool) -> Float32:
    """Linear light of colours, the numbers of data. ``premultiply``: EXR keeps colours times alpha."""
    count = min(values.shape[2], 3)
    colours, alpha = values[..., :count], values[..., count:]
    if space == "data":
        if span != (0.0, 1.0):
            colours = (span[0] + colours.astype(np.float64) * (span[1] - span[0])).astype(np.float32)
    else:
        colours = to_linear(colours)
        colours = colours * alpha if premultiply and alpha.shape[2] else colours
    return np.concatenate([colours, alpha], axis=-1, dtype=np.float32)


def _floats(values: Float32, suffix: str, bits: int, run: Run) -> bytes:
    if suffix == ".exr":
        return exr_bytes(values, bits == 16, texts(run))
    if suffix == ".hdr":
        return radiance(np.repeat(values, 3, axis=-1) if values.shape[2] == 1 else values[..., :3])
    return tiff(values, False, as_xml(properties(run)))


def _integers(values: np.ndarray, suffix: str, colour: bool, quality: int, run: Run) -> bytes:
    xmp = as_xml(properties(run))
    if suffix == ".png":
        return png_bytes(values, colour, texts(run))
    if suffix == ".tga":
        return saved(values, "TGA", colour, compression="tga_rle")
    if suffix == ".webp":
        return saved(values, "WEBP", colour, lossless=quality == 100, exact=True, quality=quality, method=4, xmp=xmp)
    if suffix in (".jpg", ".jpeg"):
        return saved(values, "JPEG", colour, quality=quality, subsampling=0 if quality >= 90 else 2, xmp=xmp)
    return tiff(values, colour, xmp)

"""Picture files to arrays: header checks first, then decoding, colour profile, precision, alpha and orientation."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Image
from nodes.image._pixels import resample_pixels, to_linear, to_srgb
from nodes.io._read_blocks import SUFFIXES as BLOCK_SUFFIXES
from nodes.io._read_blocks import block_values, is_block_texture
from nodes.io._read_exr import MAGIC as EXR
from nodes.io._read_exr import exr_light
from nodes.io._read_hdr import MAGIC as HDR
from nodes.io._read_hdr import hdr_light
from nodes.io._read_tiff import MAGIC as TIFF
from nodes.io._read_tiff import tiff_light
from nodes.io._tone import AS_IT_IS, Light, Tone, to_picture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".exr", ".hdr", *BLOCK_SUFFIXES)
MAX_PIXELS = 178_000_000
MAX_BYTES = 2_000_000_000
READABLE = "Choose a PNG, JPEG, WebP, BMP, TIFF, TGA, EXR, HDR, DDS or KTX2 picture."
GET_AGAIN = "Copy or download the file again, or save it anew from the program that made it."
ORIENTATION = 274
BITS_PER_SAMPLE = 258


@dataclass(frozen=True)
class Found:
    """``pixels``: (H, W, 4) float32 0..1, straight alpha. ``size``: (width, height) in the file, after turning."""

    pixels: NDArray[np.float32]
    size: tuple[int, int]
    notes: tuple[str, ...]


def read_picture(path: Path, at_least: int = 0, colour: bool = True, tone: Tone = AS_IT_IS) -> Found:
    """The picture in a file, upright, sRGB when ``colour``, else with its values untouched.

    ``tone``: how values that know no upper end (EXR, HDR, TIFF of floats) come to 0..1.

    ``at_least``: when not 0, a picture at least twice as large on its longer side comes back reduced by a whole
    factor, never below this size, so that memory follows the result and not the file. Raises :class:`BadFile` in
    words for a missing, empty, foreign, truncated, damaged or enormous file.
    """
    data = _bytes(path)
    if is_block_texture(data):
        texture = block_values(path, data, MAX_PIXELS, colour)
        height, width = texture.shape[:2]
        factor = max(1, max(width, height) // at_least) if at_least else 1
        return Found(np.ascontiguousarray(_floats(texture, factor, colour)), (width, height), ())
    light = _light(path, data)
    if light is not None:
        pixels, remarks = to_picture(light, tone, colour)
        height, width = pixels.shape[:2]
        factor = max(1, max(width, height) // at_least) if at_least else 1
        return Found(np.ascontiguousarray(_floats(pixels, factor, colour)), (width, height), (*light.notes, *remarks))
    picture = _header(path, data)
    notes: list[str] = []
    try:
        if (count := getattr(picture, "n_frames", 1)) > 1:
            notes.append(f"The file holds {count:,} pictures, an animation or pages: the first was read.")
        picture.load()
        deep = _is_deep(data, picture)
        values = _deep(data, picture, colour, notes) if deep else _shallow(picture, colour, notes)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError) as error:
        raise BadFile(f"{path.name} is damaged or cut short: {error}.", GET_AGAIN) from error
    factor = max(picture.size) // at_least if at_least else 1
    turn = picture.getexif().get(ORIENTATION, 1)
    width, height = picture.size
    size = (height, width) if turn in (5, 6, 7, 8) else (width, height)
    return Found(np.ascontiguousarray(_upright(_floats(values, max(1, factor), colour), turn)), size, tuple(notes))


def _light(path: Path, data: bytes) -> Light | None:
    """What a file of floats holds; None for the other kinds."""
    try:
        if data.startswith(EXR):
            return exr_light(data, MAX_PIXELS)
        if data.startswith(HDR):
            return hdr_light(data, MAX_PIXELS)
        return tiff_light(data, MAX_PIXELS) if data.startswith(TIFF) else None
    except MemoryError:
        raise BadFile(f"{path.name} does not fit into the memory.", "Reduce the picture first.") from None
    except ValueError as error:
        raise BadFile(f"{path.name} {error}.", GET_AGAIN) from error


def _bytes(path: Path) -> bytes:
    if path == Path():
        raise BadFile("No picture is chosen.", READABLE)
    try:
        if path.is_dir():
            raise BadFile(f"{path.name} is a folder.", READABLE)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadFile(f"{path.name} has {size / 1e9:.1f} GB, more than this step reads.", "Choose a smaller file.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadFile(f"{path.name} is not there any more.", "Choose the file again.") from None
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read: {error.strerror}.", "Check that you may read the file.") from error
    if not data:
        raise BadFile(f"{path.name} is empty (0 bytes).", GET_AGAIN)
    return data


def _header(path: Path, data: bytes) -> Picture:
    """The undecoded picture. TGA has no signature, so only its file ending lets it in."""
    from PIL import Image as Pictures

    formats = ["PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", *(["TGA"] if path.suffix.lower() == ".tga" else [])]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
            picture = Pictures.open(io.BytesIO(data), formats=formats)
    except Pictures.DecompressionBombError as error:
        said = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_large(path, f"{int(said[1]) / 1e6:,.0f} million" if said else "more") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise BadFile(f"{path.name} is not a picture that can be read here.", READABLE) from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width:,} x {height:,}")
    if width < 1 or height < 1:
        raise BadFile(f"{path.name} has no pixels.", GET_AGAIN)
    if picture.format in ("JPEG", "MPO") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise BadFile(f"{path.name} is cut short: its end is missing.", GET_AGAIN)
    return picture


def _too_large(path: Path, size: str) -> BadFile:
    return BadFile(
        f"{path.name} is too large: {size} pixels, where {MAX_PIXELS // 1_000_000} million are the limit.",
        "Reduce the picture in another program first.",
    )


def _is_deep(data: bytes, picture: Picture) -> bool:
    """Whether the file holds 16 bits for each of several channels, which the usual decoder would cut to 8."""
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    if picture.format == "PNG":
        return data[24] == 16
    tags: Any = getattr(picture, "tag_v2", {})
    return 16 in tuple(tags.get(BITS_PER_SAMPLE, ()))


def _shallow(picture: Picture, colour: bool, notes: list[str]) -> NDArray[Any]:
    """Decoded values: (H, W) or (H, W, C), uint8, uint16 or float32."""
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)
    if picture.mode in ("I", "F"):
        return np.asarray(picture, np.float32) / np.float32(65535 if picture.mode == "I" else 1)
    clear = picture.has_transparency_data
    if picture.mode not in ("L", "RGB", "RGBA", "CMYK", "LAB") or (clear and picture.mode != "RGBA"):
        picture = picture.convert("RGBA" if clear else "RGB")
    convert = _conversion(picture, notes) if colour else None
    picture = convert(picture) if convert else picture
    return np.asarray(picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB"))


def _deep(data: bytes, picture: Picture, colour: bool, notes: list[str]) -> NDArray[Any]:
    """Decoded values: (H, W, 3 or 4), uint16, or float32 after a colour profile."""
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        notes.append("Read with 8 bits per channel.")
        return _shallow(picture, colour, notes)
    values = np.ascontiguousarray(values[..., [2, 1, 0, 3][: values.shape[2]]])
    convert = _conversion(picture.convert("RGB"), notes) if colour else None
    if convert is None:
        return values
    rgb = _convert_deep(values[..., :3], convert)
    return np.concatenate([rgb, values[..., 3:].astype(np.float32) / np.float32(65535)], axis=-1)


def _conversion(picture: Picture, notes: list[str]) -> Callable[[Picture], Picture] | None:
    """What turns pictures of this mode to sRGB by the colour profile in the file; None where there is nothing to do."""
    from PIL import ImageCms

    embedded = picture.info.get("icc_profile")
    if not embedded:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        grey = source.profile.xcolor_space.strip() == "GRAY"
        mode = "L" if grey else "RGB" if picture.mode == "RGBA" else picture.mode
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        notes.append("The colour profile does not fit the picture; its colours are taken as sRGB.")
        return None

    def convert(values: Picture) -> Picture:
        result = ImageCms.applyTransform(values if values.mode == mode else values.convert(mode), transform) or values
        if values.mode == "RGBA":
            result.putalpha(values.getchannel("A"))
        return result

    return convert


def _convert_deep(values: NDArray[np.uint16], convert: Callable[[Picture], Picture]) -> NDArray[np.float32]:
    """Colour conversion that knows 8 bits only, for (H, W, 3) of 16 bits: linear between neighbouring 8-bit colours."""
    from PIL import Image as Pictures

    def at(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(convert(Pictures.fromarray(levels)), np.float32) / np.float32(255)

    low = (values // 257).astype(np.uint8)
    rest = (values - low.astype(np.uint16) * 257).astype(np.float32) / np.float32(257)
    base = at(low)
    result = base.copy()
    for channel in range(3):
        high = low.copy()
        high[..., channel] = np.minimum(high[..., channel].astype(np.int16) + 1, 255)
        result += rest[..., channel : channel + 1] * (at(high) - base)
    return result


def _floats(values: NDArray[Any], factor: int, colour: bool) -> NDArray[np.float32]:
    """(H, W, 4) float32, reduced by a whole factor in strips so that memory stays small.

    Colours are mixed as light and weighted by alpha.
    """
    if factor == 1:
        return Image.of(values).pixels
    height, width = values.shape[:2]
    strips = []
    for top in range(0, height, factor * 64):
        part = values[top : top + factor * 64]
        size = (max(1, width // factor), max(1, round(len(part) / factor)))
        small = resample_pixels(_as_light(part) if colour else Image.of(part).pixels, size, weigh=colour)
        strips.append(np.concatenate([to_srgb(small[..., :3]), small[..., 3:]], axis=-1) if colour else small)
    return np.concatenate(strips)


def _as_light(values: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W, 4) float32, colours in linear light. Of 8 bits there are 256 values only, which are looked up."""
    if values.dtype == np.uint8:
        import cv2

        table = np.arange(256, dtype=np.float32) / np.float32(255)
        curves = np.stack([*[to_linear(table)] * 3, table], axis=-1)
        how = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_RGB2RGBA}.get(1 if values.ndim == 2 else values.shape[2])
        whole = values if how is None else cv2.cvtColor(np.ascontiguousarray(values), how)
        return np.asarray(cv2.LUT(np.ascontiguousarray(whole), curves[None]), np.float32)
    pixels = Image.of(values).pixels
    return np.concatenate([to_linear(pixels[..., :3]), pixels[..., 3:]], axis=-1)


def _upright(pixels: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """Undo the eight orientations of Exif 2.3, tag 274."""
    if turn in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels

"""Pictures to the bytes of a file, one function for each format."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput

Float32 = NDArray[np.float32]
UInt = NDArray[np.uint8] | NDArray[np.uint16]
RADIANCE_LIMIT = 32767
XMP_TAG = 700


def levels(values: Float32, white: int) -> UInt:
    """0..1 to 0..``white`` (255 or 65535), rounded."""
    scaled = np.rint(np.clip(values, 0, 1) * np.float64(white) if white > 255 else np.clip(values, 0, 1) * white)
    return scaled.astype(np.uint16) if white > 255 else scaled.astype(np.uint8)


def saved(values: UInt, kind: str, colour: bool, **options: Any) -> bytes:
    """(H, W, 1, 3 or 4) uint8 as JPEG, TGA or WebP. With ``colour`` an sRGB profile goes in where it can."""
    from PIL import Image as Pictures

    if colour and kind != "TGA":
        options["icc_profile"] = srgb_profile()
    out = io.BytesIO()
    try:
        Pictures.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(out, kind, **options)
    except (OSError, ValueError) as error:
        raise BadInput(f"The picture could not be written as {kind}: {error}.", "Choose a smaller size.") from error
    return out.getvalue()


def tiff(values: NDArray[Any], colour: bool, xmp: bytes = b"") -> bytes:
    """(H, W, 1, 3 or 4) uint8, uint16 or float32, packed with Deflate. Alpha is straight, and marked as that.

    ``xmp``: a packet to put in.
    """
    import tifffile

    channels = values.shape[2]
    whole = values.dtype.kind == "u"
    out = io.BytesIO()
    tifffile.imwrite(
        out,
        values[..., 0] if channels == 1 else values,
        photometric="minisblack" if channels == 1 else "rgb",
        extrasamples=["unassalpha"] if channels == 4 else None,
        compression="zlib",
        predictor=whole,
        rowsperstrip=max(1, (1 << 18) // max(1, values[0].nbytes)),
        software="Polyloom",
        metadata=None,
        iccprofile=srgb_profile() if colour and whole else None,
        extratags=[(XMP_TAG, 1, len(xmp), xmp, True)] if xmp else [],
    )
    return out.getvalue()


def radiance(values: Float32) -> bytes:
    """(H, W, 3) linear light as run-length-encoded Radiance RGBE: each value within 1/128 of the pixel's largest."""
    import cv2

    if max(values.shape[:2]) > RADIANCE_LIMIT:
        raise BadInput("Radiance pictures have at most 32,767 pixels a side.", "Choose EXR, or a smaller size.")
    done, data = cv2.imencode(".hdr", np.ascontiguousarray(values[..., ::-1]))
    if not done:
        raise BadInput("The picture could not be written as Radiance HDR.", "Choose EXR.")
    return bytes(data)


@cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB that is the same every time: the day on which it was made is left empty."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile)

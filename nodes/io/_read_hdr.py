"""Radiance pictures (.hdr): three mantissas and a shared exponent for each pixel."""

from __future__ import annotations

import re

import numpy as np

from nodes.io._tone import Light

MAGIC = (b"#?RADIANCE", b"#?RGBE")
HEAD_BYTES = 64 * 1024


def hdr_light(data: bytes, most: int) -> Light:
    """The picture in a Radiance file, in light before its EXPOSURE lines. Raises ValueError in words.

    ``most``: pixels that are read at most. Pictures that are stored turned or as CIE XYZ are refused.
    """
    import cv2

    head, end, _ = data[:HEAD_BYTES].partition(b"\n\n")
    size = re.match(rb"-Y (\d{1,9}) \+X (\d{1,9})\n", data[len(head) + 2 :][:64])
    if not end or not size:
        raise ValueError("is stored turned or has no sound header; save it again as a Radiance picture")
    if b"FORMAT=32-bit_rle_xyze" in head:
        raise ValueError("keeps its colours as CIE XYZ, which are not read here")
    height, width = int(size[1]), int(size[2])
    if width < 1 or height < 1:
        raise ValueError("has no pixels")
    if width * height > most:
        raise ValueError(f"is too large: {width:,} x {height:,} pixels")
    if len(data) < height * min(4 * width, 4 + 4 * 2 * (width // 127)):
        raise ValueError("is cut short")
    # the decoder wants the format line that other programs leave out
    rest = data[len(head) + 2 :]
    values = cv2.imdecode(
        np.frombuffer(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + rest, np.uint8), cv2.IMREAD_UNCHANGED
    )
    if values is None or values.shape != (height, width, 3):
        raise ValueError("is damaged or cut short")
    exposures = [float(found) for found in re.findall(rb"^EXPOSURE=\s*([\d.eE+-]+)", head, re.M)]
    scale = float(np.prod(exposures)) if exposures else 1.0
    return Light(np.asarray(values[..., ::-1], np.float32) / np.float32(scale if scale > 0 else 1))

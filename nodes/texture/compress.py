"""See what block compression costs before a texture is shipped."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from app.engine import Image, Report, Run, Setting, node
from nodes.image._pixels import check_finite
from nodes.texture._blocks import BYTES, FORMATS, Block, compress, decoded
from nodes.texture._scaling import Content

SHOWN_ERROR = 8


class Compressed(NamedTuple):
    """``image``: decoded again. ``side_by_side``: before, after, and the difference eight times as strong."""

    image: Image
    side_by_side: Image
    report: Report


@node("texture.compress", title="Compression check", group="Pack and compress", version=2)
def compress_check(
    run: Run,
    image: Image,
    content: Annotated[Content, Setting(help="Colour, a normal map, or other data.")] = "colour",
    form: Annotated[Block, Setting(label="Format", help="The format that is shown; the table compares all.")] = "BC7",
) -> Compressed:
    """Encode a texture in each block format, decode it again, and measure the difference.

    The table gives size and peak signal-to-noise ratio (PSNR, in decibels: 40 is hard to see, 30 is visible); for
    normal maps, the mean angle between the normals before and after.
    """
    run.progress(0.0, "encoding")
    check_finite(image.pixels)
    rows: list[tuple[str, str | int | float | bool]] = []
    shown = image
    for number, each in enumerate(FORMATS):
        run.progress(number / len(FORMATS), each)
        after = decoded(compress(image, content, each, False, lambda _: run.check()), content)
        size = -(-image.size[0] // 4) * -(-image.size[1] // 4) * BYTES[each]
        rows.append((f"{each} size (MB)", size / 1e6))
        rows.append(_quality(each, image, after, content))
        if each == form:
            shown = after
    verdict = f"{form}: {rows[2 * FORMATS.index(form) + 1][1]:.1f} {'degrees' if content == 'normal' else 'dB'}."
    table = Report(f"Block compression of {image.size[0]} x {image.size[1]} pixels", tuple(rows), verdict)
    return Compressed(shown, _beside(image, shown), table)


def _quality(form: Block, before: Image, after: Image, content: Content) -> tuple[str, float]:
    if content == "normal":
        return f"{form} angle (degrees)", _mean_angle(before, after)
    channels = {"BC4": [0], "BC5": [0, 1], "BC1": [0, 1, 2], "BC6H": [0, 1, 2]}.get(form, [0, 1, 2, 3])
    off = before.pixels[..., channels] - after.pixels[..., channels]
    return f"{form} PSNR (dB)", float(10 * np.log10(1 / max(float(np.square(off, dtype=np.float64).mean()), 1e-10)))


def _mean_angle(before: Image, after: Image) -> float:
    one, two = (image.rgb.astype(np.float64) * 2 - 1 for image in (before, after))
    dot = np.einsum("ijk,ijk->ij", one, two)
    lengths = np.linalg.norm(one, axis=2) * np.linalg.norm(two, axis=2)
    return float(np.degrees(np.arccos(np.clip(dot / np.maximum(lengths, 1e-9), -1, 1))).mean())


def _beside(before: Image, after: Image) -> Image:
    off = np.clip(np.abs(before.rgb - after.rgb) * SHOWN_ERROR, 0, 1)
    difference = np.concatenate([off, np.ones((*off.shape[:2], 1), np.float32)], axis=2)
    return Image(np.ascontiguousarray(np.concatenate([before.pixels, after.pixels, difference], axis=1)), before.space)

"""Sheets: pictures and words in rows of equal cells. Arrays: (H, W, 4) float32, straight alpha, sRGB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image
from nodes.image._pixels import check_size, fit_within, resample_pixels

Float32 = NDArray[np.float32]
RGBA = tuple[float, float, float, float]


@dataclass(frozen=True)
class Style:
    """``cell``: (width, height) of a picture in pixels. ``gap``: pixels around each. Colours: sRGB with alpha, 0..1."""

    cell: tuple[int, int]
    gap: int = 8
    ground: RGBA = (0.13, 0.14, 0.16, 1.0)
    ink: RGBA = (0.93, 0.94, 0.95, 1.0)

    @cached_property
    def pale(self) -> RGBA:
        """For what matters less: between ink and ground."""
        mixed = [0.6 * a + 0.4 * b for a, b in zip(self.ink, self.ground, strict=True)]
        return mixed[0], mixed[1], mixed[2], 1.0


def sheet(rows: Sequence[Sequence[Float32 | None]], style: Style, widths: Sequence[int] = ()) -> Float32:
    """Each picture in the middle of its cell, over the ground; None leaves a cell empty.

    ``widths``: of the columns, where they are not all as wide as a cell. A picture larger than its cell is an error.
    """
    columns = max(len(row) for row in rows)
    wide = [*widths, *[style.cell[0]] * (columns - len(widths))]
    height = len(rows) * (style.cell[1] + style.gap) + style.gap
    width = sum(wide) + style.gap * (columns + 1)
    check_size(width, height)
    pixels = np.broadcast_to(np.array(style.ground, np.float32), (height, width, 4)).copy()
    for number, row in enumerate(rows):
        top, left = style.gap + number * (style.cell[1] + style.gap), style.gap
        for part, room in zip(row, wide, strict=False):
            if part is not None:
                put(pixels, part, left + (room - part.shape[1]) // 2, top + (style.cell[1] - part.shape[0]) // 2)
            left += room + style.gap
    return pixels


def put(pixels: Float32, part: Float32, left: int, top: int) -> None:
    """Draw a part over a sheet, in place (source-over, W3C Compositing Level 1)."""
    place = pixels[top : top + part.shape[0], left : left + part.shape[1]]
    over, under = part[..., 3:], place[..., 3:]
    total = over + under * (1 - over)
    colours = part[..., :3] * over + place[..., :3] * under * (1 - over)
    place[..., :3] = np.divide(colours, total, out=place[..., :3].copy(), where=total > 0)
    place[..., 3:] = total


def fitted(image: Image, cell: tuple[int, int]) -> Float32:
    """A picture made larger or smaller until it just fits into a cell."""
    longest = max(image.size)
    scale = min(cell[0] / image.size[0], cell[1] / image.size[1])
    wide, high = fit_within(image.size, max(1, round(longest * scale)))
    return resample_pixels(image.pixels, (min(wide, cell[0]), min(high, cell[1])), linear=image.space == "srgb")


def words(text: str, size: float, colour: RGBA, room: tuple[int, int]) -> Float32:
    """Text on nothing, from the upper left of a ``room`` (width, height); long lines are broken between words.

    ``size``: of the letters in pixels. What does not fit below is left out, and three dots say so.
    """
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    font: Any = ImageFont.load_default(size)
    step = round(size * 1.35)
    lines = [part for line in text.splitlines() for part in _broken(line, font, room[0])]
    most = max(1, room[1] // step)
    if len(lines) > most:
        lines = [*lines[: most - 1], "..."]
    shown = Pictures.new("L", room)
    draw = ImageDraw.Draw(shown)
    for number, line in enumerate(lines):
        draw.text((0, number * step), line, fill=255, font=font)
    cover = np.asarray(shown, np.float32)[..., None] / 255 * colour[3]
    return np.concatenate([np.broadcast_to(np.array(colour[:3], np.float32), (*cover.shape[:2], 3)), cover], axis=-1)


def _broken(line: str, font: Any, width: int) -> list[str]:
    lines: list[str] = []
    now = ""
    for word in line.split(" "):
        longer = f"{now} {word}" if now else word
        if now and font.getlength(longer) > width:
            lines.append(now)
            now = word
        else:
            now = longer
        while font.getlength(now) > width and len(now) > 1:
            fits = next(n for n in range(len(now) - 1, 0, -1) if n == 1 or font.getlength(now[:n]) <= width)
            lines.append(now[:fits])
            now = now[fits:]
    return [*lines, now]

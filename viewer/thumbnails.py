"""Small pictures of results for the canvas."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from app.engine.payloads import Payload, UInt8
from viewer.adapters import adapt
from viewer.contact_sheet import fitted
from viewer.raster import as_bytes, picture
from viewer.shown import Page, Picture, Shown
from viewer.tones import screen_bytes

INK, QUIET, PAPER = (215, 218, 224, 255), (150, 157, 168, 255), (38, 42, 49, 255)


def thumbnail(payload: Payload, size: int = 96) -> UInt8 | None:
    """(size, size, 4) uint8 RGBA, straight alpha, or None when there is nothing to see (an empty mesh or text).

    Callable from any thread: neither OpenGL nor Qt is touched.
    """
    small = drawn(adapt(payload), size, size)
    return small if small[..., 3].any() else None


def drawn(shown: Shown, width: int, height: int, finer: int = 2) -> UInt8:
    """(height, width, 4) uint8 RGBA of any form, on a transparent background; pages bring their own."""
    if isinstance(shown, Picture):
        return _framed(_reduced(shown, min(width, height)), width, height)
    if isinstance(shown, Page):
        return _page(shown, width, height)
    return picture(shown, width, height, finer)


def _reduced(shown: Picture, side: int) -> UInt8:
    """Bytes are made after skipping samples, so that a huge picture costs no more than a small one."""
    step = max(1, max(shown.size) // (side * 4))
    few = Picture(np.ascontiguousarray(shown.values[::step, ::step]), shown.kind)
    return as_bytes(fitted(screen_bytes(few).astype(np.float32) / np.float32(255), side))


def _framed(small: UInt8, width: int, height: int) -> UInt8:
    out = np.zeros((height, width, 4), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


@cache
def _font(points: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(points)


def _page(page: Page, width: int, height: int) -> UInt8:
    from PIL import Image, ImageDraw

    lines = _lines(page)
    if not lines:
        return np.zeros((height, width, 4), np.uint8)
    canvas = Image.new("RGBA", (width, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    points = max(9, height // (4 if len(lines) == 1 and len(lines[0][0]) < 8 else 9))
    margin, step = max(4, width // 16), points + points // 4
    for i, (text, colour) in enumerate(lines[: (height - margin) // step]):
        pen.text((margin, margin + i * step), text[: 2 * width // points], fill=colour, font=_font(points))
    return np.asarray(canvas)


def _lines(page: Page) -> list[tuple[str, tuple[int, int, int, int]]]:
    lines = [(text, INK) for text in (page.title, page.verdict) if text]
    lines += [(f"{name}  {value}", QUIET) for name, value in page.rows]
    return lines + [(line, INK) for line in page.text.splitlines()]

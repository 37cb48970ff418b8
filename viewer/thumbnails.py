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

INK, QUIET = (215, 218, 224, 255), (150, 157, 168, 255)
SMALLEST_TEXT, FEW, MOST_LINES = 10, 12, 40


def thumbnail(payload: Payload, width: int = 156, height: int = 84) -> UInt8 | None:
    """(height, width, 4) uint8 RGBA, straight alpha, transparent around what is drawn, or None when there is nothing to
    see (an empty mesh or text).

    Callable from any thread: neither OpenGL nor Qt is touched.
    """
    small = drawn(adapt(payload), width, height)
    return small if small[..., 3].any() else None


def drawn(shown: Shown, width: int, height: int, finer: int = 2) -> UInt8:
    """(height, width, 4) uint8 RGBA of any form, on a transparent background."""
    if isinstance(shown, Picture):
        scale = min(width / shown.size[0], height / shown.size[1])
        return _framed(_reduced(shown, max(1, int(max(shown.size) * scale))), width, height)
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
    """One short line stands in the middle; more words are as large as they fit."""
    from PIL import Image, ImageDraw

    lines = _lines(page)
    if not lines:
        return np.zeros((height, width, 4), np.uint8)
    canvas = Image.new("RGBA", (width, height), (*INK[:3], 0))
    pen = ImageDraw.Draw(canvas)
    if len(lines) == 1 and len(lines[0][0]) <= FEW:
        points = int(min(height / 2.2, 1.5 * width / len(lines[0][0])))
        pen.text((width / 2, height / 2), lines[0][0], fill=INK, font=_font(points), anchor="mm")
        return np.asarray(canvas)
    margin = max(3, width // 30)
    for points in (height // 4, height // 5, height // 6, max(SMALLEST_TEXT, height // 8)):
        font, step = _font(points), points * 1.3
        rows = [(row, colour) for text, colour in lines for row in _wrapped(text, font, width - 2 * margin)]
        if len(rows) * step <= height - margin and max(font.getlength(row) for row, _ in rows) <= width - 2 * margin:
            break
    for i, (row, colour) in enumerate(rows[: int((height - margin) / step)]):
        pen.text((margin, margin + i * step), row, fill=colour, font=font)
    return np.asarray(canvas)


def _wrapped(text: str, font: Any, room: float) -> list[str]:
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and font.getlength(longer) > room:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _lines(page: Page) -> list[tuple[str, tuple[int, int, int, int]]]:
    """A verdict says more than the title above it."""
    lines = [(text, INK) for text in (page.verdict or page.title,) if text]
    lines += [(f"{name}  {value}", QUIET) for name, value in page.rows]
    return lines + [(line, INK) for line in page.text.splitlines()[:MOST_LINES]]

"""Loops that write and read long rows of equal XML elements. Import inside functions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.io._text_loops import (
    LONG,
    MINUS,
    SPACE,
    WIDTH,
    ZERO,
    Bytes,
    _digits,
    _number_at,
    _put_fixed,
    _put_scientific,
    _whole,
)
from nodes.mesh._jit import kernel

OPEN, CLOSE, END, BANG, ASK, EQUALS, DOUBLE, SINGLE = 60, 62, 47, 33, 63, 61, 34, 39
FINE, UNUSUAL, TWICE = 0, 1, 2


@kernel
def _put_nine(out: Bytes, at: int, value: float) -> int:
    """The number with at most 9 significant digits."""
    if value == 0:
        out[at] = ZERO
        return at + 1
    if value < 0:
        out[at] = MINUS
        at += 1
    size = LONG
    number, lead = _digits(abs(value), size)
    while size > 1 and number % 10 == 0:
        number //= 10
        size -= 1
    if -5 <= lead <= 8:
        return int(_put_fixed(out, at, number, size, lead))
    return int(_put_scientific(out, at, number, size, lead))


@kernel
def element_rows(pieces: Bytes, bounds: NDArray[np.int64], values: NDArray[np.float64], whole: bool) -> Bytes:
    """A row of text for each of (N, K) finite numbers: piece 0, number 0, piece 1, number 1, …, piece K.

    ``pieces``: all K + 1 one behind the other, parted at the K + 2 ``bounds``. ``whole``: numbers are 0 or above and
    written as whole ones, else with 9 significant digits, which name every float32.
    """
    rows, columns = values.shape
    out = np.empty(rows * (pieces.size + columns * (WIDTH + 4)), np.uint8)
    at = 0
    for row in range(rows):
        for column in range(columns + 1):
            for k in range(bounds[column], bounds[column + 1]):
                out[at] = pieces[k]
                at += 1
            if column < columns:
                value = values[row, column]
                at = _whole(out, at, int(value)) if whole else _put_nine(out, at, value)
    return out[:at].copy()


@kernel
def _after(text: Bytes, at: int, letter: int) -> int:
    while at < text.size and text[at] != letter:
        at += 1
    return at


@kernel
def _past_space(text: Bytes, at: int) -> int:
    while at < text.size and text[at] <= SPACE:
        at += 1
    return at


@kernel
def _name_end(text: Bytes, at: int) -> int:
    while at < text.size and text[at] > SPACE and text[at] != EQUALS and text[at] != CLOSE and text[at] != END:
        at += 1
    return at


@kernel
def _column(text: Bytes, start: int, end: int, names: Bytes, bounds: NDArray[np.int64]) -> int:
    for column in range(bounds.size - 1):
        size = bounds[column + 1] - bounds[column]
        if end - start == size:
            same = True
            for k in range(size):
                same = same and text[start + k] == names[bounds[column] + k]
            if same:
                return column
    return -1


@kernel
def _value(text: Bytes, at: int) -> tuple[int, int]:
    """(start, end) of the quoted value after the name of an attribute; the start is -1 where there is none."""
    at = _past_space(text, at)
    if at >= text.size or text[at] != EQUALS:
        return -1, 0
    at = _past_space(text, at + 1)
    if at >= text.size or (text[at] != DOUBLE and text[at] != SINGLE):
        return -1, 0
    end = _after(text, at + 1, text[at])
    return (at + 1 if at + 1 < end < text.size else -1), end


@kernel
def _element(text: Bytes, at: int, names: Bytes, bounds: NDArray[np.int64], found: NDArray[Any]) -> int:
    """Fill ``found`` (K,) from the attributes behind ``at``: the place after them, or the negative of what is wrong."""
    while True:
        at = _past_space(text, at)
        if at < text.size and text[at] == END:
            at = _past_space(text, at + 1)
        if at >= text.size:
            return -UNUSUAL
        if text[at] == CLOSE:
            return at
        end = _name_end(text, at)
        column = _column(text, at, end, names, bounds)
        start, at = _value(text, end)
        if start < 0:
            return -UNUSUAL
        if column >= 0:
            if found[column] == found[column]:
                return -TWICE
            size, found[column] = _number_at(text[start:at], 0)
            if size != at - start:
                return -UNUSUAL
        at += 1


@kernel
def attribute_rows(text: Bytes, names: Bytes, bounds: NDArray[np.int64], out: NDArray[Any]) -> int:
    """Fill ``out`` (N, K), NaN before, with the numbers in the attributes of N elements; NaN stays where none is given.

    ``names``: of the K attributes one behind the other, parted at ``bounds``. Returns ``FINE``; ``TWICE`` where an
    attribute stands twice in an element; ``UNUSUAL`` for all else that is not plain: then ``out`` is not to be used.
    """
    at, row = 0, 0
    while True:
        at = _after(text, at, OPEN) + 1
        if at >= text.size:
            return FINE
        if text[at] == END or text[at] == BANG or text[at] == ASK:
            continue
        if row >= out.shape[0]:
            return UNUSUAL
        at = _element(text, _name_end(text, at), names, bounds, out[row])
        if at < 0:
            return -at
        row += 1

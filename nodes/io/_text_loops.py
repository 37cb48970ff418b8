"""Loops that print and read numbers as text, far faster than one by one. Import inside functions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Bytes = NDArray[np.uint8]

SPACE, NEWLINE, SLASH, MINUS, PLUS, POINT, ZERO, EXPONENT = 32, 10, 47, 45, 43, 46, 48, 101
WIDTH = 16
TENS = 10.0 ** np.arange(60)
SHORT, LONG = 7, 9


@kernel
def _whole(out: Bytes, at: int, value: int) -> int:
    size, rest = 1, value // 10
    while rest:
        size, rest = size + 1, rest // 10
    for k in range(size):
        out[at + size - 1 - k] = ZERO + value % 10
        value //= 10
    return at + size


@kernel
def _scaled(value: float, power: int) -> float:
    ten = float(TENS[abs(power)])
    return value * ten if power >= 0 else value / ten


@kernel
def _digits(value: float, size: int) -> tuple[int, int]:
    """``value`` > 0 as (whole number of ``size`` digits, power of ten of the first digit)."""
    lead = int(np.floor(np.log10(value)))
    number = np.rint(_scaled(value, size - 1 - lead))
    if number >= TENS[size]:
        lead += 1
        number = np.rint(_scaled(value, size - 1 - lead))
    elif number < TENS[size - 1]:
        lead -= 1
        number = np.rint(_scaled(value, size - 1 - lead))
    return int(number), lead


@kernel
def _put_fixed(out: Bytes, at: int, number: int, size: int, lead: int) -> int:
    """``size`` digits whose first stands for 10**lead, as plain decimals. -5 <= lead <= 8."""
    after = size - 1 - lead
    if after <= 0:
        return _whole(out, at, number * int(TENS[-after]))
    power = int(TENS[after])
    at = _whole(out, at, number // power)
    out[at] = POINT
    rest = number % power
    for k in range(after):
        out[at + after - k] = ZERO + rest % 10
        rest //= 10
    return at + 1 + after


@kernel
def _put_scientific(out: Bytes, at: int, number: int, size: int, lead: int) -> int:
    at = _put_fixed(out, at, number, size, 0)
    out[at] = EXPONENT
    out[at + 1] = MINUS if lead < 0 else PLUS
    return _whole(out, at + 2, abs(lead))


@kernel
def _put(out: Bytes, at: int, value: np.float32) -> int:
    """The number with 7 significant digits where they name it exactly, else with 9, which always do."""
    if value == 0:
        out[at] = ZERO
        return at + 1
    if value < 0:
        out[at] = MINUS
        at += 1
    exact = abs(float(value))
    size = SHORT
    number, lead = _digits(exact, size)
    power = size - 1 - lead
    if abs(power) > 22 or np.float32(_scaled(float(number), -power)) != np.float32(exact):
        size = LONG
        number, lead = _digits(exact, size)
    while size > 1 and number % 10 == 0:
        number //= 10
        size -= 1
    if -5 <= lead <= 8:
        return _put_fixed(out, at, number, size, lead)
    return _put_scientific(out, at, number, size, lead)


@kernel
def number_lines(word: Bytes, rows: NDArray[np.float32]) -> Bytes:
    """One line for each row of finite numbers: ``word``, then the numbers, a space before each."""
    out = np.empty(rows.shape[0] * (word.size + 1 + rows.shape[1] * (WIDTH + 1)), np.uint8)
    at = 0
    for row in range(rows.shape[0]):
        for letter in word:
            out[at] = letter
            at += 1
        for column in range(rows.shape[1]):
            out[at] = SPACE
            at = _put(out, at + 1, rows[row, column])
        out[at] = NEWLINE
        at += 1
    return out[:at].copy()


@kernel
def face_lines(faces: NDArray[Any], uv: bool, normals: bool) -> Bytes:
    """OBJ ``f`` lines of (M, K) faces, counted from 1; UVs and normals are numbered like the positions.

    Corners below 0 are left out: a triangle among quads.
    """
    out = np.empty(faces.shape[0] * (2 + faces.shape[1] * 36), np.uint8)
    at = 0
    for face in range(faces.shape[0]):
        out[at] = 102
        at += 1
        for corner in range(faces.shape[1]):
            number = int(faces[face, corner]) + 1
            if number <= 0:
                continue
            out[at] = SPACE
            at = _whole(out, at + 1, number)
            if uv or normals:
                out[at] = SLASH
                at += 1
            if uv:
                at = _whole(out, at, number)
            if normals:
                out[at] = SLASH
                at = _whole(out, at + 1, number)
        out[at] = NEWLINE
        at += 1
    return out[:at].copy()


@kernel
def count_words(text: Bytes) -> int:
    """How many words, parted by white space, the text has."""
    count, inside = 0, False
    for letter in text:
        if letter > SPACE and not inside:
            count += 1
        inside = letter > SPACE
    return count


@kernel
def _whole_at(text: Bytes, at: int, number: int) -> tuple[int, int, int]:
    """(place after a run of digits, the number grown by them, how many of them did not fit into 18 digits)."""
    lost = 0
    while at < text.size and ZERO <= text[at] <= ZERO + 9:
        if number < 10**17:
            number = number * 10 + int(text[at]) - ZERO
        else:
            lost += 1
        at += 1
    return at, number, lost


@kernel
def _exponent_at(text: Bytes, at: int) -> tuple[int, int]:
    """(place after an exponent, its value); the place is -1 where there are no digits."""
    if at >= text.size or (text[at] | 32) != EXPONENT:
        return at, 0
    at += 1
    negative = at < text.size and text[at] == MINUS
    if at < text.size and (text[at] == MINUS or text[at] == PLUS):
        at += 1
    end, value, _ = _whole_at(text, at, 0)
    return (end if end > at else -1), (-value if negative else value)


@kernel
def _number_at(text: Bytes, at: int) -> tuple[int, float]:
    """(place after the decimal number that begins here, its value); the place is -1 for anything unusual."""
    negative = text[at] == MINUS
    if negative or text[at] == PLUS:
        at += 1
    after, number, power = _whole_at(text, at, 0)
    digits = after - at
    if after < text.size and text[after] == POINT:
        end, number, lost = _whole_at(text, after + 1, number)
        digits += end - after - 1
        power -= end - after - 1 - lost
        after = end
    at, exponent = _exponent_at(text, after)
    power += exponent
    if digits == 0 or at < 0 or (at < text.size and text[at] > SPACE) or abs(power) >= TENS.size:
        return -1, 0.0
    value = _scaled(float(number), power)
    return at, -value if negative else value


@kernel
def read_numbers(text: Bytes, out: NDArray[np.float64]) -> bool:
    """Fill ``out`` with the decimal numbers of the text, as many as it has words. False for any unusual word.

    Numbers of up to 15 digits are rounded exactly; longer ones may be off by the last bit of a float64.
    """
    at = 0
    for k in range(out.size):
        while text[at] <= SPACE:
            at += 1
        at, out[k] = _number_at(text, at)
        if at < 0:
            return False
    return True

"""Many numbers from text at once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile

LONG_TEXT = 4_000_000


def numbers(text: bytes, what: str, whole: bool = False) -> NDArray[Any]:
    """(K,) float64, or int64 when ``whole``, of numbers parted by white space. ``what``: the format, for the message.

    Raises :class:`BadFile` for anything else between them.
    """
    if not text or text.isspace():
        return np.zeros(0, np.int64 if whole else np.float64)
    if not whole and len(text) > LONG_TEXT and (values := _fast(text)) is not None:
        return values
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, np.int64 if whole else np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        raise BadFile(f"The {what} file holds something that is not a number.", "Export the file again.") from None


def _fast(text: bytes) -> NDArray[np.float64] | None:
    """Worth its start-up time for long texts. None where there is more than plain decimal numbers."""
    from nodes.io._text_loops import count_words, read_numbers

    letters = np.frombuffer(text, np.uint8)
    values = np.empty(count_words(letters), np.float64)
    return values if read_numbers(letters, values) else None

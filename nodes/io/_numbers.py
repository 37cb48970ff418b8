"""Many numbers from text at once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile


def numbers(text: bytes, what: str, whole: bool = False) -> NDArray[Any]:
    """(K,) float64, or int64 when ``whole``, of numbers parted by white space. ``what``: the format, for the message.

    Raises :class:`BadFile` for anything else between them.
    """
    if not text.strip():
        return np.zeros(0, np.int64 if whole else np.float64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, np.int64 if whole else np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        raise BadFile(f"The {what} file holds something that is not a number.", "Export the file again.") from None

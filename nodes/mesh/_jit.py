"""Compile numeric loops with numba. Modules that use this are imported inside functions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit  # noqa: TID253

Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """The loop as machine code, kept on disk between starts, run without the interpreter lock."""
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy")(loop))


def inlined(loop: Loop) -> Loop:
    """The loop copied into each kernel that calls it, for what runs a few million times."""
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy", inline="always")(loop))

"""Compile numeric loops with numba. Modules that use this are imported inside functions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit  # noqa: TID253

from nodes.mesh import _compiling
from nodes.mesh._code_folders import folders
from nodes.mesh._kept import Kept

Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """The loop as machine code, kept on disk between starts, run without the interpreter lock."""
    return _made(loop)


def inlined(loop: Loop) -> Loop:
    """The loop copied into each kernel that calls it, for what runs a few million times."""
    return _made(loop, inline="always")


def loose(loop: Loop) -> Loop:
    """A kernel whose sums may be taken in any order, which lets the processor do several at once."""
    return _made(loop, fastmath=True)


def _made(loop: Loop, **options: object) -> Loop:
    made = njit(nogil=True, error_model="numpy", **options)(loop)
    made._cache = Kept(loop, folders(loop.__module__))
    return cast(Loop, made)


_compiling.watch()

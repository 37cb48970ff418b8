"""Compile numeric loops with numba. Modules that use this are imported inside functions only."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # noqa: TID253
from numba import njit  # noqa: TID253

Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """The loop as machine code, kept on disk between starts, run without the interpreter lock."""
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy")(loop))


def inlined(loop: Loop) -> Loop:
    """The loop copied into each kernel that calls it, for what runs a few million times."""
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy", inline="always")(loop))


def _keep_apart() -> None:
    """Keep machine code in a folder named after the text of every module with kernels.

    Numba looks only at the file that a loop stands in. A constant or an inlined loop of another module could change,
    and yesterday's machine code would still be used. Where the folder cannot be made, numba chooses its own.
    """
    if numba.config.CACHE_DIR:
        return
    nodes = Path(__file__).resolve().parents[1]
    state = hashlib.sha256()
    for path in sorted(nodes.rglob("*.py")):
        text = path.read_bytes()
        if b"nodes.mesh._jit import" in text or path == Path(__file__).resolve():
            state.update(path.relative_to(nodes).as_posix().encode() + b"\0" + text)
    folder = nodes / "__pycache__" / f"kernels-{state.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    for old in folder.parent.glob("kernels-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    numba.config.CACHE_DIR = str(folder)


_keep_apart()

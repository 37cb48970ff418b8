"""Compile numeric loops with numba. Modules that use this are imported inside functions only."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # noqa: TID253
from numba import njit  # noqa: TID253

Loop = TypeVar("Loop", bound=Callable[..., Any])
ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(rb"^from (nodes\.[\w.]+) import ", re.MULTILINE)
CHOSEN = bool(numba.config.CACHE_DIR)


def kernel(loop: Loop) -> Loop:
    """The loop as machine code, kept on disk between starts, run without the interpreter lock."""
    _keep_apart(loop.__module__)
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy")(loop))


def inlined(loop: Loop) -> Loop:
    """The loop copied into each kernel that calls it, for what runs a few million times."""
    _keep_apart(loop.__module__)
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy", inline="always")(loop))


def _keep_apart(module: str) -> None:
    """Keep a module's machine code in a folder named after its text and that of every module it takes loops from.

    Numba looks only at the file that a loop stands in. A constant or an inlined loop of another module could change,
    and yesterday's machine code would still be used. Where the folder cannot be made, numba chooses its own.
    """
    if CHOSEN or not module.startswith("nodes."):
        return
    numba.config.CACHE_DIR = _folder(module)


@cache
def _folder(module: str) -> str:
    state = hashlib.sha256()
    for name, text in sorted(_texts(module).items()):
        state.update(name.encode() + b"\0" + text + b"\0")
    folder = ROOT / "nodes" / "__pycache__" / "kernels" / f"{module}-{state.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    for old in folder.parent.glob(f"{module}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return str(folder)


def _texts(module: str) -> dict[str, bytes]:
    """The text of a module of ours and of all that it imports, by name."""
    found: dict[str, bytes] = {}
    left = [module, __name__]
    while left:
        name = left.pop()
        path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not path.is_file():
            continue
        found[name] = path.read_bytes()
        left += [match.decode() for match in IMPORT.findall(found[name])]
    return found

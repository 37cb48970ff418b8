"""The loops that nodes call, in ``kernels.txt``, compiled before anyone waits for them.

``resources/update_kernels.py`` writes the table: a loop and the kinds of its arguments a line, in the order of use. It
is advice and no more: a loop that it lacks is compiled when a node calls it, one that is gone is passed over.
"""

from __future__ import annotations

import hashlib
import importlib
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from nodes.mesh._code_folders import folders, roots, texts

TABLE = Path(__file__).with_name("kernels.txt")
BETWEEN = "; "


class Loop(NamedTuple):
    """``kinds``: numba's types of the arguments, as ``nodes/mesh/_kinds.py`` writes them."""

    module: str
    name: str
    kinds: tuple[str, ...]


def text_of(loops: Iterable[Loop]) -> str:
    return "".join(f"{loop.module} {loop.name} {BETWEEN.join(loop.kinds)}\n" for loop in loops)


def read() -> list[Loop]:
    rows = (line.split(" ", 2) for line in TABLE.read_text("utf-8").splitlines())
    return [Loop(module, name, tuple(kinds.split(BETWEEN))) for module, name, kinds in rows]


def places() -> tuple[Path, ...]:
    """The folders, best first, of which one takes what is prepared."""
    return roots()


def state() -> str:
    """A name for all that decides what there is to prepare."""
    loops = read()
    made_of = [folder.name for module in sorted({loop.module for loop in loops}) for folder in folders(module)[:1]]
    machine = (platform.node(), platform.machine(), platform.processor(), sys.version_info[:2], version("numba"))
    return hashlib.sha256(repr((loops, made_of, machine)).encode()).hexdigest()[:20]


def size() -> int:
    """How many loops there are to compile on a new computer."""
    return len(read())


def tasks(first: Sequence[str] = ()) -> list[tuple[str, Callable[[], None]]]:
    """What is not there yet, with names for people. ``first``: modules of nodes whose loops come before others."""
    near = texts(*first, within_functions=True) if first else {}
    loops = sorted(read(), key=lambda loop: loop.module not in near)
    found = [(loop, _dispatcher(loop)) for loop in loops]
    return [(f"{loop.module}.{loop.name}", task) for loop, d in found if d and (task := _task(d, loop))]


def exists(loop: Loop) -> bool:
    """Whether there still is such a loop, of so many arguments."""
    return _dispatcher(loop) is not None


def _dispatcher(loop: Loop) -> Any:
    found: Any
    try:
        found = getattr(importlib.import_module(loop.module), loop.name, None)
    except ImportError:
        return None
    takes = found.py_func.__code__.co_argcount if hasattr(found, "py_func") else None
    return found if takes == len(list(filter(None, loop.kinds))) else None


def _task(dispatcher: Any, loop: Loop) -> Callable[[], None] | None:
    from nodes.mesh._kinds import kinds_of

    kinds = kinds_of(loop.kinds)
    if kinds is None or dispatcher._cache.has(kinds, dispatcher.targetctx):
        return None
    return lambda: dispatcher.compile(kinds)

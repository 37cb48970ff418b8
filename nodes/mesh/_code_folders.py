"""Where the machine code of a module's loops lies. Knows nothing of the compiler, so that a look at it costs little."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from app.engine import places

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(rb"^from (nodes\.[\w.]+) import ", re.MULTILINE)
ANYWHERE = re.compile(rb"^\s*from (nodes\.[\w.]+) import ", re.MULTILINE)
COMPILER = "nodes.mesh._jit"


def roots() -> tuple[Path, ...]:
    """The folders of all machine code: beside the program, and with what is kept per user where that cannot be written.

    ``NUMBA_CACHE_DIR`` names another one.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(chosen),) if chosen else (ROOT / "nodes" / "__pycache__" / "kernels", places.home() / "kernels")


@cache
def folders(module: str) -> tuple[Path, ...]:
    """One in each root, named after the module's text and that of every module it takes loops from: a constant or an
    inlined loop of another module may change, and yesterday's machine code must not be used then."""
    state = hashlib.sha256()
    for name, text in sorted(texts(module).items()):
        state.update(name.encode() + b"\0" + text + b"\0")
    return tuple(root / f"{module}-{state.hexdigest()[:16]}" for root in roots())


def texts(*modules: str, within_functions: bool = False) -> dict[str, bytes]:
    """The texts of modules of ours and of all that they import, by name. Of the decorators, their own text alone."""
    found = {COMPILER: _text(COMPILER)}
    left = list(modules)
    while left:
        name = left.pop()
        if name in found or not (text := _text(name)):
            continue
        found[name] = text
        left += [match.decode() for match in (ANYWHERE if within_functions else IMPORT).findall(text)]
    return found


@cache
def _text(module: str) -> bytes:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return path.read_bytes() if path.is_file() else b""

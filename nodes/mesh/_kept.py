"""Machine code of loops on disk: one file for each function and kinds of arguments, so that writers never share one.

It stands in for numba's own cache, whose index of all kinds of arguments of a function is read, changed and written:
two processes that compile the same function at once can leave an index that names the other's code.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import shutil
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numba  # noqa: TID253
from numba.core import serialize  # noqa: TID253
from numba.core.compiler import CompileResult  # noqa: TID253

from nodes.mesh._kinds import written

_log = logging.getLogger("polyloom.kernels")
DIGEST = 32


class Kept:
    """What a numba dispatcher asks of its cache. ``folders``: looked through in order; the first that lets itself be
    written takes what is new. A file that is cut short or damaged counts as absent, and a full or read-only disk means
    that the code is compiled again next time: nothing here ever fails a node."""

    def __init__(self, loop: Callable[..., Any], folders: Sequence[Path]) -> None:
        self._folders = folders
        self.module, self.name = loop.__module__, loop.__qualname__
        self._name = f"{loop.__qualname__}-{loop.__code__.co_firstlineno}".replace("<", "").replace(">", "")
        cells = tuple(cell.cell_contents for cell in loop.__closure__ or ())
        self._made_of = loop.__code__.co_code + (serialize.dumps(cells) if cells else b"")
        if not self.module.startswith("nodes."):  # a person's own file: its text is in no folder's name
            with contextlib.suppress(OSError):
                self._made_of += Path(loop.__code__.co_filename).read_bytes()

    @property
    def cache_path(self) -> str:
        return str(self._folders[0]) if self._folders else ""

    def has(self, kinds: Sequence[Any], target: Any) -> bool:
        """Whether code for arguments of these numba types is there."""
        name = self._file(kinds, target.codegen())
        return any((folder / name).is_file() for folder in self._folders)

    def load_overload(self, kinds: Sequence[Any], target: Any) -> Any:
        target.refresh()
        name = self._file(kinds, target.codegen())
        for folder in self._folders:
            with contextlib.suppress(OSError):
                data = (folder / name).read_bytes()
                if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST]:
                    return CompileResult._rebuild(target, *pickle.loads(data[DIGEST:]))
                _log.warning("%s is damaged and is made anew", name)
        return None

    def save_overload(self, kinds: Sequence[Any], made: Any) -> None:
        if any(not part.can_cache for part in made.lifted) or made.library.has_dynamic_globals:
            return
        data = serialize.dumps(made._reduce())
        name = self._file(kinds, made.codegen)
        for folder in self._folders:
            try:
                _write(folder, name, hashlib.sha256(data).digest() + data)
            except OSError as error:
                _log.info("%s cannot be kept in its folder: %s", name, error.strerror)
            else:
                return

    def flush(self) -> None:
        """Forget nothing: a file is replaced when its code is made again."""

    def enable(self) -> None:
        """It always is."""

    def disable(self) -> None:
        self._folders = ()

    def _file(self, kinds: Sequence[Any], codegen: Any) -> str:
        """The kinds of arguments, the processor, numba, Python and what the loop is made of, in a name."""
        state = (tuple(map(written, kinds)), codegen.magic_tuple(), numba.__version__, sys.version_info[:2])
        return f"{self._name}.{hashlib.sha256(repr(state).encode() + self._made_of).hexdigest()[:20]}.nbc"


def _write(folder: Path, name: str, data: bytes) -> None:
    """Whole or not at all. The first file of a folder sweeps those of the module's earlier texts away."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*"):
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
    part = folder / f"{uuid.uuid4().hex[:12]}.part"
    try:
        part.write_bytes(data)
        os.replace(part, folder / name)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise

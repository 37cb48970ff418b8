"""A package of nodes whose preparation writes files, so that preparing can be tried without a compiler."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

MODULE = """
import os, sys, time
from pathlib import Path

HERE = Path(__file__).parent

def places():
    return HERE / "first", HERE / "second"

def state():
    return os.environ.get("TOY_STATE", "one")

def size():
    return 4

def done(name):
    if name == os.environ.get("TOY_FAILS"):
        raise ValueError(name)
    if name == os.environ.get("TOY_SLOW"):
        time.sleep(60)
    (HERE / name).touch()
    if os.environ.get("TOY_LARGE") and "app.ui" not in sys.modules:
        from app.engine import preparing
        preparing._used_bytes = sys.modules["__main__"]._used_bytes = lambda: 10**12

def tasks(first=()):
    names = sorted(["a", "b", "c", "d"], key=lambda name: name not in first)
    return [(name, lambda name=name: done(name)) for name in names if not (HERE / name).exists()]
"""


def toy_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its name; this process and those it starts can import it."""
    name = f"toys_{folder.name.replace('-', '_')}"
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "preparation.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return name

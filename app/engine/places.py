"""Where per-user files go, by the custom of each system. ``POLYLOOM_HOME`` moves all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder for kept results, journals and logs; not made here."""
    chosen = os.environ.get("POLYLOOM_HOME")
    if chosen:
        return Path(chosen).absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "Polyloom"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Polyloom"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polyloom"


def store_folder() -> Path:
    """Kept results."""
    return home() / "store"

"""The folders that weights lie in: the one that was chosen, one per user, and the cache that the hub's users share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from app.engine.errors import CannotWrite
from app.engine.places import home

CHOICE = "weights.folder"


def folder() -> Path:
    """Where weights are kept: the folder that was chosen, else one per user. Not made here."""
    return chosen_folder() or home() / "weights"


def chosen_folder() -> Path | None:
    """What ``POLYLOOM_WEIGHTS`` says, else what the person chose in the window; the command line goes by it, too."""
    named = os.environ.get("POLYLOOM_WEIGHTS")
    if named:
        return Path(named).absolute()
    try:
        text = (home() / CHOICE).read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    return Path(text).absolute() if text else None


def folder_is_decided() -> bool:
    """Whether the environment names the folder, so that a choice in the window would have no effect."""
    return bool(os.environ.get("POLYLOOM_WEIGHTS"))


def choose_folder(path: Path | None) -> None:
    """Keep weights in another folder from now on; None: the usual one. Raises :class:`CannotWrite`."""
    if path is not None:
        make_folder(path)
    try:
        home().mkdir(parents=True, exist_ok=True)
        (home() / CHOICE).write_text("" if path is None else str(path.absolute()), "utf-8")
    except OSError as error:
        raise CannotWrite(f"The choice cannot be kept: {error.strerror}.", f"Check the rights of {home()}.") from None


def hub_folder() -> Path:
    """The cache that programs using the hub share, by the hub library's own variables."""
    for name, below in (("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub")):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser() / below
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "huggingface" / "hub"


def hub_target() -> Path:
    """The hub cache that new files go to: the person's own folder where one was chosen, else the shared one."""
    return chosen_folder() or hub_folder()


def free_bytes(path: Path) -> int:
    """Free space of the disk that a folder is on, or would be."""
    there = next(place for place in (path, *path.parents) if place.exists())
    return shutil.disk_usage(there).free


def make_folder(path: Path) -> None:
    """Raises :class:`CannotWrite`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"The folder {path} cannot be made: {error.strerror}.", "Choose another one with POLYLOOM_WEIGHTS."
        ) from None

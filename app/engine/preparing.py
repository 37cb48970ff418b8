"""Prepare for this computer, ahead of need, what node packages would otherwise make when a person waits for it.

A package may bring a module ``preparation`` with ``places()``, the folders of which one takes what is prepared;
``state()``, a short name for all that decides what there is to do; and ``tasks(first)``, what is not done yet, as
(name, function) pairs, beginning with what the modules ``first`` use. As a program, this module does it for the window:
at low priority, with a line on standard output for each step, until done or until standard input is closed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal

from app.engine.registry import discover

Outcome = Literal["ready", "failed", "busy", "nowhere"]
Tell = Callable[[int, int, str], None]
EXIT: dict[Outcome, int] = {"ready": 0, "failed": 1, "busy": 3, "nowhere": 4}
LOCK, MARK = "preparing.lock", "ready-"
_log = logging.getLogger("polyloom.preparing")


def prepare(packages: Sequence[str], tell: Tell, first: Sequence[str] = ()) -> Outcome:
    """Do what there is to do. ``tell(done, all, name)`` before each step. ``first``: node types to begin with.

    ``busy``: another process is at it. ``nowhere``: no folder can be written. ``failed``: some step did not work, which
    means that a node will do it itself and say so.
    """
    outcome: Outcome = "ready"
    for module in _modules(packages):
        done = _prepare(module, tell, _homes(packages, first))
        outcome = done if done != "ready" else outcome
    return outcome


def _prepare(module: Any, tell: Tell, first: Sequence[str]) -> Outcome:
    mark = MARK + module.state()
    if any((place / mark).exists() for place in module.places()):
        return "ready"
    place = next(filter(_writable, module.places()), None)
    if place is None:
        return "nowhere"
    with _alone(place / LOCK) as free:
        if not free:
            return "busy"
        if not _do(module.tasks(first), tell):
            return "failed"
        for old in place.glob(f"{MARK}*"):
            old.unlink(missing_ok=True)
        (place / mark).touch()
    return "ready"


def _do(tasks: Sequence[tuple[str, Callable[[], object]]], tell: Tell) -> bool:
    failed = 0
    for number, (name, task) in enumerate(tasks):
        tell(number, len(tasks), name)
        try:
            task()
        except Exception:
            failed += 1
            _log.exception("%s cannot be prepared", name)
    tell(len(tasks), len(tasks), "")
    return not failed


def _modules(packages: Sequence[str]) -> list[Any]:
    names = [f"{package}.preparation" for package in packages]
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]


def _homes(packages: Sequence[str], types: Sequence[str]) -> list[str]:
    """The modules of node types."""
    registry = discover(packages) if types else {}
    return sorted({registry[type].call.__module__ for type in types if type in registry})


def _writable(place: Path) -> bool:
    probe = place / f"probe-{os.getpid()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether this process holds the lock of a file; it falls back when the process ends, however it does."""
    with path.open("ab") as file:
        yield _lock(file)


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """For the window. See the top of this file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--first", nargs="*", default=[])
    options = parser.parse_args(arguments)
    threading.Thread(target=_end_with_the_window, daemon=True).start()
    _stand_back()
    return EXIT[prepare(options.packages, _print, options.first)]


def _print(done: int, all: int, name: str) -> None:
    sys.stdout.write(f"{done} {all} {name}\n")
    sys.stdout.flush()


def _end_with_the_window() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _stand_back() -> None:
    """The least that the system gives to a process, so that the window and its nodes go first."""
    with contextlib.suppress(Exception):
        import psutil

        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(19)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

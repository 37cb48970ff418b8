"""Prepare for this computer, ahead of need, what node packages would otherwise make when a person waits for it.

A package may bring a module ``preparation`` with ``places()``, the folders of which one takes what is prepared;
``state()``, a short name for all that decides what there is to do; ``size()``, how many steps that is in all; and
``tasks(first)``, those not done yet, as (name, function) pairs, beginning with what the modules ``first`` use. As a
program, this module does it for the window: at low priority, with a line on standard output for each step, until done,
until much memory is used up, to be started again, or until standard input is closed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal

from app.engine.registry import discover

Outcome = Literal["ready", "failed", "busy", "nowhere", "again"]
Tell = Callable[[int, int, str], None]
EXIT: dict[Outcome, int] = {"ready": 0, "failed": 1, "busy": 3, "nowhere": 4, "again": 5}
LOCK, MARK = "preparing.lock", "ready-"
ENOUGH_BYTES = 600_000_000
_log = logging.getLogger("polyloom.preparing")


def prepare(packages: Sequence[str], tell: Tell, first: Sequence[str] = (), most_bytes: float = math.inf) -> Outcome:
    """Do what there is to do. ``tell(done, all, name)`` before each step. ``first``: node types to begin with.

    ``busy``: another process is at it. ``nowhere``: no folder can be written. ``failed``: some step did not work, which
    means that a node will do it itself and say so. ``again``: this process uses ``most_bytes`` and should
    be followed by a fresh one, as compilers give nothing back.
    """
    outcome: Outcome = "ready"
    for module in _modules(packages):
        done = _prepare(module, tell, lambda: _homes(packages, first), most_bytes)
        outcome = done if done != "ready" else outcome
    return outcome


def _prepare(module: Any, tell: Tell, first: Callable[[], list[str]], most_bytes: float) -> Outcome:
    mark = MARK + module.state()
    if any((place / mark).exists() for place in module.places()):
        return "ready"
    place = next(filter(_writable, module.places()), None)
    if place is None:
        return "nowhere"
    with _alone(place / LOCK) as free:
        if not free:
            return "busy"
        if (outcome := _do(module.tasks(first()), module.size(), tell, most_bytes)) != "ready":
            return outcome
        for old in place.glob(f"{MARK}*"):
            old.unlink(missing_ok=True)
        (place / mark).touch()
    return "ready"


def _do(tasks: Sequence[tuple[str, Callable[[], object]]], all: int, tell: Tell, most_bytes: float) -> Outcome:
    before, worked = all - len(tasks), 0
    for number, (name, task) in enumerate(tasks):
        tell(before + number, all, name)
        try:
            task()
            worked += 1
        except Exception:
            _log.exception("%s cannot be prepared", name)
        if worked and number + 1 < len(tasks) and _used_bytes() > most_bytes:
            return "again"
    tell(all, all, "")
    return "ready" if worked == len(tasks) else "failed"


def _used_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


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
    return EXIT[prepare(options.packages, _print, options.first, ENOUGH_BYTES)]


def _print(done: int, all: int, name: str) -> None:
    sys.stdout.write(f"{done} {all} {name}\n")
    sys.stdout.flush()


def _end_with_the_window() -> None:
    """Reads below Python's buffers, whose lock a waiting thread would still hold when the program ends."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
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

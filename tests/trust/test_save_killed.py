"""Saving, killed at every single step of it: the old file or the new one is there, and no backup is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD = 14

VICTIMS = """
import io, json, os, shutil, sys, tempfile
from pathlib import Path
from app.engine import graph_file
from app.engine.graph import Graph, Node
from app.engine.graph_file import BACKUP_FOLDER, read, save

OLD, FILL = int(sys.argv[2]), int(sys.argv[3])
steps = 0
os.fsync = lambda handle: None  # a killed process loses nothing that the system has; flushing only costs time


def graph(value):
    return Graph({"a": Node("a", "toy.constant", {"value": value, "text": "x" * FILL})})


def step(place):
    global steps
    steps += 1
    if steps == LAST:
        os.kill(os.getpid(), 9)


def by_line(frame, event, _):
    if frame.f_code.co_filename not in (graph_file.__file__, tempfile.__file__):
        return None
    step(event)
    return by_line


class Torn(io.FileIO):
    def write(self, data):
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            step("write")
            super().write(piece)
        step("written")
        return len(data)


def by_call():
    os.fdopen = lambda handle, mode: Torn(handle, mode)
    for name in ("fsync", "replace", "chmod", "mkdir", "unlink", "open", "close"):
        real = getattr(os, name)

        def both(*given, real=real, **named):
            step("before")
            result = real(*given, **named)
            step("after")
            return result

        setattr(os, name, both)


def child(how, folder, last):
    global LAST
    LAST = last
    by_call() if how == "calls" else sys.settrace(by_line)
    save(folder / "work.graph", graph(OLD + 1))
    sys.settrace(None)
    os._exit(0)


def look(folder, last):
    path = folder / "work.graph"
    values = [read(p).nodes["a"].params["value"] for p in [path, *(folder / BACKUP_FOLDER).glob("work.graph.*")]]
    kept = values[0] in (OLD, OLD + 1) and set(range(OLD - 9, OLD + 1)) <= set(values)
    save(path, graph(OLD + 2))
    after = {read(p).nodes["a"].params["value"] for p in (folder / BACKUP_FOLDER).glob("work.graph.*")}
    again = read(path).nodes["a"].params["value"] == OLD + 2 and set(range(OLD - 7, OLD + 1)) <= after
    return None if kept and again else [last, values, sorted(after)]


base = Path(sys.argv[1])
first = base / "first"
first.mkdir()
for value in range(OLD + 1):
    save(first / "work.graph", graph(value))
wrong, last = [], 0
while True:
    last += 1
    folder = base / "victim"
    shutil.copytree(first, folder)
    pid = os.fork()
    if pid == 0:
        child(sys.argv[4], folder, last)
    status = os.waitpid(pid, 0)[1]
    told = look(folder, last)
    wrong += [told] if told else []
    shutil.rmtree(folder)
    if status == 0:
        break
print(json.dumps({"steps": last - 1, "wrong": wrong[:5]}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a kill at a chosen step needs fork")
@pytest.mark.parametrize(("how", "fill", "least"), [("lines", 0, 100), ("calls", 200_000, 20)])
def test_a_kill_at_any_step_of_a_save_loses_nothing(tmp_path: Path, how: str, fill: int, least: int) -> None:
    """``lines``: killed before every line of the save. ``calls``: before and after every call to the
    system, and in the middle of every write."""
    command = [sys.executable, "-c", VICTIMS, str(tmp_path), str(OLD), str(fill), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [] and said["steps"] > least

"""The store, killed at every line of publishing, opening and sweeping: a result is whole or is made again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = """
import json, os, shutil, sys
from pathlib import Path
import numpy as np
from app.engine import file_digests, store as module
from app.engine.codec import digest, encode
from app.engine.payloads import Image, Number
from app.engine.store import Store

outputs = {"big": Image(np.full((80, 80, 4), 0.25, np.float32)), "small": Number(3.0)}
names = {name: digest(encode(payload)) for name, payload in outputs.items()}
other = {"big": Image(np.full((90, 90, 4), 0.5, np.float32))}
steps = 0


def by_line(frame, event, _):
    global steps
    if frame.f_code.co_filename not in (module.__file__, file_digests.__file__):
        return None
    steps += 1
    if steps == LAST:
        os.kill(os.getpid(), 9)
    return by_line


def child(folder):
    sys.settrace(by_line)
    store = Store(folder, disk_bytes=1_000_000)
    store.sweep()
    store.publish("k", "t", outputs, 1.0)
    for number in range(3):
        store.publish(f"o{number}", "t", {"big": Image(np.full((150, 150, 4), number / 9, np.float32))}, 1.0)
    store.close()
    sys.settrace(None)
    os._exit(0)


def look(folder):
    store = Store(folder, disk_bytes=1_000_000)
    told = []
    for key, given in (("k", outputs), ("before", other)):
        entry = store.lookup(key)
        if key == "before" and entry is None:
            told.append("an older entry is gone")
        for name, payload in given.items() if entry else ():
            try:
                if digest(encode(store.load(entry.outputs[name]))) != digest(encode(payload)):
                    told.append("other bytes under a name")
            except KeyError:
                pass
    store.publish("k", "t", outputs, 1.0)
    store.release()
    entry = store.lookup("k")
    if not store.has(names.values()) or {n: digest(encode(store.load(d))) for n, d in entry.outputs.items()} != names:
        told.append("publishing again does not work")
    store.close()
    return told


base = Path(sys.argv[1])
store = Store(base / "first", disk_bytes=1_000_000)
store.publish("before", "t", other, 1.0)
store.close()
wrong, LAST = [], 0
while True:
    LAST += 1
    folder = base / "victim"
    shutil.copytree(base / "first", folder)
    pid = os.fork()
    if pid == 0:
        child(folder)
    status = os.waitpid(pid, 0)[1]
    wrong += [[LAST, *told] for told in [look(folder)] if told]
    shutil.rmtree(folder)
    if status == 0:
        break
print(json.dumps({"steps": LAST - 1, "wrong": wrong[:5]}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a kill at a chosen step needs fork")
def test_a_kill_at_any_line_of_the_store_leaves_whole_results(tmp_path: Path) -> None:
    command = [sys.executable, "-c", VICTIMS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [] and said["steps"] > 100

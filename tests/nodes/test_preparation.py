"""The table of loops to compile ahead of need is of today, and what is compiled from it is what nodes then find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.mesh._kinds import kinds_of, written
from nodes.preparation import TABLE, exists, read, text_of

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "run .venv/bin/python resources/update_kernels.py"
SOME = ("nodes.mesh._loop_sums ", "nodes.mesh._tables _edges ", "nodes.mesh._tables _link ")  # all that Subdivide calls
PREPARE = """
import sys
from pathlib import Path
import nodes.preparation
from app.engine.preparing import prepare
nodes.preparation.TABLE = Path(sys.argv[1])
print(prepare(["nodes"], lambda *_: None, ["mesh.subdivide"]), nodes.preparation.tasks())
"""
USE = """
from numba.core import event
from app.engine.executor import call_here
from app.engine.registry import discover
from app.engine.run import Run
made = event.RecordingListener()
event.register("numba:compile", made)
registry, said = discover(("nodes",)), []
run = Run(say=lambda fraction, words: said.append(words))
mesh = call_here(registry["mesh.subdivide"], {"mesh": registry["mesh.sphere"].call()}, run)
print(len(made.buffer), said)
"""


def test_every_loop_of_the_table_is_there_and_its_kinds_of_arguments_can_be_read() -> None:
    loops = read()
    assert len(loops) > 100 and text_of(loops) == TABLE.read_text("utf-8")
    gone = [f"{loop.module}.{loop.name}" for loop in loops if not exists(loop)]
    assert not gone, f"{gone} are no loops any more: {ADVICE}"
    for loop in loops:
        kinds = kinds_of(loop.kinds)
        assert kinds is not None and tuple(map(written, kinds)) == loop.kinds, loop


@pytest.mark.parametrize("text", ["Literal[int](3)", "__import__('os')", "Array(float64, 2", "List(int64, True)", "os"])
def test_a_kind_that_is_not_known_is_passed_over_and_runs_nothing(text: str) -> None:
    assert kinds_of((text,)) is None


def test_what_is_prepared_is_what_a_node_finds_in_another_process(tmp_path: Path) -> None:
    some = [line for line in TABLE.read_text("utf-8").splitlines(keepends=True) if line.startswith(SOME)]
    assert some
    (tmp_path / "kernels.txt").write_text("".join(some))
    around = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "code")}

    def python(text: str) -> str:
        command = [sys.executable, "-c", text, str(tmp_path / "kernels.txt")]
        return subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=True).stdout.strip()

    assert python(PREPARE) == "ready []"
    assert len(list((tmp_path / "code").rglob("*.nbc"))) == len(some)
    assert python(USE) == "0 []"

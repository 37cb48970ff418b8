"""The table of loops to compile ahead of need is of today, and what is compiled from it is what nodes then find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodes import preparation
from nodes.mesh._kinds import kinds_of, written
from nodes.preparation import TABLE, exists, read, text_of

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "run .venv/bin/python resources/update_kernels.py"
ASK = """
import sys
from pathlib import Path
from resources.update_kernels import Asked
from app.engine.executor import call_here
from app.engine.registry import discover
from app.engine.run import Run
from nodes.preparation import text_of
registry = discover(("nodes",))
with Asked() as asked:
    call_here(registry["mesh.subdivide"], {"mesh": registry["mesh.sphere"].call()}, Run())
Path(sys.argv[1]).write_text(text_of(asked.loops))
"""
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


def test_the_loops_of_the_table_are_there_and_their_kinds_of_arguments_can_be_read() -> None:
    """But for a few: a line that is out of date is passed over, and whoever changes a loop need not stop for it."""
    loops = read()
    assert len(loops) > 100 and text_of(loops) == TABLE.read_text("utf-8")
    gone = [f"{loop.module}.{loop.name}" for loop in loops if not exists(loop)]
    assert len(gone) <= len(loops) // 10, f"{gone} are no such loops any more: {ADVICE}"
    for loop in loops:
        kinds = kinds_of(loop.kinds)
        assert kinds is not None and tuple(map(written, kinds)) == loop.kinds, loop


@pytest.mark.parametrize("text", ["Literal[int](3)", "__import__('os')", "Array(float64, 2", "List(int64, True)", "os"])
def test_a_kind_that_is_not_known_is_passed_over_and_runs_nothing(text: str) -> None:
    assert kinds_of((text,)) is None


def test_what_is_prepared_is_what_a_node_finds_in_another_process(tmp_path: Path) -> None:
    """From a table of what one node calls, in an empty folder."""
    table, code = tmp_path / "kernels.txt", tmp_path / "code"

    def python(text: str, **around: str) -> str:
        command = [sys.executable, "-c", text, str(table)]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **around}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    python(ASK)
    assert table.read_text()
    assert python(PREPARE, NUMBA_CACHE_DIR=str(code)) == "ready []"
    assert len(list(code.rglob("*.nbc"))) >= len(table.read_text().splitlines())
    assert python(USE, NUMBA_CACHE_DIR=str(code)) == "0 []"


def test_lines_that_are_out_of_date_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("nodes.mesh._gone loop int64", "nodes.mesh._loop_sums gone int64", "nodes.mesh._loop_sums _around int64")
    (tmp_path / "kernels.txt").write_text("".join(f"{line}\n" for line in lines))
    monkeypatch.setattr(preparation, "TABLE", tmp_path / "kernels.txt")
    assert len(read()) == preparation.size() == 3 and preparation.tasks() == []

"""The worker process: crashes stay in their node, Cancel cancels, the next run works."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import Bench, calls, chain, graph_of, states

from app.engine.events import Progressed
from app.engine.processes import Child, python_path

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals in words are told on POSIX systems")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    with Bench(tmp_path, in_process=False) as bench:
        yield bench


def wait_until(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def test_the_process_gives_what_the_thread_gives(bench: Bench, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    with Bench(here) as thread:
        inside = thread.run(chain(5))
    outside = bench.run(chain(5))
    assert {id: r.key for id, r in inside.nodes.items()} == {id: r.key for id, r in outside.nodes.items()}
    assert bench.value(outside, "n4").value == 5.0


@POSIX
def test_a_segmentation_fault_costs_one_node(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "crashes"
    before, after = tmp_path / "before", tmp_path / "after"
    graph = graph_of(
        ("a", "constant", {"log": str(before)}), ("x", "crash", {"log": str(log)}), ("y", "add", {}),
        ("z", "add", {"log": str(after)}),
        links=(("a", "out", "x", "a"), ("x", "out", "y", "a"), ("a", "out", "z", "a")),
    )  # fmt: skip
    report = bench.run(graph)
    assert report.status == "partial"
    assert states(report) == {"a": "ran", "x": "failed", "y": "blocked", "z": "ran"}
    error = report.nodes["x"].error
    assert error and error.kind == "crashed" and "segmentation fault" in error.message
    assert calls(log) == 1 and calls(before) == 1 and calls(after) == 1
    assert bench.run(chain(3)).status == "ok"


def test_cancel_ends_a_node_that_never_looks_up(bench: Bench, tmp_path: Path) -> None:
    started = tmp_path / "started"
    graph = graph_of(
        ("a", "constant", {}), ("k", "block", {"started": str(started)}), ("z", "add", {}),
        links=(("a", "out", "k", "a"), ("k", "out", "z", "a")),
    )  # fmt: skip
    run_id = bench.start(graph)
    wait_until(started.exists)
    asked = time.monotonic()
    bench.worker.cancel(run_id)
    report = bench.wait(run_id, 20)
    assert report.status == "cancelled" and states(report) == {"a": "ran", "k": "cancelled", "z": "cancelled"}
    assert time.monotonic() - asked < 20
    assert bench.run(chain(3)).status == "ok"


def test_a_polite_node_is_cancelled_without_losing_the_process(bench: Bench, tmp_path: Path) -> None:
    started = tmp_path / "started"
    bench.run(chain(2))
    run_id = bench.start(graph_of(("s", "sleep", {"seconds": 60.0, "started": str(started)})))
    wait_until(started.exists)
    process = bench.worker._backend._child.process.pid  # type: ignore[union-attr]
    bench.worker.cancel(run_id)
    assert states(bench.wait(run_id)) == {"s": "cancelled"}
    assert bench.run(chain(3)).status == "ok"
    assert bench.worker._backend._child.process.pid == process  # type: ignore[union-attr]


def test_cancelling_one_run_never_hits_the_next(bench: Bench, tmp_path: Path) -> None:
    started = tmp_path / "started"
    first = bench.start(graph_of(("s", "sleep", {"seconds": 60.0, "started": str(started)})))
    second = bench.start(chain(3))
    third = bench.start(chain(4))
    wait_until(started.exists)
    bench.worker.cancel(first)
    bench.worker.cancel(third)
    assert bench.wait(first).status == "cancelled"
    assert bench.wait(second).status == "ok"
    assert bench.wait(third).status == "cancelled"


@pytest.mark.parametrize("how", ["crash", "hang"])
def test_an_isolated_node_that_crashes_or_hangs_uses_its_declared_fallback_and_says_so(bench: Bench, how: str) -> None:
    report = bench.run(graph_of(("i", "isolated", {"how": how})))
    assert report.status == "ok" and bench.value(report, "i").value == 0.0
    (note,) = report.nodes["i"].notes
    assert "fallback" in note and "a plain zero" in note
    again = bench.run(graph_of(("i", "isolated", {"how": how})))
    assert states(again) == {"i": "reused"} and again.nodes["i"].notes == (note,)


def test_an_isolated_node_that_works_reports_from_its_helper(bench: Bench) -> None:
    report = bench.run(graph_of(("i", "isolated", {"how": "work"})))
    assert bench.value(report, "i").value == 7.0 and report.nodes["i"].notes == ("a remark",)
    assert [event.note for event in bench.events if isinstance(event, Progressed)] == ["starting"]


def test_a_persons_own_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    file = own / "mine.py"
    text = "from app.engine import node, Number\n@node('own.n', title='N')\ndef n() -> Number: return Number({})\n"
    file.write_text(text.format("1.0"))
    with Bench(tmp_path, in_process=False) as bench:
        bench.worker.setup = type(bench.worker.setup)(tmp_path / "store", (), (own,), "cpu")
        graph = graph_of(("n", "own.n", {}))
        assert bench.value(bench.run(graph), "n").value == 1.0
        assert states(bench.run(graph)) == {"n": "reused"}
        file.write_text(text.format("22.0"))
        assert bench.value(bench.run(graph), "n").value == 22.0


def test_releasing_memory_ends_the_idle_process_and_the_next_run_works(bench: Bench) -> None:
    bench.run(chain(2))
    process = bench.worker._backend._child.process  # type: ignore[union-attr]
    bench.worker.release_memory()
    assert process.poll() is not None
    assert set(states(bench.run(chain(2))).values()) == {"reused"}


@pytest.mark.parametrize("given", [None, "", "{0}/lib", "{0}/lib{1}"])
def test_files_of_the_current_folder_are_no_modules_of_the_worker(
    given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "logging", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if given is not None:
        monkeypatch.setenv("PYTHONPATH", given.format(tmp_path, os.pathsep))
    child = Child("call")
    child.kill()
    assert python_path().split(os.pathsep) == [str(ROOT)] + [f"{tmp_path}/lib"] * bool(given)


@POSIX
def test_the_worker_process_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, os, time; from pathlib import Path; sys.path.insert(0, 'tests/engine')\n"
        "from helpers import Bench, graph_of\n"
        "bench = Bench(Path(sys.argv[1]), in_process=False)\n"
        "bench.start(graph_of(('k', 'sleep', {'seconds': 600.0, 'started': sys.argv[1] + '/started'})))\n"
        "while not os.path.exists(sys.argv[1] + '/started'): time.sleep(0.01)\n"
        "print(bench.worker._backend._child.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    pid = int(run.stdout)

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        except OSError:
            return True

    if not Path("/proc").exists():
        pytest.skip("needs /proc to look")
    try:
        wait_until(gone, 30)
    finally:
        if not gone():
            os.kill(pid, 9)

"""Cancel cancels whatever a node does; a lost process, a lost GPU and lost memory cost one node and no restart."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from helpers import Bench, calls, chain, graph_of, states

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
CANCEL_S = 2.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    with Bench(tmp_path, in_process=False) as bench:
        bench.run(chain(1))
        yield bench


def process(bench: Bench) -> int:
    return bench.worker._backend._child.process.pid  # type: ignore[union-attr]


def cancel_when_it_runs(bench: Bench, run_id: int, started: Path) -> float:
    """Seconds from asking to the end of the run."""
    end = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < end, "the node did not start"
        time.sleep(0.005)
    asked = time.monotonic()
    bench.worker.cancel(run_id)
    assert bench.wait(run_id, 30).status == "cancelled"
    return time.monotonic() - asked


@pytest.mark.parametrize("kind", ["block", "model"])
def test_cancel_ends_native_code_and_the_loading_of_a_model(bench: Bench, tmp_path: Path, kind: str) -> None:
    log = tmp_path / "started"
    params = {"seconds": 60.0, "started": str(log)} if kind == "block" else {"blocks": 60.0, "log": str(log)}
    graph = graph_of(("k", kind, params), ("z", "add", {}), ("y", "add", {}),
                     links=(("k", "out", "z", "a"), ("z", "out", "y", "a")))  # fmt: skip
    seconds = []
    for _ in range(3):
        log.unlink(missing_ok=True)
        run_id = bench.start(graph)
        seconds.append(cancel_when_it_runs(bench, run_id, log))
        assert states(bench.wait(run_id)) == dict.fromkeys("kzy", "cancelled")
        assert bench.run(chain(3)).status == "ok"
    assert min(seconds) < CANCEL_S


def test_models_are_loaded_again_only_when_the_process_had_to_be_killed(bench: Bench, tmp_path: Path) -> None:
    loads, started = tmp_path / "loads", tmp_path / "started"

    def loaded(plus: float) -> int:
        graph = graph_of(("a", "constant", {"value": plus}), ("m", "model", {"log": str(loads)}),
                         links=(("a", "out", "m", "a"),))  # fmt: skip
        assert bench.run(graph).status == "ok"
        return calls(loads)

    assert (loaded(1.0), loaded(2.0)) == (1, 1)
    polite = bench.start(graph_of(("s", "sleep", {"seconds": 60.0, "started": str(started)})))
    cancel_when_it_runs(bench, polite, started)
    assert loaded(3.0) == 1
    started.unlink()
    stubborn = bench.start(graph_of(("k", "block", {"seconds": 60.0, "started": str(started)})))
    cancel_when_it_runs(bench, stubborn, started)
    assert loaded(4.0) == 2


def test_releasing_memory_while_a_model_loads_does_not_hold_up_cancel(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "started"
    run_id = bench.start(graph_of(("m", "model", {"blocks": 60.0, "log": str(log)})))
    while not log.exists():
        time.sleep(0.005)
    bench.worker.release_memory()
    cancel_when_it_runs(bench, run_id, log)
    assert bench.run(chain(3)).status == "ok"


@POSIX
@pytest.mark.parametrize(("kind", "words"), [("killed", "memory ran out"), ("lost_gpu", "lost the GPU")])
def test_a_killed_process_and_a_lost_gpu_cost_one_node_and_are_said_in_words(
    bench: Bench, tmp_path: Path, kind: str, words: str
) -> None:
    log, before = tmp_path / "tries", process(bench)
    graph = graph_of(
        ("a", "constant", {}), ("x", kind, {"log": str(log)}), ("y", "add", {}), ("ok", "add", {"plus": 1.0}),
        links=(("a", "out", "x", "a"), ("x", "out", "y", "a"), ("a", "out", "ok", "a")),
    )  # fmt: skip
    report = bench.run(graph)
    assert report.status == "partial"
    assert states(report) == {"a": "reused", "x": "failed", "y": "blocked", "ok": "ran"}
    error = report.nodes["x"].error
    assert error and error.kind == "crashed" and words in error.message and error.advice
    assert process(bench) != before and calls(log) == 1
    assert bench.run(chain(4)).status == "ok"
    assert states(bench.run(graph))["x"] == "failed" and calls(log) == 2


@POSIX
def test_many_crashes_in_one_run_each_cost_their_own_node(bench: Bench) -> None:
    names = [f"x{i}" for i in range(4)]
    graph = graph_of(*((name, "killed", {}) for name in names), ("ok", "constant", {"value": 9.0}))
    report = bench.run(graph)
    assert states(report) == {**dict.fromkeys(names, "failed"), "ok": "ran"} and report.status == "partial"


@pytest.mark.parametrize(
    ("times", "value", "models"), [(0, 512.0, "1"), (1, 512.0, "10"), (2, 16.0, "100"), (3, None, "100")]
)
def test_out_of_memory_releases_models_tries_again_then_cheaper_then_says_what_to_do(
    bench: Bench, tmp_path: Path, times: int, value: float | None, models: str
) -> None:
    log = tmp_path / "tries"
    graph = graph_of(("m", "model", {}), ("g", "greedy", {"times": times, "log": str(log)}),
                     links=(("m", "out", "g", "a"),))  # fmt: skip
    report = bench.run(graph)
    assert log.read_text() == models
    result = report.nodes["g"]
    if value is None:
        assert result.error and result.error.kind == "out-of-memory" and result.error.advice
    else:
        assert bench.value(report, "g").value == value
        assert any("cheaper" in note and "tile = 16" in note for note in result.notes) == (times == 2)
    assert bench.run(chain(3)).status == "ok"
    assert bench.run(graph).status == "ok"


def test_a_helper_that_lost_the_gpu_is_renewed_alone(bench: Bench) -> None:
    before = process(bench)
    report = bench.run(graph_of(("i", "isolated", {"how": "gpu"})))
    (note,) = report.nodes["i"].notes
    assert report.status == "ok" and "lost the GPU" in note and "fallback" in note and process(bench) == before


def test_a_helper_that_ran_out_of_memory_is_tried_again_in_a_fresh_process(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "pids"
    report = bench.run(graph_of(("i", "isolated", {"how": "memory", "log": str(log)})))
    error, tries = report.nodes["i"].error, log.read_text().split()
    assert error and error.kind == "out-of-memory" and len(tries) == len(set(tries)) == 2
    assert bench.run(graph_of(("i", "isolated", {"how": "work"}))).status == "ok"

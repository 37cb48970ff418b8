"""A real GPU: what the pool holds is given back, memory errors cost a retry, a broken device costs one node."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest
import torch
from helpers import TOYS, Bench, graph_of, states

from app.engine import Run, place
from app.engine.devices import choose_device
from app.engine.models import ModelPool
from app.engine.placement import free_gb, total_gb
from app.engine.worker import Setup, Worker

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    gc.collect()
    torch.cuda.empty_cache()
    bench = Bench(tmp_path, in_process=False)
    bench.worker.close()
    bench.worker = Worker(Setup(tmp_path / "store", (), (TOYS,), "auto"), bench._take)
    with bench:
        yield bench


def used_gb() -> float:
    free, total = torch.cuda.mem_get_info()
    return (total - free) / 1e9


def settled(limit: float, seconds: float = 20.0) -> float:
    """GPU memory in use, once it fell below a limit or the time is over."""
    end = time.monotonic() + seconds
    while used_gb() > limit and time.monotonic() < end:
        time.sleep(0.05)
    return used_gb()


def linear(gigabytes: float) -> torch.nn.Module:
    return torch.nn.Linear(int(gigabytes * 250_000_000), 1, bias=False, device="cuda")


def test_auto_means_the_gpu_and_its_memory_is_known() -> None:
    free, total = free_gb("cuda"), total_gb("cuda")
    assert choose_device("auto") == "cuda" and free is not None and total is not None and 0 < free <= total
    assert place(Run(), full_gb=2.0).key == "cuda half"
    assert place(Run(), full_gb=total * 4).offload


def test_the_pool_measures_and_gives_back() -> None:
    pool, before = ModelPool(), torch.cuda.memory_reserved()
    with pool.use("a cuda", lambda: linear(1.0), 1.0):
        assert pool.held_gb("cuda") == pytest.approx(1.0, rel=0.01)
        pool.release()
        assert pool.names() == ("a cuda",)
    assert torch.cuda.memory_reserved() >= before + 0.99e9
    pool.release()
    assert torch.cuda.memory_reserved() <= before + 0.1e9


def test_the_least_recently_used_model_leaves_the_device_before_the_next_is_loaded() -> None:
    pool, peak = ModelPool(budget_gb=2.5), []
    for name in ("a", "b", "c", "d"):
        with pool.use(f"{name} cuda", lambda: linear(1.0), 1.0):
            peak.append(torch.cuda.memory_allocated() / 1e9)
    assert pool.names() == ("c cuda", "d cuda") and max(peak) < 2.2
    pool.release()


def test_idle_models_make_room_when_memory_runs_out(bench: Bench) -> None:
    graph = graph_of(
        ("h", "gpu.hold", {"share": 0.6, "name": "big"}), ("x", "gpu.hungry", {"share": 0.6}),
        links=(("h", "out", "x", "a"),),
    )  # fmt: skip
    report = bench.run(graph)
    assert report.status == "ok" and bench.value(report, "x").value == 0.6
    assert not report.nodes["x"].notes


def test_too_much_is_tried_again_cheaper_and_said(bench: Bench) -> None:
    report = bench.run(graph_of(("x", "gpu.hungry", {"share": 1.5})))
    assert report.status == "ok" and bench.value(report, "x").value == 0.05
    assert any("cheaper" in note for note in report.nodes["x"].notes)


def test_too_much_without_a_cheaper_way_fails_in_words_and_the_next_run_works(bench: Bench) -> None:
    report = bench.run(graph_of(("x", "gpu.hold", {"share": 1.5})))
    error = report.nodes["x"].error
    assert states(report) == {"x": "failed"} and error and error.kind == "out-of-memory" and error.advice
    assert bench.run(graph_of(("x", "gpu.hold", {"share": 0.1}))).status == "ok"


def test_a_broken_device_costs_one_node(bench: Bench) -> None:
    graph = graph_of(("x", "gpu.breaks", {}), ("y", "gpu.hungry", {"share": 0.1}))
    report = bench.run(graph)
    assert states(report) == {"x": "failed", "y": "ran"} and report.status == "partial"
    assert bench.run(graph_of(("z", "gpu.hungry", {"share": 0.2}))).status == "ok"


def test_cancel_and_release_give_the_memory_back(bench: Bench, tmp_path: Path) -> None:
    before = used_gb()
    total = torch.cuda.mem_get_info()[1] / 1e9
    assert bench.run(graph_of(("h", "gpu.hold", {"share": 0.3}))).status == "ok"
    assert used_gb() > before + 0.29 * total, "the model stays warm"
    started = tmp_path / "started"
    run_id = bench.start(graph_of(("e", "gpu.endless", {"started": str(started)})))
    end = time.monotonic() + 60
    while not started.exists() and time.monotonic() < end:
        time.sleep(0.02)
    bench.worker.cancel(run_id)
    assert bench.wait(run_id).status == "cancelled"
    assert settled(before + 0.3) < before + 0.3
    assert bench.run(graph_of(("h", "gpu.hold", {"share": 0.25}))).status == "ok"
    bench.worker.release_memory()
    assert settled(before + 0.3) < before + 0.3

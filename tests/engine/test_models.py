"""The pool of loaded models, and where models are placed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from app.engine import Cancelled, Run, place, placement
from app.engine.models import ModelPool, model_bytes


def module(megabytes: float = 1.0) -> torch.nn.Module:
    return torch.nn.Linear(int(megabytes * 250_000), 1, bias=False)


@dataclass
class Pipeline:
    components: dict[str, Any]


def use(pool: ModelPool, name: str, load: Callable[[], Any] = module, gigabytes: float = 0.001) -> Any:
    with pool.use(name, load, gigabytes) as model:
        return model


def test_equal_names_share_one_model_and_what_it_holds_is_measured() -> None:
    pool = ModelPool()
    assert use(pool, "a cpu", lambda: module(3), 99.0 * 0) is use(pool, "a cpu", lambda: pytest.fail("loaded twice"))
    assert pool.held_gb("cpu") == pytest.approx(0.003) and pool.held_gb("cuda") == 0 and pool.names() == ("a cpu",)


def test_the_least_recently_used_goes_first_and_one_in_use_never() -> None:
    pool = ModelPool(budget_gb=0.0035)
    for name in ("a", "b", "c"):
        use(pool, name)
    use(pool, "a")
    with pool.use("c", module, 0.001):
        use(pool, "d", lambda: module(2), 0.002)
        assert pool.names() == ("c", "d")
        pool.release()
        assert pool.names() == ("c",) and pool.idle_gb("cpu") == 0
    pool.release()
    assert pool.names() == ()


def test_a_failed_load_leaves_nothing_behind() -> None:
    pool = ModelPool()

    def fail() -> Any:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        use(pool, "a", fail)
    assert pool.names() == () and pool.held_gb("cpu") == 0
    assert isinstance(use(pool, "a"), torch.nn.Linear)


def test_another_thread_that_waits_for_a_load_can_be_stopped() -> None:
    pool, loading, go_on = ModelPool(), threading.Event(), threading.Event()

    def slow() -> Any:
        loading.set()
        assert go_on.wait(10)
        return module()

    thread = threading.Thread(target=use, args=(pool, "a", slow))
    thread.start()
    assert loading.wait(10)
    run = Run()
    run.stop.set()
    with pytest.raises(Cancelled), pool.use("a", module, 0.001, run.check):
        pass
    assert isinstance(use(pool, "another"), torch.nn.Linear), "other models load meanwhile"
    go_on.set()
    thread.join(10)
    assert pool.names() == ("another", "a") or pool.names() == ("a", "another")


def test_tensors_are_counted_once_wherever_they_hang() -> None:
    shared = module(2)
    both = Pipeline({"one": shared, "two": torch.nn.Sequential(shared), "name": "x", "list": [module(1)]})
    assert model_bytes(both) == {"cpu": 3_000_000} and model_bytes("nothing") == {}


@pytest.mark.parametrize(
    ("free", "device", "expected"),
    [
        (40.0, "cuda", "cuda half"),
        (10.0, "cuda", "cuda half slicing tiling"),
        (4.0, "cuda", "cuda half offload slicing tiling"),
        (40.0, "cpu", "cpu"),
        (14.0, "cpu", "cpu slicing tiling"),
        (8.0, "mps", "mps half slicing tiling"),
    ],
)
def test_a_model_is_placed_by_the_memory_at_hand(
    monkeypatch: pytest.MonkeyPatch, free: float, device: str, expected: str
) -> None:
    monkeypatch.setattr(placement, "free_gb", lambda _: free)
    run = Run()
    run.__dict__["device"] = device
    placed = place(run, full_gb=10.0, work_gb=1.0)
    assert placed.key == expected and f"{device}, " in placed.words
    assert placed.dtype == (torch.float16 if device != "cpu" else torch.float32)
    assert place(run, 10.0, half=False).dtype == torch.float32


def test_idle_models_count_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "free_gb", lambda _: 1.1)
    run = Run(wanted_device="cpu")
    assert place(run, 0.1, 0.8).key == "cpu slicing tiling"
    with run.models.use("held cpu", lambda: module(1), 0.001):
        held = run.models._loaded["held cpu"]
    held.held["cpu"] = 8.0
    assert place(run, 0.1, 0.8).key == "cpu"


def test_this_machine_says_how_much_memory_it_has() -> None:
    free, total = placement.free_gb("cpu"), placement.total_gb("cpu")
    assert free is not None and total is not None and 0 < free < total

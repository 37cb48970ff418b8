"""A node that waits for the compiler says so, once; Cancel ends the wait, and nothing is spoilt by it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import Cancelled
from app.engine.events import Event, Progressed, RunFinished
from app.engine.executor import call_here
from app.engine.graph import Graph, Node
from app.engine.isolated import Helper
from app.engine.registry import discover
from app.engine.run import Run, at_work
from app.engine.worker import Setup, Worker
from nodes.mesh._compiling import FIRST_TIME

LINES = "".join(
    f"    x = math.sin(x * {k}.5) / (1.0 + math.cos(x) * x) + math.sqrt(abs(x) + {k})\n" for k in range(300)
)
FILE = f'''
import math
from app.engine import Number, Run, node

def quick(x):
    return 2.0 * x

def long(x):
{LINES}    return x

def work(run, value, much):
    from nodes.mesh._jit import kernel
    run.progress(0.5, "counting")
    result = kernel(long if much else quick)(value)
    run.progress(0.9, "writing")
    return Number(result)

@node("own.apart", title="Apart", isolated=True)
def apart(run: Run, value: float = 3.0, much: bool = False) -> Number:
    """Doubles."""
    return work(run, value, much)

@node("own.waits", title="Waits")
def waits(run: Run, value: float = 3.0, much: bool = False) -> Number:
    """Doubles."""
    return work(run, value, much)
'''
Told = list[tuple[float, str]]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of node files; what is compiled lies beside it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "code"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "waits.py").write_text(FILE)
    return tmp_path / "own"


def listening(told: Told) -> Run:
    def take(fraction: float, note: str) -> None:
        told.append((fraction, note))

    return Run(take, say=take)


@pytest.mark.parametrize("type", ["own.waits", "own.apart"])
def test_it_says_what_it_waits_for_and_goes_on_with_its_own_words(own: Path, type: str) -> None:
    helper = Helper()
    for first in (True, False):
        told: Told = []
        call: Any = helper if type == "own.apart" else call_here
        assert call(discover((), (own,))[type], {"value": 3.0, "much": False}, listening(told)).value == 6.0
        waited = [(0.5, FIRST_TIME), (0.5, "counting")] if first else []
        assert told == [(0.5, "counting"), *waited, (0.9, "writing")]
        assert at_work() is None
    helper.close()


def test_who_cancelled_does_not_wait_for_the_next_loop(own: Path) -> None:
    from nodes.mesh._jit import kernel

    run = Run()

    def stubborn(run: Run) -> None:
        run.stop.set()
        kernel(quarter)(8.0)

    spec = discover((), (own,))["own.waits"]
    with pytest.raises(Cancelled):
        call_here(type("Spec", (), {"wants_run": True, "call": staticmethod(stubborn)}), {}, run)  # type: ignore[arg-type]
    assert not list((own.parent / "code").rglob("*.nbc"))
    assert call_here(spec, {"value": 3.0, "much": False}, Run()).value == 6.0


def quarter(x: float) -> float:
    return x / 4


def test_cancel_ends_a_long_wait_and_the_next_run_works(own: Path) -> None:
    heard: list[Event] = []
    changed = threading.Condition()

    def take(event: Event) -> None:
        with changed:
            heard.append(event)
            changed.notify_all()

    def wait_for(what: Any) -> None:
        with changed:
            assert changed.wait_for(lambda: any(map(what, heard)), 60), heard[-3:]

    with Worker(Setup(own.parent / "store", (), (own,), "cpu"), take) as worker:

        def start(value: float, much: bool) -> int:
            graph = Graph({"n": Node("n", "own.waits", {"value": value, "much": much})})
            return worker.submit(graph, own, own.parent / "out")

        first = start(1.0, True)
        wait_for(lambda e: isinstance(e, Progressed) and e.note == FIRST_TIME)
        worker.cancel(first)
        wait_for(lambda e: e == RunFinished(first, "cancelled", e.seconds) if isinstance(e, RunFinished) else False)
        second = start(2.0, False)
        wait_for(lambda e: isinstance(e, RunFinished) and (e.run_id, e.status) == (second, "ok"))
    kept = [path.name.split("-")[0] for path in (own.parent / "code").rglob("*.nbc")]
    assert kept == ["quick"]

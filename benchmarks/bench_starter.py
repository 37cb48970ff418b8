"""The starter graph from an empty store and again from a full one, with the time of every node in ``extra_info``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.report import RunReport
from app.engine.script import run_and_wait

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "resources" / "examples" / "starter.graph"


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp())
    yield SimpleNamespace(store=folder / "store", out=folder / "out")
    shutil.rmtree(folder)


def run(place) -> RunReport:
    graph = read(STARTER)
    report = RunReport(graph)
    run_and_wait(Setup(place.store, device="cpu"), graph, STARTER.parent, place.out, None, report)
    assert report.status == "ok"
    return report


def test_from_an_empty_store(benchmark, place) -> None:
    """Target: under 60 s on two cores."""

    def fresh() -> RunReport:
        shutil.rmtree(place.store, ignore_errors=True)
        return run(place)

    fresh()
    report = benchmark.pedantic(fresh, rounds=3)
    benchmark.extra_info["seconds by node"] = {id: round(node.seconds, 3) for id, node in report.nodes.items()}


def test_when_nothing_changed_process_start_included(benchmark, place) -> None:
    """Target: under 3 s."""
    run(place)
    command = [sys.executable, str(ROOT / "main.py"), "run", str(STARTER)]
    options = ["--store", str(place.store), "--out", str(place.out)]
    benchmark.pedantic(lambda: subprocess.run([*command, *options], check=True, capture_output=True), rounds=5)

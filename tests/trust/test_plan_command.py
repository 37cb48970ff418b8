"""``main.py plan`` before a run: what runs, is reused or blocked, how long, how much memory, and if it fits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import TOYS, graph_of

from app import cli, cli_text
from app.engine.graph import Graph
from app.engine.graph_file import save


def plan(graph: Graph, folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    save(folder / "g.graph", graph)
    command = ["plan", str(folder / "g.graph"), "--nodes", str(TOYS), "--store", str(folder / "store")]
    capsys.readouterr()
    assert cli.main([*command, "--json"], ()) in (0, 2)
    return dict(json.loads(capsys.readouterr().out))


def run(graph: Graph, folder: Path) -> None:
    save(folder / "g.graph", graph)
    command = ["run", str(folder / "g.graph"), "--nodes", str(TOYS), "--store", str(folder / "store"), "--in-process"]
    assert cli.main([*command, "--out", str(folder / "out")], ()) == 0


def sleeping(seconds: float) -> Graph:
    return graph_of(("c", "constant", {}), ("s", "sleep", {"seconds": seconds}), links=(("c", "out", "s", "a"),))


def test_what_runs_is_reused_and_is_blocked_and_how_long_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(sleeping(0.3), tmp_path)
    found = plan(sleeping(0.3), tmp_path, capsys)
    assert {id: node["state"] for id, node in found["nodes"].items()} == {"c": "reuse", "s": "reuse"}
    assert found["seconds"] == 0 and found["never_timed"] == 0 and found["fits"]
    blocked = graph_of(
        ("c", "constant", {}), ("s", "sleep", {"seconds": 0.4}), ("w", "write", {}), ("f", "fail", {}),
        links=(("c", "out", "s", "a"),),
    )  # fmt: skip
    found = plan(blocked, tmp_path, capsys)
    states = {id: node["state"] for id, node in found["nodes"].items()}
    assert states == {"c": "reuse", "s": "run", "w": "blocked", "f": "run"}
    assert found["nodes"]["s"]["expected_seconds"] >= 0.25 and found["seconds"] >= 0.25
    assert found["never_timed"] == 1 and [problem["node"] for problem in found["problems"]] == ["w"]


def test_what_does_not_fit_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(sleeping(0.1), tmp_path)
    real = cli.make_plan

    def heavy(*arguments: Any) -> Any:
        return replace(real(*arguments), peak_bytes=9 * 10**9)

    monkeypatch.setattr(cli, "make_plan", heavy)
    monkeypatch.setattr(cli_text, "available_bytes", lambda: 8 * 10**9)
    found = plan(sleeping(0.2), tmp_path, capsys)
    assert not found["fits"] and (found["peak_bytes"], found["available_bytes"]) == (9 * 10**9, 8 * 10**9)
    assert (
        cli.main(["plan", str(tmp_path / "g.graph"), "--nodes", str(TOYS), "--store", str(tmp_path / "store")], ()) == 0
    )
    assert "9.00 GB of memory. This machine has 8.00 GB free: it will not fit" in capsys.readouterr().out
    monkeypatch.setattr(cli_text, "available_bytes", lambda: None)
    assert plan(sleeping(0.2), tmp_path, capsys)["fits"], "a system that does not say is not a reason to refuse"

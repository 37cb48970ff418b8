"""What node packages prepare for this computer: once, by one process, and harmless when it cannot be."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prepared import toy_package

from app import cli
from app.engine.preparing import LOCK, _alone, prepare

ROOT = Path(__file__).resolve().parents[2]
Told = list[tuple[int, int, str]]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return toy_package(tmp_path, monkeypatch)


def told(package: str, outcome: str) -> Told:
    said: Told = []
    assert prepare([package], lambda *step: said.append(step)) == outcome
    return said


def test_it_is_done_once_and_again_when_the_state_is_another(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(package, "ready") == [(0, 4, "a"), (1, 4, "b"), (2, 4, "c"), (3, 4, "d"), (4, 4, "")]
    assert told(package, "ready") == []
    monkeypatch.setenv("TOY_STATE", "two")
    assert told(package, "ready") == [(4, 4, "")]
    assert told(package, "ready") == []


def test_a_step_that_fails_is_logged_and_the_others_are_done(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TOY_FAILS", "b")
    with caplog.at_level(logging.ERROR, "polyloom.preparing"):
        assert len(told(package, "failed")) == 5
    assert "b cannot be prepared" in caplog.text
    assert {name for name in "abcd" if (tmp_path / package / name).exists()} == set("acd")
    monkeypatch.delenv("TOY_FAILS")
    assert told(package, "ready") == [(3, 4, "b"), (4, 4, "")]


def test_two_never_do_it_at_once(package: str, tmp_path: Path) -> None:
    place = tmp_path / package / "first"
    place.mkdir()
    with _alone(place / LOCK) as free:
        assert free
        assert told(package, "busy") == []
    assert len(told(package, "ready")) == 5


def test_the_second_place_serves_where_the_first_cannot_be_written_and_without_any_nothing_is_tried(
    package: str, tmp_path: Path
) -> None:
    places = [tmp_path / package / name for name in ("first", "second")]
    for place in places:
        place.touch()
    assert told(package, "nowhere") == []
    places[1].unlink()
    assert len(told(package, "ready")) == 5 and told(package, "ready") == []


def test_a_process_that_grew_large_leaves_the_rest_to_the_next(package: str) -> None:
    said: Told = []
    outcomes = [prepare([package], lambda *step: said.append(step), most_bytes=1) for _ in range(5)]
    assert outcomes == ["again", "again", "again", "ready", "ready"]
    assert said == [(0, 4, "a"), (1, 4, "b"), (2, 4, "c"), (3, 4, "d"), (4, 4, "")]


def test_a_package_without_preparation_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = toy_package(tmp_path, monkeypatch)
    (tmp_path / name / "preparation.py").unlink()
    assert told(name, "ready") == []


def test_the_program_ends_with_whoever_started_it(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SLOW", "b")
    command = [sys.executable, "-P", "-m", "app.engine.preparing", package, "--first", "toy.none"]
    around = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=around) as child:
        assert child.stdout is not None and child.stdin is not None
        assert [child.stdout.readline() for _ in range(2)] == [b"0 4 a\n", b"1 4 b\n"]
        child.stdin.close()
        assert child.wait(30) == 0
    assert (tmp_path / package / "a").exists() and not (tmp_path / package / "c").exists()


@pytest.mark.parametrize(("fails", "status"), [("", 0), ("c", 1)])
def test_the_command_tells_how_far_it_is_and_how_it_ended(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: str, status: int
) -> None:
    monkeypatch.setenv("TOY_FAILS", fails)
    assert cli.main(["prepare"], (package,)) == status
    said = capsys.readouterr()
    assert [line.strip() for line in said.err.splitlines()][:5] == ["0%", "25%", "50%", "75%", "100%"]
    assert ("Everything is prepared" in said.out) == (status == 0)
    assert ("Nodes still work" in said.err) == (status == 1)

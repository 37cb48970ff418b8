"""The status bar tells of tools that are being prepared beside the window, and only then."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine.worker import Setup
from app.ui.start import prepare_beside

sys.path.append(str(Path(__file__).resolve().parents[1] / "engine"))
from prepared import toy_package


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "desk")
    qtbot.addWidget(desk.window)
    desk.window.show()
    return desk


def test_it_is_shown_while_it_lasts_and_gives_way_to_a_run(
    qtbot: QtBot, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = toy_package(tmp_path, monkeypatch)
    monkeypatch.setenv("TOY_LARGE", "1")
    bar, seen = desk.window.run_bar, []
    preparing = prepare_beside(desk.window, Setup(tmp_path / "store", (package,)))
    preparing.changed.connect(lambda part: seen.append((part, bar.preparing.isVisible(), bar.preparing.text())))
    starts: list[int] = []
    preparing._process.started.connect(lambda: starts.append(1))
    preparing.start()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1][0] == 1.0 and (tmp_path / package / "d").exists(), timeout=30_000)
    assert len(starts) == 4, "each process grew large after one step"
    assert all(shown == (part < 1) for part, shown, _ in seen)
    assert all(text == f"Preparing tools for this computer: {int(part * 100)} %" for part, _, text in seen if part < 1)
    assert not bar.preparing.isVisible()
    bar.show_preparing(0.4)
    bar.show_submitted()
    assert not bar.preparing.isVisible()
    bar.show_preparing(0.5)
    assert not bar.preparing.isVisible()
    bar.show_end("ok", 1.0)
    assert bar.preparing.isVisible()
    bar.show_preparing(1.0)
    bar.show_submitted()
    bar.show_end("ok", 1.0)
    assert not bar.preparing.isVisible()
    desk.close()


def test_closing_the_window_ends_it(qtbot: QtBot, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = toy_package(tmp_path, monkeypatch)
    monkeypatch.setenv("TOY_SLOW", "b")
    preparing = prepare_beside(desk.window, Setup(tmp_path / "store", (package,)))
    preparing.start()
    qtbot.waitUntil(lambda: desk.window.run_bar.preparing.text().endswith(": 25 %"), timeout=30_000)
    desk.close()
    assert preparing._process.processId() == 0
    assert not (tmp_path / package / "c").exists()


def test_a_preparation_that_crashes_is_logged_and_nothing_is_shown(
    qtbot: QtBot, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = toy_package(tmp_path, monkeypatch)
    (tmp_path / package / "preparation.py").write_text("raise RuntimeError('broken install')")
    preparing = prepare_beside(desk.window, Setup(tmp_path / "store", (package,)))
    with caplog.at_level("INFO", "polyloom.preparing"), qtbot.waitSignal(preparing.changed, timeout=30_000) as told:
        preparing.start()
    assert told.args == [1.0] and not desk.window.run_bar.preparing.isVisible()
    assert "broken install" in caplog.text
    desk.close()

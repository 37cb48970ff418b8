from __future__ import annotations

import pytest

from app.engine.worker import Setup, Worker
from app.ui.start import choose_platform


@pytest.mark.parametrize(
    ("have", "wanted"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "xcb"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0", "QT_QPA_PLATFORM": "wayland"}, "wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, None),
        ({"DISPLAY": ":0"}, None),
    ],
)
def test_under_wayland_the_window_goes_through_x11(monkeypatch, have, wanted):
    import os

    for name in ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in have.items():
        monkeypatch.setenv(name, value)
    choose_platform()
    assert os.environ.get("QT_QPA_PLATFORM") == wanted
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)


def test_a_process_that_only_reads_results_keeps_few_of_them_in_memory(tmp_path):
    setup = Setup(tmp_path / "store", ())
    with Worker(setup, lambda event: None) as reader, Worker(setup, lambda event: None, in_process=True) as alone:
        assert reader.store.memory_bytes == setup.reader_bytes < setup.memory_bytes == alone.store.memory_bytes

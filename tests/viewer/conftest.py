from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def display(qapp: object) -> None:
    """Skips where this Qt application cannot open an OpenGL window."""
    from viewer import gl

    if not gl.on_screen().works:
        pytest.skip("no display with OpenGL")


@pytest.fixture
def panel(qtbot, display) -> Iterator[object]:
    import viewer.viewport  # noqa: F401
    from viewer.panel import ViewerPanel

    made = ViewerPanel()
    made.resize(500, 450)
    with qtbot.waitSignal(made._loaded, timeout=60_000):  # it warms up in a thread, and shows nothing in 3D before
        made.show()
    qtbot.waitExposed(made)
    yield made
    made.shutdown()
    made.close()
    made.deleteLater()

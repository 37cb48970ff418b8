"""While a loop is compiled, the node that waits for it says so. What is kept already costs nothing here."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba.core import event  # noqa: TID253

from app.engine.run import at_work

FIRST_TIME = "First use: preparing for this computer, only this once …"


class _Compiling(event.Listener):  # type: ignore[misc]
    """Lets the node at work say that it waits for a compiler, and leave before the next loop when it was cancelled."""

    depth = 0

    def on_start(self, event: Any) -> None:
        self.depth += 1
        run = at_work()
        if run is not None and self.depth == 1:
            run.check()
            run.aside(FIRST_TIME)

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        run = at_work()
        if run is not None and self.depth == 0:
            run.aside("")


@cache
def watch() -> None:
    """From now on, in this process."""
    event.register("numba:compile", _Compiling())

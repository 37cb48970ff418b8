"""A graph that wants to write outside the output folder: refused by the engine, then the person is asked, with the
whole path in sight. Yes makes that folder the output folder of this graph; nothing is ever written elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from app.engine.deliver import leads_outside
from app.engine.errors import CannotWrite
from app.engine.params import SaveFile

if TYPE_CHECKING:
    from app.ui.window import MainWindow


class Wish(NamedTuple):
    """``path``: where the parameter of a node leads, whole."""

    node: str
    param: str
    path: Path


class Outside:
    def __init__(self, window: MainWindow) -> None:
        self.window, self.desk = window, window.desk
        self._refused: set[Path] = set()
        self.desk.editor.opened.connect(self._refused.clear)
        self.desk.runs.finished.connect(lambda *_: self.ask())

    def ask(self) -> None:
        """After a run: once for each place that was refused."""
        wish = next((wish for wish in self._wishes() if wish.path not in self._refused), None)
        if wish is None:
            return
        if not self.window.dialogs.outside(wish.path):
            self._refused.add(wish.path)
            return
        self.desk.session.set_out(wish.path.parent)
        self.desk.editor.set_param(wish.node, wish.param, wish.path.name)
        self.window.say("info", f"Results are written to {wish.path.parent}")
        self.desk.runs.run(self.desk.runs.targets)

    def _wishes(self) -> list[Wish]:
        graph, specs, out = self.desk.editor.graph, self.desk.editor.registry, self.desk.session.out
        found: list[Wish] = []
        for id, result in self.desk.runs.report.nodes.items():
            refused = result.error is not None and result.error.kind == CannotWrite.kind
            if not refused or id not in graph.nodes or graph.nodes[id].type not in specs:
                continue
            for param in specs[graph.nodes[id].type].params:
                value = graph.nodes[id].params.get(param.name)
                if isinstance(param.setting, SaveFile) and isinstance(value, str) and leads_outside(value):
                    found.append(Wish(id, param.name, Path(os.path.abspath(out / value.replace("\0", "")))))
        return found

"""What a run of toy nodes must come to, worked out in plain Python from the graph alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.graph import Graph, Node

LIMIT = 1e6
NEEDS = {"sign": ("a",), "split": ("a",), "write": ("a",), "add": ("a",)}
Values = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """``states``: ok, failed, blocked or skipped. ``values``: output -> number or text, of nodes that are ok."""

    states: Mapping[str, str]
    values: Mapping[str, Values]


class _Bad(Exception):
    pass


class Oracle:
    def __init__(self, graph: Graph, folder: Path, targets: tuple[str, ...] | None) -> None:
        self.graph, self.folder = graph, folder
        self.wanted = set(graph.nodes) if targets is None else self._upstream(targets)
        self.states: dict[str, str] = {}
        self.values: dict[str, Values] = {}

    def expect(self) -> Expected:
        for id, node in self.graph.nodes.items():
            if id not in self.wanted or node.bypass:
                self.states[id] = "skipped"
        for id in self.graph.nodes:
            self._state(id)
        return Expected(self.states, self.values)

    def _upstream(self, targets: tuple[str, ...]) -> set[str]:
        found, waiting = set[str](), list(targets)
        while waiting:
            id = waiting.pop()
            if id not in found:
                found.add(id)
                waiting += [link.source for link in self.graph.links if link.target == id]
        return found

    def _state(self, id: str) -> str:
        if id not in self.states:
            self.states[id] = self._work_out(self.graph.nodes[id])
        return self.states[id]

    def _work_out(self, node: Node) -> str:
        kind = node.type.removeprefix("toy.")
        links = {link.input: link for link in self.graph.links if link.target == node.id}
        feeds = {name: feed for name, link in links.items() if (feed := self._real(link.source, link.output))}
        if any(name not in feeds for name in NEEDS.get(kind, ())) or self._plainly_wrong(kind, node, links):
            return "failed"
        states = [self._state(source) for source, _ in feeds.values()]
        if any(state != "ok" for state in states):
            return "blocked"
        given = {name: self.values[source][output] for name, (source, output) in feeds.items()}
        try:
            self.values[node.id] = KINDS[kind]({**node.params, **given}, self.folder)
        except (_Bad, OSError):
            return "failed"
        return "ok"

    def _plainly_wrong(self, kind: str, node: Node, links: Mapping[str, object]) -> bool:
        """What is said before anything runs."""
        if kind == "constant" and "value" not in links:
            return not abs(node.params["value"]) <= LIMIT
        return kind == "read" and not (self.folder / node.params["path"]).is_file()

    def _real(self, source: str, output: str) -> tuple[str, str] | None:
        """Past bypassed nodes, which hand on their first number."""
        node = self.graph.nodes[source]
        if not node.bypass:
            return source, output
        links = {link.input: link for link in self.graph.links if link.target == source}
        link = next((links[name] for name in ("a", "b") if name in links), None)
        return self._real(link.source, link.output) if link else None


def _constant(p: Values, _: Path) -> Values:
    if not abs(p["value"]) <= LIMIT:
        raise _Bad
    return {"out": float(p["value"])}


def _add(p: Values, _: Path) -> Values:
    return {"out": p["a"] + (p.get("b") or 0.0) + p["plus"]}


def _split(p: Values, _: Path) -> Values:
    whole = float(int(p["a"]))
    return {"whole": whole, "rest": p["a"] - whole}


def _sign(p: Values, _: Path) -> Values:
    return {"out": math.copysign(1.0, p["a"]) if p["a"] else 0.0}


def _read(p: Values, folder: Path) -> Values:
    return {"out": (folder / p["path"]).read_text()}


def _write(p: Values, _: Path) -> Values:
    return {"out": f"{p['a']:g}\n"}


def _fail(_: Values, __: Path) -> Values:
    raise _Bad


KINDS: dict[str, Callable[[Values, Path], Values]] = {
    "constant": _constant, "add": _add, "split": _split, "sign": _sign, "read": _read, "write": _write, "fail": _fail,
    "crash": _fail, "sleep": lambda p, _: {"out": p["seconds"]}, "volatile": lambda _, __: {"out": 1.0},
}  # fmt: skip

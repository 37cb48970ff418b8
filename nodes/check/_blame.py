"""Which node of the graph most likely decided what a rule is about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

from app.engine import Run
from app.engine.errors import BadGraphFile
from app.engine.graph import Graph, Node
from app.engine.graph_file import loads
from nodes.check._contract import Rule

LOGGER = "polyloom.node."


class Blame:
    """Looks upstream of the node that a run is for."""

    def __init__(self, run: Run, own_type: str) -> None:
        self.graph = Graph()
        with contextlib.suppress(BadGraphFile):
            self.graph = loads(run.graph_text) if run.graph_text else Graph()
        id = run.log.name.removeprefix(LOGGER)
        mine = [node.id for node in self.graph.nodes.values() if node.type == own_type]
        self.own = id if id in mine else (mine[0] if len(mine) == 1 else "")

    def node(self, rule: Rule) -> Node | None:
        """The nearest node of a type that decides it; else the nearest one where data begins; else none."""
        above = [node for node in self._upstream(rule.comes_by) if not node.bypass]
        for node in above:
            if any(fnmatchcase(node.type, pattern) for pattern in rule.causes):
                return node
        begins = [node for node in above if not node.type.startswith("value.") and self._begins(node)]
        return begins[0] if begins else (above[0] if above else None)

    def _begins(self, node: Node) -> bool:
        """Whether no node feeds it but those that drive a setting with a plain value."""
        feeds = (self.graph.nodes.get(link.source) for link in self.graph.into.get(node.id, ()))
        return all(feed is None or feed.type.startswith("value.") for feed in feeds)

    def words(self, rule: Rule) -> str:
        """``"Decimate" (n3; target_faces = 20000)``, or an empty text where the graph is not known."""
        node = self.node(rule)
        if node is None:
            return ""
        driven = {link.input: link.source for link in self.graph.into.get(node.id, ())}
        said = [f"{knob} = {node.params[knob]}" for knob in rule.knobs if knob in node.params and knob not in driven]
        said += [f"{knob} from {driven[knob]}" for knob in rule.knobs if knob in driven]
        title = node.title or node.type.partition(".")[2].replace("_", " ").capitalize()
        return f'"{title}" ({"; ".join([node.id, *said[:2]])})'

    def _upstream(self, input: str) -> Iterator[Node]:
        """Nearest first; of equally near ones in the order of the links."""
        level = [link.source for link in self.graph.into.get(self.own, ()) if link.input == input]
        seen: set[str] = {self.own}
        while level:
            fresh = [id for id in dict.fromkeys(level) if id not in seen and id in self.graph.nodes]
            seen |= set(fresh)
            yield from (self.graph.nodes[id] for id in fresh)
            level = [link.source for id in fresh for link in self.graph.into.get(id, ())]

"""Which weights the nodes of a graph call for and do not have, known before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.engine.graph import Graph, Node
from app.engine.spec import NodeSpec
from app.engine.validate import Problem
from app.engine.weight_files import WHAT, WeightState, needed, state
from app.engine.weights import WeightCard

KIND = "missing-weights"


@dataclass(frozen=True)
class Lack:
    """A card that a node calls for and that is not ready."""

    node: str
    card: WeightCard
    state: WeightState

    @property
    def problem(self) -> Problem:
        """In words, with the command that gets it."""
        return Problem(
            self.node,
            "",
            KIND,
            f"{self.card.label} {WHAT[self.state]} ({self.card.download_bytes / 1e6:,.1f} MB, licence "
            f'{self.card.terms}). Get it with "main.py weights fetch {self.card.handle}".',
        )


def cards_of(node: Node, spec: NodeSpec, graph: Graph) -> tuple[WeightCard, ...]:
    """The cards that a node calls for as it is set; a choice that a link drives is not known before the run."""
    if not spec.models or node.bypass:
        return ()
    driven = {link.input for link in graph.into.get(node.id, ())}
    settings = {p.name: node.params.get(p.name, p.default) for p in spec.params if p.name not in driven}
    return needed(spec.models, settings)


def lacking(graph: Graph, specs: Mapping[str, NodeSpec], ids: Iterable[str] | None = None) -> list[Lack]:
    """Every card that these nodes (without ``ids``: all) call for and that is not whole on this machine."""
    found: list[Lack] = []
    for id in graph.nodes if ids is None else ids:
        spec = specs.get(graph.nodes[id].type)
        for card in cards_of(graph.nodes[id], spec, graph) if spec else ():
            now = state(card)
            if now != "ready":
                found.append(Lack(id, card, now))
    return found

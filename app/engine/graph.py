"""A graph is a value: nodes, links and what the file carried besides. Every edit gives a new graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from app.engine.names import clean_name


@dataclass(frozen=True)
class Node:
    """``params``: JSON values by name. ``at``: position on the canvas. ``extra``: keys of newer versions, kept."""

    id: str
    type: str
    params: Mapping[str, Any] = field(default_factory=dict)
    at: tuple[float, float] = (0.0, 0.0)
    version: int = 1
    title: str = ""
    bypass: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", clean_name(self.title))


class Link(NamedTuple):
    """From an output to an input or to a parameter."""

    source: str
    output: str
    target: str
    input: str


@dataclass(frozen=True)
class Graph:
    """``nodes`` by id, in file order. ``frames``, ``view``, ``extra``: kept as the file had them."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    frames: tuple[Any, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def into(self) -> Mapping[str, tuple[Link, ...]]:
        """Links by target node."""
        return _group(self.links, "target")

    @cached_property
    def out_of(self) -> Mapping[str, tuple[Link, ...]]:
        """Links by source node."""
        return _group(self.links, "source")

    def ends(self) -> tuple[str, ...]:
        """Nodes without outgoing links: what a run aims for when nothing else is said."""
        return tuple(id for id in self.nodes if not self.out_of.get(id))

    def upstream(self, targets: Iterable[str]) -> set[str]:
        """The targets and everything that they need."""
        return _reach(targets, lambda id: (link.source for link in self.into.get(id, ())))

    def downstream(self, sources: Iterable[str]) -> set[str]:
        """The sources and everything that depends on them."""
        return _reach(sources, lambda id: (link.target for link in self.out_of.get(id, ())))

    def order(self, targets: Iterable[str] | None = None) -> tuple[list[str], set[str]]:
        """(ids in topological order, ids that are in a cycle or behind one). Ties keep file order. O(nodes + links)."""
        wanted = set(self.nodes) if targets is None else self.upstream(targets)
        missing = {
            id: len({link.source for link in self.into.get(id, ()) if link.source in wanted})
            for id in self.nodes
            if id in wanted
        }
        ready = deque(id for id, count in missing.items() if not count)
        done: list[str] = []
        while ready:
            id = ready.popleft()
            done.append(id)
            for target in dict.fromkeys(link.target for link in self.out_of.get(id, ())):
                if target in missing:
                    missing[target] -= 1
                    if not missing[target]:
                        ready.append(target)
        return done, set(missing) - set(done)

    def cycles(self) -> list[tuple[str, ...]]:
        """Separate cycles, each as a path whose last id equals its first; empty when there is none.

        A node is in one path at the most: cycles that share nodes show up one after the other as they are mended.
        """
        found: list[tuple[str, ...]] = []
        stuck = self.order()[1]
        while stuck:
            loop = self._walk_back(stuck)
            found.append(loop)
            stuck = self.without_nodes((set(self.nodes) - stuck) | set(loop)).order()[1]
        return found

    def _walk_back(self, stuck: set[str]) -> tuple[str, ...]:
        seen: dict[str, int] = {}
        path: list[str] = []
        id = next(id for id in self.nodes if id in stuck)
        while id not in seen:
            seen[id] = len(path)
            path.append(id)
            id = next(link.source for link in self.into[id] if link.source in stuck)
        loop = path[seen[id] :][::-1]
        places = {id: place for place, id in enumerate(self.nodes)}
        start = min(range(len(loop)), key=lambda i: places[loop[i]])
        loop = loop[start:] + loop[:start]
        return (*loop, loop[0])

    def would_cycle(self, source: str, target: str) -> bool:
        """Whether a link from ``source`` to ``target`` would close a circle."""
        return source in self.downstream([target])

    def find(self, name: str) -> tuple[str, ...]:
        """Ids that ``name`` may mean: the node of that id, or else every node of that title."""
        if name in self.nodes:
            return (name,)
        return tuple(id for id, node in self.nodes.items() if node.title == name)

    def fresh_id(self, taken: Iterable[str] = ()) -> str:
        """``n1``, ``n2`` …: the first number above every one in use."""
        used = [int(id[1:]) for id in (*self.nodes, *taken) if id[:1] == "n" and id[1:].isdecimal() and len(id) < 20]
        return f"n{max(used, default=0) + 1}"

    def with_node(self, node: Node) -> Graph:
        """Added, or put in the place of the node of that id."""
        return replace(self, nodes={**self.nodes, node.id: node})

    def with_nodes(self, nodes: Iterable[Node]) -> Graph:
        return replace(self, nodes={**self.nodes, **{node.id: node for node in nodes}})

    def with_link(self, link: Link) -> Graph:
        """Added; an input has one link, so an older one into the same input goes."""
        kept = tuple(old for old in self.links if (old.target, old.input) != (link.target, link.input))
        return replace(self, links=(*kept, link))

    def without_links(self, links: Iterable[Link]) -> Graph:
        gone = set(links)
        return replace(self, links=tuple(link for link in self.links if link not in gone))

    def without_nodes(self, ids: Iterable[str]) -> Graph:
        """The nodes and every link at them go."""
        gone = set(ids)
        return replace(
            self,
            nodes={id: node for id, node in self.nodes.items() if id not in gone},
            links=tuple(link for link in self.links if link.source not in gone and link.target not in gone),
        )

    def with_params(self, id: str, **values: Any) -> Graph:
        """One node with these parameters set."""
        old = self.nodes[id]
        return self.with_node(replace(old, params={**old.params, **values}))


def _group(links: Iterable[Link], end: str) -> dict[str, tuple[Link, ...]]:
    table: dict[str, list[Link]] = {}
    for link in links:
        table.setdefault(getattr(link, end), []).append(link)
    return {id: tuple(found) for id, found in table.items()}


def _reach(starts: Iterable[str], step: Any) -> set[str]:
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        id = todo.pop()
        if id not in seen:
            seen.add(id)
            todo.extend(step(id))
    return seen

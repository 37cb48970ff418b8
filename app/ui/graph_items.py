"""The items that stand for a graph. Given another graph, only what differs is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QGraphicsScene

from app.engine.graph import Graph, Link
from app.engine.spec import NodeSpec
from app.engine.stand_in import spec_for
from app.ui.link_item import LinkItem
from app.ui.node_face import Dot, dots_of
from app.ui.node_item import NodeItem


class GraphItems:
    """``nodes`` by id, ``links`` by link: the items in the scene."""

    def __init__(self, scene: QGraphicsScene) -> None:
        self.nodes: dict[str, NodeItem] = {}
        self.links: dict[Link, LinkItem] = {}
        self._scene = scene
        self._at: dict[str, list[LinkItem]] = {}
        self._thin = False

    def show(self, graph: Graph, specs: Mapping[str, NodeSpec], everything: bool = False) -> None:
        """O(nodes + links) to compare, and items only for what changed. ``everything``: the node types are others."""
        wanted = dict.fromkeys(link for link in graph.links if {link.source, link.target} <= graph.nodes.keys())
        gone = [link for link in self.links if link not in wanted]
        fresh = [link for link in wanted if link not in self.links]
        touched = {end for link in (*gone, *fresh) for end in (link.source, link.target)}
        for link in gone:
            self._remove_link(link)
        for id in [id for id in self.nodes if id not in graph.nodes]:
            self._scene.removeItem(self.nodes.pop(id))
            self._at.pop(id)
        for id, node in graph.nodes.items():
            item = self.nodes.get(id)
            if item is None or item.node is not node or id in touched or everything:
                self._show_node(graph, specs, id)
                touched.add(id)
        for link in fresh:
            self._add_link(link)
        for id in touched & self.nodes.keys():
            self.route(id)

    def clear(self) -> None:
        self.show(Graph(), {})

    def route(self, id: str) -> None:
        """Draw the links at a node anew."""
        for item in self._at.get(id, ()):
            source, link = self.nodes[item.link.source], item.link
            item.route(source.anchor("out", link.output), self.nodes[link.target].anchor("in", link.input))
            item.set_colour(self.dot(link.source, "out", link.output).colour)

    def dot(self, id: str, side: str, name: str) -> Dot:
        return next(dot for dot in self.nodes[id].face.dots if (dot.side, dot.name) == (side, name))

    def link_into(self, id: str, name: str) -> LinkItem | None:
        return next((item for item in self._at[id] if (item.link.target, item.link.input) == (id, name)), None)

    def set_thin_links(self, thin: bool) -> None:
        if thin != self._thin:
            self._thin = thin
            for item in self.links.values():
                item.set_thin(thin)

    def read_back(self) -> tuple[dict[str, dict[str, Any]], set[Link]]:
        """What is on the canvas, from the items themselves: for tests."""
        nodes = {
            id: {
                "type": item.node.type,
                "title": item.face.title,
                "at": (item.x(), item.y()),
                "bypass": item.node.bypass,
                "params": dict(item.node.params),
            }
            for id, item in self.nodes.items()
        }
        return nodes, set(self.links)

    def _show_node(self, graph: Graph, specs: Mapping[str, NodeSpec], id: str) -> None:
        node = graph.nodes[id]
        spec = spec_for(node, graph, specs)
        dots = dots_of(node, spec, graph)
        if id in self.nodes:
            self.nodes[id].show_node(node, spec, dots)
        else:
            self.nodes[id] = NodeItem(node, spec, dots, self.route)
            self._at[id] = []
            self._scene.addItem(self.nodes[id])

    def _add_link(self, link: Link) -> None:
        item = LinkItem(link)
        item.set_thin(self._thin)
        self.links[link] = item
        for end in {link.source, link.target}:
            self._at[end].append(item)
        self._scene.addItem(item)

    def _remove_link(self, link: Link) -> None:
        item = self.links.pop(link)
        for end in {link.source, link.target}:
            self._at[end].remove(item)
        self._scene.removeItem(item)

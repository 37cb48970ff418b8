"""Bring an opened graph up to today's node types: old ids, old parameter names, parameters that were added since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.engine.graph import Graph, Link, Node
from app.engine.registry import Registry
from app.engine.spec import NodeSpec


def adopt(graph: Graph, registry: Registry) -> Graph:
    """The graph in today's words. Unknown types, newer versions and unknown parameters stay as they are."""
    changed = {
        node.id: newer
        for node in graph.nodes.values()
        if node.type in registry and (newer := _adopt_node(node, registry[node.type])) != node
    }
    links = tuple(_adopt_link(link, graph, registry) for link in graph.links)
    if not changed and links == graph.links:
        return graph
    return replace(graph, nodes={id: changed.get(id, node) for id, node in graph.nodes.items()}, links=links)


def default_params(spec: NodeSpec) -> dict[str, Any]:
    """Every parameter of a new node, as JSON values."""
    return {param.name: param.default for param in spec.params}


def _adopt_node(node: Node, spec: NodeSpec) -> Node:
    if node.version > spec.version:
        return node
    params = {**default_params(spec), **_renamed(node.params, spec)}
    return replace(node, type=spec.id, version=spec.version, params=params)


def _renamed(params: Mapping[str, Any], spec: NodeSpec) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in params.items():
        param = spec.param(name)
        result[param.name if param and param.name not in params else name] = value
    return result


def _adopt_link(link: Link, graph: Graph, registry: Registry) -> Link:
    target = graph.nodes.get(link.target)
    spec = registry.get(target.type) if target else None
    param = spec.param(link.input) if spec and not spec.input(link.input) else None
    return link._replace(input=param.name) if param else link

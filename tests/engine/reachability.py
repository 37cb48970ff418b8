"""A slow, plain oracle for reachability."""

from __future__ import annotations

from app.engine.graph import Graph


def closure(graph: Graph) -> dict[str, set[str]]:
    """Warshall: for every node, the nodes that one or more links lead to."""
    reach = {id: {link.target for link in graph.links if link.source == id} for id in graph.nodes}
    for middle in graph.nodes:
        for start in graph.nodes:
            if middle in reach[start]:
                reach[start] |= reach[middle]
    return reach

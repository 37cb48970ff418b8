"""Arranges a graph in columns from left to right. O(nodes log nodes + links), whatever the shape of the graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import fmean

from app.engine.graph import Graph

COLUMN_GAP = 72.0
ROW_GAP = 28.0
Place = tuple[float, float]


def arrange(graph: Graph, sizes: Mapping[str, Place], ids: Collection[str] = ()) -> dict[str, Place]:
    """New positions of the nodes ``ids`` (of all without any). ``sizes``: (width, height) by id.

    A node stands one column right of the last node that feeds it (longest path layering), as high as the middle of
    what feeds it where there is room. The top left corner of the nodes stays where it was. Nodes in a cycle come last.
    """
    asked = set(ids) or set(graph.nodes)
    wanted = [id for id in graph.nodes if id in asked]
    if not wanted:
        return {}
    columns = _columns(graph, set(wanted))
    places: dict[str, Place] = {}
    x = 0.0
    for column in columns:
        tops = _stack(graph, column, sizes, places)
        for id, top in tops.items():
            places[id] = (x, top)
        x += max(sizes[id][0] for id in column) + COLUMN_GAP
    left = min(graph.nodes[id].at[0] for id in wanted)
    top = min(graph.nodes[id].at[1] for id in wanted) - min(y for _, y in places.values())
    return {id: (float(round(x + left)), float(round(y + top))) for id, (x, y) in places.items()}


def _columns(graph: Graph, wanted: set[str]) -> list[list[str]]:
    order, stuck = graph.order()
    depth: dict[str, int] = {}
    for id in [*order, *(id for id in graph.nodes if id in stuck)]:
        if id in wanted:
            before = (depth[link.source] for link in graph.into.get(id, ()) if link.source in depth)
            depth[id] = max(before, default=-1) + 1
    _pull_right(graph, order, depth)
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for id, column in depth.items():
        columns[column].append(id)
    return [column for column in columns if column]


def _pull_right(graph: Graph, order: list[str], depth: dict[str, int]) -> None:
    """A source that only a late node needs stands just before it, not far away in the first column."""
    for id in reversed(order):
        after = [depth[link.target] for link in graph.out_of.get(id, ()) if link.target in depth]
        if id in depth and after and min(after) > depth[id] + 1:
            depth[id] = min(after) - 1


def _stack(
    graph: Graph, column: list[str], sizes: Mapping[str, Place], places: Mapping[str, Place]
) -> dict[str, float]:
    """Tops of the nodes of one column: sorted by where they would like to be, then pushed apart around that."""
    wish: dict[str, float] = {}
    for id in column:
        feeders = [link.source for link in graph.into.get(id, ()) if link.source in places]
        middle = fmean(places[f][1] + sizes[f][1] / 2 for f in feeders) if feeders else 0.0
        wish[id] = middle - sizes[id][1] / 2
    tops: dict[str, float] = {}
    floor = float("-inf")
    for id in sorted(column, key=wish.__getitem__):
        tops[id] = max(wish[id], floor)
        floor = tops[id] + sizes[id][1] + ROW_GAP
    shift = fmean(wish[id] - tops[id] for id in column)
    return {id: top + shift for id, top in tops.items()}

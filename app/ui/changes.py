"""What an edit changed, as far as results are concerned: moving or renaming a node changes nothing."""

from __future__ import annotations

from app.engine.graph import Graph, Link, Node


def changed_nodes(before: Graph, after: Graph) -> set[str]:
    """Nodes of ``after`` that are new or whose parameters, type, bypass or incoming links differ."""
    if before is after:
        return set()
    return {
        id
        for id, node in after.nodes.items()
        if _differs(before.nodes.get(id), node) or _feeds(before, id) != _feeds(after, id)
    }


def touched_nodes(before: Graph, after: Graph) -> set[str]:
    """The changed nodes and everything that depends on them."""
    changed = changed_nodes(before, after)
    return after.downstream(changed) & set(after.nodes) if changed else set()


def same_results(before: Graph, after: Graph) -> bool:
    """Whether an edit leaves every result as it is."""
    return before is after or (before.nodes.keys() == after.nodes.keys() and not changed_nodes(before, after))


def _differs(old: Node | None, new: Node) -> bool:
    if old is new:
        return False
    return old is None or (old.type, old.params, old.bypass, old.version) != (
        new.type,
        new.params,
        new.bypass,
        new.version,
    )


def _feeds(graph: Graph, id: str) -> frozenset[Link]:
    return frozenset(graph.into.get(id, ()))

"""Putting a node into the middle of a link."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.graph import Link
from app.engine.spec import NodeSpec
from app.engine.stand_in import is_stand_in
from app.ui.editor import Editor
from app.ui.search import Offer


def halves(editor: Editor, link: Link, spec: NodeSpec, id: str = "") -> tuple[Link, Link] | None:
    """The two links that take the place of ``link`` when a node of this type stands in it, or None if it cannot."""
    source, target = editor.spec(link.source), editor.spec(link.target)
    giver, taker = source.output(link.output), target.input(link.input) or target.param(link.input)
    if giver is None or taker is None or any(map(is_stand_in, (source, target, spec))):
        return None
    into = next((socket.name for socket in spec.inputs if socket.takes(giver.type)), "")
    out = next((socket.name for socket in spec.outputs if taker.takes(socket.type)), "")
    if not into or not out:
        return None
    return Link(link.source, link.output, id, into), Link(id, out, link.target, link.input)


def offers(editor: Editor, link: Link) -> Iterator[Offer]:
    """Node types that can stand in a link."""
    return (Offer(spec) for spec in editor.registry.values() if halves(editor, link, spec))


def may_be_dropped(editor: Editor, link: Link, id: str) -> bool:
    """Whether a node that has no links yet fits into a link when it is dropped on it."""
    graph = editor.graph
    free = not graph.into.get(id) and not graph.out_of.get(id)
    return free and halves(editor, link, editor.spec(id)) is not None


def drop(editor: Editor, link: Link, id: str, at: tuple[float, float]) -> None:
    """Move a node there and put it into the link, in one step."""
    both = halves(editor, link, editor.spec(id), id)
    if both:
        with_node = editor.moved({id: at})
        editor.edit(f"Insert {editor.title(id)}", with_node.with_link(both[0]).with_link(both[1]))

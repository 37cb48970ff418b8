"""A link being drawn: from a socket that holds still to whatever the cursor is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QApplication

from app.engine.graph import Link
from app.engine.registry import Registry
from app.engine.spec import NodeSpec, Param, Socket
from app.engine.validate import can_link
from app.ui.link_item import LinkItem, LiveLink
from app.ui.node_face import Dot, param_dot
from app.ui.node_item import NodeItem
from app.ui.search import Offer

if TYPE_CHECKING:
    from app.ui.canvas import Canvas

REACH_PX = 16.0


class LinkDrag:
    """``fixed``, ``dot``: the end that holds still. ``old``: the link whose other end was taken off, or None.

    Sockets that fit glow; nodes without any stand back. Nothing is edited before :meth:`drop`.
    """

    def __init__(self, canvas: Canvas, fixed: NodeItem, dot: Dot, start: QPointF, old: LinkItem | None = None) -> None:
        self._canvas, self._fixed, self._dot, self._old = canvas, fixed, dot, old
        self._start = canvas.view.mapFromScene(start)
        graph = canvas.editor.graph
        self._graph = graph.without_links([old.link]) if old else graph
        self._bare = replace(self._graph, links=())
        reach = self._graph.upstream if dot.side == "out" else self._graph.downstream
        self._circular = reach([fixed.id])
        self._live = LiveLink()
        if dot not in fixed.face.dots:
            fixed.show_extra(dot)
        self._draw(self._anchor, False)
        canvas.view.scene().addItem(self._live)
        if old:
            old.hide()
        self._highlight()

    def move(self, at: QPoint) -> None:
        """The cursor is at ``at`` (view coordinates): draw the link to it and say why it cannot end there."""
        place = self._canvas.view.mapToScene(at)
        item, dot = self._under(place)
        reason = self._reason(item, dot)
        if item and dot and not reason:
            place = item.anchor(dot.side, dot.name)
        self._draw(place, bool(reason))
        self._canvas.bubble.show_at(reason, at)

    def drop(self, at: QPoint) -> None:
        """Link, unlink, offer node types, or say why not."""
        self.end()
        place = self._canvas.view.mapToScene(at)
        item, dot = self._under(place)
        reason = self._reason(item, dot)
        if (at - self._start).manhattanLength() < QApplication.startDragDistance() or item is self._fixed:
            return
        if reason:
            self._canvas.refuse(reason, at)
        elif item and dot:
            self._finish(self._link(item, dot), at)
        elif item:
            self._drop_on_body(item, at)
        elif self._old:
            self._canvas.editor.unlink([self._old.link])
        else:
            self._offer(at, place)

    def end(self) -> None:
        """Everything looks as before."""
        scene = self._live.scene()
        if scene:
            scene.removeItem(self._live)
        if self._old:
            self._old.show()
        self._fixed.show_extra(None)
        self._canvas.bubble.hide()
        for item in self._canvas.items.nodes.values():
            item.set_drag_look(False, frozenset())

    def _draw(self, place: QPointF, refused: bool) -> None:
        start, end = (self._anchor, place) if self._dot.side == "out" else (place, self._anchor)
        self._live.show_between(start, end, self._dot.colour, refused)

    @property
    def _anchor(self) -> QPointF:
        return self._fixed.anchor(self._dot.side, self._dot.name)

    def _link(self, item: NodeItem, dot: Dot) -> Link:
        if self._dot.side == "out":
            return Link(self._fixed.id, self._dot.name, item.id, dot.name)
        return Link(item.id, dot.name, self._fixed.id, self._dot.name)

    def _finish(self, link: Link, at: QPoint) -> None:
        reason = self._canvas.editor.relink(self._old.link if self._old else None, link)
        if reason:
            self._canvas.refuse(reason, at)

    def _under(self, place: QPointF) -> tuple[NodeItem | None, Dot | None]:
        view = self._canvas.view
        hit = view.dot_at(place, REACH_PX / min(view.zoom, 1.0))
        return hit if hit else (view.node_at(place), None)

    def _reason(self, item: NodeItem | None, dot: Dot | None) -> str:
        if item is None or item is self._fixed:
            return ""
        if dot is None:
            return "" if item.glow or any(self._fitting(item)) else self._nothing_fits(item)
        if dot.side == self._dot.side:
            return f"Both are {'outputs' if dot.side == 'out' else 'inputs'}: link an output to an input."
        return can_link(self._graph, self._canvas.editor.registry, self._link(item, dot))

    def _nothing_fits(self, item: NodeItem) -> str:
        title = self._canvas.editor.title(item.id)
        if item.id in self._circular:
            return "This link would close a circle: a node cannot wait for its own result."
        return f"{title} {'takes' if self._dot.side == 'out' else 'gives'} no {self._dot.type.label}."

    def _fitting(self, item: NodeItem) -> Iterator[Dot]:
        """Sockets of a node, and parameters without a socket yet, that this link could end at."""
        if item.id in self._circular:
            return
        shown = [dot for dot in item.face.dots if dot.side != self._dot.side]
        if self._dot.side == "out":
            names = {dot.name for dot in shown}
            shown += [param_dot(param, param.name) for param in item.spec.params if param.name not in names]
        registry = self._canvas.editor.registry
        for dot in shown:
            if item.missing or self._fixed.missing:
                fits = dot in item.face.dots
            else:
                fits = not can_link(self._bare, registry, self._link(item, dot))
            if fits:
                yield dot

    def _highlight(self) -> None:
        for item in self._canvas.items.nodes.values():
            fitting = list(self._fitting(item))
            glow = frozenset((dot.side, dot.name) for dot in fitting if dot in item.face.dots)
            item.set_drag_look(not fitting and item is not self._fixed, glow)

    def _drop_on_body(self, item: NodeItem, at: QPoint) -> None:
        fitting = list(self._fitting(item))
        sockets = [dot for dot in fitting if dot.kind != "param"]
        if len(fitting) == 1 or len(sockets) == 1:
            self._finish(self._link(item, (sockets or fitting)[0]), at)
        else:
            choices: list[tuple[str, Callable[[], None]]] = [
                (dot.label, lambda dot=dot: self._finish(self._link(item, dot), at))  # type: ignore[misc]
                for dot in fitting
            ]
            self._canvas.ask(choices, at)

    def _offer(self, at: QPoint, place: QPointF) -> None:
        offers = list(offers_for(self._fixed, self._dot, self._canvas.editor.registry))
        word = "take" if self._dot.side == "out" else "give"
        if not offers:
            self._canvas.refuse(f"No node type {word}s {self._dot.type.label}.", at)
            return
        hint = f"Nodes that {word} {self._dot.type.label}"
        self._canvas.adding.offer(offers, at, place, hint, lambda offer: [self._half_link(offer.socket)])

    def _half_link(self, socket: str) -> Link:
        """For a node that does not exist yet: its id is empty."""
        if self._dot.side == "out":
            return Link(self._fixed.id, self._dot.name, "", socket)
        return Link("", socket, self._fixed.id, self._dot.name)


def offers_for(fixed: NodeItem, dot: Dot, registry: Registry) -> Iterator[Offer]:
    """Node types with a socket that fits, and the first such socket: needed inputs before optional ones, parameters
    last."""
    taker = fixed.spec.input(dot.name) or fixed.spec.param(dot.name)
    for spec in registry.values():
        found = _first_input(spec, dot) if dot.side == "out" else _first_output(spec, taker)
        if found:
            yield Offer(spec, found)


def _first_input(spec: NodeSpec, giver: Dot) -> str:
    fitting: list[Socket | Param] = [socket for socket in spec.inputs if socket.takes(giver.type)]
    fitting.sort(key=lambda socket: isinstance(socket, Socket) and socket.optional)
    fitting += [param for param in spec.params if param.takes(giver.type)]
    return fitting[0].name if fitting else ""


def _first_output(spec: NodeSpec, taker: Socket | Param | None) -> str:
    return next((socket.name for socket in spec.outputs if taker and taker.takes(socket.type)), "")

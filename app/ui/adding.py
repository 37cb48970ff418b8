"""Search, choose, and there is a new node: at the cursor, at the end of a link, or in the middle of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QPointF
from PySide6.QtGui import QCursor

from app.engine.graph import Link
from app.engine.spec import NodeSpec
from app.ui import canvas_look as look
from app.ui import splice
from app.ui.search import Offer, SearchPopup

if TYPE_CHECKING:
    from app.ui.canvas import Canvas

Links = Callable[[Offer], Sequence[Link]]


class Adding(QObject):
    """Owns the search popup of a canvas. Places are scene positions, ``at`` is in the view."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.popup = SearchPopup(canvas)
        self._canvas, self._editor, self._view = canvas, canvas.editor, canvas.view
        self._answer: Callable[[Offer], None] | None = None
        self.popup.chosen.connect(self._chosen)
        self.popup.closed.connect(self._view.setFocus)
        self._view.ground_double_clicked.connect(self.search_at)
        self._view.type_dropped.connect(self.add)

    def search_at(self, at: QPoint) -> None:
        """Offers all node types; over a link, those that can stand in it."""
        place = self._view.mapToScene(at)
        item = self._view.link_at(place)
        if item is None:
            self.offer((Offer(spec) for spec in self._editor.registry.values()), at, place)
        else:
            link, hint = item.link, "Nodes that can stand in this link"
            self.offer(splice.offers(self._editor, link), at, place, hint, lambda offer: self._halves(link, offer))

    def offer(
        self, offers: Iterable[Offer], at: QPoint, place: QPointF, hint: str = "", links: Links = lambda _: ()
    ) -> None:
        """Let the person choose a node type and add it at ``place`` with ``links(offer)``: see ``Editor.add``."""
        self._answer = lambda offer: self.add(offer.spec.id, place, links(offer))
        self.popup.open(offers, self._view.mapTo(self._canvas, at), hint)

    def add(self, type_id: str, place: QPointF, links: Sequence[Link] = ()) -> None:
        """With the title bar of the new node, or its socket that is linked, under the cursor."""
        if type_id not in self._editor.registry:
            self._canvas.said.emit(f"There is no node type {type_id!r}.")
            return
        corner = place.x() - 20, place.y() - look.TITLE_HEIGHT / 2
        if len(links) == 1:
            corner = _at_socket(self._editor.registry[type_id], place, links[0])
        self._editor.add(type_id, corner, links=links)

    def place(self) -> QPointF:
        """Under the cursor, or in the middle when the cursor is elsewhere."""
        at = self._view.viewport().mapFromGlobal(QCursor.pos())
        room = self._view.viewport().rect()
        return QPointF(self._view.mapToScene(at if room.contains(at) else room.center()))

    def _chosen(self, offer: Offer) -> None:
        if self._answer:
            self._answer(offer)

    def _halves(self, link: Link, offer: Offer) -> Sequence[Link]:
        return splice.halves(self._editor, link, offer.spec) or ()


def _at_socket(spec: NodeSpec, place: QPointF, link: Link) -> tuple[float, float]:
    into = not link.target
    sockets, name = (spec.inputs, link.input) if into else (spec.outputs, link.output)
    row = next((i for i, socket in enumerate(sockets) if socket.name == name), len(sockets))
    across = 0.0 if into else look.NARROWEST
    return place.x() - across, place.y() - look.TITLE_HEIGHT - look.PAD - (row + 0.5) * look.ROW

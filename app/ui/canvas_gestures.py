"""From what the view saw of mouse and keys to edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QPointF
from PySide6.QtGui import QKeyEvent

from app.engine.graph import Link
from app.ui import canvas_menus, splice
from app.ui.link_drag import LinkDrag
from app.ui.node_face import Dot
from app.ui.node_item import NodeItem

if TYPE_CHECKING:
    from app.ui.canvas import Canvas


class Gestures(QObject):
    """Listens to the view of a canvas."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas, self._editor, self._view, self._items = canvas, canvas.editor, canvas.view, canvas.items
        self._picked: Link | None = None
        self._hovered: Link | None = None
        self._view.dot_pressed.connect(self._start_link)
        self._view.link_pressed.connect(self._pick_link)
        self._view.nodes_dragged.connect(self._hover_link)
        self._view.released.connect(self._commit_moves)
        self._view.menu_wanted.connect(self._open_menu)
        self._view.key_pressed.connect(self._key)
        self._view.sliced.connect(self._editor.unlink)

    def picked(self) -> Iterator[Link]:
        """The link that was clicked, if it is still there."""
        if self._picked in self._items.links:
            yield self._picked

    def _start_link(self, item: NodeItem, dot: Dot, place: QPointF) -> None:
        """From an output or a free input; from a linked input, the link's end comes off."""
        old = self._items.link_into(item.id, dot.name) if dot.side == "in" else None
        if old:
            source = self._items.nodes[old.link.source]
            dot = self._items.dot(source.id, "out", old.link.output)
            self._view.drag = LinkDrag(self._canvas, source, dot, place, old)
        else:
            self._view.drag = LinkDrag(self._canvas, item, dot, place)

    def _pick_link(self, item: object) -> None:
        self._picked = getattr(item, "link", None)
        self._mark_link(self._picked)

    def _hover_link(self) -> None:
        """One node without links is dragged over a link that it fits into: show that it would be put there."""
        ids = self._editor.selection
        item = self._items.nodes[ids[0]] if len(ids) == 1 else None
        over = self._view.link_at(item.mapToScene(item.face.body.boundingRect().center())) if item else None
        fits = over is not None and item is not None and splice.may_be_dropped(self._editor, over.link, item.id)
        self._hovered = over.link if over and fits else None
        self._mark_link(self._hovered)

    def _mark_link(self, marked: Link | None) -> None:
        for link, item in self._items.links.items():
            item.set_picked(link == marked)

    def _commit_moves(self) -> None:
        nodes = self._editor.graph.nodes
        items = [self._items.nodes[id] for id in self._editor.selection]
        hovered, self._hovered = self._hovered, None
        moved = {item.id: (item.x(), item.y()) for item in items if (item.x(), item.y()) != nodes[item.id].at}
        if hovered:
            splice.drop(self._editor, hovered, *moved.popitem())
        elif moved:
            self._editor.move(moved)
            for id in moved:
                self._items.nodes[id].setPos(*self._editor.graph.nodes[id].at)

    def _open_menu(self, at: QPoint, on_screen: QPoint) -> None:
        item = self._view.node_at(self._view.mapToScene(at))
        if item and item.id not in self._editor.selection:
            self._editor.select([item.id])
        menu = canvas_menus.node_menu(self._canvas, item.id) if item else canvas_menus.ground_menu(self._canvas)
        menu.popup(on_screen)

    def _key(self, event: QKeyEvent) -> None:
        command = canvas_menus.command_for(event)
        if command:
            getattr(self._canvas, command.method)()
        event.setAccepted(command is not None)

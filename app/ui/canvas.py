"""The canvas: shows the editor's graph and turns gestures into edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from PySide6.QtCore import QPoint, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.engine.errors import BadGraphFile
from app.engine.graph import Graph
from app.engine.payloads import Number, Text
from app.engine.spec import Param
from app.ui import canvas_look as look
from app.ui import canvas_menus, layout
from app.ui.adding import Adding
from app.ui.badges import Badge
from app.ui.canvas_gestures import Gestures
from app.ui.canvas_overlays import Bubble, RenameField
from app.ui.canvas_view import CanvasView
from app.ui.editor import Editor
from app.ui.graph_items import GraphItems
from app.ui.link_drag import LinkDrag
from app.ui.node_face import param_dot
from app.ui.weight_mark import Mark


class Canvas(QWidget):
    """A view of ``editor.graph``; every gesture ends in one call of the editor.

    ``run_to_requested``, ``pin_requested``, ``help_requested``, ``weights_requested``: node id, from the menu of a
    node or its mark. ``dropped``: (list of
    paths, scene position). ``said``: a sentence for the status line, such as why a link was refused.
    """

    run_to_requested = Signal(str)
    pin_requested = Signal(str)
    help_requested = Signal(str)
    weights_requested = Signal(str)
    dropped = Signal(object, QPointF)
    said = Signal(str)

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self.view = CanvasView(self)
        self.items = GraphItems(self.view.scene())
        self.bubble = Bubble(self)
        self.adding = Adding(self)
        self._gestures = Gestures(self)
        self._busy = False
        self._badges: dict[str, Badge] = {}
        self._pictures: dict[str, QPixmap] = {}
        self._marks: Mapping[str, Mark] = {}
        self._refit = QTimer(self, singleShot=True, interval=0)
        self._refit.timeout.connect(self.fit)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.view)
        self.setFocusProxy(self.view)
        self._wire()
        self._show(editor.graph)

    def _wire(self) -> None:
        self.editor.changed.connect(self._show)
        self.editor.opened.connect(self._forget)
        self.editor.selection_changed.connect(self._show_selection)
        self.editor.registry_changed.connect(self._show_everything)
        self.view.scene().selectionChanged.connect(self._read_selection)
        self.view.zoomed.connect(lambda zoom: self.items.set_thin_links(zoom < look.THIN))
        self.view.title_double_clicked.connect(self._rename)
        self.view.files_dropped.connect(self.dropped)
        self.view.mark_clicked.connect(self.weights_requested)

    # What is shown

    def set_badge(self, id: str, badge: Badge) -> None:
        """Kept for the id until another document is opened, also while the node is not there."""
        self._badges[id] = badge
        if id in self.items.nodes:
            self.items.nodes[id].set_badge(badge)

    def badge(self, id: str) -> Badge:
        return self._badges.get(id, Badge())

    def set_marks(self, marks: Mapping[str, Mark]) -> None:
        """Nodes that lack weights, by id; all others lack none."""
        self._marks = marks
        for id, item in self.items.nodes.items():
            item.set_mark(marks.get(id))

    def mark(self, id: str) -> Mark | None:
        return self._marks.get(id)

    def set_progress(self, id: str, fraction: float, note: str = "") -> None:
        """Drawn while the badge says running."""
        if id in self.items.nodes:
            self.items.nodes[id].set_progress(fraction, note)

    def set_thumbnail(self, id: str, image: QImage | None) -> None:
        """The node grows by the picture's room; None takes it away."""
        if image is None or image.isNull():
            self._pictures.pop(id, None)
        else:
            self._pictures[id] = QPixmap.fromImage(image)
        if id in self.items.nodes:
            self.items.nodes[id].set_picture(self._pictures.get(id))
            if self.view.fitted:
                self._refit.start()

    def selected(self) -> tuple[str, ...]:
        return self.editor.selection

    def select(self, ids: Iterable[str]) -> None:
        self.editor.select(ids)

    def centre_on(self, id: str) -> None:
        if id in self.items.nodes:
            self.view.look_at(self.items.nodes[id].sceneBoundingRect().center(), max(self.view.zoom, look.NEAR))

    # Commands: canvas_menus.COMMANDS names these

    def undo(self) -> None:
        self.editor.undo_stack.undo()

    def redo(self) -> None:
        self.editor.undo_stack.redo()

    def copy(self) -> None:
        if self.selected():
            QGuiApplication.clipboard().setText(self.editor.copy(self.selected()))

    def cut(self) -> None:
        if self.selected():
            self.copy()
            self.delete()

    def paste(self) -> None:
        """At the cursor, or in the middle when the cursor is elsewhere."""
        place = self.adding.place()
        try:
            self.editor.paste(QGuiApplication.clipboard().text(), (place.x(), place.y()))
        except BadGraphFile:
            self.said.emit("The clipboard holds no nodes.")

    def duplicate(self) -> None:
        if self.selected():
            self.editor.duplicate(self.selected())

    def delete(self) -> None:
        """The selected nodes, or the link that was clicked."""
        self.editor.delete(self.selected(), list(self._gestures.picked()))

    def select_all(self) -> None:
        self.editor.select(self.editor.graph.nodes)

    def toggle_bypass(self) -> None:
        """All of the selected nodes, unless all of them are bypassed already."""
        ids = self.selected()
        if ids:
            self.editor.set_bypass(ids, not all(self.editor.graph.nodes[id].bypass for id in ids))

    def rename(self) -> None:
        if self.selected():
            self._rename(self.selected()[-1])

    def search(self) -> None:
        """At the cursor, or in the middle when the cursor is elsewhere."""
        self.adding.search_at(self.view.mapFromScene(self.adding.place()))

    def fit(self) -> None:
        """The selected nodes if there are several, else all."""
        ids = self.selected() if len(self.selected()) > 1 else self.items.nodes
        box = QRectF()
        for id in ids:
            box |= self.items.nodes[id].sceneBoundingRect()
        self.view.fit(box) if ids else self.view.look_at(QPointF(), 1.0)

    def actual_size(self) -> None:
        """One scene unit is one pixel; the middle stays."""
        self.view.look_at(self.view.mapToScene(self.view.viewport().rect().center()), 1.0)

    def arrange(self) -> None:
        """Columns from left to right: the selected nodes if there are several, else all."""
        ids = self.selected() if len(self.selected()) > 1 else ()
        sizes = {id: (item.face.width, item.face.height) for id, item in self.items.nodes.items()}
        self.editor.move(layout.arrange(self.editor.graph, sizes, ids), "Arrange")

    def drivable(self, id: str) -> list[Param]:
        """Parameters of a node that a link can drive and none drives yet."""
        driven = {link.input for link in self.editor.graph.into.get(id, ())}
        params = self.editor.spec(id).params if not self.items.nodes[id].missing else ()
        return [p for p in params if p.name not in driven and (p.takes(Number) or p.takes(Text))]

    def drive(self, id: str, param: str) -> None:
        """Start a link at a parameter: it follows the cursor until the next click, on an output or on the ground."""
        item, found = self.items.nodes[id], self.editor.spec(id).param(param)
        if found:
            self.view.drag = LinkDrag(self, item, param_dot(found, param), item.pos())

    def refuse(self, reason: str, at: QPoint) -> None:
        """Say beside the cursor, and in the status line, why something is not done."""
        self.bubble.show_at(reason, at, fading=True)
        self.said.emit(reason)

    def ask(self, choices: Iterable[tuple[str, Callable[[], None]]], at: QPoint) -> None:
        """A menu of things to do at a place in the view."""
        canvas_menus.choice_menu(self, choices).popup(self.view.viewport().mapToGlobal(at))

    def _show(self, graph: Graph, everything: bool = False) -> None:
        self.view.cancel_drag()
        self._busy = True
        before = set(self.items.nodes)
        self.items.show(graph, self.editor.registry, everything)
        for id in self.items.nodes.keys() - before:
            self._dress(id)
        self._busy = False
        self._show_selection(self.editor.selection)

    def _show_everything(self) -> None:
        self._show(self.editor.graph, True)

    def _dress(self, id: str) -> None:
        if id in self._badges:
            self.items.nodes[id].set_badge(self._badges[id])
        if id in self._pictures:
            self.items.nodes[id].set_picture(self._pictures[id])
        self.items.nodes[id].set_mark(self._marks.get(id))

    def _forget(self) -> None:
        self._badges.clear()
        self._pictures.clear()
        self.items.clear()

    def _show_selection(self, ids: tuple[str, ...]) -> None:
        self._busy = True
        wanted = set(ids)
        for id, item in self.items.nodes.items():
            if item.isSelected() != (id in wanted):
                item.setSelected(id in wanted)
        self._busy = False

    def _read_selection(self) -> None:
        if not self._busy:
            self.editor.select(id for id, item in self.items.nodes.items() if item.isSelected())

    def _rename(self, id: str) -> None:
        item = self.items.nodes[id]
        self.editor.select([id])
        bar = QRectF(item.x(), item.y(), item.face.width, look.TITLE_HEIGHT)
        box = self.view.mapFromScene(bar).boundingRect()
        box.setSize(box.size().expandedTo(RenameField.SMALLEST))
        RenameField(self.view.viewport(), self.editor.title(id), box, partial(self._renamed, id))

    def _renamed(self, id: str, text: str) -> None:
        """The type's own title stands for none, so that it follows the type when that is renamed."""
        if id in self.editor.graph.nodes:
            self.editor.rename(id, "" if text.strip() == self.editor.spec(id).title else text)
        self.view.setFocus()

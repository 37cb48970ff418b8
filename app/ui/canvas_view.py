"""The camera and the mouse of the canvas, on top of NodeGraphQt's viewer.

Its panning, rubber band and link knife are kept. Its link handling, cycle check (exponential), search and menus are
not used; modifier keys are read from the mouse event, because a key released in another window is never seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from NodeGraphQt.widgets.viewer import NodeViewer
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QHelpEvent,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QPainterPath,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsView, QToolTip, QWidget

from app.ui import canvas_look as look
from app.ui.canvas_scene import CanvasScene
from app.ui.library import NODE_MIME
from app.ui.link_drag import LinkDrag
from app.ui.link_item import LinkItem
from app.ui.node_face import Dot
from app.ui.node_item import NodeItem

FURTHEST, CLOSEST = 0.02, 3.0
_LEFT, _MIDDLE, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
_KEYS = Qt.KeyboardModifier


class CanvasView(NodeViewer):  # type: ignore[misc]
    """Tells what the person did; changes nothing itself but the camera and the selection."""

    dot_pressed = Signal(object, object, QPointF)
    link_pressed = Signal(object)
    released = Signal()
    nodes_dragged = Signal()
    ground_double_clicked = Signal(QPoint)
    title_double_clicked = Signal(str)
    menu_wanted = Signal(QPoint, QPoint)
    sliced = Signal(object)
    zoomed = Signal(float)
    key_pressed = Signal(object)
    files_dropped = Signal(object, QPointF)
    type_dropped = Signal(str, QPointF)
    mark_clicked = Signal(str)

    drag: LinkDrag | None = None
    _fitted: QRectF | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(CanvasScene(self))
        self.scene().addItem(self._SLICER_PIPE)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # The camera

    @property
    def zoom(self) -> float:
        return float(self.transform().m11())

    def look_at(self, centre: QPointF, zoom: float) -> None:
        self._fitted = None
        zoom = min(max(zoom, FURTHEST), CLOSEST)
        width, height = self.viewport().width() / zoom, self.viewport().height() / zoom
        self._scene_range = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
        self._update_scene()

    def fit(self, box: QRectF) -> None:
        """Show all of ``box``, never larger than 1:1; also when the view's size changes, until the mouse is used."""
        view = self.viewport().size()
        zoom = min(view.width() / max(box.width() + 80, 1), view.height() / max(box.height() + 80, 1), 1.0)
        self.look_at(box.center(), zoom)
        self._fitted = box

    @property
    def fitted(self) -> bool:
        """Whether all was asked for and the mouse was not used since."""
        return self._fitted is not None

    def zoom_by(self, factor: float, at: QPoint) -> None:
        """The point under ``at`` stays where it is."""
        zoom = min(max(self.zoom * factor, FURTHEST), CLOSEST)
        if 0.93 < zoom < 1.07 and abs(self.zoom - 1) > abs(zoom - 1):
            zoom = 1.0
        held = self.mapToScene(at)
        centre = held + (self._scene_range.center() - held) * (self.zoom / zoom)
        self.look_at(centre, zoom)

    def _update_scene(self) -> None:
        self.setSceneRect(self._scene_range)
        zoom = self.viewport().width() / max(self._scene_range.width(), 1e-6)
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self.zoomed.emit(zoom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The top left corner and the zoom stay, unless all was shown."""
        corner, zoom = self._scene_range.topLeft(), self.zoom
        QGraphicsView.resizeEvent(self, event)
        if self._fitted is not None:
            self.fit(self._fitted)
            return
        size = self.viewport().size()
        self.look_at(corner + QPointF(size.width() / zoom / 2, size.height() / zoom / 2), zoom)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if event.device().type() == QInputDevice.DeviceType.TouchPad and not event.modifiers() & _KEYS.ControlModifier:
            step = (event.pixelDelta() or turn).toPointF() / self.zoom
            self._fitted = None
            self._set_viewer_pan(-step.x(), -step.y())
        else:
            self.zoom_by(1.0015 ** (turn.y() or turn.x()), event.position().toPoint())
        event.accept()

    # What lies under the cursor

    def node_at(self, place: QPointF) -> NodeItem | None:
        return next((item for item in self.scene().items(place) if isinstance(item, NodeItem)), None)

    def dot_at(self, place: QPointF, reach: float) -> tuple[NodeItem, Dot] | None:
        """The socket of the topmost node that has one within ``reach``."""
        if self.zoom < look.FAR:
            return None
        around = QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach)
        for item in self.scene().items(around):
            dot = item.dot_at(place, reach) if isinstance(item, NodeItem) else None
            if dot:
                return item, dot
            if isinstance(item, NodeItem) and item.contains(item.mapFromScene(place)):
                return None
        return None

    def mark_at(self, place: QPointF) -> NodeItem | None:
        """The node whose mark of missing weights lies here."""
        item = self.node_at(place) if self.zoom >= look.FAR else None
        return item if item is not None and item.on_mark(place) else None

    def link_at(self, place: QPointF) -> LinkItem | None:
        return next((item for item in self.scene().items(place) if isinstance(item, LinkItem)), None)

    def _items_near(self, pos: QPointF, *_: Any) -> list[NodeItem]:
        item = self.node_at(pos)
        return [item] if item else []

    def _combined_rect(self, nodes: Iterable[NodeItem]) -> QRectF:
        box = QRectF()
        for item in nodes:
            box |= item.sceneBoundingRect()
        return box

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._read_modifiers(event)
        self.setFocus()
        self._fitted = None
        place = self.mapToScene(event.position().toPoint())
        if self.drag:
            if event.button() == _RIGHT:
                self.cancel_drag()
            return
        marked = self.mark_at(place)
        if event.button() == _LEFT and marked is not None:
            QTimer.singleShot(0, self, lambda: self.mark_clicked.emit(marked.id))
            return
        if event.button() == _LEFT and not self.ALT_state:
            hit = self.dot_at(place, look.DOT + 6)
            if hit:
                self.dot_pressed.emit(*hit, place)
                return
        super().mousePressEvent(event)
        if self.scene().mouseGrabberItem():
            self._rubber_band.isActive = False  # Qt hits an item half a pixel earlier than a point in the scene does
        if event.button() == _MIDDLE:
            self.MMB_state = True
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        if event.button() == _LEFT and not self.ALT_state:
            self.link_pressed.emit(None if self.node_at(place) else self.link_at(place))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.drag:
            self.drag.move(event.position().toPoint())
            return
        super().mouseMoveEvent(event)
        if self.LMB_state and not self._rubber_band.isActive:
            self.nodes_dragged.emit()
        if not event.buttons():
            place = self.mapToScene(event.position().toPoint())
            over = self.dot_at(place, look.DOT + 6)
            usual = Qt.CursorShape.PointingHandCursor if self.mark_at(place) else Qt.CursorShape.ArrowCursor
            self.viewport().setCursor(Qt.CursorShape.CrossCursor if over else usual)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.drag:
            if event.button() == _LEFT:
                drag, self.drag = self.drag, None
                drag.drop(event.position().toPoint())
            return
        super().mouseReleaseEvent(event)
        if event.button() == _MIDDLE:
            self.viewport().unsetCursor()
        if event.button() == _LEFT:
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self.mapToScene(event.position().toPoint())
        item = self.node_at(place)
        if event.button() != _LEFT or self.dot_at(place, look.DOT + 6):
            self.mousePressEvent(event)
        elif item is None:
            self.ground_double_clicked.emit(event.position().toPoint())
        elif place.y() - item.y() <= look.TITLE_HEIGHT:
            self.title_double_clicked.emit(item.id)
        else:
            self.mousePressEvent(event)

    def leave_gesture(self) -> None:
        """Forget pressed buttons: a menu or a dialog took the release."""
        self.LMB_state = self.MMB_state = self.RMB_state = False

    def cancel_drag(self) -> None:
        if self.drag:
            drag, self.drag = self.drag, None
            drag.end()

    def _read_modifiers(self, event: QMouseEvent) -> None:
        """They count as they are when the button goes down. Control does what Shift does: it adds."""
        keys = event.modifiers()
        self.ALT_state = bool(keys & _KEYS.AltModifier)
        self.SHIFT_state = bool(keys & (_KEYS.ShiftModifier | _KEYS.ControlModifier))
        self.CTRL_state = False

    def sceneMousePressEvent(self, event: object) -> None:
        """Links are not drawn here."""

    sceneMouseMoveEvent = sceneMousePressEvent
    sceneMouseReleaseEvent = sceneMousePressEvent

    def _on_pipes_sliced(self, path: QPainterPath) -> None:
        self.sliced.emit([item.link for item in self.scene().items(path) if isinstance(item, LinkItem)])

    # Keys, menus, tooltips

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab searches; it does not leave the canvas."""
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.drag and event.key() == Qt.Key.Key_Escape:
            self.cancel_drag()
            return
        self.key_pressed.emit(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.leave_gesture()
        if not self.drag:
            self.menu_wanted.emit(event.pos(), event.globalPos())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.mapToScene(event.pos())
            near = self.dot_at(place, look.DOT + 5)
            item = near[0] if near else self.node_at(place)
            QToolTip.showText(event.globalPos(), item.tooltip_at(place) if item else "", self)
            return True
        return bool(super().viewportEvent(event))

    # Things dropped from outside

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.dragMoveEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        data = event.mimeData()
        if data.hasFormat(NODE_MIME) or any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        place, data = self.mapToScene(event.position().toPoint()), event.mimeData()
        event.acceptProposedAction()
        if data.hasFormat(NODE_MIME):
            self.type_dropped.emit(bytes(data.data(NODE_MIME).data()).decode(), place)
        else:
            self.files_dropped.emit([url.toLocalFile() for url in data.urls() if url.isLocalFile()], place)

"""The small tool bars above the views: each knows its view, the panel shows the one that belongs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from viewer.drawing import BrushTool, Tool
from viewer.picture import CHANNELS, PictureView

MARGIN = 6


class Bar(QWidget):
    """A row of controls. Where it is too narrow, the last buttons move into a menu at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.row = QHBoxLayout()
        self.row.setSpacing(2)
        self._buttons: list[QToolButton] = []
        self._absent: set[QWidget] = set()
        self._folded: list[QToolButton] = []
        self._more = _flat("…", "More")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._more)
        self._menu.aboutToShow.connect(self._fill)
        self._more.setMenu(self._menu)
        self._more.hide()
        whole = QHBoxLayout(self)
        whole.setContentsMargins(MARGIN, 4, MARGIN, 4)
        whole.setSpacing(2)
        whole.addLayout(self.row, 1)
        whole.addWidget(self._more)

    def refresh(self) -> None:
        """Brings the controls in line with what their view shows."""

    def button(self, text: str, tip: str, act: Callable[[], None] | None = None, check: bool = False) -> QToolButton:
        """Appends a flat button."""
        made = _flat(text, tip)
        made.setCheckable(check)
        if act is not None:
            made.clicked.connect(lambda *_: act())
        self.row.addWidget(made)
        self._buttons.append(made)
        return made

    def choice(self, tip: str) -> QComboBox:
        """Appends a list to choose from."""
        made = QComboBox()
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        made.setToolTip(tip)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.row.addWidget(made)
        return made

    def offer(self, control: QWidget, on: bool) -> None:
        """Whether ``control`` makes sense for what is shown now."""
        (self._absent.discard if on else self._absent.add)(control)
        self.fold()

    def fold(self) -> None:
        """Shows as many controls as there is room for."""
        items = [item for i in range(self.row.count()) if (item := self.row.itemAt(i)) is not None]
        controls = [w for item in items if (w := item.widget()) is not None]
        present = [w for w in controls if w not in self._absent]
        folded = self._excess(present)
        self._folded = [b for b in self._buttons if b in folded]
        for control in controls:
            control.setVisible(control in present and control not in folded)
        self._more.setVisible(bool(folded))

    def _excess(self, present: list[QWidget]) -> set[QWidget]:
        gap = self.row.spacing()
        need = sum(w.sizeHint().width() + gap for w in present)
        room = self.width() - 2 * MARGIN
        folded: set[QWidget] = set()
        for button in reversed([b for b in self._buttons if b in present]):
            if need <= room:
                break
            room -= 0 if folded else self._more.sizeHint().width() + gap
            need -= button.sizeHint().width() + gap
            folded.add(button)
        return folded

    def _fill(self) -> None:
        self._menu.clear()
        for button in self._folded:
            if button.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup:
                button.menu().setTitle(button.text())
                self._menu.addMenu(button.menu())
            else:
                action = self._menu.addAction(button.text(), button.click)
                action.setCheckable(button.isCheckable())
                action.setChecked(button.isChecked())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fold()

    def event(self, event: QEvent) -> bool:
        done = bool(super().event(event))
        if event.type() == QEvent.Type.LayoutRequest:
            self.fold()
        return done


class Line(QLabel):
    """One line of text that is cut off with dots where it is too long; all of it is in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(1)

    def say(self, text: str) -> None:
        self.setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _flat(text: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setToolTip(tip)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made


class PictureBar(Bar):
    """Channels and zoom of a picture."""

    def __init__(self, view: PictureView, save: Callable[[], None]) -> None:
        super().__init__()
        self._view = view
        self.channels = self.choice("Which channels are shown")
        for name, label in CHANNELS.items():
            self.channels.addItem(label, name)
        self.channels.activated.connect(lambda i: view.set_channel(self.channels.itemData(i)))
        self.back = self.button("‹", "The picture before (Left)", lambda: view.turn(-1))
        self.place = QLabel()
        self.row.addWidget(self.place)
        self.on = self.button("›", "The next picture (Right)", lambda: view.turn(1))
        self.row.addStretch(1)
        view.turned.connect(self.refresh)
        self.button("Fit", "The whole picture (double click)", view.fit)
        self.button("1:1", "One picture pixel for each screen pixel", view.actual_size)
        self.button("Save", "Save this picture", save)

    def refresh(self) -> None:
        picture = self._view.picture
        sheet = self._view.sheet
        if sheet is not None:
            count, page = len(sheet.pages), self._view.page
            self.place.setText(f"{page} of {count}" if page else f"all {count}")
        for control in (self.back, self.place, self.on):
            self.offer(control, sheet is not None)
        self.offer(self.channels, picture is not None and picture.kind == "colour")


class DrawingBar(Bar):
    """Controls of a drawing tool, in one line with what to do."""

    def __init__(self, view: PictureView, tool: Tool) -> None:
        super().__init__()
        if isinstance(tool, BrushTool):
            self._brush(tool)
        else:
            self.row.addWidget(QLabel("Drag a rectangle around the object"))
        self.row.addStretch(1)
        if isinstance(tool, BrushTool):
            self.button("Undo", "Take the last stroke away", tool.undo)
        self.button("Clear", "Take everything away", tool.clear)
        self.button("Fit", "The whole picture", view.fit)

    def _brush(self, tool: BrushTool) -> None:
        group = QButtonGroup(self)
        for text, keep in (("Keep", True), ("Drop", False)):
            button = self.button(text, "Left button paints this, right button the opposite", check=True)
            button.setChecked(keep == tool.keep)
            button.clicked.connect(partial(setattr, tool, "keep", keep))
            group.addButton(button)
        self.row.addWidget(QLabel("Size"))
        size = QSlider(Qt.Orientation.Horizontal)
        size.setRange(2, 150)
        size.setValue(round(tool.radius * 1000))
        size.setFixedWidth(64)
        size.setToolTip("Radius of the brush, as a part of the picture's width")
        size.valueChanged.connect(lambda value: setattr(tool, "radius", value / 1000))
        self.row.addWidget(size)

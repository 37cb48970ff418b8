"""The small tool bars above the views: each knows its view, the panel shows the one that belongs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from viewer.drawing import BrushTool, Tool
from viewer.picture import CHANNELS, PictureView


class Bar(QWidget):
    """A row of controls."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(6, 4, 6, 4)
        self.row.setSpacing(2)

    def refresh(self) -> None:
        """Brings the controls in line with what their view shows."""

    def button(self, text: str, tip: str, act: Callable[[], None] | None = None, check: bool = False) -> QToolButton:
        """Appends a flat button."""
        made = QToolButton()
        made.setText(text)
        made.setToolTip(tip)
        made.setCheckable(check)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if act is not None:
            made.clicked.connect(lambda *_: act())
        self.row.addWidget(made)
        return made

    def choice(self, tip: str) -> QComboBox:
        """Appends a list to choose from."""
        made = QComboBox()
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        made.setToolTip(tip)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.row.addWidget(made)
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
        self.row.addStretch(1)
        self.button("Fit", "The whole picture (double click)", view.fit)
        self.button("1:1", "One picture pixel for each screen pixel", view.actual_size)
        self.button("Save", "Save this picture", save)

    def refresh(self) -> None:
        picture = self._view.picture
        self.channels.setVisible(picture is not None and picture.kind == "colour")


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
            self.button("Undo stroke", "Take the last stroke away", tool.undo)
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
        size.setFixedWidth(110)
        size.setToolTip("Radius of the brush, as a part of the picture's width")
        size.valueChanged.connect(lambda value: setattr(tool, "radius", value / 1000))
        self.row.addWidget(size)

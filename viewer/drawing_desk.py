"""A picture with a drawing tool on it and the tool's own bar above."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from app.engine.payloads import Image
from viewer.adapters import adapt
from viewer.bars import DrawingBar
from viewer.drawing import Tool
from viewer.picture import PictureView
from viewer.shown import Picture


class DrawingDesk:
    """Opens and closes a tool over ``view``; its bar goes into ``bars``."""

    def __init__(self, view: PictureView, bars: QVBoxLayout) -> None:
        self._view = view
        self._bars = bars
        self.bar: DrawingBar | None = None

    def take(self, image: Image, kind: str, value: object) -> bool:
        """Whether the open tool is the right one and took the value: brush and zoom stay as they are."""
        tool, picture = self._view.tool, self._view.picture
        if tool is None or picture is None or tool.kind != kind or picture.values is not image.pixels:
            return False
        tool.value = value
        tool.update()
        return True

    def open(self, image: Image, tool: Tool) -> None:
        """Lays ``tool`` over ``image``."""
        shown = adapt(image)
        assert isinstance(shown, Picture)
        self._view.set_picture(shown, keep_view=True)
        self._view.use(tool)
        self.bar = DrawingBar(self._view, tool)
        self._bars.addWidget(self.bar)

    def close(self) -> bool:
        """Puts the tool away; whether there was one."""
        if self.bar is None:
            return False
        self._view.use(None)
        self.bar.setParent(None)
        self.bar.deleteLater()
        self.bar = None
        return True

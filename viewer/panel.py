"""The viewer as the window sees it: one panel that shows any result."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.engine.errors import CannotWrite
from app.engine.params import Rect, Stroke
from app.engine.payloads import Image, Payload
from viewer import gl, style
from viewer.adapters import adapt
from viewer.bars import Bar, Line, PictureBar
from viewer.drawing import BrushTool, RectangleTool, Tool
from viewer.drawing_desk import DrawingDesk
from viewer.page import PageView
from viewer.picture import PictureView
from viewer.shown import Page, Picture, Scenery, Shown

if TYPE_CHECKING:
    from viewer.viewport import Viewport

HINT = "Select a node to see its result"
NO_RESULT = "No result yet.\nRun the graph to see it here."
LOADING = "The 3D view is being prepared …"
NO_OPENGL = "drawn without OpenGL, which this display does not offer"


class ViewerPanel(QWidget):
    """Shows payloads; lets a rectangle or strokes be drawn on a picture.

    ``drawn``: ("rectangle", (left, top, right, bottom) or None) or ("strokes", tuple of :class:`Stroke`), once per
    gesture, in 0..1 of the picture.
    """

    drawn = Signal(str, object)
    _loaded = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(style.SHEET)
        self.setMinimumSize(240, 180)
        self.viewport: Viewport | None = None
        self.picture = PictureView()
        self.page = PageView()
        self._hint = QLabel(HINT, alignment=Qt.AlignmentFlag.AlignCenter)
        self._hint.setObjectName("hint")
        self._foot = Line()
        self._bars: dict[QWidget, Bar] = {}
        self._payload: Payload | None = None
        self._source = ""
        self._loader: Thread | None = None
        self._lay_out()
        self.picture.probed.connect(self._probed)
        self._loaded.connect(self._on_loaded)
        self._show_widget(self._hint)
        QTimer.singleShot(0, self._warm_up)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._top = QVBoxLayout()
        column.addLayout(self._top)
        self._desk = DrawingDesk(self.picture, self._top)
        self._stack = QStackedLayout()
        column.addLayout(self._stack, 1)
        for view in (self._hint, self.picture, self.page):
            self._stack.addWidget(view)
        foot = QWidget()
        foot.setObjectName("foot")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        line = QVBoxLayout(foot)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._foot)
        column.addWidget(foot)

    def _warm_up(self) -> None:
        """Loads VTK while the person looks for the first thing to click."""
        if gl.on_screen().works:
            self._loader = Thread(target=self._load, name="warm-up", daemon=True)
            self._loader.start()

    def _load(self) -> None:
        try:
            import viewer.viewport  # noqa: F401
        finally:
            with suppress(RuntimeError):  # the panel may be gone by now
                self._loaded.emit()

    def _on_loaded(self) -> None:
        """What was asked for meanwhile can be shown now."""
        self._loader = None
        if self._hint.text() == LOADING and self.picture.tool is None:
            self._show(self._payload, keep_view=False)

    def show_payload(self, payload: Payload | None, source: str = "") -> None:
        """Shows ``payload``, or the hint for None. The view stays while ``source`` is the same.

        While a drawing tool is open the payload is kept and shown once the tool is put away.
        """
        kept = source == self._source and self._payload is not None
        self._payload, self._source = payload, source
        if self.picture.tool is None:
            self._show(payload, kept)

    def show_waiting(self, words: str, source: str = "") -> None:
        """Says ``words`` in place of the payload of ``source``, which is still to come."""
        self._payload, self._source = None, source
        if self.picture.tool is None:
            self._hint.setText(words[:1].upper() + words[1:])
            self._show_widget(self._hint)
            self._say("")

    def _show(self, payload: Payload | None, keep_view: bool) -> None:
        if payload is None:
            self._hint.setText(NO_RESULT if self._source else HINT)
            self._show_widget(self._hint)
            self._say("")
            return
        self._show_form(adapt(payload), keep_view)

    def _show_form(self, shown: Shown, keep_view: bool) -> None:
        if isinstance(shown, Page):
            self.page.set_page(shown)
            self._show_widget(self.page)
            self._say("")
        elif isinstance(shown, Picture):
            self._show_widget(self.picture)
            self.picture.set_picture(shown, keep_view)
            self._bars[self.picture].refresh()
        elif not gl.on_screen().works:
            self._show_form(self._flat(shown), keep_view)
        elif self._loader is not None and self._loader.is_alive():
            self._hint.setText(LOADING)
            self._show_widget(self._hint)
            self._say("")
        else:
            self._show_scenery(shown)

    def _show_scenery(self, shown: Scenery) -> None:
        viewport = self._viewport()
        self._show_widget(viewport)
        viewport.show_scenery(shown, self._source)

    def _flat(self, shown: Scenery) -> Picture:
        from viewer.raster import picture

        side = max(256, min(self.width(), self.height(), 1024))
        return Picture(Image.of(picture(shown, side, side)).pixels, "colour", NO_OPENGL)

    def _viewport(self) -> Viewport:
        if self.viewport is None:
            from viewer.viewport import Viewport

            self.viewport = Viewport(self)
            self.viewport.facts_changed.connect(self._say)
            self._stack.addWidget(self.viewport)
        return self.viewport

    def _show_widget(self, view: QWidget) -> None:
        if view is not self.viewport:
            self._release()
        self._stack.setCurrentWidget(view)
        if view not in self._bars and (made := self._make_bar(view)) is not None:
            self._bars[view] = made
            self._top.addWidget(made)
        self._show_bar(self._bars.get(view))

    def _show_bar(self, wanted: Bar | None) -> None:
        for bar in self._bars.values():
            bar.setVisible(bar is wanted)
        if wanted is not None:
            wanted.refresh()

    def _make_bar(self, view: QWidget) -> Bar | None:
        if view is self.viewport and self.viewport is not None:
            from viewer.scene_bar import SceneBar

            return SceneBar(self.viewport, self._save)
        return PictureBar(self.picture, self._save) if view is self.picture else None

    def _release(self) -> None:
        """A 3D result that is out of sight holds no memory."""
        if self.viewport is not None and self.viewport.scene.shown is not None:
            self.viewport.show_scenery(None)

    def edit_rectangle(self, image: Image, value: Rect | None) -> None:
        """Lets a rectangle be drawn on ``image``; call again to change the value under the tool."""
        if not self._desk.take(image, "rectangle", value):
            self._edit(image, RectangleTool(image.size, value))

    def edit_strokes(self, image: Image, value: tuple[Stroke, ...]) -> None:
        """Lets keep and drop strokes be painted on ``image``; call again to change the value under the tool."""
        if not self._desk.take(image, "strokes", value):
            self._edit(image, BrushTool(image.size, value))

    def _edit(self, image: Image, tool: Tool) -> None:
        self._desk.close()
        self._show_widget(self.picture)
        self._desk.open(image, tool)
        tool.drawn.connect(lambda value: self.drawn.emit(tool.kind, value))
        self._show_bar(None)

    def stop_editing(self) -> None:
        """Puts the tool away and shows the payload again."""
        if self._desk.close():
            self._show(self._payload, keep_view=False)

    def _say(self, text: str) -> None:
        self._foot.say(text)

    def _probed(self, text: str) -> None:
        if self._stack.currentWidget() is self.picture:
            self._say(text)

    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save picture", "view.png", "PNG picture (*.png)")
        if name:
            path = Path(name).with_suffix(".png")
            try:
                self.screenshot(path)
                self._say(f"Saved {path.name}")
            except CannotWrite as error:
                self._say(f"{error.message} {error.advice}")

    def screenshot(self, path: Path) -> None:
        """Writes what is shown as a PNG: the 3D view, the picture at full size, or the page. Raises CannotWrite."""
        view = self._stack.currentWidget()
        try:
            if self.viewport is not None and view is self.viewport:
                self.viewport.screenshot(path)
                return
            image = self.picture.image() if view is self.picture else self.grab().toImage()
            if not image.save(str(path)):
                raise OSError("the folder is not there or cannot be written")
        except OSError as error:
            raise CannotWrite(f"{path.name} was not saved: {error}.", "Choose another folder.") from error

    def camera(self) -> dict[str, Any] | None:
        """Where the 3D view looks from, or None before it has shown anything; see ``turntable.orbit_of``."""
        return None if self.viewport is None else self.viewport.orbit()

    def shutdown(self) -> None:
        """Call before the window closes: ends helper threads and gives OpenGL back."""
        if self.viewport is not None:
            self.viewport.shutdown()

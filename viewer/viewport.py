"""The 3D view: a PyVista plotter inside the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pyvistaqt import QtInteractor

from viewer import gl
from viewer.background import Background
from viewer.facts import closed, counted
from viewer.proxy import all_coarse
from viewer.scene import Scene
from viewer.shown import Dots, Scenery, Solid
from viewer.turntable import Turntable, orbit_of

HEAVY_FACES = 200_000
SMOOTH_EDGES_FACES = 300_000
REST_MS = 220
VIEW_KEYS = {
    Qt.Key.Key_1: "front",
    Qt.Key.Key_3: "right",
    Qt.Key.Key_7: "top",
    Qt.Key.Key_0: "three-quarter",
}
OPPOSITE = {"front": "back", "right": "left", "top": "bottom", "three-quarter": "three-quarter"}


class _Interactor(QtInteractor):  # type: ignore[misc]
    """PyVista's widget without its keys and with a native window that may be made anew (a dock that floats)."""

    _native = 0

    def __init__(self, parent: QWidget, samples: int) -> None:
        super().__init__(parent, multi_samples=samples, auto_update=False)
        self.setAcceptDrops(False)
        self.iren.untrack_click_position("left")  # PyVista's double click would swap the mouse style
        self._native = int(self.winId())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def event(self, event: QEvent) -> bool:
        handled = bool(super().event(event))
        if event.type() == QEvent.Type.WinIdChange and self._native not in (0, int(self.winId())):
            self._native = int(self.winId())
            self.render_window.Finalize()
            self.render_window.SetWindowInfo(str(self._native))
        return handled


class Viewport(QWidget):
    """Shows :data:`Scenery`. Left drag orbits, middle drag pans, wheel zooms; F frames; 1, 3, 7, 0 are fixed views.

    ``changed``: mode, edges or grid are not what they were. ``facts_changed(text)``: the statistics line.
    """

    changed = Signal()
    facts_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.software = gl.on_screen().software
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plotter = _Interactor(self, 0 if self.software else 4)
        self.plotter.setFocusProxy(self)
        layout.addWidget(self.plotter)
        self.scene = Scene(self.plotter)
        self._style = Turntable(self._began, self._moved, self._rest)
        self.plotter.iren.interactor.SetInteractorStyle(self._style)
        self._corner = self.plotter.add_axes(
            interactive=False, line_width=3, color="#d7dae0", viewport=(0, 0, 0.16, 0.2)
        )
        self._background = Background(self)
        self._at_rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._at_rest.timeout.connect(self._rested)
        self._source: str | None = None
        self._by_hand = False
        self._alive = True

    def show_scenery(self, shown: Scenery | None, source: str = "") -> None:
        """Replaces what is shown.

        The camera stays for the same ``source``, and for another one too if it was moved by hand and the new result is
        in view; else the new result is framed from the same direction.
        """
        self.scene.show(shown)
        self._samples(still=True)
        if shown is not None:
            self._place_camera(source)
        self.scene.reclip()
        self._study(shown)
        self.redraw()
        self.changed.emit()

    def _place_camera(self, source: str) -> None:
        if self._source is None:
            self.scene.look_from("three-quarter")
        elif source != self._source and not (self._by_hand and self.scene.in_view()):
            self.scene.frame()
            self._by_hand = False
        self._source = source

    def _study(self, shown: Scenery | None) -> None:
        """Counts at once; whether the mesh is closed, and its stand-in for moving, from the background."""
        self._background.forget("closed")
        self._background.forget("coarse")
        self.facts_changed.emit("" if shown is None else counted(shown))
        if not isinstance(shown, Solid) or not len(shown.mesh.faces) or shown.facts:
            return
        mesh = shown.mesh
        smooth = self.scene.smooth_meshes()
        if self.software and len(mesh.faces) > HEAVY_FACES and smooth:
            self._background.start("coarse", lambda: all_coarse(smooth), self.scene.use_coarse)
        if shown.pieces:
            return
        self._background.start("closed", lambda: closed(mesh), lambda yes: self.facts_changed.emit(counted(shown, yes)))

    def set_mode(self, mode: str) -> None:
        """One of ``scene.modes``; kept for later results that can take it."""
        self.scene.wanted = mode
        self._redress()

    def set_edges(self, on: bool) -> None:
        """Triangles' outlines over the surface."""
        self.scene.edges = on
        self._redress()

    def set_grid(self, on: bool) -> None:
        self.scene.grid = on
        self._redress()

    def _redress(self) -> None:
        self.scene.dress()
        self.redraw()
        self.changed.emit()

    def look_from(self, view: str) -> None:
        """A fixed view, framed; see ``scene.VIEWS``."""
        self.scene.look_from(view)
        self._by_hand = False
        self.redraw()

    def orbit(self) -> dict[str, Any]:
        """Where the camera stands and looks, see ``turntable.orbit_of``."""
        return orbit_of(self.plotter.renderer.camera)

    def frame(self) -> None:
        """Fills the view with what is shown."""
        self.scene.frame()
        self._by_hand = False
        self.redraw()

    def screenshot(self, path: Path) -> None:
        """Writes the view as a PNG. Raises OSError when it cannot."""
        from PIL import Image

        self._rested()
        Image.fromarray(self.pixels()).save(path, "PNG")

    def pixels(self) -> Any:
        """(H, W, 3) uint8 of the view as drawn."""
        self.plotter.render_window.Render()
        return self.plotter.screenshot(return_img=True)

    def redraw(self) -> None:
        """Draws the view again, if it can be seen."""
        if self._alive and self.isVisible():
            self.plotter.render()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        view = VIEW_KEYS.get(Qt.Key(event.key()))
        if view is not None:
            back = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.look_from(OPPOSITE[view] if back else view)
        elif event.key() in (Qt.Key.Key_F, Qt.Key.Key_Home, Qt.Key.Key_Period):
            self.frame()
        else:
            super().keyPressEvent(event)

    def _samples(self, still: bool) -> None:
        """On a processor that draws, edges are smoothed only while the camera rests and the mesh is light."""
        if not self.software:
            return
        shown = self.scene.shown
        light = not isinstance(shown, Solid) or len(shown.mesh.faces) < SMOOTH_EDGES_FACES
        if isinstance(shown, Dots):
            light = len(shown.cloud.points) < SMOOTH_EDGES_FACES
        self.plotter.render_window.SetMultiSamples(4 if still and light else 0)

    def _began(self) -> None:
        self._at_rest.stop()
        self._by_hand = True
        self.scene.moving(True)
        self._samples(still=False)

    def _moved(self) -> None:
        self.scene.reclip()
        self._at_rest.start()

    def _rest(self) -> None:
        self._at_rest.start()

    def _rested(self) -> None:
        self._at_rest.stop()
        self.scene.moving(False)
        self.scene.sort()
        self._samples(still=True)
        self.scene.reclip()
        self.redraw()

    def shutdown(self) -> None:
        """Ends the helper thread and gives OpenGL back; the widget shows nothing afterwards."""
        if not self._alive:
            return
        self._alive = False
        self._at_rest.stop()
        self._background.close()
        self.scene.clear()
        self.plotter.render_window.Finalize()
        self.plotter.close()

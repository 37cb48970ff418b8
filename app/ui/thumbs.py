"""Small pictures of results for the canvas, made on the helper thread and remembered by content."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.engine.errors import EngineError
from app.engine.store import Store
from app.ui.background import Background
from app.ui.viewer_face import MakeThumbnail

REMEMBERED = 1000


class Thumbs(QObject):
    """``ready(id, QImage or None)``."""

    ready = Signal(str, object)

    def __init__(self, make: MakeThumbnail, store: Callable[[], Store], helper: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._make, self._store, self._helper = make, store, helper
        self._known: OrderedDict[str, QImage | None] = OrderedDict()
        self._wanted: dict[str, str] = {}

    def want(self, id: str, digest: str) -> None:
        """Ask for the picture of a node's result; an empty digest takes the picture away."""
        if self._wanted.get(id, "") == digest:
            return
        self._wanted[id] = digest
        if not digest or digest in self._known:
            self.ready.emit(id, self._known.get(digest))
            return
        store = self._store()
        self._helper.submit(
            f"thumb {id}", lambda: self._picture(store, digest), lambda image: self._keep(id, digest, image)
        )

    def reset(self) -> None:
        """Another graph: what was asked for is of no interest any more."""
        self._wanted.clear()

    def _picture(self, store: Store, digest: str) -> QImage | None:
        try:
            pixels = self._make(store.load(digest))
        except (KeyError, EngineError):
            return None
        if pixels is None:
            return None
        height, width = pixels.shape[:2]
        return QImage(pixels.tobytes(), width, height, width * 4, QImage.Format.Format_RGBA8888).copy()

    def _keep(self, id: str, digest: str, image: QImage | None) -> None:
        if image is not None:
            self._known[digest] = image
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if self._wanted.get(id) == digest:
            self.ready.emit(id, image)

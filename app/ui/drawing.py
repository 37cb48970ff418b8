"""Drawing on a picture: fetches the picture of a node's input, hands it to the viewer, takes back what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.engine.errors import BadParam, EngineError
from app.engine.params import Rectangle, Strokes
from app.engine.payloads import Image, Mask, Payload
from app.engine.store import Store
from app.engine.validate import passed_through
from app.ui.background import Background
from app.ui.editor import Editor
from app.ui.status import Status
from app.ui.viewer_face import ViewerFace
from app.ui.watch import Watch


class Drawing(QObject):
    """``refused(text)``: why there is nothing to draw on. ``needs(id)``: run this node, then drawing begins.

    ``ended()``: drawing stopped by itself; the row does not know yet.
    """

    refused = Signal(str)
    needs = Signal(str)
    ended = Signal()

    def __init__(
        self,
        editor: Editor,
        status: Status,
        viewer: ViewerFace,
        watch: Watch,
        store: Callable[[], Store],
        helper: Background,
    ) -> None:
        super().__init__(status)
        self._editor, self._status, self._viewer, self._watch = editor, status, viewer, watch
        self._store, self._helper = store, helper
        self._at: tuple[str, str] | None = None
        self._waiting = False
        self._image: Image | None = None
        self._sent: Any = None
        viewer.drawn.connect(self._on_drawn)
        editor.changed.connect(lambda _: self._on_edited())
        status.changed.connect(lambda _: self._fetch() if self._waiting else None)

    def switch(self, id: str, name: str, on: bool) -> None:
        """From the inspector's drawing row."""
        if on:
            self._at, self._waiting = (id, name), False
            self._fetch(first=True)
        elif self._at == (id, name):
            self._end()

    def stop(self) -> None:
        """Drawing ends for another reason than its row."""
        if self._at is not None:
            self._end()
            self.ended.emit()

    def _end(self) -> None:
        self._at, self._image, self._waiting = None, None, False
        self._viewer.stop_editing()
        self._watch.hold(False)

    def _fetch(self, first: bool = False) -> None:
        source = self._source()
        if source is None:
            self.refused.emit("Link a picture to this node first, then draw on it.")
            self.stop()
            return
        digest = self._status.board[source[0]].outputs.get(source[1], "")
        if not digest:
            if first:
                self._waiting = True
                self.needs.emit(source[0])
            return
        self._waiting = False
        store, at = self._store(), self._at
        self._helper.submit("drawing", lambda: _picture(store, digest), lambda image: self._begin(at, image))

    def _source(self) -> tuple[str, str] | None:
        setting = self._setting()
        if setting is None or self._at is None:
            return None
        graph = self._editor.graph
        link = next((li for li in graph.into.get(self._at[0], ()) if li.input == setting.over), None)
        return link and passed_through(graph, self._editor.registry, link.source, link.output)

    def _setting(self) -> Rectangle | Strokes | None:
        if self._at is None or self._at[0] not in self._editor.graph.nodes:
            return None
        param = self._editor.spec(self._at[0]).param(self._at[1])
        return param.setting if param and isinstance(param.setting, Rectangle | Strokes) else None

    def _begin(self, at: tuple[str, str] | None, image: Image | None) -> None:
        if at is None or at != self._at:
            return
        if image is None:
            self.refused.emit("The picture of this node's input is not there any more. Run the graph again.")
            self.stop()
            return
        self._image = image
        self._watch.hold(True)
        self._edit()

    def _edit(self) -> None:
        setting = self._setting()
        if setting is None or self._image is None:
            self.stop()
            return
        self._sent = self._value()
        try:
            value = setting.check(self._sent)
        except BadParam:
            value = None if isinstance(setting, Rectangle) else ()
        if isinstance(setting, Rectangle):
            self._viewer.edit_rectangle(self._image, value)
        else:
            self._viewer.edit_strokes(self._image, value)

    def _value(self) -> Any:
        assert self._at is not None
        id, name = self._at
        param = self._editor.spec(id).param(name)
        return self._editor.graph.nodes[id].params.get(name, param.default if param else None)

    def _on_drawn(self, kind: str, value: Any) -> None:
        setting = self._setting()
        if self._at is None or setting is None or self._image is None:
            return
        self._sent = setting.encode(value)
        self._editor.set_param(*self._at, self._sent)

    def _on_edited(self) -> None:
        """An undo, or an edit elsewhere, changed what is being drawn; the node may even be gone."""
        if self._at is None or self._image is None:
            return
        if self._setting() is None:
            self.stop()
        elif self._value() != self._sent:
            self._edit()


def _picture(store: Store, digest: str) -> Image | None:
    try:
        payload: Payload = store.load(digest)
    except (KeyError, EngineError):
        return None
    if isinstance(payload, Mask):
        return Image.of(payload.values)
    return payload if isinstance(payload, Image) else None

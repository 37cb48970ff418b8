"""Which result the viewer shows: of the pinned node, else of the selected one, else of the one that ended last."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.engine.errors import EngineError
from app.engine.payloads import Payload
from app.engine.store import Store
from app.ui import theme
from app.ui.background import Background
from app.ui.board import DONE, Now
from app.ui.editor import Editor
from app.ui.status import Status
from app.ui.viewer_face import ViewerFace
from app.ui.widgets import QuietCombo, tool_button

GONE = "its stored result was cleaned up: run again"
LOADING = "its result is being loaded …"
LOOKING = "looking for results that are kept …"
PATIENCE_MS = 250
LEAST_TITLE = 60
WORDS = {
    "running": "The node is running.\nIts result will be shown here.",
    "queued": "The node waits for its turn.\nIts result will be shown here.",
    "failed": "There is no result: the node failed.\nThe inspector says why.",
    "blocked": "There is no result: a node before this one has a problem.",
    "cancelled": "There is no result: the run was cancelled.",
}


class _Head(QLabel):
    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


class WatchBar(QWidget):
    """One line above the viewer: which node, which output, pinned or not; the viewer itself below."""

    def __init__(self, viewer: QWidget) -> None:
        super().__init__()
        self.text = _Head()
        self.text.resized.connect(self._write)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._title, self._remark = "", ("", False)
        self.outputs = QuietCombo()
        self.outputs.hide()
        self.pin = tool_button("pin", "Keep showing this node", checkable=True)
        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 4, 2)
        head.addWidget(self.text, 1)
        head.addWidget(self.outputs)
        head.addWidget(self.pin)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(viewer, 1)

    def say(self, title: str, remark: str, warn: bool = False) -> None:
        self._title, self._remark = title, (remark, warn)
        self._write()

    def _write(self) -> None:
        """A long title is cut off with dots, so that the remark stays in view; the tooltip has all of it."""
        remark, warn = self._remark
        bold = QFont(self.text.font())
        bold.setBold(True)
        room = self.text.width() - self.text.fontMetrics().horizontalAdvance(f"  {remark}")
        shown = QFontMetrics(bold).elidedText(self._title, Qt.TextElideMode.ElideRight, max(room, LEAST_TITLE))
        colour = theme.WARN if warn else theme.DIM
        self.text.setText(f"<b>{escape(shown)}</b> <span style='color:{colour}'>{escape(remark)}</span>")
        self.text.setToolTip(escape(f"{self._title} {remark}".strip()))


class Watch(QObject):
    """Loads payloads on the helper thread; while one loads, a newer wish replaces an older one.

    What takes longer than a moment is said: a result that is loaded, and a plan that looks for kept results.
    """

    def __init__(
        self,
        editor: Editor,
        status: Status,
        viewer: ViewerFace,
        bar: WatchBar,
        store: Callable[[], Store],
        helper: Background,
    ) -> None:
        super().__init__(status)
        self._editor, self._status, self._viewer, self._bar = editor, status, viewer, bar
        self._store, self._helper = store, helper
        self.id = ""
        self.pinned = ""
        self._sockets: dict[str, str] = {}
        self._wish: tuple[str, str, str] | None = None
        self._shown: str | None = None
        self._remark_of_wait = ""
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._waits)
        self._held = False
        self._gone = ""
        editor.selection_changed.connect(lambda _: self.refresh())
        editor.opened.connect(self._reset)
        editor.changed.connect(lambda _: self.refresh())
        status.changed.connect(lambda _: self.refresh())
        status.planned.connect(lambda _: self.refresh())
        bar.pin.clicked.connect(self._pin)
        bar.outputs.activated.connect(self._choose_output)
        self._head(Now(), "", "")

    def refresh(self) -> None:
        """Look again at what is to be shown."""
        self.id = self._target()
        now = self._status.board[self.id]
        socket = self._socket(now)
        digest = now.preview or now.outputs.get(socket, "")
        wish = self.id, digest, "" if digest else LOOKING if self._status.looking else WORDS.get(now.state, "")
        if not self._held and self._wish != wish:
            self._wish = wish
            self._ask(*wish)
        self._head(now, socket, digest)

    def hold(self, on: bool) -> None:
        """While the person draws on a picture, the viewer belongs to the drawing."""
        self._held = on
        if not on:
            self._wish = None
        self.refresh()

    def _ask(self, id: str, digest: str, words: str) -> None:
        self._gone = self._remark_of_wait = ""
        self._patience.stop()
        if digest or words == LOOKING:
            self._patience.start()
        if digest:
            store = self._store()
            self._helper.submit(
                "watch", lambda: _loaded(store, digest), lambda payload: self._show(id, digest, payload)
            )
        elif words != LOOKING:
            self._give(id, None, words)

    def _waits(self) -> None:
        """The node's own earlier result stays in view, that of another node goes."""
        if self._wish is None or self._held:
            return
        id, _, words = self._wish
        self._remark_of_wait = words or LOADING
        if id != self._shown:
            self._viewer.show_waiting(self._remark_of_wait, id)
        self.refresh()

    def _show(self, id: str, digest: str, payload: Payload | None) -> None:
        if self._wish != (id, digest, "") or self._held:
            return
        self._gone = digest if payload is None else ""
        self._give(id, payload)
        self.refresh()

    def _give(self, id: str, payload: Payload | None, words: str = "") -> None:
        self._patience.stop()
        self._remark_of_wait = ""
        self._shown = id if payload is not None else None
        if words:
            self._viewer.show_waiting(words, id)
        else:
            self._viewer.show_payload(payload, id)

    def _target(self) -> str:
        graph = self._editor.graph
        if self.pinned in graph.nodes:
            return self.pinned
        if len(self._editor.selection) == 1:
            return self._editor.selection[0]
        if self._status.board.latest in graph.nodes:
            return self._status.board.latest
        order = (*reversed(graph.ends()), *reversed(graph.order()[0]))
        return next((id for id in order if self._status.board[id].outputs), "")

    def _socket(self, now: Now) -> str:
        chosen = self._sockets.get(self.id, "")
        return chosen if chosen in now.outputs else next(iter(now.outputs), "")

    def _head(self, now: Now, socket: str, digest: str) -> None:
        names = list(now.outputs)
        if [self._bar.outputs.itemText(i) for i in range(self._bar.outputs.count())] != names:
            self._bar.outputs.clear()
            self._bar.outputs.addItems(names)
        self._bar.outputs.setCurrentText(socket)
        self._bar.outputs.setVisible(len(names) > 1)
        self._bar.pin.setChecked(bool(self.pinned))
        self._bar.pin.setEnabled(bool(self.id))
        if not self.id:
            self._bar.say("", self._remark_of_wait or "Run the graph to see its results here.")
            return
        self._bar.say(self._editor.title(self.id), *self._remark(now, digest))

    def _remark(self, now: Now, digest: str) -> tuple[str, bool]:
        if self._held:
            return "drawing on its picture", False
        if self._remark_of_wait:
            return self._remark_of_wait, False
        if now.preview:
            return "in progress", False
        if digest and digest == self._gone:
            return GONE, True
        if not digest:
            return "no result yet", False
        return ("", False) if now.state in DONE else ("of earlier settings", True)

    def _pin(self, on: bool) -> None:
        self.pinned = self.id if on else ""
        self.refresh()

    def _choose_output(self) -> None:
        self._sockets[self.id] = self._bar.outputs.currentText()
        self.refresh()

    def _reset(self) -> None:
        self.pinned, self._wish = "", None
        self._sockets.clear()
        self._give("", None)


def _loaded(store: Store, digest: str) -> Payload | None:
    """None when the store has cleaned it up or finds it damaged; then a run makes it again."""
    try:
        return store.load(digest)
    except (KeyError, EngineError):
        return None

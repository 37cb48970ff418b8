"""The weights of every installed node type as the window knows them: how each set stands, and what is on its way.

Looking at files and reading them happens on a helper thread, downloads on a thread of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.engine import weight_files
from app.engine.graph import Graph
from app.engine.spec import NodeSpec
from app.engine.weight_needs import cards_of
from app.engine.weight_queue import Download, WeightQueue
from app.engine.weights import WeightCard
from app.ui.background import Background
from app.ui.editor import Editor
from app.ui.settings import Settings


@dataclass(frozen=True)
class Stand:
    """How a set of weights stands. ``state``: a key of ``weight_words.STATES``; what is done with it goes before what
    lies on the disk. ``files``: state by file name, empty while they are looked at for the first time."""

    card: WeightCard
    state: str
    files: tuple[tuple[str, str], ...] = ()
    download: Download | None = None

    @property
    def ready(self) -> bool:
        return self.state == "ready"

    @property
    def moving(self) -> bool:
        """Whether something is being done to it."""
        return self.state in ("running", "waiting", "copying", "checking")


class Weights(QObject):
    """``changed()``: some set stands differently. ``arrived(WeightCard)``: it is whole and was not.
    ``failed(WeightCard, words)``: a download or an import came to nothing."""

    changed = Signal()
    arrived = Signal(object)
    failed = Signal(object, str)
    _stirred = Signal()

    def __init__(self, editor: Editor, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor, self._settings = editor, settings
        self.cards: dict[str, WeightCard] = {}
        self.users: dict[str, tuple[str, ...]] = {}
        self._types: frozenset[str] = frozenset()
        self._on_disk: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {}
        self._busy: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._helper = Background("weight files", self)
        self._stirred.connect(self._on_queue, Qt.ConnectionType.QueuedConnection)
        self.queue = WeightQueue(self._stir)
        editor.registry_changed.connect(self.read_registry)
        self.read_registry()

    def read_registry(self) -> None:
        """Every card of the installed node types, and which of them use it."""
        users: dict[str, list[str]] = {}
        self.cards = {}
        for spec in self._specs_with_models():
            for card in spec.models:
                self.cards[card.handle] = card
                users.setdefault(card.handle, []).append(spec.title)
        self._types = frozenset(name for spec in self._specs_with_models() for name in (spec.id, *spec.formerly))
        self.users = {handle: tuple(dict.fromkeys(titles)) for handle, titles in users.items()}
        self.look()

    def _specs_with_models(self) -> list[NodeSpec]:
        return [spec for spec in self._editor.registry.values() if spec.models]

    def stand(self, handle: str) -> Stand:
        card = self.cards[handle]
        state, files = self._on_disk.get(handle, ("", ()))
        download = self.queue.entry(handle)
        if download is not None and download.state != "done":
            return Stand(card, download.state, files, download)
        return Stand(card, self._busy.get(handle, state), files)

    def stands(self) -> list[Stand]:
        """Of every card, by title."""
        return [self.stand(handle) for handle in sorted(self.cards, key=lambda h: self.cards[h].label.lower())]

    def of_node(self, id: str) -> tuple[Stand, ...]:
        """What a node calls for as it is set now."""
        graph = self._editor.graph
        node = graph.nodes.get(id)
        if node is None or node.type not in self._types:
            return ()
        spec = self._editor.registry[node.type]
        return tuple(self.stand(card.handle) for card in cards_of(node, spec, graph) if card.handle in self.cards)

    def of_graph(self, graph: Graph) -> tuple[Stand, ...]:
        """What any graph calls for, also one that is not open; each set once."""
        called: dict[str, WeightCard] = {}
        for node in graph.nodes.values():
            spec = self._editor.registry.get(node.type)
            called |= {card.handle: card for card in (cards_of(node, spec, graph) if spec else ())}
        return tuple(self.stand(handle) for handle in called if handle in self.cards)

    def look(self, handles: Iterable[str] | None = None) -> None:
        """Look at the disk again, on the helper thread; the open graph's cards come first."""
        wanted = list(self.cards if handles is None else handles)
        used = {stand.card.handle for id in self._editor.graph.nodes for stand in self.of_node(id)}
        for handle in sorted(wanted, key=lambda h: h not in used):
            card = self.cards.get(handle)
            if card is not None:
                self._look_at(card)

    def get(self, cards: Iterable[WeightCard]) -> None:
        """Download, or go on downloading. The person has agreed."""
        for card in cards:
            self.queue.add(card, self.mirror(card))

    def mirror(self, card: WeightCard) -> str:
        return self._settings.mirrors.get(card.handle, "")

    def set_mirror(self, card: WeightCard, address: str) -> None:
        kept = {handle: url for handle, url in self._settings.mirrors.items() if handle != card.handle}
        self._settings.mirrors = {**kept, card.handle: address} if address else kept
        self.changed.emit()

    def bring(self, card: WeightCard, path: Path) -> None:
        """Copy a person's own file, or the fitting files of a folder, to their place."""

        def copy() -> None:
            for file in weight_files.files_in(card, path):
                weight_files.import_file(card, file)

        self._do(card, "copying", copy)

    def verify(self, card: WeightCard) -> None:
        """Read every byte again and compare with the published checksums."""
        self._do(card, "checking", lambda: weight_files.read_again(card))

    def close(self) -> None:
        """What has come stays; a download goes on when it is asked for again."""
        self.queue.close()
        self._helper.close()

    def _do(self, card: WeightCard, word: str, work: Callable[[], None]) -> None:
        self._busy[card.handle] = word
        self.changed.emit()

        def failed(error: Exception) -> None:
            message, advice = getattr(error, "message", str(error)), getattr(error, "advice", "")
            self._busy.pop(card.handle, None)
            self.failed.emit(card, f"{message} {advice}".strip())
            self._look_at(card)

        self._helper.submit(f"do {card.handle}", work, lambda _: self._look_at(card), failed)

    def _look_at(self, card: WeightCard) -> None:
        self._helper.submit(f"look {card.handle}", lambda: _seen(card), lambda seen: self._saw(card, seen))

    def _saw(self, card: WeightCard, seen: tuple[str, tuple[tuple[str, str], ...]]) -> None:
        handle = card.handle
        before = self._on_disk.get(handle)
        was_busy = self._busy.pop(handle, None) is not None
        self._on_disk[handle] = seen
        download = self.queue.entry(handle)
        if seen[0] == "ready" and download is not None and not download.pending:
            self.queue.remove(handle)
        if before != seen or was_busy:
            self.changed.emit()
        if seen[0] == "ready" and before is not None and before[0] != "ready":
            self.arrived.emit(card)

    def _stir(self) -> None:
        """From any thread."""
        try:
            self._stirred.emit()
        except RuntimeError:  # the window is gone by now
            return

    @Slot()
    def _on_queue(self) -> None:
        told, self._told = self._told, {entry.card.handle: entry.state for entry in self.queue.entries}
        for entry in self.queue.entries:
            if told.get(entry.card.handle) != entry.state and not entry.pending:
                self._look_at(entry.card)
                if entry.state == "failed":
                    self.failed.emit(entry.card, entry.words)
        self.changed.emit()


def _seen(card: WeightCard) -> tuple[str, tuple[tuple[str, str], ...]]:
    files = tuple((file.name, weight_files.file_state(card, file)) for file in card.files)
    return weight_files.state(card), files

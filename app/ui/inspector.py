"""Form of the selected node. Everything shown is derived from the editor and the board; edits go to the editor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.engine.graph import Node
from app.engine.spec import NodeSpec
from app.engine.stand_in import is_stand_in
from app.ui.board import Now
from app.ui.editor import Editor
from app.ui.facts import about
from app.ui.form import Form
from app.ui.row import Surroundings
from app.ui.state_card import StateCard
from app.ui.weights import Stand
from app.ui.weights_box import WeightsBox
from app.ui.widgets import CutField, label


class Inspector(QStackedWidget):
    """``drawing(id, parameter, on)``: the person switched a drawing row. ``weights_wanted(action, WeightCard)``.

    ``took``: seconds that a node type takes on this machine, where that is known.
    """

    drawing = Signal(str, str, bool)
    weights_wanted = Signal(str, object)

    def __init__(
        self,
        editor: Editor,
        now: Callable[[str], Now],
        around: Surroundings,
        took: Callable[[str], float | None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.editor, self._now, self._around, self._took = editor, now, around, took
        self.id = ""
        self._spec: NodeSpec | None = None
        self.form: Form | None = None
        self.nothing = _note("Select a node to see its settings.\n\nPress Tab over the canvas to add one.")
        self.several = Several()
        self.page = _Page()
        self.page.title.editingFinished.connect(self._rename)
        self.page.weights.wanted.connect(self.weights_wanted)
        self._stands: Callable[[str], Sequence[Stand]] = lambda _: ()
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.page)
        for page in (self.nothing, self.several, self._scroll):
            self.addWidget(page)
        self.setMinimumWidth(250)
        editor.changed.connect(lambda _: self.refresh())
        editor.selection_changed.connect(lambda _: self.refresh())
        editor.registry_changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the selected node as it is now."""
        ids = [id for id in self.editor.selection if id in self.editor.graph.nodes]
        if len(ids) == 1:
            self._show_node(ids[0])
            self.setCurrentWidget(self._scroll)
        else:
            self._leave()
            self.several.show_count(len(ids))
            self.setCurrentWidget(self.several if ids else self.nothing)

    def show_state(self, ids: Iterable[str]) -> None:
        """The board changed at these nodes."""
        if self.id and self.id in ids:
            self._show_state()

    def show_weights(self, stands: Callable[[str], Sequence[Stand]]) -> None:
        """``stands``: what a node calls for and how that stands; asked again for every node that is shown."""
        self._stands = stands
        if self.id:
            self.page.weights.show_stands(stands(self.id))

    def commit_typed(self) -> None:
        """Take what is still being typed, as if the person had left the field."""
        focus = self.window().focusWidget()
        if isinstance(focus, QLineEdit) and self.isAncestorOf(focus):
            focus.editingFinished.emit()
        if self.form is not None:
            for row in self.form.rows.values():
                row.flush()

    def edit_title(self) -> None:
        """F2: type another title."""
        if self.id:
            self.page.title.setFocus()
            self.page.title.selectAll()

    def stop_drawing(self) -> None:
        """Drawing ended: no drawing row is switched on any more."""
        if self.form is not None:
            self.form.stop_drawing()

    def _show_node(self, id: str) -> None:
        spec, node = self.editor.spec(id), self.editor.graph.nodes[id]
        if id != self.id or (spec is not self._spec and (is_stand_in(spec) or spec != self._spec)):
            self._leave()
            self.id, self._spec = id, spec
            self._build(spec)
        self.page.title.setPlaceholderText(spec.title)
        if not self.page.title.hasFocus():
            self.page.show_title(node.title or spec.title)
        assert self.form is not None
        self.form.show_values(node.params, self._driven(node))
        self._show_state()

    def _show_state(self) -> None:
        now = self._now(self.id)
        self.page.card.show_now(now)
        self.page.weights.show_stands(self._stands(self.id))
        if self.form is not None:
            self.form.show_problems(now.problems)

    def _build(self, spec: NodeSpec) -> None:
        id = self.id
        self.form = Form(spec, self._around)
        self.form.edited.connect(lambda name, value, key: self.editor.set_param(id, name, value, key))
        self.form.drawing.connect(lambda name, on: self.drawing.emit(id, name, on))
        self.page.put_form(self.form, spec, self._took(spec.id))
        self._scroll.verticalScrollBar().setValue(0)

    def _leave(self) -> None:
        if self.form is not None:
            self.form.stop_drawing()
            self.page.take_form(self.form)
        self.id, self._spec, self.form = "", None, None

    def _driven(self, node: Node) -> dict[str, str]:
        links = self.editor.graph.into.get(node.id, ())
        titles = {link.input: link.source for link in links if link.source in self.editor.graph.nodes}
        return {name: self.editor.title(source) for name, source in titles.items()}

    def _rename(self) -> None:
        if not self.id:
            return
        node, spec = self.editor.graph.nodes[self.id], self.editor.spec(self.id)
        text = self.page.title.text().strip()
        title = "" if text == spec.title else text
        if title != node.title:
            self.editor.rename(self.id, title)
        self.page.show_title(title or spec.title)


class _Page(QWidget):
    """Title, help, state, rows, facts, from top to bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.title = CutField()
        self.title.setObjectName("NodeTitle")
        self.help = label(role="dim", wrap=True)
        self.card = StateCard()
        self.weights = WeightsBox()
        self.facts = label(role="dim", wrap=True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(10, 8, 10, 10)
        self._layout.setSpacing(6)
        for part in (self.title, self.help, self.card, self.weights):
            self._layout.addWidget(part)
        self._layout.addStretch(1)
        self._layout.addWidget(self.facts)

    def show_title(self, title: str) -> None:
        self.title.setText(title)
        self.title.setToolTip(title)
        self.title.rest()

    def put_form(self, form: Form, spec: NodeSpec, seconds: float | None) -> None:
        self.help.setText(" ".join(spec.doc.split("\n\n")[0].split()))
        self.help.setToolTip(spec.doc)
        self.facts.setText(about(spec, seconds))
        self._layout.insertWidget(4, form)
        form.show()

    def take_form(self, form: Form) -> None:
        self._layout.removeWidget(form)
        form.hide()
        form.deleteLater()


class Several(QWidget):
    """Several nodes are selected: how many, and what can be done with all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = label(role="heading")
        self.buttons: list[QPushButton] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 12, 12, 12)
        self._layout.setSpacing(6)
        self._layout.addWidget(self.count)
        self._layout.addStretch(1)

    def show_count(self, count: int) -> None:
        self.count.setText(f"{count} nodes selected")

    def offer(self, actions: Iterable[QAction]) -> None:
        """One button per action."""
        for action in actions:
            button = QPushButton(action.icon(), action.text().partition("\t")[0])
            button.clicked.connect(action.trigger)
            self.buttons.append(button)
            self._layout.insertWidget(self._layout.count() - 1, button)


def _note(text: str) -> QLabel:
    note = label(text, "dim", wrap=True)
    note.setAlignment(Qt.AlignmentFlag.AlignCenter)
    note.setMargin(24)
    return note

"""The one thing that can be edited: a frozen graph and the undo stack of what it was before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.engine.graph import Graph, Link, Node
from app.engine.registry import Registry
from app.engine.spec import NodeSpec
from app.engine.stand_in import spec_for
from app.engine.validate import can_link
from app.ui import clipboard

Place = tuple[float, float]
UNDO_STEPS = 1000


class Editor(QObject):
    """Every edit gives a new graph, one undo step and one ``changed``; views show what they are told.

    ``changed(Graph)``: after an edit, an undo, a redo or :meth:`reset`. ``opened()``: another document, just before
    its ``changed``. ``selection_changed(tuple of ids)``. ``registry_changed()``: the node types are others now.
    ``base``: the folder that relative paths start from, or None for a document that was never saved.
    """

    changed = Signal(object)
    opened = Signal()
    selection_changed = Signal(object)
    registry_changed = Signal()

    def __init__(self, registry: Registry, graph: Graph | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(UNDO_STEPS)
        self.base: Path | None = None
        self._registry = registry
        self._graph = graph or Graph()
        self._selection: tuple[str, ...] = ()

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def registry(self) -> Registry:
        return self._registry

    @registry.setter
    def registry(self, registry: Registry) -> None:
        self._registry = registry
        self.registry_changed.emit()

    def spec(self, id: str) -> NodeSpec:
        """The type of a node, or a stand-in for one that is not installed."""
        return spec_for(self._graph.nodes[id], self._graph, self._registry)

    def title(self, id: str) -> str:
        """What the canvas calls a node: its own title, else that of its type."""
        return self._graph.nodes[id].title or self.spec(id).title

    @property
    def selection(self) -> tuple[str, ...]:
        return self._selection

    def select(self, ids: Iterable[str]) -> None:
        """Ids that are not in the graph are left out."""
        wanted = tuple(dict.fromkeys(id for id in ids if id in self._graph.nodes))
        if wanted != self._selection:
            self._selection = wanted
            self.selection_changed.emit(wanted)

    def reset(self, graph: Graph, clean: bool = True) -> None:
        """Another document: nothing can be undone. ``clean=False``: it counts as unsaved."""
        self.undo_stack.clear()
        self.set_clean() if clean else self.undo_stack.resetClean()
        self.select(())
        self.opened.emit()
        self._show(graph)

    @property
    def is_clean(self) -> bool:
        return self.undo_stack.isClean()

    def set_clean(self) -> None:
        self.undo_stack.setClean()

    def edit(self, text: str, graph: Graph, merge_key: str = "") -> None:
        """One undo step, called ``text`` in the menu; none when nothing changes.

        Steps that follow each other with the same ``merge_key`` become one: use a new key for every gesture.
        """
        if graph is not self._graph and graph != self._graph:
            self.undo_stack.push(_Step(self, text, self._graph, graph, merge_key))

    def rewrite(self, change: Callable[[Graph], Graph]) -> None:
        """Say the same document in other words, its whole history included (the file moved: other relative paths).

        No undo step; ``changed`` fires once. ``change``: graph -> graph with the same nodes.
        """
        for place in range(self.undo_stack.count()):
            step = self.undo_stack.command(place)
            assert isinstance(step, _Step)
            step.rewrite(change)
        self._show(change(self._graph))

    def _show(self, graph: Graph) -> None:
        if graph is not self._graph:
            _slim(self._graph)
        self._graph = graph
        kept = tuple(id for id in self._selection if id in graph.nodes)
        lost, self._selection = kept != self._selection, kept
        self.changed.emit(graph)
        if lost:
            self.selection_changed.emit(kept)

    def add(self, type_id: str, at: Place, params: Mapping[str, Any] | None = None, links: Iterable[Link] = ()) -> str:
        """A new node with the defaults of its type. ``links``: made in the same step; an empty end is the new node."""
        spec, id = self._registry[type_id], self._graph.fresh_id()
        values = {param.name: param.default for param in spec.params} | dict(params or {})
        place = (float(round(at[0])), float(round(at[1])))
        graph = self._graph.with_node(Node(id, spec.id, values, place, spec.version))
        for link in links:
            whole = link._replace(source=link.source or id, target=link.target or id)
            if not can_link(graph, self._registry, whole):
                graph = graph.with_link(whole)
        self.edit(f"Add {spec.title}", graph)
        self.select([id])
        return id

    def link(self, link: Link) -> str:
        """Link an output to an input or a parameter; an older link there goes. The reason when that is not possible."""
        return self.relink(None, link)

    def relink(self, old: Link | None, new: Link) -> str:
        """As :meth:`link`, and take ``old`` away in the same step."""
        graph = self._graph.without_links([old]) if old else self._graph
        reason = can_link(graph, self._registry, new)
        if not reason and new not in self._graph.links:
            self.edit("Move link" if old else "Link", graph.with_link(new))
        return reason

    def unlink(self, links: Iterable[Link]) -> None:
        gone = list(links)
        self.edit(f"Unlink{'' if len(gone) == 1 else f' {len(gone)}'}", self._graph.without_links(gone))

    def delete(self, ids: Collection[str], links: Collection[Link] = ()) -> None:
        """Nodes with every link at them, and other links besides."""
        if ids:
            self.edit(f"Delete {self._named(ids)}", self._graph.without_links(links).without_nodes(ids))
        else:
            self.unlink(links)

    def duplicate(self, ids: Collection[str]) -> tuple[str, ...]:
        """Copies beside the originals; links among them and links into them are copied too."""
        piece = clipboard.part(self._graph, ids)
        left, top = clipboard.corner(piece.nodes.values())
        graph, names = clipboard.graft(self._graph, piece, (left + clipboard.STEP, top + clipboard.STEP))
        from_outside = tuple(
            link._replace(target=names[link.target])
            for link in self._graph.links
            if link.target in names and link.source not in names
        )
        self.edit(f"Duplicate {self._named(piece.nodes)}", replace(graph, links=graph.links + from_outside))
        self.select(names.values())
        return tuple(names.values())

    def copy(self, ids: Collection[str]) -> str:
        """``.graph`` text of these nodes and the links among them."""
        return clipboard.to_text(self._graph, ids, self.base)

    def paste(self, text: str, at: Place) -> tuple[str, ...]:
        """The new ids. Raises :class:`BadGraphFile` for other text."""
        return self.insert(clipboard.from_text(text, self._registry, self.base), at, "Paste")

    def insert(self, piece: Graph, at: Place, verb: str = "Insert") -> tuple[str, ...]:
        """Another graph's nodes, under fresh ids, with its top left corner at ``at``; they are selected."""
        graph, names = clipboard.graft(self._graph, piece, at)
        word = "1 node" if len(names) == 1 else f"{len(names)} nodes"
        self.edit(f"{verb} {word}", graph)
        if names:
            self.select(names.values())
        return tuple(names.values())

    def set_param(self, id: str, name: str, value: Any, merge_key: str = "") -> None:
        param = self.spec(id).param(name)
        label = param.label if param else name
        self.edit(f"Set {label} of {self.title(id)}", self._graph.with_params(id, **{name: value}), merge_key)

    def rename(self, id: str, title: str) -> None:
        title = title.strip()
        self.edit(f"Rename {self.title(id)}", self._graph.with_node(replace(self._graph.nodes[id], title=title)))

    def move(self, places: Mapping[str, Place], text: str = "") -> None:
        """Positions are rounded to whole numbers."""
        self.edit(text or f"Move {self._named(places)}", self.moved(places))

    def moved(self, places: Mapping[str, Place]) -> Graph:
        """The graph as :meth:`move` would leave it."""
        nodes = self._graph.nodes
        return self._graph.with_nodes(
            replace(nodes[id], at=(float(round(x)), float(round(y)))) for id, (x, y) in places.items()
        )

    def set_bypass(self, ids: Collection[str], bypass: bool) -> None:
        verb = "Bypass" if bypass else "Use"
        nodes = [replace(self._graph.nodes[id], bypass=bypass) for id in ids]
        self.edit(f"{verb} {self._named(ids)}", self._graph.with_nodes(nodes))

    def _named(self, ids: Collection[str]) -> str:
        return self.title(next(iter(ids))) if len(ids) == 1 else f"{len(ids)} nodes"


def _slim(graph: Graph) -> None:
    """Drop what a graph computed about itself: ten times the size of the graph, and it waits in the undo history."""
    for name in ("into", "out_of"):
        vars(graph).pop(name, None)


class _Step(QUndoCommand):
    def __init__(self, editor: Editor, text: str, before: Graph, after: Graph, merge_key: str) -> None:
        super().__init__(text)
        self._editor, self._before, self._after, self._merge_key = editor, before, after, merge_key

    def undo(self) -> None:
        self._editor._show(self._before)

    def redo(self) -> None:
        self._editor._show(self._after)

    def rewrite(self, change: Callable[[Graph], Graph]) -> None:
        self._before, self._after = change(self._before), change(self._after)

    def id(self) -> int:
        return 1 if self._merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Step) or other._merge_key != self._merge_key:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True

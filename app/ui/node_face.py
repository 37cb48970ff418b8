"""Where everything lies on a node's box: computed once for all nodes that look the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QStaticText

from app.engine.graph import Graph, Node
from app.engine.payloads import Number, Payload, Text
from app.engine.spec import NodeSpec, Param, Socket
from app.ui import canvas_look as look

Side = Literal["in", "out"]


@dataclass(frozen=True)
class Dot:
    """A socket as it is drawn. ``kind``: an input that must be linked, one that may, a parameter that a link drives,
    an output, or a name that links use and the node type does not have."""

    name: str
    side: Side
    kind: Literal["needed", "optional", "param", "output", "unknown"]
    type: type[Payload]
    label: str

    @property
    def colour(self) -> str:
        return "#e5534b" if self.kind == "unknown" else self.type.colour

    @property
    def tooltip(self) -> str:
        what = {"optional": "optional", "param": "parameter driven by a link", "unknown": "not known here"}
        extra = f" ({what[self.kind]})" if self.kind in what else ""
        return f"{self.label}: {self.type.label}{extra}"


def dots_of(node: Node, spec: NodeSpec, graph: Graph) -> tuple[Dot, ...]:
    """Inputs, then parameters that links drive, then outputs; and any other name that a link at the node uses."""
    dots = [
        Dot(s.name, "in", "optional" if s.optional else "needed", s.type, s.name.replace("_", " ")) for s in spec.inputs
    ]
    known = {s.name for s in spec.inputs}
    for name in dict.fromkeys(link.input for link in graph.into.get(node.id, ())):
        if name not in known:
            param = spec.param(name)
            dots.append(param_dot(param, name) if param else Dot(name, "in", "unknown", Payload, name))
    dots += [Dot(s.name, "out", "output", s.type, _output_label(s)) for s in spec.outputs]
    known = {s.name for s in spec.outputs}
    for name in dict.fromkeys(link.output for link in graph.out_of.get(node.id, ())):
        if name not in known:
            dots.append(Dot(name, "out", "unknown", Payload, name))
    return tuple(dots)


def _output_label(socket: Socket) -> str:
    """An only output is called ``out``: its type says more."""
    return (socket.type.label.lower() if socket.name == "out" else socket.name).replace("_", " ")


def param_dot(param: Param, name: str) -> Dot:
    return Dot(name, "in", "param", Text if param.takes(Text) else Number, param.label)


@dataclass(frozen=True, eq=False)
class Face:
    """A box of one title, one set of sockets, with or without room for a picture. Node coordinates."""

    title: str
    dots: tuple[Dot, ...]
    picture: bool
    width: float
    height: float
    rows: int

    @cached_property
    def body(self) -> QPainterPath:
        path = QPainterPath()
        path.addRoundedRect(QRectF(0, 0, self.width, self.height), look.RADIUS, look.RADIUS)
        return path

    @cached_property
    def bar(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(QRectF(0, 0, self.width, look.TITLE_HEIGHT))
        return path.intersected(self.body)

    @cached_property
    def shadow(self) -> QPainterPath:
        """Only what the body leaves free: blending the whole area would cost half of the node's painting."""
        return self.body.translated(0, 3).subtracted(self.body)

    @cached_property
    def bounds(self) -> QRectF:
        m = look.MARGIN
        return QRectF(-m, -m, self.width + 2 * m, self.height + 2 * m)

    @cached_property
    def places(self) -> dict[tuple[Side, str], QPointF]:
        """Centre of each dot; an output that is called like an input is another key."""
        counts = {"in": 0, "out": 0}
        found: dict[tuple[Side, str], QPointF] = {}
        for dot in self.dots:
            y = look.TITLE_HEIGHT + look.PAD + (counts[dot.side] + 0.5) * look.ROW
            found[dot.side, dot.name] = QPointF(0.0 if dot.side == "in" else self.width, y)
            counts[dot.side] += 1
        return found

    @cached_property
    def title_text(self) -> tuple[QPointF, QStaticText]:
        shown = look.metrics(13, True).elidedText(self.title, Qt.TextElideMode.ElideRight, self.width - 36)
        return _placed(shown, 13, True, 11, look.TITLE_HEIGHT / 2)

    @cached_property
    def names(self) -> tuple[tuple[QPointF, QStaticText], ...]:
        return tuple(self._name(dot) for dot in self.dots)

    def _name(self, dot: Dot) -> tuple[QPointF, QStaticText]:
        alone = self.rows and not any(other.side != dot.side for other in self.dots)
        room = self.width - 28 if alone else max(self.width / 2 - 18, self.width - 40 - self._widest(dot.side))
        shown = look.metrics(12).elidedText(dot.label, Qt.TextElideMode.ElideRight, room)
        y = self.places[dot.side, dot.name].y()
        x = 12.0 if dot.side == "in" else self.width - 12 - look.metrics(12).horizontalAdvance(shown)
        return _placed(shown, 12, False, x, y)

    def _widest(self, side: Side) -> float:
        return max((look.metrics(12).horizontalAdvance(d.label) for d in self.dots if d.side != side), default=0.0)

    @property
    def picture_box(self) -> QRectF:
        top = look.TITLE_HEIGHT + look.PAD + self.rows * look.ROW + 3
        return QRectF(10, top, self.width - 20, look.PICTURE)

    @property
    def mark_box(self) -> QRectF:
        """Where the mark of missing weights stands: the right end of the title bar."""
        return QRectF(self.width - 27, 1, 24, look.TITLE_HEIGHT - 2)

    @property
    def foot(self) -> float:
        """y of the middle of the last line."""
        return self.height - look.FOOT / 2 - 1

    def dot_at(self, place: QPointF, reach: float) -> Dot | None:
        """The nearest dot within ``reach``."""
        best, found = reach * reach, None
        for dot in self.dots:
            away = self.places[dot.side, dot.name] - place
            distance = QPointF.dotProduct(away, away)
            if distance <= best:
                best, found = distance, dot
        return found


@lru_cache(maxsize=4096)
def face(title: str, dots: tuple[Dot, ...], picture: bool) -> Face:
    left = [dot.label for dot in dots if dot.side == "in"]
    right = [dot.label for dot in dots if dot.side == "out"]
    rows = max(len(left), len(right))
    wanted = max(_longest(left) + _longest(right) + 52, look.metrics(13, True).horizontalAdvance(title) + 40)
    width = min(max(look.NARROWEST, -(-wanted // 8) * 8), look.WIDEST)
    room = look.PICTURE + 8 if picture else 0
    height = look.TITLE_HEIGHT + look.PAD + rows * look.ROW + room + look.FOOT
    return Face(title, dots, picture, width, height, rows)


def _longest(labels: Iterable[str]) -> float:
    return max((look.metrics(12).horizontalAdvance(label) for label in labels), default=0.0)


def _placed(text: str, pixels: int, bold: bool, x: float, middle: float) -> tuple[QPointF, QStaticText]:
    made = QStaticText(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    made.prepare(font=look.font(pixels, bold))
    return QPointF(round(x), round(middle - look.metrics(pixels, bold).height() / 2)), made

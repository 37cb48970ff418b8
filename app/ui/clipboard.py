"""Parts of a graph as ``.graph`` text: cut out, read back, and put into another graph under fresh ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from app.engine import graph_file
from app.engine.graph import Graph, Link, Node
from app.engine.spec import NodeSpec

STEP = 24.0
_FOLDER = "clipboard_folder"


def part(graph: Graph, ids: Collection[str]) -> Graph:
    """These nodes and the links among them, in the order of the graph."""
    wanted = set(ids)
    return Graph(
        {id: node for id, node in graph.nodes.items() if id in wanted},
        tuple(link for link in graph.links if link.source in wanted and link.target in wanted),
    )


def to_text(graph: Graph, ids: Collection[str], base: Path | None) -> str:
    """``base``: the folder of the document; it rides along so that relative paths still lead to their files."""
    piece = part(graph, ids)
    return graph_file.dumps(replace(piece, view={_FOLDER: base.as_posix()}) if base else piece)


def from_text(text: str, specs: Mapping[str, NodeSpec], base: Path | None) -> Graph:
    """The graph of a text, its paths for a document in ``base``, or absolute without one. Raises
    :class:`BadGraphFile`."""
    piece = graph_file.loads(text)
    folder = piece.view.get(_FOLDER)
    if isinstance(folder, str) and folder:
        nowhere = Path(folder, ".no-such-folder")
        piece = graph_file.rebase(piece, specs, Path(folder), base or nowhere)
    return piece


def graft(graph: Graph, piece: Graph, at: tuple[float, float]) -> tuple[Graph, dict[str, str]]:
    """The graph with the piece added, its top left corner at ``at`` or a step beside it where a node lies there
    already; and old id -> new id."""
    if not piece.nodes:
        return graph, {}
    names = dict(zip(piece.nodes, _fresh_ids(graph), strict=False))
    left, top = corner(piece.nodes.values())
    x, y = _free_spot(graph, piece, at[0] - left, at[1] - top)
    nodes = [
        replace(node, id=names[id], at=(round(node.at[0] + x), round(node.at[1] + y)))
        for id, node in piece.nodes.items()
    ]
    links = tuple(
        Link(names[link.source], link.output, names[link.target], link.input)
        for link in piece.links
        if link.source in names and link.target in names
    )
    return replace(graph.with_nodes(nodes), links=graph.links + links), names


def corner(nodes: Iterable[Node]) -> tuple[float, float]:
    """The smallest x and the smallest y."""
    places = [node.at for node in nodes]
    return min((x for x, _ in places), default=0.0), min((y for _, y in places), default=0.0)


def _fresh_ids(graph: Graph) -> Iterator[str]:
    first = int(graph.fresh_id()[1:])
    while True:
        yield f"n{first}"
        first += 1


def _free_spot(graph: Graph, piece: Graph, x: float, y: float) -> tuple[float, float]:
    taken = {(round(node.at[0]), round(node.at[1])) for node in graph.nodes.values()}
    while any((round(node.at[0] + x), round(node.at[1] + y)) in taken for node in piece.nodes.values()):
        x, y = x + STEP, y + STEP
    return x, y

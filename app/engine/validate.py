"""Everything that is wrong with a graph, found at once, told per node and in words, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.engine.errors import BadParam
from app.engine.graph import Graph, Link, Node
from app.engine.params import Folder, OpenFile
from app.engine.payloads import Payload
from app.engine.spec import NodeSpec, Param
from app.engine.stand_in import is_stand_in, spec_for

UNKNOWN_TYPE = "unknown-type"
ANY_ADVICE = "Remove the link."


@dataclass(frozen=True)
class Problem:
    """``socket_or_param``: where in the node, or empty. ``kind``: a stable word. ``message``: what and what now."""

    node: str
    socket_or_param: str
    kind: str
    message: str


def validate(
    graph: Graph, specs: Mapping[str, NodeSpec], base: Path, targets: Iterable[str] | None = None
) -> list[Problem]:
    """Every problem of the targets and what they need (of the whole graph without targets). ``base``: the folder that
    relative paths start from. Looks at the disk only to see whether named files exist."""
    wanted = set(graph.nodes) if targets is None else graph.upstream(targets)
    problems = list(_cycles(graph, wanted))
    for id, node in graph.nodes.items():
        if id in wanted:
            problems += _node_problems(graph, node, specs, base)
    problems += [
        Problem(link.target, link.input, "dangling-link", f"A link names the node {end!r}, which is not there.")
        for link in graph.links
        for end in (link.source, link.target)
        if end not in graph.nodes
    ]
    return problems


def can_link(graph: Graph, specs: Mapping[str, NodeSpec], link: Link) -> str:
    """Why a link is not possible, in words, or an empty text when it is."""
    if link.source not in graph.nodes or link.target not in graph.nodes:
        return "One end of the link is not there."
    reason = _misfit(graph, specs, link)
    if reason:
        return reason
    if graph.would_cycle(link.source, link.target):
        return "This link would close a circle: a node cannot wait for its own result."
    return ""


def passed_through(graph: Graph, specs: Mapping[str, NodeSpec], source: str, output: str) -> tuple[str, str] | None:
    """(node, output) that really feeds a link once bypassed nodes are stepped over, or None when nothing does.

    A bypassed node hands on the first linked input whose type fits the output that is asked for.
    """
    for _ in range(len(graph.nodes) + 1):
        node = graph.nodes.get(source)
        if node is None:
            return None
        if not node.bypass:
            return source, output
        spec = spec_for(node, graph, specs)
        want = spec.output(output)
        feeds = {link.input: link for link in graph.into.get(source, ())}
        link = next(
            (feeds[s.name] for s in spec.inputs if s.name in feeds and want and issubclass(s.type, want.type)), None
        )
        if link is None:
            return None
        source, output = link.source, link.output
    return None


def _cycles(graph: Graph, wanted: set[str]) -> Iterator[Problem]:
    for path in graph.cycles():
        if wanted & set(path):
            names = " -> ".join(graph.nodes[id].title or id for id in path)
            yield Problem(path[0], "", "cycle", f"These nodes feed each other in a circle: {names}. Remove one link.")


def _node_problems(graph: Graph, node: Node, specs: Mapping[str, NodeSpec], base: Path) -> Iterator[Problem]:
    spec = spec_for(node, graph, specs)
    if is_stand_in(spec):
        text = f"The node type {node.type!r} is not installed. Install it, or replace the node."
        yield Problem(node.id, "", UNKNOWN_TYPE, text)
        return
    if node.version > spec.version:
        text = f"The node is of version {node.version}; this program knows {spec.version}. Update Polyloom."
        yield Problem(node.id, "", "newer-version", text)
    linked = {link.input for link in graph.into.get(node.id, ())}
    yield from _inputs(graph, node, spec, specs)
    for param in spec.params:
        if param.name not in linked:
            yield from _param(node, param, base)


def _inputs(graph: Graph, node: Node, spec: NodeSpec, specs: Mapping[str, NodeSpec]) -> Iterator[Problem]:
    seen: set[str] = set()
    for link in graph.into.get(node.id, ()):
        if link.source not in graph.nodes:
            continue
        reason = _misfit(graph, specs, link)
        if reason:
            yield Problem(node.id, link.input, "wrong-type" if "carries" in reason else "unknown-socket", reason)
        elif link.input in seen:
            yield Problem(node.id, link.input, "two-links", f"{link.input!r} has two links. Remove one of them.")
        seen.add(link.input)
    feeds = {link.input: link for link in graph.into.get(node.id, ())}
    for socket in spec.inputs:
        link_in = feeds.get(socket.name)
        fed = link_in is not None and (
            link_in.source not in graph.nodes or passed_through(graph, specs, link_in.source, link_in.output)
        )
        if not fed and not socket.optional and not node.bypass:
            text = f"The input {socket.name!r} is empty. Link {_article(socket.type)} to it."
            yield Problem(node.id, socket.name, "missing-input", text)


def _misfit(graph: Graph, specs: Mapping[str, NodeSpec], link: Link) -> str:
    giver, taker = graph.nodes[link.source], graph.nodes[link.target]
    giver_spec, taker_spec = spec_for(giver, graph, specs), spec_for(taker, graph, specs)
    from_name, to_name = giver.title or giver_spec.title, taker.title or taker_spec.title
    if is_stand_in(giver_spec) or is_stand_in(taker_spec):
        return ""
    source = giver_spec.output(link.output)
    if source is None:
        return f"{from_name} has no output {link.output!r}. {ANY_ADVICE}"
    socket, param = taker_spec.input(link.input), taker_spec.param(link.input)
    if socket is None and param is None:
        return f"{to_name} has no input {link.input!r}. {ANY_ADVICE}"
    if socket is not None and not socket.takes(source.type):
        wants = _article(socket.type)
        return f"{from_name} carries {_article(source.type)}; {to_name} needs {wants} here."
    if socket is None and param is not None and not param.takes(source.type):
        return f"{from_name} carries {_article(source.type)}, which cannot drive {param.label!r}."
    return ""


def _article(kind: type[Payload]) -> str:
    return ("an " if kind.label[0] in "AEIOU" else "a ") + kind.label


def _param(node: Node, param: Param, base: Path) -> Iterator[Problem]:
    value = node.params.get(param.name, param.default)
    try:
        checked = param.setting.check(value)
    except BadParam as error:
        yield Problem(node.id, param.name, "bad-param", f"{param.label}: {error.message} {error.advice}".strip())
        return
    if isinstance(param.setting, OpenFile | Folder) and not node.bypass:
        yield from _file(node, param, checked, base)


def _file(node: Node, param: Param, path: Path, base: Path) -> Iterator[Problem]:
    assert isinstance(param.setting, OpenFile | Folder)
    thing = "file" if isinstance(param.setting, OpenFile) else "folder"
    if path == Path():
        if not param.setting.optional:
            yield Problem(node.id, param.name, "missing-file", f"{param.label}: no {thing} is chosen. Choose one.")
        return
    whole = base / path
    try:
        there = whole.is_file() if thing == "file" else whole.is_dir()
    except OSError:
        there = False
    if not there:
        text = f"{param.label}: {path.as_posix()} is not there. Choose the {thing} again."
        yield Problem(node.id, param.name, "missing-file", text)

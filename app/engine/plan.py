"""Turn a graph into ordered steps, each with its key: the name of its result, made of everything that decides it.

A key covers the node type and its version, a person's own node file, the parameters, the content of named input files,
the revisions and digests of weights, and the *content* digests of what comes in; of a node that writes credits, these
too, and of a node that reads the graph, the nodes before it. The step of an input that must still be computed has no
key yet; it gets one when the input is there, and when that content is what it was before, the old result counts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from app.engine.credits import Credit, Ledger, of_cards
from app.engine.errors import BadFile
from app.engine.graph import Graph, Node
from app.engine.params import Folder, OpenFile
from app.engine.spec import NodeSpec
from app.engine.stand_in import is_stand_in, spec_for
from app.engine.store import Entry, Store
from app.engine.validate import Problem, passed_through, validate
from app.engine.weight_files import needed, used_digests
from app.engine.weights import WeightCard

PlanState = Literal["run", "reuse", "blocked"]


@dataclass(frozen=True)
class Step:
    """One call. ``settings``: JSON values by parameter. ``feeds``: input or driven parameter -> (node, output).

    ``above``: of a node that reads the graph, a digest of all nodes and links before it, wherever they lie.
    """

    node_id: str
    spec: NodeSpec
    settings: Mapping[str, Any]
    feeds: Mapping[str, tuple[str, str]]
    above: str = ""

    def values(self, base: Path) -> dict[str, Any]:
        """What the function receives for parameters that no link drives; paths to read are made absolute."""
        checked: dict[str, Any] = {}
        for param in (param for param in self.spec.params if param.name not in self.feeds):
            value = param.setting.check(self.settings[param.name])
            if isinstance(param.setting, OpenFile | Folder) and value != Path():
                value = base / value
            checked[param.name] = value
        return checked

    @property
    def sources(self) -> tuple[str, ...]:
        """The steps that feed this one."""
        return tuple(source for source, _ in self.feeds.values())

    def credits(self, entry: Entry) -> tuple[Credit, ...]:
        """What this step adds to the credits: the models it used, and what its node said of the files it read."""
        said = of_cards(_cards(self.spec, self.settings, self.feeds)) if entry.credits is None else entry.credits
        paths = (self.settings[param.name] for param in self.spec.params if isinstance(param.setting, OpenFile))
        name = next((Path(path).name for path in paths if path), "")
        return tuple(credit if credit.title else replace(credit, title=name) for credit in said)


@dataclass(frozen=True)
class Plan:
    """``steps`` in order. ``states`` by node; a node whose inputs must still be computed counts as "run".

    ``keys``, ``entries``: of the steps whose inputs are known. ``seconds``: expected time of what would run, and
    ``unknown``: how many of those have never been timed on this machine. ``peak_bytes``: the most memory that one of
    them needed before, on top of what the worker holds.
    """

    steps: tuple[Step, ...]
    states: Mapping[str, PlanState]
    keys: Mapping[str, str]
    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...]
    seconds: float = 0.0
    unknown: int = 0
    peak_bytes: int = 0
    expected: Mapping[str, float] = field(default_factory=dict)


def make_steps(graph: Graph, specs: Mapping[str, NodeSpec], targets: Iterable[str] | None = None) -> list[Step]:
    """Every step that the targets need, each after what it needs; bypassed nodes are stepped over."""
    wanted = list(graph.ends() if targets is None else targets)
    order, _ = graph.order(wanted)
    return [_step(graph, specs, graph.nodes[id]) for id in order if not graph.nodes[id].bypass]


def step_key(step: Step, inputs: Mapping[str, str], base: Path, store: Store, credits: Iterable[Credit] = ()) -> str:
    """The name of a step's result. ``inputs``: content digest by feed. ``credits``: of all before it; they count where
    the node asks for them. Raises :class:`BadFile` for a missing file.
    """
    spec = step.spec
    if spec.volatile:
        return uuid.uuid4().hex
    settings = {
        param.name: _settled(param.setting, step.settings[param.name], base, store)
        for param in spec.params
        if param.name not in inputs
    }
    decides = [
        spec.id, spec.version, spec.source_digest, settings, dict(inputs),
        [[card.repository, card.revision, used_digests(card)] for card in _cards(spec, step.settings, inputs)],
    ]  # fmt: skip
    if spec.besides:
        decides.append(spec.besides({name: step.settings[name] for name in settings}))
    if spec.graph:
        decides.append({"above": step.above})
    if spec.credits:
        decides.append({"credits": [astuple(credit) for credit in credits]})
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _cards(spec: NodeSpec, settings: Mapping[str, Any], inputs: Iterable[str]) -> list[WeightCard]:
    """The weights that this step may use; where a link drives a parameter, any that the node knows."""
    driven = any(spec.param(name) for name in inputs)
    return [card for card in spec.models if not card.optional] if driven else list(needed(spec.models, settings))


def make_plan(
    graph: Graph, specs: Mapping[str, NodeSpec], store: Store, base: Path, targets: Iterable[str] | None = None
) -> Plan:
    """What would run and what would be reused. Runs nothing; reads input files only to name their content."""
    wanted = None if targets is None else list(targets)
    problems = validate(graph, specs, base, wanted)
    bad = {problem.node for problem in problems}
    states: dict[str, PlanState] = {}
    keys: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    expected: dict[str, float] = {}
    ledger = Ledger()
    unknown = peak = 0
    steps = make_steps(graph, specs, wanted)
    for step in steps:
        id = step.node_id
        states[id] = _foresee(step, states, bad, entries, keys, base, store, ledger)
        if states[id] == "run":
            cost = store.expected(step.spec.id)
            unknown += cost is None
            expected[id], needed = cost or (0.0, 0)
            peak = max(peak, needed)
    return Plan(tuple(steps), states, keys, entries, tuple(problems), sum(expected.values()), unknown, peak, expected)


def _foresee(
    step: Step,
    states: Mapping[str, PlanState],
    bad: set[str],
    entries: dict[str, Entry],
    keys: dict[str, str],
    base: Path,
    store: Store,
    ledger: Ledger,
) -> PlanState:
    if step.node_id in bad or any(states.get(source, "blocked") == "blocked" for source in step.sources):
        return "blocked"
    if step.spec.volatile or any(source not in entries for source in step.sources):
        return "run"
    try:
        inputs = {name: entries[source].outputs[output] for name, (source, output) in step.feeds.items()}
        key = step_key(step, inputs, base, store, ledger.above(step.sources))
    except (BadFile, KeyError):
        return "run"
    keys[step.node_id] = key
    entry = store.lookup(key)
    if entry is None:
        return "run"
    entries[step.node_id] = entry
    ledger.add(step.node_id, step.sources, step.credits(entry))
    return "reuse"


def _step(graph: Graph, specs: Mapping[str, NodeSpec], node: Node) -> Step:
    spec = spec_for(node, graph, specs)
    feeds: dict[str, tuple[str, str]] = {}
    for link in graph.into.get(node.id, ()):
        known = is_stand_in(spec) or spec.input(link.input) or spec.param(link.input)
        source = passed_through(graph, specs, link.source, link.output) if known else None
        if source:
            feeds[link.input] = source
    settings = {param.name: node.params.get(param.name, param.default) for param in spec.params}
    return Step(node.id, spec, settings, feeds, _above(graph, node) if spec.graph else "")


def _above(graph: Graph, node: Node) -> str:
    """A digest of a node's surroundings as it may read them: names, types, settings and links, not places."""
    ids = graph.upstream([node.id])
    rows = [
        [n.id, n.type, n.version, n.title, n.bypass, dict(n.params)] for n in map(graph.nodes.get, sorted(ids)) if n
    ]
    links = sorted(link for link in graph.links if link.target in ids)
    text = json.dumps([rows, links, node.id], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _settled(setting: object, value: Any, base: Path, store: Store) -> Any:
    """A parameter as the key sees it: a file counts by its content and its suffix, not by its place."""
    if not isinstance(setting, OpenFile | Folder) or not value:
        return value
    path = base / value
    if isinstance(setting, Folder):
        return ["folder", store.files.of_folder(path)]
    if setting.companions is None:
        return ["file", path.suffix.lower(), store.files.of_file(path)]
    others = [other for other in setting.companions(path) if other.is_file()]
    digests = [[other.name, store.files.of_file(other)] for other in sorted(others)]
    return ["file", path.suffix.lower(), store.files.of_file(path), digests]

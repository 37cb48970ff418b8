"""The engine from a script or a notebook: build a graph in a few lines, run it, take the payloads out.

work = Workspace()
photo = work.add("io.load_image", path="chair.png")
cut = work.add("segment.cut_out", image=photo)
result = work.run()
result[cut].pixels
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

from app.engine.errors import BadParam, EngineError, InvalidGraph
from app.engine.events import Event
from app.engine.graph import Graph, Link, Node
from app.engine.graph_file import read, save
from app.engine.graph_thread import Setup
from app.engine.migrations import adopt, default_params
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.spec import NodeSpec
from app.engine.store import Store
from app.engine.validate import can_link, validate
from app.engine.worker import Worker


@dataclass(frozen=True)
class Output:
    """One output of a node in a workspace. A node with several gives them as attributes: ``cut.mask``."""

    node_id: str
    name: str
    names: tuple[str, ...]

    def __getattr__(self, name: str) -> Output:
        if name.startswith("_") or name not in self.names:
            raise AttributeError(f"{self.node_id} has no output {name!r}; it has {', '.join(self.names)}")
        return Output(self.node_id, name, self.names)


class Results:
    """Payloads of a run, by output. ``report`` says what ran, what was reused and what failed."""

    def __init__(self, report: RunReport, store: Store) -> None:
        self.report, self._store = report, store

    def __getitem__(self, output: Output) -> Any:
        result = self.report.nodes[output.node_id]
        if output.name not in result.outputs:
            error = result.error
            raise EngineError(
                f"{output.node_id} gave no {output.name!r}: it is {result.state}.", error.message if error else ""
            )
        return self._store.load(result.outputs[output.name])


class Workspace:
    """A graph that grows by :meth:`add`, and the engine to run it, in this process.

    ``functions``: node functions of one's own, decorated with ``@node``. ``store``: where results are kept between
    runs; a temporary folder when not given. ``out``: where files are written.
    """

    def __init__(
        self,
        *functions: Callable[..., Any],
        packages: Iterable[str] = ("nodes",),
        store: Path | None = None,
        out: Path = Path("out"),
        base: Path = Path(),
        device: str = "auto",
    ) -> None:
        self.registry: Registry = discover(tuple(packages)).with_functions(*functions)
        self.graph = Graph()
        self.base, self.out = Path(base), Path(out)
        self._store = store or Store.temporary().folder
        self._device = device

    def add(self, node_type: str | Callable[..., Any], **values: Any) -> Output:
        """Add a node. Keyword values are parameters, or outputs of earlier nodes for inputs; ``title`` names it."""
        spec = self._spec(node_type)
        links = {name: value for name, value in values.items() if isinstance(value, Output)}
        title = str(values.pop("title", "")) if spec.param("title") is None else ""
        params = default_params(spec)
        for name, value in values.items():
            if name not in links:
                params[name] = _encoded(spec, name, value)
        node = Node(self.graph.fresh_id(), spec.id, params, (260.0 * len(self.graph.nodes), 0.0), spec.version, title)
        graph = self.graph.with_node(node)
        for name, source in links.items():
            link = Link(source.node_id, source.name, node.id, name)
            reason = can_link(graph, self.registry, link)
            if reason:
                raise InvalidGraph(reason)
            graph = graph.with_link(link)
        self.graph = graph
        names = tuple(socket.name for socket in spec.outputs)
        return Output(node.id, names[0] if names else "", names)

    def run(self, *targets: Output, on_event: Callable[[Event], None] | None = None) -> Results:
        """Run the graph, or what the targets need. Raises :class:`InvalidGraph` with all problems at once."""
        wanted = tuple(target.node_id for target in targets) or None
        problems = validate(self.graph, self.registry, self.base, wanted)
        if problems:
            raise InvalidGraph("\n".join(f"{p.node}: {p.message}" for p in problems), problems=problems)
        report = RunReport(self.graph)
        setup = Setup(self._store, device=self._device)
        run_and_wait(setup, self.graph, self.base, self.out, wanted, report, on_event, registry=self.registry)
        return Results(report, setup.open_store())

    def save(self, path: Path) -> None:
        """As a ``.graph`` file that the window opens."""
        save(Path(path), self.graph)

    def load(self, path: Path) -> None:
        """Take over a ``.graph`` file; its folder becomes the base of relative paths."""
        self.graph, self.base = adopt(read(Path(path)), self.registry), Path(path).parent

    def _spec(self, node_type: str | Callable[..., Any]) -> NodeSpec:
        if not isinstance(node_type, str):
            self.registry = self.registry.with_functions(node_type)
            node_type = next(id for id, spec in self.registry.items() if spec.call is node_type)
        if node_type not in self.registry:
            raise InvalidGraph(f"There is no node type {node_type!r}.", "List them with: main.py nodes")
        return self.registry[node_type]


def run_and_wait(
    setup: Setup,
    graph: Graph,
    base: Path,
    out: Path,
    targets: Iterable[str] | None,
    report: RunReport,
    on_event: Callable[[Event], None] | None = None,
    *,
    registry: Registry | None = None,
    in_process: bool = True,
    strict: bool = False,
    wait: Callable[[Worker, Callable[[], bool]], None] | None = None,
) -> None:
    """Submit one run and return when it ended; ``report`` holds what came of it."""
    ended = Flag()

    def take(event: Event) -> None:
        report.add(event)
        if on_event is not None:
            on_event(event)
        if report.status is not None:
            ended.set()

    with Worker(setup, take, in_process=in_process, registry=registry) as worker:
        worker.submit(graph, base, out, targets, strict)
        if wait is None:
            ended.wait()
        else:
            wait(worker, ended.is_set)


def _encoded(spec: NodeSpec, name: str, value: Any) -> Any:
    param = spec.param(name)
    if param is None:
        known = ", ".join([*(s.name for s in spec.inputs), *(p.name for p in spec.params)])
        raise BadParam(f"{spec.title} has no parameter {name!r}.", f"It has: {known}.")
    encoded = param.setting.encode(value)
    param.setting.check(encoded)
    return encoded

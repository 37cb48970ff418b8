"""The command line: ``main.py run`` and its siblings. A contract: other programs call it. Imports no Qt."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.capsule_commands import add_commands, pack_capsule, replay_capsule
from app.cli_weights import add_weights
from app.engine import logbook
from app.engine.devices import DEVICES
from app.engine.errors import BadGraphFile, BadParam, EngineError, InvalidGraph
from app.engine.events import Event
from app.engine.graph import Graph
from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.memory import available_bytes
from app.engine.migrations import adopt
from app.engine.params import Folder, OpenFile
from app.engine.places import store_folder
from app.engine.plan import Plan, make_plan
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.script import run_and_wait
from app.engine.spec import NodeSpec
from app.engine.validate import Problem, validate
from app.engine.worker import Worker
from app.progress_text import ProgressText

OK, FAILED, INVALID, CANCELLED = 0, 1, 2, 130
EXIT = {"ok": OK, "partial": FAILED, "failed": FAILED, "cancelled": CANCELLED, "invalid": INVALID}


def main(arguments: Sequence[str], packages: tuple[str, ...]) -> int:
    """Run one command and return its exit status. ``packages``: where the node types are."""
    options = _parser().parse_args(arguments)
    options.packages = packages
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except (BadGraphFile, BadParam, InvalidGraph) as error:
        return _refuse(options, error)
    except EngineError as error:
        print(f"error: {error.message} {error.advice}".rstrip(), file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="main.py", description="Polyloom without its window.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", run_command, "run a graph")
    run.add_argument("--to", action="append", metavar="ID", help="run only what this node needs (repeatable)")
    run.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="folder for files (default: out)")
    run.add_argument("--report", type=Path, metavar="FILE", help="write a report as JSON")
    run.add_argument("--device", choices=DEVICES, default="auto", help="where models compute")
    run.add_argument("--in-process", action="store_true", help="no worker process, for debugging")
    check = _command(commands, "check", check_command, "say everything that is wrong with a graph")
    check.add_argument("--json", action="store_true", help="as JSON")
    plan = _command(commands, "plan", plan_command, "say what would run and what would be reused")
    plan.add_argument("--to", action="append", metavar="ID", help="plan only what this node needs (repeatable)")
    plan.add_argument("--json", action="store_true", help="as JSON")
    nodes = commands.add_parser("nodes", help="list every node type")
    nodes.add_argument("--json", action="store_true", help="as JSON")
    _add_nodes_option(nodes)
    nodes.set_defaults(command=nodes_command)
    add_weights(commands, _add_nodes_option)
    add_commands(commands, capsule_command, replay_command, _add_nodes_option)
    return parser


def _command(commands: Any, name: str, command: Callable[..., int], help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help)
    parser.add_argument("file", type=Path, metavar="FILE.graph")
    parser.add_argument("--set", action="append", default=[], metavar="ID.param=VALUE", help="override a parameter")
    parser.add_argument("--store", type=Path, metavar="DIR", help="folder for kept results")
    _add_nodes_option(parser)
    parser.set_defaults(command=command)
    return parser


def _add_nodes_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nodes", type=Path, action="append", default=[], metavar="DIR", help="folder of own node files"
    )


def run_command(options: argparse.Namespace) -> int:
    registry, graph = _load(options)
    targets = _targets(graph, options.to)
    base = options.file.absolute().parent
    report = RunReport(graph, validate(graph, registry, base, targets))
    setup = Setup(_store(options), options.packages, tuple(options.nodes), options.device)
    log = logbook.Logbook(logbook.folder(), "command line")
    log.submitted(1, graph, options.file.name)
    with ProgressText(graph, registry) as progress:

        def take(event: Event) -> None:
            log.take(event)
            progress.take(event)

        run_and_wait(
            setup, graph, base, options.out, targets, report, take,
            in_process=options.in_process, strict=True, wait=_wait_for_it,
        )  # fmt: skip
    log.close()
    _write_report(options, report.to_json())
    _print_problems(report.problems)
    for id, result in report.nodes.items():
        if result.error and not any(problem.node == id for problem in report.problems):
            print(f"{_name(graph, id)}: {result.error.message} {result.error.advice}".rstrip(), file=sys.stderr)
    for path in report.outputs:
        print(options.out / path)
    return EXIT[report.status or "failed"]


def check_command(options: argparse.Namespace) -> int:
    registry, graph = _load(options)
    problems = validate(graph, registry, options.file.absolute().parent)
    if options.json:
        print(json.dumps({"valid": not problems, "problems": [asdict(p) for p in problems]}, indent=1))
    elif problems:
        _print_problems(problems, sys.stdout)
    else:
        print(f"{options.file.name}: nothing is wrong with its {len(graph.nodes)} nodes.")
    return INVALID if problems else OK


def plan_command(options: argparse.Namespace) -> int:
    registry, graph = _load(options)
    store = Setup(_store(options)).open_store()
    plan = make_plan(graph, registry, store, options.file.absolute().parent, _targets(graph, options.to))
    store.close()
    if options.json:
        print(json.dumps(_plan_json(graph, plan), indent=1))
    else:
        for step in plan.steps:
            seconds = plan.expected.get(step.node_id)
            time_text = f"  about {seconds:.1f} s" if seconds else ""
            print(f"{plan.states[step.node_id]:8}{_name(graph, step.node_id)}{time_text}")
        print(_plan_summary(plan))
        _print_problems(list(plan.problems), sys.stdout)
    return INVALID if plan.problems else OK


def nodes_command(options: argparse.Namespace) -> int:
    registry = discover(options.packages, options.nodes)
    if options.json:
        entries = [_spec_json(spec) for spec in registry.values()]
        broken = [asdict(b) for b in registry.broken]
        print(json.dumps({"nodes": entries, "broken": broken}, indent=1))
    else:
        for spec in registry.values():
            first = spec.doc.splitlines()[0] if spec.doc else ""
            print(f"{spec.id:28}{spec.title:22}{first}")
    _print_broken(registry)
    return OK


def capsule_command(options: argparse.Namespace) -> int:
    return pack_capsule(options, *_load(options))


def replay_command(options: argparse.Namespace) -> int:
    registry = discover(options.packages, options.nodes)
    _print_broken(registry)
    report = replay_capsule(options, registry, _wait_for_it)
    _write_report(options, report.to_json())
    for path in report.outputs:
        print(options.out / path)
    return EXIT[report.status or "failed"]


def _load(options: argparse.Namespace) -> tuple[Registry, Graph]:
    registry = discover(options.packages, options.nodes)
    _print_broken(registry)
    graph = adopt(read(options.file), registry)
    for assignment in options.set:
        graph = _with_setting(graph, registry, assignment)
    return registry, graph


def _with_setting(graph: Graph, registry: Registry, assignment: str) -> Graph:
    place, equals, text = assignment.partition("=")
    name, dot, param_name = place.rpartition(".")
    if not equals or not dot:
        raise BadParam(f"--set {assignment!r} cannot be read.", "Write --set ID.param=VALUE.")
    id = _find(graph, name)
    node = graph.nodes[id]
    spec = registry.get(node.type)
    param = spec.param(param_name) if spec else None
    if param is None:
        known = ", ".join(p.name for p in spec.params) if spec else "none, its type is not installed"
        raise BadParam(f"{name!r} has no parameter {param_name!r}.", f"Its parameters: {known}.")
    value = _parse(param.default, text)
    value = _from_here(param.setting, value)
    return graph.with_node(replace(node, params={**node.params, param.name: value}))


def _parse(default: Any, text: str) -> Any:
    """VALUE is JSON, except that a text parameter takes it as it stands."""
    if isinstance(default, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _from_here(setting: object, value: Any) -> Any:
    """A path on the command line starts from the current folder, not from the graph's."""
    if isinstance(setting, OpenFile | Folder) and value:
        return Path(value).absolute().as_posix()
    return value


def _find(graph: Graph, name: str) -> str:
    found = graph.find(name)
    if len(found) != 1:
        known = ", ".join(node.title or id for id, node in graph.nodes.items())
        what = f"There is no node {name!r}." if not found else f"{len(found)} nodes are titled {name!r}."
        raise BadParam(what, f"Name a node by its id or its own title. Nodes: {known}.")
    return found[0]


def _targets(graph: Graph, names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(_find(graph, name) for name in names) if names else None


def _wait_for_it(worker: Worker, ended: Callable[[], bool]) -> None:
    """Until the run ends; the first Ctrl+C cancels in order, a second one leaves at once."""
    cancelled = False
    while not ended():
        try:
            time.sleep(0.01)
        except KeyboardInterrupt:
            if cancelled:
                raise
            cancelled = True
            worker.cancel()


def _store(options: argparse.Namespace) -> Path:
    return options.store.absolute() if options.store else store_folder()


def _refuse(options: argparse.Namespace, error: EngineError) -> int:
    """The graph or the arguments are not valid: say it, also in the report and as JSON."""
    problem = Problem("", "", error.kind, f"{error.message} {error.advice}".strip())
    report = RunReport(Graph(), [problem])
    report.status = "invalid"
    _write_report(options, report.to_json())
    if getattr(options, "json", False):
        print(json.dumps({"valid": False, "problems": [asdict(problem)]}, indent=1))
    print(f"error: {problem.message}", file=sys.stderr)
    return INVALID


def _write_report(options: argparse.Namespace, report: dict[str, Any]) -> None:
    path = getattr(options, "report", None)
    if path is None:
        return
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    except OSError as error:
        print(f"error: the report {path} cannot be written: {error.strerror}", file=sys.stderr)


def _print_problems(problems: list[Problem], stream: Any = None) -> None:
    for problem in problems:
        where = f"{problem.node}.{problem.socket_or_param}" if problem.socket_or_param else problem.node
        print(f"{where}: {problem.message}", file=stream or sys.stderr)


def _print_broken(registry: Registry) -> None:
    for broken in registry.broken:
        print(f"node file {broken.place} cannot be loaded: {broken.message}", file=sys.stderr)


def _name(graph: Graph, id: str) -> str:
    title = graph.nodes[id].title
    return f"{title} ({id})" if title else f"{graph.nodes[id].type} ({id})"


def _fits(plan: Plan) -> bool:
    there = available_bytes()
    return there is None or plan.peak_bytes <= there


def _plan_summary(plan: Plan) -> str:
    runs = sum(state == "run" for state in plan.states.values())
    reused = sum(state == "reuse" for state in plan.states.values())
    text = f"{runs} to run, {reused} reused; about {plan.seconds:.1f} s and {plan.peak_bytes / 1e9:.2f} GB of memory"
    if plan.unknown:
        text += f" ({plan.unknown} never timed here)"
    if not _fits(plan):
        text += f". This machine has {(available_bytes() or 0) / 1e9:.2f} GB free: it will not fit"
    return text


def _plan_json(graph: Graph, plan: Plan) -> dict[str, Any]:
    nodes = {
        step.node_id: {
            "state": plan.states[step.node_id],
            "key": plan.keys.get(step.node_id, ""),
            "expected_seconds": plan.expected.get(step.node_id, 0.0),
        }
        for step in plan.steps
    }
    return {
        "nodes": nodes,
        "seconds": plan.seconds,
        "peak_bytes": plan.peak_bytes,
        "available_bytes": available_bytes(),
        "fits": _fits(plan),
        "never_timed": plan.unknown,
        "problems": [asdict(problem) for problem in plan.problems],
    }


def _spec_json(spec: NodeSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "version": spec.version,
        "help": spec.doc,
        "licence": spec.licence,
        "inputs": [{"name": s.name, "type": s.type.__name__, "optional": s.optional} for s in spec.inputs],
        "params": [_param_json(param) for param in spec.params],
        "outputs": [{"name": s.name, "type": s.type.__name__} for s in spec.outputs],
        "weights": [
            {
                "name": c.handle,
                "repository": c.repository,
                "revision": c.revision,
                "bytes": c.download_bytes,
                "licence": c.weights_licence,
            }
            for c in spec.models
        ],
        "devices": list(spec.devices),
        "memory_tier": spec.tier,
        "isolated": spec.isolated is not None,
    }


def _param_json(param: Any) -> dict[str, Any]:
    setting = {k: v for k, v in asdict(param.setting).items() if v not in ("", None, (), False) and k != "was"}
    setting.pop("companions", None)
    return {
        "name": param.name,
        "label": param.label,
        "kind": type(param.setting).__name__,
        "default": param.default,
        **{k: list(v) if isinstance(v, tuple) else v for k, v in setting.items() if k != "label"},
    }

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
from app.cli_prepare import add_prepare
from app.cli_text import (
    name_of,
    plan_json,
    plan_summary,
    print_broken,
    print_problems,
    print_remarks,
    remarks_json,
    spec_json,
)
from app.cli_weights import add_weights
from app.engine import logbook
from app.engine.devices import DEVICES
from app.engine.errors import BadGraphFile, BadParam, EngineError, InvalidGraph
from app.engine.events import Event
from app.engine.graph import Graph
from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.migrations import adopt
from app.engine.params import Folder, OpenFile
from app.engine.places import store_folder
from app.engine.plan import make_plan
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.script import run_and_wait
from app.engine.validate import Problem, validate
from app.engine.weight_needs import lacking
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
    add_prepare(commands)
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
    print_problems(report.problems)
    for id, result in report.nodes.items():
        if result.error and not any(problem.node == id for problem in report.problems):
            print(f"{name_of(graph, id)}: {result.error.message} {result.error.advice}".rstrip(), file=sys.stderr)
    for path in report.outputs:
        print(options.out / path)
    return EXIT[report.status or "failed"]


def check_command(options: argparse.Namespace) -> int:
    registry, graph = _load(options)
    problems = validate(graph, registry, options.file.absolute().parent)
    lacks = lacking(graph, registry)
    if options.json:
        told = {"valid": not problems, "problems": [asdict(p) for p in problems], "remarks": remarks_json(lacks)}
        print(json.dumps(told, indent=1))
    elif problems:
        print_problems(problems, sys.stdout)
    else:
        print(f"{options.file.name}: nothing is wrong with its {len(graph.nodes)} nodes.")
    if not options.json:
        print_remarks(graph, lacks)
    return INVALID if problems else OK


def plan_command(options: argparse.Namespace) -> int:
    registry, graph = _load(options)
    store = Setup(_store(options)).open_store()
    plan = make_plan(graph, registry, store, options.file.absolute().parent, _targets(graph, options.to))
    store.close()
    lacks = lacking(graph, registry, [id for id, state in plan.states.items() if state == "run"])
    if options.json:
        print(json.dumps({**plan_json(graph, plan), "remarks": remarks_json(lacks)}, indent=1))
    else:
        for step in plan.steps:
            seconds = plan.expected.get(step.node_id)
            time_text = f"  about {seconds:.1f} s" if seconds else ""
            print(f"{plan.states[step.node_id]:8}{name_of(graph, step.node_id)}{time_text}")
        print(plan_summary(plan))
        print_problems(list(plan.problems), sys.stdout)
        print_remarks(graph, lacks)
    return INVALID if plan.problems else OK


def nodes_command(options: argparse.Namespace) -> int:
    registry = discover(options.packages, options.nodes)
    if options.json:
        entries = [spec_json(spec) for spec in registry.values()]
        broken = [asdict(b) for b in registry.broken]
        print(json.dumps({"nodes": entries, "broken": broken}, indent=1))
    else:
        for spec in registry.values():
            first = spec.doc.splitlines()[0] if spec.doc else ""
            print(f"{spec.id:30} {spec.title:24} {first}")
    print_broken(registry)
    return OK


def capsule_command(options: argparse.Namespace) -> int:
    return pack_capsule(options, *_load(options))


def replay_command(options: argparse.Namespace) -> int:
    registry = discover(options.packages, options.nodes)
    print_broken(registry)
    report = replay_capsule(options, registry, _wait_for_it)
    _write_report(options, report.to_json())
    for path in report.outputs:
        print(options.out / path)
    return EXIT[report.status or "failed"]


def _load(options: argparse.Namespace) -> tuple[Registry, Graph]:
    registry = discover(options.packages, options.nodes)
    print_broken(registry)
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

"""``main.py capsule`` and ``main.py replay``: pack a problem, run it again elsewhere. Imports no Qt."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.engine import capsule, logbook
from app.engine.environment import differences, environment
from app.engine.graph import Graph
from app.engine.graph_thread import Setup
from app.engine.migrations import adopt
from app.engine.registry import Registry
from app.engine.report import RunReport
from app.engine.script import run_and_wait
from app.engine.validate import validate
from app.engine.worker import Worker
from app.progress_text import ProgressText

Wait = Callable[[Worker, Callable[[], bool]], None]


def add_commands(commands: Any, pack: Callable[..., int], replay: Callable[..., int], add_nodes: Any) -> None:
    """The two subcommands. ``add_nodes``: adds the option that all commands share."""
    made = commands.add_parser("capsule", help="pack a graph into a problem report that runs elsewhere")
    made.add_argument("file", type=Path, metavar="FILE.graph")
    made.add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the capsule to write")
    made.add_argument("--with-inputs", action="store_true", help="put every file that the graph reads into it")
    made.add_argument("--set", action="append", default=[], metavar="ID.param=VALUE", help="override a parameter")
    add_nodes(made)
    made.set_defaults(command=pack)
    again = commands.add_parser("replay", help="run a problem report again")
    again.add_argument("file", type=Path, metavar="FILE.zip")
    again.add_argument("--out", type=Path, default=Path("replay"), metavar="DIR", help="folder for files")
    again.add_argument("--store", type=Path, metavar="DIR", help="folder for kept results (default: a new one)")
    again.add_argument("--report", type=Path, metavar="FILE", help="write a report as JSON")
    again.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where models compute")
    add_nodes(again)
    again.set_defaults(command=replay)


def pack_capsule(options: Namespace, registry: Registry, graph: Graph) -> int:
    base = options.file.absolute().parent
    inputs = capsule.inputs_of(graph, registry, base)
    ticked = [one.path for one in inputs] if options.with_inputs else []
    problems = RunReport(graph, validate(graph, registry, base)).to_json()
    capsule.pack(options.out.absolute(), graph, registry, base, ticked, logbook.recent(logbook.folder()), problems)
    print(options.out)
    for one in inputs:
        state = f"{one.size / 1e6:.1f} MB packed" if one.path in ticked else "left out, --with-inputs packs it"
        print(f"{one.path.name}: {state}", file=sys.stderr)
    return 0


def replay_capsule(options: Namespace, registry: Registry, wait: Wait) -> RunReport:
    """Unpack into a temporary folder, say what differs, run; the report of this run."""
    with tempfile.TemporaryDirectory(prefix="polyloom-replay-") as name:
        folder = Path(name)
        one = capsule.unpack(options.file, folder / "capsule")
        graph = adopt(one.graph, registry)
        capsule.refuse_outside(graph, registry, one.folder)
        _say(differences(one.versions, environment()), "Versions differ. ")
        _say([f"{place} was left out of the capsule" for place in one.left_out])
        report = RunReport(graph, validate(graph, registry, one.folder, one.targets))
        store = options.store.absolute() if options.store else folder / "store"
        setup = Setup(store, options.packages, tuple(options.nodes), options.device)
        with ProgressText(graph, registry) as progress:
            run_and_wait(
                setup, graph, one.folder, options.out, one.targets, report, progress.take, in_process=False, wait=wait
            )
    _say(_changes(one.report, report))
    return report


def _changes(then: dict[str, Any], now: RunReport) -> list[str]:
    """How each node fared when the capsule was made and how it fares here, where that differs or fails."""
    nodes = then.get("nodes")
    before = nodes if isinstance(nodes, dict) else {}
    lines = []
    for id, result in now.nodes.items():
        entry = before.get(id)
        state = str(entry.get("state", "skipped")) if isinstance(entry, dict) else "skipped"
        was = "ran" if state == "reused" else state
        error = f": {result.error.message} {result.error.advice}".rstrip() if result.error else ""
        if was == result.state and result.state == "failed":
            lines.append(f"{id}: failed then, fails here{error}")
        elif was not in ("skipped", result.state):
            lines.append(f"{id}: {was} then, {result.state} here{error}")
        elif error:
            lines.append(f"{id}: failed here{error}")
    return lines


def _say(lines: list[str], start: str = "") -> None:
    for line in lines:
        print(start + line, file=sys.stderr)

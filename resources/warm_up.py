"""Run the starter graph once: that it runs, and that a person's own photograph does not wait for a compiler.

Set-up calls this; the window prepares what the other nodes need (``main.py prepare``).
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.engine.graph import Graph
from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.registry import Registry
from app.engine.report import RunReport
from app.engine.script import run_and_wait
from app.engine.weight_needs import cards_of

EXAMPLES = ROOT / "resources" / "examples"
STARTER = EXAMPLES / "starter.graph"
SMALL: dict[str, Any] = {
    "size": 256,
    "texture_size": 256,
    "resolution": 96,
    "rays": 4,
    "detail": 32,
    "longest_side": 320,
}


def small(graph: Graph) -> Graph:
    """The graph with smaller pictures and fewer rays; measures in metres and the like stay as they are."""

    def less(params: dict[str, Any]) -> dict[str, Any]:
        return {
            name: min(value, SMALL[name]) if name in SMALL and isinstance(value, int) and value > 1 else value
            for name, value in params.items()
        }

    return graph.with_nodes(replace(node, params=less(dict(node.params))) for node in graph.nodes.values())


def alone(graph: Graph, registry: Registry) -> bool:
    """Whether it runs without published model files."""
    return not any(cards_of(node, registry[node.type], graph) for node in graph.nodes.values())


def main() -> int:
    """0 when it ran."""
    graph = read(STARTER)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        report = RunReport(graph)
        setup = Setup(place / "store", device="cpu")
        run_and_wait(setup, graph, EXAMPLES, place / "out", None, report, strict=False)
    print(f"{STARTER.stem}: {report.status}", file=sys.stderr, flush=True)
    return 0 if report.status == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())

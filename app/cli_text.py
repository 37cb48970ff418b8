"""What the command line prints: problems, plans and node types, as text and as JSON."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from app.engine.graph import Graph
from app.engine.memory import available_bytes
from app.engine.plan import Plan
from app.engine.registry import Registry
from app.engine.spec import NodeSpec
from app.engine.validate import Problem
from app.engine.weight_needs import Lack


def print_problems(problems: list[Problem], stream: Any = None) -> None:
    for problem in problems:
        where = f"{problem.node}.{problem.socket_or_param}" if problem.socket_or_param else problem.node
        print(f"{where}: {problem.message}", file=stream or sys.stderr)


def print_remarks(graph: Graph, lacks: list[Lack]) -> None:
    """What is no mistake of the graph, but will stop a node on this machine."""
    for lack in lacks:
        print(f"{name_of(graph, lack.node)}: {lack.problem.message}")


def remarks_json(lacks: list[Lack]) -> list[dict[str, Any]]:
    """Shaped like problems, with what is missing besides."""
    return [
        {
            **asdict(lack.problem),
            "name": lack.card.handle,
            "state": lack.state,
            "bytes": lack.card.download_bytes,
            "licence": lack.card.weights_licence,
            "non_commercial": lack.card.non_commercial,
        }
        for lack in lacks
    ]


def print_broken(registry: Registry) -> None:
    for broken in registry.broken:
        print(f"node file {broken.place} cannot be loaded: {broken.message}", file=sys.stderr)


def name_of(graph: Graph, id: str) -> str:
    title = graph.nodes[id].title
    return f"{title} ({id})" if title else f"{graph.nodes[id].type} ({id})"


def _fits(plan: Plan) -> bool:
    there = available_bytes()
    return there is None or plan.peak_bytes <= there


def plan_summary(plan: Plan) -> str:
    runs = sum(state == "run" for state in plan.states.values())
    reused = sum(state == "reuse" for state in plan.states.values())
    text = f"{runs} to run, {reused} reused; about {plan.seconds:.1f} s and {plan.peak_bytes / 1e9:.2f} GB of memory"
    if plan.unknown:
        text += f" ({plan.unknown} never timed here)"
    if not _fits(plan):
        text += f". This machine has {(available_bytes() or 0) / 1e9:.2f} GB free: it will not fit"
    return text


def plan_json(graph: Graph, plan: Plan) -> dict[str, Any]:
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


def spec_json(spec: NodeSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "group": spec.group,
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
    setting.pop("usual", None)
    return {
        "name": param.name,
        "label": param.label,
        "kind": type(param.setting).__name__,
        "default": param.default,
        **{k: list(v) if isinstance(v, tuple) else v for k, v in setting.items() if k != "label"},
    }

"""What is to be known about a node type: type, licence, GPU memory, weights. Said in the inspector and the library."""

from __future__ import annotations

from html import escape

from app.engine.payloads import Payload
from app.engine.spec import NodeSpec
from app.engine.weights import WeightCard

FAMILIES = {"io": "Files", "image_to_3d": "Image to 3D", "mesh": "Mesh", "image": "Picture", "value": "Values"}


def family_title(family: str) -> str:
    """``image_to_3d`` -> ``Image to 3D``."""
    return FAMILIES.get(family) or family.replace("_", " ").replace(".", " / ").capitalize() or "Other"


def tier(spec: NodeSpec) -> str:
    return "runs on the CPU" if spec.tier == "CPU" else f"GPU memory {spec.tier}"


def tooltip(spec: NodeSpec) -> str:
    """Rich text: title, help, sockets, licence and memory tier."""
    takes = ", ".join(f"{s.name} ({_dot(s.type)}{s.type.label})" for s in spec.inputs) or "nothing"
    gives = ", ".join(f"{_dot(s.type)}{s.type.label}" for s in spec.outputs) or "nothing"
    lines = [
        f"<b>{escape(spec.title)}</b>",
        escape(" ".join(spec.doc.split())),
        f"takes {takes}",
        f"gives {gives}",
        f"{escape(spec.licence)} · {tier(spec)}",
        *map(_weights, spec.models),
    ]
    return "<p style='max-width:340px'>" + "<br>".join(filter(None, lines)) + "</p>"


def about(spec: NodeSpec) -> str:
    """Rich text for the foot of the inspector."""
    lines = [f"{escape(spec.id)} · version {spec.version}", f"Licence {escape(spec.licence)} · {tier(spec)}"]
    lines += map(_weights, spec.models)
    if spec.isolated:
        limit = f"stopped after {spec.isolated.limit_s:g} s without progress"
        lines.append(f"Runs in a process of its own, {limit}.")
    if not spec.deterministic:
        lines.append("Equal inputs may give slightly different results.")
    if spec.volatile:
        lines.append("Runs every time: its results are never reused.")
    return "<br>".join(lines)


def _weights(card: WeightCard) -> str:
    limits = " · <b>not for commercial use</b>" if card.non_commercial else ""
    size = f"{card.download_bytes / 1e9:.1f} GB download"
    return f"Weights {escape(card.repository)} · {escape(card.weights_licence)}{limits} · {size}"


def _dot(kind: type[Payload]) -> str:
    return f"<span style='color:{kind.colour}'>●</span> "

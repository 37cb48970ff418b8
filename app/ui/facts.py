"""What is to be known about a node type: type, licence, GPU memory, weights. Said in the inspector and the library."""

from __future__ import annotations

from html import escape

from app.engine.payloads import Payload
from app.engine.spec import NodeSpec
from app.engine.weights import WeightCard
from app.ui.progress import in_words
from app.ui.weight_words import limits, short_limits, size_text

WORTH_SAYING_S = 0.5
MOST_MODELS = 3

FAMILIES = {
    "io": "Files",
    "image": "Picture",
    "segment": "Cut out",
    "generate": "Generate",
    "control": "Control maps",
    "depth": "Depth and normals",
    "detect": "Find",
    "image_to_3d": "Image to 3D",
    "reconstruct": "Reconstruct",
    "points": "Points",
    "scene": "Scene",
    "mesh": "Mesh",
    "texture": "Texture",
    "physics": "Physics",
    "check": "Checks",
    "compare": "Compare",
    "service": "Services",
    "value": "Values",
}
"""Their titles, in the order in which an asset is made."""


def family_order(family: str) -> tuple[int, str]:
    """The known ones first, in their order, then those of a person's own."""
    places = list(FAMILIES)
    return (places.index(family) if family in FAMILIES else len(places)), family_title(family)


def family_title(family: str) -> str:
    """``image_to_3d`` -> ``Image to 3D``."""
    return FAMILIES.get(family) or family.replace("_", " ").replace(".", " / ").capitalize() or "Other"


def tier(spec: NodeSpec) -> str:
    """The memory tier, and whether it runs without a GPU: said honestly."""
    if spec.tier == "CPU":
        return "runs on the CPU"
    slowly = "runs on the CPU, slowly" if "cpu" in spec.devices else "not without a GPU"
    return f"GPU memory {spec.tier} · {slowly}"


def took(seconds: float | None) -> str:
    """How long a node type takes on this machine, where that is known."""
    return "" if seconds is None or seconds < WORTH_SAYING_S else f"Took about {in_words(seconds)} here of late."


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
        *_models(spec),
    ]
    return "<p style='max-width:340px'>" + "<br>".join(filter(None, lines)) + "</p>"


def about(spec: NodeSpec, seconds: float | None = None) -> str:
    """Rich text for the foot of the inspector. ``seconds``: what it took on this machine, if it ever ran."""
    lines = [
        f"{escape(spec.id)} · version {spec.version}",
        f"This step: {escape(spec.licence)} licence",
        _sentence(tier(spec)),
    ]
    lines += filter(None, [took(seconds)])
    lines += _models(spec)
    if spec.isolated:
        limit = f"stopped after {spec.isolated.limit_s:g} s without progress"
        lines.append(f"Runs in a process of its own, {limit}.")
    if not spec.deterministic:
        lines.append("Equal inputs may give slightly different results.")
    if spec.volatile:
        lines.append("Runs every time: its results are never reused.")
    return "<br>".join(lines)


def _models(spec: NodeSpec) -> list[str]:
    """A line for each set of weights; only their number where there are many to choose from."""
    if len(spec.models) <= MOST_MODELS:
        return [_weights(card) for card in spec.models]
    return [f"{len(spec.models)} sets of weights to choose from: File > Models"]


def _weights(card: WeightCard) -> str:
    warning = f" · <b>{escape(short_limits(card))}</b>" if limits(card) else ""
    return f"Weights {escape(card.label)} · {escape(card.weights_licence)}{warning} · {size_text(card.download_bytes)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _dot(kind: type[Payload]) -> str:
    return f"<span style='color:{kind.colour}'>●</span> "

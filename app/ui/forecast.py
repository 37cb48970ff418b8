"""What a run of the present graph would do, before it is started: how many nodes, how long, how much memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from app.ui.board import Planned
from app.ui.progress import in_words


@dataclass(frozen=True)
class Forecast:
    """``fits``: whether the machine has the memory that a node needed before; True where that is not known."""

    text: str
    details: str
    fits: bool = True


def forecast(plan: Planned) -> Forecast:
    """In words, from a plan; an empty text for an empty graph."""
    count = Counter(plan.states.values())
    if not count:
        return Forecast("", "")
    parts = [f"{count['run']} to run, {count['reuse']} ready" if count["run"] else f"all {count['reuse']} ready"]
    if count["blocked"]:
        parts[0] = f"{count['run']} to run, {count['reuse']} ready, {count['blocked']} blocked"
    if plan.seconds >= 0.05:
        parts.append(f"{'at least' if plan.unknown else 'about'} {_seconds(plan.seconds)}")
    if plan.peak_bytes >= 1e7:
        parts.append(_bytes(plan.peak_bytes))
    there = plan.available_bytes
    fits = there is None or plan.peak_bytes <= there
    if not fits:
        parts.append(f"will not fit: {_bytes(there or 0)} are free")
    return Forecast(" · ".join(parts), _details(plan), fits)


def _details(plan: Planned) -> str:
    lines = ["A run of everything, as the graph is now."]
    if plan.unknown:
        lines.append(f"Never timed on this machine: {plan.unknown} of the nodes to run.")
    if plan.peak_bytes:
        there = "not known" if plan.available_bytes is None else _bytes(plan.available_bytes)
        lines.append(f"Most memory that one node needed before: {_bytes(plan.peak_bytes)}; free now: {there}.")
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 9.95 else in_words(seconds)


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

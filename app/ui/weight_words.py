"""What is said of weights everywhere in the window: sizes, licences, states, progress. Plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from app.engine.weight_queue import Download
from app.engine.weights import WeightCard
from app.ui import theme
from app.ui.progress import in_words

STATES = {
    "": ("looking …", theme.DIM),
    "missing": ("not on this machine", theme.DIM),
    "partial": ("here in part", theme.WARN),
    "damaged": ("damaged", theme.BAD),
    "ready": ("ready", theme.GOOD),
    "waiting": ("waits for its turn", theme.ACCENT),
    "running": ("downloading", theme.ACCENT),
    "paused": ("paused", theme.WARN),
    "failed": ("download failed", theme.BAD),
    "copying": ("copying", theme.ACCENT),
    "checking": ("checking", theme.ACCENT),
}


def size_text(count: float) -> str:
    """``4.9 MB``, ``67 MB``, ``1.7 GB``: steps of 1,000, never more digits than are of use."""
    if count >= 999.5e6:
        return f"{count / 1e9:,.1f} GB"
    if count >= 9.95e6:
        return f"{count / 1e6:,.0f} MB"
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def total_size(cards: Iterable[WeightCard]) -> int:
    return sum(card.download_bytes for card in cards)


def needs(states: Iterable[tuple[WeightCard, bool]]) -> str:
    """What a graph asks for, in a few words. ``states``: each set of weights, and whether it is ready."""
    sets = list(states)
    if not sets:
        return ""
    missing = [card for card, ready in sets if not ready]
    kinds = "1 model" if len(sets) == 1 else f"{len(sets)} models"
    return f"{kinds}, {size_text(total_size(missing))} to get" if missing else f"{kinds}, all here"


def limits(card: WeightCard) -> tuple[str, ...]:
    """What a licence forbids or demands, where a person could be caught by it."""
    found = []
    if card.non_commercial:
        found.append("Not for commercial use")
    if "AGPL" in f"{card.weights_licence} {card.code_licence}".upper():
        found.append("AGPL: a program or service built on it must be published under the AGPL, too")
    return tuple(found)


def short_limits(card: WeightCard) -> str:
    """The same in a word or two, for a list."""
    return ", ".join(
        text.partition(":")[0].replace("Not for commercial use", "non-commercial") for text in limits(card)
    )


def licence_text(card: WeightCard) -> str:
    if card.code_licence == card.weights_licence:
        return f"Licence {card.weights_licence}"
    return f"Licence of the weights {card.weights_licence}, of the code {card.code_licence}"


def breakable(text: str) -> str:
    """Names and addresses that may go on in the next line after each of their parts."""
    return re.sub(r"([/_.-])", "\\1\u200b", text)


def source_text(card: WeightCard, mirror: str = "") -> str:
    return mirror or card.url or f"huggingface.co/{card.repository}"


def memory_text(card: WeightCard) -> str:
    if not card.memory_gb:
        return "not known"
    if card.memory_gb < 0.05:
        return "next to nothing"
    return f"about {card.memory_gb:.1f} GB in 16 bits, {2 * card.memory_gb:.1f} GB in 32"


def progress_text(download: Download) -> str:
    """``34 MB of 67 MB · 3.2 MB/s · about 10 s left``."""
    if download.state == "running" and download.done >= download.total:
        return "comparing with the published checksum"
    parts = [f"{size_text(download.done)} of {size_text(download.total)}"]
    if download.state == "running" and download.speed:
        parts.append(f"{size_text(download.speed)}/s")
        parts.append(f"about {in_words(download.seconds_left or 0.0)} left")
    return " · ".join(parts)


def question(cards: Iterable[WeightCard], mirror: Callable[[WeightCard], str] = lambda _: "") -> str:
    """What is agreed to before anything is fetched."""
    blocks = []
    for card in cards:
        lines = [
            f"{card.label}  ({size_text(card.download_bytes)})",
            licence_text(card),
            f"From {source_text(card, mirror(card))}",
        ]
        blocks.append("\n".join([*lines, *(f"{text}." for text in limits(card))]))
    return "\n\n".join(blocks)

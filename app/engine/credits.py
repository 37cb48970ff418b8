"""Who made what goes into a result, and under which licence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.engine.weights import WeightCard

LONGEST = 400


@dataclass(frozen=True, order=True)
class Credit:
    """One work that a result was made from. Every text is one printable line; an empty one means: not stated.

    ``title``: the work's name; left empty by a node, it becomes the name of the file that the step reads.
    ``licence``: its terms in words. ``source``: where it comes from, an address or words.
    """

    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""
    kind: Literal["file", "model", "service"] = "file"

    def __post_init__(self) -> None:
        for name in ("title", "author", "licence", "source"):
            object.__setattr__(self, name, _one_line(getattr(self, name)))

    @property
    def line(self) -> str:
        """Such as ``"Chair" by Jane Doe, CC BY 4.0, https://…``. The terms of a service are its own."""
        author = f" by {self.author}" if self.author else ""
        licence = self.licence or ("" if self.kind == "service" else "licence not stated")
        return ", ".join(part for part in (f'"{self.title}"{author}', licence, self.source) if part)


class Ledger:
    """The credits of each step of a graph, with those of everything before it. Filled in the order of the steps."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[Credit]] = {}

    def add(self, id: str, sources: Iterable[str], own: Iterable[Credit]) -> None:
        """``sources``: the steps that feed this one. ``own``: what it adds."""
        self._of[id] = frozenset(own).union(*(self._of.get(source, ()) for source in sources))

    def above(self, sources: Iterable[str]) -> tuple[Credit, ...]:
        """All that came into these steps, each once, in an order that no link decides."""
        return tuple(sorted(frozenset[Credit]().union(*(self._of.get(source, ()) for source in sources))))


def of_cards(cards: Iterable[WeightCard]) -> tuple[Credit, ...]:
    """A credit for each set of published model files."""
    return tuple(
        Credit(card.label, "", card.terms, f"{card.repository}, revision {card.revision[:12]}", "model")
        for card in cards
    )


def _one_line(text: str) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    line = " ".join(words)
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"

"""Words and numbers in USD's text form."""

from __future__ import annotations

import re
from collections.abc import Sequence


class Names:
    """Names of siblings: letters, digits and underscores, each only once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def fresh(self, wanted: str) -> str:
        """A name like ``wanted`` that is not taken yet."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_") or "object"
        plain = plain if not plain[0].isdigit() else f"_{plain}"
        name, count = plain, 1
        while name in self._taken:
            count += 1
            name = f"{plain}_{count}"
        self._taken.add(name)
        return name


def quoted(text: str) -> str:
    """A string literal on one line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value: float) -> str:
    return f"{value:.9g}"


def tuple_of(values: Sequence[float]) -> str:
    return f"({', '.join(map(number, values))})"


def indented(lines: Sequence[str]) -> str:
    """Lines four spaces further in; empty ones stay empty."""
    rows = "\n".join(lines).rstrip("\n").split("\n")
    return "\n".join(f"    {row}" if row else "" for row in rows)

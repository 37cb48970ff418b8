"""Lines that mix scripts running to the right and to the left, in the order in which they are drawn.

The rules of the Unicode bidirectional algorithm (UAX 9) for plain lines: strong letters, numbers, neutrals and marks;
paired brackets; without explicit embeddings.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import NamedTuple

BRACKETS = {"(": ")", "[": "]", "{": "}", "〈": "〉", "「": "」"}


class Stretch(NamedTuple):
    """Characters ``start`` to ``end`` of a line, drawn to the left where ``level`` is odd."""

    start: int
    end: int
    level: int


def stretches(line: str) -> list[Stretch]:
    """The line in pieces of one direction, from the left of what is drawn to the right."""
    levels = _levels(line)
    cuts = [k for k in range(len(line)) if k == 0 or levels[k] != levels[k - 1]] + [len(line)]
    pieces = [Stretch(a, b, levels[a]) for a, b in pairwise(cuts)]
    for level in (2, 1):
        pieces = _reversed_from(pieces, level)
    return pieces


def _levels(line: str) -> list[int]:
    """Embedding level of every character: 0 and 2 run to the right, 1 to the left."""
    kinds = [unicodedata.bidirectional(character) for character in line]
    base = next((int(kind != "L") for kind in kinds if kind in ("L", "R", "AL")), 0)
    ways: list[int | None] = []
    numbers, strong = set(), base
    for k, kind in enumerate(kinds):
        if kind in ("L", "R", "AL"):
            strong = int(kind != "L")
            ways.append(strong)
        elif kind == "AN" or (kind == "EN" and strong):
            numbers.add(k)
            ways.append(1)
        elif kind == "EN":
            ways.append(0)
        else:
            ways.append(ways[-1] if kind == "NSM" and ways else None)
    _pair_brackets(line, ways, base)
    _fill_neutrals(ways, base)
    return [2 if k in numbers else 1 if way else 2 * base for k, way in enumerate(ways)]


def _pair_brackets(line: str, ways: list[int | None], base: int) -> None:
    """Both brackets of a pair run as what they hold; what is foreign in a line counts only in foreign company."""
    for start, end in _pairs(line):
        inside = {way for way in ways[start + 1 : end] if way is not None}
        before = next((way for way in reversed(ways[:start]) if way is not None), base)
        if inside:
            ways[start] = ways[end] = 1 - base if base not in inside and before != base else base


def _pairs(line: str) -> list[tuple[int, int]]:
    open_at: list[tuple[str, int]] = []
    found = []
    for k, character in enumerate(line):
        if character in BRACKETS:
            open_at.append((BRACKETS[character], k))
        elif any(character == close for close, _ in open_at):
            while open_at[-1][0] != character:
                open_at.pop()
            found.append((open_at.pop()[1], k))
    return sorted(found)


def _fill_neutrals(ways: list[int | None], base: int) -> None:
    """What stands between two stretches of one direction joins them; all else runs with the line."""
    k = 0
    while k < len(ways):
        end = k
        while end < len(ways) and ways[end] is None:
            end += 1
        if end > k:
            before, after = ways[k - 1] if k else base, ways[end] if end < len(ways) else base
            ways[k:end] = [before if before == after else base] * (end - k)
        k = end + 1


def _reversed_from(pieces: list[Stretch], level: int) -> list[Stretch]:
    """Every chain of pieces at this level or above, the other way round."""
    out: list[Stretch] = []
    chain: list[Stretch] = []
    for piece in pieces:
        if piece.level >= level:
            chain.insert(0, piece)
        else:
            out += [*chain, piece]
            chain = []
    return out + chain

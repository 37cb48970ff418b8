"""Counts in words."""

from __future__ import annotations

import re

ONE = {"vertices": "vertex", "bodies": "body"}
PLURAL = re.compile(
    r"\b(holes|fins|faces|parts|vertices|edges|pairs|places|positions|sides|sheets|borders|triangles|charts|bodies)\b"
)


def counted(count: int, what: str) -> str:
    """``1 hole filled``, ``1,200 holes filled``: the first noun of ``what`` follows the count."""
    if count == 1:
        what = PLURAL.sub(lambda found: ONE.get(found[0], found[0][:-1]), what, count=1)
    return f"{count:,} {what}"

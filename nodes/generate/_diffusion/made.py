"""What the nodes that make pictures give."""

from __future__ import annotations

from typing import NamedTuple

from app.engine import Image, Pictures


class Made(NamedTuple):
    """``out``: the first picture; ``all``: every one."""

    out: Image
    all: Pictures

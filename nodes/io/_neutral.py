"""What a mesh without a material looks like: in a file, and beside meshes that have one."""

from __future__ import annotations

from app.engine import Material

GREY = (0.6, 0.6, 0.6, 1.0)
_BARE = Material("neutral", base_factor=GREY)
_PAINTED = Material("neutral")


def neutral(coloured: bool) -> Material:
    """Neutral grey, or white under vertex colours, which stand for themselves. The same object every time."""
    return _PAINTED if coloured else _BARE

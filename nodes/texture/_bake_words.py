"""The choices that baking steps share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fine = Literal["off", "4 samples", "16 samples"]
Search = Literal["nearest, both ways", "from the cage inward"]
Empty = Literal["push-pull", "mean colour"]
FINE: dict[str, int] = {"off": 1, "4 samples": 2, "16 samples": 4}


@dataclass(frozen=True)
class Wish:
    """How a person wants to bake: the parameters of the steps, lengths in % of the source's size (0: measured, any)."""

    size: int
    antialias: Fine
    max_distance: float
    search: Search
    rays: int
    occlusion_distance: float = 0.0
    cavity_distance: float = 2.0
    thickness: float = 10.0
    curvature_radius: float = 5.0
    curvature_smoothing: int = 0
    tangent: bool = True

    @property
    def fine(self) -> int:
        """Samples per texel and axis."""
        return FINE[self.antialias]

"""What an error in metres amounts to on a screen, and where a level of detail may take over.

A length e at distance d spans e h / (2 d tan(fov / 2)) pixels of a screen h pixels high, in the middle of the picture
and across the view. Screen size is the diameter of the bounding sphere as a share of the screen's height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Screen:
    """``height``: pixels. ``fov``: degrees from the lower to the upper border. ``pixels``: error that may be seen."""

    height: int
    fov: float
    pixels: float

    @property
    def _slope(self) -> float:
        return 2 * math.tan(math.radians(self.fov) / 2)

    def distance(self, error: float) -> float:
        """Metres from which on ``error`` (metres) spans at most ``pixels``."""
        return error * self.height / (self.pixels * self._slope)

    def share(self, radius: float, distance: float) -> float:
        """Screen size of a ball of ``radius`` metres that far away; 1 where it fills the height or more."""
        return min(1.0, 2 * radius / max(distance * self._slope, 1e-30))

    def reach(self, radius: float, share: float) -> float:
        """Metres at which the ball has that screen size."""
        return 2 * radius / (share * self._slope)

    def error(self, radius: float, share: float) -> float:
        """Metres that span ``pixels`` when the ball has that screen size."""
        return self.pixels * 2 * radius / (share * self.height)

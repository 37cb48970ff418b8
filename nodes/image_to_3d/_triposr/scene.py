"""A scene: the planes of one picture, asked for density and colour within a stated amount of memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput
from nodes.image_to_3d._triposr.config import Config

Float32 = NDArray[np.float32]
Told = Callable[[float], None]
BESIDES = 256  # bytes per point of places, numbers and results
CPU_CHUNK = 65_536


def bytes_per_point(config: Config) -> int:
    """At most held for each point that the decoder works on at once."""
    return 4 * (3 * 3 * config.features + 3 * config.neurons) + BESIDES


@dataclass(frozen=True)
class Scene:
    """``network``: a TripoSR. ``planes``: (3, F, H, W) on its device. ``budget``: bytes for one call of the decoder."""

    network: Any
    planes: Any
    budget: int

    @property
    def radius(self) -> float:
        return float(self.network.config.radius)

    @property
    def chunk(self) -> int:
        """Most points in one call: what the budget allows, on the CPU few enough to stop soon and to stay quick."""
        fits = max(1, self.budget // bytes_per_point(self.network.config))
        return min(fits, CPU_CHUNK) if self.planes.device.type == "cpu" else fits

    @property
    def workplace(self) -> str:
        """Where the arithmetic around the network is done: MPS lacks some of it."""
        kind = str(self.planes.device.type)
        return kind if kind == "cuda" else "cpu"

    def raw(self, points: Any) -> Any:
        """(P, 4) raw values of (P, 3) points, on the device of ``points``; the decoder's memory counts here."""
        values = self.network.raw(self.planes, points.to(self.planes.device)).to(points.device)
        if not bool(values.isfinite().all()):
            raise BadInput("The network gave values that are not numbers.", "Switch half precision off.")
        return values

    def level(self, threshold: float) -> Callable[[Any], Any]:
        """(P, 3) points to (P,), above zero where the density is above ``threshold``."""
        return lambda points: self.network.level(self.raw(points), threshold)

    def shade(self, points: Any) -> tuple[Any, Any]:
        """(P,) densities and (P, 3) colours of (P, 3) points."""
        from nodes.image_to_3d._triposr.network import colour

        raw = self.raw(points)
        return self.network.density(raw), colour(raw)

    def colours(self, points: Float32, told: Told) -> Float32:
        """(P, 3) float32 sRGB 0..1 of (P, 3) points of the cube. ``told``: called with 0..1 before each call."""
        import torch

        from nodes.image_to_3d._triposr.network import colour

        found = np.empty((len(points), 3), np.float32)
        for first in range(0, len(points), self.chunk):
            told(first / len(points))
            part = torch.from_numpy(np.ascontiguousarray(points[first : first + self.chunk]))
            found[first : first + len(part)] = colour(self.raw(part)).numpy()
        return found


def scene_of(network: Any, picture: Float32, budget: int, told: Told) -> Scene:
    """The scene of an (S, S, 3) picture made ready. ``told``: called with 0..1 before each part of the network."""
    import torch

    with torch.inference_mode():
        return Scene(network, network.planes(torch.from_numpy(picture), told), budget)

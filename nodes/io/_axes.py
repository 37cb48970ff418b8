"""Units and axes of foreign files. Ours: metres, +Y up, right-handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Up = Literal["+Y", "+Z"]
METRES = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001, "inches": 0.0254}


def turned(vectors: NDArray[Any], source: Up, target: Up) -> NDArray[Any]:
    """(N, 3) positions or directions from one up axis to the other: a quarter turn about x, exact."""
    if source == target:
        return vectors
    x, y, z = vectors.T
    return np.column_stack([x, -z, y] if target == "+Z" else [x, z, -y])


@dataclass(frozen=True)
class Frame:
    """``metres``: what one unit of a file is. ``up``: which way is up in it."""

    metres: float
    up: Up

    @property
    def words(self) -> str:
        """What becomes of it here; empty where nothing has to be changed."""
        unit = next((name for name, size in METRES.items() if size == self.metres), f"units of {self.metres:g} m")
        changes = [] if self.metres == 1 else [f"{unit} to metres"]
        changes += [] if self.up == "+Y" else [f"{self.up} up to +Y up"]
        return f"Converted {' and '.join(changes)}." if changes else ""


OURS = Frame(1.0, "+Y")
USUAL = {".stl": Frame(0.001, "+Z")}

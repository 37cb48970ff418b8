"""Units and axes of foreign files. Ours: metres, +Y up, right-handed."""

from __future__ import annotations

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

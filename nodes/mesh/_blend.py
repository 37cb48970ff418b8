"""Values at points inside triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _blend(rows: Array, faces: Array, face: Array, at: Array, out: Array) -> None:
    for i in range(len(face)):
        f, u, v = face[i], at[i, 1], at[i, 2]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        for k in range(rows.shape[1]):
            out[i, k] = rows[a, k] * (1.0 - u - v) + rows[b, k] * u + rows[c, k] * v


def blend(rows: Array, faces: Array, face: Array, at: Array) -> Array:
    """(N, K) float64: ``rows`` (V, K) in the faces ``face`` (N,) of ``faces`` (M, 3).

    ``at``: (N, 3) whose last two are u, v, as the tree's searches return it.
    """
    out = np.empty((len(face), rows.shape[1]))
    kind = rows.dtype if rows.dtype == np.float32 else np.float64
    _blend(np.ascontiguousarray(rows, kind), faces.astype(np.int32, copy=False), face.astype(np.int64), at, out)
    return out

"""What readers of point files share: the raw rows of a cloud, and colours and positions from columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.io._axes import Up

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Rows:
    """``points``: (N, 3) float64 or float32 in the units of the file. ``colours``: (N, 4) float32 0..1.

    ``up``: the axis that is up in files of this kind.
    """

    points: Array
    colours: Array | None = None
    normals: Array | None = None
    up: Up = "+Z"


def stacked(columns: Mapping[str, Any], names: tuple[str, ...], dtype: Any = None) -> Array | None:
    """(N, K) of the columns with these names, or None where one is missing."""
    found = [columns[name] for name in names if name in columns]
    if len(found) < len(names):
        return None
    out = np.empty((len(found[0]), len(names)), dtype or np.result_type(np.float32, *found))
    for k, column in enumerate(found):
        out[:, k] = column
    return out


def as_colours(channels: Array, full: float = 0.0) -> Array:
    """(N, 4) float32 in 0..1 from (N, 1), (N, 3) or (N, 4) numbers.

    ``full``: what stands for 1; 0: 255 or 65535 for whole numbers by their dtype, and by the highest of fractions.
    """
    if not full:
        full = 1.0
        highest = float(np.nanmax(channels)) if channels.size else 0.0
        if channels.dtype.kind in "iu":
            full = 65535.0 if channels.dtype.itemsize > 1 and highest > 255 else 255.0
        elif highest > 1:
            full = 255.0 if highest <= 255 else 65535.0
    out = np.ones((len(channels), 4), np.float32)
    wide = channels if channels.shape[1] >= 3 else np.repeat(channels[:, :1], 3, axis=1)
    np.divide(wide, np.float32(full), out=out[:, : wide.shape[1]], casting="unsafe")
    return np.clip(out, 0, 1, out=out)


def packed_colours(packed: Array) -> Array:
    """(N, 4) float32 from (N,) uint32 of the form 0x00RRGGBB."""
    bits = packed.astype(np.uint32)
    return as_colours(np.stack([(bits >> 16) & 255, (bits >> 8) & 255, bits & 255], axis=1).astype(np.uint8))

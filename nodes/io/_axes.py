"""Units and axes of foreign files. Ours: metres, +Y up, right-handed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Setting

Up = Literal["+Y", "+Z"]
Unit = Literal["metres", "centimetres", "millimetres", "inches"]
UnitSetting = Annotated[Unit, Setting(help="What one unit of the file is; the file says it in a comment.")]
UpSetting = Annotated[Up, Setting(help="Which way is up in the file. Blender and CAD programs stand on +Z.")]
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
HEAD = 4096
_SAID = re.compile(rb"Polyloom, (metres|centimetres|millimetres|inches), (\+[YZ]) up\s")
USUAL = {".stl": Frame(0.001, "+Z")}


def comment_of(frame: Frame) -> str:
    """What an export says of its units and axes, for a comment that :func:`said_in` finds again."""
    unit = next(name for name, size in METRES.items() if size == frame.metres)
    return f"Polyloom, {unit}, {frame.up} up"


def said_in(data: bytes) -> Frame | None:
    """What an earlier export wrote into the head of a file."""
    found = _SAID.search(data[:HEAD])
    return Frame(METRES[found[1].decode()], "+Z" if found[2] == b"+Z" else "+Y") if found else None


def in_frame(mesh: Mesh, frame: Frame) -> Mesh:
    """A mesh of ours in the units and axes of a file."""
    if frame == OURS:
        return mesh
    vertices = (turned(mesh.vertices.astype(np.float64), "+Y", frame.up) / frame.metres).astype(np.float32)
    normals = None if mesh.normals is None else turned(mesh.normals, "+Y", frame.up)
    return replace(mesh, vertices=vertices, normals=normals)

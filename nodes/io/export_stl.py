"""Triangles only, for printers and CAD."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Mesh, Run, SaveFile, Setting, node
from nodes.io._axes import METRES, turned
from nodes.io._textures import UInt8
from nodes.io._written import checked

Unit = Literal["millimetres", "centimetres", "metres", "inches"]
HEADER = b"Polyloom binary STL"


@node("io.export_stl", title="Export STL")
def export_stl(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".stl",), help="Where to write, inside the output folder.")] = Path(
        "asset.stl"
    ),
    unit: Annotated[Unit, Setting(help="STL has no units; slicers take the numbers as millimetres.")] = "millimetres",
    up: Annotated[Literal["+Z", "+Y"], Setting(help="Which way is up in the file; printers expect +Z.")] = "+Z",
) -> Files:
    """Write a binary STL for 3D printing: shape only, no UVs, colours or materials.

    By default in millimetres with +Z up, which is what slicers expect.
    """
    mesh = checked(mesh)
    run.progress(0.1, "geometry")
    corners = turned(mesh.vertices.astype(np.float64) / METRES[unit], "+Y", up).astype(np.float32)[mesh.faces]
    return Files((path.as_posix(),), (stl_bytes(corners),), shows=mesh)


def stl_bytes(corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> UInt8:
    """Binary STL of (M, 3, 3) float32 triangles with face normals by the right-hand rule, (size,) uint8."""
    layout = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    rows = np.zeros(len(corners), layout)
    rows["corners"] = corners
    with np.errstate(all="ignore"):
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    rows["normal"] = np.nan_to_num(normal, copy=False)
    head = HEADER.ljust(80, b"\0") + np.uint32(len(corners)).tobytes()
    return np.concatenate([np.frombuffer(head, np.uint8), rows.view(np.uint8)])

"""Triangles only, for printers and CAD."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Mesh, Run, SaveFile, Setting, node
from app.engine.payloads import Float32, Int32
from nodes.io._axes import METRES, turned
from nodes.io._credits import CreditsFile, copyright_of, with_credits
from nodes.io._left_out import say_left_out
from nodes.io._textures import UInt8
from nodes.io._written import checked

Unit = Literal["millimetres", "centimetres", "metres", "inches"]
WHITE = (1.0, 1.0, 1.0, 1.0)
HEADER, SIZE = b"Polyloom binary STL", 80


@node("io.export_stl", title="Export STL", group="Export", credits=True)
def export_stl(
    run: Run,
    mesh: Mesh,
    path: Annotated[Path, SaveFile(suffixes=(".stl",), help="Where to write, inside the output folder.")] = Path(
        "asset.stl"
    ),
    unit: Annotated[Unit, Setting(help="STL has no units; slicers take the numbers as millimetres.")] = "millimetres",
    up: Annotated[Literal["+Z", "+Y"], Setting(help="Which way is up in the file; printers expect +Z.")] = "+Z",
    credits_file: CreditsFile = False,
) -> Files:
    """Write a binary STL for 3D printing: shape only, no UVs, colours or materials.

    By default in millimetres with +Z up, which is what slicers expect. The file's header has 80 letters, for as much of
    the credits as fits; a longer list is written beside it as name.credits.txt.
    """
    mesh = checked(mesh)
    run.progress(0.1, "geometry")
    points = turned(mesh.vertices.astype(np.float64) / METRES[unit], "+Y", up).astype(np.float32)
    say_left_out(run.warn, [mesh.material], "STL", kept=(), also=_colours(mesh))
    said = copyright_of(run)
    data = stl_bytes(points, mesh.faces, _header(said))
    files = Files((path.as_posix(),), (data,), shows=mesh)
    return with_credits(run, files, credits_file, always=len(_header(said)) > SIZE)


def _colours(mesh: Mesh) -> list[str]:
    """What shows colour without a picture."""
    painted = ["vertex colours"] if mesh.colours is not None else []
    return painted if mesh.material is None or mesh.material.base_factor == WHITE else [*painted, "base colour"]


def _header(said: str) -> bytes:
    return HEADER + (f"; {said}".encode("ascii", "replace") if said else b"")


def stl_bytes(points: Float32, faces: Int32, header: bytes = HEADER) -> UInt8:
    """Binary STL of (N, 3) float32 points and (M, 3) faces, with normals by the right-hand rule, (size,) uint8.

    ``header``: any bytes that do not begin with "solid"; the first 80 count.
    """
    layout = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    rows = np.zeros(len(faces), layout)
    rows["corners"] = points[faces]
    a, b, c = (points.T[:, faces[:, k]] for k in range(3))
    with np.errstate(all="ignore"):
        (ux, uy, uz), (vx, vy, vz) = b - a, c - a
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = np.sqrt(x * x + y * y + z * z)
        length[~(np.isfinite(length) & (length > 0))] = np.inf
        for k, part in enumerate((x, y, z)):
            rows["normal"][:, k] = np.nan_to_num(part / length, copy=False)
    head = header[:SIZE].ljust(SIZE, b"\0") + np.uint32(len(faces)).tobytes()
    return np.concatenate([np.frombuffer(head, np.uint8), rows.view(np.uint8)])

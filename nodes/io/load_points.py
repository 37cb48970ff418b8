"""Read a point cloud into metres, +Y up, or say in words why it cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Isolated, OpenFile, PointCloud, Run, Setting, node
from nodes.io._axes import METRES, Frame, said_in, turned
from nodes.io._cloud_parts import Rows
from nodes.io._content import content_of
from nodes.io._read_las import read_las
from nodes.io._read_npz import read_npy, read_npz
from nodes.io._read_pcd import read_pcd
from nodes.io._read_ply_points import read_ply_points
from nodes.io._read_text_points import read_text_points
from nodes.io._stated import Author, Licence, Source, beside, credit_file

Array = NDArray[Any]
READERS: dict[str, Callable[[bytes], Rows]] = {
    ".ply": read_ply_points,
    ".pcd": read_pcd,
    ".xyz": read_text_points,
    ".pts": read_text_points,
    ".asc": read_text_points,
    ".csv": read_text_points,
    ".txt": read_text_points,
    ".las": read_las,
    ".npz": read_npz,
    ".npy": read_npy,
}
Units = Literal["auto", "metres", "centimetres", "millimetres", "inches"]
READABLE = "Choose a PLY, PCD, XYZ, PTS, ASC, CSV, TXT, LAS, NPZ or NPY file."
MAX_BYTES = 8_000_000_000
FAR = 1000.0


@node("io.load_points", title="Load points", group="Load", isolated=Isolated(limit_s=300))
def load_points(
    run: Run,
    path: Annotated[
        Path, OpenFile(suffixes=tuple(READERS), companions=beside, usual=False, help="The points to read.")
    ] = Path(),
    units: Annotated[Units, Setting(help="What one unit of the file is. Auto: as it says, or metres.")] = "auto",
    up: Annotated[
        Literal["auto", "+Y", "+Z"],
        Setting(help="Which way is up in the file. Auto: as it says, +Y for PLY, +Z for the rest."),
    ] = "auto",
    near: Annotated[
        bool,
        Setting(
            label="Bring near", help="Move surveyed places, far from the origin, near it, so that none is rounded."
        ),
    ] = True,
    licence: Licence = "",
    author: Author = "",
    source: Source = "",
) -> PointCloud:
    """Read a point cloud: PLY, PCD, XYZ, PTS, CSV and other text, LAS, or the NPZ of Point-E.

    The result is in metres with +Y up; what was converted is said on the node. Colours, normals, or intensity as grey
    come along where the file has them.
    """
    data = content_of(path, READERS, "point", READABLE, MAX_BYTES, "Thin it in the program that made it.")
    credit_file(run, path, licence, author, source)
    run.progress(0.1, "reading")
    try:
        rows = READERS[path.suffix.lower()](data)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadFile(f"{path.name} is damaged: {error}.", "Copy or export the file again.") from error
    said = said_in(data)
    del data
    run.progress(0.6, "checking")
    rows = _finite(rows, run)
    if not len(rows.points):
        raise BadFile(f"{path.name} has no points.", READABLE)
    run.progress(0.8, "placing")
    found = said or Frame(1.0, rows.up)
    frame = Frame(found.metres if units == "auto" else METRES[units], found.up if up == "auto" else up)
    if frame.words:
        run.warn(frame.words)
    return _placed(rows, frame, near, run)


def _finite(rows: Rows, run: Run) -> Rows:
    """Without points that have no place; scanners write NaN where they saw nothing."""
    good = np.asarray(np.isfinite(rows.points).all(axis=1))
    colours, normals = rows.colours, rows.normals
    if colours is not None:
        colours = np.nan_to_num(colours, nan=1.0)
    if normals is not None:
        normals = np.nan_to_num(normals, posinf=0.0, neginf=0.0).astype(np.float32)
    if good.all():
        return replace(rows, colours=colours, normals=normals)
    run.warn(f"{int((~good).sum()):,} of {len(good):,} points have no place (NaN) and are left out.")
    return replace(
        rows,
        points=rows.points[good],
        colours=None if colours is None else colours[good],
        normals=None if normals is None else normals[good],
    )


def _placed(rows: Rows, frame: Frame, near: bool, run: Run) -> PointCloud:
    points = rows.points
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    far = float(np.abs([low, high]).max())
    if near and far * frame.metres > FAR and far > 100 * float((high - low).max()):
        origin = np.round((low + high) / 2)
        points = points - origin
        x, y, z = origin
        run.warn(f"The points lay far away; ({x:,.0f}, {y:,.0f}, {z:,.0f}) of the file is the origin now.")
    if frame.metres != 1.0:
        points = points.astype(np.float64) * frame.metres
    points = turned(points, frame.up, "+Y")
    normals = None if rows.normals is None else turned(rows.normals, frame.up, "+Y")
    return PointCloud(
        np.ascontiguousarray(points, np.float32),
        rows.colours,
        None if normals is None else np.ascontiguousarray(normals, np.float32),
    )

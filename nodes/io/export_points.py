"""Write a point cloud for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Files, PointCloud, Run, SaveFile, Setting, node
from nodes.io._axes import METRES, Frame, UnitSetting, UpSetting, comment_of, turned
from nodes.io._credits import CreditsFile, comments, with_credits
from nodes.io._textures import to_bytes

Array = NDArray[Any]
UInt8 = NDArray[np.uint8]
SUFFIXES = (".ply", ".pcd", ".xyz", ".npz")


@node("io.export_points", title="Export points", group="Export", credits=True)
def export_points(
    run: Run,
    cloud: PointCloud,
    path: Annotated[
        Path, SaveFile(suffixes=SUFFIXES, help="Where to write, inside the output folder; its ending says which kind.")
    ] = Path("points.ply"),
    colours: Annotated[bool, Setting(help="Where the cloud has them.")] = True,
    normals: Annotated[bool, Setting(help="Where the cloud has them.")] = True,
    unit: UnitSetting = "metres",
    up: UpSetting = "+Y",
    credits_file: CreditsFile = False,
) -> Files:
    """Write points: binary PLY or PCD, text as XYZ, or NPZ for numpy.

    Positions keep every bit, in text too; colours are written in 8 bits, in NPZ as they are. Credits are
    comments in the head; NPZ has no place for them and gets name.credits.txt.
    """
    run.progress(0.0, "checking")
    if not len(cloud.points):
        raise BadInput("The cloud has no points.", "Check the step before this one.")
    bad = int((~np.isfinite(cloud.points).all(axis=1)).sum())
    if bad:
        raise BadInput(f"{bad:,} points have no valid position (NaN).", "Put a Clean points step before this one.")
    points = turned(cloud.points, "+Y", up)
    if METRES[unit] != 1.0:
        points = points.astype(np.float64) / METRES[unit]
    written = PointCloud(
        np.ascontiguousarray(points, np.float32),
        cloud.colours if colours else None,
        np.ascontiguousarray(turned(cloud.normals, "+Y", up)) if normals and cloud.normals is not None else None,
    )
    run.progress(0.3, "writing")
    note = comment_of(Frame(METRES[unit], up))
    suffix = path.suffix.lower()
    said = comments(run, "comment " if suffix == ".ply" else "# ")
    files = Files((path.as_posix(),), (content(written, suffix, note, said),), shows=cloud)
    return with_credits(run, files, credits_file, always=suffix == ".npz")


def content(cloud: PointCloud, suffix: str, note: str, said: str = "") -> UInt8:
    """(size,) uint8, a file of the kind that ``suffix`` names. ``note``: a comment in it. ``said``: more of them."""
    if suffix == ".ply":
        return _ply(cloud, note, said)
    if suffix == ".pcd":
        return _pcd(cloud, note, said)
    return _npz(cloud, note) if suffix == ".npz" else _text(cloud, note, said)


def _rows(cloud: PointCloud, colour: list[tuple[str, str]], normal: tuple[str, ...]) -> Array:
    """(N,) records of x, y, z, then normals, then colour fields left to be filled."""
    fields = [(name, "<f4") for name in ("x", "y", "z", *(normal if cloud.normals is not None else ()))]
    rows = np.empty(len(cloud.points), np.dtype(fields + (colour if cloud.colours is not None else [])))
    for k in range(3):
        rows["xyz"[k]] = cloud.points[:, k]
        if cloud.normals is not None:
            rows[normal[k]] = cloud.normals[:, k]
    return rows


def _ply(cloud: PointCloud, note: str, said: str) -> UInt8:
    channels = ("red", "green", "blue", "alpha")
    rows = _rows(cloud, [(name, "u1") for name in channels], ("nx", "ny", "nz"))
    if cloud.colours is not None:
        for k, name in enumerate(channels):
            rows[name] = to_bytes(cloud.colours[:, k])
    kinds = {"<f4": "float", "|u1": "uchar"}
    properties = "".join(f"property {kinds[rows.dtype[n].str]} {n}\n" for n in rows.dtype.names or ())
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment {note}\n{said}"
        f"element vertex {len(rows)}\n{properties}end_header\n"
    )
    return np.concatenate([np.frombuffer(header.encode(), np.uint8), rows.view(np.uint8)])


def _pcd(cloud: PointCloud, note: str, said: str) -> UInt8:
    rows = _rows(cloud, [("rgb", "<u4")], ("normal_x", "normal_y", "normal_z"))
    names = rows.dtype.names or ()
    if cloud.colours is not None:
        red, green, blue = (to_bytes(cloud.colours[:, k]).astype(np.uint32) for k in range(3))
        rows["rgb"] = red << 16 | green << 8 | blue
    header = (
        f"# .PCD v0.7 - {note}\n{said}VERSION 0.7\nFIELDS {' '.join(names)}\nSIZE {' '.join('4' for _ in names)}\n"
        f"TYPE {' '.join('U' if n == 'rgb' else 'F' for n in names)}\nCOUNT {' '.join('1' for _ in names)}\n"
        f"WIDTH {len(rows)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\nDATA binary\n"
    )
    return np.concatenate([np.frombuffer(header.encode(), np.uint8), rows.view(np.uint8)])


def _text(cloud: PointCloud, note: str, said: str) -> UInt8:
    """Numbers in the fewest digits that name each float32 exactly; colours as 0 to 255."""
    from nodes.io._text_loops import number_lines

    columns, names = [cloud.points], "x y z"
    if cloud.colours is not None:
        columns.append(to_bytes(cloud.colours[:, :3]).astype(np.float32))
        names += " red green blue"
    if cloud.normals is not None:
        columns.append(cloud.normals)
        names += " nx ny nz"
    lines = number_lines(np.zeros(0, np.uint8), np.ascontiguousarray(np.concatenate(columns, axis=1)))
    first = np.empty(len(lines), bool)
    first[0], first[1:] = True, lines[:-1] == ord("\n")
    head = f"# {note}\n{said}# {names}\n"
    return np.concatenate([np.frombuffer(head.encode(), np.uint8), lines[~first]])


def _npz(cloud: PointCloud, note: str) -> UInt8:
    import io
    import zipfile

    out = io.BytesIO()
    said = np.frombuffer(f"{note}\n".encode(), np.uint8)
    arrays: dict[str, Array | None] = {
        "note": said,
        "points": cloud.points,
        "colors": cloud.colours,
        "normals": cloud.normals,
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for name, array in arrays.items():
            if array is not None:
                part = io.BytesIO()
                np.lib.format.write_array(part, array, allow_pickle=False)
                pack.writestr(zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)), part.getvalue())
    return np.frombuffer(out.getvalue(), np.uint8)

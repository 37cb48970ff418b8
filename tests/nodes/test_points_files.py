"""Point files: every kind comes back as it went, and foreign ones are read as their makers meant them."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import write

from app.engine import BadFile, BadInput, PointCloud, Run
from nodes.io.export_points import SUFFIXES, export_points
from nodes.io.load_points import load_points

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "point_e"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real inputs is not beside this checkout")


def cloud(count: int = 500, colours: bool = True, normals: bool = True) -> PointCloud:
    """Random places of every size, colours that 8 bits hold, unit normals."""
    random = np.random.default_rng(5)
    at = (random.normal(size=(count, 3)) * 10.0 ** random.integers(-6, 3, (count, 1))).astype(np.float32)
    paint = random.integers(0, 256, (count, 4)).astype(np.float32) / np.float32(255)
    paint[:, 3] = 1
    way = random.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return PointCloud(at, paint if colours else None, way.astype(np.float32) if normals else None)


def load(folder: Path, name: str, data: bytes, **more: object) -> tuple[PointCloud, list[str]]:
    (folder / name).write_bytes(data)
    run = Run()
    return load_points(run, folder / name, **more), run.notes  # type: ignore[arg-type]


def same(one: PointCloud, other: PointCloud) -> None:
    for name in ("points", "colours", "normals"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None and b is None) or np.array_equal(a, b), name


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("with_", [(True, True), (True, False), (False, True), (False, False)])
def test_every_kind_comes_back_bit_for_bit(tmp_path: Path, suffix: str, with_: tuple[bool, bool]) -> None:
    made = cloud(500, *with_)
    path = write(export_points(Run(), made, Path(f"a{suffix}")), tmp_path)
    run = Run()
    same(load_points(run, path), made)
    assert not run.notes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_units_and_axes_come_back_too_and_are_visible_in_the_file(tmp_path: Path, suffix: str) -> None:
    made = cloud(50)
    path = write(export_points(Run(), made, Path(f"a{suffix}"), unit="millimetres", up="+Z"), tmp_path)
    back = load_points(Run(), path)
    assert np.allclose(back.points, made.points, rtol=3e-7) and np.array_equal(back.normals, made.normals)
    assert b"Polyloom, millimetres, +Z up" in path.read_bytes()
    raw = load_points(Run(), path, units="metres", up="+Y")
    x, y, z = (1000 * made.points.astype(np.float64)).T
    assert np.allclose(raw.points, np.stack([x, -z, y], axis=1), rtol=3e-7)


def test_an_independent_reader_sees_the_same(tmp_path: Path) -> None:
    made = cloud()
    other = trimesh.load(write(export_points(Run(), made, Path("a.ply")), tmp_path), process=False)
    assert np.array_equal(np.asarray(other.vertices, np.float32), made.points)
    assert np.array_equal(other.colors, np.rint(made.colours * 255))
    table = np.loadtxt(write(export_points(Run(), made, Path("a.xyz")), tmp_path))
    assert np.array_equal(table[:, :3].astype(np.float32), made.points)


def test_columns_of_text_are_told_apart(tmp_path: Path) -> None:
    rows = {
        "a.xyz": b"0 0 1\n1 0 2\n",
        "b.xyz": b"0 0 1 255 0 0\n1 0 2 0 255 0\n",
        "c.xyz": b"0 0 1 0 0 1\n1 0 2 0 1 0\n",
        "d.pts": b"2\n0 0 1 -900 255 0 0\n1 0 2 100 0 255 0\n",
        "e.csv": b"x;y;z;intensity\n0;0;1;5\n1;0;2;9\n",
        "f.csv": b'"X","Y","Z","R","G","B"\r\n0,0,1,255,0,0\r\n1,0,2,0,255,0\r\n',
        "g.txt": b"// x y z nx ny nz red green blue\n0 0 1 0 0 1 255 0 0\n1 0 2 0 1 0 0 255 0\n",
        "h.asc": b"\n# made by hand\n0\t0\t1\t1\t0\t0\t0\t0\t1\n1\t0\t2\t0\t1\t0\t0\t1\t0\n",
    }
    red_green = [[1, 0, 0, 1], [0, 1, 0, 1]]
    got = {name: load(tmp_path, name, text)[0] for name, text in rows.items()}
    for name, found in got.items():
        assert np.array_equal(found.points, [[0, 1, 0], [1, 2, 0]]), name
    assert got["a.xyz"].colours is got["a.xyz"].normals is None
    for name in ("b.xyz", "d.pts", "f.csv", "g.txt"):
        assert np.array_equal(got[name].colours, red_green), name
    for name in ("g.txt", "h.asc"):
        assert np.array_equal(got[name].normals, [[0, 1, 0], [0, 0, -1]]), name
    assert np.array_equal(got["c.xyz"].normals, [[0, 1, 0], [0, 0, -1]]) and got["c.xyz"].colours is None
    assert np.array_equal(got["e.csv"].colours, [[0, 0, 0, 1], [1, 1, 1, 1]])


PCD = (
    "# .PCD v.7\nVERSION .7\nFIELDS x y z rgb _ normal_x normal_y normal_z\nSIZE 4 4 4 4 1 4 4 4\n"
    "TYPE F F F F U F F F\nCOUNT 1 1 1 1 3 1 1 1\nWIDTH 2\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 2\nDATA "
)
PCD_KIND = np.dtype([("at", "<f4", 3), ("rgb", "<u4"), ("_", "u1", 3), ("n", "<f4", 3)])


def pcd_rows() -> np.ndarray:
    rows = np.zeros(2, PCD_KIND)
    rows["at"], rows["n"] = [[0, 0, 1], [1, 0, 2]], [[0, 0, 1], [0, 1, 0]]
    rows["rgb"] = 0xFF0000, 0x00FF00
    return rows


def lzf_plain(data: bytes) -> bytes:
    """As LZF: a run of plain bytes for every 32, and a copy for what repeats the byte before it."""
    out, at = b"", 0
    while at < len(data):
        run = 0
        while at > 0 and run < 200 and at + run < len(data) and data[at + run] == data[at - 1]:
            run += 1
        if run > 8:
            out += bytes([7 << 5, run - 9, 0])
            at += run
            continue
        piece = data[at : at + 32]
        stop = next((k for k in range(1, len(piece)) if len(set(data[at + k - 1 : at + k + 9])) == 1), len(piece))
        out += bytes([len(piece[:stop]) - 1]) + piece[:stop]
        at += stop
    return out


@pytest.mark.parametrize("how", ["ascii", "binary", "binary_compressed"])
def test_pcd_of_every_kind(tmp_path: Path, how: str) -> None:
    rows = pcd_rows()
    body = rows.tobytes()
    if how == "ascii":
        rgb = rows["rgb"].view("<f4")
        lines = [
            f"{a[0]} {a[1]} {a[2]} {c:.9g} 7 7 7 {n[0]} {n[1]} {n[2]}"
            for a, c, n in zip(rows["at"], rgb, rows["n"], strict=True)
        ]
        body = "\n".join(lines).encode()
    if how == "binary_compressed":
        flat = b"".join(
            rows[n][:, k].tobytes() if n != "rgb" else rows[n].tobytes()
            for n, ks in (("at", 3), ("rgb", 1))
            for k in range(ks)
        )
        flat += rows["_"].tobytes() + b"".join(rows["n"][:, k].tobytes() for k in range(3))
        packed = lzf_plain(flat)
        body = struct.pack("<II", len(packed), len(flat)) + packed
    found, _ = load(tmp_path, "a.pcd", (PCD + how + "\n").encode() + body)
    assert np.array_equal(found.points, [[0, 1, 0], [1, 2, 0]])
    assert np.array_equal(found.colours, [[1, 0, 0, 1], [0, 1, 0, 1]])
    assert np.array_equal(found.normals, [[0, 1, 0], [0, 0, -1]])


def las(kind: int, length: int, colour_at: int) -> bytes:
    """Two points of LAS 1.2, in centimetres about (500000, 4000000, 100)."""
    head = bytearray(227)
    head[:4], head[24:26] = b"LASF", bytes([1, 2])
    struct.pack_into("<HIIBHI", head, 94, 227, 227, 0, kind, length, 2)
    struct.pack_into("<6d", head, 131, 0.01, 0.01, 0.01, 500_000, 4_000_000, 100)
    rows = bytearray(2 * length)
    for k, (place, colour) in enumerate((((0, 0, 0), (65535, 0, 0)), ((123, 456, 789), (0, 65535, 0)))):
        struct.pack_into("<3i", rows, k * length, *place)
        struct.pack_into("<3H", rows, k * length + colour_at, *colour)
    return bytes(head + rows)


@pytest.mark.parametrize(("kind", "length", "colour_at"), [(2, 26, 20), (3, 36, 28), (7, 36, 30)])
def test_las_is_brought_near_without_rounding(tmp_path: Path, kind: int, length: int, colour_at: int) -> None:
    found, notes = load(tmp_path, "a.las", las(kind, length, colour_at))
    step = found.points[1].astype(np.float64) - found.points[0]
    assert np.allclose(step, [1.23, 7.89, -4.56], atol=1e-6)
    assert np.array_equal(found.colours, [[1, 0, 0, 1], [0, 1, 0, 1]])
    assert notes[0] == "Converted +Z up to +Y up." and "(500,001, 4,000,002, 104)" in notes[1]
    whole, notes = load(tmp_path, "a.las", las(kind, length, colour_at), near=False)
    assert whole.points[0, 0] == 500_000 and len(notes) == 1
    with pytest.raises(BadFile, match="LAZ"):
        load(tmp_path, "a.las", las(kind | 0x80, length, colour_at))


def test_splats_intensities_and_meshes_give_their_points(tmp_path: Path) -> None:
    head = b"ply\nformat ascii 1.0\nelement vertex 2\nproperty double x\nproperty double y\nproperty double z\n"
    splat = b"property float f_dc_0\nproperty float f_dc_1\nproperty float f_dc_2\nend_header\n"
    found, _ = load(tmp_path, "a.ply", head + splat + b"0 0 1 9 -9 0\n1 0 2 0 0 0\n")
    assert np.array_equal(found.colours, np.float32([[1, 0, 0.5, 1], [0.5, 0.5, 0.5, 1]]))
    grey = b"property uchar intensity\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    found, _ = load(tmp_path, "a.ply", head + grey + b"0 0 1 255\n1 0 2 0\n3 0 1 0\n")
    assert np.array_equal(found.colours, [[1, 1, 1, 1], [0, 0, 0, 1]])
    assert np.array_equal(found.points, [[0, 0, 1], [1, 0, 2]])


def test_numpy_files_of_other_names(tmp_path: Path) -> None:
    at = np.float64([[0, 0, 1], [1, 0, 2]])
    pack = io.BytesIO()
    np.savez_compressed(pack, xyz=at, rgb=np.uint8([[255, 0, 0], [0, 255, 0]]), other=np.zeros(9))
    found, _ = load(tmp_path, "a.npz", pack.getvalue())
    assert np.array_equal(found.colours, [[1, 0, 0, 1], [0, 1, 0, 1]])
    table = io.BytesIO()
    np.save(table, np.c_[at, [[0, 0, 1], [0, 1, 0]]])
    found, _ = load(tmp_path, "a.npy", table.getvalue(), up="+Y")
    assert np.array_equal(found.points, at) and np.array_equal(found.normals, [[0, 0, 1], [0, 1, 0]])
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(BadFile):
        load(tmp_path, "b.npy", objects.getvalue())


def test_points_without_a_place_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    found, notes = load(tmp_path, "a.xyz", b"0 0 1 255 0 0\nnan nan nan 0 0 0\n1 0 2 0 255 0\n")
    assert len(found.points) == 2 and "1 of 3 points" in notes[0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xyz", b"1 2\n3 4\n"),
        ("a.xyz", b"1 2 3\n4 5\n"),
        ("a.xyz", b"hello\nworld\n"),
        ("a.xyz", b"1 2 3\n4 five 6\n"),
        ("a.csv", b"\n\n"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 9\nproperty float x\nend_header\n"),
        ("a.pcd", b"VERSION .7\n"),
        ("a.pcd", PCD.encode() + b"binary\n123"),
        ("a.pcd", PCD.encode() + b"binary_compressed\n" + struct.pack("<II", 4, 86) + b"\xff\xff\xff\xff"),
        ("a.pcd", PCD.replace("POINTS 2", "POINTS 99999999999999").encode() + b"binary\n123"),
        ("a.las", las(2, 26, 20)[:-5]),
        ("a.npz", b"PK\3\4 nothing"),
        ("a.npy", b"\x93NUMPY\1\0"),
        ("a.obj", b"v 0 0 0\n"),
    ],
)
def test_damaged_files_are_refused_in_words(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(BadFile) as caught:
        load(tmp_path, name, data)
    assert caught.value.message and caught.value.advice


def test_clouds_that_cannot_be_written_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="no points"):
        export_points(Run(), PointCloud(np.zeros((0, 3), np.float32)))
    with pytest.raises(BadInput, match="NaN"):
        export_points(Run(), replace(cloud(3), points=np.full((3, 3), np.nan, np.float32)))


@real
def test_real_point_e_clouds_stand_upright_in_colour() -> None:
    for name in ("pc_corgi.npz", "pc_cube_stack.npz"):
        found = load_points(Run(), DATA / name)
        arrays = np.load(DATA / name)
        x, y, z = arrays["coords"].T
        assert np.array_equal(found.points, np.stack([x, z, -y], axis=1))
        assert np.array_equal(found.colours[:, 0], arrays["R"])
    assert len(load_points(Run(), DATA / "corgi.ply").points) == 1585

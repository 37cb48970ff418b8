import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import coloured, load, refused, solid, textured, tiny, write

from app.engine import BadFile, EngineError, Run
from nodes.io._numbers import _fast
from nodes.io._polygons import triangulated
from nodes.io.export_glb import export_glb
from nodes.io.export_obj import export_obj
from nodes.io.export_ply import export_ply
from nodes.io.export_stl import export_stl
from nodes.io.load_mesh import load_mesh
from nodes.io.load_scene import load_scene
from nodes.mesh._tables import number
from nodes.mesh._topology import Weld, weld_bits

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
CUBE_OFF = """OFF # a cube
8 6 12
-1 -1 1
1 -1 1
1 1 1
-1 1 1
-1 -1 -1
1 -1 -1
1 1 -1
-1 1 -1
4 0 1 2 3
4 5 4 7 6 255 0 0
4 4 0 3 7 0.5 0.5 0.5
4 1 5 6 2
4 3 2 6 7
4 4 5 1 0
"""
TRIANGLE_STL = """solid a name with facet in it
 facet normal 0 0 1
  outer loop
   vertex 0 0 0
   vertex 1e0 0 0
   VERTEX 0 1 0
  endloop
 endfacet
endsolid
"""


class TestOff:
    def test_polygons_comments_and_colours(self, tmp_path):
        mesh, notes = load(tmp_path, "cube.off", CUBE_OFF)
        assert len(mesh.vertices) == 8 and len(mesh.faces) == 12 and not notes
        assert solid(mesh).is_watertight and solid(mesh).volume == pytest.approx(8)

    def test_counts_on_the_first_line_and_vertex_colours(self, tmp_path):
        text = "COFF 3 1 0\n0 0 0 255 0 0 255\n1 0 0 0 255 0 255\n0 1 0 0 0 255 51\n3 0 1 2\n"
        mesh, _ = load(tmp_path, "a.off", text)
        np.testing.assert_allclose(mesh.colours, [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0.2]])

    def test_normals(self, tmp_path):
        mesh, _ = load(tmp_path, "a.off", "NOFF\n3 1 0\n0 0 0 0 0 1\n1 0 0 0 0 1\n0 1 0 0 0 1\n3 0 1 2\n")
        np.testing.assert_array_equal(mesh.normals, [[0, 0, 1]] * 3)

    @pytest.mark.parametrize(
        "text",
        [
            "OFF",
            "OFF\n",
            "OFF\n-3 1 0\n",
            "OFF\n999999999999 1 0\n0 0 0\n",
            CUBE_OFF[:80],
            CUBE_OFF[:-12],
            CUBE_OFF.replace("4 0 1 2 3", "4 0 1 2 8"),
            CUBE_OFF.replace("4 0 1 2 3", "-4 0 1 2 3"),
            CUBE_OFF.replace("1 -1 1", "1 x 1"),
            CUBE_OFF.replace("4 0 1 2 3", "4 0 1 x 3"),
            "OFF BINARY\n8 6 0\n",
            "hello",
        ],
    )
    def test_damage_is_refused(self, tmp_path, text):
        refused(tmp_path, "a.off", text)


class TestStl:
    def test_text(self, tmp_path):
        mesh, _ = load(tmp_path, "a.stl", TRIANGLE_STL, units="metres", up="+Y")
        np.testing.assert_array_equal(mesh.vertices[mesh.faces[0]], [[0, 0, 0], [1, 0, 0], [0, 1, 0]])

    def test_a_binary_file_that_begins_like_text(self, tmp_path):
        data = export_stl(Run(), tiny(), unit="metres", up="+Y").contents[0].tobytes()
        mesh, _ = load(tmp_path, "a.stl", b"solid facet" + data[11:], units="metres", up="+Y")
        np.testing.assert_array_equal(mesh.vertices[mesh.faces[0]], tiny().vertices)

    def test_bytes_after_the_triangles_are_passed_over(self, tmp_path):
        data = export_stl(Run(), tiny()).contents[0].tobytes()
        assert len(load(tmp_path, "a.stl", data + b"more")[0].faces) == 1

    @pytest.mark.parametrize("cut", [3, 60, 83, 84, 100, 133])
    def test_cut_short(self, tmp_path, cut):
        data = export_stl(Run(), tiny()).contents[0].tobytes()
        assert "cut short" in refused(tmp_path, "a.stl", data[:cut])

    def test_an_absurd_count(self, tmp_path):
        assert "4,294,967,295" in refused(tmp_path, "a.stl", b"x" * 80 + b"\xff" * 4 + bytes(500))

    def test_damaged_text(self, tmp_path):
        refused(tmp_path, "a.stl", TRIANGLE_STL.replace("1e0", "one"))
        refused(tmp_path, "a.stl", TRIANGLE_STL.replace("   VERTEX 0 1 0\n", ""))
        assert "no faces" in refused(tmp_path, "a.stl", "solid empty\nendsolid empty, without a facet\n")


class TestNode:
    def test_units_and_axes(self, tmp_path):
        text = "v 0 0 0\nv 1 0 0\nv 0 2 3\nvn 0 0 1\nf 1//1 2//1 3//1\n"
        mesh, _ = load(tmp_path, "a.obj", text, units="centimetres", up="+Z")
        np.testing.assert_allclose(mesh.vertices, [[0, 0, 0], [0.01, 0, 0], [0, 0.03, -0.02]], rtol=1e-6)
        np.testing.assert_array_equal(mesh.normals, [[0, 1, 0]] * 3)
        mesh, _ = load(tmp_path, "a.obj", text)
        np.testing.assert_array_equal(mesh.vertices, [[0, 0, 0], [1, 0, 0], [0, 2, 3]])
        assert mesh.name == "a"

    def test_merging_joins_what_is_the_same_in_every_way(self, tmp_path):
        text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3\nf 5 4 6\n"
        assert len(load(tmp_path, "a.obj", text)[0].vertices) == 4
        assert len(load(tmp_path, "a.obj", text, merge=False)[0].vertices) == 6

    def test_vertices_that_are_not_numbers(self, tmp_path):
        text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 0\nv 1 1 inf\nf 1 2 3\nf 1 2 4\n"
        assert "2 of 5 vertices" in refused(tmp_path, "a.obj", text)
        mesh, notes = load(tmp_path, "a.obj", text, drop_bad=True)
        assert len(mesh.faces) == 1 and len(mesh.vertices) == 3 and "2 of 5 vertices" in notes[0]
        assert "no faces" in refused(tmp_path, "a.obj", "v nan 0 0\nv 0 0 0\nv 0 1 0\nf 1 2 3\n", drop_bad=True)

    def test_numbers_beyond_float32_are_not_numbers_either(self, tmp_path):
        assert "1 of 3" in refused(tmp_path, "a.obj", "v 1e300 0 0\nv 0 0 0\nv 0 1 0\nf 1 2 3\n")

    def test_uvs_that_are_not_numbers_become_zero(self, tmp_path):
        text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt nan 0.5\nvt 1 inf\nvt 0.25 0.75\nf 1/1 2/2 3/3\n"
        mesh, notes = load(tmp_path, "a.obj", text)
        np.testing.assert_array_equal(mesh.uv, [[0, 0.5], [1, 0], [0.25, 0.75]])
        assert "uv" in notes[0]

    def test_an_odd_size_is_remarked(self, tmp_path):
        text = "v 0 0 0\nv 5000 0 0\nv 0 1 0\nf 1 2 3\n"
        assert "5,000 m" in load(tmp_path, "a.obj", text)[1][0]
        assert load(tmp_path, "a.obj", text, units="millimetres")[1] == ["Converted millimetres to metres."]

    @pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".glb", ".gltf", ".off"])
    @pytest.mark.parametrize("content", [b"", bytes(1000), b"\n", b"hello\n", b"\x89PNG\r\n\x1a\n" + bytes(200)])
    def test_what_is_no_mesh_is_refused(self, tmp_path, suffix, content):
        refused(tmp_path, "a" + suffix, content)

    def test_missing_files_folders_and_foreign_kinds(self, tmp_path):
        (tmp_path / "folder.obj").mkdir()
        for path in (Path(), tmp_path / "absent.obj", tmp_path / "folder.obj", tmp_path / "a.fbx"):
            with pytest.raises(BadFile) as error:
                load_mesh(Run(), path)
            assert error.value.advice

    def test_capital_suffixes(self, tmp_path):
        assert len(load(tmp_path, "A.OFF", CUBE_OFF)[0].faces) == 12


class TestNumbers:
    def test_the_fast_way_reads_what_the_slow_way_reads(self):
        rng = np.random.default_rng(0)
        values = rng.normal(size=5000) * 10.0 ** rng.integers(-5, 8, 5000)
        forms = [f"{v:.6f} {v:.9g} {v:.12e} {-v:+.3f} {int(v % 1e9)}. .5 -.25E+2 007" for v in values]
        text = "\n ".join(forms).encode() + b"\r\n\t"
        np.testing.assert_array_equal(_fast(text), np.array(text.split(), np.float64))

    def test_long_numbers_are_right_to_the_last_bit_but_one(self):
        values = np.random.default_rng(1).normal(size=5000)
        read = _fast(" ".join(map(repr, values.tolist())).encode())
        np.testing.assert_allclose(read, values, rtol=3e-16)
        assert (read.astype(np.float32) == values.astype(np.float32)).all()
        assert _fast(b"123456789012345678901234567890 0.000000000000000000000000012345")[0] == pytest.approx(
            1.2345678901e29
        )

    @pytest.mark.parametrize(
        "word", ["nan", "inf", "1e", "1e+", "-", ".", "1.2.3", "0x10", "1,5", "1e99", "1_0", "--1"]
    )
    def test_anything_unusual_is_left_to_the_slow_way(self, word):
        assert _fast(f"1 2 {word} 3".encode()) is None
        assert _fast(f"1 2 {word}".encode()) is None


class TestPolygons:
    def test_an_arrow_is_cut_on_its_inner_side(self):
        arrow = np.array([[0, 0, 0], [2, 1, 0], [0, 2, 0], [0.7, 1, 0]], float)
        for turn in range(4):
            points = np.roll(arrow, turn, axis=0)
            corners, _ = triangulated(np.array([4]), points, np.arange(4))
            a, b, c = (points[corners[:, k]] for k in range(3))
            areas = np.cross(b - a, c - a)[:, 2] / 2
            assert areas.min() > 0 and areas.sum() == pytest.approx(1.3)

    @pytest.mark.parametrize("size", [5, 8, 21, 60])
    def test_stars_keep_their_area_and_winding(self, size):
        angle = np.arange(2 * size) * np.pi / size
        reach = np.where(np.arange(2 * size) % 2, 0.2, 1.0)
        flat = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)
        tilt = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0]])
        for points in (flat @ tilt, flat[::-1] @ tilt):
            corners, polygon = triangulated(np.array([2 * size]), points, np.arange(2 * size))
            a, b, c = (points[corners[:, k]] for k in range(3))
            normals = np.cross(b - a, c - a) / 2
            whole = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0) / 2
            assert len(corners) == 2 * size - 2 and (polygon == 0).all()
            np.testing.assert_allclose(normals.sum(axis=0), whole, atol=1e-12)
            assert (normals @ whole).min() > 0

    def test_mixed_sizes_keep_their_order(self):
        counts = np.array([4, 3, 2, 5, 0, 3])
        corners, polygon = triangulated(counts, np.random.default_rng(0).random((17, 3)), np.arange(17))
        assert polygon.tolist() == [0, 0, 1, 3, 3, 3, 5]
        assert corners[2].tolist() == [4, 5, 6] and corners[-1].tolist() == [14, 15, 16]

    def test_a_polygon_without_area_still_ends(self):
        corners, _ = triangulated(np.array([6]), np.zeros((1, 3)), np.zeros(6, np.int64))
        assert len(corners) == 4


def test_few_rows_and_many_are_numbered_alike():
    rows = np.random.default_rng(0).integers(0, 300, (5000, 1)).astype(np.uint32)
    fast, few = Weld(*number(_mixed(rows))), weld_bits(rows)
    assert fast.ids.tobytes() == few.ids.tobytes() and fast.first.tobytes() == few.first.tobytes()
    assert (rows[few.first[few.ids]] == rows).all() and few.count == len(np.unique(rows))


def _mixed(rows: np.ndarray) -> np.ndarray:
    key = rows[:, 0].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return key ^ (key >> np.uint64(29))


def test_a_small_file_is_read_without_heavy_libraries(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    code = (
        "import sys; from pathlib import Path; from app.engine import Run; from nodes.io.load_mesh import load_mesh\n"
        f"load_mesh(Run(), Path({str(tmp_path / 'a.obj')!r}))\n"
        "print([m for m in ('numba', 'scipy', 'cv2', 'PIL', 'trimesh') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


EXPORTS = {
    "glb": lambda: export_glb(Run(), textured()),
    "ply": lambda: export_ply(Run(), coloured()),
    "stl": lambda: export_stl(Run(), tiny()),
    "obj": lambda: export_obj(Run(), textured()),
}


@pytest.mark.parametrize("kind", EXPORTS)
def test_damaged_files_never_escape_as_anything_but_a_named_error(tmp_path, kind):
    files = EXPORTS[kind]()
    path = write(files, tmp_path)
    data = path.read_bytes()
    rng = np.random.default_rng(5)
    for trial in range(150):
        broken = bytearray(data[: rng.integers(len(data))] if trial % 3 == 0 else data)
        reach = len(broken) if trial % 3 else 2000
        for _ in range(rng.integers(1, 6)):
            if broken:
                broken[rng.integers(min(reach, len(broken)))] = rng.integers(256)
        path.write_bytes(bytes(broken))
        try:
            load_mesh(Run(), path)
        except EngineError as error:
            assert error.message


@pytest.mark.parametrize("name", ["cow", "spot", "stanford-bunny", "suzanne", "teapot"])
def test_real_meshes(name):
    path = SHARED / "meshes" / f"{name}.obj"
    if not path.exists():
        pytest.skip("needs the shared data folder")
    mesh = load_mesh(Run(), path, merge=False)
    other = trimesh.load_scene(path, process=False).to_mesh()
    assert len(mesh.faces) == len(other.faces)
    assert solid(mesh).area == pytest.approx(other.area, rel=1e-5)
    np.testing.assert_allclose(mesh.bounds, other.bounds, rtol=1e-6)


def test_boombox():
    path = SHARED / "pbr" / "boombox" / "boombox.glb"
    if not path.exists():
        pytest.skip("needs the shared data folder")
    mesh = load_mesh(Run(), path, merge=False)
    scene = trimesh.load_scene(path, process=False)
    np.testing.assert_allclose(mesh.vertices, scene.to_mesh().vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, scene.to_mesh().faces)
    lengths = np.linalg.norm(mesh.normals, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-4)


def test_inputs_of_later_steps_are_read_only(tmp_path):
    mesh = load_mesh(Run(), write(export_glb(Run(), textured()), tmp_path))
    assert not mesh.vertices.flags.writeable and mesh.vertices.flags.c_contiguous
    assert replace(mesh).faces.dtype == np.int32


@pytest.mark.parametrize("up", ["+Y", "+Z"])
@pytest.mark.parametrize("unit", ["metres", "centimetres", "millimetres", "inches"])
@pytest.mark.parametrize("export", [export_obj, export_ply], ids=["obj", "ply"])
def test_units_and_axes_of_an_export_are_found_again(tmp_path, export, unit, up):
    mesh = textured()
    path = write(export(Run(), mesh, unit=unit, up=up), tmp_path)
    other = trimesh.load(path, process=False, force="mesh")
    size = {"metres": 1, "centimetres": 100, "millimetres": 1000, "inches": 1 / 0.0254}[unit]
    tall = replace(mesh, vertices=mesh.vertices * np.array([1, 2, 3], np.float32))
    assert other.extents == pytest.approx([size] * 3, rel=1e-5)
    back, notes = load(tmp_path, f"back{path.suffix}", path.read_bytes())
    assert np.abs(back.vertices[back.faces] - mesh.vertices[mesh.faces]).max() < 2e-7
    assert bool([note for note in notes if "Converted" in note]) == ((unit, up) != ("metres", "+Y"))
    higher = trimesh.load(write(export(Run(), tall, unit=unit, up=up), tmp_path), process=False, force="mesh")
    order = [1, 2, 3] if up == "+Y" else [1, 3, 2]
    assert higher.extents == pytest.approx(np.multiply(order, size), rel=1e-5)


PENTAGON = [(np.cos(a), np.sin(a), 0) for a in np.linspace(0, 2 * np.pi, 5, endpoint=False)]


@pytest.mark.parametrize("kind", ["obj", "ply", "off"])
def test_n_gons_are_counted(tmp_path: Path, kind: str) -> None:
    """A pentagon and a quad over the same corners; a file of quads alone needs no remark."""
    rows = [" ".join(f"{x:.6f}" for x in corner) for corner in PENTAGON]
    faces = [[0, 1, 2, 3, 4], [0, 1, 2, 3]]

    def text(faces: list[list[int]]) -> str:
        listed = [" ".join(map(str, [len(face), *face])) for face in faces]
        if kind == "obj":
            return "\n".join([*(f"v {row}" for row in rows), *("f " + " ".join(str(k + 1) for k in f) for f in faces)])
        if kind == "off":
            return "\n".join(["OFF", f"5 {len(faces)} 0", *rows, *listed])
        head = ["ply", "format ascii 1.0", "element vertex 5", *(f"property float {axis}" for axis in "xyz")]
        head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
        return "\n".join([*head, *rows, *listed]) + "\n"

    mesh, notes = load(tmp_path, f"a.{kind}", text(faces))
    assert len(mesh.faces) == 5
    assert [note for note in notes if "n-gons" in note] == [
        "Polygons were cut into triangles: 1 with more than four corners (n-gons), 1 quads."
    ]
    assert not [note for note in load(tmp_path, f"b.{kind}", text(faces[1:]))[1] if "n-gons" in note]


def surveyed(east: float = 500_000.25, north: float = 4_649_776.5) -> str:
    """A tetrahedron of 8 m with corners at quarters of a metre, where maps of zone 33 have it; +Z is up."""
    corners = np.array([[0, 0, 100], [8, 0, 100.25], [0, 8, 100.5], [2, 2, 108]]) + np.array([east, north, 0])
    rows = [" ".join(f"{x:.2f}" for x in corner) for corner in corners]
    return "\n".join([*(f"v {row}" for row in rows), "f 1 3 2", "f 1 2 4", "f 2 3 4", "f 3 1 4"]) + "\n"


def test_what_a_survey_placed_far_away_is_brought_near_without_rounding(tmp_path):
    mesh, notes = load(tmp_path, "a.obj", surveyed(), up="+Z")
    assert any("(500,004, 4,649,780, 104) of the file is the origin now" in note for note in notes)
    assert not any("rounded" in note for note in notes)
    east, up, south = mesh.vertices.astype(np.float64).T
    found = np.column_stack([east + 500_004, -south + 4_649_780, up + 104])
    np.testing.assert_array_equal(found[0], [500_000.25, 4_649_776.5, 100])
    np.testing.assert_array_equal(np.ptp(found, axis=0), [8, 8, 8])


def test_what_stays_far_away_says_how_coarse_it_is(tmp_path):
    _, notes = load(tmp_path, "a.obj", surveyed(), up="+Z", near=False)
    assert "It lies 4,650 km from the origin: positions there are rounded to 500 mm." in notes
    run = Run()
    load_scene(run, tmp_path / "a.obj", up="+Z")
    assert "It lies 4,650 km from the origin: positions there are rounded to 500 mm." in run.notes
    _, notes = load(tmp_path, "b.obj", surveyed(2.25, 4.5), up="+Z")
    assert not any("origin" in note for note in notes)

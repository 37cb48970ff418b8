import struct

import numpy as np
import pytest
from io_samples import bytes_of, coloured, load, noise, refused, solid
from PIL import Image as Pictures

from app.engine import Run
from nodes.io.export_ply import export_ply

HEAD = "ply\nformat ascii 1.0\n"
XYZ = "property float x\nproperty float y\nproperty float z\n"
CORNERS = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
QUAD = HEAD + "element vertex 4\n" + XYZ + "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
STRIP = "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"


def binary(order: str, kind: str, length: str, faces: list[list[int]]) -> bytes:
    """A 3 x 3 grid of points with the given faces, list counts and indices in the given dtypes."""
    names = {"B": "uchar", "H": "ushort", "i": "int", "I": "uint32", "b": "int8", "d": "double"}
    endian = {"<": "little", ">": "big"}[order]
    head = (
        f"ply\nformat binary_{endian}_endian 1.0\nelement vertex 9\nproperty uchar mark\nproperty double x\n"
        f"property float y\nproperty float z\nelement face {len(faces)}\nproperty short what\n"
        f"property list {names[length]} {names[kind]} vertex_index\nproperty float after\nend_header\n"
    )
    body = b"".join(struct.pack(order + "Bdff", 7, k % 3, k // 3, 0) for k in range(9))
    for face in faces:
        body += struct.pack(f"{order}h{length}{len(face)}{kind}f", -2, len(face), *face, 0.5)
    return head.encode() + body


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "length"), [("i", "B"), ("I", "i"), ("H", "B"), ("B", "b"), ("b", "I")])
@pytest.mark.parametrize("faces", [[[0, 1, 4], [0, 4, 3]], [[0, 1, 4, 3]], [[0, 1, 4], [1, 2, 5, 4], [3, 4, 7, 6]]])
def test_binary_of_every_kind(tmp_path, order, kind, length, faces):
    mesh, notes = load(tmp_path, "a.ply", binary(order, kind, length, faces))
    assert solid(mesh).area == pytest.approx({1: 1, 2: 1, 3: 2.5}[len(faces)]) and not notes
    assert (solid(mesh).face_normals == [0, 0, 1]).all()


def test_text(tmp_path):
    assert solid(load(tmp_path, "a.ply", QUAD + CORNERS + "4 0 1 2 3\n")[0]).area == 1


def test_windows_line_ends(tmp_path):
    assert solid(load(tmp_path, "a.ply", (QUAD + CORNERS + "4 0 1 2 3\n").replace("\n", "\r\n"))[0]).area == 1


def test_mixed_polygons_in_text(tmp_path):
    text = QUAD.replace("face 1", "face 3") + CORNERS + "3 0 1 2\n4 0 1 2 3\n3 0 2 3\n"
    assert len(load(tmp_path, "a.ply", text)[0].faces) == 4


def test_triangle_strips_with_breaks(tmp_path):
    vertices = "".join(f"{k // 2} {k % 2} 0\n" for k in range(8))
    strip = [0, 1, 2, 3, -1, 4, 6, 5, 7, -1, 2, 2, 3, 4, 5]
    text = HEAD + "element vertex 8\n" + XYZ + STRIP + vertices + f"{len(strip)} {' '.join(map(str, strip))}\n"
    mesh, _ = load(tmp_path, "a.ply", text, merge=False)
    expected = [[0, 1, 2], [2, 1, 3], [4, 6, 5], [5, 6, 7], [3, 2, 4], [3, 4, 5]]

    def turned(faces):
        return sorted(min(tuple(np.roll(face, k)) for k in range(3)) for face in faces)

    assert turned(mesh.faces.tolist()) == turned(expected)


def test_several_strips_do_not_run_into_each_other(tmp_path):
    head = HEAD + "element vertex 4\n" + XYZ + STRIP.replace("tristrips 1", "tristrips 2")
    mesh, _ = load(tmp_path, "a.ply", head + CORNERS + "3 0 1 2\n3 0 2 3\n")
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [("uchar", "255 51 0", (1, 0.2, 0)), ("uchar", "1 0 1", (1 / 255, 0, 1 / 255)), ("float", "1 0.2 0", (1, 0.2, 0)),
     ("ushort", "65535 13107 0", (1, 0.2, 0)), ("float", "255 51 0", (1, 0.2, 0))],
)  # fmt: skip
def test_vertex_colours(tmp_path, kind, values, expected):
    channels = "".join(f"property {kind} {name}\n" for name in ("red", "green", "blue"))
    text = QUAD.replace(XYZ, XYZ + channels) + CORNERS.replace("\n", f" {values}\n") + "4 0 1 2 3\n"
    mesh, _ = load(tmp_path, "a.ply", text)
    np.testing.assert_allclose(mesh.colours, [(*expected, 1)] * 4, atol=1e-6)


@pytest.mark.parametrize("names", [("s", "t"), ("u", "v"), ("texture_u", "texture_v")])
def test_uvs_at_vertices_and_the_texture_beside(tmp_path, names):
    Pictures.fromarray(np.rint(noise(1).pixels * 255).astype(np.uint8)).save(tmp_path / "my skin.png")
    extra = "".join(f"property float {name}\n" for name in names)
    text = QUAD.replace(XYZ, XYZ + extra).replace("1.0\n", "1.0\ncomment TextureFile my skin.png\n", 1)
    mesh, notes = load(tmp_path, "a.ply", text + CORNERS.replace("\n", " 0.25 0.75\n") + "4 0 1 2 3\n")
    np.testing.assert_array_equal(mesh.uv, [[0.25, 0.75]] * 4)
    assert bytes_of(mesh.material.base_colour) == bytes_of(noise(1)) and not notes


def test_uvs_at_corners_split_the_vertices_at_seams(tmp_path):
    head = QUAD.replace("face 1", "face 2").replace(
        "vertex_indices\n", "vertex_indices\nproperty list uchar float texcoord\n"
    )
    text = head + CORNERS + "3 0 1 2 6 0 0 1 0 1 1\n3 0 2 3 6 0.5 0.5 1 1 0 1\n"
    mesh, _ = load(tmp_path, "a.ply", text)
    assert len(mesh.vertices) == 5
    np.testing.assert_array_equal(mesh.uv[mesh.faces], [[[0, 0], [1, 0], [1, 1]], [[0.5, 0.5], [1, 1], [0, 1]]])
    assert solid(mesh).area == 1


def test_a_texture_outside_the_folder_is_left_out(tmp_path):
    (tmp_path / "in").mkdir()
    noise_png = tmp_path / "out.png"
    Pictures.fromarray(np.zeros((4, 4, 3), np.uint8)).save(noise_png)
    text = QUAD.replace(XYZ, XYZ + "property float s\nproperty float t\n").replace(
        "1.0\n", "1.0\ncomment TextureFile ../out.png\n", 1
    )
    mesh, notes = load(tmp_path / "in", "a.ply", text + CORNERS.replace("\n", " 0 0\n") + "4 0 1 2 3\n")
    assert mesh.material is None and "own folder" in notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "ply\n",
        HEAD,
        QUAD,
        QUAD + CORNERS,
        QUAD + CORNERS + "4 0 1 2\n",
        QUAD + CORNERS + "4 0 1 2 4\n",
        QUAD + CORNERS + "4 0 1 2 -1\n",
        QUAD + CORNERS + "-4 0 1 2 3\n",
        QUAD + CORNERS + "2 0 1\n",
        QUAD + CORNERS + "nan 0 1 2\n",
        QUAD + CORNERS + "1e300 0 1 2\n",
        QUAD + CORNERS.replace("1", "x") + "4 0 1 2 3\n",
        QUAD.replace("vertex 4", "vertex 999999999999999999") + CORNERS,
        QUAD.replace("face 1", "face 999999999999999999") + CORNERS + "4 0 1 2 3\n",
        QUAD.replace("vertex 4", "vertex -4") + CORNERS,
        QUAD.replace("float x", "floot x") + CORNERS,
        QUAD.replace("ascii", "binary_middle_endian") + CORNERS,
        QUAD.replace("element vertex 4\n", "") + CORNERS,
        QUAD.replace("property float z\n", "") + CORNERS,
        QUAD.replace("face 1", "face 0") + CORNERS,
        QUAD.replace("ascii", "binary_little_endian") + "x" * 60,
    ],
)
def test_damage_is_refused(tmp_path, text):
    refused(tmp_path, "a.ply", text)


def test_a_point_cloud_is_not_a_mesh(tmp_path):
    text = HEAD + "element vertex 4\n" + XYZ + "end_header\n" + CORNERS
    assert "no faces" in refused(tmp_path, "a.ply", text)


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_every_cut_of_a_binary_file_is_refused(tmp_path, cut):
    data = export_ply(Run(), coloured()).contents[0].tobytes()
    refused(tmp_path, "a.ply", data[:-cut])
    refused(tmp_path, "a.ply", data[: len(data) * cut // 40])

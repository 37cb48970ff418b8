from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import bytes_of, coloured, full_material, noise, plain, same_geometry, textured, tiny, wild, write

from app.engine import BadInput, Material, Mesh, Run
from nodes.io._text_loops import face_lines, number_lines
from nodes.io.export_obj import export_obj, obj_bytes
from nodes.io.load_mesh import load_mesh


def shortest(value: np.float32) -> float:
    text = f"{value:.7g}"
    return float(text) if np.float32(text) == value else float(f"{value:.9g}")


def test_every_float_is_written_so_that_it_reads_back_exactly():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**32, 40_000, dtype=np.uint32).view(np.float32)
    special = [0.0, -0.0, 0.1, 1, -1, 1e8, 1e9, 1e-5, 9.9999e-6, 1e-45, 3.4028235e38, 16777216, 123456.0625, 0.99999994]
    values = np.concatenate([values[np.isfinite(values)], rng.random(20_000, np.float32), np.float32(special)])
    words = number_lines(np.frombuffer(b"v", np.uint8), values[:, None]).tobytes().decode().split("\n")[:-1]
    assert len(words) == len(values) and all(word.startswith("v ") for word in words)
    read = [float(word[2:]) for word in words]
    assert (np.array(read).astype(np.float32) == values).all()
    usual = (np.abs(values) > 1e-12) & (np.abs(values) < 1e12)
    assert usual.sum() > 20_000
    assert [number for number, use in zip(read, usual, strict=True) if use] == [shortest(v) for v in values[usual]]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (-2.5, "-2.5"), (1, "1"), (120, "120"), (1e9, "1e+9"), (1e-6, "1e-6"), (0.00001, "0.00001")],
)
def test_plain_numbers_look_plain(value, text):
    line = number_lines(np.frombuffer(b"vt", np.uint8), np.array([[value, 0]], np.float32)).tobytes().decode()
    assert line == f"vt {text} 0\n"


def test_face_lines():
    faces = np.array([[0, 9, 99], [999_999, 8, 0]], np.int32)
    assert face_lines(faces, False, False).tobytes() == b"f 1 10 100\nf 1000000 9 1\n"
    assert face_lines(faces[:1], True, False).tobytes() == b"f 1/1 10/10 100/100\n"
    assert face_lines(faces[:1], False, True).tobytes() == b"f 1//1 10//10 100//100\n"
    assert face_lines(faces[:1], True, True).tobytes() == b"f 1/1/1 10/10/10 100/100/100\n"


@pytest.mark.parametrize("make", [plain, tiny, wild, textured, coloured])
def test_reading_it_back_gives_the_same_mesh(tmp_path, make):
    mesh = make()
    back = load_mesh(Run(), write(export_obj(Run(), mesh), tmp_path), merge=False)
    same_geometry(back, mesh)
    for name in ("normals", "uv"):
        one, two = getattr(mesh, name), getattr(back, name)
        assert (one is None and two is None) or (one == two).all(), name
    if mesh.colours is not None:
        assert back.colours[:, :3].tobytes() == mesh.colours[:, :3].tobytes()


def test_the_material_comes_back_with_the_same_bytes(tmp_path):
    white = {"base_factor": (1.0,) * 4, "emissive_factor": (1.0,) * 3, "metallic_factor": 1.0, "roughness_factor": 1.0}
    mesh = textured(alpha_mode="blend", base_colour=noise(1, channels=4, space="srgb"), **white)
    material = load_mesh(Run(), write(export_obj(Run(), mesh), tmp_path)).material
    for name in Material.MAPS:
        one, two = getattr(mesh.material, name), getattr(material, name)
        assert (bytes_of(one), one.space) == (bytes_of(two), two.space), name
    for name, value in white.items():
        assert getattr(material, name) == value
    assert (material.name, material.alpha_mode) == ("all_maps", "blend")


def test_factors_come_back_and_are_multiplied_into_maps(tmp_path):
    plain_factors = Material(
        "m", base_factor=(0.5, 0.25, 1.0, 0.5), metallic_factor=0.75, roughness_factor=0.5, alpha_mode="blend"
    )
    back = load_mesh(Run(), write(export_obj(Run(), textured_with(plain_factors)), tmp_path)).material
    for name in ("base_factor", "metallic_factor", "roughness_factor"):
        assert getattr(back, name) == pytest.approx(getattr(plain_factors, name)), name
    solid = load_mesh(
        Run(), write(export_obj(Run(), textured_with(replace(plain_factors, alpha_mode="opaque"))), tmp_path)
    )
    assert solid.material.base_factor[3] == 1, "alpha of an opaque material shows nowhere"
    mesh = textured_with(full_material())
    rough = load_mesh(Run(), write(export_obj(Run(), mesh), tmp_path)).material.roughness
    np.testing.assert_allclose(rough.pixels[..., 0], mesh.material.roughness.pixels[..., 0] * 0.5, atol=0.51 / 255)


def textured_with(material: Material) -> Mesh:
    return replace(textured(), material=material)


def test_all_names_are_relative_and_without_spaces():
    files = export_obj(Run(), textured(), Path("out put/My Ässet (1).obj"))
    assert files.names[:2] == ("out put/My Ässet (1).obj", "out put/My_sset_1.mtl")
    assert all(Path(name).parent == Path("out put") for name in files.names)
    texts = [content.tobytes().decode() for content in files.contents[:2]]
    assert "mtllib My_sset_1.mtl\n" in texts[0]
    named = [line.split()[1] for line in texts[1].splitlines() if line.startswith(("map_", "norm", "disp"))]
    assert sorted(named) == sorted(Path(name).name for name in files.names[2:])


def test_readers_that_multiply_and_readers_that_do_not_see_the_same():
    """three.js multiplies Kd and map_Kd, Blender takes the map alone."""
    lines = export_obj(Run(), textured_with(full_material())).contents[1].tobytes().decode().splitlines()
    words = dict(line.split(" ", 1) for line in lines)
    assert (words["Kd"], words["Ke"], words["Pr"], words["Pm"]) == ("1 1 1", "1 1 1", "1", "1")


@pytest.mark.parametrize("make", [plain, tiny, textured, coloured])
def test_an_independent_reader_sees_the_same(tmp_path, make):
    mesh = make()
    other = trimesh.load(write(export_obj(Run(), mesh), tmp_path), process=False, maintain_order=True)
    np.testing.assert_array_equal(other.vertices.astype(np.float32), mesh.vertices)
    np.testing.assert_array_equal(other.faces, mesh.faces)
    if mesh.uv is not None:
        np.testing.assert_array_equal(other.visual.uv.astype(np.float32), mesh.uv)
        assert other.visual.material.image.size == (24, 16)


def test_bad_meshes_are_refused_in_words():
    with pytest.raises(BadInput, match="no faces"):
        export_obj(Run(), Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))))


@pytest.mark.parametrize(
    ("pick", "quads", "triangles"),
    [(lambda f: f, 54, 0), (lambda f: np.delete(f, [1, 2, 3], axis=0), 52, 1), (lambda f: f[::2], 0, 54)],
    ids=["all pairs", "odd ones before", "halves only"],
)
def test_pairs_of_triangles_are_written_as_quads(pick, quads, triangles):
    """Of a box with 3 x 3 cells a side: the same faces looking outward, as quads where both halves are there."""
    from nodes.mesh.primitives import box

    mesh = replace(box(pieces=3), normals=None, uv=None)
    mesh = replace(mesh, faces=np.ascontiguousarray(pick(mesh.faces)))
    text = obj_bytes(mesh, quads=True).tobytes().decode().split("\n")
    rows = [[int(word) - 1 for word in line.split()[1:]] for line in text if line.startswith("f ")]
    assert [sum(len(row) == n for row in rows) for n in (4, 3)] == [quads, triangles]
    area = 0.0
    for row in rows:
        at = mesh.vertices[row].astype(np.float64)
        crossed = np.cross(at[1:-1] - at[0], at[2:] - at[0])
        assert (crossed @ at.mean(axis=0) > 0).all()
        area += np.linalg.norm(crossed, axis=1).sum() / 2
    assert area == pytest.approx(len(mesh.faces) / 18, rel=1e-5)


def test_a_dart_and_a_folded_pair_stay_triangles():
    dart = np.float32([[0, 0, 0], [2, 0, 0], [0.2, 0.2, 0], [0, 2, 0]])
    assert (_quads_of(dart, [[0, 1, 2], [0, 2, 3]]) == 0).all()
    assert (_quads_of(np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), [[0, 1, 2], [0, 2, 3]]) == 1).all()
    assert (_quads_of(np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0.1, 0]]), [[0, 1, 2], [0, 2, 3]]) == 0).all()


def _quads_of(points, faces):
    from nodes.io._quad_rows import quad_rows

    return np.array([(quad_rows(points, np.roll(np.int32(faces), k, axis=1))[:, 3] >= 0).sum() for k in range(3)])

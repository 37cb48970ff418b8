from dataclasses import replace

import numpy as np
import pytest
import trimesh
from io_samples import coloured, plain, textured, tiny, wild, write

from app.engine import BadInput, Material, Mesh, Run
from nodes.io.export_stl import export_stl
from nodes.io.load_mesh import load_mesh
from nodes.mesh.primitives import box


@pytest.mark.parametrize("make", [plain, tiny, wild])
def test_triangles_come_back_to_the_last_bit(tmp_path, make):
    mesh = make()
    path = write(export_stl(Run(), mesh, unit="metres", up="+Y"), tmp_path)
    back = load_mesh(Run(), path, units="metres", up="+Y", merge=False)
    assert back.vertices[back.faces].tobytes() == mesh.vertices[mesh.faces].tobytes()


def test_the_defaults_of_both_ends_fit_each_other(tmp_path):
    mesh = box(0.1, 0.2, 0.3, pieces=2)
    path = write(export_stl(Run(), mesh), tmp_path)
    back = load_mesh(Run(), path)
    np.testing.assert_allclose(back.vertices[back.faces], mesh.vertices[mesh.faces], rtol=2e-7, atol=1e-9)
    assert len(back.vertices) == 26
    printed = trimesh.load(path)
    np.testing.assert_allclose(printed.bounds, [[-50, -150, -100], [50, 150, 100]], rtol=1e-6)
    assert printed.is_watertight and printed.volume == pytest.approx(6e6, rel=1e-5)


@pytest.mark.parametrize(
    ("unit", "size"), [("metres", 1.0), ("centimetres", 100), ("millimetres", 1000), ("inches", 1 / 0.0254)]
)
def test_units(tmp_path, unit, size):
    path = write(export_stl(Run(), box(), unit=unit), tmp_path)
    np.testing.assert_allclose(trimesh.load(path).extents, size, rtol=1e-6)
    np.testing.assert_allclose(np.ptp(load_mesh(Run(), path, units=unit).vertices, axis=0), 1, rtol=1e-6)


def test_normals_point_where_the_winding_says(tmp_path):
    path = write(export_stl(Run(), plain(), unit="metres", up="+Y"), tmp_path)
    rows = np.frombuffer(path.read_bytes()[84:], np.dtype("(12,)<f4, <u2"))["f0"]
    a, b, c = rows[:, 3:6], rows[:, 6:9], rows[:, 9:12]
    face = np.cross(b - a, c - a)
    assert np.einsum("ij,ij->i", face / np.linalg.norm(face, axis=1, keepdims=True), rows[:, :3]).min() > 0.9999


def test_the_header_cannot_be_taken_for_text():
    data = export_stl(Run(), tiny()).contents[0].tobytes()
    assert len(data) == 84 + 50 and not data.startswith(b"solid") and int.from_bytes(data[80:84], "little") == 1


def test_bad_meshes_are_refused_in_words():
    with pytest.raises(BadInput, match="no faces"):
        export_stl(Run(), Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))))


def test_what_the_shape_alone_loses_is_said_and_only_then():
    run = Run()
    export_stl(run, replace(box(), material=Material(roughness_factor=0.1)))
    assert run.notes == []
    export_stl(run, textured())
    [note] = run.notes
    assert note == (
        "STL has no place for base colour, normal, metallic, roughness, occlusion, height, emissive: left out."
    )
    run = Run()
    export_stl(run, coloured())
    assert run.notes == ["STL has no place for vertex colours: left out."]

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import bytes_of, coloured, noise, plain, same_geometry, textured, tiny, wild, write
from PIL import Image as Pictures

from app.engine import BadInput, Image, Material, Mesh, Run
from nodes.io.export_ply import export_ply
from nodes.io.load_mesh import load_mesh


@pytest.mark.parametrize("make", [plain, tiny, wild, textured, coloured])
def test_reading_it_back_gives_the_same_mesh(tmp_path, make):
    mesh = make()
    back = load_mesh(Run(), write(export_ply(Run(), mesh), tmp_path), merge=False)
    same_geometry(back, mesh)
    for name in ("normals", "uv", "colours"):
        one, two = getattr(mesh, name), getattr(back, name)
        assert (one is None and two is None) or one.tobytes() == two.tobytes(), name


def test_the_texture_lies_beside_it_and_comes_back(tmp_path):
    mesh = textured(alpha_mode="blend", base_colour=noise(1, channels=4, space="srgb"), base_factor=(1.0,) * 4)
    files = export_ply(Run(), mesh, Path("deep down/my scan.ply"))
    assert files.names == ("deep down/my scan.ply", "deep down/my_scan_base_colour.png")
    back = load_mesh(Run(), write(files, tmp_path))
    assert bytes_of(back.material.base_colour) == bytes_of(mesh.material.base_colour)
    assert export_ply(Run(), mesh, texture=False).names == ("asset.ply",)


@pytest.mark.parametrize("make", [plain, textured, coloured])
def test_an_independent_reader_sees_the_same(tmp_path, make):
    mesh = make()
    other = trimesh.load(write(export_ply(Run(), mesh), tmp_path), process=False)
    assert other.vertices.astype(np.float32).tobytes() == mesh.vertices.tobytes()
    assert (other.faces == mesh.faces).all()
    if mesh.colours is not None:
        assert (other.visual.vertex_colors == np.rint(mesh.colours * 255)).all()


def test_bad_meshes_are_refused_in_words():
    with pytest.raises(BadInput, match="no faces"):
        export_ply(Run(), Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))))
    with pytest.raises(BadInput, match="no valid position"):
        export_ply(Run(), replace(tiny(), vertices=np.full((3, 3), np.nan, np.float32)))


def test_what_ply_has_no_place_for_is_said_and_the_factor_is_in_the_texture(tmp_path):
    grey = Image.of(np.full((4, 4), 0.5))
    dressed = Material("m", base_colour=grey, roughness=grey, base_factor=(1.0, 0.0, 0.0, 1.0))
    run = Run()
    files = export_ply(run, replace(textured(), material=dressed))
    assert run.notes == ["PLY has no place for roughness: left out."]
    picture = np.asarray(Pictures.open(io.BytesIO(files.contents[1].tobytes())).convert("RGB"))
    assert (np.unique(picture.reshape(-1, 3), axis=0) == [[128, 0, 0]]).all()

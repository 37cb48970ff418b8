"""FBX, COLLADA and 3DS in: units, axes, places, materials and textures, of files made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from foreign_files import collada, fbx_binary, fbx_text, fbx_tree, png, three_ds
from io_samples import load, refused, solid
from PIL import Image as Pictures

from app.engine import BadInput, Run
from app.engine.errors import Crashed, TimeLimit
from app.engine.isolated import Helper
from app.engine.placing import in_place
from app.engine.registry import discover
from nodes.io._companions import companions
from nodes.io._fbx_file import fbx_inside
from nodes.io.load_scene import load_scene

WRITERS = {
    "text": fbx_text,
    "binary": fbx_binary,
    "wide binary": lambda tree: fbx_binary(tree, 7500),
}
fbx_kinds = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def levels(mesh) -> np.ndarray:
    return np.rint(mesh.material.base_colour.rgb * 255).astype(np.uint8)


def pixels(folder, name: str) -> np.ndarray:
    with Pictures.open(folder / name) as picture:
        return np.asarray(picture)


class TestFbx:
    @fbx_kinds
    @pytest.mark.parametrize(
        ("centimetres", "unit"), [(1.0, "centimetres"), (100.0, ""), (2.54, "inches"), (0.1, "millimetres")]
    )
    def test_units_become_metres_and_it_is_said(self, tmp_path, write, centimetres, unit):
        mesh, notes = load(tmp_path, "a.fbx", write(fbx_tree(centimetres=centimetres)))
        size = centimetres / 100
        assert mesh.bounds[0] == pytest.approx([10 * size, 20 * size, 30 * size])
        assert mesh.bounds[1] == pytest.approx([12 * size, 21 * size, 30 * size])
        assert [note for note in notes if "Converted" in note] == ([f"Converted {unit} to metres."] if unit else [])

    @fbx_kinds
    def test_the_other_up_axis(self, tmp_path, write):
        mesh, notes = load(tmp_path, "a.fbx", write(fbx_tree("+Z", 100.0)))
        assert mesh.bounds[0] == pytest.approx([10, 30, -21]) and mesh.bounds[1] == pytest.approx([12, 30, -20])
        assert "Converted +Z up to +Y up." in notes
        assert (mesh.normals == (0, 1, 0)).all() and (solid(mesh).face_normals[:, 1] > 0.99).all()
        kept, _ = load(tmp_path, "a.fbx", write(fbx_tree("+Z", 100.0)), up="+Y", units="centimetres")
        assert kept.bounds[0] == pytest.approx([0.1, 0.2, 0.3])

    @fbx_kinds
    def test_a_texture_inside_the_file(self, tmp_path, write):
        mesh, notes = load(tmp_path, "a.fbx", write(fbx_tree(picture=png(3))))
        (tmp_path / "want.png").write_bytes(png(3))
        assert (levels(mesh) == pixels(tmp_path, "want.png")).all() and not any("texture" in n.lower() for n in notes)
        order = np.lexsort(mesh.uv.T)
        assert mesh.uv[order].tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]

    def test_a_texture_beside_the_file_is_read_and_counts_for_the_key(self, tmp_path):
        (tmp_path / "wood.png").write_bytes(png(1))
        mesh, _ = load(tmp_path, "a.fbx", fbx_binary(fbx_tree()))
        assert (levels(mesh) == pixels(tmp_path, "wood.png")).all() and mesh.material.name == "paint"
        assert tmp_path / "wood.png" in companions(tmp_path / "a.fbx")
        (tmp_path / "wood.png").unlink()
        bare, notes = load(tmp_path, "a.fbx", fbx_binary(fbx_tree()))
        assert bare.material.base_factor == pytest.approx((0.75, 0.5, 0.25, 1)) and "wood.png" in notes[0]

    def test_a_scene_names_its_objects(self, tmp_path):
        (tmp_path / "a.fbx").write_bytes(fbx_binary(fbx_tree("+Z")))
        scene = load_scene(Run(), tmp_path / "a.fbx")
        assert scene.names == ("panel",) and len(scene.meshes) == 1
        assert scene.places[0, :3, 3] == pytest.approx([0.1, 0.3, -0.2])

    def test_damage_in_what_is_read_beside_the_library_counts_as_not_there(self):
        for data in (b"", b"Kaydara FBX Binary  \0\x1a\0", fbx_binary(fbx_tree(picture=png()))[:200]):
            found = fbx_inside(data)
            assert found.metres == 0.01 and found.pictures == {}
        whole = fbx_binary(fbx_tree(picture=png(), centimetres=254.0))
        rng = np.random.default_rng(2)
        for _ in range(300):
            data = np.frombuffer(whole, np.uint8).copy()
            data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
            assert 0 < fbx_inside(data.tobytes()).metres < 1e6


class TestCollada:
    @pytest.mark.parametrize(("up", "metres"), [("Y_UP", 1.0), ("Y_UP", 0.0254), ("Z_UP", 0.01), ("Z_UP", 1.0)])
    def test_units_axes_and_instances(self, tmp_path, up, metres):
        mesh, notes = load(tmp_path, "a.dae", collada(up, metres))
        assert len(mesh.faces) == 4 and mesh.material.base_factor == pytest.approx((0.75, 0.5, 0.25, 1))
        low, high = np.array([10, 20, 30.0]) * metres, np.array([14, 22, 30.0]) * metres
        if up == "Z_UP":
            low, high = np.array([10, 30, -22.0]) * metres, np.array([14, 30, -20.0]) * metres
        assert mesh.bounds[0] == pytest.approx(low) and mesh.bounds[1] == pytest.approx(high)
        assert bool(notes) == (up == "Z_UP" or metres != 1)
        scene = load_scene(Run(), tmp_path / "a.dae")
        assert scene.names == ("one", "two") and len(scene.meshes) == 1
        assert in_place(scene)[1].bounds[1] == pytest.approx(high)

    def test_a_texture_beside_the_file(self, tmp_path):
        (tmp_path / "wood.png").write_bytes(png(1))
        mesh, _ = load(tmp_path, "a.dae", collada(texture="wood.png"))
        assert (levels(mesh) == pixels(tmp_path, "wood.png")).all()


def test_3ds(tmp_path) -> None:
    (tmp_path / "wood.png").write_bytes(png(1))
    mesh, _ = load(tmp_path, "a.3ds", three_ds())
    assert len(mesh.faces) == 2 and mesh.material.name == "paint"
    assert mesh.material.base_factor == pytest.approx((191 / 255, 128 / 255, 64 / 255, 1), abs=1e-3)
    assert (mesh.bounds[1] - mesh.bounds[0]).max() == pytest.approx(2) and solid(mesh).area == pytest.approx(2)
    painted, _ = load(tmp_path, "b.3ds", three_ds("wood.png"))
    assert (levels(painted) == pixels(tmp_path, "wood.png")).all()


@pytest.mark.parametrize("suffix", ["fbx", "dae", "3ds"])
@pytest.mark.parametrize("data", [b"", b"hello", b"Kaydara FBX Binary  \0\x1a\0" + bytes(40), b"<COLLADA/>", b"MM\xff"])
def test_foreign_files_are_refused(tmp_path, suffix, data) -> None:
    refused(tmp_path, f"a.{suffix}", data)


def test_damaged_files_end_in_a_mesh_or_in_words(tmp_path) -> None:
    """In the helper process that Load mesh runs in: the library itself may fall over some of them."""
    whole = {"fbx": fbx_binary(fbx_tree(picture=png())), "dae": collada(), "3ds": three_ds("wood.png")}
    whole["FBX"] = fbx_text(fbx_tree())
    rng = np.random.default_rng(4)
    spec, helper = discover(("nodes",))["io.load_mesh"], Helper()
    ends = {"read": 0, "refused": 0}
    for case in range(120):
        suffix = list(whole)[case % 4]
        values = np.frombuffer(whole[suffix], np.uint8).copy()
        values[rng.integers(0, len(values), 2)] = rng.integers(32, 127, 2)
        path = tmp_path / f"s{case}.{suffix}"
        path.write_bytes(values.tobytes() if rng.random() < 0.75 else values.tobytes()[: rng.integers(len(values))])
        try:
            assert np.isfinite(helper(spec, {"path": path}, Run()).vertices).all()
            ends["read"] += 1
        except (BadInput, Crashed, TimeLimit) as error:
            assert error.advice
            ends["refused"] += 1
    helper.close()
    assert min(ends.values()) > 10

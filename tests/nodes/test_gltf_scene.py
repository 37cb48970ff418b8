"""Scenes through GLB: nothing that the file can say is lost, and what is shared is written once."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import gltf_reports, noise, textured, write
from scene_samples import MATERIALS, gallery, glb, same_picture, table, through, tree

from app.engine import BadInput, Image, Material, Mesh, Run, Scene
from app.engine.codec import decode, encode
from app.engine.placing import in_place
from nodes.io.export_glb import export_glb
from nodes.io.export_scene import export_scene
from nodes.io.load_mesh import load_mesh
from nodes.io.load_scene import load_scene
from nodes.mesh.light_map_uv import light_map_uv
from nodes.mesh.primitives import box

SHARED = Path(__file__).parents[3] / "shared" / "data"


def same_scene(one: Scene, two: Scene) -> None:
    """Names, hierarchy, places, instances and geometry to the bit; UVs to the last digit that turning them loses."""
    assert one.names == two.names and one.parts == two.parts
    assert one.parents.tolist() == two.parents.tolist() and one.places.tobytes() == two.places.tobytes()
    for a, b in zip(one.meshes, two.meshes, strict=True):
        assert a.name == b.name and a.faces.tobytes() == b.faces.tobytes()
        assert a.vertices.tobytes() == b.vertices.tobytes() and a.normals.tobytes() == b.normals.tobytes()
        np.testing.assert_allclose(a.uv, b.uv, atol=3e-7)


def same_material(one: Material, two: Material) -> None:
    for name in (f.name for f in fields(Material)):
        a, b = getattr(one, name), getattr(two, name)
        if isinstance(a, Image):
            assert same_picture(a, b), name
        elif name == "layers":
            assert dict(a).keys() == dict(b).keys()
            for key, value in a:
                other = dict(b)[key]
                assert same_picture(value, other) if isinstance(value, Image) else value == other, key
        else:
            assert a == b, name


def test_every_kind_of_material_comes_back_as_it_was(tmp_path):
    scene = gallery()
    back, notes = through(scene, tmp_path)
    assert not notes
    same_scene(back, scene)
    for a, b in zip(back.meshes, scene.meshes, strict=True):
        same_material(a.material, b.material)
    for a, b in zip(back.second_uvs, scene.second_uvs, strict=True):
        assert (a is None) == (b is None) and (a is None or np.abs(a - b).max() < 1e-7)
    again, _ = through(back, tmp_path)
    assert [m.uv.tobytes() for m in again.meshes if not m.material.transforms] == [
        m.uv.tobytes() for m in back.meshes if not m.material.transforms
    ]


def test_the_validator_finds_neither_errors_nor_warnings(tmp_path):
    cases = {"gallery": glb(gallery()), "table": glb(table()), "jpeg": glb(gallery(), colour_format="JPEG")}
    cases["draco"] = glb(table(), compression="Draco")
    lit = export_glb(Run(), textured(), light_map=light_map_uv(Run(), textured()).out).contents[0].tobytes()
    cases["light map"] = lit
    cases["no textures"] = glb(Scene.of(replace(textured(), material=None), replace(textured(), uv=None)))
    for name, data in cases.items():
        (tmp_path / f"{name}.glb").write_bytes(data)
    reports = gltf_reports([tmp_path / f"{name}.glb" for name in cases])
    for name, report in zip(cases, reports, strict=True):
        assert (report["errors"], report["warnings"]) == (0, 0), (name, report["messages"])


def test_shared_meshes_materials_and_pictures_are_written_once():
    found = tree(glb(table()))
    assert len(found["nodes"]) == 7 and len(found["meshes"]) == 3
    assert [len(mesh["primitives"]) for mesh in found["meshes"]] == [1, 2, 1]
    assert len(found["materials"]) == 2 and len(found["images"]) == 4
    assert [node.get("mesh") for node in found["nodes"]] == [None, 0, 0, 0, 0, 1, 2]
    assert found["nodes"][0]["children"] == [1, 2, 3, 4, 5] and found["nodes"][5]["children"] == [6]
    stored = decode(b"".join(bytes(piece) for piece in encode(table())))
    assert isinstance(stored, Scene) and glb(stored) == glb(table())


def test_an_independent_reader_sees_the_same_scene(tmp_path):
    other = trimesh.load_scene(write(export_scene(Run(), table()), tmp_path), process=False)
    ours = in_place(table())
    assert sum(len(g.faces) for g in other.dump()) == sum(len(m.faces) for m in ours)
    low, high = other.bounds
    corners = np.concatenate([m.vertices for m in ours])
    np.testing.assert_allclose([low, high], [corners.min(axis=0), corners.max(axis=0)], atol=1e-6)


def test_a_single_mesh_has_plain_materials_and_says_what_it_cannot_carry(tmp_path):
    run = Run()
    scene = Scene.of(*[mesh for mesh in gallery().meshes if mesh.material.name in ("scales", "moved apart")])
    mesh = load_mesh(run, write(export_scene(Run(), scene), tmp_path))
    assert mesh.material.normal_scale == 1 and not mesh.material.transforms
    assert any("placed in another way" in note for note in run.notes)
    run = Run()
    lit = gallery()
    k = list(MATERIALS).index("light map")
    one = Scene((lit.meshes[k],), ("x",), ((0,),), lit.places[:1], lit.parents[:1], (lit.second_uvs[k],))
    mesh = load_mesh(run, write(export_scene(Run(), one), tmp_path))
    assert mesh.material.occlusion is None and any("occlusion" in n and "second set" in n for n in run.notes)


def test_a_texture_transform_is_part_of_the_uvs_and_stays_in_the_file(tmp_path):
    sheet = replace(textured(), material=MATERIALS["moved"])
    found = tree(glb(Scene.of(sheet)))
    place = found["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["extensions"]["KHR_texture_transform"]
    assert place == {"offset": [0.25, -0.5], "rotation": 0.3, "scale": [2.0, 0.5]}
    back = load_mesh(Run(), write(export_scene(Run(), Scene.of(sheet)), tmp_path), merge=False)
    np.testing.assert_allclose(back.uv, sheet.uv, atol=3e-7)
    flat = replace(sheet, material=replace(sheet.material, transforms=(("uv", (0.0, 0.0, 0.0, 0.0, 1.0)),)))
    assert "extensions" not in tree(glb(Scene.of(flat)))["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]


def test_light_map_uvs_are_the_second_set(tmp_path):
    mesh = textured()
    light = light_map_uv(Run(), mesh).out
    path = write(export_glb(Run(), mesh, light_map=light), tmp_path)
    back = load_scene(Run(), path)
    (shown,), (second,) = back.meshes, back.second_uvs
    assert np.array_equal(shown.vertices[shown.faces], mesh.vertices[mesh.faces])
    np.testing.assert_allclose(second[shown.faces], light.uv[light.faces], atol=1e-7)
    np.testing.assert_allclose(shown.uv[shown.faces], mesh.uv[mesh.faces], atol=1e-7)
    with pytest.raises(BadInput, match="another mesh"):
        export_glb(Run(), mesh, light_map=replace(light, faces=light.faces[::-1]))


def test_sheared_objects_are_written_where_they_stand(tmp_path):
    scene = table()
    places = scene.places.copy()
    places[0, 0, 1] = 0.5
    run = Run()
    back = load_scene(Run(), write(export_scene(run, replace(scene, places=places)), tmp_path))
    assert any("sheared" in note for note in run.notes)
    for a, b in zip(in_place(back), in_place(replace(scene, places=places)), strict=True):
        np.testing.assert_allclose(a.vertices, b.vertices, atol=1e-6)


def test_what_cannot_be_written_is_said_in_words():
    with pytest.raises(BadInput, match="no faces"):
        glb(Scene.of())
    with pytest.raises(BadInput, match="not numbers"):
        glb(replace(table(), places=table().places * np.float32(np.nan)))
    empty = Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)))
    assert len(tree(glb(Scene.of(empty, textured())))["meshes"]) == 1


def test_a_scene_of_many_instances_unfolds_only_where_asked(tmp_path):
    one = textured()
    many = 2000
    places = np.tile(np.eye(4, dtype=np.float32), (many, 1, 1))
    places[:, 0, 3] = np.arange(many)
    scene = Scene((one,), tuple(f"copy {k}" for k in range(many)), ((0,),) * many, places, np.full(many, -1, np.int32))
    data = glb(scene)
    assert len(tree(data)["meshes"]) == 1 and len(data) < 400_000
    back, _ = through(scene, tmp_path)
    same_scene(back, scene)


def edited(data: bytes, change) -> bytes:
    """A GLB with its document changed."""
    size = int.from_bytes(data[12:16], "little")
    found = json.loads(data[20 : 20 + size])
    change(found)
    text = json.dumps(found).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    total = 20 + len(text) + len(rest)
    return data[:8] + total.to_bytes(4, "little") + len(text).to_bytes(4, "little") + b"JSON" + text + rest


def test_what_a_still_scene_cannot_keep_is_said_once(tmp_path):
    def change(found: dict) -> None:
        found["animations"] = [{"channels": [], "samplers": []}]
        found["cameras"] = [{"type": "perspective", "perspective": {"yfov": 1, "znear": 0.1}}]
        found["extensions"] = {"KHR_lights_punctual": {"lights": [{"type": "point"}]}}
        found["extensionsUsed"] = ["KHR_lights_punctual", "EXT_of_tomorrow"]
        found["nodes"].append({"camera": 0, "name": "eye"})
        found["scenes"][0]["nodes"].append(len(found["nodes"]) - 1)

    (tmp_path / "a.glb").write_bytes(edited(glb(table()), change))
    run = Run()
    scene = load_scene(run, tmp_path / "a.glb")
    assert scene.names[-1] == "eye" and scene.parts[-1] == ()
    assert run.notes == ["The file uses EXT_of_tomorrow, which is not kept.", "Not kept: lights, cameras, animation."]


def test_a_third_set_of_uvs_and_mixed_sampling_are_said(tmp_path):
    def change(found: dict) -> None:
        (material,) = found["materials"]
        material["normalTexture"]["texCoord"], material["emissiveTexture"]["texCoord"] = 1, 2
        attributes = found["meshes"][0]["primitives"][0]["attributes"]
        attributes |= {"TEXCOORD_1": attributes["TEXCOORD_0"], "TEXCOORD_2": attributes["TEXCOORD_0"]}
        found["samplers"] = [{"wrapS": 33071}]
        found["textures"][material["normalTexture"]["index"]]["sampler"] = 0

    (tmp_path / "a.glb").write_bytes(edited(glb(Scene.of(textured())), change))
    run = Run()
    material = load_scene(run, tmp_path / "a.glb").meshes[0].material
    assert material.second_uv == ("normal",) and material.emissive is None and material.normal is not None
    assert any("emissive" in note and "third" in note for note in run.notes)
    assert any("in different ways" in note for note in run.notes)
    mesh = load_mesh(Run(), tmp_path / "a.glb")
    assert mesh.material.normal is not None, "the second set is the first one again"


def test_gpu_instances_become_objects(tmp_path):
    at = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
    data = glb(Scene.of(textured()))
    binary = len(data)

    def change(found: dict) -> None:
        found["buffers"].append({"byteLength": 36, "uri": "at.bin"})
        found["bufferViews"].append({"buffer": 1, "byteLength": 36})
        found["accessors"].append(
            {"bufferView": len(found["bufferViews"]) - 1, "componentType": 5126, "count": 3, "type": "VEC3"}
        )
        attributes = {"TRANSLATION": len(found["accessors"]) - 1}
        found["nodes"][0]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
        found["nodes"][0]["scale"] = [2, 2, 2]

    (tmp_path / "at.bin").write_bytes(at.tobytes())
    (tmp_path / "a.glb").write_bytes(edited(data, change))
    scene = load_scene(Run(), tmp_path / "a.glb")
    assert binary and scene.parts == ((), (0,), (0,), (0,)) and scene.parents.tolist() == [-1, 0, 0, 0]
    middle = [(mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2 for mesh in in_place(scene)]
    np.testing.assert_allclose(middle, at * 2, atol=1e-6)


def test_a_skeleton_bends_the_mesh_as_it_stands(tmp_path):
    """One joint turned a quarter about z, whose bind pose lies one to the right; the mesh's own node counts nothing."""
    data = glb(Scene.of(replace(textured(), material=None)))
    count = len(textured().vertices)
    back = np.eye(4, dtype=np.float32)
    back[0, 3] = -1
    blob = np.zeros((count, 4), np.uint8).tobytes() + np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)).tobytes()
    blob += back.T.tobytes()
    half = float(np.sqrt(0.5))

    def change(found: dict) -> None:
        found["buffers"].append({"byteLength": len(blob), "uri": "skin.bin"})
        sizes, start = [(5121, "VEC4", count, 4 * count), (5126, "VEC4", count, 16 * count), (5126, "MAT4", 1, 64)], 0
        for component, kind, rows, size in sizes:
            found["bufferViews"].append({"buffer": 1, "byteOffset": start, "byteLength": size})
            view = {"bufferView": len(found["bufferViews"]) - 1}
            found["accessors"].append(view | {"componentType": component, "count": rows, "type": kind})
            start += size
        last = len(found["accessors"])
        found["meshes"][0]["primitives"][0]["attributes"] |= {"JOINTS_0": last - 3, "WEIGHTS_0": last - 2}
        found["skins"] = [{"joints": [1], "inverseBindMatrices": last - 1}]
        found["nodes"][0] |= {"skin": 0, "translation": [50, 50, 50]}
        found["nodes"].append({"name": "joint", "rotation": [0, 0, half, half], "translation": [0, 3, 0]})
        found["scenes"][0]["nodes"].append(1)

    (tmp_path / "skin.bin").write_bytes(blob)
    (tmp_path / "a.glb").write_bytes(edited(data, change))
    run = Run()
    mesh = load_mesh(run, tmp_path / "a.glb", merge=False)
    x, y, z = textured().vertices.T
    np.testing.assert_allclose(mesh.vertices, np.column_stack([-y, x - 1 + 3, z]), atol=1e-6)
    assert any("skeleton" in note for note in run.notes)


def test_units_and_axes_change_meshes_and_steps_alike(tmp_path):
    scene = table()
    (tmp_path / "a.glb").write_bytes(glb(scene))
    small = load_scene(Run(), tmp_path / "a.glb", units="centimetres", up="+Z")
    for a, b in zip(in_place(small), in_place(scene), strict=True):
        x, y, z = b.vertices.T / 100
        np.testing.assert_allclose(a.vertices, np.column_stack([x, z, -y]), atol=1e-7)
    np.testing.assert_allclose(np.linalg.det(small.places[:, :3, :3]), 1, atol=1e-6)


def test_obj_objects_and_groups(tmp_path):
    lines = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n")
    text = (
        f"mtllib a.mtl\n{lines}o left\ng a\nusemtl red\nf 1 2 3\nusemtl blue\nf 1 3 4\no right\nusemtl red\nf 1 4 2\n"
    )
    (tmp_path / "a.obj").write_text(text)
    scene = load_scene(Run(), tmp_path / "a.obj")
    assert scene.names == ("left", "right") and scene.parts == ((0, 1), (2,))
    assert [m.material.name for m in scene.meshes] == ["red", "blue", "red"]
    assert scene.meshes[0].material is scene.meshes[2].material
    (tmp_path / "a.obj").write_text(text.replace("o left\n", "").replace("o right", "g b"))
    assert load_scene(Run(), tmp_path / "a.obj").names == ("a", "b")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data folder")
@pytest.mark.parametrize("name", ["pbr/boombox/boombox.glb", "meshes/spot.obj", "meshes/teapot.obj"])
def test_real_files_survive(tmp_path, name):
    scene = load_scene(Run(), SHARED / name)
    whole = load_mesh(Run(), SHARED / name, merge=False)
    assert sum(len(m.faces) for m in scene.meshes) == len(whole.faces)
    back, _ = through(replace(scene, meshes=tuple(replace(m, normals=None) for m in scene.meshes)), tmp_path)
    assert back.names == scene.names and back.places.tobytes() == scene.places.tobytes()
    assert [m.vertices.tobytes() for m in back.meshes] == [m.vertices.tobytes() for m in scene.meshes]


def test_pixels_of_a_picture_are_not_copied_for_each_material(tmp_path):
    picture = noise(1, space="srgb")
    meshes = [replace(textured(), material=Material(f"m{k}", base_colour=picture)) for k in range(3)]
    back, _ = through(Scene.of(*meshes), tmp_path)
    assert len({m.material.base_colour.pixels.ctypes.data for m in back.meshes}) == 1
    assert len({m.material.name for m in back.meshes}) == 3


@pytest.mark.parametrize("path", ["scene.glb", "scene.usda", "scene.3mf"])
def test_control_characters_in_the_names_of_a_file_end_there(path: str, tmp_path: Path) -> None:
    """A stranger's GLB names its objects, meshes and materials with a bell, an escape and a line end."""
    marks = {"QQQQQQ": r"\u0007", "XXXXXX": r"\u001b", "ZZZZZZ": r"\u000a"}
    parts = [replace(box(), name=f"leg{mark}s", material=Material(f"oak{mark}en")) for mark in marks]
    data = glb(Scene.of(*parts))
    for mark, escape in marks.items():
        data = data.replace(mark.encode(), escape.encode())
    (tmp_path / "dirty.glb").write_bytes(data)
    scene = load_scene(Run(), tmp_path / "dirty.glb")
    assert {mesh.name for mesh in scene.meshes} | set(scene.names) <= {"leg s", "leg s 2", "leg s 3"}
    assert {mesh.material.name for mesh in scene.meshes if mesh.material} == {"oak en"}
    files = export_scene(Run(), scene, path=Path(path))
    content = files.contents[0].tobytes()
    if path.endswith("3mf"):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            content = package.read("3D/3dmodel.model")
    text = json.dumps(tree(content), ensure_ascii=False) if path.endswith("glb") else content.decode()
    assert not [letter for letter in text if not letter.isprintable() and letter not in "\n\t"]

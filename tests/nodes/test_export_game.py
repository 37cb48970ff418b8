"""Every engine's folder, file by file: names, pixels, levels, hulls and UVs."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from io_samples import GLTF_CHECK, gltf_reports, noise, textured
from mesh_shapes import moved, together
from PIL import Image as Pictures

from app.engine import BadInput, Credit, Files, Image, Material, Mesh, Run
from app.engine.embedded import read_graph_text
from nodes.io._engines import pascal, snake
from nodes.io.export_game import export_game
from nodes.io.export_obj import export_obj
from nodes.io.load_image import load_image
from nodes.mesh.light_map_uv import light_map_uv
from nodes.mesh.primitives import box, sphere

PHOTO = Credit("wood.jpg", "Jane", "CC BY 4.0")
GRAPH = '{"format": 1}'
PEERS = Path(__file__).parents[2] / ".tools" / "peers"
PYTHON = next((path for path in (PEERS / "bin" / "python", PEERS / "Scripts" / "python.exe") if path.exists()), None)
TARGETS = ("Unreal", "Unity", "Godot", "glTF")


@cache
def duck() -> Mesh:
    even = {"roughness_factor": 1.0, "metallic_factor": 1.0, "base_factor": (1.0, 1.0, 1.0, 1.0)}
    return replace(textured(**even), name="rubber duck_LOD0")


def coarser(segments: int) -> Mesh:
    return replace(sphere(0.5, segments=segments), material=duck().material, name="rubber duck_LOD1")


@cache
def hulls() -> Mesh:
    pair = together(box(), moved(box(), 2, 0, 0))
    return replace(pair, face_groups=np.repeat(np.arange(2, dtype=np.int32), len(pair.faces) // 2))


@cache
def light() -> Mesh:
    return light_map_uv(Run(), duck(), charts="new")[0]


@cache
def exported(target: str, form: str = "PNG") -> dict[str, bytes]:
    run = Run(credits=(PHOTO,), graph_text=GRAPH)
    levels = {"lod1": coarser(8), "lod2": coarser(6)}
    files = export_game(
        run, duck(), **levels, collision=hulls(), light_map=light(), target=target, textures=form, credits_file=False
    )
    return contents(files)


def contents(files: Files) -> dict[str, bytes]:
    return {name: data.tobytes() for name, data in zip(files.names, files.contents, strict=True)}


def tree(data: bytes) -> dict:
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def pixels(data: bytes) -> np.ndarray:
    with Pictures.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))


def bytes_of(image: Image | None) -> np.ndarray:
    assert image is not None
    return np.rint(image.pixels * 255).astype(np.uint8)


def names_in(data: bytes) -> list[str]:
    return [node["name"] for node in tree(data)["nodes"]]


def test_the_whole_folder_for_unreal() -> None:
    files = exported("Unreal")
    assert sorted(files) == sorted([
        "RubberDuck/Meshes/SM_RubberDuck.glb",
        "RubberDuck/Meshes/SM_RubberDuck_LOD1.glb",
        "RubberDuck/Meshes/SM_RubberDuck_LOD2.glb",
        "RubberDuck/Textures/T_RubberDuck_BC.png",
        "RubberDuck/Textures/T_RubberDuck_N.png",
        "RubberDuck/Textures/T_RubberDuck_E.png",
        "RubberDuck/Textures/T_RubberDuck_H.png",
        "RubberDuck/Textures/T_RubberDuck_ORM.png",
        "RubberDuck/IMPORT.txt",
        "RubberDuck/RubberDuck.credits.txt",
    ])  # fmt: skip
    model = files["RubberDuck/Meshes/SM_RubberDuck.glb"]
    assert names_in(model) == ["SM_RubberDuck", "UCX_SM_RubberDuck_00", "UCX_SM_RubberDuck_01"]
    assert names_in(files["RubberDuck/Meshes/SM_RubberDuck_LOD1.glb"]) == ["SM_RubberDuck_LOD1"]
    assert "images" not in tree(model) and [m["name"] for m in tree(model)["materials"]] == ["M_RubberDuck"]


def test_the_whole_folder_for_unity() -> None:
    files = exported("Unity")
    assert sorted(files) == sorted([
        "RubberDuck/Assets/Models/RubberDuck.glb",
        "RubberDuck/Assets/Models/RubberDuck_Colliders.glb",
        "RubberDuck/Assets/Textures/RubberDuck_BaseMap.png",
        "RubberDuck/Assets/Textures/RubberDuck_NormalMap.png",
        "RubberDuck/Assets/Textures/RubberDuck_EmissionMap.png",
        "RubberDuck/Assets/Textures/RubberDuck_HeightMap.png",
        "RubberDuck/Assets/Textures/RubberDuck_MaskMap.png",
        "RubberDuck/IMPORT.txt",
        "RubberDuck/RubberDuck.credits.txt",
    ])  # fmt: skip
    model = files["RubberDuck/Assets/Models/RubberDuck.glb"]
    assert names_in(model) == ["RubberDuck_LOD0", "RubberDuck_LOD1", "RubberDuck_LOD2"]
    assert [m["name"] for m in tree(model)["materials"]] == ["RubberDuck"] and "images" not in tree(model)
    colliders = files["RubberDuck/Assets/Models/RubberDuck_Colliders.glb"]
    assert names_in(colliders) == ["RubberDuck_Collider_00", "RubberDuck_Collider_01"]


def test_the_whole_folder_for_godot() -> None:
    files = exported("Godot")
    assert sorted(files) == sorted([
        "rubber_duck/rubber_duck.glb",
        "rubber_duck/rubber_duck_lod1.glb",
        "rubber_duck/rubber_duck_lod2.glb",
        "rubber_duck/IMPORT.txt",
        "rubber_duck/rubber_duck.credits.txt",
    ])  # fmt: skip
    model = files["rubber_duck/rubber_duck.glb"]
    assert names_in(model) == ["RubberDuck", "RubberDuck_00-convcolonly", "RubberDuck_01-convcolonly"]
    assert len(tree(model)["images"]) == 4


def test_the_whole_folder_for_any_gltf_reader() -> None:
    files = exported("glTF")
    assert sorted(files) == sorted([
        "RubberDuck/RubberDuck.glb",
        "RubberDuck/RubberDuck_LOD1.glb",
        "RubberDuck/RubberDuck_LOD2.glb",
        "RubberDuck/RubberDuck_collision.glb",
        "RubberDuck/IMPORT.txt",
        "RubberDuck/RubberDuck.credits.txt",
    ])  # fmt: skip
    assert names_in(files["RubberDuck/RubberDuck_collision.glb"]) == [f"RubberDuck_collision_0{k}" for k in (0, 1)]


@pytest.mark.parametrize("target", TARGETS)
def test_the_khronos_validator_finds_nothing_in_any_model(target: str, tmp_path: Path) -> None:
    paths = []
    for name, data in exported(target).items():
        if name.endswith(".glb"):
            paths.append(tmp_path / name.replace("/", "_"))
            paths[-1].write_bytes(data)
    for report in gltf_reports(paths):
        assert (report["errors"], report["warnings"]) == (0, 0), (report["file"], report["messages"])


@pytest.mark.parametrize("form", ["PNG", "TGA"])
def test_unreal_gets_green_downward_and_orm_of_the_sources(form: str) -> None:
    files = {Path(name).stem: data for name, data in exported("Unreal", form).items()}
    material = duck().material
    assert material is not None
    normal, given = pixels(files["T_RubberDuck_N"]), bytes_of(material.normal)
    np.testing.assert_array_equal(normal[..., (0, 2)], given[..., (0, 2)])
    assert np.abs(normal[..., 1].astype(int) + given[..., 1] - 255).max() <= 1
    orm = pixels(files["T_RubberDuck_ORM"])
    for channel, image in enumerate((material.occlusion, material.roughness, material.metallic)):
        np.testing.assert_array_equal(orm[..., channel], bytes_of(image)[..., 0])
    np.testing.assert_array_equal(pixels(files["T_RubberDuck_BC"])[..., :3], bytes_of(material.base_colour)[..., :3])
    np.testing.assert_array_equal(pixels(files["T_RubberDuck_H"])[..., 0], bytes_of(material.height)[..., 0])


def test_unity_gets_green_upward_and_a_mask_map_of_the_sources() -> None:
    files = {Path(name).stem: data for name, data in exported("Unity").items()}
    material = duck().material
    assert material is not None
    np.testing.assert_array_equal(pixels(files["RubberDuck_NormalMap"])[..., :3], bytes_of(material.normal)[..., :3])
    mask = pixels(files["RubberDuck_MaskMap"])
    np.testing.assert_array_equal(mask[..., 0], bytes_of(material.metallic)[..., 0])
    np.testing.assert_array_equal(mask[..., 1], bytes_of(material.occlusion)[..., 0])
    assert (mask[..., 2] == 255).all()
    assert np.abs(mask[..., 3].astype(int) + bytes_of(material.roughness)[..., 0] - 255).max() <= 1


def test_dds_textures_are_read_by_another_library_as_the_same_picture(tmp_path: Path) -> None:
    smooth = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 32), np.linspace(0.3, 0.7, 32)), axis=-1)
    grey = Image.of(smooth[..., 0].astype(np.float32), "data")
    material = Material(
        base_colour=Image.of(np.dstack([smooth, smooth[..., 0]]).astype(np.float32)),
        roughness=grey,
        roughness_factor=1.0,
    )
    files = contents(export_game(Run(), replace(duck(), material=material), target="Unity", textures="DDS"))
    for what, expected in (("BaseMap", bytes_of(material.base_colour)), ("MaskMap", None)):
        path = tmp_path / f"{what}.dds"
        path.write_bytes(files[f"RubberDuck/Assets/Textures/RubberDuck_{what}.dds"])
        with Pictures.open(path) as picture:
            seen = np.asarray(picture.convert("RGBA")).astype(int)
        if expected is None:
            assert np.abs(255 - seen[..., 3] - bytes_of(grey)[..., 0]).max() <= 6
        else:
            assert np.abs(seen - expected).max() <= 6


@pytest.mark.parametrize("target", TARGETS)
def test_the_light_map_is_the_second_uv_set_and_cuts_nothing_open(target: str) -> None:
    files = exported(target)
    data = next(data for name, data in files.items() if name.endswith(".glb"))
    document = tree(data)
    primitive = document["meshes"][0]["primitives"][0]
    assert {"TEXCOORD_0", "TEXCOORD_1", "TANGENT", "NORMAL"} <= set(primitive["attributes"])
    binary = data[28 + int.from_bytes(data[12:16], "little") :]

    def read(number: int, width: int, kind: str) -> np.ndarray:
        accessor = document["accessors"][number]
        start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        return np.frombuffer(binary, kind, accessor["count"] * width, start).reshape(-1, width)

    short = document["accessors"][primitive["indices"]]["componentType"] == 5123
    corners = read(primitive["indices"], 1, "<u2" if short else "<u4").ravel()
    second = read(primitive["attributes"]["TEXCOORD_1"], 2, "<f4")[corners]
    places = read(primitive["attributes"]["POSITION"], 3, "<f4")[corners]
    first = read(primitive["attributes"]["TEXCOORD_0"], 2, "<f4")[corners]
    np.testing.assert_array_equal(places, duck().vertices[duck().faces.ravel()])
    np.testing.assert_allclose(first[:, 1], 1 - duck().uv[duck().faces.ravel()][:, 1], atol=1e-6)
    np.testing.assert_allclose(second[:, 0], light().uv[light().faces.ravel()][:, 0], atol=1e-6)
    np.testing.assert_allclose(second[:, 1], 1 - light().uv[light().faces.ravel()][:, 1], atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_the_graph_comes_back_and_the_credits_are_in_every_file(target: str, tmp_path: Path) -> None:
    files = exported(target)
    models = [name for name in files if name.endswith(".glb")]
    path = tmp_path / "a.glb"
    for number, name in enumerate(models):
        assert tree(files[name])["asset"]["copyright"] == '"wood.jpg" by Jane, CC BY 4.0'
        path.write_bytes(files[name])
        assert read_graph_text(path) == (GRAPH if number == 0 else None)
    for name in (name for name in files if name.endswith(".png")):
        (tmp_path / "a.png").write_bytes(files[name])
        run = Run()
        load_image(run, tmp_path / "a.png")
        assert run.said == [PHOTO]
    (text,) = (data.decode() for name, data in files.items() if name.endswith(".credits.txt"))
    assert text.startswith(f"Credits of {'rubber_duck' if target == 'Godot' else 'RubberDuck'}\n\n")


@pytest.mark.parametrize("target", TARGETS)
def test_the_note_speaks_of_what_is_there_and_of_nothing_else(target: str) -> None:
    full = next(data for name, data in exported(target).items() if name.endswith("IMPORT.txt")).decode()
    assert full.startswith(f"RubberDuck for {target}\n\n1. ") and "light map" in full and "LOD" in full.upper()
    bare = Mesh.of(np.eye(3), [[0, 1, 2]], name="3 süße_Enten")
    files = contents(export_game(Run(), bare, target=target))
    short = next(data for name, data in files.items() if name.endswith("IMPORT.txt")).decode()
    assert "light map" not in short and "Level" not in short and "ollision" not in short.replace("glTF", "")
    assert "ORM" not in short and "MaskMap" not in short
    model = next(data for name, data in files.items() if name.endswith(".glb"))
    assert tree(model)["materials"][0]["name"] == ("M_3SusseEnten" if target == "Unreal" else "3SusseEnten")
    assert len(files) == 2 and not any(name.endswith(".credits.txt") for name in files)


@pytest.mark.parametrize(("given", "upper", "lower"), [
    ("rubber duck_LOD0", "RubberDuck", "rubber_duck"),
    ("SM_Barrel", "Barrel", "barrel"),
    ("RubberDuck", "RubberDuck", "rubber_duck"),
    ("Ente süß, 3", "EnteSuss3", "ente_suss3"),
    ("…", "Asset", "asset"),
    ("../con", "Con", "con"),
])  # fmt: skip
def test_names_are_spelled_as_engines_want_them(given: str, upper: str, lower: str) -> None:
    assert (pascal(given), snake(given)) == (upper, lower)


def test_a_level_with_other_textures_keeps_them() -> None:
    other = replace(coarser(6), material=Material("card", base_colour=noise(7, space="srgb")))
    files = contents(export_game(Run(), duck(), coarser(8), other, target="Unreal"))
    assert "RubberDuck/Textures/T_RubberDuck_LOD2_BC.png" in files
    assert tree(files["RubberDuck/Meshes/SM_RubberDuck_LOD2.glb"])["materials"][0]["name"] == "M_RubberDuck_LOD2"
    assert tree(files["RubberDuck/Meshes/SM_RubberDuck_LOD1.glb"])["materials"][0]["name"] == "M_RubberDuck"


def test_textures_shrink_and_factors_are_multiplied_in() -> None:
    white = Image.of(np.ones((64, 64, 3), np.float32))
    material = Material(
        base_colour=white, base_factor=(1.0, 0.0, 0.0, 1.0), roughness_factor=0.25, metallic=noise(2, channels=1)
    )
    mesh = replace(duck(), material=material)
    files = contents(export_game(Run(), mesh, target="Unreal", texture_size="256"))
    assert pixels(files["RubberDuck/Textures/T_RubberDuck_BC.png"]).shape == (64, 64, 4)
    assert (pixels(files["RubberDuck/Textures/T_RubberDuck_BC.png"])[0, 0] == (255, 0, 0, 255)).all()
    orm = pixels(files["RubberDuck/Textures/T_RubberDuck_ORM.png"])
    assert (orm[..., 0] == 255).all() and (orm[..., 1] == 64).all()
    large = replace(material, base_colour=Image.of(np.ones((512, 256, 3), np.float32)))
    small = contents(export_game(Run(), replace(mesh, material=large), target="Unreal", texture_size="256"))
    assert pixels(small["RubberDuck/Textures/T_RubberDuck_BC.png"]).shape[:2] == (256, 128)


def test_a_light_map_of_another_mesh_is_refused() -> None:
    for wrong in (sphere(0.5, segments=8), replace(light(), uv=None), moved(light(), 1, 0, 0)):
        with pytest.raises(BadInput, match="same faces"):
            export_game(Run(), duck(), light_map=wrong)


def test_textures_inside_the_model_are_png_whatever_is_asked() -> None:
    run = Run()
    export_game(run, duck(), target="Godot", textures="DDS")
    assert run.notes[0] == "glTF has no place for height: left out." and "inside the GLB" in run.notes[1]


def test_blender_sees_the_levels_hulls_and_both_layouts_under_their_names(tmp_path: Path) -> None:
    if PYTHON is None:
        pytest.skip("needs Blender: make peers")
    models = [("Unreal", "RubberDuck/Meshes/SM_RubberDuck.glb"), ("Unity", "RubberDuck/Assets/Models/RubberDuck.glb")]
    paths = [tmp_path / f"{target}.glb" for target, _ in models]
    for path, (target, name) in zip(paths, models, strict=True):
        path.write_bytes(exported(target)[name])
    command = [str(PYTHON), str(GLTF_CHECK / "blender_reads.py"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    unreal, unity = (json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("REPORT"))
    things = unreal["objects"]
    assert {name: thing["faces"] for name, thing in things.items()} == {
        "SM_RubberDuck": len(duck().faces),
        "UCX_SM_RubberDuck_00": len(box().faces),
        "UCX_SM_RubberDuck_01": len(box().faces),
    }
    assert things["SM_RubberDuck"]["uv"] == 2 and list(unreal["materials"]) == ["M_RubberDuck"]
    low, high = duck().bounds
    np.testing.assert_allclose(things["SM_RubberDuck"]["corners"], [low, high], atol=1e-5)
    assert {name: thing["faces"] for name, thing in unity["objects"].items()} == {
        f"RubberDuck_LOD{k}": len(mesh.faces) for k, mesh in enumerate((duck(), coarser(8), coarser(6)))
    }
    assert list(unity["materials"]) == ["RubberDuck"] and not unity["images"]


def test_in_godot_a_mesh_may_be_its_own_body() -> None:
    run = Run()
    files = contents(export_game(run, duck(), target="Godot", mesh_collides=True))
    assert names_in(files["rubber_duck/rubber_duck.glb"]) == ["RubberDuck-col"]
    assert run.notes == ["glTF has no place for height: left out."]
    assert b"RubberDuck-col becomes a static body" in files["rubber_duck/IMPORT.txt"]
    hulled = contents(export_game(run, duck(), collision=hulls(), target="Godot", mesh_collides=True))
    assert names_in(hulled["rubber_duck/rubber_duck.glb"])[0] == "RubberDuck"
    export_game(run, duck(), target="Unreal", mesh_collides=True)
    assert "Only Godot" in run.notes[1]


def test_a_name_without_latin_letters_is_said_to_be_replaced() -> None:
    run = Run()
    files = export_game(run, box(), name="木の椅子")
    assert any(name.endswith("SM_Asset.glb") for name in files.names) and "木の椅子 is called Asset" in run.notes[0]
    named = Run()
    export_game(named, box(), name="Größe 木")
    assert not named.notes


@pytest.mark.parametrize("export", [export_game, export_obj])
def test_the_strength_of_maps_is_in_files_that_have_no_number_for_it(export) -> None:
    """An object picked from a scene may say that its normal map counts for nothing and its occlusion for a half."""
    lean, dark = Image.of(np.full((4, 4, 3), (0.8, 0.5, 0.9)), "data"), Image.of(np.zeros((4, 4, 3)), "data")
    look = Material("m", normal=lean, normal_scale=0.0, occlusion=dark, occlusion_strength=0.5)
    files = contents(export(Run(), replace(box(), material=look)))
    found = {name.lower(): Pictures.open(io.BytesIO(data)) for name, data in files.items() if name.endswith(".png")}
    normal = next(np.asarray(p) for name, p in found.items() if name.endswith(("_n.png", "_normal.png")))
    shade = next(np.asarray(p) for name, p in found.items() if name.endswith(("_orm.png", "_occlusion.png")))
    assert np.abs(normal.reshape(-1, 3).astype(int) - (128, 128, 255)).max() <= 1
    assert np.abs((shade if shade.ndim == 2 else shade[..., 0]).astype(int) - 128).max() <= 1

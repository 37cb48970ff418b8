import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import (
    bytes_of,
    coloured,
    full_material,
    gltf_reports,
    noise,
    plain,
    same_geometry,
    textured,
    tiny,
    write,
)
from PIL import Image as Pictures

from app.engine import BadInput, Image, Material, Mesh, Run
from app.engine.embedded import read_graph_text
from nodes.io._tangents import with_tangents
from nodes.io._textures import colour_bytes, grey_bytes
from nodes.io.export_glb import export_glb
from nodes.io.load_mesh import load_mesh
from nodes.mesh.primitives import box, plane, sphere

GRAPH = '{"format": 1, "note": "Größe \\"✓\\" </script>"}'


def mirrored() -> Mesh:
    """A plane whose left half shows the right half of its texture, on shared vertices."""
    sheet = plane(1, 1, 4)
    u = np.abs(sheet.uv[:, 0] - 0.5) * 2
    return replace(sheet, uv=np.stack([u, sheet.uv[:, 1]], axis=1).astype(np.float32), material=full_material())


def broken_normals() -> Mesh:
    ball = textured()
    normals = ball.normals.copy()
    normals[0], normals[1], normals[2] = 0, np.nan, 17
    return replace(ball, normals=normals)


def without_uv_area() -> Mesh:
    return replace(textured(), uv=np.full_like(textured().uv, 0.5))


CASES = {
    "plain": plain,
    "tiny": tiny,
    "all maps": textured,
    "vertex colours": coloured,
    "blend": lambda: textured(alpha_mode="blend", base_colour=noise(1, channels=4, space="srgb")),
    "mask": lambda: textured(alpha_mode="mask", double_sided=True),
    "strong glow": lambda: textured(emissive_factor=(8.0, 4.0, 0.0)),
    "only occlusion": lambda: replace(textured(), material=Material(occlusion=noise(1, channels=1))),
    "factors outside their range": lambda: textured(metallic_factor=1.5, base_factor=(2.0, -1.0, 0.5, 1.0)),
    "factors that are no numbers": lambda: textured(
        metallic_factor=np.nan, base_factor=(np.nan, np.inf, 0.5, 1.0), emissive_factor=(np.inf, np.nan, 1.0)
    ),
    "strengths and layers outside their range": lambda: textured(
        occlusion_strength=5.0,
        normal_scale=-2.0,
        layers=(("clearcoat.clearcoatFactor", 7.0), ("ior.ior", 0.4), ("transmission.transmissionFactor", -0.5)),
    ),
    "layers on what is unlit": lambda: textured(unlit=True, layers=(("clearcoat.clearcoatFactor", 1.0),)),
    "maps on second uvs that are not there": lambda: textured(second_uv=("occlusion",)),
    "maps without uv": lambda: replace(textured(), uv=None),
    "mirrored uv": mirrored,
    "uv without area": without_uv_area,
    "broken normals": broken_normals,
    "more than 65,535 vertices": lambda: sphere(0.5, segments=400),
    "foreign letters": lambda: replace(textured(name='Ma"té\\ri✓'), name="Körper\n\t\0 ✓"),
    "zero-area faces": lambda: Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 2], [0, 0, 1], [3, 0, 0]]),
    "unused vertices": lambda: Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]], [[0, 1, 2]]),
}


def glb(mesh: Mesh, graph: str = "", **options: object) -> bytes:
    return export_glb(Run(graph_text=graph), mesh, **options).contents[0].tobytes()


def tree(data: bytes) -> dict:
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def pictures(data: bytes) -> dict[str, Pictures.Image]:
    found, body = tree(data), data[28 + int.from_bytes(data[12:16], "little") :]
    return {
        image["name"]: Pictures.open(io.BytesIO(body[v["byteOffset"] : v["byteOffset"] + v["byteLength"]]))
        for image in found.get("images", [])
        for v in [found["bufferViews"][image["bufferView"]]]
    }


def test_the_khronos_validator_finds_neither_errors_nor_warnings(tmp_path):
    names = {}
    for number, (name, make) in enumerate(CASES.items()):
        for kind in ("PNG", "JPEG"):
            path = tmp_path / f"{number}{kind}.glb"
            path.write_bytes(glb(make(), GRAPH, colour_format=kind))
            names[str(path)] = f"{name}, {kind}"
    for report in gltf_reports(list(map(Path, names))):
        assert (report["errors"], report["warnings"]) == (0, 0), (names[report["file"]], report["messages"])


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("mirrored uv", "broken normals")])
def test_reading_it_back_gives_the_same_mesh(tmp_path, name):
    mesh = CASES[name]()
    path = write(export_glb(Run(), mesh), tmp_path)
    back = load_mesh(Run(), path, merge=False)
    same_geometry(back, mesh)
    if mesh.normals is not None:
        assert back.normals.tobytes() == mesh.normals.tobytes()
    if mesh.uv is not None:
        np.testing.assert_allclose(back.uv, mesh.uv, atol=1e-7)
    if mesh.colours is not None:
        np.testing.assert_allclose(back.colours, mesh.colours, atol=2e-4)
        assert (np.rint(back.colours * 255) == np.rint(mesh.colours * 255)).all()


def test_the_material_comes_back_with_the_same_bytes(tmp_path):
    mesh = textured(alpha_mode="blend", base_colour=noise(1, channels=4, space="srgb"), double_sided=True)
    material = load_mesh(Run(), write(export_glb(Run(), mesh), tmp_path)).material
    for name in ("base_colour", "normal", "metallic", "roughness", "occlusion", "emissive"):
        one, two = getattr(mesh.material, name), getattr(material, name)
        assert (bytes_of(one), one.space) == (bytes_of(two), two.space), name
    for name in (
        "name",
        "base_factor",
        "metallic_factor",
        "roughness_factor",
        "emissive_factor",
        "alpha_mode",
        "double_sided",
    ):
        assert getattr(material, name) == getattr(mesh.material, name), name
    assert material.height is None


def test_an_independent_reader_sees_the_same(tmp_path):
    mesh = textured()
    (other,) = trimesh.load_scene(write(export_glb(Run(), mesh), tmp_path), process=False).geometry.values()
    assert other.vertices.astype(np.float32).tobytes() == mesh.vertices.tobytes()
    assert (other.faces == mesh.faces).all()
    np.testing.assert_allclose(other.visual.uv, mesh.uv, atol=1e-6)
    np.testing.assert_allclose(other.vertex_normals, mesh.normals, atol=1e-6)
    packed = np.asarray(other.visual.material.metallicRoughnessTexture)
    for channel, name in enumerate(("occlusion", "roughness", "metallic")):
        assert (
            packed[..., channel].tobytes()
            == np.rint(getattr(mesh.material, name).pixels[..., 0] * 255).astype(np.uint8).tobytes()
        )


def test_the_graph_travels_along(tmp_path):
    assert read_graph_text(write(export_glb(Run(graph_text=GRAPH), tiny()), tmp_path)) == GRAPH
    assert read_graph_text(write(export_glb(Run(), tiny()), tmp_path)) is None
    assert tree(glb(tiny()))["asset"] == {"version": "2.0", "generator": "Polyloom"}


def test_pictures_are_as_small_as_asked():
    mesh = replace(textured(), material=full_material(base_colour=noise(1, (64, 16), space="srgb"), occlusion=None))
    small = replace(mesh, material=replace(mesh.material, roughness=noise(1, (2048, 512), 1)))
    sizes = {name: picture.size for name, picture in pictures(glb(small, texture_size="256")).items()}
    assert sizes == {"base_colour": (64, 16), "orm": (256, 64), "normal": (24, 16), "emissive": (24, 16)}


def test_pictures_shrink_as_what_they_hold():
    """Black and white in turn is half the light (188 of 255 in sRGB); normals left and right in turn point up."""
    turns = np.indices((8, 8)).sum(axis=0)[..., None] % 2
    colour = Image.of(np.repeat(turns.astype(np.float32), 3, axis=2))
    lean = np.where(turns, np.float32((0.8, 0.5, 0.9)), np.float32((0.2, 0.5, 0.9)))
    made = Material(base_colour=colour, normal=Image.of(lean, "data"), roughness=Image.of(turns[..., 0] * 1.0, "data"))
    sized = {"base_colour": colour_bytes(colour, 4, False), "normal": colour_bytes(made.normal, 4, False, normal=True)}
    assert np.abs(sized["base_colour"].astype(int) - 188).max() <= 1
    assert np.abs(sized["normal"].astype(int) - (128, 128, 255)).max() <= 1
    assert np.abs(grey_bytes(made.roughness, 4).astype(int) - 128).max() <= 1


def test_jpeg_is_used_for_colours_only_and_never_loses_alpha():
    kinds = {name: picture.format for name, picture in pictures(glb(textured(), colour_format="JPEG")).items()}
    assert kinds == {"base_colour": "JPEG", "orm": "PNG", "normal": "PNG", "emissive": "JPEG"}
    clear = textured(alpha_mode="blend", base_colour=noise(1, channels=4, space="srgb"))
    assert pictures(glb(clear, colour_format="JPEG"))["base_colour"].mode == "RGBA"


def test_alpha_that_nobody_sees_is_left_out():
    assert pictures(glb(textured(base_colour=noise(1, channels=4, space="srgb"))))["base_colour"].mode == "RGB"
    assert pictures(glb(textured(alpha_mode="blend")))["base_colour"].mode == "RGB"


def test_smooth_normals_are_written_where_the_mesh_has_none(tmp_path):
    ball = sphere(0.5)
    back = load_mesh(Run(), write(export_glb(Run(), replace(ball, normals=None)), tmp_path), merge=False)
    assert np.einsum("ij,ij->i", back.normals, ball.normals).min() > 0.999


def test_indices_are_short_where_they_can_be():
    def component(mesh: Mesh) -> int:
        found = tree(glb(mesh))
        return found["accessors"][found["meshes"][0]["primitives"][0]["indices"]]["componentType"]

    def strip(count: int) -> Mesh:
        return Mesh.of(np.random.default_rng(0).random((count, 3)), [[0, 1, count - 1]])

    assert component(strip(65535)) == 5123
    assert component(strip(65536)) == 5125


def test_tangents_follow_u_and_keep_square_to_the_normals():
    ball = sphere(0.5, segments=64)
    mesh, tangents = with_tangents(ball)
    assert len(mesh.vertices) == len(ball.vertices) and (tangents[:, 3] == 1).all()
    np.testing.assert_allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.einsum("ij,ij->i", tangents[:, :3], mesh.normals), 0, atol=1e-6)
    angle = (mesh.uv[:, 0] + 0.25) * 2 * np.pi
    east = np.stack([-np.sin(angle), np.zeros(len(angle)), -np.cos(angle)], axis=1)
    assert np.einsum("ij,ij->i", east, tangents[:, :3]).min() > 0.99
    up = np.cross(mesh.normals, tangents[:, :3])
    belt = np.abs(mesh.normals[:, 1]) < 0.5
    assert up[belt, 1].min() > 0.8


def test_tangents_on_a_box_are_exactly_the_directions_of_u():
    mesh, tangents = with_tangents(box(1, 2, 3))
    for corners in mesh.faces:
        u = mesh.uv[corners].astype(np.float64)
        p = mesh.vertices[corners].astype(np.float64)
        solved = np.linalg.solve(u[1:] - u[0], p[1:] - p[0])
        np.testing.assert_allclose(solved[0] / np.linalg.norm(solved[0]), tangents[corners[0], :3], atol=1e-6)
        bitangent = np.cross(mesh.normals[corners[0]], tangents[corners[0], :3]) * tangents[corners[0], 3]
        np.testing.assert_allclose(solved[1] / np.linalg.norm(solved[1]), bitangent, atol=1e-6)


def test_mirrored_faces_get_vertices_of_their_own():
    sheet = mirrored()
    mesh, tangents = with_tangents(sheet)
    assert len(mesh.vertices) == len(sheet.vertices) + 5
    assert mesh.vertices[mesh.faces].tobytes() == sheet.vertices[sheet.faces].tobytes()
    assert mesh.uv[mesh.faces].tobytes() == sheet.uv[sheet.faces].tobytes()
    left = mesh.vertices[mesh.faces][..., 0].mean(axis=1) < 0
    assert (tangents[mesh.faces[left], 3] == -1).all() and (tangents[mesh.faces[~left], 3] == 1).all()
    np.testing.assert_allclose(
        tangents[mesh.faces[left], :3], np.broadcast_to([-1, 0, 0], (left.sum(), 3, 3)), atol=1e-6
    )


def test_inputs_never_change():
    mesh = broken_normals()
    before = (mesh.normals.tobytes(), mesh.uv.tobytes(), mesh.vertices.tobytes())
    first, second = glb(mesh), glb(mesh)
    assert (mesh.normals.tobytes(), mesh.uv.tobytes(), mesh.vertices.tobytes()) == before
    assert first == second


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        (Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))), "no faces"),
        (Mesh.of([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]), "1 vertices"),
        (Mesh.of(np.eye(3), [[0, 1, 2]], uv=np.full((3, 2), np.inf, np.float32)), "3 UVs"),
    ],
)
def test_what_cannot_be_written_is_said_in_words(mesh, words):
    with pytest.raises(BadInput, match=words) as error:
        glb(mesh)
    assert error.value.advice


def test_it_shows_the_mesh_and_keeps_the_name_that_was_asked():
    files = export_glb(Run(), tiny(), Path("sub folder/näme.glb"))
    assert files.names == ("sub folder/näme.glb",)
    assert isinstance(files.shows, Mesh)


def test_a_one_pixel_texture_is_fine(tmp_path):
    mesh = textured(base_colour=Image.of(np.full((1, 1, 3), 255, np.uint8)))
    assert load_mesh(Run(), write(export_glb(Run(), mesh), tmp_path)).material.base_colour.size == (1, 1)


def test_what_glb_cannot_hold_is_said_and_what_it_can_stays():
    run = Run()
    plain = Material(base_factor=(0.2, 0.4, 0.6, 1.0), layers=(("clearcoat.clearcoatFactor", 0.5), ("ior.ior", 0.0)))
    export_glb(run, replace(textured(), material=plain))
    assert run.notes == []
    export_glb(run, replace(textured(), material=replace(plain, unlit=True)))
    assert run.notes == ["A surface that is shown without light has no clearcoat, ior: left out."]


def test_a_height_map_is_said_to_be_left_out():
    run = Run()
    export_glb(run, textured(height=noise(1, channels=1)))
    assert run.notes == ["glTF has no place for height: left out."]
    plain_run = Run()
    export_glb(plain_run, plain())
    assert not plain_run.notes

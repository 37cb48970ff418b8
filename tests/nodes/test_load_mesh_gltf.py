import base64
import json
import struct

import numpy as np
import pytest
from io_samples import bytes_of, load, noise, refused, solid, textured, write
from PIL import Image as Pictures

from app.engine import Run
from nodes.io.export_glb import export_glb
from nodes.io.load_mesh import load_mesh

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
INDICES = np.array([0, 1, 2, 0, 2, 3], np.uint16)
KINDS = {"float32": 5126, "uint16": 5123, "uint8": 5121, "uint32": 5125, "int8": 5120, "int16": 5122}


class Scene:
    """A small glTF document under construction: one quad, to be bent by each test."""

    def __init__(self, indices: np.ndarray | None = INDICES, **attributes: np.ndarray) -> None:
        self.data = b""
        self.tree: dict = {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": []}
        arrays = {"POSITION": POINTS, **attributes}
        primitive = {"attributes": {name: self.add(array) for name, array in arrays.items()}}
        if indices is not None:
            primitive["indices"] = self.add(indices[:, None])
        self.primitive = primitive
        self.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}], "scenes": [{"nodes": [0]}]}

    def add(self, array: np.ndarray, **extra: object) -> int:
        width = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[array.shape[1]]
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes})
        entry = {"componentType": KINDS[array.dtype.name], "count": len(array), "type": width}
        self.tree["accessors"].append({"bufferView": len(self.tree["bufferViews"]) - 1, **entry, **extra})
        self.data += array.tobytes() + bytes(-array.nbytes % 4)
        return len(self.tree["accessors"]) - 1

    def glb(self) -> bytes:
        text = json.dumps(self.tree | {"buffers": [{"byteLength": len(self.data)}]}).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sIII4s", b"glTF", 2, 28 + len(text) + len(self.data), len(text), b"JSON")
        return head + text + struct.pack("<I4s", len(self.data), b"BIN\0") + self.data

    def gltf(self, uri: str | None = None) -> str:
        inside = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        return json.dumps(self.tree | {"buffers": [{"byteLength": len(self.data), "uri": uri or inside}]})


def png(folder, name: str, seed: int, channels: int = 3) -> str:
    Pictures.fromarray(np.rint(noise(seed, channels=channels).pixels * 255).astype(np.uint8)).save(folder / name)
    return name


def test_both_forms_and_an_outer_buffer(tmp_path):
    scene = Scene()
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data" / "a.bin").write_bytes(scene.data)
    for name, content in (("a.glb", scene.glb()), ("a.gltf", scene.gltf()), ("b.gltf", scene.gltf("my%20data/a.bin"))):
        mesh, notes = load(tmp_path, name, content)
        assert mesh.vertices.tobytes() == POINTS.tobytes() and mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
        assert not notes and mesh.material is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_index_kinds(tmp_path, kind):
    assert solid(load(tmp_path, "a.glb", Scene(INDICES.astype(kind)).glb())[0]).area == 1


@pytest.mark.parametrize(
    ("mode", "order"), [(5, [0, 1, 3, 2]), (6, [0, 1, 2, 3]), (5, [0, 1, 3, 2, 2, 2]), (4, [0, 1, 2, 0, 2, 3, 1])]
)
def test_strips_and_fans(tmp_path, mode, order):
    scene = Scene(np.array(order, np.uint16))
    scene.primitive["mode"] = mode
    mesh = solid(load(tmp_path, "a.glb", scene.glb())[0])
    assert mesh.area == 1 and (mesh.face_normals[mesh.area_faces > 0] == [0, 0, 1]).all()


def test_no_indices(tmp_path):
    scene = Scene(None)
    scene.primitive["attributes"]["POSITION"] = scene.add(POINTS[INDICES])
    assert solid(load(tmp_path, "a.glb", scene.glb())[0]).area == 1


def test_lines_and_points_are_left_out_with_a_remark(tmp_path):
    scene = Scene()
    scene.tree["meshes"][0]["primitives"].append({**scene.primitive, "mode": 1})
    mesh, notes = load(tmp_path, "a.glb", scene.glb())
    assert len(mesh.faces) == 2 and "lines" in notes[0]


def test_node_transforms(tmp_path):
    scene = Scene(NORMAL=np.array([[0, 0, 1]] * 4, np.float32))
    half = float(np.sqrt(0.5))
    scene.tree["nodes"] = [
        {"children": [1], "translation": [10, 0, 0]},
        {"mesh": 0, "rotation": [0, half, 0, half], "scale": [2, 3, 1]},
    ]
    mesh, _ = load(tmp_path, "a.glb", scene.glb())
    np.testing.assert_allclose(mesh.vertices, [[10, 0, 0], [10, 0, -2], [10, 3, -2], [10, 3, 0]], atol=1e-6)
    np.testing.assert_allclose(mesh.normals, [[1, 0, 0]] * 4, atol=1e-6)
    matrix = np.array([[1, 0, 0, 5], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
    scene.tree["nodes"] = [{"mesh": 0, "matrix": matrix.T.ravel().tolist()}]
    mesh, _ = load(tmp_path, "a.glb", scene.glb())
    np.testing.assert_allclose(mesh.vertices, [[5, 0, 0], [6, 0, 0], [6, 0, 1], [5, 0, 1]], atol=1e-6)


def test_a_mirrored_node_stays_outward(tmp_path):
    scene = Scene(NORMAL=np.array([[0, 0, 1]] * 4, np.float32))
    scene.tree["nodes"][0]["scale"] = [-1, 1, 1]
    mesh, _ = load(tmp_path, "a.glb", scene.glb())
    assert (solid(mesh).face_normals == [0, 0, 1]).all() and (mesh.normals == [0, 0, 1]).all()


def test_uneven_scale_turns_normals_the_right_way(tmp_path):
    slope = np.array([[1, 1, 0]] * 4, np.float32) / np.float32(np.sqrt(2))
    scene = Scene(NORMAL=slope)
    scene.tree["nodes"][0]["scale"] = [2, 1, 1]
    np.testing.assert_allclose(load(tmp_path, "a.glb", scene.glb())[0].normals, [[1, 2, 0] / np.sqrt(5)] * 4, atol=1e-6)


def test_a_mesh_used_twice_comes_twice_and_circles_end(tmp_path):
    scene = Scene()
    scene.tree["nodes"] = [{"mesh": 0, "children": [1]}, {"mesh": 0, "translation": [3, 0, 0], "children": [0, 1]}]
    mesh, _ = load(tmp_path, "a.glb", scene.glb())
    assert solid(mesh).area == 2 and mesh.face_groups.tolist() == [0, 0, 1, 1]


def test_without_scenes_the_roots_are_shown(tmp_path):
    scene = Scene()
    del scene.tree["scenes"]
    scene.tree["nodes"] = [{"mesh": 0}, {"children": [0], "scale": [2, 2, 2]}]
    assert solid(load(tmp_path, "a.glb", scene.glb())[0]).area == 4


def test_quantised_interleaved_and_sparse_arrays(tmp_path):
    scene = Scene()
    packed = np.zeros((4, 4), np.int16)
    packed[:, :3] = np.rint(POINTS * 32767)
    scene.primitive["attributes"]["POSITION"] = scene.add(packed, normalized=True)
    scene.tree["accessors"][-1]["type"] = "VEC3"
    scene.tree["bufferViews"][-1]["byteStride"] = 8
    scene.tree["extensionsRequired"] = ["KHR_mesh_quantization"]
    np.testing.assert_array_equal(load(tmp_path, "a.glb", scene.glb())[0].vertices, POINTS)
    scene = Scene()
    view = len(scene.tree["bufferViews"])
    scene.add(np.array([[2]], np.uint8))
    scene.add(np.array([[5, 5, 5]], np.float32))
    scene.tree["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": view, "componentType": 5121},
        "values": {"bufferView": view + 1},
    }
    assert load(tmp_path, "a.glb", scene.glb())[0].vertices[2].tolist() == [5, 5, 5]


@pytest.mark.parametrize("colours", [
    np.array([[1, 0.5, 0]] * 4, np.float32),
    np.array([[1, 0.5, 0, 0.25]] * 4, np.float32),
    np.array([[65535, 32768, 0, 16384]] * 4, np.uint16),
])  # fmt: skip
def test_vertex_colours_become_srgb(tmp_path, colours):
    scene = Scene()
    scene.primitive["attributes"]["COLOR_0"] = scene.add(colours, normalized=colours.dtype.kind == "u")
    mesh, _ = load(tmp_path, "a.glb", scene.glb())
    alpha = 1.0 if colours.shape[1] == 3 else 0.25
    np.testing.assert_allclose(mesh.colours, [[1, 0.7353569, 0, alpha]] * 4, atol=2e-5)


class TestMaterials:
    def scene(self, folder, **material: object) -> Scene:
        scene = Scene(TEXCOORD_0=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32))
        scene.primitive["material"] = 0
        scene.tree["materials"] = [material]
        scene.tree["images"] = [{"uri": png(folder, f"{k}.png", k)} for k in range(3)]
        scene.tree["textures"] = [{"source": k} for k in range(3)]
        return scene

    def test_packed_maps_are_parted(self, tmp_path):
        pbr = {"baseColorTexture": {"index": 0}, "metallicRoughnessTexture": {"index": 1}, "roughnessFactor": 0.5}
        scene = self.scene(
            tmp_path, pbrMetallicRoughness=pbr, occlusionTexture={"index": 1}, normalTexture={"index": 2},
            emissiveTexture={"index": 0}, emissiveFactor=[1, 1, 0.5], doubleSided=True, alphaMode="MASK", name="m",
        )  # fmt: skip
        mesh, notes = load(tmp_path, "a.gltf", scene.gltf())
        material, packed = mesh.material, noise(1).pixels
        assert not notes and (material.name, material.alpha_mode, material.double_sided) == ("m", "mask", True)
        for name, channel in (("occlusion", 0), ("roughness", 1), ("metallic", 2)):
            image = getattr(material, name)
            assert image.space == "data" and (image.pixels[..., :3] == packed[..., channel, None]).all(), name
        assert bytes_of(material.base_colour) == bytes_of(noise(0)) and material.base_colour.space == "srgb"
        assert bytes_of(material.normal) == bytes_of(noise(2)) and material.normal.space == "data"
        assert (material.roughness_factor, material.metallic_factor) == (0.5, 1.0)
        assert material.emissive_factor == (1, 1, 0.5)
        np.testing.assert_array_equal(mesh.uv, [[0, 1], [1, 1], [1, 0], [0, 0]])

    def test_strengths_and_scales(self, tmp_path):
        scene = self.scene(
            tmp_path, occlusionTexture={"index": 1, "strength": 0.5}, normalTexture={"index": 2, "scale": 0.0},
            emissiveFactor=[1, 0, 0], extensions={"KHR_materials_emissive_strength": {"emissiveStrength": 4}},
        )  # fmt: skip
        material = load(tmp_path, "a.gltf", scene.gltf())[0].material
        np.testing.assert_allclose(material.occlusion.pixels[..., 0], 0.5 + noise(1).pixels[..., 0] / 2, atol=1e-6)
        np.testing.assert_allclose(np.abs(material.normal.pixels[..., :2] - 0.5), 0, atol=1e-6)
        assert material.emissive_factor == (4, 0, 0)

    def test_texture_transforms_move_the_uvs(self, tmp_path):
        move = {"offset": [0.5, 0.25], "scale": [2, 3], "rotation": np.pi / 2}
        place = {"index": 0, "extensions": {"KHR_texture_transform": move}}
        scene = self.scene(tmp_path, pbrMetallicRoughness={"baseColorTexture": place})
        mesh, _ = load(tmp_path, "a.gltf", scene.gltf())
        down = np.array([[0.5, 0.25], [0.5, -1.75], [3.5, -1.75], [3.5, 0.25]])
        np.testing.assert_allclose(mesh.uv, down * (1, -1) + (0, 1), atol=1e-6)

    def test_the_second_uv_set(self, tmp_path):
        scene = self.scene(tmp_path, pbrMetallicRoughness={"baseColorTexture": {"index": 0, "texCoord": 1}})
        scene.primitive["attributes"]["TEXCOORD_1"] = scene.add(np.full((4, 2), 0.25, np.float32))
        assert (load(tmp_path, "a.gltf", scene.gltf())[0].uv == [0.25, 0.75]).all()

    def test_specular_glossiness_is_read_near_enough(self, tmp_path):
        gloss = {"diffuseFactor": [1, 0, 0, 1], "glossinessFactor": 0.75, "diffuseTexture": {"index": 0}}
        scene = self.scene(tmp_path, extensions={"KHR_materials_pbrSpecularGlossiness": gloss})
        material = load(tmp_path, "a.gltf", scene.gltf())[0].material
        assert material.base_factor == (1, 0, 0, 1) and material.roughness_factor == 0.25
        assert material.metallic_factor == 0 and material.base_colour is not None

    @pytest.mark.parametrize(
        "uri", ["../0.png", "/etc/passwd", "http://example.org/0.png", "file:///0.png", "%2e%2e/0.png"]
    )
    def test_pictures_elsewhere_are_left_out_with_a_remark(self, tmp_path, uri):
        (tmp_path / "in").mkdir()
        scene = self.scene(tmp_path, pbrMetallicRoughness={"baseColorTexture": {"index": 0}})
        scene.tree["images"][0]["uri"] = uri
        mesh, notes = load(tmp_path / "in", "a.gltf", scene.gltf())
        assert mesh.material.base_colour is None and "left out" in notes[0]

    def test_embedded_pictures(self, tmp_path):
        inside = base64.b64encode((tmp_path / png(tmp_path, "x.png", 5)).read_bytes()).decode()
        scene = self.scene(tmp_path, pbrMetallicRoughness={"baseColorTexture": {"index": 0}})
        scene.tree["images"][0]["uri"] = "data:image/png;base64," + inside
        assert bytes_of(load(tmp_path, "a.gltf", scene.gltf())[0].material.base_colour) == bytes_of(noise(5))

    def test_a_broken_embedded_picture_is_left_out(self, tmp_path):
        data = bytearray(write(export_glb(Run(), textured()), tmp_path).read_bytes())
        at = data.index(b"\x89PNG")
        data[at : at + 40] = bytes(40)
        mesh, notes = load(tmp_path, "b.glb", bytes(data))
        assert mesh.material.base_colour is None and "left out" in notes[0]


@pytest.mark.parametrize(
    "uri", ["../a.bin", "/a.bin", "http://example.org/a.bin", "..%2fa.bin", "in\0.bin", "absent.bin"]
)
def test_buffers_elsewhere_are_refused(tmp_path, uri):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.bin").write_bytes(Scene().data)
    refused(tmp_path / "in", "a.gltf", Scene().gltf(uri))


def change(path: str, value: object):
    def apply(tree: dict) -> None:
        *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
        for word in way:
            tree = tree[word]
        tree[last] = value

    return apply


@pytest.mark.parametrize(
    "harm",
    [
        change("asset.version", "1.0"),
        change("asset", None),
        change("scenes.0.nodes", [7]),
        change("scenes.0.nodes", "abc"),
        change("scene", -1),
        change("nodes.0.mesh", "x"),
        change("nodes.0.matrix", [1, 2, 3]),
        change("nodes.0.scale", ["a", 1, 1]),
        change("nodes.0.rotation", None),
        change("meshes.0.primitives", [3]),
        change("meshes.0.primitives.0.material", 4),
        change("meshes.0.primitives.0.indices", 99),
        change("meshes.0.primitives.0.attributes", {"POSITION": 1}),
        change("meshes.0.primitives.0.attributes.NORMAL", 1),
        change("accessors.0.count", 10**12),
        change("accessors.0.count", -1),
        change("accessors.0.count", 5),
        change("accessors.0.type", "VEC9"),
        change("accessors.0.componentType", 1),
        change("accessors.0.byteOffset", 1.5),
        change("accessors.0.bufferView", True),
        change("accessors.0", {"count": 10**12, "componentType": 5126, "type": "VEC3"}),
        change("bufferViews.0.byteLength", 10**12),
        change("bufferViews.0.byteOffset", -4),
        change("bufferViews.0.byteStride", 10**9),
        change("bufferViews.0.buffer", 1),
        change("extensionsRequired", ["KHR_texture_basisu"]),
        change("extensionsRequired", ["EXT_of_tomorrow"]),
    ],
)
def test_a_document_that_lies_is_refused_in_words(tmp_path, harm):
    scene = Scene()
    harm(scene.tree)
    refused(tmp_path, "a.glb", scene.glb())


def test_faces_that_name_missing_vertices(tmp_path):
    assert "1 of 2 faces" in refused(tmp_path, "a.glb", Scene(np.array([0, 1, 2, 0, 2, 9], np.uint16)).glb())


@pytest.mark.parametrize("cut", [5, 12, 19, 21, 100, -1, -40])
def test_cut_short(tmp_path, cut):
    refused(tmp_path, "a.glb", Scene().glb()[:cut])


def test_a_file_that_blender_could_have_written_from_many_parts(tmp_path):
    scene = Scene()
    scene.tree["meshes"][0]["primitives"] += [
        {"attributes": {"POSITION": scene.add(POINTS + np.float32(k))}, "indices": 1, "material": k % 2}
        for k in range(1, 5)
    ]
    scene.tree["materials"] = [
        {"pbrMetallicRoughness": {"baseColorFactor": [0.5, 0, 0, 1], "metallicFactor": 0}},
        {"pbrMetallicRoughness": {"baseColorFactor": [0, 0.5, 0, 1], "metallicFactor": 0}},
    ]
    mesh, _ = load(tmp_path, "a.glb", scene.glb(), merge=False)
    assert mesh.face_groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    shown = mesh.colours[mesh.faces[:, 0]][::2]
    np.testing.assert_allclose(shown[1:, :3], [[0, 0.735357, 0], [0.735357, 0, 0]] * 2, atol=1e-5)
    assert load_mesh(Run(), tmp_path / "a.glb").material.base_factor == (1, 1, 1, 1)

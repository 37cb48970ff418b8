import numpy as np
import pytest
import trimesh
from io_samples import bytes_of, load, noise, refused, solid
from PIL import Image as Pictures

from app.engine import Image

QUAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def save(path, image: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pictures.fromarray(np.rint(image.pixels * 255).astype(np.uint8)).save(path)


def with_mtl(folder, mtl: str) -> tuple:
    (folder / "a.mtl").write_text("newmtl one\n" + mtl)
    mesh, notes = load(folder, "a.obj", "mtllib a.mtl\nusemtl one\n" + QUAD + "vt 0 0\nf 1/1 2/1 3/1 4/1\n")
    return mesh.material, notes


@pytest.mark.parametrize(
    "faces",
    [
        "f 1 2 3 4",
        "f 1/1 2/1 3/1 4/1",
        "f 1//1 2//1 3//1 4//1",
        "f 1/1/1 2/1/1 3/1/1 4/1/1",
        "f -4 -3 -2 -1",
        "f -4/-1/-1 -3/-1/-1 -2/-1/-1 -1/-1/-1",
        "  f\t1  2 3\t4   ",
        "f 1 2 \\\n 3 4",
        "f 1 2 3 4 # a comment",
        "f 1 2 3\nf 1/1 3/1 4/1",
        "f 1 2 3\nf 1//1 3//1 4//1",
        "f 1 2/1 3//1 4/1/1",
        "f 1 2 3 4\nl 1 2\np 1\nf 1 2",
        "g x\ns off\no y\nf 1 2 3 4",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_way_to_write_a_face(tmp_path, faces, newline):
    text = (QUAD + "vt 0.5 0.5\nvn 0 0 1\n" + faces + "\n").replace("\n", newline)
    mesh, _ = load(tmp_path, "a.obj", text)
    assert solid(mesh).area == pytest.approx(1)
    assert (solid(mesh).face_normals == [0, 0, 1]).all()


def test_no_newline_at_the_end(tmp_path):
    assert len(load(tmp_path, "a.obj", QUAD + "f 1 2 3 4")[0].faces) == 2


def test_indices_count_from_where_they_stand(tmp_path):
    text = "v 9 9 9\n" + QUAD + "f -4 -3 -2\nv 5 5 5\nf -5 -3 -2\n"
    assert solid(load(tmp_path, "a.obj", text)[0]).area == pytest.approx(1)


def test_seams_become_vertices_of_their_own(tmp_path):
    text = QUAD + "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvt 0.5 0.5\nf 1/1 2/2 3/3\nf 1/5 3/3 4/4\n"
    mesh, _ = load(tmp_path, "a.obj", text)
    assert len(mesh.vertices) == 5
    np.testing.assert_array_equal(mesh.uv[mesh.faces], [[[0, 0], [1, 0], [1, 1]], [[0.5, 0.5], [1, 1], [0, 1]]])
    np.testing.assert_array_equal(mesh.vertices[mesh.faces[1]], [[0, 0, 0], [1, 1, 0], [0, 1, 0]])


def test_hard_edges_become_vertices_of_their_own(tmp_path):
    text = QUAD + "vn 0 0 1\nvn 0 1 0\nf 1//1 2//1 3//1\nf 1//2 3//2 4//2\n"
    mesh, _ = load(tmp_path, "a.obj", text)
    assert len(mesh.vertices) == 6
    np.testing.assert_array_equal(mesh.normals[mesh.faces[1]], [[0, 1, 0]] * 3)


def test_normals_that_only_some_corners_have_are_left_out(tmp_path):
    assert load(tmp_path, "a.obj", QUAD + "vn 0 0 1\nf 1 2 3\nf 1//1 3//1 4//1\n")[0].normals is None


@pytest.mark.parametrize("scale", [1, 255])
def test_colours_behind_the_position(tmp_path, scale):
    lines = [f"v {x} {y} 0 {scale} {scale * 0.2} 0" for x, y in ((0, 0), (1, 0), (0, 1))]
    mesh, _ = load(tmp_path, "a.obj", "\n".join(lines) + "\nf 1 2 3\n")
    np.testing.assert_allclose(mesh.colours, [[1, 0.2, 0, 1]] * 3, rtol=1e-6)


def test_a_weight_behind_the_position_is_passed_over(tmp_path):
    mesh, _ = load(tmp_path, "a.obj", QUAD.replace("\n", " 1.0\n", 2) + "f 1 2 3 4\n")
    assert mesh.colours is None and solid(mesh).area == pytest.approx(1)


@pytest.mark.parametrize(
    "text",
    [
        QUAD + "f 1 2 9\n",
        QUAD + "f 1 2 0\n",
        QUAD + "f 1 2 -9\n",
        QUAD + "f 1/1 2/1 3/1\n",
        QUAD + "vt 0 0\nf 1/1 2/2 3/1\n",
        QUAD + "f 1/2/3/4 2 3\n",
        QUAD + "f 1 2/ 3\n",
        QUAD + "f 1 2/1/ 3\n",
        QUAD + "f 1 /2 3\n",
        QUAD + "f a b c\n",
        QUAD + "f 1.5 2 3\n",
        QUAD + "v 1 2\nf 1 2 3\n",
        "v 1 x 2\n" + QUAD + "f 1 2 3\n",
        QUAD,
    ],
)
def test_damage_is_refused_or_survived_in_words(tmp_path, text):
    if "f 1/1 2/1 3/1\n" in text:
        mesh, _ = load(tmp_path, "a.obj", text)
        assert mesh.uv is None
    else:
        refused(tmp_path, "a.obj", text)


def test_a_damaged_line_is_named(tmp_path):
    assert "line 6" in refused(tmp_path, "a.obj", QUAD + "f 1 2 3\nf 1/1/1/1 2 3\n").lower()


def test_parts_are_numbered_by_material_and_share_nothing(tmp_path):
    text = "usemtl a\n" + QUAD + "f 1 2 3\nusemtl b\nf 1 3 4\nusemtl a\nf 1 2 4\n"
    mesh, _ = load(tmp_path, "a.obj", text, merge=False)
    assert mesh.face_groups.tolist() == [0, 0, 1] and mesh.material is None
    assert not set(mesh.faces[:2].ravel()) & set(mesh.faces[2])


class TestMaterials:
    def test_all_words(self, tmp_path):
        names = ["Kd", "Ke", "Pr", "Pm", "Ka"]
        for k, name in enumerate(names):
            save(tmp_path / "tex" / f"{name} map.png", noise(k, channels=1 if name in ("Pr", "Pm", "Ka") else 3))
        save(tmp_path / "n.png", noise(9))
        lines = [f"map_{name} -s 1 1 1 -bm 0.5 tex\\{name} map.png" for name in names]
        material, notes = with_mtl(tmp_path, "\n".join([*lines, "norm n.png", "Kd 0.5 0.5 0.5"]))
        assert not notes
        for name, seed, channels in (
            ("base_colour", 0, 3),
            ("emissive", 1, 3),
            ("roughness", 2, 1),
            ("occlusion", 4, 1),
        ):
            assert bytes_of(getattr(material, name)) == bytes_of(noise(seed, channels=channels)), name
        assert bytes_of(material.normal) == bytes_of(noise(9)) and material.normal.space == "data"
        assert (material.base_factor, material.roughness_factor) == ((1, 1, 1, 1), 1)

    def test_plain_factors(self, tmp_path):
        material, _ = with_mtl(tmp_path, "Kd 0.1 0.2 0.3\nKe 1 0 0\nd 0.5\nNs 250\nillum 2\n")
        assert material.base_factor == pytest.approx((0.1, 0.2, 0.3, 0.5))
        assert (material.alpha_mode, material.emissive_factor) == ("blend", (1, 0, 0))
        assert material.roughness_factor == pytest.approx(0.5)
        assert with_mtl(tmp_path, "Tr 0.25\n")[0].base_factor[3] == pytest.approx(0.75)
        assert with_mtl(tmp_path, "Kd nan x\nNs -5\nPr 7\n")[0].roughness_factor == 1

    def test_opacity_maps(self, tmp_path):
        save(tmp_path / "c.png", noise(0))
        save(tmp_path / "a.png", noise(1, channels=1))
        material, _ = with_mtl(tmp_path, "map_Kd c.png\nmap_d a.png\n")
        np.testing.assert_array_equal(material.base_colour.alpha, noise(1, channels=1).pixels[..., 0])
        assert material.alpha_mode == "blend"

    def test_a_bump_map_is_height_when_grey_and_normals_when_coloured(self, tmp_path):
        save(tmp_path / "grey.png", noise(1, channels=1))
        save(tmp_path / "blue.png", noise(2))
        assert with_mtl(tmp_path, "bump -bm 0.3 grey.png")[0].height is not None
        assert with_mtl(tmp_path, "map_Bump blue.png")[0].normal is not None

    def test_paths_of_another_machine_mean_the_file_of_that_name_here(self, tmp_path):
        save(tmp_path / "c.png", noise(0))
        for path in (r"C:\Users\me\c.png", "/home/me/c.png", "../up/c.png"):
            material, notes = with_mtl(tmp_path, f"map_Kd {path}\n")
            assert bytes_of(material.base_colour) == bytes_of(noise(0)) and not notes

    def test_nothing_outside_the_folder_is_read(self, tmp_path):
        folder = tmp_path / "inner"
        folder.mkdir()
        save(tmp_path / "secret.png", noise(0))
        (folder / "link.png").symlink_to(tmp_path / "secret.png")
        for path in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "http://example.org/secret.png"):
            material, notes = with_mtl(folder, f"map_Kd {path}\n")
            assert material.base_colour is None and "left out" in notes[0]
        (tmp_path / "up.mtl").write_text("newmtl one\nKd 1 0 0\n")
        mesh, notes = load(folder, "b.obj", "mtllib ../up.mtl\nusemtl one\n" + QUAD + "f 1 2 3\n")
        assert mesh.material is None and "own folder" in notes[0]

    def test_missing_and_broken_pictures_are_left_out_with_a_remark(self, tmp_path):
        (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
        for name, word in (("absent.png", "not there"), ("broken.png", "not a picture")):
            material, notes = with_mtl(tmp_path, f"map_Kd {name}\nmap_d {name}\n")
            assert material.base_colour is None and word in notes[0] and len(notes) == 1

    def test_an_enormous_picture_is_left_out(self, tmp_path):
        Pictures.new("1", (9000, 9000)).save(tmp_path / "large.png")
        material, notes = with_mtl(tmp_path, "map_Kd large.png\n")
        assert material.base_colour is None and "9,000 x 9,000" in notes[0]

    def test_a_missing_library_and_names_with_spaces(self, tmp_path):
        text = "mtllib my things.mtl\nusemtl red paint\n" + QUAD + "f 1 2 3\n"
        mesh, notes = load(tmp_path, "a.obj", text)
        assert mesh.material is None and "my things.mtl" in notes[0]
        (tmp_path / "my things.mtl").write_text("newmtl red paint\nKd 1 0 0\n")
        assert load(tmp_path, "a.obj", text)[0].material.base_factor == (1, 0, 0, 1)


class TestSeveralMaterials:
    def text(self, *names: str) -> str:
        quads = [QUAD.replace("0\n", f"{k}\n") for k in range(len(names))]
        uv = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        faces = [
            f"usemtl {name}\nf {4 * k + 1}/1 {4 * k + 2}/2 {4 * k + 3}/3 {4 * k + 4}/4" for k, name in enumerate(names)
        ]
        return "mtllib a.mtl\n" + "".join(quads) + uv + "\n".join(faces)

    def test_plain_colours_become_vertex_colours(self, tmp_path):
        (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\nPr 0.5\nnewmtl half\nKd 0.5 0.5 0.5\nPr 0.5\n")
        mesh, notes = load(tmp_path, "a.obj", self.text("red", "half"))
        assert not notes and mesh.material.base_factor == (1, 1, 1, 1)
        colour = {group: mesh.colours[mesh.faces[mesh.face_groups == group]].reshape(-1, 4) for group in (0, 1)}
        np.testing.assert_allclose(colour[0], [[1, 0, 0, 1]] * 6)
        np.testing.assert_allclose(colour[1], [[0.735357] * 3 + [1]] * 6, atol=1e-5)

    def test_what_vertex_colours_cannot_show_is_remarked(self, tmp_path):
        (tmp_path / "a.mtl").write_text("newmtl a\nKd 1 0 0\nPr 0.5\nnewmtl b\nKd 0 1 0\nPr 0.1\n")
        assert "roughness" in load(tmp_path, "a.obj", self.text("a", "b"))[1][0]

    def test_textures_are_put_on_one_sheet_without_loss(self, tmp_path):
        sizes = {"one": (24, 16), "two": (40, 30), "three": (8, 64)}
        lines = []
        for k, (name, size) in enumerate(sizes.items()):
            save(tmp_path / f"{name}.png", noise(k, size))
            lines.append(f"newmtl {name}\nmap_Kd {name}.png\n")
        lines.append("newmtl plain\nKd 0 0 1\nPr 0.25\n")
        (tmp_path / "a.mtl").write_text("\n".join(lines))
        mesh, notes = load(tmp_path, "a.obj", self.text(*sizes, "plain"))
        assert not notes and mesh.uv.min() >= 0 and mesh.uv.max() <= 1
        sheet = np.rint(mesh.material.base_colour.pixels * 255).astype(np.uint8)
        height, width = sheet.shape[:2]
        for k, size in enumerate(sizes.values()):
            box = mesh.uv[np.unique(mesh.faces[mesh.face_groups == k])]
            left, bottom = np.rint(box.min(axis=0) * (width, height)).astype(int)
            right, top = np.rint(box.max(axis=0) * (width, height)).astype(int)
            assert (right - left, top - bottom) == size
            cut = sheet[height - top : height - bottom, left:right]
            assert cut.tobytes() == np.rint(noise(k, size).pixels * 255).astype(np.uint8).tobytes()
        middle = mesh.uv[mesh.faces[mesh.face_groups == 3]].reshape(-1, 2).mean(axis=0)
        assert sheet[int(height * (1 - middle[1])), int(width * middle[0])].tolist() == [0, 0, 255, 255]

    def test_roughness_of_each_material_stays(self, tmp_path):
        save(tmp_path / "c.png", noise(0))
        (tmp_path / "a.mtl").write_text("newmtl a\nmap_Kd c.png\nPr 0.2\nnewmtl b\nKd 1 1 1\nPr 0.6\n")
        mesh, _ = load(tmp_path, "a.obj", self.text("a", "b"))
        rough = mesh.material.roughness
        for group, value in ((0, 0.2), (1, 0.6)):
            u, v = mesh.uv[mesh.faces[mesh.face_groups == group]].reshape(-1, 2).mean(axis=0)
            shown = rough.pixels[int(rough.size[1] * (1 - v)), int(rough.size[0] * u), 0]
            assert shown * mesh.material.roughness_factor == pytest.approx(value, abs=1e-6)

    def test_repeated_textures_are_repeated_on_the_sheet(self, tmp_path):
        for k in range(2):
            save(tmp_path / f"{k}.png", noise(k, (16, 16)))
        (tmp_path / "a.mtl").write_text("newmtl a\nmap_Kd 0.png\nnewmtl b\nmap_Kd 1.png\n")
        text = self.text("a", "b").replace("vt 1 1", "vt 3 2").replace("vt 1 0", "vt 3 0").replace("vt 0 1", "vt 0 2")
        mesh, _ = load(tmp_path, "a.obj", text)
        width, height = mesh.material.base_colour.size
        box = mesh.uv[np.unique(mesh.faces[mesh.face_groups == 0])] * (width, height)
        np.testing.assert_allclose(np.ptp(box, axis=0), [48, 32], atol=1e-3)
        left, bottom = np.rint(box.min(axis=0)).astype(int)
        sheet = mesh.material.base_colour.pixels[height - bottom - 32 : height - bottom, left : left + 48]
        np.testing.assert_allclose(sheet, np.tile(noise(0, (16, 16)).pixels, (2, 3, 1)))

    def test_too_many_repeats_keep_the_largest_material(self, tmp_path):
        for k in range(2):
            save(tmp_path / f"{k}.png", noise(k, (16, 16)))
        (tmp_path / "a.mtl").write_text("newmtl a\nmap_Kd 0.png\nnewmtl b\nmap_Kd 1.png\n")
        text = self.text("a", "b").replace("vt 1 1", "vt 300 200").replace("v 1 1 1", "v 1 5 1")
        mesh, notes = load(tmp_path, "a.obj", text)
        assert mesh.material.name == "b" and "most of the surface" in notes[0]


def test_an_independent_reader_sees_the_same_uv(tmp_path):
    rng = np.random.default_rng(1)
    v, vt = rng.random((50, 3)), rng.random((80, 2))
    lines = [f"v {a} {b} {c}" for a, b, c in v] + [f"vt {a} {b}" for a, b in vt]
    lines += [f"f {a}/{d} {b}/{e} {c}/{f}" for (a, b, c), (d, e, f) in zip(
        rng.integers(1, 51, (200, 3)), rng.integers(1, 81, (200, 3)), strict=True)]  # fmt: skip
    mesh, _ = load(tmp_path, "a.obj", "\n".join(lines))
    other = trimesh.load(tmp_path / "a.obj", process=False)
    np.testing.assert_allclose(mesh.uv[mesh.faces], other.visual.uv[other.faces], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[mesh.faces], other.vertices[other.faces], atol=1e-6)


def test_many_polygons_read_in_pieces_are_what_they_are_in_one(tmp_path, monkeypatch):
    from nodes.io import _read_obj

    rng = np.random.default_rng(4)
    lines = ["v 0 0 0", "v 1 0 0", "v 1 1 0", "v 0 1 0", "v 0 0 1", "vt 0 0", "vt 1 0", "vt 1 1", "vn 0 0 1"]
    for number in range(60):
        corners = rng.permutation(5)[: 3 + number % 3] + 1
        words = [(f"{c}", f"{c}/{c % 3 + 1}", f"{c}//1", f"{c - 6}/{-1 - c % 3}/-1")[number % 4] for c in corners]
        lines.append(f"f {' '.join(words)}")
    whole, _ = load(tmp_path, "many.obj", "\n".join(lines))
    monkeypatch.setattr(_read_obj, "AT_ONCE", 7)
    pieces, _ = load(tmp_path, "many.obj", "\n".join(lines))
    assert np.array_equal(whole.faces, pieces.faces) and np.array_equal(whole.vertices, pieces.vertices)
    assert whole.uv is not None and pieces.uv is not None and np.array_equal(whole.uv, pieces.uv)

"""3MF out and in: exact round trips, the rules of the schema, lib3mf (the consortium's reader) on both sides."""

from __future__ import annotations

import io
import locale
import re
import xml.etree.ElementTree as Tree
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lib3mf
import numpy as np
import pytest
from io_samples import coloured, load, noise, plain, refused, solid, textured, tiny, write

from app.engine import BadInput, Credit, Image, Material, Mesh, Run, Scene
from app.engine.placing import in_place
from nodes.io import _package
from nodes.io._read_3mf import METRES
from nodes.io.export_3mf import export_3mf
from nodes.io.export_scene import export_scene
from nodes.io.load_scene import load_scene
from nodes.mesh.primitives import box, sphere

WRAPPER = lib3mf.get_wrapper()
CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
EXTRA = "{http://schemas.microsoft.com/3dmanufacturing/material/2015/02}"
RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
HEAD = (
    '<model xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
    'xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02" '
    'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06" unit="%s">'
)
POINTS = '<vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="0"/></vertices>'
MESH = f'<mesh>{POINTS}<triangles><triangle v1="0" v2="1" v3="2"/></triangles></mesh>'
ONE = f'<resources><object id="1">{MESH}</object></resources><build><item objectid="1"/></build></model>'


@pytest.fixture(autouse=True)
def _language_of_the_process() -> Iterator[None]:
    """lib3mf sets the whole process to plain C when it reads; later tests would read files as ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


def out(mesh: Mesh, folder: Path, **params: object) -> tuple[Path, list[str]]:
    run = Run()
    return write(export_3mf(run, mesh, path=Path("a.3mf"), **params), folder), run.notes


def packed(files: dict[str, bytes | str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return data.getvalue()


def model(body: str, unit: str = "meter", **more: bytes | str) -> bytes:
    return packed({"3D/3dmodel.model": HEAD % unit + body, **more})


def official(path: Path) -> lib3mf.Lib3MF.Model:
    """What lib3mf reads in strict mode, without a single warning."""
    found = WRAPPER.CreateModel()
    reader = found.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert [reader.GetWarning(k) for k in range(reader.GetWarningCount())] == []
    return found


def objects(found: lib3mf.Lib3MF.Model) -> list[lib3mf.Lib3MF.MeshObject]:
    rows, listed = found.GetMeshObjects(), []
    while rows.MoveNext():
        listed.append(rows.GetCurrentMeshObject())
    return listed


def corners(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    """A vertex attribute at every corner, face by face."""
    return values[mesh.faces].reshape(len(mesh.faces), -1)


class TestOut:
    @pytest.mark.parametrize("unit", ["millimetres", "centimetres", "metres", "inches"])
    def test_positions_come_back_exactly_in_every_unit(self, tmp_path, unit):
        ball = plain()
        path, notes = out(ball, tmp_path, unit=unit, on_bed=False)
        back, said = load(tmp_path, "b.3mf", path.read_bytes())
        assert not notes and solid(back).is_watertight
        np.testing.assert_array_equal(corners(back, back.vertices), corners(ball, ball.vertices))
        assert said == [f"Converted {f'{unit} to metres and ' if unit != 'metres' else ''}+Z up to +Y up."]

    def test_texture_and_uvs_come_back_exactly_and_seams_are_one_vertex(self, tmp_path):
        ball = textured(base_factor=(1, 1, 1, 1))
        path, _ = out(ball, tmp_path, on_bed=False)
        back, _ = load(tmp_path, "b.3mf", path.read_bytes())
        np.testing.assert_array_equal(corners(back, back.uv), corners(ball, ball.uv))
        np.testing.assert_array_equal(back.material.base_colour.pixels, ball.material.base_colour.pixels)
        shape = objects(official(path))[0]
        assert shape.IsManifoldAndOriented() and shape.GetTriangleCount() == len(ball.faces)
        assert shape.GetVertexCount() == len(np.unique(ball.vertices, axis=0)) < len(ball.vertices)

    def test_vertex_colours_come_back_exactly(self, tmp_path):
        ball = coloured()
        ball = replace(ball, material=Material(alpha_mode="blend"))
        path, _ = out(ball, tmp_path, on_bed=False)
        back, _ = load(tmp_path, "b.3mf", path.read_bytes())
        np.testing.assert_array_equal(corners(back, back.colours), corners(ball, ball.colours))
        found = official(path)
        groups = found.GetColorGroups()
        assert groups.MoveNext()
        group = groups.GetCurrentColorGroup()
        rows = objects(found)[0].GetAllTriangleProperties()
        for row, face in zip(rows[::17], ball.faces[::17], strict=True):
            for member, vertex in zip(row.PropertyIDs, face, strict=True):
                colour = group.GetColor(member)
                want = np.rint(ball.colours[vertex] * 255).astype(int).tolist()
                assert [colour.Red, colour.Green, colour.Blue, colour.Alpha] == want

    def test_a_plain_material_keeps_name_and_colour(self, tmp_path):
        ball = replace(plain(), material=Material('red & "blue" <b>', base_factor=(1.0, 0.25, 0.0, 1.0)), name="a<b")
        path, _ = out(ball, tmp_path)
        found = official(path)
        bases = found.GetBaseMaterialGroups()
        assert bases.MoveNext()
        group = bases.GetCurrentBaseMaterialGroup()
        assert group.GetName(1) == 'red & "blue" <b>' and objects(found)[0].GetName() == "a<b"
        colour = group.GetDisplayColor(1)
        assert (colour.Red, colour.Green, colour.Blue, colour.Alpha) == (255, 137, 0, 255)
        back, _ = load(tmp_path, "b.3mf", path.read_bytes())
        assert back.material.name == ball.material.name
        assert back.material.base_factor == pytest.approx((1.0, 0.25, 0.0, 1.0), abs=2e-3)

    def test_it_stands_on_the_bed_in_millimetres(self, tmp_path):
        thing = replace(box(width=0.2, height=0.1, depth=0.05), material=None)
        found = official(out(thing, tmp_path)[0])
        items = found.GetBuildItems()
        assert items.MoveNext() and found.GetUnit() == lib3mf.ModelUnit.MilliMeter
        fields = np.array(items.GetCurrent().GetObjectTransform().Fields)
        points = np.array([v.Coordinates for v in objects(found)[0].GetVertices()])
        low, high = (points.min(0) + fields[3], points.max(0) + fields[3])
        assert np.abs(low).max() < 1e-4 and high == pytest.approx([200, 50, 100], abs=1e-3)

    def test_face_groups_become_objects_with_names(self, tmp_path):
        two = sphere(0.5, segments=12)
        groups = (np.arange(len(two.faces)) % 2).astype(np.int32)
        path, _ = out(replace(two, face_groups=groups, name="ball"), tmp_path, parts="by face group")
        listed = objects(official(path))
        assert [shape.GetName() for shape in listed] == ["ball 1", "ball 2"]
        back, _ = load(tmp_path, "b.3mf", path.read_bytes())
        assert np.bincount(back.face_groups).tolist() == np.bincount(groups).tolist()

    def test_metadata_thumbnail_and_sizes_of_textures(self, tmp_path):
        large = textured(base_colour=Image.of(np.zeros((600, 600, 3), np.uint8)))
        path, _ = out(replace(large, name="Fuchs 狐"), tmp_path, texture_size="512")
        found = official(path)
        assert found.GetMetaDataGroup().GetMetaDataByKey("", "Title").GetValue() == "Fuchs 狐"
        assert found.HasPackageThumbnailAttachment()
        credited = Run(credits=(Credit("Chair", "Jané <Doe>", "CC BY 4.0", "https://example.org"),))
        second = official(write(export_3mf(credited, plain()), tmp_path))
        said = second.GetMetaDataGroup()
        assert said.GetMetaDataByKey("", "Designer").GetValue() == "Jané <Doe>"
        assert said.GetMetaDataByKey("", "LicenseTerms").GetValue() == "CC BY 4.0"
        with zipfile.ZipFile(path) as package:
            textures = [name for name in package.namelist() if "Textures" in name]
            assert load_size(package.read(textures[0])) == (512, 512)
            preview = Image.of(np.asarray(picture(package.read("Metadata/thumbnail.png"))))
        assert preview.size == (256, 256) and 0.4 < float((preview.alpha > 0.5).mean()) < 0.9

    def test_triangles_without_area_are_left_out_and_said(self, tmp_path):
        mesh = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 2], [0, 3, 1], [1, 1, 2]])
        path, notes = out(mesh, tmp_path)
        assert "2 triangles" in notes[0] and objects(official(path))[0].GetTriangleCount() == 1
        with pytest.raises(BadInput, match="area"):
            out(Mesh.of(np.zeros((3, 3)), [[0, 1, 2]]), tmp_path)

    def test_same_mesh_same_bytes(self, tmp_path):
        one, two = (export_3mf(Run(), textured()).contents[0] for _ in range(2))
        assert one.tobytes() == two.tobytes()


def picture(data: bytes):
    from PIL import Image as Pictures

    return Pictures.open(io.BytesIO(data))


def load_size(data: bytes) -> tuple[int, int]:
    return picture(data).size


class TestRules:
    """What the core schema and the packaging rules ask of a producer."""

    @pytest.mark.parametrize("make", [plain, textured, coloured, tiny, lambda: replace(plain(), material=Material())])
    def test_the_package_keeps_the_rules(self, tmp_path, make):
        path, _ = out(make(), tmp_path)
        with zipfile.ZipFile(path) as package:
            files = {name: package.read(name) for name in package.namelist()}
        defaults = {e.get("Extension"): e.get("ContentType") for e in Tree.fromstring(files["[Content_Types].xml"])}
        assert all(name.rpartition(".")[2] in defaults for name in files if name != "[Content_Types].xml")
        relations = [name for name in files if name.endswith(".rels")]
        targets = [e for name in relations for e in Tree.fromstring(files[name]).iter(RELATION)]
        assert all((e.get("Target") or "").lstrip("/") in files for e in targets)
        assert sum((e.get("Type") or "").endswith("2013/01/3dmodel") for e in targets) == 1
        textures = {e.get("Target") for e in targets if (e.get("Type") or "").endswith("3dtexture")}
        root = Tree.fromstring(files["3D/3dmodel.model"])
        assert root.tag == f"{CORE}model" and root.get("unit") in METRES
        assert [child.tag.rpartition("}")[2] for child in root] == ["metadata"] * (len(root) - 2) + [
            "resources",
            "build",
        ]
        assert {e.get("path") for e in root.iter(f"{EXTRA}texture2d")} == textures
        self.check_resources(root)

    def check_resources(self, root: Tree.Element) -> None:
        known: dict[str, int] = {}
        for resource in root.find(f"{CORE}resources") or ():
            number = resource.get("id") or ""
            assert re.fullmatch(r"[1-9]\d*", number) and number not in known and int(number) < 2**31
            assert resource.get("texid") is None or resource.get("texid") in known
            known[number] = len(resource)
            if resource.tag == f"{CORE}object":
                self.check_object(resource, known)
        for color in [*root.iter(f"{EXTRA}color"), *root.iter(f"{CORE}base")]:
            assert re.fullmatch(r"#[0-9A-F]{6}([0-9A-F]{2})?", color.get("color") or color.get("displaycolor") or "")
        items = list(root.iter(f"{CORE}item"))
        assert items and all(item.get("objectid") in known for item in items)

    def check_object(self, element: Tree.Element, known: dict[str, int]) -> None:
        assert (element.get("pid") is None) == (element.get("pindex") is None)
        vertices, triangles = list(element.iter(f"{CORE}vertex")), list(element.iter(f"{CORE}triangle"))
        assert len(vertices) >= 3 and len(triangles) >= 1
        assert all(set(v.attrib) == {"x", "y", "z"} for v in vertices)
        places = {tuple(v.attrib.values()) for v in vertices}
        assert len(places) == len(vertices), "every position is one vertex"
        for triangle in triangles:
            indices = {triangle.get(f"v{k}") for k in (1, 2, 3)}
            assert len(indices) == 3 and all(0 <= int(k or -1) < len(vertices) for k in indices)
            members = [triangle.get(f"p{k}") for k in (1, 2, 3)]
            assert members[0] is not None or members == [None] * 3
            group = triangle.get("pid") or element.get("pid")
            assert all(int(k) < known[group or ""] for k in members if k is not None)


class TestIn:
    @pytest.mark.parametrize("unit", METRES)
    def test_units(self, tmp_path, unit):
        mesh, notes = load(tmp_path, "a.3mf", model(ONE, unit))
        assert mesh.bounds[1] == pytest.approx([METRES[unit], 0, 0]) or mesh.bounds[1].max() == pytest.approx(
            METRES[unit]
        )
        assert "+Z up to +Y up" in notes[0] and (unit == "meter") == ("metres" not in notes[0])

    def test_what_lib3mf_writes_with_components_and_transforms(self, tmp_path):
        made = WRAPPER.CreateModel()
        made.SetUnit(lib3mf.ModelUnit.Inch)
        ball = plain()
        shape = made.AddMeshObject()
        shape.SetGeometry(
            [lib3mf.Position((*map(float, p),)) for p in ball.vertices],
            [lib3mf.Triangle((*map(int, f),)) for f in ball.faces],
        )
        moved = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 2], [3, 4, 5]], float)
        both = made.AddComponentsObject()
        for matrix in (np.vstack([np.eye(3), np.zeros(3)]), moved):
            both.AddComponent(shape, transform(matrix))
        mirror = np.array([[-1, 0, 0], [0, 1, 0], [0, 0, 1], [10, 0, 0]], float)
        made.AddBuildItem(both, transform(mirror))
        made.QueryWriter("3mf").WriteToFile(str(tmp_path / "l.3mf"))
        mesh, _ = load(tmp_path, "b.3mf", (tmp_path / "l.3mf").read_bytes())
        assert len(mesh.faces) == 2 * len(ball.faces) and solid(mesh).is_watertight
        one = solid(ball).volume * 0.0254**3
        assert solid(mesh).volume == pytest.approx(3 * one, rel=1e-5)
        points = np.vstack([ball.vertices, ball.vertices @ moved[:3] + moved[3]]) @ mirror[:3] + mirror[3]
        low, high = points.min(0) * 0.0254, points.max(0) * 0.0254
        assert mesh.bounds[0] == pytest.approx([low[0], low[2], -high[1]], abs=1e-6)
        assert mesh.bounds[1] == pytest.approx([high[0], high[2], -low[1]], abs=1e-6)

    def test_a_scene_keeps_objects_and_shares_what_is_shown_twice(self, tmp_path):
        body = f"""<resources><object id="1" name="leg">{MESH}</object><object id="2" name="table"><components>
            <component objectid="1"/><component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 0 0"/></components></object>
            </resources><build><item objectid="2"/></build></model>"""
        (tmp_path / "a.3mf").write_bytes(model(body, "centimeter"))
        scene = load_scene(Run(), tmp_path / "a.3mf")
        assert scene.names == ("table", "leg", "leg") and scene.parents.tolist() == [-1, 0, 0]
        assert len(scene.meshes) == 1 and scene.parts == ((), (0,), (0,))
        moved = in_place(scene)[1]
        assert moved.bounds[0] == pytest.approx([0.05, 0, -0.01]) and moved.bounds[1] == pytest.approx([0.06, 0, 0])

    def test_a_mirrored_object_stays_a_solid(self, tmp_path):
        scene = Scene.of(replace(plain(), name="left"), replace(plain(), name="right"))
        places = scene.places.copy()
        places[1, :3, :3], places[1, :3, 3] = np.diag([-1, 1, 1]), (2, 0, 0)
        path = write(export_scene(Run(), replace(scene, places=places), path=Path("s.3mf")), tmp_path)
        assert [shape.IsManifoldAndOriented() for shape in objects(official(path))] == [True, True]
        back = load_scene(Run(), path)
        assert [solid(mesh).volume > 0 for mesh in in_place(back)] == [True, True]

    def test_several_materials_in_one_object(self, tmp_path):
        four = POINTS.replace("</vertices>", '<vertex x="0" y="0" z="1"/></vertices>')
        body = f"""<resources><basematerials id="4"><base name="a" displaycolor="#FF0000"/>
            <base name="b" displaycolor="#0000FF80"/></basematerials>
            <object id="7" pid="4" pindex="0"><mesh>{four}<triangles>
            <triangle v1="0" v2="1" v3="2"/><triangle v1="0" v2="1" v3="3" pid="4" p1="1"/></triangles>
            </mesh></object></resources><build><item objectid="7"/></build></model>"""
        mesh, _ = load(tmp_path, "a.3mf", model(body))
        red, blue = mesh.colours[mesh.faces[0, 0]], mesh.colours[mesh.faces[1, 0]]
        assert red == pytest.approx([1, 0, 0, 1]) and blue == pytest.approx([0, 0, 1, 128 / 255], abs=1e-6)
        assert mesh.face_groups.tolist() == [0, 1]

    def test_composite_and_layered_properties(self, tmp_path):
        groups = """<basematerials id="1"><base name="a" displaycolor="#FF0000"/><base name="b" displaycolor="#00FF00"/>
            </basematerials><m:compositematerials id="2" matid="1" matindices="0 1"><m:composite values="0.5 0.5"/>
            </m:compositematerials><m:colorgroup id="3"><m:color color="#112233"/><m:color color="#445566"/>
            </m:colorgroup><m:multiproperties id="5" pids="1 3"><m:multi pindices="0 1"/></m:multiproperties>"""
        body = f"""<resources>{groups}<object id="7" pid="%d" pindex="0">{MESH}</object></resources>
            <build><item objectid="7"/></build></model>"""
        mixed, _ = load(tmp_path, "a.3mf", model(body % 2))
        assert mixed.material.base_factor == pytest.approx((0.5, 0.5, 0, 1))
        layered, _ = load(tmp_path, "a.3mf", model(body % 5))
        assert np.rint(layered.colours[0, :3] * 255).astype(int).tolist() == [0x44, 0x55, 0x66]

    def test_objects_in_other_model_parts_as_slicers_write_them(self, tmp_path):
        inner = f'<resources><object id="1" type="model">{MESH}</object></resources></model>'
        body = """<resources><object id="8"><components>
            <component p:path="/3D/Objects/object_1.model" objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 2"/>
            </components></object></resources><build><item objectid="8"/></build></model>"""
        more = {"3D/Objects/object_1.model": HEAD % "meter" + inner}
        mesh, _ = load(tmp_path, "a.3mf", model(body, **more))
        assert mesh.bounds[0].tolist() == [0, 2, -1]

    def test_other_spellings(self, tmp_path):
        text = (HEAD % "meter" + ONE).replace("<", "<c:").replace("<c:/", "</c:").replace('xmlns="', 'xmlns:c="')
        mesh, _ = load(tmp_path, "a.3mf", packed({"3d/3DModel.model": text}))
        assert len(mesh.faces) == 1
        wide = ('<?xml version="1.0" encoding="UTF-16"?>' + HEAD % "meter" + ONE).encode("utf-16")
        assert len(load(tmp_path, "b.3mf", packed({"3D/3dmodel.model": wide}))[0].faces) == 1
        quotes = ONE.replace('v1="0"', "v1 = '0'").replace("<mesh>", "<!-- <vertices> --><mesh>")
        assert len(load(tmp_path, "c.3mf", model(quotes))[0].faces) == 1

    def test_supports_are_left_out_and_said(self, tmp_path):
        body = ONE.replace('<object id="1">', f'<object id="2" type="support">{MESH}</object><object id="1">')
        body = body.replace("<build>", '<build><item objectid="2"/>')
        mesh, notes = load(tmp_path, "a.3mf", model(body))
        assert len(mesh.faces) == 1 and any("support" in note for note in notes)

    @pytest.mark.parametrize(
        "body",
        [
            "",
            ONE.replace('v3="2"', 'v3="3"'),
            ONE.replace('v3="2"', 'v3="-1"'),
            ONE.replace('v3="2"', 'v3="x"'),
            ONE.replace('v3="2"', ""),
            ONE.replace('x="1"', 'x="one"'),
            ONE.replace('x="1"', ""),
            ONE.replace('x="1"', 'x="1" x="2"'),
            ONE.replace('item objectid="1"', 'item objectid="9"'),
            ONE.replace('item objectid="1"', 'item objectid="1" transform="1 0 0"'),
            ONE.replace('item objectid="1"', 'item objectid="1" transform="nan 0 0 0 1 0 0 0 1 0 0 0"'),
            ONE.replace('<object id="1">', '<object id="1" pid="3" pindex="5">').replace(
                "<resources>", '<resources><m:colorgroup id="3"><m:color color="#FFF"/></m:colorgroup>'
            ),
            ONE.replace(MESH, '<components><component objectid="1"/></components>'),
            ONE.replace("</build>", ""),
            '<build><item objectid="1"/></build></model>',
        ],
    )
    def test_damage_is_refused(self, tmp_path, body):
        refused(tmp_path, "a.3mf", model(body))

    def test_entities_bombs_and_foreign_zips_are_refused(self, tmp_path, monkeypatch):
        laughs = '<!DOCTYPE a [<!ENTITY b "ha">]>' + HEAD % "meter" + ONE
        assert "entities" in refused(tmp_path, "a.3mf", packed({"3D/3dmodel.model": laughs}))
        assert "no 3D model" in refused(tmp_path, "a.3mf", packed({"word.xml": "<a/>"}))
        assert "zip" in refused(tmp_path, "a.3mf", b"PK\3\4 no zip at all")
        many = "".join(
            f'<object id="{k}"><components>{f"""<component objectid="{k - 1}"/>""" * 9}</components></object>'
            for k in range(2, 40)
        )
        body = ONE.replace("</resources>", many + "</resources>").replace('item objectid="1"', 'item objectid="39"')
        monkeypatch.setattr("nodes.io._read_3mf.MOST_FACES", 10_000)
        assert "million" in refused(tmp_path, "a.3mf", model(body))
        monkeypatch.setattr(_package, "MOST_BYTES", 1_000_000)
        assert "1 GB" in refused(tmp_path, "a.3mf", model("<!--" + " " * 2_000_000 + "-->" + ONE))

    def test_a_texture_that_is_not_there_is_left_out_and_said(self, tmp_path):
        path, _ = out(textured(base_colour=noise(3, space="srgb")), tmp_path)
        with zipfile.ZipFile(path) as package:
            files = {name: package.read(name) for name in package.namelist() if "Textures" not in name}
        mesh, notes = load(tmp_path, "b.3mf", packed(files))
        assert mesh.material.base_colour is None and any("texture" in note for note in notes)

    def test_damaged_packages_end_in_a_mesh_or_in_words(self, tmp_path):
        files = {}
        for make in (textured, coloured):
            with zipfile.ZipFile(out(make(), tmp_path)[0]) as package:
                files[make] = {name: package.read(name) for name in package.namelist()}
        whole = (tmp_path / "a.3mf").read_bytes()
        rng = np.random.default_rng(5)
        ends = {"read": 0, "refused": 0}
        for case in range(160):
            if case % 3 == 0:
                data = strange(whole, rng)
            else:
                content = dict(files[textured if case % 2 else coloured])
                name = "3D/3dmodel.model" if rng.random() < 0.8 else list(content)[rng.integers(len(content))]
                content[name] = strange(content[name], rng)
                data = packed(content)
            (tmp_path / "s.3mf").write_bytes(data)
            try:
                mesh, _ = load(tmp_path, "s.3mf", data)
                assert np.isfinite(mesh.vertices).all() and len(mesh.faces)
                ends["read"] += 1
            except BadInput as error:
                assert error.advice
                ends["refused"] += 1
        assert min(ends.values()) > 10


def transform(matrix: np.ndarray) -> lib3mf.Transform:
    found = WRAPPER.GetIdentityTransform()
    for row in range(4):
        for column in range(3):
            found.Fields[row][column] = float(matrix[row, column])
    return found


def strange(data: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.25:
        return data[: rng.integers(len(data))]
    values = np.frombuffer(data, np.uint8).copy()
    places = rng.integers(0, min(len(values), 1200 if rng.random() < 0.6 else len(values)), rng.integers(1, 4))
    values[places] = rng.integers(32, 127, len(places))
    return values.tobytes()


def test_maps_that_3mf_has_no_place_for_are_said_and_only_then(tmp_path: Path) -> None:
    said = ["3MF has no place for normal, metallic, roughness, occlusion, height, emissive: left out."]
    assert out(textured(), tmp_path)[1] == said
    run = Run()
    export_scene(run, Scene.of(textured()), path=Path("a.3mf"))
    assert said[0] in run.notes
    plain_paint = replace(textured(), material=Material(base_colour=noise(1, space="srgb"), metallic_factor=1.0))
    assert out(plain_paint, tmp_path)[1] == [] and out(coloured(), tmp_path)[1] == []

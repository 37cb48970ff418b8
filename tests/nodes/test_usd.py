"""USD out and in: written here and opened by OpenUSD, its validators, and files of OpenUSD's own read here."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from io_samples import bytes_of, coloured, full_material, load, noise, plain, refused, solid, textured, write

from app.engine import BadInput, Credit, Files, Image, Material, Mesh, Run, Scene
from app.engine.errors import Crashed
from app.engine.isolated import Helper
from app.engine.placing import in_place
from app.engine.registry import discover
from nodes.io._write_usd import usdz_bytes
from nodes.io.export_scene import export_scene
from nodes.io.export_usd import export_usd
from nodes.io.load_mesh import load_mesh
from nodes.io.load_scene import load_scene
from nodes.mesh.primitives import box

pxr = pytest.importorskip("pxr", reason="needs: uv sync --extra usd")
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdValidation, Vt  # noqa: E402

ONE = (1.0, 1.0, 1.0)


def out(mesh: Mesh, folder: Path, name: str = "a.usdz", **params: object) -> tuple[Path, list[str]]:
    run = Run()
    return write(export_usd(run, mesh, path=Path(name), **params), folder), run.notes


def opened(path: Path) -> Usd.Stage:
    """The stage as OpenUSD reads it, without an objection of any of its validators."""
    stage = Usd.Stage.Open(str(path))
    found = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators()).Validate(stage)
    assert [(error.GetName(), error.GetMessage()) for error in found] == []
    return stage


def meshes(stage: Usd.Stage) -> list[UsdGeom.Mesh]:
    return [UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]


def corners(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    return values[mesh.faces].reshape(len(mesh.faces), -1)


class TestOut:
    @pytest.mark.parametrize("name", ["a.usdz", "b c.usda"])
    @pytest.mark.parametrize("make", [plain, textured, coloured])
    def test_openusd_reads_every_number_as_it_was(self, tmp_path, name, make):
        mesh = make()
        stage = opened(out(mesh, tmp_path, name)[0])
        assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == "Y"
        (shape,) = meshes(stage)
        np.testing.assert_array_equal(np.array(shape.GetPointsAttr().Get()), mesh.vertices)
        assert np.array(shape.GetFaceVertexIndicesAttr().Get()).tobytes() == mesh.faces.tobytes()
        assert set(shape.GetFaceVertexCountsAttr().Get()) == {3} and shape.GetSubdivisionSchemeAttr().Get() == "none"
        assert np.array(shape.GetExtentAttr().Get()).tolist() == [bound.tolist() for bound in mesh.bounds]
        if mesh.uv is not None:
            st = UsdGeom.PrimvarsAPI(shape).GetPrimvar("st")
            np.testing.assert_array_equal(np.array(st.Get()), mesh.uv)
            assert st.GetInterpolation() == "vertex"

    @pytest.mark.parametrize("name", ["a.usdz", "a.usda"])
    def test_material_and_textures(self, tmp_path, name):
        mesh = textured(metallic_factor=1.0, roughness_factor=1.0, base_factor=(*ONE, 1.0), emissive_factor=(2.0, 1, 1))
        path, notes = out(mesh, tmp_path, name)
        stage = opened(path)
        (shape,) = meshes(stage)
        material, _ = UsdShade.MaterialBindingAPI(shape.GetPrim()).ComputeBoundMaterial()
        surface = material.ComputeSurfaceSource()[0]
        assert surface.GetIdAttr().Get() == "UsdPreviewSurface"
        assert notes == ["USD's preview material has no place for height; left out."]
        fed = {i.GetBaseName(): i.GetConnectedSources()[0] for i in surface.GetInputs() if i.HasConnectedSource()}
        assert set(fed) == {"diffuseColor", "normal", "roughness", "metallic", "occlusion", "emissiveColor"}
        for source, _count in [(s[0].source, 0) for s in fed.values()]:
            resolved = UsdShade.Shader(source.GetPrim()).GetInput("file").Get().resolvedPath
            assert resolved and (Path(resolved).is_file() or "usdz[" in resolved)
        back = load_mesh(Run(), path)
        for kind in ("base_colour", "normal", "metallic", "roughness", "occlusion", "emissive"):
            assert bytes_of(getattr(back.material, kind)) == bytes_of(getattr(mesh.material, kind)), kind
        assert back.material.emissive_factor == (2, 1, 1) and back.material.metallic_factor == 1

    def test_factors_are_multiplied_in_or_plain(self, tmp_path):
        red = Material("red", base_factor=(1.0, 0.25, 0.0, 0.5), alpha_mode="blend", metallic_factor=0.25,
                       roughness_factor=0.75, emissive_factor=(0.5, 0.0, 3.0), double_sided=True,
                       layers=(("clearcoat.clearcoatFactor", 0.5), ("sheen.sheenRoughnessFactor", 0.5)))  # fmt: skip
        path, notes = out(replace(plain(), material=red), tmp_path)
        assert "sheen" in notes[0]
        back = load_mesh(Run(), path).material
        for name in ("base_factor", "metallic_factor", "roughness_factor", "emissive_factor", "alpha_mode"):
            assert getattr(back, name) == getattr(red, name)
        assert back.layers == (("clearcoat.clearcoatFactor", 0.5),)
        half = full_material(metallic=None, occlusion=None, metallic_factor=0.5)
        back = load_mesh(Run(), out(replace(textured(), material=half), tmp_path)[0]).material
        assert back.metallic is None and back.metallic_factor == 0.5 and back.occlusion is None
        assert np.abs(back.roughness.pixels[..., 0] - half.roughness.pixels[..., 0] * 0.5).max() <= 0.5 / 255 + 1e-6

    def test_transparent_textures(self, tmp_path):
        for mode in ("opaque", "mask", "blend"):
            look = Material("leaf", base_colour=noise(5, channels=4, space="srgb"), alpha_mode=mode, alpha_cutoff=0.25)
            back = load_mesh(Run(), out(replace(textured(), material=look), tmp_path)[0]).material
            assert back.alpha_mode == mode
            assert mode == "opaque" or bytes_of(back.base_colour) == bytes_of(look.base_colour)
            assert mode != "mask" or back.alpha_cutoff == 0.25

    def test_a_package_is_aligned_uncompressed_and_begins_with_the_stage(self, tmp_path):
        path, _ = out(textured(), tmp_path, "Große Kiste.usdz")
        data = path.read_bytes()
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
            assert package.testzip() is None
        assert entries[0].filename.endswith(".usda") and len(entries) == 5
        for entry in entries:
            assert entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size
            name, extra = (int.from_bytes(data[entry.header_offset + k :][:2], "little") for k in (26, 28))
            assert (entry.header_offset + 30 + name + extra) % 64 == 0
            assert entry.filename.rpartition(".")[2] in ("usda", "png", "jpg")

    def test_jpeg_sizes_and_credits(self, tmp_path):
        large = textured(base_colour=Image.of(np.zeros((600, 600, 3), np.uint8)))
        run = Run(credits=(Credit('Chair "x"', "Jané", "CC BY 4.0"),))
        files = export_usd(run, large, texture_size="512", colour_format="JPEG", path=Path("a.usda"))
        assert any(name.endswith(".jpg") for name in files.names)
        stage = Usd.Stage.Open(str(write(files, tmp_path)))
        data = stage.GetRootLayer().customLayerData
        assert data["Author"] == "Jané" and "CC BY 4.0" in data["Copyright"] and data["creator"] == "Polyloom"
        assert "MB" in "".join(out(textured(base_colour=big()), tmp_path)[1])

    @pytest.mark.parametrize("name", ["a.usdz", "a.usda"])
    def test_a_file_gives_the_works_it_was_made_from_again(self, tmp_path, name):
        works = (Credit('Chair "x" \\ y', "Jané Doe", "CC BY 4.0", "https://example.org"), Credit("photo.jpg"))
        path = write(export_usd(Run(credits=works), plain(), path=Path(name)), tmp_path)
        run = Run()
        load_mesh(run, path)
        assert run.said == list(works)

    def test_same_mesh_same_bytes(self, tmp_path):
        one, two = (export_usd(Run(), textured()).contents[0] for _ in range(2))
        assert one.tobytes() == two.tobytes()


def big() -> Image:
    return Image.of(np.random.default_rng(0).integers(0, 256, (3000, 3000, 3), np.uint8))


class TestScenes:
    @pytest.mark.parametrize("name", ["s.usdz", "s.usda", "s.3mf"])
    def test_objects_instances_and_places_survive(self, tmp_path, name):
        leg, top = replace(box(width=0.1), name="leg"), replace(textured(), name="top")
        places = np.tile(np.eye(4, dtype=np.float32), (4, 1, 1))
        places[1, :3, 3], places[2, :3, 3], places[3, :3, 3] = (1, 0, 0), (0, 0.5, 2), (0, 1, 0)
        places[2, :3, :3] = [[0, 0, 1], [0, 2, 0], [-1, 0, 0]]
        scene = Scene((leg, top), ("Tisch", "leg 1", "leg 2", "top"), ((), (0,), (0,), (1,)), places,
                      np.array([-1, 0, 0, 2], np.int32), name="room")  # fmt: skip
        path = write(export_scene(Run(), scene, path=Path(name)), tmp_path)
        back = load_scene(Run(), path)
        want, got = in_place(scene), in_place(back)
        assert len(got) == 3 and len(back.meshes) == (2 if name == "s.3mf" else len(back.meshes))
        for a, b in zip(want, got, strict=True):
            assert np.abs(corners(a, a.vertices) - corners(b, b.vertices)).max() < 1e-6
        if name != "s.3mf":
            opened(path)
            assert [n for n in back.names if "leg" in n][:1] == ["leg 1"] and "Tisch" in back.names
            alone = load_mesh(Run(), out(top, tmp_path)[0])
            assert bytes_of(got[2].material.base_colour) == bytes_of(alone.material.base_colour)


class TestIn:
    def stage(self, path: Path, metres: float = 0.01, axis: str = "Z") -> Usd.Stage:
        stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageMetersPerUnit(stage, metres)
        UsdGeom.SetStageUpAxis(stage, axis)
        return stage

    def quads(self, stage: Usd.Stage, path: str = "/a/quads") -> UsdGeom.Mesh:
        """Two quads side by side in the plane z = 0."""
        shape = UsdGeom.Mesh.Define(stage, path)
        shape.GetPointsAttr().Set([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 0), (2, 1, 0)])
        shape.GetFaceVertexCountsAttr().Set([4, 4])
        shape.GetFaceVertexIndicesAttr().Set([0, 1, 2, 3, 1, 4, 5, 2])
        return shape

    @pytest.mark.parametrize("suffix", ["usda", "usdc", "usd"])
    def test_units_axes_transforms_and_polygons(self, tmp_path, suffix):
        stage = self.stage(tmp_path / f"a.{suffix}")
        UsdGeom.Xform.Define(stage, "/a").AddTranslateOp().Set(Gf.Vec3d(0, 0, 10))
        stage.DefinePrim("/a/typeless")
        self.quads(stage, "/a/typeless/quads").AddScaleOp().Set(Gf.Vec3f(1, 2, 1))
        stage.Save()
        mesh, notes = load(tmp_path, f"b.{suffix}", (tmp_path / f"a.{suffix}").read_bytes())
        assert len(mesh.faces) == 4 and notes == ["Converted centimetres to metres and +Z up to +Y up."]
        assert mesh.bounds[0] == pytest.approx([0, 0.1, -0.02]) and mesh.bounds[1] == pytest.approx([0.02, 0.1, 0])
        assert solid(mesh).area == pytest.approx(0.02 * 0.02) and (solid(mesh).face_normals[:, 1] > 0.99).all()

    def test_every_interpolation_of_uvs_and_colours(self, tmp_path):
        path = tmp_path / "a.usda"
        stage = self.stage(path, 1.0, "Y")
        shape = self.quads(stage)
        api = UsdGeom.PrimvarsAPI(shape)
        corner = np.random.default_rng(1).random((8, 2)).astype(np.float32)
        st = api.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying")
        st.Set(Vt.Vec2fArray.FromNumpy(corner))
        shape.CreateDisplayColorPrimvar("uniform").Set([(1, 0, 0), (0, 0, 1)])
        stage.Save()
        mesh, _ = load(tmp_path, "b.usda", path.read_bytes())
        rows = {tuple(np.round(row, 6)) for row in mesh.uv}
        assert rows == {tuple(np.round(row, 6)) for row in corner}
        assert np.abs(mesh.colours[mesh.faces[:2]] - (1, 0, 0, 1)).max() < 1e-6
        assert np.abs(mesh.colours[mesh.faces[2:]] - (0, 0, 1, 1)).max() < 1e-6

    def test_subsets_of_faces_keep_their_materials(self, tmp_path):
        path = tmp_path / "a.usda"
        stage = self.stage(path, 1.0, "Y")
        shape = self.quads(stage)
        for name, colour, faces in (("red", (1, 0, 0), [0]), ("blue", (0, 0, 1), [1])):
            material = UsdShade.Material.Define(stage, f"/m/{name}")
            shader = UsdShade.Shader.Define(stage, f"/m/{name}/s")
            shader.CreateIdAttr("UsdPreviewSurface")
            shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*colour))
            material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
            subset = UsdGeom.Subset.CreateGeomSubset(shape, name, "face", Vt.IntArray(faces), "materialBind")
            UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
        stage.Save()
        scene = load_scene(Run(), path)
        assert [mesh.material.name for mesh in scene.meshes] == ["red", "blue"]
        assert [mesh.material.base_factor for mesh in scene.meshes] == [(1, 0, 0, 1), (0, 0, 1, 1)]
        assert [len(mesh.faces) for mesh in scene.meshes] == [2, 2]

    def test_hidden_things_guides_and_left_hands(self, tmp_path):
        path = tmp_path / "a.usda"
        stage = self.stage(path, 1.0, "Y")
        self.quads(stage, "/left").GetOrientationAttr().Set("leftHanded")
        UsdGeom.Imageable(self.quads(stage, "/hidden")).MakeInvisible()
        self.quads(stage, "/guide").GetPurposeAttr().Set("guide")
        UsdGeom.Sphere.Define(stage, "/ball")
        stage.Save()
        mesh, notes = load(tmp_path, "b.usda", path.read_bytes())
        assert len(mesh.faces) == 4 and (solid(mesh).face_normals[:, 2] < -0.99).all()
        assert any("Sphere" in note for note in notes)

    def test_instances_share_their_mesh(self, tmp_path):
        path = tmp_path / "a.usda"
        stage = self.stage(path, 1.0, "Y")
        stage.CreateClassPrim("/proto")
        self.quads(stage, "/proto/quads")
        for k in range(3):
            prim = UsdGeom.Xform.Define(stage, f"/copy{k}")
            prim.AddTranslateOp().Set(Gf.Vec3d(3.0 * k, 0, 0))
            prim.GetPrim().GetReferences().AddInternalReference("/proto")
            prim.GetPrim().SetInstanceable(True)
        stage.Save()
        scene = load_scene(Run(), path)
        assert len(scene.meshes) == 1 and sum(bool(row) for row in scene.parts) == 3
        assert [mesh.bounds[0][0] for mesh in in_place(scene)] == [0, 3, 6]

    def test_layers_outside_the_folder_are_refused_and_beside_it_followed(self, tmp_path):
        (tmp_path / "inside").mkdir()
        for folder in (tmp_path, tmp_path / "inside"):
            stage = self.stage(folder / "part.usda", 1.0, "Y")
            self.quads(stage, "/quads")
            stage.SetDefaultPrim(stage.GetPrimAtPath("/quads"))
            stage.Save()
        text = '#usda 1.0\n(upAxis = "Y"\nmetersPerUnit = 1)\ndef "x" (references = @%s@) {{}}\n'
        mesh, _ = load(tmp_path / "inside", "a.usda", (text % "./part.usda").replace("{{}}", "{}"))
        assert len(mesh.faces) == 4
        said = refused(tmp_path / "inside", "b.usda", (text % "../part.usda").replace("{{}}", "{}"))
        assert "not in its own folder" in said

    @pytest.mark.parametrize("suffix", ["usda", "usdc", "usdz", "usd"])
    @pytest.mark.parametrize("data", [b"", b"hello", b"#usda 1.0\n(", b"PXR-USDC" + bytes(200), b"PK\3\4" + bytes(40)])
    def test_foreign_files_are_refused(self, tmp_path, suffix, data):
        refused(tmp_path, f"a.{suffix}", data)

    def test_damaged_files_end_in_a_mesh_or_in_words(self, tmp_path):
        """In the helper process that Load mesh runs in: OpenUSD's library may fall over some of them."""
        text = out(textured(), tmp_path, "a.usda")[0].read_bytes()
        stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
        stage.GetRootLayer().Export(str(tmp_path / "a.usdc"))
        crate, package = (tmp_path / "a.usdc").read_bytes(), out(textured(), tmp_path)[0].read_bytes()
        rng = np.random.default_rng(8)
        ends = {"read": 0, "refused": 0}
        spec, helper = discover(("nodes",))["io.load_mesh"], Helper()
        for case in range(90):
            suffix, data = (("usda", text), ("usdc", crate), ("usdz", package))[case % 3]
            values = np.frombuffer(data, np.uint8).copy()
            values[rng.integers(0, len(values), 2)] = rng.integers(32, 127, 2)
            path = tmp_path / f"s{case}.{suffix}"
            path.write_bytes(values.tobytes() if rng.random() < 0.8 else data[: rng.integers(len(data))])
            try:
                mesh = helper(spec, {"path": path}, Run())
                assert np.isfinite(mesh.vertices).all()
                ends["read"] += 1
            except (BadInput, Crashed) as error:
                assert error.advice
                ends["refused"] += 1
        helper.close()
        assert min(ends.values()) > 5

    def test_without_the_library_a_sentence_says_how_to_get_it(self, tmp_path, monkeypatch):
        path, _ = out(plain(), tmp_path)
        monkeypatch.setitem(sys.modules, "pxr", None)
        assert "not installed" in refused(tmp_path, "b.usdz", path.read_bytes())


def test_usdz_gaps_hold_for_any_name_length() -> None:
    for size in range(1, 70):
        files: dict[str, bytes] = {"a" * size + ".usda": b"x" * size, "t.png": b"y"}
        data = usdz_bytes(files)
        assert data.index(b"x" * size) % 64 == 0 or data[data.index(b"usda") + 4 :].index(b"x" * size) >= 0
        assert isinstance(Files.of({"a": data}), Files)

"""Author and licence of every input: read from files, stated by the person, written into what is exported."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from io_samples import gltf_reports, plain, write
from PIL import Image as Pictures
from PIL.PngImagePlugin import PngInfo

from app.engine import Credit, Files, Image, Mesh, PointCloud, Run
from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.script import Workspace
from app.engine.store import Store
from nodes.io._credits import credits_text
from nodes.io._licences import OFFERS, rights, terms
from nodes.io._model_credits import credit_model
from nodes.io._stated import credit_file
from nodes.io.export_3mf import export_3mf
from nodes.io.export_dds import export_dds
from nodes.io.export_glb import export_glb
from nodes.io.export_image import export_image
from nodes.io.export_ktx2 import export_ktx2
from nodes.io.export_obj import export_obj
from nodes.io.export_ply import export_ply
from nodes.io.export_png import export_png
from nodes.io.export_points import export_points
from nodes.io.export_stl import export_stl
from nodes.io.load_image import load_image
from nodes.io.load_mesh import load_mesh
from nodes.io.load_points import load_points

CHAIR = Credit("Chair", "Jané Doe", "CC BY 4.0", "https://example.org/chair")
PHOTO = Credit("photo.jpg")
NET = Credit("Net", "", "Maker's terms, NOT FOR COMMERCIAL USE", "maker/net, revision 0123456789ab", "model")
ODD = Credit("a | b\nv 1 2 3", licence="<script>")
WORKS = (CHAIR, NET, ODD, PHOTO)
SQUARE = Image.of(np.linspace(0, 1, 64 * 3, dtype=np.float32).reshape(8, 8, 3))
Export = Callable[..., Files]


def said(path: Path, **stated: str) -> list[Credit]:
    run = Run()
    credit_file(run, path, **stated)
    return run.said


def _as(suffix: str) -> Export:
    return lambda run, image: export_image(run, image, path=Path(f"a{suffix}"))


PICTURES = {"png": export_png, "ktx2": export_ktx2, **{s: _as(s) for s in (".png", ".jpg", ".webp", ".tif", ".exr")}}
MESHES = {"glb": export_glb, "obj": export_obj, "ply": export_ply, "3mf": export_3mf}


@pytest.mark.parametrize("export", [*MESHES.values(), *PICTURES.values()], ids=[*MESHES, *PICTURES])
def test_a_file_written_here_gives_the_works_it_was_made_from_again(export: Export, tmp_path: Path) -> None:
    run = Run(credits=WORKS)
    picture = export in PICTURES.values()
    files = export(run, SQUARE if picture else plain())
    write(files, tmp_path)
    path, reader = tmp_path / files.names[0], load_image if picture else load_mesh
    again = Run()
    reader(again, path)
    assert {c.title.replace("/", "|") for c in again.said} == {c.title for c in WORKS}
    assert [c for c in again.said if c.title[:2] != "a "] == [CHAIR, NET, PHOTO]
    stated = Run()
    reader(stated, path, licence="own work")
    assert stated.said == [*again.said, Credit(licence="own work")]


@pytest.mark.parametrize("suffix", [".ply", ".pcd", ".xyz"])
def test_point_files_give_their_works_again(suffix: str, tmp_path: Path) -> None:
    cloud = PointCloud(np.eye(3, dtype=np.float32), np.ones((3, 4), np.float32))
    path = write(export_points(Run(credits=WORKS), cloud, path=Path(f"a{suffix}")), tmp_path)
    again = Run()
    same = load_points(again, path)
    np.testing.assert_array_equal(same.points, cloud.points)
    assert [credit for credit in again.said if credit.title[:2] != "a "] == [CHAIR, NET, PHOTO]
    names = export_points(Run(credits=WORKS), cloud, path=Path("a.npz")).names
    assert names == ("a.npz", "a.credits.txt")


def test_the_khronos_validator_accepts_copyright_and_credits(tmp_path: Path) -> None:
    files = export_glb(Run(credits=WORKS, graph_text="{}"), plain())
    write(files, tmp_path)
    data = files.contents[0].tobytes()
    asset = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])["asset"]
    assert asset["copyright"].startswith('"Chair" by Jané Doe, CC BY 4.0, https://example.org/chair; "Net", Maker')
    assert asset["extras"]["polyloom"] == "{}" and len(asset["extras"]["polyloom_credits"]) == 4
    (report,) = gltf_reports([tmp_path / files.names[0]])
    assert report["messages"] == []


def test_files_without_credits_are_as_they_were() -> None:
    data = export_glb(Run(), plain()).contents[0].tobytes()
    assert b"copyright" not in data and b"extras" not in data
    assert b"Credit" not in export_obj(Run(), plain()).contents[0].tobytes()
    assert export_stl(Run(), plain()).contents[0].tobytes()[:80] == b"Polyloom binary STL".ljust(80, b"\0")


def test_comments_never_become_lines_of_the_file(tmp_path: Path) -> None:
    files = export_obj(Run(credits=WORKS), plain())
    text = files.contents[0].tobytes().decode()
    assert "# Credit: a / b v 1 2 3 |  | <script> |  | file\n" in text
    assert sum(line.startswith("v ") for line in text.splitlines()) == len(plain().vertices)
    write(files, tmp_path)
    assert len(load_mesh(Run(), tmp_path / files.names[0], merge=False).vertices) == len(plain().vertices)


def test_an_stl_header_holds_80_letters_and_the_rest_lies_beside_it() -> None:
    short = export_stl(Run(credits=(Credit("Chair", licence="CC0"),)), plain())
    assert short.contents[0].tobytes()[:80].rstrip(b"\0") == b'Polyloom binary STL; "Chair", CC0'
    assert short.names == ("asset.stl",)
    long = export_stl(Run(credits=WORKS), plain(), path=Path("print/part.stl"))
    assert long.names == ("print/part.stl", "print/part.credits.txt")
    assert len(long.contents[0]) == 84 + 50 * len(plain().faces)


def test_the_text_beside_a_file_is_ready_for_a_credits_page() -> None:
    run = Run(credits=(CHAIR, NET, PHOTO, Credit("gpt-image-1", source="api.example.org", kind="service")))
    files = export_dds(run, SQUARE, path=Path("a/wood.dds"))
    assert files.names == ("a/wood.dds", "a/wood.credits.txt")
    assert files.contents[1].tobytes().decode() == (
        "Credits of wood.dds\n\n"
        "Pictures, models and other works\n"
        '"Chair" by Jané Doe, CC BY 4.0, https://example.org/chair\n'
        '"photo.jpg", licence not stated\n\n'
        "Trained models\n"
        '"Net", Maker\'s terms, NOT FOR COMMERCIAL USE, maker/net, revision 0123456789ab\n\n'
        "Services\n"
        '"gpt-image-1", api.example.org\n'
    )
    assert export_dds(Run(), SQUARE).names == ("texture.dds",)
    assert export_image(run, SQUARE, path=Path("a.tga")).names == ("a.tga", "a.credits.txt")
    assert export_glb(Run(), plain(), credits_file=True).names == ("asset.glb", "asset.credits.txt")
    assert "No other works" in credits_text(Run(), "x")


def test_an_export_says_what_its_inputs_forbid_or_do_not_state() -> None:
    run = Run(credits=(CHAIR, NET, PHOTO, Credit("tree.obj", licence="CC BY-ND 4.0")))
    export_glb(run, plain())
    assert run.notes == [
        "Not for commercial use: Net (Maker's terms, NOT FOR COMMERCIAL USE).",
        "May not be changed: tree.obj (CC BY-ND 4.0).",
        "Licence not stated: photo.jpg. State it at the step that reads it, under More settings.",
    ]
    quiet = Run(credits=(CHAIR, Credit("made", kind="service")))
    export_glb(quiet, plain())
    assert quiet.notes == []


def test_every_node_that_writes_files_asks_for_credits() -> None:
    deaf = [id for id, spec in discover(("nodes",)).items() if any(s.type is Files for s in spec.outputs)
            and not spec.credits]  # fmt: skip
    assert deaf == []


def test_every_node_that_reads_a_work_lets_the_person_state_its_licence() -> None:
    loaders = {id: spec for id, spec in discover(("nodes",)).items() if id.startswith("io.load_")}
    assert len(loaders) >= 4
    mute = [id for id, spec in loaders.items() if not {"licence", "author", "source"} <= {p.name for p in spec.params}]
    assert mute == []
    assert all(
        spec.param(name).setting.advanced for spec in loaders.values() for name in ("licence", "author", "source")
    )


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "cc-by-nc-sa-4.0", "non-commercial", "Noncommercial research",
                                     "research only", "Editorial Use", "x, NOT FOR COMMERCIAL USE"])  # fmt: skip
def test_words_that_forbid_commercial_use(licence: str) -> None:
    assert terms(licence).non_commercial


@pytest.mark.parametrize("licence", [*(o for o in OFFERS if "NC" not in o), "MIT", "Apache-2.0", "OpenRAIL-M",
                                     "Francis's own terms", "CC-BY-SA-4.0"])  # fmt: skip
def test_words_that_do_not(licence: str) -> None:
    assert not terms(licence).non_commercial and not terms(licence).no_derivatives and terms(licence).stated
    assert terms(licence).share_alike == ("SA" in licence)


@pytest.mark.parametrize(("statement", "found"), [
    ("© 2024 Jane Doe", ("Jane Doe", "")),
    ("Copyright (c) 2019-2021 Acme Ltd.", ("Acme Ltd", "")),
    ("2017, Public Domain", ("", "2017, Public Domain")),
    ("CC-BY 4.0 Jane Doe", ("", "CC-BY 4.0 Jane Doe")),
    ("", ("", "")),
])  # fmt: skip
def test_a_copyright_statement_is_an_author_or_a_licence(statement: str, found: tuple[str, str]) -> None:
    assert rights(statement) == found


XMP = b"""<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''
 xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmpRights='http://ns.adobe.com/xap/1.0/rights/'
 xmpRights:WebStatement='https://creativecommons.org/licenses/by/4.0/'>
<dc:creator><rdf:Seq><rdf:li>Jane</rdf:li><rdf:li>Joe</rdf:li></rdf:Seq></dc:creator>
<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Oak</rdf:li><rdf:li xml:lang='de'>Eiche</rdf:li></rdf:Alt></dc:title>
<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>CC BY 4.0</rdf:li></rdf:Alt></dc:rights>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
OAK = Credit("Oak", "Jane, Joe", "https://creativecommons.org/licenses/by/4.0/")
BOMB = XMP.replace(b"<rdf:RDF", b"<!DOCTYPE r [<!ENTITY a 'aaaa'>]><rdf:RDF").replace(b">Oak<", b"><!-- -->Oak<")


def saved(form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Pictures.new("RGB", (8, 8), "red").save(out, form, **options)
    return out.getvalue()


def exif(**tags: str) -> Pictures.Exif:
    found = Pictures.Exif()
    for tag, text in tags.items():
        found[int(tag[1:])] = text
    return found


def png_texts(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text)
    return saved("PNG", pnginfo=info)


def gltf(asset: dict, **more: object) -> bytes:
    return json.dumps({"asset": {"version": "2.0", **asset}, **more}).encode()


KHR = {"KHR_xmp_json_ld": {"packets": [{"@context": {}}, {
    "dc:title": {"@type": "rdf:Alt", "rdf:_1": {"@language": "en", "@value": "Owl"}, "rdf:_2": "Eule"},
    "dc:creator": {"@list": ["Jane"]}, "dc:rights": "© 2020 Acme", "xmpRights:UsageTerms": "CC0"}]}}  # fmt: skip
SKETCHFAB = {"author": "Jane (https://example.org/j)", "license": "CC-BY-4.0", "source": "https://example.org",
             "title": "Owl"}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "expected"), [
    ("a.gltf", gltf({"copyright": "© 2024 Jane Doe"}), Credit(author="Jane Doe")),
    ("a.gltf", gltf({"copyright": "CC0 by Jane"}), Credit(licence="CC0 by Jane")),
    ("a.gltf", gltf({"extras": SKETCHFAB}), Credit("Owl", "Jane (https://example.org/j)", "CC-BY-4.0",
                                                   "https://example.org")),
    ("a.gltf", gltf({"extensions": {"KHR_xmp_json_ld": {"packet": 1}}}, extensions=KHR), Credit("Owl", "Jane", "CC0")),
    ("a.gltf", gltf({"extensions": {"KHR_xmp_json_ld": {"packet": 9}}}, extensions=[]), Credit()),
    ("a.gltf", gltf({"extras": {"polyloom_credits": [7, {"title": 3}, {"author": "x"}]}, "copyright": 5}), Credit()),
    ("a.gltf", b'{"asset": ', Credit()),
    ("a.glb", b"glTF\2\0\0\0", Credit()),
    ("a.png", png_texts(Copyright="CC BY 4.0", Author="Jane", Title="Oak"), Credit("Oak", "Jane", "CC BY 4.0")),
    ("a.png", png_texts(License="own", polyloom_credits="[[["), Credit(licence="own")),
    ("a.png", saved("PNG"), Credit()),
    ("a.jpg", saved("JPEG", exif=exif(t315="Jane", t33432="All rights reserved")),
     Credit(author="Jane", licence="All rights reserved")),
    ("a.jpg", saved("JPEG", xmp=XMP), OAK),
    ("a.webp", saved("WEBP", xmp=XMP), OAK),
    ("a.jpg", saved("JPEG", xmp=BOMB), Credit()),
    ("a.jpg", saved("JPEG", xmp=b"<rdf:RDF><open></rdf:RDF>"), Credit()),
    ("a.tif", saved("TIFF", tiffinfo={315: "Jane", 33432: "CC0"}), Credit(author="Jane", licence="CC0")),
    ("a.jpg", b"\xff\xd8\xff", Credit()),
    ("a.obj", b"# Author: Jane\n# License: CC0\nv 0 0 0\n# License: no header", Credit(author="Jane")),
    ("a.obj", b"# Blender 4.2\n# SPDX-License-Identifier: CC0-1.0\nv 0 0 0\n", Credit(licence="CC0-1.0")),
    ("a.obj", b"# Credit: x | y\n# license to kill\nmtllib licence: a\n", Credit()),
    ("a.ply", b"ply\nformat ascii 1.0\ncomment Copyright: 2020 Acme\nend_header\n", Credit(author="Acme")),
    ("a.stl", b"solid licence: CC0", Credit()),
])  # fmt: skip
def test_what_a_file_says_of_itself(name: str, data: bytes, expected: Credit, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert said(tmp_path / name) == [expected]


def test_a_picture_is_not_decoded_for_its_texts(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    whole = saved("PNG", pnginfo=info)
    (tmp_path / "cut.png").write_bytes(whole[: whole.index(b"IDAT") + 6])
    assert said(tmp_path / "cut.png") == [OAK]


def test_what_lies_beside_a_file_and_what_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "owl.obj"
    path.write_text("# Author: In The File\n# License: CC BY 4.0\n")
    (tmp_path / "license.txt").write_text(
        "Model Information:\n* title:\tOwl\n* source:\thttps://example.org/owl\n* author:\tJane\n\n"
        "Model License:\n* license type:\tCC-BY-NC-4.0 (http://example.org)\n"
        "* requirements:\tAuthor must be credited.\n"
    )
    assert said(path) == [Credit("Owl", "In The File", "CC BY 4.0", "https://example.org/owl")]
    (tmp_path / "owl.obj.license").write_text(
        "SPDX-FileCopyrightText: © 2019 Acme\n\nSPDX-License-Identifier: CC0-1.0\n",
        "utf-8",
    )
    assert said(path) == [Credit("Owl", "Acme", "CC0-1.0", "https://example.org/owl")]
    assert said(path, licence=" mine ", source="disk") == [Credit("Owl", "Acme", "mine", "disk")]


@pytest.mark.parametrize(("text", "licence"), [
    ("Creative Commons Legal Code\n\nCC0 1.0 Universal\n", "CC0 1.0"),
    ("Creative Commons Attribution-NonCommercial 4.0 International Public License", "CC BY-NC 4.0"),
    ("MIT License\n\nCopyright (c) 2020 Acme\n", "MIT"),
    ("Ask Joe.", "see LICENSE"),
])  # fmt: skip
def test_the_text_of_a_licence_beside_a_file_is_recognised(text: str, licence: str, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text(text)
    (tmp_path / "a.stl").write_bytes(b"x")
    assert said(tmp_path / "a.stl") == [Credit(licence=licence)]


def test_a_licence_beside_a_file_is_part_of_the_key(tmp_path: Path) -> None:
    specs, store = discover(("nodes",)), Store(tmp_path / "store")

    def keys() -> list[str]:
        found = []
        for id, name in (("io.load_mesh", "a.stl"), ("io.load_image", "a.png")):
            settings = {param.name: param.default for param in specs[id].params} | {"path": name}
            found.append(step_key(Step("n", specs[id], settings, {}), {}, tmp_path, store))
        return found

    (tmp_path / "a.stl").write_bytes(export_stl(Run(), plain()).contents[0].tobytes())
    (tmp_path / "a.png").write_bytes(saved("PNG"))
    before = keys()
    (tmp_path / "LICENSE.txt").write_text("CC0")
    after = keys()
    assert all(one != other for one, other in zip(before, after, strict=True))
    store.close()


def test_from_a_picture_on_disk_to_the_file_that_was_exported(tmp_path: Path) -> None:
    (tmp_path / "wood.jpg").write_bytes(saved("JPEG", exif=exif(t315="Jane")))
    work = Workspace(base=tmp_path, out=tmp_path / "out", store=tmp_path / "store")
    photo = work.add("io.load_image", path="wood.jpg", licence="CC0 1.0")
    half = work.add("image.resize", image=photo)
    work.add("io.export_png", image=half)
    report = work.run().report
    assert report.status == "ok" and report.credits == (Credit("wood.jpg", "Jane", "CC0 1.0"),)
    with Pictures.open(tmp_path / "out" / "picture.png") as picture:
        assert picture.info["Copyright"] == '"wood.jpg" by Jane, CC0 1.0' and picture.info["Author"] == "Jane"


def test_meshes_made_here_need_no_credits() -> None:
    run = Run()
    assert isinstance(plain(), Mesh) and export_glb(run, plain(), credits_file=False).names == ("asset.glb",)
    assert run.notes == []


def test_model_files_that_a_person_brings_are_credited(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"modelspec.author": "Jane", "modelspec.license": "CC BY-NC 4.0"}}).encode()
    (tmp_path / "style.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    (tmp_path / "torn.safetensors").write_bytes(b"\xff" * 20)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "README.md").write_text("---\ntags: [a]\nlicense: openrail++\n---\nA net. license: no\n")
    run = Run()
    for name in ("style.safetensors", "torn.safetensors", "net"):
        credit_model(run, tmp_path / name)
    credit_model(run, Path())
    assert run.said == [
        Credit("style.safetensors", "Jane", "CC BY-NC 4.0", kind="model"),
        Credit("torn.safetensors", kind="model"),
        Credit("net", licence="openrail++", kind="model"),
    ]

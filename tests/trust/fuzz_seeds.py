"""Small sound files of every kind that Polyloom opens: what the fuzzer starts from."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from meshopt_samples import packed
from PIL import Image as Pictures

from app.engine import Image, Material, Mesh, Run
from app.engine.embedded import write_png_text
from nodes.io._write_exr import exr_bytes
from nodes.io.export_3mf import export_3mf
from nodes.io.export_glb import export_glb
from nodes.io.export_image import export_image
from nodes.io.export_obj import export_obj
from nodes.io.export_ply import export_ply
from nodes.io.export_stl import export_stl
from nodes.mesh.primitives import sphere

GRAPH = {
    "format": 1, "app": "polyloom", "frames": [], "view": {"zoom": 1.5}, "later": [1],
    "nodes": [
        {"id": "a", "type": "toy.constant", "version": 1, "at": [0, 0.25], "params": {"value": 2.0, "log": ""}},
        {"id": "b", "type": "toy.add", "params": {"plus": 1}, "title": "Sum", "bypass": True, "glow": {"x": None}},
        {"id": "c", "type": "toy.add", "params": {"plus": -3.5}},
        {"id": "r", "type": "toy.read", "params": {"path": "notes.txt"}},
        {"id": "w", "type": "toy.write", "params": {"path": "sub/out.txt"}},
        {"id": "p", "type": "toy.picture", "params": {"size": 8, "grey": 0.5}},
        {"id": "u", "type": "own.magic", "version": 7, "params": {"p": [1, {"q": "é"}]}},
    ],
    "links": [["a", "out", "b", "a"], ["b", "out", "c", "a"], ["a", "out", "c", "plus"], ["c", "out", "w", "a"],
              ["a", "out", "p", "size"], ["u", "o", "w", "path"]],
}  # fmt: skip
OFF = b"CNOFF\n4 2 0\n0 0 0 0 0 1 255 0 0 255\n1 0 0 0 0 1 0 255 0 255\n1 1 0 0 0 1 0 0 255 255\n0 1 0 0 0 1 9 9 9 9\n"
OFF += b"4 0 1 2 3 0.1 0.2 0.3\n3 0 1 2\n"
OBJ = b"""# all forms of a face\nmtllib m.mtl\no thing\nv 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nv 0 1 0 1 1 1
vt 0 0\nvt 1 0\nvt 1 1\nvn 0 0 1\nusemtl one\nf 1 2 3\nf 1/1 2/2 3/3\nf 1//1 2//1 3//1\nusemtl two
f 1/1/1 2/2/1 3/3/1 4/1/1\nf -4 -3 -2 -1\nl 1 2\n"""
MTL = b"""newmtl one\nKd 0.5 0.25 1\nKe 1 0 0\nNs 250\nd 0.5\nmap_Kd -s 1 1 1 pic.png\nbump -bm 0.5 pic.png
newmtl two\nKd 1\nPr 0.3\nPm 1\nmap_Pr pic.png\nmap_d pic.png\nnorm pic.png\nmap_Ka pic.png\nTr 0.5\n"""
PLY_HEAD = b"""ply\nformat ascii 1.0\ncomment TextureFile pic.png\nelement vertex 4\nproperty float x\nproperty float y
property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nproperty float s\nproperty float t
element face 2\nproperty list uchar int vertex_indices\nproperty list uchar float texcoord
element tristrips 1\nproperty list int int vertex_indices\nend_header\n"""
PLY = (
    PLY_HEAD
    + b"""0 0 0 255 0 0 0 0\n1 0 0 0 255 0 1 0\n1 1 0 0 0 255 1 1\n0 1 0 9 9 9 0 1
4 0 1 2 3 8 0 0 1 0 1 1 0 1\n3 0 1 2 6 0 0 1 0 1 1\n6 0 1 2 -1 0 1\n"""
)


def picture(size: int = 6) -> Any:
    values = np.random.default_rng(1).integers(0, 256, (size, size + 1, 4), np.uint8)
    return Pictures.fromarray(values)


def saved(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    given = picture().convert(options.pop("mode", "RGBA"))
    given.save(out, kind, **options)
    return out.getvalue()


def small_mesh() -> Mesh:
    ball = sphere(0.5, segments=4)
    maps = Image.of(np.asarray(picture()))
    material = Material("m", base_colour=maps, normal=maps, roughness=maps, occlusion=maps, emissive=maps)
    return Mesh(ball.vertices, ball.faces, ball.normals, ball.uv, None, material)


def _first(files: Any) -> bytes:
    return bytes(files.contents[0])


def _gltf(glb: bytes) -> bytes:
    """The same as text, with the binary part as a ``data:`` URI and one picture beside it."""
    import base64

    size = int.from_bytes(glb[12:16], "little")
    tree = json.loads(glb[20 : 20 + size])
    body = base64.b64encode(glb[28 + size :]).decode()
    tree["buffers"][0]["uri"] = "data:application/octet-stream;base64," + body
    tree["images"][0] = {"uri": "pic.png"}
    tree["nodes"] += [{"children": [0], "rotation": [0, 0, 0, 1], "scale": [1, 2, 1], "translation": [0, 1, 0]}]
    tree["scenes"][0]["nodes"] = [1]
    own = tree["accessors"][0]["bufferView"]
    tree["accessors"][0]["sparse"] = {
        "count": 1, "indices": {"bufferView": own, "componentType": 5121}, "values": {"bufferView": own}
    }  # fmt: skip
    return json.dumps(tree).encode()


def _piz(values: np.ndarray) -> bytes:
    import OpenEXR

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.exr"
        OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION}, {"RGBA": values.astype(np.float16)}).write(str(path))
        return path.read_bytes()


def seeds() -> dict[str, list[bytes]]:
    """Sound files by kind; each kind is a file ending, ``graph``, ``mtl`` or ``embedded``."""
    mesh = small_mesh()
    glb = _first(export_glb(Run(graph_text=json.dumps(GRAPH)), mesh))
    png = saved("PNG")
    deep = np.random.default_rng(2).integers(0, 65536, (5, 4, 3), np.uint16)
    floats = np.random.default_rng(3).random((20, 9, 4), np.float32)
    return {
        "graph": [json.dumps(GRAPH).encode()],
        "obj": [OBJ, _first(export_obj(Run(), mesh))],
        "mtl": [MTL],
        "ply": [PLY, _first(export_ply(Run(), mesh))],
        "stl": [_first(export_stl(Run(), mesh)), b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n"
                b"vertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"],
        "off": [OFF],
        "3mf": [_first(export_3mf(Run(), mesh))],
        "glb": [glb, packed(glb), _first(export_glb(Run(), mesh, compression="Draco"))],
        "gltf": [_gltf(glb)],
        "png": [png, saved("PNG", mode="P"), saved("PNG", mode="I;16"), saved("PNG", mode="LA"), _deep_png(deep)],
        "jpg": [saved("JPEG", mode="RGB", quality=80, exif=_turned()), saved("JPEG", mode="CMYK"),
                saved("JPEG", mode="L", progressive=True)],
        "webp": [saved("WEBP", lossless=True), saved("WEBP", mode="RGB", quality=50)],
        "bmp": [saved("BMP"), saved("BMP", mode="P"), saved("BMP", mode="1")],
        "tiff": [saved("TIFF"), saved("TIFF", compression="tiff_lzw"), saved("TIFF", compression="tiff_adobe_deflate"),
                 saved("TIFF", mode="F"), saved("TIFF", mode="CMYK"), saved("TIFF", mode="LAB"),
                 _first(export_image(Run(), Image(floats, "data"), path=Path("a.tif"), depth="32 bit")),
                 saved("TIFF", mode="1", compression="group4"), saved("TIFF", mode="RGB", compression="jpeg")],
        "tga": [saved("TGA"), saved("TGA", rle=True), saved("TGA", mode="P")],
        "exr": [exr_bytes(floats, half=False), exr_bytes(floats[..., :1], half=True), _piz(floats)],
        "hdr": [_first(export_image(Run(), Image(floats), path=Path("a.hdr")))],
        "embedded": [glb, write_png_text(png, "polyloom", json.dumps(GRAPH))],
    }  # fmt: skip


def _deep_png(values: Any) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", values)[1])


def _turned() -> Any:
    exif = Pictures.Exif()
    exif[274] = 6
    return exif


def companions(folder: Path) -> None:
    """The files that the seeds name."""
    (folder / "pic.png").write_bytes(saved("PNG"))
    (folder / "m.mtl").write_bytes(MTL)
    (folder / "notes.txt").write_text("notes")

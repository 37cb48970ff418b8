"""FBX, COLLADA and 3DS files made by hand for the tests: two triangles, 2 x 1 units, at a place of their own."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

import numpy as np
from PIL import Image as Pictures

POINTS = [0, 0, 0, 2, 0, 0, 2, 1, 0, 0, 1, 0]
UVS = [0, 0, 1, 0, 1, 1, 0, 1]
AXES = {"+Y": (1, 2, 1), "+Z": (2, 1, -1)}
Node = tuple[str, list[Any], list[Any]]


class Id(int):
    """A number of 64 bits in binary files."""


def png(seed: int = 0) -> bytes:
    out = io.BytesIO()
    Pictures.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 5, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def fbx_tree(up: str = "+Y", centimetres: float = 1.0, picture: bytes = b"", texture: str = "wood.png") -> list[Node]:
    axis, front, sign = AXES[up]
    whole = {"UpAxis": axis, "UpAxisSign": 1, "FrontAxis": front, "FrontAxisSign": sign, "CoordAxis": 0,
             "CoordAxisSign": 1}  # fmt: skip
    settings = [("P", [name, "int", "Integer", "", value], []) for name, value in whole.items()]
    settings.append(("P", ["UnitScaleFactor", "double", "Number", "", float(centimetres)], []))

    def layer(kind: str, mapping: str, reference: str, *arrays: tuple[str, list[Any]]) -> Node:
        rows = [("Version", [101], []), ("Name", [""], []), ("MappingInformationType", [mapping], []),
                ("ReferenceInformationType", [reference], [])]  # fmt: skip
        return kind, [0], [*rows, *((name, [values], []) for name, values in arrays)]

    geometry = [
        ("Vertices", [[float(v) for v in POINTS]], []), ("PolygonVertexIndex", [[0, 1, 2, -4]], []),
        layer("LayerElementNormal", "ByPolygonVertex", "Direct", ("Normals", [0.0, 0.0, 1.0] * 4)),
        layer("LayerElementUV", "ByPolygonVertex", "IndexToDirect",
              ("UV", [float(v) for v in UVS]), ("UVIndex", [0, 1, 2, 3])),
        layer("LayerElementMaterial", "AllSame", "IndexToDirect", ("Materials", [0])),
        ("Layer", [0], [("Version", [100], [])] + [
            ("LayerElement", [], [("Type", [f"LayerElement{kind}"], []), ("TypedIndex", [0], [])])
            for kind in ("Normal", "UV", "Material")]),
    ]  # fmt: skip
    place = ("P", ["Lcl Translation", "Lcl Translation", "", "A", 10.0, 20.0, 30.0], [])
    colour = ("P", ["DiffuseColor", "Color", "", "A", 0.75, 0.5, 0.25], [])
    objects = [
        ("Geometry", [Id(100000), "quad\0\1Geometry", "Mesh"], geometry),
        ("Model", [Id(200000), "panel\0\1Model", "Mesh"], [("Version", [232], []), ("Properties70", [], [place])]),
        ("Material", [Id(300000), "paint\0\1Material", ""],
         [("Version", [102], []), ("ShadingModel", ["phong"], []), ("Properties70", [], [colour])]),
        ("Texture", [Id(400000), "tex\0\1Texture", ""],
         [("Type", ["TextureVideoClip"], []), ("FileName", [f"C:\\art\\{texture}"], []),
          ("RelativeFilename", [texture], [])]),
    ]  # fmt: skip
    links = [("OO", 200000, 0), ("OO", 100000, 200000), ("OO", 300000, 200000), ("OP", 400000, 300000, "DiffuseColor")]
    if picture:
        clip = [("Type", ["Clip"], []), ("RelativeFilename", [texture], []), ("Content", [picture], [])]
        objects.append(("Video", [Id(500000), "clip\0\1Video", "Clip"], clip))
        links.append(("OO", 500000, 400000))
    return [
        ("FBXHeaderExtension", [], [("FBXHeaderVersion", [1003], []), ("FBXVersion", [7400], [])]),
        ("GlobalSettings", [], [("Version", [1000], []), ("Properties70", [], settings)]),
        ("Objects", [], objects),
        ("Connections", [], [("C", [Id(v) if isinstance(v, int) else v for v in link], []) for link in links]),
    ]  # fmt: skip


def fbx_text(tree: list[Node]) -> bytes:
    return b"; FBX 7.4.0 project file\n" + b"".join(_text(node, 0) for node in tree)


def _text(node: Node, depth: int) -> bytes:
    name, values, children = node
    tabs = "\t" * depth
    if name == "Content":
        return f'{tabs}Content: ,\n{tabs}"{base64.b64encode(values[0]).decode()}"\n'.encode()
    if values and isinstance(values[0], list):
        inside = ",".join(f"{v:g}" for v in values[0])
        return f"{tabs}{name}: *{len(values[0])} {{\n{tabs}\ta: {inside}\n{tabs}}}\n".encode()

    def word(value: Any) -> str:
        if not isinstance(value, str):
            return f"{value:.12g}"
        front, _, kind = value.partition("\0\1")
        return f'"{kind}::{front}"' if kind else f'"{value}"'

    head = f"{tabs}{name}: {', '.join(map(word, values))}"
    if not children:
        return f"{head}\n".encode()
    return f"{head} {{\n".encode() + b"".join(_text(child, depth + 1) for child in children) + f"{tabs}}}\n".encode()


def fbx_binary(tree: list[Node], version: int = 7400) -> bytes:
    out = bytearray(b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", version))
    wide = version >= 7500
    for node in tree:
        _binary(out, node, wide)
    out += bytes(25 if wide else 13)
    out += bytes.fromhex("fabcab09d0c8d466b1762883fb1cf727") + bytes(4) + bytes(-len(out) % 16)
    return bytes(out + struct.pack("<I", version) + bytes(120) + bytes.fromhex("f85a8c6adef5d97eece90ce3758f297b"))


def _binary(out: bytearray, node: Node, wide: bool) -> None:
    name, values, children = node
    start = len(out)
    data = b"".join(_value(value) for value in values)
    head = "<3QB" if wide else "<3IB"
    out += struct.pack(head, 0, len(values), len(data), len(name)) + name.encode() + data
    for child in children:
        _binary(out, child, wide)
    if children:
        out += bytes(25 if wide else 13)
    out[start : start + (8 if wide else 4)] = struct.pack("<Q" if wide else "<I", len(out))


def _value(value: Any) -> bytes:
    if isinstance(value, list):
        kind, form = (b"d", "d") if isinstance(value[0], float) else (b"i", "i")
        body = struct.pack(f"<{len(value)}{form}", *value)
        return kind + struct.pack("<3I", len(value), 0, len(body)) + body
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    if isinstance(value, int):
        return b"L" + struct.pack("<q", value) if isinstance(value, Id) else b"I" + struct.pack("<i", value)
    data = value if isinstance(value, bytes) else value.encode()
    return (b"R" if isinstance(value, bytes) else b"S") + struct.pack("<I", len(data)) + data


def collada(up: str = "Y_UP", metres: float = 1.0, texture: str = "") -> bytes:
    """Two nodes that show the same panel; the second one twice as large."""
    source = """<source id="{0}"><float_array id="{0}a" count="{1}">{2}</float_array><technique_common>
        <accessor source="#{0}a" count="{3}" stride="{4}">{5}</accessor></technique_common></source>"""

    def array(name: str, values: list[Any], names: str) -> str:
        params = "".join(f'<param name="{n}" type="float"/>' for n in names)
        rows = len(values) // len(names)
        return source.format(name, len(values), " ".join(map(str, values)), rows, len(names), params)

    picture = f'<library_images><image id="img"><init_from>{texture}</init_from></image></library_images>' * bool(
        texture
    )
    sampler = """<newparam sid="s"><surface type="2D"><init_from>img</init_from></surface></newparam><newparam sid="t">
        <sampler2D><source>s</source></sampler2D></newparam>""" * bool(texture)
    diffuse = '<texture texture="t" texcoord="uv"/>' if texture else "<color>0.75 0.5 0.25 1</color>"
    node = """<node id="{0}" name="{0}"><matrix>{1} 0 0 10 0 {1} 0 20 0 0 {1} 30 0 0 0 1</matrix>
        <instance_geometry url="#geo"><bind_material><technique_common><instance_material symbol="m" target="#paint">
        <bind_vertex_input semantic="uv" input_semantic="TEXCOORD" input_set="0"/></instance_material>
        </technique_common></bind_material></instance_geometry></node>"""
    return f"""<?xml version="1.0"?><COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
        <asset><unit meter="{metres:g}"/><up_axis>{up}</up_axis></asset>{picture}
        <library_effects><effect id="e"><profile_COMMON>{sampler}<technique sid="x"><lambert>
        <diffuse>{diffuse}</diffuse></lambert></technique></profile_COMMON></effect></library_effects>
        <library_materials><material id="paint" name="paint"><instance_effect url="#e"/></material></library_materials>
        <library_geometries><geometry id="geo" name="panel"><mesh>{array("pos", POINTS, "XYZ")}{array("st", UVS, "ST")}
        <vertices id="v"><input semantic="POSITION" source="#pos"/></vertices><polylist count="1" material="m">
        <input semantic="VERTEX" source="#v" offset="0"/><input semantic="TEXCOORD" source="#st" offset="1" set="0"/>
        <vcount>4</vcount><p>0 0 1 1 2 2 3 3</p></polylist></mesh></geometry></library_geometries>
        <library_visual_scenes><visual_scene id="scene">{node.format("one", 1)}{node.format("two", 2)}</visual_scene>
        </library_visual_scenes><scene><instance_visual_scene url="#scene"/></scene></COLLADA>""".encode()


def three_ds(texture: str = "") -> bytes:
    def chunk(kind: int, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return struct.pack("<HI", kind, 6 + len(body)) + body

    faces = struct.pack("<H8H", 2, 0, 1, 2, 7, 0, 2, 3, 7)
    mesh = chunk(
        0x4100,
        chunk(0x4110, struct.pack("<H12f", 4, *POINTS)),
        chunk(0x4140, struct.pack("<H8f", 4, *UVS)),
        chunk(0x4120, faces, chunk(0x4130, b"paint\0", struct.pack("<3H", 2, 0, 1))),
    )
    maps = chunk(0xA200, chunk(0xA300, texture.encode() + b"\0")) if texture else b""
    material = chunk(0xAFFF, chunk(0xA000, b"paint\0"), chunk(0xA020, chunk(0x0011, bytes([191, 128, 64]))), maps)
    editor = chunk(0x3D3D, chunk(0x3D3E, struct.pack("<I", 3)), material, chunk(0x4000, b"panel\0", mesh))
    return chunk(0x4D4D, chunk(0x0002, struct.pack("<I", 3)), editor)

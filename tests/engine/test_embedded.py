import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from app.engine.embedded import LIMIT, PNG_SIGNATURE, read_graph_text, write_png_text

GRAPH = json.dumps({"format": 1, "app": "polyloom", "nodes": [], "links": [], "note": "Größe ✓"})


def a_png(**save: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(out, "PNG", **save)
    return out.getvalue()


def a_glb(document: object, tail: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text + tail


def read(folder: Path, data: bytes, name: str = "file.bin") -> str | None:
    (folder / name).write_bytes(data)
    return read_graph_text(folder / name)


def text_chunk(kind: bytes, body: bytes) -> bytes:
    png = a_png()
    return png[:33] + struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) + png[33:]


def test_a_png_keeps_its_pixels_and_gives_the_text_back(tmp_path):
    plain = a_png()
    carrying = write_png_text(plain, "polyloom", GRAPH)
    assert read(tmp_path, carrying) == GRAPH
    with Image.open(io.BytesIO(plain)) as before, Image.open(io.BytesIO(carrying)) as after:
        assert after.tobytes() == before.tobytes()
        assert after.text["polyloom"] == GRAPH


def test_writing_twice_keeps_only_the_last_text():
    once = write_png_text(a_png(), "polyloom", "old")
    other = write_png_text(once, "author", "somebody")
    twice = write_png_text(other, "polyloom", "new")
    with Image.open(io.BytesIO(twice)) as image:
        assert image.text == {"polyloom": "new", "author": "somebody"}
    assert twice.count(b"polyloom\0") == 1


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_every_kind_of_text_chunk_is_read(tmp_path, packed, international):
    info = PngImagePlugin.PngInfo()
    text = GRAPH if international else GRAPH.replace("✓", "")
    (info.add_itxt if international else info.add_text)("polyloom", text, zip=packed)
    assert read(tmp_path, a_png(pnginfo=info)) == text


def test_a_glb_gives_its_text_back(tmp_path):
    document = {"asset": {"version": "2.0", "extras": {"polyloom": GRAPH}}}
    assert read(tmp_path, a_glb(document)) == GRAPH
    assert read(tmp_path, a_glb(document, b"\x08\0\0\0BIN\0" + bytes(8))) == GRAPH


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        {"asset": 3},
        {"asset": {"extras": []}},
        {"asset": {"extras": {"polyloom": {}}}},
        {"asset": {"extras": {"polyloom": ""}}},
    ],
)
def test_a_glb_without_a_graph_gives_none(tmp_path, document):
    assert read(tmp_path, a_glb(document)) is None


def test_files_without_a_graph_give_none(tmp_path):
    assert read_graph_text(tmp_path / "absent.glb") is None
    assert read_graph_text(tmp_path) is None
    for data in (b"", b"gl", b"glTF", PNG_SIGNATURE, a_png(), bytes(100), GRAPH.encode()):
        assert read(tmp_path, data) is None


def test_damage_gives_none(tmp_path):
    glb = a_glb({"asset": {"extras": {"polyloom": GRAPH}}})
    png = write_png_text(a_png(), "polyloom", GRAPH)
    text_ends = png.index(b"IDAT")
    for cut in range(0, len(glb) - 1, 7):
        assert read(tmp_path, glb[:cut]) is None
    for cut in range(0, text_ends - 8, 5):
        assert read(tmp_path, png[:cut]) is None
    assert read(tmp_path, b"glTF\x02\0\0\0" + b"\xff" * 64) is None
    assert read(tmp_path, a_glb({})[:20] + b"[" * 200_000) is None


def test_a_deeply_nested_document_gives_none(tmp_path):
    text = b"[" * 100_000
    head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A)
    assert read(tmp_path, head + text) is None


def test_a_decompression_bomb_gives_none(tmp_path):
    bomb = zlib.compress(bytes(LIMIT + 1), 9)
    assert len(bomb) < 100_000
    assert read(tmp_path, text_chunk(b"zTXt", b"polyloom\0\0" + bomb)) is None
    assert read(tmp_path, text_chunk(b"iTXt", b"polyloom\0\1\0\0\0" + bomb)) is None


def test_write_png_text_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="keyword"):
        write_png_text(a_png(), "x" * 80, "text")
    with pytest.raises(ValueError, match="not a PNG"):
        write_png_text(b"GIF89a", "polyloom", "text")

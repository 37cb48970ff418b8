"""Small files that want to become enormous are refused in words, in a process that could not hold them."""

from __future__ import annotations

import base64
import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine import BadFile, Run
from nodes.io import _beside
from nodes.io._polygons import triangulated
from nodes.io._write_exr import exr_bytes
from nodes.io.load_mesh import load_mesh

ROOT = Path(__file__).resolve().parents[2]
READER = """
import json, os, resource, sys, warnings
from pathlib import Path
import cv2, PIL.Image, PIL.ImageCms, scipy.spatial
from app.engine import EngineError, Run
from nodes.io.load_image import load_image
from nodes.io.load_mesh import load_mesh
warnings.simplefilter("ignore")
folder, room = Path(sys.argv[1]), int(sys.argv[2]) << 20
used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
meshes = (".obj", ".ply", ".stl", ".off", ".glb", ".gltf")
said = {}
for path in sorted(folder.iterdir()):
    try:
        (load_mesh if path.suffix in meshes else load_image)(Run(), path)
        said[path.name] = "read"
    except EngineError as error:
        said[path.name] = f"{error.kind}: {error.message} {error.advice}"
    except BaseException as error:
        said[path.name] = repr(error)
print(json.dumps(said))
"""


def png(
    width: int, height: int, depth: int = 8, colour: int = 6, body: bytes = b"\0" * 100, extra: bytes = b""
) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    )


def with_text(kind: str) -> bytes:
    """A tiny picture whose text or colour profile unpacks to 300 MB."""
    packed = zlib.compress(bytes(300_000_000), 9)
    body = {"zTXt": b"Comment\0\0", "iTXt": b"Comment\0\1\0\0\0", "iCCP": b"icc\0\0"}[kind] + packed
    chunk = struct.pack(">I", len(body)) + kind.encode() + body
    return png(1, 1, body=b"\0" * 5, extra=chunk + struct.pack(">I", zlib.crc32(chunk[4:])))


def solid(side: int) -> bytes:
    out = io.BytesIO()
    Pictures.new("RGB", (side, side)).save(out, "PNG", compress_level=9)
    return out.getvalue()


def gltf(**changes: object) -> bytes:
    tree: dict[str, object] = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"componentType": 5126, "type": "VEC3", "count": 3}],
    }  # fmt: skip
    return json.dumps({**tree, **changes}).encode()


def accessor(count: int, type: str = "VEC3", **more: object) -> dict[str, object]:
    return {"accessors": [{"componentType": 5126, "type": type, "count": count, **more}]}


def instances() -> bytes:
    """Two thousand nodes that all show the same mesh of a million vertices."""
    return gltf(scenes=[{"nodes": list(range(2000))}], nodes=[{"mesh": 0}] * 2000, **accessor(1_000_000))


TAGS = ((256, 2**31 - 1), (257, 2**31 - 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 2**31 - 1), (279, 99))
BITMAP = struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0)
TARGA = bytes([0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 32, 8])
EXR = exr_bytes(np.zeros((4, 4, 3), np.float32), half=True)
PICTURES = {
    "huge.png": png(60_000, 60_000),
    "wide.png": png(2_000_000_000, 1),
    "most.png": png(2**31 - 1, 2**31 - 1),
    "deep.png": png(30_000, 30_000, depth=16),
    "text.png": with_text("zTXt"),
    "itext.png": with_text("iTXt"),
    "profile.png": with_text("iCCP"),
    "square.png": solid(14_000),
    "huge.bmp": b"BM" + BITMAP + bytes(46),
    "huge.tga": TARGA + b"\xff\0\0\0\0" * 20,
    "huge.exr": EXR.replace(struct.pack("<4i", 0, 0, 3, 3), struct.pack("<4i", 0, 0, 2**16, 2**16)),
    "wide.exr": EXR.replace(struct.pack("<4i", 0, 0, 3, 3), struct.pack("<4i", -(2**31), 0, 2**31 - 1, 0)),
    "full.exr": EXR.replace(struct.pack("<4i", 0, 0, 3, 3), struct.pack("<4i", 0, 0, 12_999, 12_999)),
    "huge.hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 99999\n" + bytes(400),
    "full.hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 13000 +X 13000\n" + bytes(400),
    "huge.tif": b"II*\0\x08\0\0\0\x08\0"
    + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in TAGS)
    + bytes(200),
}


def outside(uri: str) -> bytes:
    return gltf(
        buffers=[{"uri": uri, "byteLength": 10}],
        bufferViews=[{"buffer": 0, "byteLength": 10}],
        **accessor(1, bufferView=0),
    )


BINARY = b"ply\nformat binary_little_endian 1.0\n"
MESHES = {
    "count.gltf": gltf(**accessor(10**9)),
    "wide.gltf": gltf(**accessor(49_000_000, "MAT4")),
    "beyond.gltf": gltf(**accessor(10**18)),
    "instances.gltf": instances(),
    "nested.gltf": b'{"asset":' + b"[" * 100_000,
    "chunk.glb": struct.pack("<4sIII4s", b"glTF", 2, 2**32 - 1, 2**32 - 1, b"JSON") + b"{}",
    "file.gltf": outside("file:///etc/passwd"),
    "up.gltf": outside("../../../../../../etc/passwd"),
    "escaped.gltf": outside("%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
    "root.gltf": outside("/etc/passwd"),
    "web.gltf": outside("http://example.org/b.bin"),
    "far.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 999999999\n",
    "beyond.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999999999\n",
    "before.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf -1 -2 -9223372036854775808\n",
    "count.ply": BINARY + b"element vertex 4000000000\nproperty float x\nproperty float y\nend_header\n" + bytes(100),
    "list.ply": BINARY
    + b"element face 1\nproperty list uint int vertex_indices\nend_header\n\xff\xff\xff\x7f"
    + bytes(99),
    "count.off": b"OFF\n4000000000 4000000000 0\n0 0 0\n",
    "count.stl": bytes(80) + b"\xff\xff\xff\xff" + bytes(500),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What reading each of them comes to, in a process with 1.5 GB of memory to spare."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, data in {**PICTURES, **MESHES}.items():
        (folder / name).write_bytes(data)
    command = [sys.executable, "-c", READER, str(folder), "1500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("name", [*PICTURES, *MESHES])
def test_a_small_file_that_wants_to_become_enormous_is_refused_in_words(said: dict[str, str], name: str) -> None:
    assert len({**PICTURES, **MESHES}[name]) < 1_000_000
    assert said[name].startswith("bad-file: ") and "llocate" not in said[name]


def test_pictures_that_are_too_large_together_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many materials, each with a picture of its own: 8192 x 8192 of one colour is a small file and 256 MB."""
    monkeypatch.setattr(_beside, "MAX_PIXELS", 1000)
    uri = "data:image/png;base64," + base64.b64encode(solid(20)).decode()
    file = gltf(
        images=[{"uri": uri}] * 4,
        textures=[{"source": k} for k in range(4)],
        materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": k}}} for k in range(4)],
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "material": k} for k in range(4)]}],
    )
    (tmp_path / "many.gltf").write_bytes(file)
    run = Run()
    load_mesh(run, tmp_path / "many.gltf")
    assert sum("too large together" in note for note in run.notes) == 1
    beside = _beside.Beside(tmp_path, run.warn)
    for _ in range(2):
        assert beside.decode(solid(20), "x").shape == (20, 20, 4)
    with pytest.raises(BadFile, match="together"):
        beside.decode(solid(20), "x")


def test_a_polygon_that_crosses_itself_everywhere_ends_in_time() -> None:
    points = np.random.default_rng(0).normal(size=(400, 3))
    corners, polygon = triangulated(np.array([400]), points, np.arange(400))
    assert corners.shape == (398, 3) and not polygon.any() and set(corners.ravel()) == set(range(400))

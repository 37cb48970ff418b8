"""Further named nodes in a finished binary glTF 2.0 file: bare triangles, each a mesh and a node of the scene."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
HEADER, CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
ARRAY, ELEMENT, FLOAT, UINT32 = 34962, 34963, 5126, 5125


def with_nodes(glb: bytes, bodies: list[tuple[str, Array, Array]]) -> bytes:
    """``bodies``: names, (N, 3) positions in metres, (M, 3) faces. The file holds one scene and one buffer."""
    document, binary = _apart(glb)
    for name, vertices, faces in bodies:
        at, corner = vertices.astype("<f4"), faces.astype("<u4").ravel()
        bounds = {"min": at.min(axis=0).tolist(), "max": at.max(axis=0).tolist()}
        position = _added(document, binary, at, ARRAY, {"componentType": FLOAT, "type": "VEC3", **bounds})
        indices = _added(document, binary, corner, ELEMENT, {"componentType": UINT32, "type": "SCALAR"})
        primitive = {"attributes": {"POSITION": position}, "indices": indices}
        document["meshes"].append({"name": name, "primitives": [primitive]})
        document["nodes"].append({"name": name, "mesh": len(document["meshes"]) - 1})
        document["scenes"][0]["nodes"].append(len(document["nodes"]) - 1)
    document["buffers"][0]["byteLength"] = len(binary)
    return _together(document, binary)


def _apart(glb: bytes) -> tuple[dict[str, Any], bytearray]:
    size, _ = CHUNK.unpack_from(glb, HEADER.size)
    start = HEADER.size + CHUNK.size
    document = json.loads(glb[start : start + size])
    length, _ = CHUNK.unpack_from(glb, start + size)
    begin = start + size + CHUNK.size
    return document, bytearray(glb[begin : begin + length])


def _added(document: dict[str, Any], binary: bytearray, rows: Array, target: int, entry: dict[str, Any]) -> int:
    binary.extend(bytes(-len(binary) % 4))
    view = {"buffer": 0, "byteOffset": len(binary), "byteLength": rows.nbytes, "target": target}
    binary.extend(np.ascontiguousarray(rows).tobytes())
    document["bufferViews"].append(view)
    document["accessors"].append({"bufferView": len(document["bufferViews"]) - 1, "count": len(rows), **entry})
    return len(document["accessors"]) - 1


def _together(document: dict[str, Any], binary: bytearray) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary.extend(bytes(-len(binary) % 4))
    total = HEADER.size + 2 * CHUNK.size + len(text) + len(binary)
    head = HEADER.pack(b"glTF", 2, total)
    return head + CHUNK.pack(len(text), b"JSON") + text + CHUNK.pack(len(binary), b"BIN\0") + bytes(binary)

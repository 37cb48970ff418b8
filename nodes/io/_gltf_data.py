"""The document and the arrays of a glTF 2.0 file, checked before they are believed."""

from __future__ import annotations

import json
import struct
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._beside import Beside, UInt8

Array = NDArray[Any]
KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
COMPRESSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")
MOST_ZEROS = 50_000_000
DAMAGED = "The glTF file is damaged or cut short"
AGAIN = "Copy or export the file again."


class Document:
    """``tree``: the JSON. Every number in it is checked where it is used; wrong ones raise :class:`BadFile`."""

    def __init__(self, data: bytes, beside: Beside) -> None:
        text, self._binary = _unpacked(data)
        self.beside = beside
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            raise BadFile(f"{DAMAGED}: its description cannot be read.", AGAIN) from None
        asset = tree.get("asset") if isinstance(tree, dict) else None
        if not isinstance(asset, dict) or str(asset.get("version")).partition(".")[0] != "2":
            raise BadFile("This is not a glTF 2.0 file.", "Export it as glTF 2.0.")
        self.tree: dict[str, Any] = tree
        needed = [name for name in tree.get("extensionsRequired", []) if name in COMPRESSED]
        if needed:
            raise BadFile(f"The file is compressed ({needed[0]}), which cannot be read.", "Export it uncompressed.")
        self._pictures: dict[int, UInt8 | None] = {}

    def item(self, table: str, index: Any) -> dict[str, Any]:
        """An entry of a top-level list."""
        rows = self.tree.get(table, [])
        if not isinstance(index, int) or not isinstance(rows, list) or not 0 <= index < len(rows):
            raise BadFile(f"{DAMAGED}: it refers to {table} {index!r}, which is not there.", AGAIN)
        row = rows[index]
        if not isinstance(row, dict):
            raise BadFile(f"{DAMAGED}: {table} {index} is not a table.", AGAIN)
        return row

    @cached_property
    def _buffers(self) -> dict[int, bytes]:
        return {}

    def _buffer(self, index: Any) -> bytes:
        entry = self.item("buffers", index)
        if index not in self._buffers:
            if "uri" in entry:
                self._buffers[index] = self.beside.bytes_of(str(entry["uri"]))
            elif self._binary is None:
                raise BadFile(f"{DAMAGED}: its binary part is missing.", AGAIN)
            else:
                self._buffers[index] = self._binary
        return self._buffers[index]

    def view(self, index: Any) -> tuple[bytes, int, int]:
        """(buffer, first byte, number of bytes) of a buffer view."""
        entry = self.item("bufferViews", index)
        if any(name in entry.get("extensions", {}) for name in COMPRESSED) and "buffer" not in entry:
            raise BadFile("The file is compressed, which cannot be read.", "Export it uncompressed.")
        data = self._buffer(entry.get("buffer"))
        start, size = _count(entry.get("byteOffset", 0)), _count(entry.get("byteLength"))
        if start + size > len(data):
            raise BadFile(f"{DAMAGED}: {start + size:,} bytes are promised and {len(data):,} are there.", AGAIN)
        return data, start, size

    def accessor(self, index: Any) -> Array:
        """(count, width) array: float32, normalised where the file says so, or the whole numbers that it holds."""
        entry = self.item("accessors", index)
        kind, width = KINDS.get(entry.get("componentType", 0)), WIDTHS.get(entry.get("type", ""))
        if kind is None or width is None:
            raise BadFile(f"{DAMAGED}: accessor {index} has an unknown type.", AGAIN)
        count = _count(entry.get("count"))
        if "bufferView" in entry:
            values = self._strided(entry["bufferView"], _count(entry.get("byteOffset", 0)), kind, count, width)
        elif count * width <= MOST_ZEROS:
            values = np.zeros((count, width), kind)
        else:
            raise BadFile(f"{DAMAGED}: it claims {count:,} values without data.", AGAIN)
        if "sparse" in entry:
            values = self._sparse(values.copy(), entry["sparse"], kind)
        return _as_floats(values) if entry.get("normalized") or kind == "<f4" else values

    def _strided(self, view: Any, offset: int, kind: str, count: int, width: int) -> Array:
        data, start, size = self.view(view)
        step = np.dtype(kind).itemsize
        stride = _count(self.item("bufferViews", view).get("byteStride", 0)) or step * width
        if count and offset + stride * (count - 1) + step * width > size:
            raise BadFile(f"{DAMAGED}: {count:,} values do not fit its data.", AGAIN)
        if not count:
            return np.zeros((0, width), kind)
        return np.ndarray((count, width), kind, data, start + offset, (stride, step))

    def _sparse(self, values: Array, entry: dict[str, Any], kind: str) -> Array:
        count, places, changes = _count(entry.get("count")), entry.get("indices", {}), entry.get("values", {})
        place_kind = KINDS.get(places.get("componentType", 0), "<u4")
        at = self._strided(places.get("bufferView"), _count(places.get("byteOffset", 0)), place_kind, count, 1)[:, 0]
        new = self._strided(
            changes.get("bufferView"), _count(changes.get("byteOffset", 0)), kind, count, values.shape[1]
        )
        if count and int(at.max()) >= len(values):
            raise BadFile(f"{DAMAGED}: a sparse accessor points outside.", AGAIN)
        values[at] = new
        return values

    def picture(self, texture: Any) -> UInt8 | None:
        """(H, W, 4) uint8 of a texture; None, with a remark, when it cannot be had."""
        entry = self.item("textures", texture)
        webp = entry.get("extensions", {}).get("EXT_texture_webp", {})
        source = webp.get("source", entry.get("source"))
        if source is None:
            self.beside.warn("A texture in a format that cannot be read is left out.")
            return None
        if source not in self._pictures:
            self._pictures[source] = self._image(source)
        return self._pictures[source]

    def _image(self, index: Any) -> UInt8 | None:
        entry = self.item("images", index)
        name = str(entry.get("name") or entry.get("uri") or f"image {index}")[:80]
        uri = str(entry.get("uri", ""))
        if uri and not uri.startswith("data:"):
            return self.beside.picture(uri)
        try:
            if uri:
                return self.beside.decode(self.beside.bytes_of(uri), "embedded picture")
            data, start, size = self.view(entry.get("bufferView"))
            return self.beside.decode(data[start : start + size], name)
        except BadFile as error:
            self.beside.warn(f"A texture is left out. {error.message}")
            return None


def _unpacked(data: bytes) -> tuple[bytes, bytes | None]:
    """(JSON text, binary chunk) of a GLB or of a bare ``.gltf``."""
    if data[:4] != b"glTF":
        return data, None
    if len(data) < 20:
        raise BadFile(f"{DAMAGED}: it has {len(data)} bytes.", AGAIN)
    _, version, total, size, kind = struct.unpack("<4sIII4s", data[:20])
    if version != 2 or kind != b"JSON":
        raise BadFile("This is not a glTF 2.0 file.", "Export it as glTF 2.0.")
    if total > len(data) or 20 + size > len(data):
        raise BadFile(f"{DAMAGED}: it promises {total:,} bytes and has {len(data):,}.", AGAIN)
    at = 20 + size
    if at + 8 > len(data):
        return data[20:at], None
    length = int.from_bytes(data[at : at + 4], "little")
    return data[20:at], data[at + 8 : at + 8 + length]


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadFile(f"{DAMAGED}: {value!r} is not a size.", AGAIN)
    return value


def _as_floats(values: Array) -> NDArray[np.float32]:
    """Normalised whole numbers to fractions, as the specification says (section 3.6.2.2); floats as they are."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    scaled: NDArray[np.float32] = values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return np.maximum(scaled, np.float32(-1))

"""The document and the arrays of a glTF 2.0 file, checked before they are believed."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Image
from nodes.io import _gltf_layers as layers
from nodes.io._beside import Beside, UInt8, channel, colour
from nodes.io._beside import data as plain

Array = NDArray[Any]
KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16, "MAT2": 4, "MAT3": 9}
MESHOPT = "EXT_meshopt_compression"
NO_BASIS = "Its textures are Basis Universal (KTX2), which cannot be read"
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
        self._check_extensions()
        self._pictures: dict[int, UInt8 | None] = {}
        self._maps: dict[tuple[Any, str | int], Image | None] = {}
        self._unpacked_views: dict[int, bytes] = {}

    def _check_extensions(self) -> None:
        """Refuses a file that needs what is not understood; says what else it uses that is left out."""
        required = [str(name) for name in self.tree.get("extensionsRequired", [])]
        if "KHR_texture_basisu" in required:
            raise BadFile(f"{NO_BASIS}.", "Export it with PNG, JPEG or WebP textures.")
        if strange := sorted(set(required) - layers.UNDERSTOOD - layers.SAID_ELSEWHERE - layers.HARMLESS):
            raise BadFile(f"The file needs {', '.join(strange)}, which cannot be read.", "Export it without that.")
        used = {str(name) for name in self.tree.get("extensionsUsed", [])}
        if unknown := sorted(used - layers.UNDERSTOOD - layers.SAID_ELSEWHERE - layers.HARMLESS):
            self.beside.warn(f"The file uses {', '.join(unknown)}, which is not kept.")

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
        if MESHOPT in entry.get("extensions", {}):
            if index not in self._unpacked_views:
                self._unpacked_views[index] = self._unpack(entry["extensions"][MESHOPT])
            return self._unpacked_views[index], 0, len(self._unpacked_views[index])
        data = self._buffer(entry.get("buffer"))
        start, size = _count(entry.get("byteOffset", 0)), _count(entry.get("byteLength"))
        if start + size > len(data):
            raise BadFile(f"{DAMAGED}: {start + size:,} bytes are promised and {len(data):,} are there.", AGAIN)
        return data, start, size

    def _unpack(self, packed: Mapping[str, Any]) -> bytes:
        from nodes.io._meshopt import unpacked

        data = self._buffer(packed.get("buffer"))
        start, size = _count(packed.get("byteOffset", 0)), _count(packed.get("byteLength"))
        if start + size > len(data):
            raise BadFile(f"{DAMAGED}: {start + size:,} bytes are promised and {len(data):,} are there.", AGAIN)
        count, stride = _count(packed.get("count")), _count(packed.get("byteStride"))
        mode, sieve = str(packed.get("mode")), str(packed.get("filter", "NONE"))
        return unpacked(data[start : start + size], count, stride, mode, sieve)

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
        return as_floats(values) if entry.get("normalized") or kind == "<f4" else values

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

    def image(self, texture: Any, what: Any) -> Image | None:
        """A texture as ``"srgb"``, opaque as ``"data"``, all four channels as they are as ``"raw"``, or one channel by
        its number. The same picture is made once."""
        if (texture, what) not in self._maps:
            pixels = self.picture(texture)
            if isinstance(what, int):
                made = channel(pixels, what)
            elif what == "raw":
                made = None if pixels is None else Image.of(pixels, "data")
            else:
                made = plain(pixels) if what == "data" else colour(pixels)
            self._maps[texture, what] = made
        return self._maps[texture, what]

    def picture(self, texture: Any) -> UInt8 | None:
        """(H, W, 4) uint8 of a texture; None, with a remark, when it cannot be had."""
        entry = self.item("textures", texture)
        webp = entry.get("extensions", {}).get("EXT_texture_webp", {})
        source = webp.get("source", entry.get("source"))
        if source is None:
            basis = "KHR_texture_basisu" in entry.get("extensions", {})
            words = f"{NO_BASIS}; they are" if basis else "A texture in a format that cannot be read is"
            self.beside.warn(f"{words} left out.")
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


def as_floats(values: Array) -> NDArray[np.float32]:
    """Normalised whole numbers to fractions, as the specification says (section 3.6.2.2); floats as they are."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    scaled: NDArray[np.float32] = values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return np.maximum(scaled, np.float32(-1))

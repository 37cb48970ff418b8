"""OBJ (Wavefront, Advanced Visualizer manual, appendix B), a whole block of lines at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Material
from nodes.io._assembly import Assembly
from nodes.io._beside import Beside
from nodes.io._numbers import numbers
from nodes.io._obj_names import libraries, object_words, under
from nodes.io._parts import Array, Part, checked_faces, split_corners, taken
from nodes.io._polygons import triangulated
from nodes.io._read_mtl import read_mtl

SPACE, NEWLINE, SLASH, HASH = 32, 10, 47, 35
AT_ONCE, BEYOND = 100_000, 2**31 - 1
BLANKS = bytes.maketrans(b"\t\r\v\f", b"    ")
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Corners:
    """Of every polygon corner: the index (from 0) of its position, UV and normal; -1 where it has none."""

    position: Array
    uv: Array
    normal: Array


def read_obj(data: bytes, beside: Beside) -> list[Part]:
    """One part for each material. Lines, points, curves and free-form surfaces are passed over."""
    return _read(data, beside, ()).parts


def read_obj_scene(data: bytes, beside: Beside) -> Assembly:
    """One object for each ``o``, or each ``g`` where there is no ``o``, with a part for each of its materials."""
    return _read(data, beside, ("o", "g"))


def _read(data: bytes, beside: Beside, divide: tuple[str, ...]) -> Assembly:
    lines = Lines(data)
    positions, width = lines.table(b"v", 3)
    colours = _colours(positions) if width >= 6 else None
    texture, normals = lines.table(b"vt", 1)[0], lines.table(b"vn", 3)[0]
    uv = texture[:, :2] if texture.shape[1] >= 2 else None
    counts, corners = _corners(lines)
    checked_faces(corners.position[:, None], len(positions))
    beside.polygons(counts)
    triangles, polygon = triangulated(counts, positions[:, :3], corners.position)
    others, line = lines.others(), lines.words[b"f"][polygon]
    names, owner = under(others, ("usemtl",), line)
    objects, holder = under(others, object_words(others) if divide else (), line)
    known = _library(libraries(others), beside, any(names))
    tables, found = (positions[:, :3], normals[:, :3], uv, colours), Assembly()
    alone = len(names) == len(objects) == 1
    both = holder * len(names) + owner
    for number, name in enumerate(objects):
        first = len(found.parts)
        for key in np.unique(both[holder == number]).tolist():
            chosen = triangles if alone else triangles[both == key]
            part = _part(tables, corners, chosen, known.get(names[key % len(names)]), alone)
            found.parts.append(part.named(name))
        found.add(name, tuple(range(first, len(found.parts))))
    return found


class Lines:
    """The text cut into lines and sorted by their first word."""

    def __init__(self, data: bytes) -> None:
        text = re.sub(rb"\\\r?\n", b" ", data) if b"\\" in data else data
        if any(blank in text for blank in (b"\r", b"\t", b"\v", b"\f")):
            text = text.translate(BLANKS)
        if b"\n " in text or text.startswith(b" "):
            text = re.sub(rb"(?m)^ +", b"", text)
        self.text = np.frombuffer(text if text.endswith(b"\n") else text + b"\n", np.uint8)
        self.ends = np.flatnonzero(self.text == NEWLINE)
        self.starts = np.concatenate([[0], self.ends[:-1] + 1])
        self.words = {word: self._beginning(word) for word in (b"v", b"vt", b"vn", b"f")}

    def _beginning(self, word: bytes) -> Array:
        """Numbers of the lines that begin with ``word``."""
        chosen = np.arange(len(self.starts))
        for k, letter in enumerate(word + b" "):
            chosen = chosen[self.text[np.minimum(self.starts[chosen] + k, len(self.text) - 1)] == letter]
        return chosen

    def block(self, word: bytes, first: int = 0, most: int | None = None) -> tuple[Bytes, Array]:
        """The text of those lines without the word, each with its newline, and where each line starts in it.

        ``first``, ``most``: from this one of them on, no more than so many.
        """
        chosen = self.words[word][first : None if most is None else first + most]
        lengths = self.ends[chosen] + 1 - self.starts[chosen]
        begins = np.cumsum(lengths) - lengths
        if not len(chosen):
            return np.zeros(0, np.uint8), begins
        if chosen[-1] - chosen[0] + 1 == len(chosen):
            block = self.text[self.starts[chosen[0]] : self.ends[chosen[-1]] + 1].copy()
        else:
            block = self.text[np.repeat(self.starts[chosen] - begins, lengths) + np.arange(lengths.sum())]
        for k in range(len(word)):
            block[begins + k] = SPACE
        return _without_comments(block), begins

    def table(self, word: bytes, least: int) -> tuple[NDArray[np.float64], int]:
        """(K, columns) numbers of those lines, as many columns as all of them have, and that number."""
        block, begins = self.block(word)
        if not len(begins):
            return np.zeros((0, 0 if word != b"v" else 3)), 0
        counts = _within(_token_starts(block), begins)
        width = int(counts.min())
        if width < least:
            line = int(self.words[word][int(counts.argmin())]) + 1
            raise BadFile(f"Line {line:,} of the OBJ file is cut short.", "Export the file again.")
        values = numbers(block.tobytes(), "OBJ")
        if int(counts.max()) == width:
            return values.reshape(-1, width), width
        return values[(np.cumsum(counts) - counts)[:, None] + np.arange(width)], width

    def others(self) -> list[tuple[int, str]]:
        """(line number, text) of all remaining lines that are neither empty nor comments."""
        rest = (self.ends > self.starts) & (self.text[self.starts] != HASH)
        for chosen in self.words.values():
            rest[chosen] = False
        return [
            (n, self.text[self.starts[n] : self.ends[n]].tobytes().decode("utf-8", "replace"))
            for n in np.flatnonzero(rest).tolist()
        ]


def _without_comments(block: Bytes) -> Bytes:
    if not (block == HASH).any():
        return block
    blanked = re.sub(rb"#[^\n]*", lambda found: b" " * len(found[0]), block.tobytes())
    return np.frombuffer(blanked, np.uint8).copy()


def _token_starts(block: Bytes) -> Array:
    solid = block > SPACE
    solid[1:] &= block[:-1] <= SPACE
    return np.flatnonzero(solid)


def _within(places: Array, begins: Array) -> Array:
    """(K,) how many of the rising ``places`` lie from each beginning to the next."""
    each, rest = divmod(len(places), len(begins))
    if not rest and (not each or _evenly(places.reshape(-1, each), begins)):
        return np.full(len(begins), each)
    return np.diff(np.append(np.searchsorted(places, begins), len(places)))


def _evenly(places: Array, begins: Array) -> bool:
    return bool((places[:, 0] >= begins).all() and (places[:-1, -1] < begins[1:]).all())


def _corners(lines: Lines) -> tuple[Array, Corners]:
    """(P,) corners of each polygon, and what each corner names: ``a``, ``a/b``, ``a//c`` or ``a/b/c``."""
    many = len(lines.words[b"f"])
    if not many:
        none = np.zeros(0, np.int64)
        return none, Corners(none, none, none)
    pieces = [_some_corners(lines, first) for first in range(0, many, AT_ONCE)]
    counts, corners = zip(*pieces, strict=True)
    position, uv, normal = (
        np.concatenate([getattr(piece, name) for piece in corners]) for name in ("position", "uv", "normal")
    )
    return np.concatenate(counts), Corners(position, uv, normal)


def _some_corners(lines: Lines, first: int) -> tuple[Array, Corners]:
    """The same of no more than ``AT_ONCE`` polygons, as it takes a lot of memory."""
    block, begins = lines.block(b"f", first, AT_ONCE)
    tokens = _token_starts(block)
    counts = _within(tokens, begins)
    slash = block == SLASH
    double = slash.copy()
    double[:-1] &= slash[1:]
    double[-1] = False
    slashes, doubles = _within(np.flatnonzero(slash), tokens), _within(np.flatnonzero(double), tokens)
    wrong = (slashes > 2) | (doubles > slashes // 2)
    if wrong.any():
        line = int(lines.words[b"f"][first + np.searchsorted(np.cumsum(counts), int(wrong.argmax()), "right")]) + 1
        raise BadFile(f"The face in line {line:,} of the OBJ file cannot be read.", "Export the file again.")
    block[slash] = SPACE
    values = numbers(block.tobytes(), "OBJ", whole=True)
    has_uv, has_normal = (slashes > 0) & (doubles == 0), slashes == 2
    if len(values) != len(tokens) + int(has_uv.sum()) + int(has_normal.sum()):
        raise BadFile("A face of the OBJ file is not made of whole numbers.", "Export the file again.")
    return counts, _indices(lines, first, values, counts, has_uv, has_normal)


def _indices(lines: Lines, first: int, values: Array, counts: Array, uv: Array, normal: Array) -> Corners:
    wide = 1 + uv + normal
    alike = int(wide.min()) == int(wide.max())
    at = np.arange(len(wide)) * int(wide[0]) if alike else np.cumsum(wide) - wide

    def given(word: bytes, offset: Array | int, which: Array | None) -> Array:
        raw = values[at + offset]
        if raw.min(initial=1) < 0:
            polygons = lines.words[b"f"][first : first + AT_ONCE]
            before = np.repeat(np.searchsorted(lines.words[word], polygons), counts)
            raw = np.where(raw < 0, before + raw + 1, raw)
        raw = np.clip(raw - 1, -1, BEYOND).astype(np.int32)
        return raw if which is None else np.where(which, raw, np.int32(-1))

    every = np.zeros(len(at), np.int32)
    return Corners(
        position=given(b"v", 0, None),
        uv=given(b"vt", np.where(uv, 1, 0), uv) if uv.any() else every - 1,
        normal=given(b"vn", wide - 1, normal) if normal.any() else every - 1,
    )


def _library(files: list[str], beside: Beside, wanted: bool) -> dict[str, Material]:
    found: dict[str, Material] = {}
    for name in dict.fromkeys(files) if wanted else ():
        try:
            found |= read_mtl(beside.bytes_of(name.replace("\\", "/").replace("%", "%25")), beside)
        except BadFile as error:
            beside.warn(f"The materials are left out. {error.message}")
    return found


def _part(
    tables: tuple[Array, Array, Array | None, Array | None],
    corners: Corners,
    triangles: Array,
    material: Material | None,
    alone: bool,
) -> Part:
    positions, normals, uv, colours = tables
    flat = triangles.ravel()
    at = corners.position[flat]
    uv_at, normal_at = corners.uv[flat], corners.normal[flat]
    has_uv = uv is not None and len(uv) > 0 and bool((uv_at >= 0).any())
    has_normals = len(normals) > 0 and bool((normal_at >= 0).all()) and len(normal_at) > 0
    indices = (at, uv_at if has_uv else None, normal_at if has_normals else None)
    (v, t, n), numbered = split_corners(indices, len(positions))
    assert v is not None
    if not alone:
        used, numbered = np.unique(numbered, return_inverse=True)
        v, t, n = v[used], None if t is None else t[used], None if n is None else n[used]
    return Part(positions[v], numbered.reshape(-1, 3), taken(normals, n), taken(uv, t), taken(colours, v), material)


def _colours(rows: NDArray[Any]) -> Array:
    """The common extension: red, green, blue behind the position, 0..1, or 0..255 where one is above 1."""
    rgb = rows[:, 3:6]
    scale = 255.0 if rgb.max(initial=0) > 1 else 1.0
    return np.column_stack([np.clip(rgb / scale, 0, 1), np.ones(len(rows))])

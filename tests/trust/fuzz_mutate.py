"""Turn a sound file into a strange one: bytes, numbers, pieces, JSON trees; check sums are mended afterwards."""

from __future__ import annotations

import json
import re
import zlib
from copy import deepcopy
from random import Random
from typing import Any

NUMBERS = [b"0", b"-1", b"1e309", b"-1e309", b"nan", b"inf", b"4294967295", b"2147483648", b"-2147483649", b"1e-320",
           b"99999999999999999999", b"0x10", b"1.5.2", b"", b"65536", b"9" * 400]  # fmt: skip
WORDS = [bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0", b"\0\0\0\x01", b"\xff\xff\0\0"]
VALUES: list[Any] = [None, True, False, 0, 1, -1, 2, 5126, 1 << 31, 1 << 63, 10**30, 1e300, -0.5, "", "a", "../x", "/x",
                     "data:,x", "data:;base64,AAAA", "http://x/y", "C:\\x", "\0", [], {}, [0], [[]], {"a": {}},
                     "x" * 5000, [0.0] * 16, [1, 2, 3, 4], "\ud800", "con", float(1 << 53), "VEC3"]  # fmt: skip
NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")


def mutate(kind: str, rng: Random, seeds: list[bytes]) -> bytes:
    """A strange file of this kind; the same for the same random state."""
    data = rng.choice(seeds)
    steps = rng.choice((0, 1, 1, 1, 2, 3, 8))
    if kind in ("graph", "gltf", "glb", "embedded") and rng.random() < 0.8:
        data, steps = _in_json(data, rng), rng.choice((0, 0, 0, steps))
    for _ in range(steps):
        data = rng.choice(STEPS)(data, rng, seeds)
    return _with_sums(data) if data.startswith(b"\x89PNG") and rng.random() < 0.8 else data


def _flip(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if changed:
            changed[_place(changed, rng)] = rng.choice((0, 255, 127, 128, 32, 10, rng.randrange(256)))
    return bytes(changed)


def _cut(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    return data[: _place(data, rng)] if data else data


def _drop(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 20, 200)) :]


def _repeat(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    at = _place(data, rng)
    piece = data[at : at + rng.choice((1, 4, 16, 80, 400))]
    return data[:at] + piece * rng.choice((2, 3, 40)) + data[at:]


def _splice(data: bytes, rng: Random, seeds: list[bytes]) -> bytes:
    other = rng.choice(seeds)
    at = _place(other, rng)
    to = _place(data, rng)
    return data[:to] + other[at : at + rng.randrange(1, 200)] + data[to:]


def _number(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    found = list(NUMBER.finditer(data[:20_000]))
    if not found:
        return data
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]


def _word(data: bytes, rng: Random, _: list[bytes]) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice(WORDS) + data[at + 4 :]


STEPS = (_flip, _flip, _flip, _cut, _drop, _repeat, _splice, _number, _number, _word, _word)


def _place(data: bytes | bytearray, rng: Random) -> int:
    """Somewhere; every second time in the first 200 bytes, where headers are."""
    return rng.randrange(max(1, min(len(data), 200) if rng.random() < 0.5 else len(data)))


def _in_json(data: bytes, rng: Random) -> bytes:
    """One to three values of the JSON inside replaced, removed or copied elsewhere."""
    glb = data.startswith(b"glTF")
    size = int.from_bytes(data[12:16], "little") if glb else len(data)
    start = 20 if glb else 0
    try:
        tree = json.loads(data[start : start + size])
    except ValueError:
        return data
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(tree, rng)
    text = json.dumps(tree).encode()
    if not glb:
        return text
    text += b" " * (-len(text) % 4)
    rest = text + data[20 + size :]
    return data[:8] + (20 + len(rest)).to_bytes(4, "little") + len(text).to_bytes(4, "little") + data[16:20] + rest


def _change(tree: Any, rng: Random) -> None:
    places = [place for place in _places(tree) if rng.random() < 0.9]
    if not places:
        return
    holder, key = rng.choice(places)
    how = rng.random()
    if how < 0.65:
        value = holder[key]
        holder[key] = deepcopy(rng.choice((*VALUES, _near(value, rng))))
    elif how < 0.8:
        del holder[key]
    else:
        other, name = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[name]))


def _near(value: Any, rng: Random) -> Any:
    if isinstance(value, int | float):
        return value + rng.choice((-1, 1, 2, 1000, 0.5))
    return [value, value] if isinstance(value, list) else [value]


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (table or list, key), all the way down."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


def _with_sums(data: bytes) -> bytes:
    """A PNG whose chunks have the check sums of what they hold now, so that a reader looks further."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        body = data[at + 4 : at + 8 + size]
        parts.append(data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big"))
        at += 12 + size
    return b"".join([*parts, data[at:]])

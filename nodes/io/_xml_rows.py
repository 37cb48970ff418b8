"""XML whose long lists of equal elements are read as columns, and the rest as a tree."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Tree
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile

COMMENT = re.compile(rb"<!--.*?-->", re.S)
BLOCK = re.compile(rb"<((?:[\w.-]+:)?(?:vertices|triangles))(\s[^<>]*)?>(.*?)</\1\s*>", re.S)
AGAIN = "Export the file again."


class Rows:
    """The elements of one list, such as ``<vertex x="0" y="0" z="0"/>``, by attribute."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts = _places(re.finditer(rb"<[\w:.-]+[\s/>]", text))

    def __len__(self) -> int:
        return len(self._starts)

    def column(self, name: str) -> NDArray[np.float64]:
        """(K,) float64; NaN where an element lacks the attribute. Raises :class:`BadFile` for what is no number."""
        pattern = re.compile(rb"\s" + name.encode() + rb"\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
        found = list(pattern.finditer(self._text))
        values = np.full(len(self), np.nan)
        try:
            numbers = np.array([match[1] if match[1] is not None else match[2] for match in found], "S").astype(float)
        except ValueError:
            raise BadFile(f"A {name!r} in the file is not a number.", AGAIN) from None
        owner = np.searchsorted(self._starts, _places(found), "right") - 1
        if len(owner) and (owner.min() < 0 or (np.diff(owner) == 0).any()):
            raise BadFile(f"The attribute {name!r} is given twice.", AGAIN)
        values[owner] = numbers
        return values

    def whole(self, name: str, missing: NDArray[np.int64] | int = -1) -> NDArray[np.int64]:
        """(K,) int64 from 0 to 2 ** 31, ``missing`` where an element lacks the attribute."""
        values = self.column(name)
        given = ~np.isnan(values)
        sound = values[given]
        if len(sound) and not ((sound >= 0) & (sound < 2**31) & (sound == np.floor(sound))).all():
            raise BadFile(f"A {name!r} in the file is not a whole number.", AGAIN)
        return np.where(given, np.where(given, values, 0).astype(np.int64), missing)


def _places(matches: Any) -> NDArray[np.int64]:
    return np.fromiter((match.start() for match in matches), np.int64)


class Document:
    """An XML file as a tree, in which each list of vertices or triangles is an element that :meth:`rows` opens."""

    def __init__(self, data: bytes) -> None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            data = re.sub(r"^\s*<\?xml.*?\?>", "", data.decode("utf-16", "replace").lstrip("\ufeff")).encode()
        self._blocks: list[bytes] = []
        text = BLOCK.sub(self._put_aside, COMMENT.sub(b"", data))
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise BadFile("The file defines entities of its own, which are not allowed in it.", AGAIN)
        try:
            self.root = Tree.fromstring(text)
        except (Tree.ParseError, ValueError, LookupError, RecursionError) as error:
            raise BadFile(f"The XML in the file is damaged: {error}.", AGAIN) from error

    def _put_aside(self, match: re.Match[bytes]) -> bytes:
        self._blocks.append(match[3])
        return b'<%s block="%d"/>' % (match[1], len(self._blocks) - 1)

    def rows(self, element: Tree.Element | None) -> Rows:
        """The elements inside ``element``; none where it is missing or was empty."""
        number = None if element is None else element.get("block")
        if number is None or not number.isdigit() or int(number) >= len(self._blocks):
            return Rows(b"")
        return Rows(self._blocks[int(number)])


def local(element: Tree.Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Tree.Element, name: str) -> str | None:
    """An attribute by its name in whatever namespace."""
    if (plain := element.get(name)) is not None:
        return plain
    return next((value for key, value in element.attrib.items() if key.endswith("}" + name)), None)


def child(element: Tree.Element, name: str) -> Tree.Element | None:
    """The first child of that name in whatever namespace."""
    return next((found for found in element if local(found) == name), None)

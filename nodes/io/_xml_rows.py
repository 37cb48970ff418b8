"""XML whose long lists of equal elements are read as columns, and the rest as a tree."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Tree

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile

COMMENT = re.compile(rb"<!--.*?-->", re.S)
LIST = re.compile(rb"<((?:[\w.-]+:)?(?:vertices|triangles))(?:\s[^<>/]*)?>")
AGAIN = "Export the file again."


class Rows:
    """The elements of one list, such as ``<vertex x="0" y="0" z="0"/>``, by attribute."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        letters = np.frombuffer(text, np.uint8)
        following = letters[1:]
        opens = (letters[:-1] == ord("<")) & (following != ord("/")) & (following != ord("!")) & (following != ord("?"))
        self._count = int(np.count_nonzero(opens))

    def __len__(self) -> int:
        return self._count

    def table(self, *names: str) -> NDArray[np.float64]:
        """(K, one column for each name) float64; NaN where an element lacks the attribute. Raises :class:`BadFile`."""
        from nodes.io._xml_loops import FINE, TWICE, attribute_rows

        values = np.full((len(self), len(names)), np.nan)
        bounds = np.cumsum([0, *map(len, names)])
        letters = np.frombuffer("".join(names).encode(), np.uint8)
        how = attribute_rows(np.frombuffer(self._text, np.uint8), letters, bounds, values)
        if how == TWICE:
            raise BadFile("An element in the file gives an attribute twice.", AGAIN)
        return values if how == FINE else self._unusual(names)

    def whole(self, *names: str) -> NDArray[np.int64]:
        """As :meth:`table`, whole numbers from 0 to 2 ** 31; -1 where an element lacks the attribute."""
        values = self.table(*names)
        given = ~np.isnan(values)
        sound = values[given]
        if len(sound) and not ((sound >= 0) & (sound < 2**31) & (sound == np.floor(sound))).all():
            raise BadFile(f"One of {', '.join(names)} in the file is not a whole number.", AGAIN)
        return np.where(given, values, -1).astype(np.int64)

    def _unusual(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """The same by the XML parser, for what the quick loops do not know."""
        try:
            inside = Tree.fromstring(b"<all>" + re.sub(rb"(</?)[\w.-]+:", rb"\1", self._text) + b"</all>")
            rows = [[float(element.get(name, "nan")) for name in names] for element in inside.iter()]
        except (Tree.ParseError, ValueError) as error:
            raise BadFile(f"A list in the file is damaged: {error}.", AGAIN) from error
        return np.array(rows[1:], np.float64).reshape(-1, len(names))


class Document:
    """An XML file as a tree, in which each list of vertices or triangles is an element that :meth:`rows` opens."""

    def __init__(self, data: bytes) -> None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            data = re.sub(r"^\s*<\?xml.*?\?>", "", data.decode("utf-16", "replace").lstrip("\ufeff")).encode()
        self._blocks: list[bytes] = []
        text = self._without_lists(COMMENT.sub(b"", data) if b"<!--" in data else data)
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise BadFile("The file defines entities of its own, which are not allowed in it.", AGAIN)
        try:
            self.root = Tree.fromstring(text)
        except (Tree.ParseError, ValueError, LookupError, RecursionError) as error:
            raise BadFile(f"The XML in the file is damaged: {error}.", AGAIN) from error

    def _without_lists(self, text: bytes) -> bytes:
        parts, at = [], 0
        while match := LIST.search(text, at):
            end = text.find(b"</" + match[1], match.end())
            if end < 0:
                break
            parts.append(text[at : match.start()] + b'<%s block="%d">' % (match[1], len(self._blocks)))
            self._blocks.append(text[match.end() : end])
            at = end
        return b"".join([*parts, text[at:]])

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

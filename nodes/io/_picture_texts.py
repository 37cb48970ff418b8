"""The texts that a picture file carries: PNG text chunks, Exif, XMP."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

from app.engine.embedded import read_png_texts
from nodes.io._credits import EXTRAS
from nodes.io._xmp import from_xml

ARTIST, COPYRIGHT, XMP = 315, 33432, 700
PNG_NAMES = {"title": "title", "author": "author", "copyright": "rights", "license": "licence", "licence": "licence",
             "owner": "rights", EXTRAS: EXTRAS}  # fmt: skip
EXR = b"\x76\x2f\x31\x01"
TROUBLE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")


def picture_texts(path: Path) -> dict[str, str]:
    """``title``, ``author``, ``licence``, ``source`` and ``rights`` as far as the file states them.

    Text chunks (PNG specification, third edition, 11.3.3) come before Exif 2.3 (Artist, Copyright), and these before
    XMP. Reads headers only; a file that cannot be read states nothing.
    """
    found: dict[str, str] = {}
    if path.suffix.lower() == ".png":
        texts = {name.lower(): text for name, text in read_png_texts(path).items()}
        found = {field: texts[name] for name, field in PNG_NAMES.items() if texts.get(name)}
    if path.suffix.lower() == ".ktx2":
        from nodes.texture._ktx2 import properties

        texts = {name.lower(): text for name, text in properties(_head(path)).items()}
        found = {field: texts[name] for name, field in PNG_NAMES.items() if texts.get(name)}
    return {**(_from_exr(path) if path.suffix.lower() == ".exr" else _from_header(path)), **found}


def _from_exr(path: Path) -> dict[str, str]:
    """Attributes of type string, in the first megabyte (OpenEXR file layout, "Header attributes")."""
    data = _head(path)
    found: dict[str, str] = {}
    at = 8 if data[:4] == EXR else len(data)
    while at < len(data) and data[at]:
        middle = data.find(b"\0", at)
        end = data.find(b"\0", middle + 1)
        if end < 0:
            break
        size = int.from_bytes(data[end + 1 : end + 5], "little")
        field = PNG_NAMES.get(data[at:middle].decode("latin-1").lower())
        if field and data[middle + 1 : end] == b"string" and end + 5 + size <= len(data):
            found[field] = data[end + 5 : end + 5 + size].decode("utf-8", "replace")
        at = end + 5 + size
    return found


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError:
        return b""


def _from_header(path: Path) -> dict[str, str]:
    from PIL import Image as Pictures

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pictures.open(path, formats=FORMATS) as picture:
                exif = Pictures.Image.getexif(picture)  # that of a PNG would decode all of it
                info: Any = picture.info
                packet = info.get("xmp") or info.get("XML:com.adobe.xmp") or exif.get(XMP) or b""
                pairs = {"author": exif.get(ARTIST), "rights": exif.get(COPYRIGHT)}
    except (*TROUBLE, Pictures.DecompressionBombError):
        return {}
    stated = {name: value for name, value in pairs.items() if isinstance(value, str) and value.strip(" \0")}
    return {**from_xml(packet.encode() if isinstance(packet, str) else bytes(packet)), **stated}

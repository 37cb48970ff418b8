"""What a USD layer in text form says about itself in ``customLayerData``, read without OpenUSD's library."""

from __future__ import annotations

import re
from pathlib import Path

from app.engine import BadFile
from nodes.io._credits import EXTRAS
from nodes.io._package import Package

FIELDS = {"title": "title", "author": "author", "copyright": "rights", "license": "licence", "licence": "licence",
          EXTRAS: EXTRAS}  # fmt: skip
HEAD = 256 * 1024
_ENTRY = re.compile(r'^\s*string (\w+) = "((?:[^"\\\n]|\\.)*)"', re.MULTILINE)


def usd_texts(path: Path) -> dict[str, str]:
    """``title``, ``author``, ``licence`` and ``rights`` as far as the layer states them, and our list of works."""
    head = _head(path).partition("\n)")[0]
    if not head.startswith("#usda"):
        return {}
    found = {FIELDS[name.lower()]: text for name, text in _ENTRY.findall(head) if name.lower() in FIELDS}
    return {field: re.sub(r"\\(.)", r"\1", text) for field, text in found.items() if text}


def _head(path: Path) -> str:
    try:
        if path.suffix.lower() != ".usdz":
            with path.open("rb") as file:
                return file.read(HEAD).decode("utf-8", "replace")
        package = Package(path.read_bytes())
        return package.read(package.names[0], HEAD).decode("utf-8", "replace") if package.names else ""
    except (OSError, BadFile):
        return ""

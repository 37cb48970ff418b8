"""What a 3MF package says about itself (Core Specification 1.3, section 3.2.2), read and written."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from app.engine import BadFile, Run
from nodes.io._credits import EXTRAS, as_json, copyright_of, properties
from nodes.io._package import Package

OWN = "urn:polyloom:credits"
PREFIX = "pl"
FIELDS = {"Title": "title", "Designer": "author", "LicenseTerms": "licence", "Copyright": "rights"}
HEAD = 256 * 1024
_ENTRY = re.compile(r"<(?:\w+:)?metadata\s[^>]*?name\s*=\s*[\"']([^\"']+)[\"'][^>]*>([^<]*)</")
_CODES = {"&quot;": '"', "&apos;": "'"}


def metadata(run: Run, title: str) -> dict[str, str]:
    """Texts by the names that the specification knows, and our own list of works under a name of its own."""
    found = {"Title": title, "Application": "Polyloom"}
    if run.credits:
        licences = "; ".join(dict.fromkeys(credit.licence for credit in run.credits if credit.licence))
        told = {"Designer": properties(run).get("Author", ""), "Copyright": copyright_of(run), "LicenseTerms": licences}
        found |= {name: text for name, text in told.items() if text} | {f"{PREFIX}:{EXTRAS}": as_json(run)}
    return found


def elements_of(texts: dict[str, str]) -> bytes:
    """Metadata elements, with what XML cannot hold left out."""
    rows = (f'<metadata name="{name}">{escape(_printable(text))}</metadata>' for name, text in texts.items())
    return "".join(rows).encode()


def threemf_texts(path: Path) -> dict[str, str]:
    """``title``, ``author``, ``licence`` and ``rights`` as far as the package states them, and our list of works."""
    try:
        package = Package(path.read_bytes())
        names = [name for name in package.names if name.lower().endswith("3dmodel.model")]
        head = package.read(names[0], HEAD).decode("utf-8", "replace") if names else ""
    except (OSError, BadFile):
        return {}
    found = {}
    for name, text in _ENTRY.findall(head.partition("<resources")[0]):
        key = EXTRAS if name.rpartition(":")[2] == EXTRAS else FIELDS.get(name)
        if key and text.strip():
            found[key] = unescape(text.strip(), _CODES)
    return found


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())

"""What a file says about its author and licence, what lies beside it, and what the person states.

A step that reads a file takes three last parameters, ``licence: Licence = ""``, ``author: Author = ""`` and
``source: Source = ""``, names ``companions=beside`` in its ``OpenFile`` (what lies beside is part of the key), and
calls :func:`credit_file` once the file was read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from app.engine import Credit, Line, Run
from nodes.io._credits import COMMENT, EXTRAS
from nodes.io._licences import OFFERS, rights
from nodes.io._picture_texts import picture_texts
from nodes.io._threemf_texts import threemf_texts
from nodes.io._usd_texts import usd_texts
from nodes.io._xmp import from_json

Stated = dict[str, str]
OWN_TEXTS = {".3mf": threemf_texts, ".usdz": usd_texts, ".usda": usd_texts, ".usd": usd_texts}
Licence = Annotated[
    str,
    Line(
        offers=OFFERS,
        placeholder="as the file says",
        help="Of this file. It travels to every export. Empty: what the file or a licence file beside it says.",
        advanced=True,
    ),
]
Author = Annotated[str, Line(placeholder="as the file says", help="Who made it, for the credits.", advanced=True)]
Source = Annotated[
    str, Line(placeholder="as the file says", help="Where it comes from: an address, or words.", advanced=True)
]

COMMENTED = (".obj", ".ply", ".off", ".pcd", ".xyz", ".pts", ".asc", ".csv", ".txt")
FIELDS = ("title", "author", "licence", "source")
LARGEST = 32 << 20
HEAD = 64 * 1024
MOST = 200
BESIDE = tuple(
    f"{stem}{suffix}"
    for stem in ("LICENSE", "LICENCE", "License", "Licence", "license", "licence", "COPYING")
    for suffix in ("", ".txt", ".md")
)
KNOWN = (
    ("Attribution-NonCommercial-ShareAlike 4.0", "CC BY-NC-SA 4.0"),
    ("Attribution-NonCommercial-NoDerivatives 4.0", "CC BY-NC-ND 4.0"),
    ("Attribution-NonCommercial 4.0", "CC BY-NC 4.0"),
    ("Attribution-ShareAlike 4.0", "CC BY-SA 4.0"),
    ("Attribution-NoDerivatives 4.0", "CC BY-ND 4.0"),
    ("Attribution 4.0 International", "CC BY 4.0"),
    ("CC0 1.0 Universal", "CC0 1.0"),
    ("MIT License", "MIT"),
    ("Apache License", "Apache-2.0"),
    ("GNU GENERAL PUBLIC LICENSE", "GPL"),
)
_FIELD = re.compile(
    r"(?P<name>title|author|artist|creator|created by|licen[sc]e(?: type)?|copyright|source|"
    r"SPDX-License-Identifier|SPDX-FileCopyrightText)\s*:\s*(?P<value>\S.*)",
    re.IGNORECASE,
)
_NAMES = {"artist": "author", "creator": "author", "created by": "author", "copyright": "rights",
          "spdx-filecopyrighttext": "rights", "spdx-license-identifier": "licence", "license": "licence",
          "license type": "licence", "licence type": "licence"}  # fmt: skip


def credit_file(
    run: Run, path: Path, licence: str = "", author: str = "", source: str = "", inside: Mapping[str, str] | None = None
) -> None:
    """Give the file's credit to the run. What the person states comes before what its own ``.license`` file (REUSE
    specification 3) says, then the file itself, then a licence file in its folder.

    ``inside``: texts that the reader found in a format not known here, by ``title``, ``author``, ``licence``,
    ``source`` or ``rights``. A file that Polyloom wrote gives the works that it was made from.
    """
    person = {"licence": licence.strip(), "author": author.strip(), "source": source.strip()}
    own = _fields(_text(path.with_name(f"{path.name}.license"), HEAD).splitlines())
    said, parts = (dict(inside), ()) if inside is not None else _inside(path)
    for part in parts:
        run.credit(part)
    if parts and not any((*person.values(), *own.values())):
        return
    every = [_plain(given) for given in (person, own, {} if parts else said, _folder(path))]
    first = {name: next((given[name] for given in every if given[name]), "") for name in FIELDS}
    run.credit(Credit(first["title"], first["author"], first["licence"], first["source"]))


def beside(path: Path) -> tuple[Path, ...]:
    """The files beside ``path`` that state its licence."""
    names = (f"{path.name}.license", *BESIDE)
    return tuple(place for name in names if (place := path.with_name(name)).is_file()) if path.name else ()


def licence_beside(path: Path) -> Stated:
    """What the ``.license`` file of ``path``, or else a licence file in its folder, states."""
    own = _fields(_text(path.with_name(f"{path.name}.license"), HEAD).splitlines())
    return {name: text for name, text in {**_plain(_folder(path)), **_plain(own)}.items() if text}


def works_of(data: Any) -> tuple[Credit, ...]:
    """The credits in JSON that an earlier export wrote; what is not of that form is left out."""
    found = []
    for entry in data[:MOST] if isinstance(data, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("title"), str) and entry["title"]:
            texts = {name: entry[name] for name in FIELDS if isinstance(entry.get(name), str)}
            kind = entry.get("kind")
            found.append(Credit(**texts, kind=kind if kind in ("model", "service") else "file"))
    return tuple(found)


def _inside(path: Path) -> tuple[Stated, tuple[Credit, ...]]:
    suffix = path.suffix.lower()
    if suffix in (".glb", ".gltf"):
        return _gltf(path)
    if suffix in COMMENTED:
        return _comments(path)
    texts = OWN_TEXTS.get(suffix, picture_texts)(path)
    try:
        return texts, works_of(json.loads(texts.pop(EXTRAS, "[]")))
    except (ValueError, RecursionError):
        return texts, ()


def _gltf(path: Path) -> tuple[Stated, tuple[Credit, ...]]:
    """``asset.copyright``; ``asset.extras`` as Sketchfab writes them; a packet of KHR_xmp_json_ld."""
    document = _gltf_json(path)
    asset = document.get("asset")
    asset = asset if isinstance(asset, dict) else {}
    extras = asset.get("extras")
    extras = extras if isinstance(extras, dict) else {}
    said: Stated = {}
    names = {"title": "title", "author": "author", "license": "licence", "licence": "licence", "source": "source"}
    for name, field in names.items():
        if isinstance(extras.get(name), str):
            said[field] = extras[name]
    said = {**_packet(document, asset), **said}
    if isinstance(asset.get("copyright"), str):
        said.setdefault("rights", asset["copyright"])
    return said, works_of(extras.get(EXTRAS))


def _packet(document: dict[str, Any], asset: dict[str, Any]) -> Stated:
    try:
        name = "KHR_xmp_json_ld"
        return from_json(document["extensions"][name]["packets"][asset["extensions"][name]["packet"]])
    except (KeyError, IndexError, TypeError):
        return {}


def _gltf_json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            start = file.read(20)
            binary = start[:4] == b"glTF"
            size = int.from_bytes(start[12:16], "little") if binary else path.stat().st_size
            if size > LARGEST:
                return {}
            file.seek(20 if binary else 0)
            document = json.loads(file.read(size))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _comments(path: Path) -> tuple[Stated, tuple[Credit, ...]]:
    lines = [
        line.removeprefix("comment").lstrip("# \t").rstrip()
        for line in _text(path, HEAD).splitlines()
        if line.startswith(("#", "comment "))
    ]
    rows = [line[len(COMMENT) :].split(" | ") for line in lines if line.startswith(COMMENT)]
    works = [dict(zip((*FIELDS, "kind"), row, strict=True)) for row in rows if len(row) == len(FIELDS) + 1]
    return _fields(lines), works_of(works)


def _folder(path: Path) -> Stated:
    """Of a licence file in the folder: its fields as Sketchfab writes them, else the licence that its text is."""
    place = next((place for place in beside(path) if place.name != f"{path.name}.license"), None)
    if place is None:
        return {}
    text = _text(place, HEAD)
    said = _fields(text.splitlines())
    if "licence" not in said:
        head = " ".join(text[:2000].split()).lower()
        said["licence"] = next((name for words, name in KNOWN if words.lower() in head), f"see {place.name}")
    return said


def _fields(lines: Iterable[str]) -> Stated:
    """``Name: value`` lines. A name with two different values is not clear, and is left out."""
    found: dict[str, set[str]] = {}
    for line in lines:
        match = _FIELD.fullmatch(line.strip(" \t*#-"))
        if match:
            name = match["name"].lower()
            found.setdefault(_NAMES.get(name, name), set()).add(match["value"].strip())
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def _plain(said: Stated) -> Stated:
    """With a copyright statement as author or licence, where there is none yet."""
    author, licence = rights(said.get("rights", ""))
    return {
        **{name: said.get(name, "") for name in FIELDS},
        "author": said.get("author") or author,
        "licence": said.get("licence") or licence,
    }


def _text(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""

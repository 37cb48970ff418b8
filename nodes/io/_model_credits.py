"""Credits of model files that a person brings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.engine import Credit, Run
from nodes.io._stated import licence_beside

LARGEST = 32 << 20
NAMES = {"title": "modelspec.title", "author": "modelspec.author", "licence": "modelspec.license"}
_FRONT = re.compile(r"\A---\n(?:.*\n)*?license:[ \t]*(\S[^\n]*)\n(?:.*\n)*?---", re.MULTILINE)


def credit_model(run: Run, path: Path) -> None:
    """Credit an own file or folder of weights by its name, with what it says: the metadata of a safetensors file
    (modelspec.*), the licence in the head of a folder's README.md, or a licence file beside or inside it.
    """
    if path == Path():
        return
    said = {**licence_beside(path / "x" if path.is_dir() else path), **_inside(path)}
    run.credit(Credit(path.name, said.get("author", ""), said.get("licence", ""), said.get("title", ""), "model"))


def _inside(path: Path) -> dict[str, str]:
    if path.is_dir():
        found = _FRONT.match(_head(path / "README.md"))
        return {"licence": found[1].strip("\"' ")} if found else {}
    if path.suffix.lower() != ".safetensors":
        return {}
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size <= LARGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    texts = header.get("__metadata__") if isinstance(header, dict) else None
    texts = texts if isinstance(texts, dict) else {}
    return {field: texts[name] for field, name in NAMES.items() if isinstance(texts.get(name), str) and texts[name]}


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(8192).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""

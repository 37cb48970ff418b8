"""A problem report that can be run again: graph, the inputs that the person ticked, versions, log and report, as a zip.

``graph.graph`` names its inputs as ``inputs/1/chair.png``, also those that were left out, so that a capsule tells
nothing about the folders of the machine that it came from.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from app.engine import graph_file
from app.engine.environment import environment
from app.engine.errors import BadFile, BadGraphFile, CannotWrite
from app.engine.graph import Graph, Node
from app.engine.params import Folder, OpenFile
from app.engine.spec import NodeSpec, Param

FORMAT = 1
MOST_FILES = 10_000
MOST_BYTES = 8 * 1024**3
MOST_TEXT = 64 * 1024**2
CHUNK = 1 << 20
TEXTS = ("graph.graph", "versions.json", "log.txt", "report.json", "capsule.json")
_ADVICE = "Ask for the capsule again."
_DAMAGE = (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, struct.error)


@dataclass(frozen=True)
class Input:
    """A file or folder that a graph reads. ``files``: all that belongs to it, by name inside the capsule."""

    path: Path
    place: str
    files: Mapping[str, Path]

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.files.values() if path.is_file())


@dataclass(frozen=True)
class Capsule:
    """An unpacked one. ``folder``: what the graph's paths start from. ``left_out``: inputs that are not in it."""

    folder: Path
    graph: Graph
    versions: dict[str, str]
    report: dict[str, Any]
    about: dict[str, Any]
    left_out: tuple[str, ...]

    @property
    def targets(self) -> tuple[str, ...] | None:
        named = self.about.get("targets")
        return tuple(id for id in named if id in self.graph.nodes) if isinstance(named, list) else None


def inputs_of(graph: Graph, specs: Mapping[str, NodeSpec], base: Path) -> list[Input]:
    """Every file and folder that the graph names and that is there, each once, in the order of the nodes."""
    found: dict[Path, Input] = {}
    for path, param in _named(graph, specs, base):
        if path not in found and path.exists():
            place = f"inputs/{len(found) + 1}"
            found[path] = Input(path, f"{place}/{path.name}", dict(_belonging(path, param, place)))
    return list(found.values())


def pack(
    target: Path,
    graph: Graph,
    specs: Mapping[str, NodeSpec],
    base: Path,
    ticked: Collection[Path] = (),
    log: str = "",
    report: Mapping[str, Any] | None = None,
    words: str = "",
    targets: Collection[str] | None = None,
) -> None:
    """Write a capsule. ``ticked``: paths of the inputs to put in. Raises :class:`CannotWrite`; nothing is left then."""
    inputs = inputs_of(graph, specs, base)
    chosen = [one for one in inputs if one.path in ticked]
    about = {
        "format": FORMAT,
        "words": words,
        "targets": None if targets is None else list(targets),
        "inputs": [{"name": one.place, "included": one in chosen} for one in inputs],
    }
    texts = {
        "graph.graph": graph_file.dumps(_renamed(graph, specs, base, inputs)),
        "versions.json": json.dumps(environment(), indent=1),
        "log.txt": log,
        "report.json": json.dumps(report or {}, indent=1),
        "capsule.json": json.dumps(about, indent=1),
    }
    handle, part = -1, ""
    try:
        handle, part = tempfile.mkstemp(prefix=".capsule-", suffix=".part", dir=target.parent)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
            for one in chosen:
                for name, path in one.files.items():
                    archive.write(path, name)
        os.replace(part, target)
    except (OSError, ValueError, zipfile.LargeZipFile) as error:
        if part:
            with suppress(OSError):
                os.unlink(part)
        raise CannotWrite(f"The capsule cannot be written: {error}.", "Choose another place.") from error


def unpack(capsule: Path, folder: Path) -> Capsule:
    """Unpack a stranger's capsule into an empty folder. Raises :class:`BadFile`.

    Refused: names that lead outside the folder, links, other files than a capsule has, more than it may hold (counted
    while unpacking, whatever the headers say), and a graph that names files outside ``inputs``.
    """
    try:
        with zipfile.ZipFile(capsule) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise BadFile("The capsule holds too many files.", _ADVICE)
            left = MOST_BYTES
            for name, entry in _checked(entries).items():
                left = _extract(archive, entry, folder / name, min(left, MOST_TEXT if name in TEXTS else left), left)
        return _read(folder)
    except BadGraphFile as error:
        raise BadFile(f"The graph in the capsule cannot be read: {error.message}", _ADVICE) from None
    except BadFile:
        raise
    except _DAMAGE as error:
        raise BadFile(f"{capsule.name} is not a capsule, or it is damaged: {error}.", _ADVICE) from None


def refuse_outside(graph: Graph, specs: Mapping[str, NodeSpec], folder: Path) -> None:
    """Raises :class:`BadFile` when a graph from a capsule names an input that is not inside the capsule."""
    inside = folder.resolve()
    for path, param in _named(graph, specs, folder):
        if not path.resolve().is_relative_to(inside):
            raise BadFile(f"{param.label}: {path} lies outside the capsule.", "The graph does not run.")


def _named(graph: Graph, specs: Mapping[str, NodeSpec], base: Path) -> Iterator[tuple[Path, Param]]:
    for node in graph.nodes.values():
        for param in _file_params(node, specs):
            value = node.params.get(param.name)
            if isinstance(value, str) and value and "\0" not in value:
                yield Path(os.path.abspath(base / value)), param


def _file_params(node: Node, specs: Mapping[str, NodeSpec]) -> list[Param]:
    spec = specs.get(node.type)
    return [param for param in spec.params if isinstance(param.setting, OpenFile | Folder)] if spec else []


def _belonging(path: Path, param: Param, place: str) -> Iterator[tuple[str, Path]]:
    """(name in the capsule, file): a folder's files, or the file and what it pulls in from its own folder."""
    if path.is_dir():
        others = sorted(other for other in path.rglob("*") if other.is_file() and not other.is_symlink())
        yield from ((f"{place}/{path.name}/{other.relative_to(path).as_posix()}", other) for other in others)
        return
    yield f"{place}/{path.name}", path
    companions = param.setting.companions if isinstance(param.setting, OpenFile) else None
    for other in companions(path) if companions else ():
        whole = Path(os.path.abspath(other))
        if whole.is_file() and whole != path and whole.is_relative_to(path.parent):
            yield f"{place}/{whole.relative_to(path.parent).as_posix()}", whole


def _renamed(graph: Graph, specs: Mapping[str, NodeSpec], base: Path, inputs: list[Input]) -> Graph:
    places = {one.path: one.place for one in inputs}
    changed: list[Node] = []
    for node in graph.nodes.values():
        names = [p.name for p in _file_params(node, specs) if isinstance(node.params.get(p.name), str)]
        moved = {name: _place(str(node.params[name]), base, places) for name in names if node.params[name]}
        changed.append(replace(node, params={**node.params, **moved}))
    return graph.with_nodes(changed)


def _place(value: str, base: Path, places: Mapping[Path, str]) -> str:
    path = Path(os.path.abspath(base / value)) if "\0" not in value else Path("unreadable")
    return places.get(path, f"inputs/missing/{path.name}")


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    checked: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename
        pure = PurePosixPath(name)
        linked = stat.S_ISLNK(entry.external_attr >> 16)
        odd = pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name or "\0" in name
        packed = entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if linked or odd or packed or str(pure) in checked:
            raise BadFile(f"The capsule holds {name!r}, which is not a plain file inside it.", "It was not unpacked.")
        if name not in TEXTS and (pure.parts[:1] != ("inputs",) or len(pure.parts) < 3):
            raise BadFile(f"The capsule holds {name!r}, which no capsule has.", "It was not unpacked.")
        if not entry.is_dir():
            checked[str(pure)] = entry
    missing = [name for name in ("graph.graph", "versions.json") if name not in checked]
    if missing:
        raise BadFile(f"This is not a capsule: {missing[0]} is not in it.", "Choose a capsule.")
    return checked


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limit: int, left: int) -> int:
    """Unpack one file; returns the bytes that may still come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with archive.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(CHUNK):
            done += len(chunk)
            if done > limit:
                raise BadFile(f"{entry.filename} in the capsule is too large.", "It was not unpacked.")
            target.write(chunk)
    return left - done


def _read(folder: Path) -> Capsule:
    graph = graph_file.read(folder / "graph.graph")
    about = _json(folder / "capsule.json")
    named = about.get("inputs", [])
    entries = [e for e in named if isinstance(e, dict)] if isinstance(named, list) else []
    left_out = tuple(str(e.get("name")) for e in entries if not e.get("included"))
    versions = {str(k): str(v) for k, v in _json(folder / "versions.json").items()}
    return Capsule(folder, graph, versions, _json(folder / "report.json"), about, left_out)


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path.name} in the capsule cannot be read: {error}.", _ADVICE) from None
    return found if isinstance(found, dict) else {}

"""Read and write ``.graph`` files: JSON, sorted keys, one node per line, so that a diff reads well.

Reading checks the form and nothing else: no code runs, no other file is opened, unknown keys stay. What the graph
means (types, ranges, cycles) is the business of ``validate``.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.engine.errors import BadGraphFile, CannotWrite
from app.engine.graph import Graph, Link, Node
from app.engine.params import Folder, OpenFile
from app.engine.spec import NodeSpec

FORMAT = 1
BACKUPS = 10
BACKUP_FOLDER = ".polyloom-backups"
MOST_BYTES = 256 * 1024 * 1024
_NODE_KEYS = {"id", "type", "version", "at", "params", "title", "bypass"}
_FILE_KEYS = {"format", "app", "nodes", "links", "frames", "view"}
_RESTORE = f"An older copy may lie in the folder {BACKUP_FOLDER} beside it."


def loads(text: str) -> Graph:
    """A graph from ``.graph`` text. Raises :class:`BadGraphFile` that says where the text is wrong."""
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadGraphFile(f"This is not a graph, or it is cut short: {error}.", _RESTORE) from None
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        raise BadGraphFile("This JSON holds no graph: there is no list of nodes.", "Choose a .graph file.")
    nodes: dict[str, Node] = {}
    for place, entry in enumerate(data["nodes"], 1):
        node = _node(place, entry)
        if node.id in nodes:
            raise BadGraphFile(f"Two nodes have the id {node.id!r}.", "Give one of them another id.")
        nodes[node.id] = node
    graph = Graph(
        nodes,
        tuple(_link(place, entry) for place, entry in enumerate(_listed(data, "links"), 1)),
        tuple(_listed(data, "frames")),
        _table(data, "view", "the file"),
        {key: value for key, value in data.items() if key not in _FILE_KEYS or (key == "format" and value != FORMAT)},
    )
    try:
        dumps(graph).encode()
    except (ValueError, RecursionError):
        raise BadGraphFile("The text holds characters or numbers that cannot be written again.", _RESTORE) from None
    return graph


def dumps(graph: Graph) -> str:
    """The canonical text: ``dumps(loads(dumps(g))) == dumps(g)``, byte for byte."""
    top: dict[str, Any] = {"format": FORMAT, "app": "polyloom", "frames": list(graph.frames), "view": graph.view}
    lines = {key: _json(value) for key, value in {**top, **graph.extra}.items()}
    lines["nodes"] = _rows([_json(_entry(node)) for node in graph.nodes.values()])
    lines["links"] = _rows([_json(list(link)) for link in graph.links])
    return "{\n" + ",\n".join(f"{_json(key)}: {lines[key]}" for key in sorted(lines)) + "\n}\n"


def read(path: Path) -> Graph:
    """A graph from a file. Raises :class:`BadGraphFile`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadGraphFile(f"{path.name} is larger than any graph.", "Choose a .graph file.")
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadGraphFile(f"{path.name} cannot be read: {error.strerror}.", "Check the path and its rights.") from None
    except UnicodeDecodeError:
        raise BadGraphFile(f"{path.name} is not a text file.", "Choose a .graph file.") from None
    try:
        return loads(text)
    except BadGraphFile as error:
        raise BadGraphFile(f"{path.name}: {error.message}", error.advice) from None


def save(path: Path, graph: Graph, backups: int = BACKUPS) -> None:
    """Write beside the file, flush to the disk, keep the old one as a backup, then take its place in one step.

    A kill at any moment leaves the old file or the new one. Raises :class:`CannotWrite`; then the old file stands.
    """
    data = dumps(graph).encode()
    try:
        if path.exists() and path.read_bytes() == data:
            return
        _keep_backup(path, backups)
        write_whole(path, data)
    except OSError as error:
        raise CannotWrite(
            f"{path.name} cannot be saved: {error.strerror or error}.", "Nothing is lost: save to another folder."
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that others see the old content or the new content, never a part. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode & 0o777)
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _flush_folder(path.parent)


def rebase(graph: Graph, specs: Mapping[str, NodeSpec], old: Path, new: Path) -> Graph:
    """The same graph for a file in another folder: relative input paths still lead to the same files.

    Paths inside ``new`` become relative, all others absolute.
    """
    return with_paths(graph, specs, lambda value: shorten(old / value, new))


def travelling(graph: Graph, specs: Mapping[str, NodeSpec], base: Path) -> Graph:
    """The graph as an exported file carries it: every input path relative to ``base``, so that none tells where on
    its maker's machine it lay, and all still lead there when the export stays in its project."""

    def relative(value: str) -> str:
        try:
            return Path(os.path.relpath(base / value, base)).as_posix()
        except ValueError:
            return Path(value).name

    return with_paths(graph, specs, relative)


def home_of(graph: Graph, specs: Mapping[str, NodeSpec], folder: Path) -> Path:
    """Where the relative paths of a graph that was found in ``folder`` start: there, or the nearest folder above it
    that has the most of its input files."""
    paths: list[str] = []

    def note(value: str) -> str:
        paths.append(value)
        return value

    with_paths(graph, specs, note)
    places = [folder, *folder.parents][:6]
    found = [sum((place / path).exists() for path in paths) for place in places]
    return places[found.index(max(found))]


def with_paths(graph: Graph, specs: Mapping[str, NodeSpec], change: Callable[[str], str]) -> Graph:
    """The graph with every path to read that is set put through ``change``."""
    changed: list[Node] = []
    for node in graph.nodes.values():
        spec = specs.get(node.type)
        files = [p.name for p in spec.params if isinstance(p.setting, OpenFile | Folder)] if spec else []
        moved = {
            name: change(value)
            for name in files
            if isinstance(value := node.params.get(name), str) and value and "\0" not in value
        }
        if any(node.params[name] != value for name, value in moved.items()):
            changed.append(replace(node, params={**node.params, **moved}))
    return graph.with_nodes(changed) if changed else graph


def shorten(path: Path, base: Path) -> str:
    """As a file stores it: relative with forward slashes inside ``base``, absolute elsewhere."""
    whole = Path(os.path.abspath(path))
    try:
        return whole.relative_to(os.path.abspath(base)).as_posix()
    except ValueError:
        return whole.as_posix()


def _keep_backup(path: Path, count: int) -> None:
    """The newest is number 1. Older ones move up into the first free number: what a kill left free costs no backup."""
    if not count or not path.exists():
        return
    folder = path.parent / BACKUP_FOLDER
    folder.mkdir(exist_ok=True)
    data = path.read_bytes()
    places = [folder / f"{path.name}.{number}" for number in range(1, count + 1)]
    if places[0].exists() and places[0].read_bytes() == data:
        return
    free = next((number for number, place in enumerate(places) if not place.exists()), count - 1)
    for number in range(free, 0, -1):
        os.replace(places[number - 1], places[number])
    write_whole(places[0], data)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, default=dict)


def _rows(rows: list[str]) -> str:
    return "[\n" + ",\n".join(rows) + "\n]" if rows else "[]"


def _entry(node: Node) -> dict[str, Any]:
    return {
        **node.extra,
        "id": node.id,
        "type": node.type,
        "version": node.version,
        "at": [_short(node.at[0]), _short(node.at[1])],
        "params": dict(node.params),
        "title": node.title,
        "bypass": node.bypass,
    }


def _short(value: float) -> int | float:
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _node(place: int, entry: Any) -> Node:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not isinstance(entry.get("type"), str):
        raise BadGraphFile(f"Node number {place} has no id or no type.", "Mend or remove that line.")
    where = f"node {entry['id']!r}"
    kinds: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("version", lambda v: isinstance(v, int) and not isinstance(v, bool)),
        ("title", lambda v: isinstance(v, str)),
        ("bypass", lambda v: isinstance(v, bool)),
    )
    for key, fits in kinds:
        if key in entry and not fits(entry[key]):
            raise BadGraphFile(f"In {where}, {key!r} is {entry[key]!r}.", "Mend or remove that line.")
    return Node(
        entry["id"],
        entry["type"],
        _table(entry, "params", where),
        _place(entry.get("at", (0, 0)), where),
        entry.get("version", 1),
        entry.get("title", ""),
        entry.get("bypass", False),
        {key: value for key, value in entry.items() if key not in _NODE_KEYS},
    )


def _place(at: Any, where: str) -> tuple[float, float]:
    numbers = isinstance(at, list | tuple) and len(at) == 2 and all(type(v) in (int, float) for v in at)
    if not numbers or not all(abs(v) < 1e9 and math.isfinite(v) for v in at):
        raise BadGraphFile(f"In {where}, 'at' is {at!r}.", "A position is two numbers.")
    return float(at[0]), float(at[1])


def _link(place: int, entry: Any) -> Link:
    if not isinstance(entry, list) or len(entry) != 4 or not all(isinstance(part, str) for part in entry):
        raise BadGraphFile(f"Link number {place} is {entry!r}.", "A link is [from, output, to, input].")
    return Link(*entry)


def _listed(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise BadGraphFile(f"{key!r} is not a list.", _RESTORE)
    return value


def _table(data: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise BadGraphFile(f"In {where}, {key!r} is not a table.", _RESTORE)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")

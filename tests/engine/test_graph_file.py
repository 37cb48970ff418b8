"""``.graph`` files: what goes in comes out, byte for byte; what is wrong is said; a save is whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from string import printable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import BadGraphFile, CannotWrite
from app.engine.graph import Graph, Link, Node
from app.engine.graph_file import BACKUP_FOLDER, dumps, home_of, loads, read, rebase, save, shorten, travelling
from app.engine.migrations import adopt

from helpers import graph_of, toys  # isort: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(printable, max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
tables = st.dictionaries(st.text(printable, max_size=6), json_values, max_size=3)
places = st.floats(-1e6, 1e6).map(lambda v: round(v, 2))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    ids = draw(st.lists(st.text(printable, min_size=1, max_size=4), unique=True, max_size=5))
    nodes = {
        id: Node(
            id, draw(st.sampled_from(["toy.add", "own.thing"])), draw(tables), (draw(places), draw(places)),
            draw(st.integers(0, 9)), draw(st.text(printable, max_size=5)), draw(st.booleans()),
            {f"x-{k}": v for k, v in draw(tables).items()},
        )
        for id in ids
    }  # fmt: skip
    ends = st.sampled_from(ids) if ids else st.nothing()
    links = draw(st.lists(st.builds(Link, ends, st.just("out"), ends, st.just("a")), max_size=4)) if ids else []
    extra = {f"x-{k}": v for k, v in draw(tables).items()}
    return Graph(nodes, tuple(links), tuple(draw(st.lists(json_values, max_size=2))), draw(tables), extra)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_what_is_written_is_read(graph: Graph) -> None:
    text = dumps(graph)
    assert loads(text) == graph
    assert dumps(loads(text)) == text


def test_one_node_per_line_and_sorted_keys() -> None:
    text = dumps(graph_of(("b", "add", {"plus": 2}), ("a", "constant", {}), links=(("a", "out", "b", "a"),)))
    lines = text.splitlines()
    assert [line for line in lines if '"id"' in line] == [
        '{"at": [0, 0], "bypass": false, "id": "b", "params": {"plus": 2}, "title": "", "type": "toy.add", '
        '"version": 1},',
        '{"at": [0, 0], "bypass": false, "id": "a", "params": {}, "title": "", "type": "toy.constant", "version": 1}',
    ]
    assert '["a", "out", "b", "a"]' in lines
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_unknown_fields_types_and_versions_survive() -> None:
    text = """{"format": 9, "future": {"x": [1]}, "nodes": [
        {"id": "a", "type": "own.magic", "version": 7, "params": {"p": [1, {"q": null}]}, "glow": true},
        {"id": "b", "type": "toy.add", "version": 99, "params": {"unheard": 1}}], "links": [["a", "o", "b", "a"]]}"""
    once = dumps(adopt(loads(text), toys()))
    data = json.loads(once)
    assert data["format"] == 9 and data["future"] == {"x": [1]}
    assert data["nodes"][0]["glow"] is True and data["nodes"][0]["params"] == {"p": [1, {"q": None}]}
    assert data["nodes"][1] == {**data["nodes"][1], "version": 99, "params": {"unheard": 1}}
    assert dumps(adopt(loads(once), toys())) == once


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"nodes": 3}', '{"nodes": [3]}', '{"nodes": [{"id": 1, "type": "a.b"}]}',
        '{"nodes": [{"id": "a", "type": "t.t", "at": [1]}]}', '{"nodes": [{"id": "a", "type": "t", "at": [1e999, 0]}]}',
        '{"nodes": [{"id": "a", "type": "t.t"}, {"id": "a", "type": "t.t"}]}', '{"nodes": [], "links": [["a", "b"]]}',
        '{"nodes": [], "links": {}}', '{"nodes": [{"id": "a", "type": "t.t", "params": []}]}', '{"nodes": [NaN]}',
        '{"nodes": [{"id": "\\ud800", "type": "t.t"}]}', "[" * 100_000,
        '{"nodes": [{"id":"a","type":"t","version":true}]}', '{"nodes": [{"id":"a","type":"t","params":{"v":1e999}}]}',
    ],
)  # fmt: skip
def test_a_bad_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadGraphFile) as caught:
        loads(text)
    assert caught.value.message and caught.value.advice


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2000), st.binary(max_size=3))
def test_a_damaged_file_is_refused_or_read(at: int, junk: bytes) -> None:
    whole = dumps(graph_of(("a", "constant", {"value": 1}), ("b", "add", {}), links=(("a", "out", "b", "a"),))).encode()
    at %= len(whole)
    try:
        loads((whole[:at] + junk + whole[at + len(junk) :]).decode("utf-8", "replace"))
        loads(whole[:at].decode())
    except BadGraphFile:
        pass


def test_a_file_cut_short_at_any_place_is_refused(tmp_path: Path) -> None:
    text = dumps(graph_of(("a", "constant", {"value": 1})))
    for length in range(len(text) - 2):
        with pytest.raises(BadGraphFile):
            loads(text[:length])
    path = tmp_path / "cut.graph"
    path.write_text(text[:40])
    with pytest.raises(BadGraphFile, match=r"cut\.graph"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x89PNG"])
def test_not_a_text_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.graph"
    path.write_bytes(content)
    with pytest.raises(BadGraphFile):
        read(path)
    with pytest.raises(BadGraphFile):
        read(tmp_path / "absent.graph")


def test_save_keeps_ten_backups_and_writes_nothing_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "work.graph"
    for value in range(15):
        save(path, graph_of(("a", "constant", {"value": value})))
    before = path.stat().st_mtime_ns
    save(path, graph_of(("a", "constant", {"value": 14})))
    assert path.stat().st_mtime_ns == before
    backups = {p.name: read(p).nodes["a"].params["value"] for p in (tmp_path / BACKUP_FOLDER).iterdir()}
    assert backups == {f"work.graph.{n}": 14 - n for n in range(1, 11)}


def test_a_folder_without_write_permission_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "work.graph"
    save(path, graph_of(("a", "constant", {"value": 1})))
    code = (
        "import os, sys, pathlib\n"
        "from app.engine.graph import Graph; from app.engine.graph_file import save; from app.engine.errors import *\n"
        "os.getuid() or os.setuid(65534)\n"
        "try: save(pathlib.Path(sys.argv[1]), Graph())\n"
        "except CannotWrite as e: print(e.message); sys.exit(7)"
    )
    os.chmod(tmp_path, 0o555)
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, cwd=root, check=False)
    os.chmod(tmp_path, 0o755)
    assert run.returncode == 7 and "cannot be saved" in run.stdout
    assert read(path).nodes["a"].params == {"value": 1}


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "work.graph"
    save(path, graph_of(("a", "constant", {"value": 1})))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left"):
        save(path, graph_of(("a", "constant", {"value": 2})))
    monkeypatch.undo()
    assert read(path).nodes["a"].params == {"value": 1}
    assert not list(tmp_path.glob("*.part"))


def test_rebase_keeps_leading_to_the_same_files(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    inside, outside = new / "pics" / "a.txt", old / "b.txt"
    graph = graph_of(
        ("a", "read", {"path": str(inside)}), ("b", "read", {"path": "b.txt"}), ("c", "read", {"path": ""})
    )
    moved = rebase(graph, toys(), old, new)
    assert moved.nodes["a"].params["path"] == "pics/a.txt"
    assert moved.nodes["b"].params["path"] == outside.as_posix()
    assert moved.nodes["c"].params["path"] == ""
    assert shorten(inside, new) == "pics/a.txt"


def test_an_exported_graph_tells_no_place_on_its_makers_machine_and_finds_its_files_again(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "pics").mkdir(parents=True)
    for place in (project / "pics" / "a.txt", tmp_path / "b.txt"):
        place.write_text("x")
    graph = graph_of(("a", "read", {"path": "pics/a.txt"}), ("b", "read", {"path": str(tmp_path / "b.txt")}))
    carried = travelling(graph, toys(), project)
    assert [node.params["path"] for node in carried.nodes.values()] == ["pics/a.txt", "../b.txt"]
    out = project / "out" / "deep"
    assert home_of(carried, toys(), out) == project
    opened = rebase(carried, toys(), home_of(carried, toys(), out), out)
    assert all(Path(out, node.params["path"]).read_text() == "x" for node in opened.nodes.values())

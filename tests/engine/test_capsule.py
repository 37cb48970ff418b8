"""Problem reports: packed, run again elsewhere, and refused when they are not what they say."""

from __future__ import annotations

import contextlib
import json
import logging
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from helpers import TOYS, graph_of, toys

from app.cli import main
from app.engine import capsule, logbook
from app.engine.environment import PACKAGES, VERSION, environment
from app.engine.errors import BadFile, CannotWrite
from app.engine.graph import Graph
from app.engine.graph_file import dumps, read, save

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """Reads a file in its own folder and one that lies elsewhere, and writes a number."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "note.txt").write_text("hello")
    (tmp_path / "elsewhere.txt").write_text("secret")
    made = graph_of(
        ("r", "read", {"path": "note.txt"}),
        ("s", "read", {"path": (tmp_path / "elsewhere.txt").as_posix()}),
        ("n", "constant", {"value": 4.0}),
        ("w", "write", {"path": "n.txt"}),
        links=(("n", "out", "w", "a"),),
    )
    save(tmp_path / "home" / "g.graph", made)
    return made


def run(*arguments: object) -> int:
    return main([*map(str, arguments), "--nodes", str(TOYS)], ())


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_only_what_is_ticked_is_packed_and_no_folder_of_the_machine_is_told(graph: Graph, tmp_path: Path) -> None:
    base, target = tmp_path / "home", tmp_path / "x.zip"
    inputs = capsule.inputs_of(graph, toys(), base)
    assert [(one.path.name, one.size) for one in inputs] == [("note.txt", 5), ("elsewhere.txt", 6)]
    capsule.pack(target, graph, toys(), base, [base / "note.txt"], "a log", {"status": "ok"}, "It broke.")
    assert names(target) == {*capsule.TEXTS, "inputs/1/note.txt"}
    one = capsule.unpack(target, tmp_path / "there")
    assert one.left_out == ("inputs/2/elsewhere.txt",) and one.report == {"status": "ok"}
    assert one.about["words"] == "It broke." and one.versions == environment()
    assert one.graph.nodes["r"].params["path"] == "inputs/1/note.txt"
    assert one.graph.nodes["n"] == graph.nodes["n"] and one.graph.links == graph.links
    assert str(tmp_path) not in dumps(one.graph)
    assert graph.nodes["r"].params["path"] == "note.txt"


def test_a_mesh_brings_its_companions_from_its_own_folder_only(tmp_path: Path) -> None:
    from app.engine.registry import discover

    specs = discover(("nodes",))
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a.obj").write_text("mtllib a.mtl\nmtllib ../b.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "m" / "a.mtl").write_text("newmtl x\n")
    (tmp_path / "b.mtl").write_text("newmtl y\n")
    graph = graph_of(("o", "io.load_mesh", {"path": "m/a.obj"}))
    [one] = capsule.inputs_of(graph, specs, tmp_path)
    assert set(one.files) == {"inputs/1/a.obj", "inputs/1/a.mtl"}


def test_the_command_packs_and_replay_gives_the_same_files(
    graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, target, out = tmp_path / "home" / "g.graph", tmp_path / "x.zip", tmp_path / "again"
    assert run("run", file, "--out", tmp_path / "first", "--store", tmp_path / "store", "--in-process") == 0
    assert run("capsule", file, "--with-inputs", "--out", target) == 0
    assert {"inputs/1/note.txt", "inputs/2/elsewhere.txt"} <= names(target)
    capsys.readouterr()
    assert run("replay", target, "--out", out, "--report", tmp_path / "r.json") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(out / "n.txt")] and "differ" not in said.err
    assert (out / "n.txt").read_bytes() == (tmp_path / "first" / "n.txt").read_bytes()
    report = json.loads((tmp_path / "r.json").read_text())
    assert {node["state"] for node in report["nodes"].values()} == {"ran"}


def test_replay_says_what_differs_and_what_is_missing(
    graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x.zip"
    then = {"nodes": {"n": {"state": "failed"}, "w": {"state": "blocked"}}}
    with monkeypatch.context() as patch:
        patch.setattr(capsule, "environment", lambda: environment() | {"numpy": "1.0.0", "memory": "1 GB"})
        capsule.pack(target, graph, toys(), tmp_path / "home", [], report=then)
    assert run("replay", target, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert f"numpy: 1.0.0 there, {environment()['numpy']} here" in said and "memory" not in said
    assert "inputs/1/note.txt was left out" in said
    assert "n: failed then, ran here" in said and "r: failed here: " in said
    assert (tmp_path / "out" / "n.txt").read_text() == "4\n"


def made(path: Path, entries: dict[str, bytes], links: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("versions.json", "{}")
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, data)
    return path


GRAPH = {"graph.graph": dumps(graph_of(("n", "constant", {}))).encode()}


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "inputs/../../evil.txt", "/evil.txt", "inputs\\..\\..\\evil.txt", "C:/evil.txt", "evil.py",
     "inputs/loose.txt", "inputs/1/../../../evil.txt"],
)  # fmt: skip
def test_names_outside_the_capsule_are_refused_and_nothing_is_unpacked(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "x.zip", GRAPH | {name: b"evil"})
    with pytest.raises(BadFile):
        capsule.unpack(path, tmp_path / "a" / "b" / "there")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["x.zip"]


def test_links_and_twins_and_other_packings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        capsule.unpack(made(tmp_path / "l.zip", GRAPH | {"inputs/1/a": b"/etc"}, ("inputs/1/a",)), tmp_path / "l")
    with pytest.warns(UserWarning), zipfile.ZipFile(made(tmp_path / "t.zip", GRAPH), "a") as archive:
        archive.writestr("graph.graph", "{}")
    with pytest.raises(BadFile):
        capsule.unpack(tmp_path / "t.zip", tmp_path / "t")
    with zipfile.ZipFile(made(tmp_path / "z.zip", GRAPH), "a") as archive:
        archive.writestr("inputs/1/a", b"a" * 100, zipfile.ZIP_LZMA)
    with pytest.raises(BadFile):
        capsule.unpack(tmp_path / "z.zip", tmp_path / "z")


def test_a_bomb_is_stopped_while_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capsule, "MOST_BYTES", 3_000_000)
    path = made(tmp_path / "x.zip", GRAPH | {"inputs/1/a": bytes(20_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(BadFile, match="too large"):
        capsule.unpack(path, tmp_path / "there")
    assert sum(p.stat().st_size for p in (tmp_path / "there").rglob("*") if p.is_file()) <= 3_000_000


def test_a_lying_size_does_not_help(tmp_path: Path) -> None:
    path = made(tmp_path / "x.zip", GRAPH | {"inputs/1/a": bytes(5_000_000)})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 10)))
    with pytest.raises(BadFile):
        capsule.unpack(path, tmp_path / "there")


def test_a_graph_that_reads_outside_its_capsule_does_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    for place in ((tmp_path / "secret.txt").as_posix(), "../../secret.txt", "inputs/../../../secret.txt"):
        graph = graph_of(("r", "read", {"path": place}))
        path = made(tmp_path / "x.zip", {"graph.graph": dumps(graph).encode()})
        assert run("replay", path, "--out", tmp_path / "out") == 1
        assert "outside the capsule" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cut", [0, 1, 50, 200, -30, -1])
def test_damage_is_told_in_words(graph: Graph, tmp_path: Path, cut: int) -> None:
    target = tmp_path / "x.zip"
    capsule.pack(target, graph, toys(), tmp_path / "home", [tmp_path / "home" / "note.txt"])
    data = target.read_bytes()
    target.write_bytes(data[:cut])
    with pytest.raises(BadFile):
        capsule.unpack(target, tmp_path / "there")


def test_every_flipped_byte_gives_a_capsule_or_words(graph: Graph, tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    capsule.pack(target, graph, toys(), tmp_path / "home", [tmp_path / "home" / "note.txt"])
    data = target.read_bytes()
    for place in range(0, len(data), 7):
        target.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with contextlib.suppress(BadFile):
            capsule.unpack(target, tmp_path / f"there{place}")


def test_a_place_that_cannot_be_written_leaves_nothing(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite):
        capsule.pack(tmp_path / "nowhere" / "x.zip", graph, toys(), tmp_path / "home")
    assert not (tmp_path / "nowhere").exists()
    assert not list(tmp_path.glob(".capsule-*"))


def test_the_environment_names_versions_and_no_person() -> None:
    here = environment()
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'version = "{VERSION}"' in text
    assert all(f'"{name}==' in text for name in PACKAGES)
    assert all(f'"{name}=={here[name]}"' in text for name in PACKAGES if here[name] != "not installed")
    assert Path.home().name not in "".join(here.values()) or Path.home().name in ("", "root")


def test_the_log_tells_versions_times_and_errors_of_the_last_runs(tmp_path: Path) -> None:
    graph = graph_of(("a", "constant", {}), ("f", "fail", {"kind": "bare"}), links=(("a", "out", "f", "a"),))
    save(tmp_path / "bad.graph", graph)
    assert run("run", tmp_path / "bad.graph", "--out", tmp_path, "--store", tmp_path / "s", "--in-process") == 1
    text = logbook.recent(logbook.folder())
    last = text[text.rindex("command line started") :]
    assert f"Polyloom {VERSION}" in last and f"numpy {environment()['numpy']}" in last
    assert "run 1 submitted: bad.graph, 2 nodes" in last and "a (toy.constant) ran in 0." in last
    assert "f (toy.fail) failed after" in last and "exception: ValueError: something inside broke" in last
    assert "Traceback" in last and "run 1 ended: partial after" in last


def test_each_program_has_its_own_log_and_the_newest_are_kept(tmp_path: Path) -> None:
    for number in range(logbook.KEPT + 5):
        (tmp_path / f"20200101-0000{number:02}-1-1.log").write_text(f"old {number}")
    first, second = logbook.Logbook(tmp_path, "one"), logbook.Logbook(tmp_path, "two")
    assert first.file != second.file and first.file and first.file.exists()
    assert len(list(tmp_path.glob("*.log"))) == logbook.KEPT
    first.close()
    second.close()
    assert len(logbook.recent(tmp_path, 4000).encode()) < 5000
    (tmp_path / "file").write_text("not a folder")
    logbook.Logbook(tmp_path / "file" / "logs", "three").close()


def test_the_graph_in_a_capsule_is_a_graph_file(graph: Graph, tmp_path: Path) -> None:
    capsule.pack(tmp_path / "x.zip", graph, toys(), tmp_path / "home", targets=["w", "gone"])
    one = capsule.unpack(tmp_path / "x.zip", tmp_path / "there")
    assert read(tmp_path / "there" / "graph.graph") == one.graph and one.targets == ("w",)


def test_with_a_log_file_warnings_still_reach_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = logbook.Logbook(tmp_path, "one")
    logging.getLogger("polyloom.worker").warning("something odd")
    logging.getLogger("polyloom.run").error("a node failed")
    book.close()
    assert capsys.readouterr().err == "something odd\n"
    text = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert "something odd" in text and "a node failed" in text

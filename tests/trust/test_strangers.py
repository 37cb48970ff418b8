"""A ``.graph`` from a stranger: opening it runs nothing and writes nothing; running it stays in the chosen folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Bench, graph_of, states

from app.engine.graph import Graph
from app.engine.graph_file import dumps

ROOT = Path(__file__).resolve().parents[2]
LINKS = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")

WATCHED = """
import json, sys
seen = []
ODD = ("subprocess", "socket", "os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "ctypes", "exec",
       "compile", "import", "pickle", "marshal", "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.link",
       "os.symlink", "shutil", "tempfile", "urllib", "ftplib", "http", "code.__new__", "sqlite3.connect")
def look(event, given):
    if event == "open":
        path, mode, flags = given
        if isinstance(path, (str, bytes)) or hasattr(path, "__fspath__"):
            seen.append(["write" if flags & 0o3 else "read", str(path)])
    elif event.startswith(ODD):
        seen.append([event, str(given)[:200]])
"""
OPENING = """
from pathlib import Path
from app.engine.graph_file import read
from app.engine.migrations import adopt
from app.engine.plan import make_plan
from app.engine.registry import discover
from app.engine.store import Store
from app.engine.validate import validate
folder = Path(sys.argv[1])
registry, store = discover(("nodes",), (Path("tests/toys"),)), Store(Path(sys.argv[2]))
def opened(path):
    graph = adopt(read(path), registry)
    validate(graph, registry, folder)
    return make_plan(graph, registry, store, folder)
opened(folder / "warm.graph")
sys.addaudithook(look)
plan = opened(folder / "case.graph")
print(json.dumps({"seen": seen, "states": dict(plan.states)}))
"""
CHECK = """
import main
from app import cli
sys.addaudithook(look)
status = cli.main(["check", sys.argv[1] + "/case.graph", "--nodes", "tests/toys"], main.PACKAGES)
print(json.dumps({"seen": seen, "status": status}))
"""


def stranger(folder: Path) -> Graph:
    """A graph that names two files; others lie beside them."""
    for name in ("notes.txt", "secret.txt", "other.png", "conftest.py", "toy.py"):
        (folder / name).write_text("raise SystemExit('run')" if name.endswith(".py") else name)
    (folder / "thing.obj").write_text("mtllib thing.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (folder / "thing.mtl").write_text("newmtl a\nmap_Kd skin.png\n")
    (folder / "skin.png").write_bytes(b"not looked into")
    graph = graph_of(
        ("r", "read", {"path": "notes.txt"}), ("o", "io.load_mesh", {"path": "thing.obj"}),
        ("a", "constant", {"value": 2.0}), ("w", "write", {"path": "out.txt"}), ("c", "crash", {}),
        ("e", "__import__('os').system", {"x": "__import__('os').system('touch run')"}),
        ("u", "http://example.org/node.py", {"url": "http://example.org/x"}),
        ("k", "read", {"path": "/proc/kmsg" if Path("/proc/kmsg").exists() else "secret"}),
        links=(("a", "out", "w", "a"), ("a", "out", "c", "a")),
    )  # fmt: skip
    (folder / "case.graph").write_text(dumps(graph))
    (folder / "warm.graph").write_text(dumps(graph_of(("o", "io.load_mesh", {"path": "absent.obj"}))))
    return graph


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")}


def watch(code: str, *arguments: object) -> dict[str, object]:
    command = [sys.executable, "-B", "-c", WATCHED + code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_opening_runs_nothing_and_opens_only_what_the_graph_names(tmp_path: Path) -> None:
    folder, store = tmp_path / "work", tmp_path / "store"
    folder.mkdir()
    stranger(folder)
    before = tree(folder)
    found = watch(OPENING, folder, store)
    named = {str(folder / name) for name in ("case.graph", "notes.txt", "thing.obj", "thing.mtl", "skin.png")}
    named.add("/proc/kmsg")
    odd = [entry for entry in found["seen"] if entry[0] != "read" or entry[1] not in named]
    assert odd == [] and tree(folder) == before
    assert found["states"]["w"] == "run" and found["states"]["e"] == "blocked"


def test_check_writes_nothing_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    stranger(folder)
    before = tree(tmp_path)
    found = watch(CHECK, folder)
    odd = [entry for entry in found["seen"] if entry[0] not in ("read", "import", "exec", "compile", "marshal.loads")]
    inside = [entry for entry in found["seen"] if str(folder) in entry[1]]
    own = [e for e in odd if not e[0].startswith("ctypes")]
    assert own == [] and inside == [["read", str(folder / "case.graph")]] and tree(tmp_path) == before
    assert found["status"] == 2


@pytest.mark.parametrize(
    "path",
    ["../x.txt", "/x.txt", "a/../../x.txt", "c:/x.txt", "c:x.txt", "\\\\host\\share\\x.txt", "..\\x.txt", "//h/x.txt",
     "CON.txt", "sub/aux.txt", "com1.txt", "LPT9.old.txt", "con .txt", "sub./x.txt", "sub /x.txt", ".../x.txt",
     "a\nb.txt", "a\x7f.txt", "a\u202etxt.txt", "x.txt:stream.txt", "\ud800.txt", "~/../../x.txt"],
)  # fmt: skip
def test_no_name_leads_out_of_the_chosen_folder(tmp_path: Path, path: str) -> None:
    before = tree(tmp_path.parent)
    with Bench(tmp_path) as bench:
        report = bench.run(
            graph_of(("a", "constant", {}), ("w", "write", {"path": path}), links=(("a", "out", "w", "a"),))
        )
        error = report.nodes["w"].error
    assert error and error.kind == "cannot-write" and error.message and error.advice
    store = str(tmp_path / "store")
    assert [p for p in tree(tmp_path.parent) if p not in before and not p.startswith(store)] == []


@pytest.mark.parametrize("path", ["con/x.txt", "\0.txt", "", ".", "..", "x.exe", "x.txt/"])
def test_no_file_name_is_said_before_the_run(tmp_path: Path, path: str) -> None:
    with Bench(tmp_path) as bench:
        report = bench.run(
            graph_of(("a", "constant", {}), ("w", "write", {"path": path}), links=(("a", "out", "w", "a"),))
        )
    error = report.nodes["w"].error
    if path == "x.txt/":
        assert report.outputs == ["x.txt"]
    else:
        assert error and error.kind in ("bad-param", "cannot-write") and not (tmp_path / "out").exists()


@LINKS
@pytest.mark.parametrize("name", ["door/x.txt", "door/deep/x.txt", "loop/x.txt"])
def test_a_link_inside_the_folder_does_not_lead_out(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with Bench(tmp_path) as bench:
        bench.out.mkdir()
        (bench.out / "door").symlink_to(outside, target_is_directory=True)
        (bench.out / "loop").symlink_to("loop")
        report = bench.run(
            graph_of(("a", "constant", {}), ("w", "write", {"path": name}), links=(("a", "out", "w", "a"),))
        )
        error = report.nodes["w"].error
        assert error and error.kind == "cannot-write" and list(outside.iterdir()) == []
        if name.startswith("door"):
            assert str(outside) in error.message


@LINKS
def test_a_link_in_the_place_of_the_file_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    with Bench(tmp_path) as bench:
        bench.out.mkdir()
        (bench.out / "x.txt").symlink_to(victim)
        graph = graph_of(("a", "constant", {}), ("w", "write", {"path": "x.txt"}), links=(("a", "out", "w", "a"),))
        assert bench.run(graph).status == "ok"
        assert victim.read_text() == "mine" and (bench.out / "x.txt").read_text() == "1\n"
        assert not (bench.out / "x.txt").is_symlink()


@LINKS
def test_the_chosen_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with Bench(tmp_path) as bench:
        graph = graph_of(("a", "constant", {}), ("w", "write", {"path": "s/x.txt"}), links=(("a", "out", "w", "a"),))
        assert states(bench.run(graph)) == {"a": "ran", "w": "ran"}
    assert (tmp_path / "real" / "s" / "x.txt").read_text() == "1\n"

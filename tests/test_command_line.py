"""The command line as other programs call it: exit status, report, standard streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.engine.graph import Graph, Link, Node
from app.engine.graph_file import dumps

ROOT = Path(__file__).resolve().parents[1]
TOYS = ROOT / "tests" / "toys"


def main(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nodes = {
        "a": Node("a", "toy.constant", {"value": 2.0}, title="Start"),
        "b": Node("b", "toy.add", {"plus": 1.0}),
        "w": Node("w", "toy.write", {"path": "sum.txt"}, title="Export"),
        "z": Node("z", "toy.add", {}),
    }
    links = (Link("a", "out", "b", "a"), Link("b", "out", "w", "a"), Link("a", "out", "z", "a"))
    path = tmp_path / "sum.graph"
    path.write_text(dumps(Graph(nodes, links)))
    return path


def run(file: Path, *arguments: object) -> tuple[int, dict[str, Any], str]:
    report = file.parent / "report.json"
    done = main("run", file, "--nodes", TOYS, "--store", file.parent / "store", "--out", file.parent / "out",
                "--report", report, *arguments)  # fmt: skip
    return done.returncode, json.loads(report.read_text()), done.stderr


@pytest.mark.parametrize("where", [(), ("--in-process",)])
def test_run_writes_files_and_the_report_of_the_contract(file: Path, where: tuple[str, ...]) -> None:
    status, report, _ = run(file, *where)
    assert status == 0 and report["status"] == "ok" and report["outputs"] == ["sum.txt"] and report["problems"] == []
    assert (file.parent / "out" / "sum.txt").read_text() == "3\n"
    assert {id: node["state"] for id, node in report["nodes"].items()} == dict.fromkeys("abwz", "ran")
    node = report["nodes"]["b"]
    assert node["key"] and node["error"] is None and node["seconds"] >= 0
    _, again, _ = run(file, *where)
    assert {node["state"] for node in again["nodes"].values()} == {"reused"}


def test_set_by_id_and_by_title_and_to(file: Path) -> None:
    status, report, _ = run(file, "--set", "Start.value=5", "--set", "b.plus=0.5", "--to", "Export")
    assert status == 0 and report["nodes"]["z"]["state"] == "skipped"
    assert (file.parent / "out" / "sum.txt").read_text() == "5.5\n"


@pytest.mark.parametrize(
    "assignment", ["nobody.value=1", "Start.nothing=1", "Start.value", "Start.value=abc", "Start.value=1e9"]
)
def test_wrong_arguments_are_exit_status_2_and_say_why(file: Path, assignment: str) -> None:
    status, report, said = run(file, "--set", assignment)
    assert status == 2 and report["status"] == "invalid" and report["problems"][0]["message"]
    assert said.strip() and "Traceback" not in said
    assert not (file.parent / "out").exists()


def test_a_failed_node_is_exit_status_1_and_the_rest_is_done(file: Path) -> None:
    text = file.read_text().replace('"id": "z", "params": {}, "title": "", "type": "toy.add"',
                                    '"id": "z", "params": {}, "title": "", "type": "toy.fail"')  # fmt: skip
    file.write_text(text)
    status, report, said = run(file)
    assert status == 1 and report["status"] == "partial" and report["nodes"]["w"]["state"] == "ran"
    error = report["nodes"]["z"]["error"]
    assert error == {"kind": "bad-input", "message": "This node cannot work.", "advice": "Remove it."}
    assert "This node cannot work. Remove it." in said


def test_check_tells_everything_at_once(tmp_path: Path) -> None:
    nodes = [
        Node("far", "toy.constant", {"value": 1e12}), Node("empty", "toy.add", {}), Node("odd", "own.magic", {}),
        Node("list", "toy.fail", {"kind": "zebra"}), Node("c1", "toy.add", {}), Node("c2", "toy.add", {}),
        Node("file", "toy.read", {"path": "absent.txt"}), Node("nofile", "toy.read", {}),
        Node("pic", "toy.picture", {}), Node("wrong", "toy.add", {}), Node("newer", "toy.constant", {}, version=50),
        Node("sock", "toy.add", {}),
    ]  # fmt: skip
    links = (
        Link("c1", "out", "c2", "a"), Link("c2", "out", "c1", "a"), Link("pic", "out", "wrong", "a"),
        Link("far", "out", "sock", "nope"), Link("gone", "out", "sock", "a"),
    )  # fmt: skip
    path = tmp_path / "bad.graph"
    path.write_text(dumps(Graph({n.id: n for n in nodes}, links)))
    done = main("check", path, "--json", "--nodes", TOYS)
    told = {(p["node"], p["kind"]) for p in json.loads(done.stdout)["problems"]}
    assert done.returncode == 2
    assert told == {
        ("far", "bad-param"), ("empty", "missing-input"), ("odd", "unknown-type"), ("list", "bad-param"),
        ("c1", "cycle"), ("file", "missing-file"), ("nofile", "missing-file"), ("wrong", "wrong-type"),
        ("newer", "newer-version"), ("sock", "unknown-socket"), ("sock", "dangling-link"),
    }  # fmt: skip
    assert "c1 -> c2 -> c1" in done.stdout or "c2 -> c1 -> c2" in done.stdout


def test_check_of_a_good_graph(file: Path) -> None:
    done = main("check", file, "--nodes", TOYS)
    assert done.returncode == 0 and "nothing is wrong" in done.stdout


@pytest.mark.parametrize("content", ["", "{", '{"nodes": [{"id": "a"}]}', "\x00"])
def test_a_file_that_is_no_graph(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.graph"
    path.write_text(content)
    for command in ("run", "check", "plan"):
        done = main(command, path)
        assert done.returncode == 2 and "x.graph" in done.stderr and "Traceback" not in done.stderr
    assert main("check", tmp_path / "absent.graph").returncode == 2


def test_plan_says_what_would_run(file: Path) -> None:
    run(file)
    done = main("plan", file, "--json", "--nodes", TOYS, "--store", file.parent / "store", "--set", "b.plus=7")
    plan = json.loads(done.stdout)
    assert {id: node["state"] for id, node in plan["nodes"].items()} == {
        "a": "reuse",
        "b": "run",
        "w": "run",
        "z": "reuse",
    }
    assert done.returncode == 0 and plan["never_timed"] == 0


def test_nodes_as_json_lists_sockets_parameters_and_licences() -> None:
    done = main("nodes", "--json", "--nodes", TOYS)
    listed = {entry["id"]: entry for entry in json.loads(done.stdout)["nodes"]}
    add = listed["toy.add"]
    assert [(s["name"], s["optional"]) for s in add["inputs"]] == [("a", False), ("b", True)]
    assert add["params"][0] == {"name": "plus", "label": "Plus", "kind": "AnyNumber", "default": 0.0}
    assert add["licence"] == "MIT" and add["memory_tier"] == "CPU" and done.returncode == 0


def test_a_broken_own_node_file_is_named_and_stops_nothing(file: Path) -> None:
    own = file.parent / "own"
    own.mkdir()
    (own / "broken.py").write_text("import nothing_of_that_name")
    status, _, said = run(file, "--nodes", own)
    assert status == 0 and "broken.py" in said and "nothing_of_that_name" in said


@pytest.mark.skipif(os.name != "posix", reason="Ctrl+C is sent as a POSIX signal")
def test_ctrl_c_is_exit_status_130(tmp_path: Path) -> None:
    path, started = tmp_path / "s.graph", tmp_path / "started"
    path.write_text(dumps(Graph({"s": Node("s", "toy.sleep", {"seconds": 60.0, "started": str(started)})})))
    report = tmp_path / "report.json"
    command = [sys.executable, str(ROOT / "main.py"), "run", path, "--nodes", TOYS, "--store", tmp_path / "store"]
    process = subprocess.Popen([*map(str, command), "--report", str(report)], cwd=tmp_path, stderr=subprocess.PIPE)
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    data = json.loads(report.read_text())
    assert data["status"] == "cancelled" and data["nodes"]["s"]["state"] == "cancelled"


def test_the_command_line_imports_no_window_and_finding_nodes_imports_nothing_heavy() -> None:
    code = (
        "import sys; import main; from app import cli; cli.main(['nodes', '--json'], main.PACKAGES)\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'trimesh', 'scipy', 'cv2', 'skimage', 'numba', 'PIL', 'vtk',\n"
        "         'vtkmodules', 'pyvista', 'pyvistaqt', 'PySide6', 'NodeGraphQt', 'xatlas', 'embreex', 'manifold3d'}\n"
        "found = heavy & {name.partition('.')[0] for name in sys.modules}\n"
        "print(found, file=sys.stderr); sys.exit(len(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["broken"] == []

"""What the pages claim: their Python runs, their commands work, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import main
from app.engine.graph_file import dumps, loads
from app.engine.registry import discover
from app.engine.report import RunReport

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "nodes" / "README.md", *(ROOT / "docs").glob("*.md")])
CODE = [page for page in PAGES if "```python" in page.read_text("utf-8")]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return sorted({line[2:] for line in lines})


ENGINE = [line for line in commands() if re.match(r"uv run main\.py (run|check|plan|nodes|weights|capsule)\b", line)]


def test_the_pages_are_found() -> None:
    assert {name_of(page) for page in CODE} == {"nodes/README.md", "docs/scripting.md", "docs/scenes.md"}
    assert len(ENGINE) >= 8


def test_every_node_type_and_example_that_a_page_names_is_there() -> None:
    registry, examples = discover(("nodes",)), {path.stem for path in (ROOT / "resources" / "examples").glob("*.graph")}
    families = "|".join({spec.family for spec in registry.values()})
    named = {id for page in PAGES for id in re.findall(rf"`((?:{families})\.[a-z_]+)`", page.read_text("utf-8"))}
    assert len(named) > 40 and named <= set(registry)
    workshop = (ROOT / "docs" / "workshop.md").read_text("utf-8")
    assert set(re.findall(r"\| `(\w+)` \|", workshop)) <= examples


@pytest.mark.parametrize("page", CODE, ids=name_of)
def test_every_python_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f"blocks_of_{page.stem.lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for number, block in enumerate(blocks(page, "python"), 1):
        exec(compile(block, f"{name_of(page)}, block {number}", "exec"), module.__dict__)


@pytest.mark.parametrize("line", ENGINE)
def test_every_command_works(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long runs are planned instead; ``tests/test_examples.py`` runs the graphs themselves."""
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    (tmp_path / "my_nodes").mkdir()
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)[3:]
    if words[0] == "run" and "starter" in words[1]:
        words = ["plan", *words[1 : words.index("--out")]]
    if words[0] == "run":
        words.append("--in-process")
    assert main.main(words) == 0
    out = capsys.readouterr().out
    assert out
    if "--json" in words:
        json.loads(out)
    if words[0] == "run":
        assert all(Path(name).is_file() for name in out.splitlines())


def test_the_two_commands_are_the_makefile_s() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    wanted = [line for line in commands() if line.startswith("make ")]
    assert wanted == ["make run", "make test"]
    assert all(re.search(rf"^{line.removeprefix('make ')}:", makefile, re.M) for line in wanted)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == [] or missing == ["docs/images/window.png"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:app|nodes|tests|resources|docs)/[\w./-]+)`", page.read_text("utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_options_on_the_page_are_the_options_of_the_program() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    helps = ""
    weights = tuple(f"weights {action}" for action in ("list", "fetch", "import", "verify"))
    for command in ("run", "check", "plan", "nodes", "prepare", "capsule", "replay", *weights):
        with contextlib.redirect_stdout(io.StringIO()) as text, pytest.raises(SystemExit):
            main.main([*command.split(), "--help"])
        helps += text.getvalue()
    of_program = set(re.findall(r"--[a-z][a-z-]+", helps)) - {"--help"}
    assert of_program == set(re.findall(r"--[a-z][a-z-]+", page))


def test_the_report_on_the_page_has_the_keys_of_a_report() -> None:
    shown = json.loads(blocks(ROOT / "docs" / "command-line.md", "json")[0])
    graph = loads('{"nodes": [{"id": "a", "type": "x"}]}')
    real = RunReport(graph).to_json()
    assert set(shown) == set(real)
    assert all(set(node) == set(real["nodes"]["a"]) for node in shown["nodes"].values())


def test_the_file_on_the_page_is_canonical_and_of_today() -> None:
    text = blocks(ROOT / "docs" / "graph-file.md", "json")[0]
    graph = loads(text)
    assert dumps(graph) == text
    registry = discover(("nodes",))
    for node in graph.nodes.values():
        spec = registry[node.type]
        assert (node.version, set(node.params)) == (spec.version, {param.name for param in spec.params})


def test_pages_name_no_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(?:root|home|work|tmp)/|localhost|pypi\.", page.read_text("utf-8")), page


def test_the_python_on_the_page_is_the_python_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"].startswith(">=3.11")
    assert "Python 3.11+" in (ROOT / "README.md").read_text("utf-8")

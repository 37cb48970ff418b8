"""The house stands: imports point one way, each contract is seen to fail, nothing names a machine or a registry."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("app", "nodes", "viewer", "main.py", "pyproject.toml")
PLANTED = {
    "the engine imports nothing of ours": ("app/engine/plan.py", "import nodes.value.text"),
    "node types know the engine only": ("nodes/value/text.py", "import app.cli"),
    "the window, the node types and the viewer do not know each other": ("app/ui/theme.py", "import viewer.panel"),
    "no Qt and no VTK below the window": ("nodes/mesh/decimate.py", "import pyvista"),
    "the viewer knows payloads and errors only": ("viewer/panel.py", "import app.engine.store"),
}


def lint_imports(folder: Path) -> str:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def test_every_contract_is_seen_to_fail(copy: Path) -> None:
    contracts = (copy / "pyproject.toml").read_text("utf-8").split("[tool.importlinter]")[1]
    names = re.findall(r'^name = "(.*)"$', contracts, re.M)
    assert sorted(names) == sorted(PLANTED)
    assert "0 broken" in lint_imports(copy)
    for place, line in PLANTED.values():
        path = copy / place
        path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")
    said = lint_imports(copy)
    for name in names:
        assert f"{name} BROKEN" in said, said


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_committed_names_a_registry_or_a_place_on_a_machine() -> None:
    words = [b"pypi" + b".org", b"python" + b"hosted", b"npmjs" + b".org", b"deb.debian" + b".org"]
    folders = [folder for folder in (ROOT.parent, Path.home()) if folder != Path(folder.anchor)]
    places = [re.escape(f"{folder}/").encode() for folder in folders]
    found = [
        path.name
        for path in committed()
        if any(word in (data := path.read_bytes()) for word in words) or any(re.search(place, data) for place in places)
    ]
    assert found == []


def test_no_lock_file_is_committed() -> None:
    names = {path.name for path in committed()}
    assert not names & {"uv.lock", "package-lock.json", "poetry.lock"}


def test_the_licence_and_every_package_starts_with_what_it_is_for() -> None:
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    for path in committed():
        if (
            path.suffix == ".py"
            and path.parts[len(ROOT.parts)] in ("app", "nodes", "viewer")
            and path.read_text("utf-8").strip()
        ):
            assert path.read_text("utf-8").lstrip().startswith('"""'), f"{path.name} does not say what it is for"

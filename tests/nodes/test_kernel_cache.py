"""Machine code of loops is kept, and made anew when any text changes that it was made from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TABLE = "FACTOR = {factor}\n"
INNER = (
    "from nodes.own.table import FACTOR\nfrom nodes.mesh._jit import inlined\n\n\n"
    "@inlined\ndef scaled(value: float) -> float:\n    return value * FACTOR\n"
)
OUTER = (
    "from nodes.mesh._jit import kernel\nfrom nodes.own.inner import scaled\n\n\n"
    "@kernel\ndef total(count: int) -> float:\n    sum = 0.0\n    for i in range(count):\n"
    "        sum += scaled(i)\n    return sum\n"
)
OTHER = "from nodes.mesh._jit import kernel\n\n\n@kernel\ndef twice(value: float) -> float:\n    return 2.0 * value\n"
SAY = "from nodes.own.outer import total; from nodes.own.other import twice; print(total(4), twice(1.5))"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with nothing but the decorators and three small modules."""
    here = Path(__file__).resolve().parents[2]
    own, mesh = tmp_path / "nodes" / "own", tmp_path / "nodes" / "mesh"
    for folder in (own, mesh):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (tmp_path / "nodes" / "__init__.py").touch()
    (mesh / "_jit.py").write_bytes((here / "nodes/mesh/_jit.py").read_bytes())
    for name, text in (("table", TABLE.format(factor=2)), ("inner", INNER), ("outer", OUTER), ("other", OTHER)):
        (own / f"{name}.py").write_text(text)
    return tmp_path


def say(house: Path) -> str:
    got = subprocess.run([sys.executable, "-c", SAY], cwd=house, capture_output=True, text=True, check=True)
    return got.stdout.strip()


def kept(house: Path) -> dict[str, str]:
    """{module: the state its machine code belongs to}."""
    folders = (house / "nodes/__pycache__/kernels").iterdir()
    return dict(folder.name.rsplit("-", 1) for folder in folders if any(folder.rglob("*.nbc")))


def test_a_constant_that_a_loop_took_from_another_module_makes_only_its_own_code_anew(house: Path) -> None:
    assert say(house) == "12.0 3.0"
    before = kept(house)
    assert {"nodes.own.outer", "nodes.own.other"} <= before.keys()
    assert say(house) == "12.0 3.0"
    assert kept(house) == before
    (house / "nodes/own/table.py").write_text(TABLE.format(factor=5))
    assert say(house) == "30.0 3.0"
    after = kept(house)
    assert after["nodes.own.other"] == before["nodes.own.other"]
    assert after["nodes.own.outer"] != before["nodes.own.outer"]
    assert len(re.findall("nodes.own.outer", " ".join(after))) == 1

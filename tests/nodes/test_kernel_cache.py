"""Machine code of loops is kept, and made anew when any text changes that it was made from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
    own, mesh = tmp_path / "nodes" / "own", tmp_path / "nodes" / "mesh"
    for folder in (own, mesh):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (tmp_path / "nodes" / "__init__.py").touch()
    for name in ("_jit", "_kept", "_code_folders", "_compiling", "_kinds"):
        (mesh / f"{name}.py").write_bytes((ROOT / f"nodes/mesh/{name}.py").read_bytes())
    for name, text in (("table", TABLE.format(factor=2)), ("inner", INNER), ("outer", OUTER), ("other", OTHER)):
        (own / f"{name}.py").write_text(text)
    return tmp_path


def say(house: Path) -> str:
    return python(house, SAY)


def python(house: Path, text: str, **around: str) -> str:
    """What a process says that has the house's nodes and this checkout's engine."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, (house, ROOT))), "POLYLOOM_HOME": str(house / "home")}
    got = subprocess.run(
        [sys.executable, "-P", "-c", text], env=environment | around, capture_output=True, text=True, check=False
    )
    assert got.returncode == 0, got.stderr
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


COUNT = (
    "from numba.core import event\n"
    "made = event.RecordingListener(); event.register('numba:compile', made)\n"
    "from nodes.own.outer import total; from nodes.own.other import twice\n"
    "print(total(4), twice(1.5), sum(e.is_start for _, e in made.buffer))\n"
)


def test_files_that_are_cut_short_or_garbled_are_made_anew(house: Path) -> None:
    assert python(house, COUNT) == "12.0 3.0 2"
    one, other = sorted((house / "nodes/__pycache__/kernels").rglob("*.nbc"))
    one.write_bytes(one.read_bytes()[:1000])
    garbled = other.read_bytes()
    other.write_bytes(garbled[:200] + bytes([garbled[200] ^ 1]) + garbled[201:])
    assert python(house, COUNT) == "12.0 3.0 2"
    assert python(house, COUNT) == "12.0 3.0 0"


def test_each_kind_of_arguments_has_a_file_of_its_own_so_that_no_writer_touches_another_s(house: Path) -> None:
    assert python(house, "from nodes.own.other import twice; print(twice(1.5), twice(2), twice(True))") == "3.0 4.0 2.0"
    assert len(list((house / "nodes/__pycache__/kernels").rglob("twice*.nbc"))) == 3
    assert not list((house / "nodes/__pycache__/kernels").rglob("*.part"))


def test_where_the_program_s_folder_cannot_be_written_the_person_s_takes_it_and_else_nothing_is_kept(
    house: Path,
) -> None:
    (house / "nodes/__pycache__").mkdir(exist_ok=True)
    (house / "nodes/__pycache__/kernels").write_text("a file in the way")
    assert python(house, COUNT) == "12.0 3.0 2"
    assert len(list((house / "home/kernels").rglob("*.nbc"))) == 2
    assert python(house, COUNT) == "12.0 3.0 0"
    (house / "file").touch()
    assert python(house, COUNT, POLYLOOM_HOME=str(house / "file")) == "12.0 3.0 2"

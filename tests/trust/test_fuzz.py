"""A few thousand strange files for every reader; ``tests/trust/fuzz.py`` runs as many as one likes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import case
from fuzz_seeds import seeds

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "graph",
    "obj",
    "mtl",
    "ply",
    "stl",
    "off",
    "glb",
    "gltf",
    "png",
    "jpg",
    "webp",
    "bmp",
    "tiff",
    "tga",
    "exr",
    "hdr",
    "3mf",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the fuzzer forks")
def test_strange_files_end_in_a_result_or_in_named_words() -> None:
    command = [sys.executable, str(ROOT / "tests" / "trust" / "fuzz.py"), "--cases", "3000", "--seed", "20"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    ends = json.loads(done.stdout[done.stdout.index("{\n") : done.stdout.rindex("}") + 1])
    assert sum(ends.values()) == 3000 and not [name for name in ends if name.endswith("nameless")]
    assert {name.partition(" ")[0] for name in ends} == {*KINDS, "embedded"}
    assert all(ends.get(f"{kind} read", 0) > 10 for kind in KINDS), "the strange files are too strange to get far"


def test_a_case_is_the_same_whatever_came_before() -> None:
    kinds = seeds()
    later = [case(3, number, kinds) for number in range(600, 0, -1)]
    assert [case(3, number, seeds()) for number in (1, 15, 600)] == [later[-1], later[-15], later[0]]

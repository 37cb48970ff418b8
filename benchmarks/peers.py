"""Ask a program under another licence to do the same work: see :mod:`peer_tools`.

``make peers`` brings them, into an environment that the program itself never uses: Blender and MeshLab are under the
GPL. Without it the benchmarks beside them skip.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PYTHON = Path(__file__).resolve().parents[1] / ".tools" / "peers" / "bin" / "python"
LIMIT_S = 600


def ask(task: str, **given: Any) -> dict[str, Any]:
    """The arrays made, and ``seconds`` (wall) and ``cpu`` of the work alone. Skips where the peers are not there."""
    if not PYTHON.exists():
        pytest.skip("'make peers' brings Blender and MeshLab to compare with")
    with tempfile.TemporaryDirectory() as folder:
        source, goal = Path(folder) / "given.npz", Path(folder) / "made.npz"
        np.savez(source, **given)
        tool = Path(__file__).with_name("peer_tools.py")
        subprocess.run(
            [PYTHON, tool, task, source, goal], check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL, cwd=folder
        )
        with np.load(goal) as file:
            return dict(file)


def note_time(benchmark: Any, made: dict[str, Any]) -> None:
    """A peer's own clock under ``seconds`` and ``cpu_s``: the row's time also holds the start of its process."""
    benchmark.extra_info.update(seconds=round(float(made["seconds"]), 3), cpu_s=round(float(made["cpu"]), 3))

"""Compile the numeric kernels once, by running the starter graph on a small picture; they are cached beside the code.

Set-up calls this, so that the first run of a person's own photograph does not wait for a compiler.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.report import RunReport
from app.engine.script import run_and_wait

STARTER = ROOT / "resources" / "examples" / "starter.graph"


def main() -> int:
    """0 when the starter ran."""
    graph = read(STARTER)
    report = RunReport(graph)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run_and_wait(Setup(place / "store", device="cpu"), graph, STARTER.parent, place / "out", None, report)
    return 0 if report.status == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())

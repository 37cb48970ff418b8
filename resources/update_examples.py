"""Write every example anew as today's nodes write it: run this after a node got a new version or parameter.

The graph on ``docs/graph-file.md`` follows, too. Look at the difference before you keep it: where a new version gives
another result, the example must still do what its description says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    from app.engine.graph_file import dumps, loads
    from app.engine.migrations import adopt
    from app.engine.registry import discover

    registry = discover(("nodes",))
    for path in sorted((ROOT / "resources" / "examples").glob("*.graph")):
        _rewrite(path, lambda text: dumps(adopt(loads(text), registry)))
    shown = re.compile(r"(?<=^```json\n).*?(?=^```)", re.S | re.M)
    page = ROOT / "docs" / "graph-file.md"
    _rewrite(page, lambda text: shown.sub(lambda found: dumps(adopt(loads(found[0]), registry)), text, count=1))


def _rewrite(path: Path, change) -> None:
    text = path.read_text("utf-8")
    if change(text) != text:
        path.write_text(change(text), "utf-8")
        print(path.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main()

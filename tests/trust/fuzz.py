"""Feed strange files to every reader: ``python tests/trust/fuzz.py --cases 100000 --seed 1``.

Cases run in a child process with a memory limit. Each must end in time, with a result or with a named error; anything
else (another exception, no end, a dead process) is a finding: its file is kept, and the exit status is 1.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trust"), str(ROOT / "tests" / "nodes")]

from fuzz_mutate import mutate  # noqa: E402
from fuzz_seeds import companions, seeds  # noqa: E402

from app.engine import EngineError, Run  # noqa: E402
from app.engine.embedded import read_graph_text  # noqa: E402
from app.engine.graph_file import dumps, read  # noqa: E402
from app.engine.migrations import adopt  # noqa: E402
from app.engine.plan import make_plan  # noqa: E402
from app.engine.registry import discover  # noqa: E402
from app.engine.store import Store  # noqa: E402
from nodes.io.load_image import load_image  # noqa: E402
from nodes.io.load_mesh import load_mesh  # noqa: E402

CASE_S = 20.0
MEMORY = 3 << 30
Findings = list[dict[str, object]]


class Readers:
    """What opens each kind of file, in one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = discover((), (ROOT / "tests" / "toys",))
        self.store = Store(folder / "store")
        companions(folder)

    def open(self, kind: str, data: bytes) -> None:
        special: dict[str, Callable[[bytes], None]] = {"graph": self._graph, "mtl": self._mtl, "embedded": self._inside}
        if kind in special:
            special[kind](data)
            return
        path = self.folder / f"case.{kind}"
        path.write_bytes(data)
        (load_mesh if kind in ("obj", "ply", "stl", "off", "glb", "gltf", "3mf") else load_image)(Run(), path)

    def _graph(self, data: bytes) -> None:
        path = self.folder / "case.graph"
        path.write_bytes(data)
        graph = adopt(read(path), self.registry)
        with self._no_excuse():
            dumps(graph)
            graph.fresh_id()
            make_plan(graph, self.registry, self.store, self.folder)

    def _mtl(self, data: bytes) -> None:
        (self.folder / "case.mtl").write_bytes(data)
        path = self.folder / "with.obj"
        path.write_bytes(b"mtllib case.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl one\nf 1/1 2/1 3/1\n"
                         b"usemtl two\nf 3/1 2/1 1/1\n")  # fmt: skip
        load_mesh(Run(), path)

    def _inside(self, data: bytes) -> None:
        path = self.folder / "case.bin"
        path.write_bytes(data)
        with self._no_excuse():
            read_graph_text(path)

    @contextlib.contextmanager
    def _no_excuse(self):  # type: ignore[no-untyped-def]
        """What is read already must not raise even a named error."""
        try:
            yield
        except EngineError as error:
            raise AssertionError(f"{error.kind}: {error.message}") from error


def case(seed: int, number: int, kinds: dict[str, list[bytes]]) -> tuple[str, bytes]:
    rng = Random(f"{seed}/{number}")
    kind = list(kinds)[number % len(kinds)]
    return kind, mutate(kind, rng, kinds[kind])


def serve(first: int, last: int, seed: int, shared: mmap.mmap, out: int, limit: int) -> None:
    """In the child: run cases and tell each finding as a line of JSON. ``shared`` holds the number of the case."""
    if limit and sys.platform == "linux":
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))
    warnings.simplefilter("ignore")
    kinds = seeds()
    with tempfile.TemporaryDirectory(prefix="polyloom-fuzz-") as name, os.fdopen(out, "w") as told:
        readers, ends = Readers(Path(name)), Counter[str]()
        for number in range(first, last):
            shared[:8] = number.to_bytes(8, "little")
            kind, data = case(seed, number, kinds)
            try:
                readers.open(kind, data)
                ends[kind + " read"] += 1
            except EngineError as error:
                ends[kind + (" refused" if error.message and error.kind != "error" else " nameless")] += 1
            except BaseException:
                told.write(json.dumps({"case": number, "kind": kind, "error": traceback.format_exc()}) + "\n")
                told.flush()
        told.write(json.dumps({"ends": ends}) + "\n")
        readers.store.close()


def fuzz(
    cases: int, seed: int = 0, start: int = 0, limit: int = MEMORY
) -> tuple[Counter[str], list[dict[str, object]]]:
    """(how the cases ended, findings). A child that hangs or dies costs its case; the next one goes on behind it."""
    ends, findings = Counter[str](), Findings()
    shared, last = mmap.mmap(-1, 8), start + cases
    while start < last:
        shared[:8] = start.to_bytes(8, "little")
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            try:
                serve(start, last, seed, shared, write_end, limit)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            os._exit(99)
        os.close(write_end)
        hung, status = _watch(pid, shared)
        with os.fdopen(read_end) as lines:
            for line in map(json.loads, lines):
                ends.update(line.get("ends", {}))
                findings += [line] if "case" in line else []
        start = int.from_bytes(shared[:8], "little") + 1
        if hung or status:
            why = f"no end after {CASE_S:g} s" if hung else f"the process ended with status {status}"
            findings.append({"case": start - 1, "kind": case(seed, start - 1, seeds())[0], "error": why})
    return ends, findings


def _watch(pid: int, shared: mmap.mmap) -> tuple[bool, int]:
    """(whether it hung, its exit status)."""
    number, since = b"", time.monotonic()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return False, status
        if shared[:8] != number:
            number, since = shared[:8], time.monotonic()
        elif time.monotonic() - since > CASE_S:
            os.kill(pid, signal.SIGKILL)
            return True, os.waitpid(pid, 0)[1]
        time.sleep(0.02)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder for the files of findings")
    options = parser.parse_args()
    begun = time.monotonic()
    ends, findings = fuzz(options.cases, options.seed, options.start)
    for found in findings:
        print(f"case {found['case']} ({found['kind']}):\n{found['error']}")
        if options.show:
            options.show.mkdir(parents=True, exist_ok=True)
            kind, data = case(options.seed, int(str(found["case"])), seeds())
            (options.show / f"{found['case']}.{kind}").write_bytes(data)
    print(json.dumps(dict(sorted(ends.items())), indent=1))
    print(f"{options.cases:,} cases, {len(findings)} findings, {time.monotonic() - begun:.0f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

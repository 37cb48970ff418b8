"""Write ``nodes/kernels.txt`` anew: which loops the nodes call, with which kinds of arguments.

Run this after adding or changing compiled loops. Every example runs here in small, then every node on meshes, pictures
and points of the kinds that matter, with each of its choices. The loops are compiled and kept on the way, so that a
second run takes a fraction of the first. With node types as arguments, only these are tried, and what they call is
added: ``resources/update_kernels.py mesh.decimate mesh.lod_chain``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "nodes"), str(ROOT / "tests" / "engine")]

from numba.core import event

from app.engine.errors import EngineError
from app.engine.executor import call_here
from app.engine.graph_file import read
from app.engine.graph_thread import Setup
from app.engine.params import Choice, Toggle
from app.engine.payloads import Mesh
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.run import Run
from app.engine.script import run_and_wait
from app.engine.spec import NodeSpec
from nodes.mesh._kept import Kept
from nodes.mesh._kinds import written
from nodes.preparation import TABLE, Loop, exists, text_of
from nodes.preparation import read as read_table
from resources.warm_up import EXAMPLES, STARTER, alone, small

NODE_S = 6.0
AGAIN = 3
LARGE = ("mesh.decimate", "mesh.lod_chain", "mesh.analyse", "mesh.repair")


class Asked(event.Listener):
    """Which loops Python code of this process calls, with which kinds of arguments, in order; loops that are compiled
    because others call them do not count. ``compiled``: how many were not kept yet. Use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.loops: dict[Loop, None] = {}
        self.compiled = self._depth = 0

    def __enter__(self) -> Asked:
        event.register("numba:compile", self)
        self._load = load = Kept.load_overload

        def asked(kept: Kept, kinds: Any, target: Any) -> Any:
            if not self._depth:
                self.loops[Loop(kept.module, kept.name, tuple(map(written, kinds)))] = None
            return load(kept, kinds, target)

        Kept.load_overload = asked
        return self

    def __exit__(self, *_: object) -> None:
        Kept.load_overload = self._load
        event.unregister("numba:compile", self)

    def on_start(self, event: object) -> None:
        self._depth += 1
        self.compiled += 1

    def on_end(self, event: object) -> None:
        self._depth -= 1


def run_examples(registry: Registry) -> None:
    others = [path for path in sorted(EXAMPLES.glob("*.graph")) if path != STARTER and alone(read(path), registry)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for path in (STARTER, *others):
            graph, began = small(read(path)), time.process_time()
            report = RunReport(graph)
            setup = Setup(place / "store", device="cpu")
            run_and_wait(setup, graph, path.parent, place / path.stem, None, report, in_process=True, strict=False)
            print(f"{path.stem}: {report.status}, {time.process_time() - began:.1f} s", flush=True)


def run_nodes(registry: Registry, only: Sequence[str] = ()) -> None:
    """Each node as the checks over all nodes call it, and then with other choices and other kinds of meshes."""
    from test_all_nodes import arguments_for, input_files

    with tempfile.TemporaryDirectory() as folder:
        files = input_files(Path(folder))
        for spec in (registry[type] for type in only or registry):
            began = time.process_time()
            for arguments in variants(spec, arguments_for(spec, files)):
                with suppress(EngineError):
                    call_here(spec, arguments, Run(wanted_device="cpu"))
                if time.process_time() - began > NODE_S:
                    print(f"{spec.id}: not every choice was tried", flush=True)
                    break


def variants(spec: NodeSpec, usual: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield usual
    for mesh in meshes() if any(isinstance(value, Mesh) for value in usual.values()) else ():
        yield {name: mesh if isinstance(value, Mesh) else value for name, value in usual.items()}
    for param in spec.params:
        values: list[Any] = []
        if isinstance(param.setting, Choice):
            values = [option for option in param.setting.options if option != param.default]
        elif isinstance(param.setting, Toggle):
            values = [not param.default]
        for value in values:
            yield {**usual, param.name: value}
    from test_all_nodes import sample

    opened = {socket.name: sample(socket.type) for socket in spec.inputs if socket.optional}
    for name, payload in opened.items():
        yield {**usual, name: payload}


def meshes() -> list[Mesh]:
    """Bare; with UVs alone; with colours and groups; with flat shading."""
    import numpy as np
    from test_all_nodes import ball

    full = ball()
    bare = Mesh.of(full.vertices, full.faces)
    colours = np.random.default_rng(3).random((len(full.vertices), 4)).astype(np.float32)
    groups = (np.arange(len(full.faces)) % 3).astype(np.int32)
    coloured = replace(bare, colours=colours, face_groups=groups)
    return [bare, replace(bare, uv=full.uv), coloured, replace(full, colours=colours, face_groups=groups)]


def run_large(registry: Registry, only: Sequence[str] = ()) -> None:
    """What goes another way when there is much to do."""
    full = registry["mesh.torus"].call(segments=480, sides=480)
    bare = Mesh.of(full.vertices, full.faces)
    for type in LARGE:
        for mesh in (full, bare) if not only or type in only else ():
            call_here(registry[type], {"mesh": mesh}, Run(wanted_device="cpu"))


def main() -> int:
    registry = discover(("nodes",))
    began = time.process_time()
    only = sys.argv[1:]
    with Asked() as asked:
        if not only:
            run_examples(registry)
        run_nodes(registry, only)
        run_large(registry, only)
    print(f"{len(asked.loops)} loops, {asked.compiled} compiled, {time.process_time() - began:.0f} s", flush=True)
    again = int(os.environ.get("AGAIN", AGAIN))
    if asked.compiled and again:
        return subprocess.run([sys.executable, __file__, *only], env={**os.environ, "AGAIN": str(again - 1)}).returncode
    before = [loop for loop in read_table() if exists(loop)] if only else []
    TABLE.write_text(text_of(dict.fromkeys([*before, *asked.loops])), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

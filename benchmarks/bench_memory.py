"""How much memory mesh nodes need for a mesh of 1,111,216 triangles with five holes, and how long they take.

pytest benchmarks/bench_memory.py --benchmark-columns=min

Columns: ``megabytes``: the highest memory use of arrays above the start, ``times``: the same in times the 20 MB that
the mesh takes. All settings as the nodes have them at first; loops are compiled before the clock starts.
"""

from __future__ import annotations

from typing import Any

import pytest
from bench_reduce import MESHES, bunny, peak

from app.engine import Run
from app.engine.registry import discover

NODES = (
    "mesh.analyse",
    "mesh.bend",
    "mesh.decimate",
    "mesh.denoise",
    "mesh.displace",
    "mesh.lod_chain",
    "mesh.mirror",
    "mesh.normals",
    "mesh.repair",
    "mesh.set_size",
    "mesh.smooth",
    "mesh.split",
    "mesh.subdivide",
    "mesh.thicken",
    "mesh.transform",
)

pytestmark = [
    pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout"),
    pytest.mark.timeout(0),
]


@pytest.mark.parametrize("node", NODES)
def test_memory(benchmark: Any, node: str) -> None:
    mesh, spec = bunny("1M"), discover(("nodes",))[node]

    def step() -> None:
        spec.call(Run(), mesh) if spec.wants_run else spec.call(mesh)

    step()
    most = peak(step)
    data = mesh.vertices.nbytes + mesh.faces.nbytes
    benchmark.pedantic(step, rounds=2)
    benchmark.extra_info.update(megabytes=most, times=round(most * 1e6 / data, 1))

"""Unwrapping at 10,000 and 100,000 triangles: time, charts, packing, stretch and seams together, beside peers.

``pytest benchmarks/bench_uv.py``. Peers on the same meshes: the xatlas library with its own packing, and Blender's
smart projection (``make peers`` brings it). All pack for 1024 px with 2 px between charts. Loops are compiled
before the clock starts. xatlas alone needs about a minute for 100,000 triangles: it runs once.

Columns: ``charts``; ``coverage`` of the square; ``mirrored`` faces; ``l2`` and ``angles``, stretch and angle error, 1
is none (Sander et al. 2001); ``seams``, length over the root of the area. The time of a node includes its report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_mesh import dense
from peers import ask, note_time

from app.engine import Mesh, Run
from nodes.mesh._flatten import with_uv
from nodes.mesh._measure import charts_of, uv_turns
from nodes.mesh._raster import uv_use
from nodes.mesh._stretch import stretch
from nodes.mesh._uv_report import seam_length
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap_uv

SIZE, PADDING = 1024, 2
BUNNY = Path(__file__).parents[2] / "shared" / "data" / "meshes" / "stanford-bunny.obj"
INPUTS = ["torus 10k", "torus 100k", "bunny 10k", "bunny 70k"]


@cache
def given(name: str) -> Mesh:
    """A closed bumpy torus, or a scan with real inputs beside the checkout."""
    kind, count = name.split()
    if kind == "torus":
        mesh = replace(dense(), colours=None)
    elif BUNNY.exists():
        import trimesh

        shape = trimesh.load(BUNNY, force="mesh", process=True)
        mesh = Mesh.of(shape.vertices, shape.faces)
    else:
        pytest.skip("the scan lies with the real inputs beside the checkout")
    return decimate(Run(), mesh, 10_000) if count == "10k" else mesh


def note(benchmark: Any, mesh: Mesh) -> dict[str, float]:
    assert mesh.uv is not None
    pulled = stretch(mesh.vertices, mesh.uv, mesh.faces)
    coverage, overlap = uv_use(mesh.uv, mesh.faces, 2048)
    facts = {
        "faces": len(mesh.faces),
        "charts": charts_of(mesh)[0],
        "coverage": round(coverage, 3),
        "overlap": round(overlap, 6),
        "mirrored": int((uv_turns(mesh) < 0).sum()),
        "l2": round(pulled.l2, 4),
        "angles": round(pulled.conformal, 4),
        "seams": round(seam_length(mesh) / float(np.sqrt(pulled.area.sum())), 2),
    }
    benchmark.extra_info.update(facts)
    return facts


def timed(benchmark: Any, step: Callable[[], Mesh], rounds: int = 3) -> dict[str, float]:
    return note(benchmark, benchmark.pedantic(step, rounds=rounds, warmup_rounds=1 if rounds > 1 else 0))


@pytest.mark.parametrize("name", INPUTS)
def test_fast(benchmark: Any, name: str) -> None:
    mesh = given(name)
    facts = timed(benchmark, lambda: unwrap_uv(Run(), mesh, SIZE, PADDING, "fast").out, rounds=5)
    assert facts["mirrored"] == 0 and facts["overlap"] == 0 and facts["charts"] <= 1_500


@pytest.mark.parametrize("name", INPUTS)
def test_box(benchmark: Any, name: str) -> None:
    mesh = given(name)
    facts = timed(benchmark, lambda: unwrap_uv(Run(), mesh, SIZE, PADDING, "box").out)
    assert facts["mirrored"] == 0 and facts["overlap"] == 0


@pytest.mark.parametrize("name", ["torus 10k", "bunny 10k"])
def test_xatlas_with_our_packing(benchmark: Any, name: str) -> None:
    mesh = given(name)
    facts = timed(benchmark, lambda: unwrap_uv(Run(), mesh, SIZE, PADDING, "xatlas").out)
    assert facts["mirrored"] == 0


@pytest.mark.parametrize("safe", [False, True], ids=["default", "not mirrored"])
@pytest.mark.parametrize("name", INPUTS)
def test_peer_xatlas(benchmark: Any, name: str, safe: bool) -> None:
    mesh = given(name)
    if safe and len(mesh.faces) > 20_000:
        pytest.skip("once is enough")
    timed(benchmark, lambda: _xatlas(mesh, safe), rounds=3 if len(mesh.faces) < 20_000 else 1)


def _xatlas(mesh: Mesh, safe: bool) -> Mesh:
    from xatlas import Atlas, ChartOptions, PackOptions

    atlas, charts, packing = Atlas(), ChartOptions(), PackOptions()
    packing.resolution, packing.padding, packing.bilinear = SIZE, PADDING, True
    charts.fix_winding, packing.rotate_charts = safe, not safe
    low, high = mesh.bounds
    atlas.add_mesh((mesh.vertices - low) / (high - low).max(), mesh.faces.astype(np.uint32))
    atlas.generate(charts, packing)
    source, faces, uv = atlas[0]
    return with_uv(mesh, source, faces, uv)


@pytest.mark.parametrize("name", INPUTS)
def test_peer_blender(benchmark: Any, name: str) -> None:
    mesh = given(name)
    work = dict(vertices=mesh.vertices, faces=mesh.faces, margin=PADDING / SIZE)
    made = benchmark.pedantic(lambda: ask("blender_smart_project", **work), rounds=1)
    note_time(benchmark, made)
    corners = np.arange(mesh.faces.size, dtype=np.int32)
    note(benchmark, with_uv(mesh, mesh.faces.ravel(), corners.reshape(-1, 3), made["uv"]))

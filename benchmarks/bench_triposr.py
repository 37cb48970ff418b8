"""Finding TripoSR's surface near itself beside asking every cell, on a body held by planes and a decoder of full size.

pytest benchmarks/bench_triposr.py -s -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,rounds
TRIPOSR_GRID=128 makes it eight times shorter. Target at 256: near is at least 5 times faster than everywhere. Ratios
are told of the clock on the wall and of processor time, which other programs disturb less.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from triposr_body import fitted

from nodes.image_to_3d._triposr import render
from nodes.image_to_3d._triposr.scene import Scene
from nodes.image_to_3d._triposr.surface import COARSE, Space, Surface, everywhere, near

GRID = int(os.environ.get("TRIPOSR_GRID", "256"))
COARSER = {"near": COARSE, "careful": 2 * COARSE}
pytestmark = pytest.mark.timeout(0)


@dataclass
class Taken:
    surface: Surface
    wall: float
    processor: float


def taken(find: Callable[[Space], Surface], scene: Scene, coarse: int = COARSE) -> Taken:
    space = Space(scene.level(25.0), scene.radius, GRID, scene.chunk, coarse=coarse)
    wall, processor = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        found = find(space)
    return Taken(found, time.perf_counter() - wall, time.process_time() - processor)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(*fitted(), 256_000_000)


@pytest.fixture(scope="module")
def whole(scene: Scene) -> Taken:
    return taken(everywhere, scene)


@pytest.mark.parametrize("search", COARSER)
def test_find(benchmark: Any, scene: Scene, whole: Taken, search: str) -> None:
    benchmark.group = f"surface at {GRID}^3"
    part = benchmark.pedantic(taken, (near, scene, COARSER[search]), rounds=1, iterations=1)
    equal = whole.surface.points.shape == part.surface.points.shape
    apart = (whole.surface.points - part.surface.points).abs().max() if equal else torch.tensor(torch.nan)
    benchmark.extra_info |= {
        "everywhere, seconds": round(whole.wall, 1),
        "times faster": round(whole.wall / part.wall, 1),
        "times less processor time": round(whole.processor / part.processor, 1),
        "times fewer points": round(whole.surface.asked / part.surface.asked, 1),
        "triangles": [len(whole.surface.faces), len(part.surface.faces)],
        "furthest apart, cells": float(apart) * GRID / (2 * scene.radius),
    }
    print(search, benchmark.extra_info)


def test_a_view(benchmark: Any, scene: Scene) -> None:
    """One picture of 128 x 128 from the front: 128 points along each ray that meets the cube."""
    rays = [part.reshape(-1, 3) for part in render.cameras(1, 128).rays(0)]
    benchmark.group = "view"
    benchmark.pedantic(render.gather, (scene.shade, *rays, scene.radius, 128, scene.chunk), rounds=1, iterations=1)

"""TripoSR at full size with random weights on a GPU: picture to planes, and 256^3 extraction, in 32 and 16 bits.

``python benchmarks/gpu_triposr.py [--device cuda] [--grid 256] [--rounds 5] [--out FILE.json]``; ``--tiny`` tries
the script itself, on any machine. Needs torch, transformers, diffusers and numpy, and nothing else of this project's
dependencies. The surface is that of a body fitted in place, because a random field has no object in it.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
try:
    import app.engine
except ImportError:  # psutil, which the engine asks for memory sizes only; nothing here does
    sys.modules["psutil"] = types.ModuleType("psutil")
    import app.engine  # noqa: F401

    del sys.modules["psutil"]

import torch
from triposr_body import SIZES, fitted

from nodes.image_to_3d._triposr import render
from nodes.image_to_3d._triposr.config import Config
from nodes.image_to_3d._triposr.network import TripoSR
from nodes.image_to_3d._triposr.scene import Scene
from nodes.image_to_3d._triposr.surface import Space, everywhere, near

BUDGET = 256_000_000


def timed(act: Callable[[], Any], device: str, rounds: int) -> dict[str, Any]:
    """Median and best seconds after one warm-up, and the most device memory held at once, over what was there."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    act()
    wait()
    before = 0
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        wait()
        seconds.append(time.perf_counter() - start)
    found: dict[str, Any] = {"median_s": round(median(seconds), 5), "best_s": round(min(seconds), 5)}
    if device == "cuda":
        found["above_weights_gb"] = round((torch.cuda.max_memory_allocated() - before) / 1e9, 3)
        found["weights_gb"] = round(before / 1e9, 3)
    return found


def looking(config: Config, device: str, rounds: int) -> dict[str, Any]:
    """Picture to planes, and how far 16 bits are from 32."""
    torch.manual_seed(0)
    with torch.device(device):
        network = TripoSR(config).eval().requires_grad_(False)
    picture = torch.rand(config.picture, config.picture, 3, generator=torch.Generator().manual_seed(0))
    found: dict[str, Any] = {}
    full = network.planes(picture).float()
    found["32 bits"] = timed(lambda: network.planes(picture), device, rounds)
    if device == "cuda":
        network.half()
        found["16 bits"] = timed(lambda: network.planes(picture), device, rounds)
        gap = (network.planes(picture).float() - full).norm() / full.norm()
        found["relative difference of 16 bits"] = float(gap)
    return found


def extracting(device: str, grid: int, rounds: int) -> dict[str, Any]:
    """The surface of the fitted body, everywhere and near, and one view of it."""
    network, planes = fitted(device=device)
    found: dict[str, Any] = {}
    for bits in (32, 16) if device == "cuda" else (32,):
        if bits == 16:
            network.half()
        scene = Scene(network, planes.to(network.decoder.layers[0].weight.dtype), BUDGET)
        space = Space(scene.level(25.0), scene.radius, grid, scene.chunk, scene.workplace)
        whole, part = everywhere(space), near(space)
        rows: dict[str, Any] = {
            "everywhere": timed(lambda s=space: everywhere(s), device, rounds),
            "near": timed(lambda s=space: near(s), device, rounds),
            "triangles": [len(whole.faces), len(part.faces)],
            "points asked": [whole.asked, part.asked],
        }
        if whole.points.shape == part.points.shape:
            rows["furthest apart, cells"] = float((whole.points - part.points).abs().max()) * grid / 2 / scene.radius
        rays = [line.reshape(-1, 3) for line in render.cameras(1, 128).rays(0)]
        rows["view 128 px"] = timed(
            lambda s=scene, r=rays: render.gather(s.shade, *r, s.radius, 128, s.chunk), device, rounds
        )
        found[f"{bits} bits"] = rows
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--grid", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    config = SIZES if given.tiny else Config()
    grid, rounds = (128, 1) if given.tiny else (given.grid, given.rounds)
    name = torch.cuda.get_device_name() if given.device == "cuda" else platform.processor() or platform.machine()
    found: dict[str, Any] = {"device": name, "torch": torch.__version__, "grid": grid, "tiny": given.tiny}
    with torch.inference_mode():
        found["picture to planes"] = looking(config, given.device, rounds)
        print(json.dumps(found, indent=1), flush=True)
    found["surface"] = extracting(given.device, grid, rounds)
    print(json.dumps(found, indent=1), flush=True)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

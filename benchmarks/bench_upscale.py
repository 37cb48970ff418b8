"""Upscaling in tiles beside the entire picture at once, with an untrained network of the size of animevideov3.

pytest benchmarks/bench_upscale.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,min,rounds
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nodes.image import _upscale_model as network

SIDE = 384


@pytest.fixture(scope="module")
def model() -> Any:
    from spandrel import ModelLoader
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(0)
    net = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=64, num_conv=16, upscale=4, act_type="prelu")
    return ModelLoader().load_from_state_dict(net.state_dict()).eval()


@pytest.mark.parametrize("tile", [SIDE, 256, 128, 64])
def test_enlarge(benchmark, model, tile):
    """A whole picture is one tile of its own size. The margin of 32 pixels on each side is the cost of tiles."""
    benchmark.group = f"{SIDE} x {SIDE} to {SIDE * 4} x {SIDE * 4}"
    pixels = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    benchmark.pedantic(network.enlarge, (model, pixels, tile, lambda _: None), rounds=3, iterations=1)

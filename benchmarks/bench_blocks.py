"""Block compression of 1024 x 1024 textures: ours beside etcpak on the same picture, with the quality of both.

pytest benchmarks/bench_blocks.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=min,median,rounds
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine import Image
from nodes.texture import _bc1, _bc7, _blocks

SIZE = 1024
OURS = {"BC7": _bc7.encode, "BC1": _bc1.encode_bc1, "BC3": _bc1.encode_bc3, "BC5": _bc1.encode_bc5}


def noise(octaves: int, seed: int) -> np.ndarray:
    rng, total = np.random.default_rng(seed), np.zeros((SIZE, SIZE))
    for octave in range(octaves):
        grid = rng.normal(size=(4 << octave, 4 << octave)).astype(np.float32)
        total += np.asarray(Pictures.fromarray(grid).resize((SIZE, SIZE), Pictures.Resampling.BICUBIC)) / 1.7**octave
    return total


@pytest.fixture(scope="module", params=["opaque", "with alpha"])
def levels(request) -> np.ndarray:
    """Broad colours with grain; where asked for, a transparency of its own."""
    colours = np.dstack([noise(4, s) * 40 + 110 for s in (1, 2, 3)]) + noise(8, 4)[..., None] * 14
    alpha = noise(6, 5) * 60 + 128 if request.param == "with alpha" else np.full((SIZE, SIZE), 255)
    return np.dstack([colours, alpha]).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("who", ["polyloom", "etcpak"])
@pytest.mark.parametrize("form", ["BC7", "BC1", "BC3", "BC5"])
def test_encode(benchmark, levels, form, who):
    etcpak = pytest.importorskip("etcpak")
    seen = levels[..., 3].min() < 255
    benchmark.group = f"{form} {'with alpha' if seen else 'opaque'}"
    extra = (None,) if form == "BC7" else ()
    theirs, raw = getattr(etcpak, f"compress_{form.lower()}"), levels.tobytes()
    encode = (lambda: theirs(raw, SIZE, SIZE, *extra)) if who == "etcpak" else (lambda: OURS[form](levels))
    encode()
    data = benchmark.pedantic(encode, rounds=3 if who == "etcpak" else 7)
    after = _blocks.decoded(_blocks.Blocks(form, False, (SIZE, SIZE), (bytes(data),)), "colour")
    channels = {"BC1": 3, "BC5": 2}.get(form, 4)
    off = (after.pixels - Image.of(levels).pixels)[..., :channels].astype(np.float64)
    benchmark.extra_info["dB"] = round(float(10 * np.log10(1 / (off**2).mean())), 2)
    benchmark.extra_info["Mpix/s"] = round(SIZE * SIZE / benchmark.stats.stats.min / 1e6, 1)

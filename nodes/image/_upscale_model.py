"""Super-resolution networks: the published Real-ESRGAN files, safe loading, and running one in tiles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, BadInput, WeightCard, WeightFile, read_tensors, table

Float32 = NDArray[np.float32]
RELEASES = "https://github.com/xinntao/Real-ESRGAN/releases/download/"
ALIGN = 8
BLEND = 8
MOST_REACH = 40
TILES = (64, 96, 128, 192, 256, 384, 512, 768, 1024)
USUAL_TILE = 256
GHOST, HELD, FALLBACK_CHANNELS = 64, 2, 128


def _card(role: str, release: str, file: str, size: int, sha256: str, title: str, memory_gb: float) -> WeightCard:
    return WeightCard(
        "xinntao/Real-ESRGAN", release, (WeightFile(file, size, sha256),), "BSD-3-Clause", "BSD-3-Clause", memory_gb,
        name=f"realesrgan-{role}", title=f"Real-ESRGAN {title}", url=RELEASES + release, role=role,
    )  # fmt: skip


CARDS = (
    _card(
        "x4plus", "v0.1.0", "RealESRGAN_x4plus.pth", 67_040_989,
        "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1", "x4plus, photographs", 1.5,
    ),
    _card(
        "x4plus-anime", "v0.2.2.4", "RealESRGAN_x4plus_anime_6B.pth", 17_938_799,
        "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da", "x4plus anime, drawings", 1.2,
    ),
    _card(
        "x2plus", "v0.2.1", "RealESRGAN_x2plus.pth", 67_061_725,
        "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb", "x2plus, photographs", 1.0,
    ),
    _card(
        "animevideov3", "v0.2.5.0", "realesr-animevideov3.pth", 2_504_012,
        "b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d", "animevideov3, drawings, quick", 0.5,
    ),
    _card(
        "general-x4v3", "v0.2.5.0", "realesr-general-x4v3.pth", 4_885_111,
        "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292", "general x4v3, everything, quick", 0.5,
    ),
)  # fmt: skip


def load(path: Path, device: str, half: bool) -> Any:
    """A spandrel image model in evaluation mode. Nothing that a file contains is ever executed.

    Raises :class:`BadFile` when it is no weights-only checkpoint or safetensors file, or no network that enlarges
    three-channel pictures.
    """
    import torch
    from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError

    tensors = table(read_tensors(path), prefixes=("module.", "netG."), label=path.name)
    try:
        model = ModelLoader().load_from_state_dict(tensors)
    except (UnsupportedModelError, RuntimeError, KeyError, ValueError, TypeError, IndexError) as error:
        raise BadFile(
            f"{path.name} does not hold a known super-resolution network.",
            "Use a file of Real-ESRGAN or of a relative that spandrel knows.",
        ) from error
    if not isinstance(model, ImageModelDescriptor) or (model.input_channels, model.output_channels) != (3, 3):
        raise BadFile(f"{path.name} does not work on colour pictures.", "Use a network with three channels.")
    reduced = torch.float16 if half and model.supports_half else torch.float32
    return model.eval().to(device, reduced)


def margin_of(model: Any) -> int:
    """Pixels that a tile needs around itself: as far as a chain of convolutions sees, plus half a blend, aligned.

    Deep residual networks see further than that; what lies beyond adds too little to tell.
    """
    import torch

    chain = [part for part in model.model.modules() if isinstance(part, torch.nn.Conv2d)]
    reach = min(sum(int(part.kernel_size[0] - 1) // 2 for part in chain), MOST_REACH)
    return math.ceil((reach + BLEND) / ALIGN) * ALIGN


def tile_for(model: Any, free_gb: float | None) -> int:
    """The largest tile, with its margin, for which half of the free memory of the model's device is enough.

    ``free_gb``: None where it is not known. On the CPU at most 256 pixels: larger ones gain little there, and Cancel
    acts between tiles.
    """
    if free_gb is None:
        return USUAL_TILE
    margin, cost = margin_of(model), pixel_bytes(model)
    fitting = [tile for tile in TILES if (tile + 2 * margin) ** 2 * cost <= free_gb * 1e9 / 2]
    found = max(fitting, default=TILES[0])
    return min(found, USUAL_TILE) if model.device.type == "cpu" else found


def pixel_bytes(model: Any) -> float:
    """Memory that one pixel takes at the widest place of a network: what goes in and out there, held twice.

    Found by sending a picture without values through the network.
    """
    import copy

    import torch

    widest = 0

    def seen(_: Any, given: Any, out: Any) -> None:
        nonlocal widest
        widest = max(widest, sum(t.numel() for t in (*given, out) if isinstance(t, torch.Tensor)))

    ghost = copy.deepcopy(model.model).to("meta")
    for part in ghost.modules():
        part.register_forward_hook(seen)
    try:
        with torch.inference_mode():
            ghost(torch.empty(1, 3, GHOST, GHOST, device="meta", dtype=model.dtype))
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        widest = FALLBACK_CHANNELS * int(model.scale) ** 2 * GHOST**2
    return float(HELD * widest / GHOST**2 * model.dtype.itemsize)


def enlarge(model: Any, pixels: Float32, tile: int, told: Callable[[float], None]) -> Float32:
    """(H, W, 3) of 0..1 to (H * s, W * s, 3) of 0..1, in tiles of ``tile`` pixels plus a margin, cross-faded.

    ``told``: called before each tile with the fraction that is done.
    """
    height, width = pixels.shape[:2]
    margin, scale = margin_of(model), int(model.scale)
    rows, columns = cuts(height, tile), cuts(width, tile)
    result = np.zeros((height * scale, width * scale, 3), np.float32)
    places = [(row, column) for row in rows for column in columns]
    for done, ((top, bottom), (left, right)) in enumerate(places):
        told(done / len(places))
        y0, y1 = max(top - margin, 0), min(bottom + margin, height)
        x0, x1 = max(left - margin, 0), min(right + margin, width)
        part = _call(model, pixels[y0:y1, x0:x1])
        down, across = (fade(y0, y1, top, bottom, height, scale), fade(x0, x1, left, right, width, scale))
        part *= down[:, None, None] * across[None, :, None]
        result[y0 * scale : y1 * scale, x0 * scale : x1 * scale] += part
    return np.clip(result, 0, 1)


def cuts(length: int, tile: int) -> list[tuple[int, int]]:
    """Nearly equal stretches of at most about ``tile`` pixels that cover 0..length, cut at multiples of eight."""
    count = math.ceil(length / tile)
    edges = [0, *(round(i * length / count / ALIGN) * ALIGN for i in range(1, count)), length]
    return list(itertools.pairwise(edges))


def fade(start: int, end: int, first: int, last: int, length: int, scale: int) -> Float32:
    """Weights of the enlarged pixels start..end: 1 inside first..last, over its ends a ramp of 2 * BLEND pixels.

    The ramps of neighbours add up to 1; at the border of the picture there is none.
    """
    at = start + (np.arange((end - start) * scale, dtype=np.float32) + 0.5) / scale
    rise = np.ones_like(at) if first == 0 else np.clip((at - first) / (2 * BLEND) + 0.5, 0, 1)
    fall = np.ones_like(at) if last == length else np.clip((last - at) / (2 * BLEND) + 0.5, 0, 1)
    return np.asarray(rise * fall, np.float32)


def _call(model: Any, pixels: Float32) -> Float32:
    import torch

    inside = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None])
    with torch.inference_mode():
        out = model(inside.to(model.device, model.dtype))[0].float().cpu()
    result = np.ascontiguousarray(out.permute(1, 2, 0).numpy())
    if not np.isfinite(result).all():
        raise BadInput("The network gave values that are not numbers.", "Switch half precision off.")
    return result

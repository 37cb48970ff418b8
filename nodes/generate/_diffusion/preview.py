"""What the picture would be, shown while it is made, for a small share of the time.

Two ways: a tiny decoder (TAESD, TAESDXL by Ollin Boer Bohan) where its file is here, or a linear map from the four
channels of the latents to colours, which shows rough colours at an eighth of the size and costs next to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, MissingWeights, Run, read_tensors
from app.engine.weight_files import path_of
from nodes.generate._diffusion.build import build
from nodes.generate._diffusion.cards import PREVIEWS
from nodes.generate._diffusion.facts import FAMILIES, FamilyName

Float32 = NDArray[np.float32]
Kind = Literal["auto", "rough", "off"]
SHARE = 0.02
ENLARGED = 4
ON_GPU = ("cuda", "mps")


class Preview:
    """Shows estimates of the finished latents: at most as often as the run lets through, and never for more than two
    hundredths of the time since the work began (the first one excepted).

    ``decoder``: an AutoencoderTiny, or None for the linear map. ``spent``: seconds, ``shown``: how many.
    """

    def __init__(self, run: Run, family: FamilyName, decoder: Any = None) -> None:
        self._run, self._family, self._decoder = run, family, decoder
        self._began = time.perf_counter()
        self.spent, self.shown = 0.0, 0

    def due(self) -> bool:
        elapsed = time.perf_counter() - self._began
        return self._run.preview_due and self.spent <= SHARE * elapsed + 1e-9

    def show(self, latents: Any) -> None:
        """(B, 4, h, w): the first of the batch."""
        if not self.due():
            return
        _settle(latents.device.type)
        start = time.perf_counter()
        one = latents[:1]
        pixels = self._fine(one) if self._decoder is not None else rough(one, self._family)
        self._run.preview(Image.of(pixels))
        self.spent += time.perf_counter() - start
        self.shown += 1

    def _fine(self, latents: Any) -> Float32:
        import torch

        with torch.inference_mode():
            out = self._decoder.decode(latents.to(self._decoder.device, self._decoder.dtype)).sample[0]
            pixels = (out.float() * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
        return np.asarray(np.nan_to_num(pixels), np.float32)


def rough(latents: Any, family: FamilyName) -> Float32:
    """(1, 4, h, w) to (4h, 4w, 3) of 0..1 by the family's linear map, on the device of the latents."""
    import torch

    facts = FAMILIES[family]
    with torch.inference_mode():
        mix = torch.tensor(facts.rgb, device=latents.device).T[..., None, None]
        base = torch.tensor(facts.base, device=latents.device)
        colours = torch.nn.functional.conv2d(latents.float(), mix, base)
        large = torch.nn.functional.interpolate(colours, scale_factor=ENLARGED, mode="bilinear")
        found = large[0].nan_to_num().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(found, np.float32)


@contextmanager
def preview_of(run: Run, kind: Kind, family: FamilyName, device: str, dtype: Any) -> Iterator[Preview | None]:
    """``auto``: the tiny decoder on a GPU where its file is here, else the linear map."""
    if kind == "off":
        yield None
        return
    card = PREVIEWS["SDXL" if family == "SDXL" else "SD"]
    try:
        path = path_of(card, card.files[0].name) if kind == "auto" and device in ON_GPU else None
    except MissingWeights:
        path = None
    if path is None:
        yield Preview(run, family)
        return

    def load() -> Any:
        decoder = build("AutoencoderTiny", {}, read_tensors(path), path.name, dtype, device)
        _wake(decoder, device, dtype)
        return decoder

    with run.models.use(f"preview {card.handle} {card.revision} {device} {dtype}", load, 0.02, run.check) as decoder:
        yield Preview(run, family, decoder)


def _wake(decoder: Any, device: str, dtype: Any) -> None:
    """One small picture, so that the first preview does not pay for what a GPU does only once."""
    import torch

    with torch.inference_mode():
        decoder.decode(torch.zeros(1, 4, 8, 8, device=device, dtype=dtype))


def _settle(device: str) -> None:
    """Wait for what was already asked of a GPU, so that it is not counted as the preview's time."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()

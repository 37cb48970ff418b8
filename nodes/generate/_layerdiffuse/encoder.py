"""A transparent picture as latents: those of the picture on grey, moved by an offset that tells the transparency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch  # noqa: TID253
from torch import nn  # noqa: TID253

from app.engine import BadFile

STRIDES = (1, 1, 2, 1, 2, 1, 2, 1, 1)
GAIN = 300.0


class OffsetEncoder(nn.Module):  # type: ignore[misc]
    """(B, 4, H, W) of alpha and padded red, green, blue, 0..1, to (B, 4, H/8, W/8): convolutions with SiLU between.

    ``widths``: channels after each convolution. Names of the tensors as in the published file.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 32, 64, 64, 128, 128, 256, 256, 4)) -> None:
        super().__init__()
        parts: list[Any] = []
        for before, after, stride in zip((4, *widths), widths, STRIDES, strict=False):
            parts += [nn.Conv2d(before, after, 3, stride, 1), nn.SiLU()]
        self.blocks = nn.Sequential(*parts[:-1])

    def forward(self, pixels: Any) -> Any:
        return self.blocks(pixels)


def widths_of(tensors: Mapping[str, Any], label: str) -> tuple[int, ...]:
    """Read from the tensors of a file. Raises :class:`BadFile` when they are no such network."""
    names = [f"blocks.{2 * i}.weight" for i in range(len(STRIDES))]
    if any(name not in tensors for name in names):
        raise BadFile(f"{label} holds no transparent encoder.", "Choose the encoder file of LayerDiffuse for SDXL.")
    return tuple(int(tensors[name].shape[0]) for name in names)


def encode(vae: Any, model: Any, rgba: Any, padded: Any) -> Any:
    """Latents (B, 4, H/8, W/8), not yet scaled, of ``rgba`` and ``padded`` (B, 4 and 3, H, W), 0..1.

    The autoencoder sees the colours fade to mid grey as they become clear. The offset stands in for the noise of its
    posterior: mean + deviation * offset.
    """
    alpha = rgba[:, 3:]
    with torch.inference_mode():
        on_grey = ((rgba[:, :3] * 2 - 1) * alpha).to(vae.device, vae.dtype)
        posterior = vae.encode(on_grey).latent_dist
        own = next(model.parameters())
        offset = model(torch.cat([alpha, padded], 1).to(own.device, own.dtype)) * GAIN
        return posterior.mean + posterior.std * offset.to(posterior.mean)

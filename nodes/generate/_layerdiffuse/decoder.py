"""The network that reads colours and transparency out of a decoded picture and the latents that it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch  # noqa: TID253
from diffusers.models.unets.unet_2d_blocks import UNetMidBlock2D, get_down_block, get_up_block  # noqa: TID253
from torch import nn  # noqa: TID253

from app.engine import BadFile

LATENT_LEVEL = 3
GROUPS, HEAD, EPS = 4, 8, 1e-5


@dataclass(frozen=True)
class Shape:
    """``channels``: of each level, finest first. ``layers``: on the way down, per level. ``attentive``: the levels with
    attention. The published network is the default."""

    channels: tuple[int, ...] = (32, 32, 64, 128, 256, 512, 512)
    layers: int = 2
    attentive: frozenset[int] = frozenset({4, 5, 6})
    latents: int = 4


class Decoder(nn.Module):  # type: ignore[misc]
    """A U-Net over (B, 3, H, W) pictures of 0..1, to (B, 4, H, W): alpha, red, green, blue.

    Height and width are multiples of ``multiple``. The latents (B, 4, H/8, W/8), divided by the scaling factor of
    their autoencoder, come in where the network has reached their size. Names of the tensors as in the published file.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = shape.channels
        self.multiple = max(8, 2 ** (len(widths) - 1))
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.latent_conv_in = nn.Conv2d(shape.latents, widths[LATENT_LEVEL - 1], 1)
        self.down_blocks = nn.ModuleList(_down(shape, level) for level in range(len(widths)))
        self.mid_block = UNetMidBlock2D(
            in_channels=widths[-1], temb_channels=None, resnet_eps=EPS, resnet_groups=GROUPS, attention_head_dim=HEAD
        )
        self.up_blocks = nn.ModuleList(_up(shape, level) for level in reversed(range(len(widths))))
        self.conv_norm_out = nn.GroupNorm(GROUPS, widths[0], eps=EPS)
        self.conv_out = nn.Conv2d(widths[0], 4, 3, padding=1)

    def forward(self, pixels: Any, latents: Any) -> Any:
        inside = self.conv_in(pixels)
        kept = [inside]
        for level, block in enumerate(self.down_blocks):
            if level == LATENT_LEVEL:
                inside = inside + self.latent_conv_in(latents)
            inside, passed = block(inside, None)
            kept += passed
        inside = self.mid_block(inside, None)
        for block in self.up_blocks:
            count = len(block.resnets)
            kept, passed = kept[:-count], kept[-count:]
            inside = block(inside, tuple(passed), None)
        return self.conv_out(nn.functional.silu(self.conv_norm_out(inside)))


def _down(shape: Shape, level: int) -> Any:
    return get_down_block(
        "AttnDownBlock2D" if level in shape.attentive else "DownBlock2D", num_layers=shape.layers,
        in_channels=shape.channels[max(level - 1, 0)], out_channels=shape.channels[level], temb_channels=None,
        add_downsample=level < len(shape.channels) - 1, resnet_eps=EPS, resnet_act_fn="silu", resnet_groups=GROUPS,
        attention_head_dim=HEAD, downsample_padding=1, downsample_type="conv",
    )  # fmt: skip


def _up(shape: Shape, level: int) -> Any:
    return get_up_block(
        "AttnUpBlock2D" if level in shape.attentive else "UpBlock2D", num_layers=shape.layers + 1,
        in_channels=shape.channels[max(level - 1, 0)], out_channels=shape.channels[level],
        prev_output_channel=shape.channels[min(level + 1, len(shape.channels) - 1)], temb_channels=None,
        add_upsample=level > 0, resnet_eps=EPS, resnet_act_fn="silu", resnet_groups=GROUPS, attention_head_dim=HEAD,
        upsample_type="conv",
    )  # fmt: skip


def shape_of(tensors: Mapping[str, Any], label: str) -> Shape:
    """Read from the tensors of a file. Raises :class:`BadFile` when they are no such network."""
    try:
        levels = 1 + max(_numbers(tensors, "down_blocks."))
        channels = tuple(int(tensors[f"down_blocks.{i}.resnets.0.conv1.weight"].shape[0]) for i in range(levels))
        layers = 1 + max(_numbers(tensors, "down_blocks.0.resnets."))
        latents = int(tensors["latent_conv_in.weight"].shape[1])
    except (KeyError, ValueError, IndexError):
        channels, layers, latents = (), 0, 0
    if len(channels) <= LATENT_LEVEL or any(width % HEAD for width in channels):
        raise BadFile(f"{label} holds no transparent decoder.", "Choose the decoder file of LayerDiffuse for SDXL.")
    attentive = frozenset(i for i in range(levels) if f"down_blocks.{i}.attentions.0.to_q.weight" in tensors)
    return Shape(channels, layers, attentive, latents)


def _numbers(tensors: Mapping[str, Any], before: str) -> Iterator[int]:
    return (int(key[len(before) :].partition(".")[0]) for key in tensors if key.startswith(before))


def single(model: Any, pixels: Any, latents: Any) -> Any:
    """One pass, (B, 4, H, W) of alpha, red, green, blue, unbounded."""
    with torch.inference_mode():
        return model(pixels, latents)


def agreed(model: Any, pixels: Any, latents: Any, told: Callable[[float], None]) -> Any:
    """Eight passes, on the picture turned by quarters and mirrored; of each value the (lower) median, 0..1.

    ``told``: called before each pass with the fraction that is done.
    """
    results = []
    for pass_ in range(8):
        told(pass_ / 8)
        mirrored, quarters = pass_ >= 4, pass_ % 4
        seen = (torch.rot90(t.flip(3) if mirrored else t, quarters, (2, 3)) for t in (pixels, latents))
        back = torch.rot90(single(model, *seen).clamp(0, 1), -quarters, (2, 3))
        results.append(back.flip(3) if mirrored else back)
    return torch.stack(results).median(dim=0).values

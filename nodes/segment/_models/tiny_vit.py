"""TinyViT-5M (Wu et al. 2022) as MobileSAM (Zhang et al. 2023) uses it: pictures in, a 64 x 64 embedding out.

Names of parts follow the published file, so that its tensors fit as they are. The file also holds the classifier that
the network was first trained with (``norm_head``, ``head``); nothing here uses it.
"""

from __future__ import annotations

from typing import Any

import torch  # noqa: TID253
import torch.nn.functional as F  # noqa: TID253
from torch import nn  # noqa: TID253

WIDTHS, DEPTHS, HEADS, WINDOWS = (64, 128, 160, 320), (2, 2, 6, 2), (2, 4, 5, 10), (7, 7, 14, 7)


class Normed(nn.Module):  # type: ignore[misc]
    """A convolution without bias and its batch norm."""

    def __init__(self, ins: int, outs: int, size: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c = nn.Conv2d(ins, outs, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outs)

    def forward(self, x: Any) -> Any:
        return self.bn(self.c(x))


class Inverted(nn.Module):  # type: ignore[misc]
    """Wide, depthwise, narrow again, around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = Normed(width, 4 * width)
        self.conv2 = Normed(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = Normed(4 * width, width)

    def forward(self, x: Any) -> Any:
        return F.gelu(x + self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x))))))


class Merging(nn.Module):  # type: ignore[misc]
    """From one stage to the next: half the size, but for the last stage, which keeps it."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__()
        self.conv1 = Normed(ins, outs)
        self.conv2 = Normed(outs, outs, 3, 1 if outs == WIDTHS[-1] else 2, groups=outs)
        self.conv3 = Normed(outs, outs)

    def forward(self, x: Any) -> Any:
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


class Attention(nn.Module):  # type: ignore[misc]
    """Within windows of (N, side * side, width); each pair of places has a bias by its distance across and down."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads, self.side = heads, side
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, side * side))

    def forward(self, x: Any) -> Any:
        count, places, width = x.shape
        parts = self.qkv(self.norm(x)).view(count, places, self.heads, 3, width // self.heads)
        query, key, value = parts.permute(3, 0, 2, 1, 4)
        at = torch.arange(places, device=x.device)
        row, column = at // self.side, at % self.side
        apart = (row[:, None] - row).abs() * self.side + (column[:, None] - column).abs()
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=self.attention_biases[:, apart][None])
        return self.proj(out.transpose(1, 2).reshape(count, places, width))


class Widening(nn.Module):  # type: ignore[misc]
    """Norm, four times wider, back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class Block(nn.Module):  # type: ignore[misc]
    """Attention in windows, a depthwise convolution over the whole picture, and a wide layer."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = Attention(width, heads, window)
        self.local_conv = Normed(width, width, 3, groups=width)
        self.mlp = Widening(width)

    def forward(self, x: Any) -> Any:
        x = self.local_conv(x + self._attend(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
        return x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def _attend(self, x: Any) -> Any:
        """(B, H, W, C), padded with zeros to whole windows, each window by itself."""
        count, height, width, channels = x.shape
        side = self.window
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        down, across = x.shape[1] // side, x.shape[2] // side
        x = x.view(count, down, side, across, side, channels).transpose(2, 3)
        x = self.attn(x.reshape(-1, side * side, channels))
        x = x.view(count, down, across, side, side, channels).transpose(2, 3)
        return x.reshape(count, down * side, across * side, channels)[:, :height, :width]


class Stage(nn.Module):  # type: ignore[misc]
    def __init__(self, number: int) -> None:
        super().__init__()
        width = WIDTHS[number]
        self.blocks = nn.ModuleList(
            Block(width, HEADS[number], WINDOWS[number]) if number else Inverted(width) for _ in range(DEPTHS[number])
        )
        self.downsample = Merging(*WIDTHS[number : number + 2]) if number < 3 else nn.Identity()

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.downsample(x)


class ChannelNorm(nn.LayerNorm):  # type: ignore[misc]
    """Layer norm over the channels of (B, C, H, W)."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class TinyViT(nn.Module):  # type: ignore[misc]
    """(B, 3, 1024, 1024), normalised, to a tuple of one (B, 256, 64, 64) embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.seq = nn.Sequential(Normed(3, 32, 3, 2), nn.GELU(), Normed(32, 64, 3, 2))
        self.layers = nn.Sequential(*(Stage(number) for number in range(len(WIDTHS))))
        self.neck = nn.Sequential(
            nn.Conv2d(WIDTHS[-1], 256, 1, bias=False), ChannelNorm(256, eps=1e-6),
            nn.Conv2d(256, 256, 3, padding=1, bias=False), ChannelNorm(256, eps=1e-6),
        )  # fmt: skip

    def forward(self, pixel_values: Any) -> tuple[Any]:
        return (self.neck(self.layers(self.patch_embed.seq(pixel_values))),)

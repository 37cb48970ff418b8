"""The TripoSR network: a picture to three feature planes, and points in space to density and colour.

After Tochilkin et al. 2024 and Hong et al. 2024 (LRM). Tensors: B pictures, N tokens, P points. The names of parts
are those of the published checkpoint. Imported inside functions only, because it needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch  # noqa: TID253
from torch import nn  # noqa: TID253
from torch.nn import functional as F  # noqa: TID253
from transformers import ViTConfig, ViTModel  # noqa: TID253
from transformers.models.vit.modeling_vit import ViTEmbeddings  # noqa: TID253

from nodes.image_to_3d._triposr.config import Config, Vit

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as DINO was trained
NUDGE = 0.1
VIT_NAMES = (
    (".encoder.layer.", ".layers."),
    (".attention.attention.query.", ".attention.q_proj."),
    (".attention.attention.key.", ".attention.k_proj."),
    (".attention.attention.value.", ".attention.v_proj."),
    (".attention.output.dense.", ".attention.o_proj."),
    (".intermediate.dense.", ".mlp.fc1."),
    (".output.dense.", ".mlp.fc2."),
)


def renamed(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's table with the parts of its vision transformer named as transformers 5 names them."""
    found = {}
    for name, tensor in tensors.items():
        if name.startswith("image_tokenizer."):
            for old, new in VIT_NAMES:
                name = name.replace(old, new)
        found[name] = tensor
    return found


def published_names(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The other way: as a published checkpoint names them."""
    found = {}
    for name, tensor in tensors.items():
        if name.startswith("image_tokenizer."):
            for old, new in reversed(VIT_NAMES):
                name = name.replace(new, old)
        found[name] = tensor
    return found


@contextmanager
def visiting(part: nn.Module, guide: torch.Tensor) -> Iterator[None]:
    """A part of the network on the device of ``guide``, and afterwards back where it waits."""
    waits = next(part.parameters()).device
    part.to(guide.device)
    try:
        yield
    finally:
        part.to(waits)


class Positions(ViTEmbeddings):  # type: ignore[misc]
    """Patch embeddings whose positions are stretched as DINO's own code does: by a factor, nudged by a tenth.

    Newer code stretches to a size, which shifts every position a little; the published weights were trained with this.
    """

    def interpolate_pos_encoding(self, embeddings: torch.Tensor, height: int, width: int) -> torch.Tensor:
        table = self.position_embeddings
        side = math.isqrt(table.shape[1] - 1)
        rows, columns = height // self.patch_size, width // self.patch_size
        if (rows, columns) == (side, side):
            return table
        square = table[:, 1:].float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
        factor = ((rows + NUDGE) / side, (columns + NUDGE) / side)
        wide = F.interpolate(square, scale_factor=factor, mode="bicubic", align_corners=False)
        return torch.cat([table[:, :1], wide.flatten(2).transpose(1, 2).to(table.dtype)], dim=1)


class ImageTokenizer(nn.Module):  # type: ignore[misc]
    """(B, 3, S, S) sRGB 0..1 to (B, N, C) tokens; the class token comes first."""

    def __init__(self, sizes: Vit) -> None:
        super().__init__()
        config = ViTConfig(
            **vars(sizes), hidden_act="gelu", qkv_bias=True, layer_norm_eps=1e-12, attn_implementation="sdpa"
        )
        self.model = ViTModel(config)
        self.model.embeddings = Positions(config)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        mean, spread = (pictures.new_tensor(v).view(3, 1, 1) for v in (MEAN, SPREAD))
        seen = (pictures - mean) / spread
        return self.model(seen, interpolate_pos_encoding=True).last_hidden_state


class Planes(nn.Module):  # type: ignore[misc]
    """The learned tokens that the transformer starts from: three planes (3, C, H, W)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        shape = (3, config.channels, config.plane, config.plane)
        self.embeddings = nn.Parameter(torch.randn(shape) / math.sqrt(config.channels))


class Backbone(nn.Module):  # type: ignore[misc]
    """Transformer blocks that look at the picture's tokens. (B, C, N) to (B, C, N)."""

    def __init__(self, config: Config) -> None:
        from diffusers.models.attention import BasicTransformerBlock

        super().__init__()
        inner = config.heads * config.head_width
        self.norm = nn.GroupNorm(32, config.channels, eps=1e-6)
        self.proj_in = nn.Linear(config.channels, inner)
        self.transformer_blocks = nn.ModuleList(
            BasicTransformerBlock(
                inner,
                config.heads,
                config.head_width,
                cross_attention_dim=config.vit.hidden_size,
                activation_fn="geglu",
            )
            for _ in range(config.blocks)
        )
        self.proj_out = nn.Linear(inner, config.channels)

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor, told: Any) -> torch.Tensor:
        with visiting(self.norm, tokens), visiting(self.proj_in, tokens):
            hidden = self.proj_in(self.norm(tokens).transpose(1, 2))
        for done, block in enumerate(self.transformer_blocks):
            told(done / len(self.transformer_blocks))
            with visiting(block, tokens):
                hidden = block(hidden, encoder_hidden_states=seen)
        with visiting(self.proj_out, tokens):
            return self.proj_out(hidden).transpose(1, 2) + tokens


class PostProcessor(nn.Module):  # type: ignore[misc]
    """(3, C, H, W) tokens to (3, F, 2H, 2W) feature planes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.upsample = nn.ConvTranspose2d(config.channels, config.features, kernel_size=2, stride=2)


class Decoder(nn.Module):  # type: ignore[misc]
    """(P, 3F) features to (P, 4): raw density and raw colour."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = [3 * config.features, *[config.neurons] * config.hidden]
        bend = {"silu": nn.SiLU, "relu": nn.ReLU}[config.activation]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), bend(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 4))


class TripoSR(nn.Module):  # type: ignore[misc]
    """The whole network; its state has the names of a published checkpoint after :func:`renamed`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.image_tokenizer = ImageTokenizer(config.vit)
        self.tokenizer = Planes(config)
        self.backbone = Backbone(config)
        self.post_processor = PostProcessor(config)
        self.decoder = Decoder(config)

    def planes(self, picture: torch.Tensor, told: Any = lambda _: None) -> torch.Tensor:
        """(S, S, 3) sRGB 0..1 on grey to the scene: (3, F, H, W) planes. ``told``: called with 0..1 before blocks.

        Computes on the decoder's device. Parts that wait elsewhere visit it in turn.
        """
        told(0.0)
        start = self.tokenizer.embeddings.to(self.decoder.layers[0].weight)
        with visiting(self.image_tokenizer, start):
            seen = self.image_tokenizer(picture.permute(2, 0, 1)[None].to(start))
        flat = start.permute(1, 0, 2, 3).flatten(1)[None]
        tokens = self.backbone(flat, seen, lambda done: told(0.1 + 0.9 * done))
        folded = tokens[0].unflatten(1, (3, *start.shape[2:])).transpose(0, 1)
        with visiting(self.post_processor, start):
            return self.post_processor.upsample(folded)

    def raw(self, planes: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """(P, 4) float32 raw density and colour at (P, 3) float32 points of the cube, x, y, z in -radius..radius.

        Planes are read at (x, y), (x, z) and (y, z), bilinear, texel centres at half steps, zero beyond the rim.
        """
        at = points / self.config.radius
        pairs = torch.stack([at[:, [0, 1]], at[:, [0, 2]], at[:, [1, 2]]])[:, None]
        read = F.grid_sample(planes.float(), pairs, mode="bilinear", align_corners=False)
        features = read[:, :, 0].permute(2, 0, 1).flatten(1)
        return self.decoder.layers(features.to(self.decoder.layers[0].weight.dtype)).float()

    def density(self, raw: torch.Tensor) -> torch.Tensor:
        """(P,) density of (P, 4) raw values."""
        biased = raw[:, 0] + self.config.density_bias
        return F.softplus(biased) if self.config.density == "softplus" else biased.exp()

    def level(self, raw: torch.Tensor, threshold: float) -> torch.Tensor:
        """(P,) raw density minus the one that gives ``threshold``: above zero inside.

        In this measure the field changes nearly evenly, so that a crossing found by straight interpolation lies close
        to the true one; density itself grows exponentially.
        """
        even = math.log(math.expm1(threshold)) if self.config.density == "softplus" else math.log(threshold)
        return raw[:, 0] + self.config.density_bias - even


def colour(raw: torch.Tensor) -> torch.Tensor:
    """(P, 3) sRGB 0..1 of (P, 4) raw values."""
    return torch.sigmoid(raw[:, 1:4])

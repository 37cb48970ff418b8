"""The published files of LayerDiffuse for SDXL, a person's own ones, and the networks in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine import BadFile, BadInput, WeightCard, WeightFile, fill, read_tensors, table
from app.engine.weight_files import path_of

ATTENTION = "ld_diffusers_sdxl_attn.safetensors"
DECODER = "ld_diffusers_sdxl_vae_transparent_decoder.safetensors"
ENCODER = "ld_diffusers_sdxl_vae_transparent_encoder.safetensors"
REPOSITORY = "lllyasviel/LayerDiffuse_Diffusers"
CARD = WeightCard(
    REPOSITORY, "main",
    (WeightFile(ATTENTION, 1_910_000_000, exact=False), WeightFile(DECODER, 208_300_000, exact=False),
     WeightFile(ENCODER, 2_370_000, exact=False)),
    "Apache-2.0", "none stated; the code is Apache-2.0", 2.2, name="layerdiffuse-sdxl", title="LayerDiffuse for SDXL",
    url=f"https://huggingface.co/{REPOSITORY}/resolve/main", role="published",
)  # fmt: skip


@dataclass(frozen=True)
class LayerFiles:
    """``attention``: what is added to the weights of SDXL. ``encoder``: None where no picture is to be read."""

    attention: Path
    decoder: Path
    encoder: Path | None


def published(with_encoder: bool) -> LayerFiles:
    """Raises :class:`MissingWeights`."""
    encoder = path_of(CARD, ENCODER) if with_encoder else None
    return LayerFiles(path_of(CARD, ATTENTION), path_of(CARD, DECODER), encoder)


def own(attention: Path, decoder: Path, encoder: Path, with_encoder: bool) -> LayerFiles:
    """Raises :class:`BadInput` where one that is needed was not chosen."""
    wanted = {"attention": attention, "decoder": decoder, **({"encoder": encoder} if with_encoder else {})}
    for name, path in wanted.items():
        if path == Path():
            raise BadInput(f"No {name} file is chosen.", "Choose one, or the published files.")
    return LayerFiles(attention, decoder, encoder if with_encoder else None)


def load_decoder(path: Path, device: str, dtype: Any) -> Any:
    """Raises :class:`BadFile`."""
    import torch

    from nodes.generate._layerdiffuse.decoder import Decoder, shape_of

    tensors = table(read_tensors(path), label=path.name)
    shape = shape_of(tensors, path.name)
    with torch.device("meta"):
        network = Decoder(shape)
    fill(network, tensors, path.name)
    return network.eval().requires_grad_(False).to(device, dtype)


def load_encoder(path: Path, device: str, dtype: Any) -> Any:
    """Raises :class:`BadFile`."""
    import torch

    from nodes.generate._layerdiffuse.encoder import OffsetEncoder, widths_of

    tensors = table(read_tensors(path), label=path.name)
    widths = widths_of(tensors, path.name)
    with torch.device("meta"):
        network = OffsetEncoder(widths)
    fill(network, tensors, path.name)
    return network.eval().requires_grad_(False).to(device, dtype)


def with_added(unet: Any, path: Path, warn: Callable[[str], None]) -> Any:
    """A denoising network whose weights are those of ``unet`` plus the tensors of the same names in a file.

    What the file does not name is shared with ``unet``, which stays as it is. ``warn``: told of tensors that belong
    nowhere. Raises :class:`BadFile` when the file was made for another network.
    """
    import torch

    added = table(read_tensors(path), label=path.name)
    weights = unet.state_dict()
    _check(weights, added, path.name, warn)
    with torch.device("meta"):
        network = type(unet).from_config(unet.config)
    summed = {name: _sum(value, added[name]) if name in added else value for name, value in weights.items()}
    network.load_state_dict(summed, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _sum(value: Any, more: Any) -> Any:
    """In 32 bits, then as ``value`` is: the same as adding in 16 bits where both are."""
    return (value.float() + more.to(value.device).float()).to(value.dtype)


def _check(weights: Mapping[str, Any], added: Mapping[str, Any], label: str, warn: Callable[[str], None]) -> None:
    known = [name for name in added if name in weights]
    alike = [name for name in known if added[name].shape == weights[name].shape]
    if not known or len(alike) < len(known):
        raise BadFile(
            f"{label} does not fit this model: of its {len(added)} tensors, the model knows {len(known)} by name and "
            f"{len(alike)} by shape, too.",
            "Use a model of the SDXL family with the file for SDXL in the names of diffusers.",
        )
    if len(known) < len(added):
        warn(f"{label}: {len(added) - len(known)} of {len(added)} tensors belong nowhere and were left out.")

"""Networks of the diffusers and transformers classes, filled strictly from tables of tensors, without a network."""

from __future__ import annotations

from typing import Any

from app.engine import BadFile, fill
from nodes.generate._diffusion.facts import Config

Tensors = dict[str, Any]
POSITIONS = "*position_ids"
_TEXT = ("CLIPTextModel", "CLIPTextModelWithProjection")


def build(kind: str, config: Config, tensors: Tensors, label: str, dtype: Any, device: str = "cpu") -> Any:
    """A network in evaluation mode. ``kind``: the class's name. Raises :class:`BadFile`.

    It is made without memory first and then given copies of the file's tensors: those themselves lie in the mapped
    file, at any address, which costs speed and last bits, and on Windows the file could not be replaced meanwhile.
    """
    import torch

    make = _make_text if kind in _TEXT else _make_net
    try:
        with torch.device("meta"):
            net = make(kind, config)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise BadFile(f"The configuration of {label} cannot be used: {error}.", "Fetch the model again.") from error
    if kind in _TEXT:
        tensors = _named_alike(tensors, net)
    elif kind == "AutoencoderKL":
        tensors = _modern_attention(tensors)
    fill(net, {name: _own(value, dtype, device) for name, value in tensors.items()}, label, (POSITIONS,))
    _real_positions(net, device)
    return net.eval().requires_grad_(False)


def _make_net(kind: str, config: Config) -> Any:
    import diffusers

    given = {name: value for name, value in config.items() if not name.startswith("_")}
    return getattr(diffusers, kind).from_config(given)


def _make_text(kind: str, config: Config) -> Any:
    import transformers

    skipped = ("architectures", "torch_dtype", "dtype", "transformers_version", "model_type")
    given = {name: value for name, value in config.items() if not name.startswith("_") and name not in skipped}
    return getattr(transformers, kind)(transformers.CLIPTextConfig(**given))


def _named_alike(tensors: Tensors, net: Any) -> Tensors:
    """Files put ``text_model.`` before every name but the projection's; the class does so in some releases only."""
    wanted = net.state_dict()
    prefix = "text_model." if any(name.startswith("text_model.") for name in wanted) else ""
    bare = {name.removeprefix("text_model."): value for name, value in tensors.items()}
    if "text_projection.weight" not in wanted:
        bare.pop("text_projection.weight", None)
    return {name if name == "text_projection.weight" else prefix + name: value for name, value in bare.items()}


_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def _modern_attention(tensors: Tensors) -> Tensors:
    """Early diffusers files name the four linear maps of the picture encoder's attention otherwise."""
    renamed = {}
    for name, value in tensors.items():
        new = name
        if ".attentions." in name:
            for old, now in _OLD_ATTENTION.items():
                new = new.replace(old, now)
        renamed[new] = value
    return renamed


def _own(value: Any, dtype: Any, device: str) -> Any:
    return value.to(device, dtype if value.is_floating_point() else value.dtype, copy=True)


def _real_positions(net: Any, device: str) -> None:
    """The table 0, 1, 2 … of a text encoder is in no file of today. Raises :class:`BadFile` for anything else."""
    import torch

    for module in net.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.is_meta and name == "position_ids":
                module.register_buffer(name, torch.arange(buffer.shape[-1], device=device)[None], persistent=False)
    left = [name for name, value in (*net.named_parameters(), *net.named_buffers()) if value.is_meta]
    if left:
        raise BadFile(f"The file leaves {len(left)} tensors empty ({left[0]}).", "Fetch the model again.")

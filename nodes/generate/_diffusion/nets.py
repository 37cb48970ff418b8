"""ControlNet (Zhang et al., Adding Conditional Control to Text-to-Image Diffusion Models, 2023): reading networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from app.engine import (
    BadFile,
    BadInput,
    Controls,
    Placement,
    Run,
    read_tensors,
    table,
)
from app.engine.weight_files import digest_of, path_of, snapshot_of
from nodes.generate._diffusion.build import build
from nodes.generate._diffusion.facts import FAMILIES, Config
from nodes.generate._diffusion.net_cards import CARDS, OWN_FILE, OWN_FOLDER, UNION, UNION_CONFIG, UNION_WEIGHTS
from nodes.generate._diffusion.read_folder import config_of, piece
from nodes.generate._diffusion.recipe import Piece
from nodes.generate._diffusion.shapes import unet_config
from nodes.generate._diffusion.source import folder_digest

ADVICE = "Choose a ControlNet of SD 1.5, SD 2.1 or SDXL."
HINT = "controlnet_cond_embedding."


def place_for(net: str, source: str) -> Path:
    """The folder or file of a network. Raises :class:`MissingWeights`, :class:`BadInput`, :class:`BadFile`."""
    if net in (OWN_FOLDER, OWN_FILE):
        place = Path(source)
        if not source or place == Path():
            raise BadInput("No ControlNet is chosen.", "Choose a folder or a file, or another network.")
        if not place.exists():
            raise BadFile(f"There is no {place}.", "Check the path.")
        return place
    card = next(card for card in CARDS if net in card.roles)
    return path_of(card, card.files[0].name) if card.url else snapshot_of(card)


def digest_for(net: str, source: str) -> str:
    """Names the content of an own network; empty for a published one, whose card does."""
    if net not in (OWN_FOLDER, OWN_FILE):
        return ""
    place = place_for(net, source)
    return folder_digest(place) if place.is_dir() else digest_of(place)


@contextmanager
def nets_of(run: Run, controls: Controls | None, placed: Placement) -> Iterator[tuple[Any, ...]]:
    """The networks of all maps, each loaded once and shared through the pool."""
    with ExitStack() as held:
        found = []
        for kind, source in zip(controls.nets, controls.sources, strict=True) if controls else ():
            run.check()
            place = place_for(kind, source)
            content = digest_for(kind, source) or (UNION if kind.startswith(UNION) else kind)
            home = "cpu" if placed.offload else placed.device
            name = f"controlnet {content} {placed.device} {placed.dtype} {home}"
            size = sum(f.stat().st_size for f in place.glob("*.safetensors")) if place.is_dir() else 0
            size = size or (place.stat().st_size if place.is_file() else 0)
            load = partial(_load, kind, place, placed, home)
            found.append(held.enter_context(run.models.use(name, load, size / 1e9, run.check)))
        yield tuple(found)


def _load(net: str, place: Path, placed: Placement, home: str) -> Any:
    if net.startswith(UNION):
        return union_net(place).built(placed.dtype, home)
    if place.is_dir():
        return folder_net(place, placed.half).built(placed.dtype, home)
    return file_net(place, placed.dtype, home)


def folder_net(folder: Path, half: bool) -> Piece:
    """A folder in the layout of diffusers. Raises :class:`BadFile`."""
    found = piece(folder, "ControlNetModel", half)
    kind = found.config.get("_class_name", "ControlNetModel")
    if kind != "ControlNetModel":
        raise BadFile(f"{folder.name} holds a {kind}, which works in another way.", ADVICE)
    return found


def union_net(folder: Path) -> Piece:
    """The network for every kind of map, under the names of its files. Raises :class:`BadFile`."""
    weights = folder / UNION_WEIGHTS
    return Piece("ControlNetUnionModel", weights.name, config_of(folder / UNION_CONFIG), partial(_tensors, weights))


def _tensors(path: Path) -> dict[str, Any]:
    return table(read_tensors(path), label=path.name)


def file_net(path: Path, dtype: Any, device: str = "cpu") -> Any:
    """One file with the names of the original code or of diffusers. Raises :class:`BadFile`."""
    from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint

    tensors = table(read_tensors(path), prefixes=("module.", "control_model."), label=path.name)
    try:
        if f"{HINT}conv_in.weight" in tensors:
            config = _modern_config(tensors)
        elif "input_hint_block.0.weight" in tensors:
            config = _config(unet_config(_base(tensors), tensors), _hint_widths(tensors))
            tensors = convert_controlnet_checkpoint(dict(tensors), config)
        else:
            raise BadFile(f"{path.name} is no ControlNet: it lacks the part that reads a map.", ADVICE)
    except (KeyError, StopIteration, IndexError) as error:
        raise BadFile(f"{path.name} is cut short: it lacks {error}.", ADVICE) from None
    return build("ControlNetModel", config, tensors, path.name, dtype, device)


def _base(tensors: dict[str, Any]) -> Config:
    return FAMILIES["SDXL" if any(key.startswith("label_emb.") for key in tensors) else "SD 1.5"].unet


def _hint_widths(tensors: dict[str, Any]) -> list[int]:
    first = int(tensors["input_hint_block.0.weight"].shape[0])
    return [first, *(int(tensors[f"input_hint_block.{i}.weight"].shape[0]) for i in (4, 8, 12))]


def _config(unet: Config, hint: list[int]) -> Config:
    dropped = ("up_block_types", "out_channels", "sample_size")
    kept = {key: value for key, value in unet.items() if key not in dropped}
    return {**kept, "conditioning_embedding_out_channels": hint, "conditioning_channels": 3}


def _modern_config(tensors: dict[str, Any]) -> Config:
    """From the shapes of diffusers' names, by way of the names that shapes are read by."""
    names = {
        "conv_in.weight": "input_blocks.0.0.weight",
        "add_embedding.linear_1.weight": "label_emb.0.0.weight",
    }
    like = {names[key]: value for key, value in tensors.items() if key in names}
    layers = 1 + max(int(key.split(".")[3]) for key in tensors if key.startswith("down_blocks.0.resnets."))
    for key, value in tensors.items():
        if not key.startswith("down_blocks.") and not key.startswith("mid_block.attentions.0."):
            continue
        part = key.split(".")
        if part[0] == "mid_block":
            like["middle_block.1." + ".".join(part[3:])] = value
        elif part[2] == "downsamplers":
            like[f"input_blocks.{(int(part[1]) + 1) * (layers + 1)}.0.op.{part[-1]}"] = value
        else:
            number = 1 + int(part[1]) * (layers + 1) + int(part[3])
            place = f"input_blocks.{number}." + ("0." if part[2] == "resnets" else "1.")
            rest = ".".join(part[4:])
            like[place + rest.replace("conv2.", "out_layers.3.")] = value
    last = max(int(key.split(".")[2]) for key in tensors if key.startswith(f"{HINT}blocks."))
    hint = [int(tensors[f"{HINT}conv_in.weight"].shape[0])]
    hint += [int(tensors[f"{HINT}blocks.{i}.weight"].shape[0]) for i in range(1, last + 1, 2)]
    return _config(unet_config(_base(like), like), hint)


def check_fits(controls: Controls | None, nets: tuple[Any, ...], unet: Any) -> None:
    """Raise :class:`BadInput` where a network was trained for another family than the model's, or cannot be mixed."""
    if len({is_union(net) for net in nets}) > 1:
        raise BadInput(
            "The union network and other ControlNets cannot be used together.",
            "Choose the union network for every map, or for none.",
        )
    for kind, net in zip(controls.nets if controls else (), nets, strict=True):
        ours, theirs = unet.config.cross_attention_dim, net.config.cross_attention_dim
        same = ours == theirs and list(unet.config.block_out_channels) == list(net.config.block_out_channels)
        if not same or (unet.config.addition_embed_type is None) != (net.config.addition_embed_type is None):
            raise BadInput(
                f"The ControlNet {kind} was made for another family than this model.",
                "Use networks for SD 1.5 with SD 1.5, and those for SDXL with SDXL.",
            )


def is_union(net: Any) -> bool:
    return type(net).__name__ == "ControlNetUnionModel"

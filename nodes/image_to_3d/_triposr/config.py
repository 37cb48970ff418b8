"""What a TripoSR folder's ``config.yaml`` says. Read as plain data; it names classes, and none of them is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.engine import BadFile

MOST_BYTES = 65_536
MOST_STEPS = 8
ADVICE = "Use the config.yaml that was published with the weights."
CLASSES = {
    "image_tokenizer_cls": "tsr.models.tokenizers.image.DINOSingleImageTokenizer",
    "tokenizer_cls": "tsr.models.tokenizers.triplane.Triplane1DTokenizer",
    "backbone_cls": "tsr.models.transformer.transformer_1d.Transformer1D",
    "post_processor_cls": "tsr.models.network_utils.TriplaneUpsampleNetwork",
    "decoder_cls": "tsr.models.network_utils.NeRFMLP",
    "renderer_cls": "tsr.models.nerf_renderer.TriplaneNeRFRenderer",
}
ACTIVATIONS = ("silu", "relu")
DENSITIES = ("exp", "trunc_exp", "softplus")


@dataclass(frozen=True)
class Vit:
    """A vision transformer (Dosovitskiy et al. 2021) as DINO trained it: sizes of its layers."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    image_size: int = 224
    patch_size: int = 16


PUBLISHED_VITS = {
    "facebook/dino-vits16": Vit(384, 12, 6, 1536),
    "facebook/dino-vits8": Vit(384, 12, 6, 1536, patch_size=8),
    "facebook/dino-vitb16": Vit(),
    "facebook/dino-vitb8": Vit(patch_size=8),
}


@dataclass(frozen=True)
class Config:
    """Sizes and constants of a TripoSR network; the defaults are the published ones.

    ``picture``: side of the picture it looks at, pixels. ``plane``: tokens along a side of each of the three planes.
    ``channels``, ``heads``, ``head_width``, ``blocks``: of the transformer. ``features``: channels of a finished plane.
    ``neurons``, ``hidden``, ``activation``: of the point decoder. ``radius``: half the side of the cube that it fills.
    ``density``: activation of density after ``density_bias`` is added. ``samples``: points along a ray.
    """

    vit: Vit = field(default_factory=Vit)
    picture: int = 512
    plane: int = 32
    channels: int = 1024
    heads: int = 16
    head_width: int = 64
    blocks: int = 16
    features: int = 40
    neurons: int = 64
    hidden: int = 9
    activation: str = "silu"
    radius: float = 0.87
    density: str = "exp"
    density_bias: float = -1.0
    samples: int = 128


def read_config(path: Path) -> Config:
    """The configuration in a file. Raises :class:`BadFile`."""
    import yaml

    if not path.is_file():
        raise BadFile(f"There is no {path.name} beside the weights.", ADVICE)
    if path.stat().st_size > MOST_BYTES:
        raise BadFile(f"{path.name} is too large to be a configuration.", ADVICE)
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadFile(f"{path.name} is not a readable YAML file.", ADVICE) from None
    if not isinstance(data, dict):
        raise BadFile(f"{path.name} holds no settings.", ADVICE)
    return _config(_Settings(data, path.name))


class _Settings:
    """Looks values up by dotted names and follows ``${other.name}``."""

    def __init__(self, data: Mapping[str, Any], name: str) -> None:
        self.data, self.name = data, name

    def value(self, place: str, default: Any = None) -> Any:
        found = self._at(place)
        for _ in range(MOST_STEPS):
            refers = re.fullmatch(r"\$\{([\w.]+)\}", found) if isinstance(found, str) else None
            if refers is None:
                return default if found is None else found
            found = self._at(refers[1])
        raise BadFile(f"{self.name}: {place} refers to itself.", ADVICE)

    def whole(self, place: str, default: int, most: int) -> int:
        value = self.value(place, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise self.bad(place, value, f"a whole number from 1 to {most:,}")
        return value

    def number(self, place: str, default: float) -> float:
        value = self.value(place, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1000:
            raise self.bad(place, value, "a number from -1000 to 1000")
        return float(value)

    def choice(self, place: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.value(place, default)
        if value not in allowed:
            raise self.bad(place, value, " or ".join(allowed))
        return str(value)

    def bad(self, place: str, value: Any, wanted: str) -> BadFile:
        return BadFile(f"{self.name}: {place} is {str(value)[:60]!r}, not {wanted}.", ADVICE)

    def _at(self, place: str) -> Any:
        found: Any = self.data
        for part in place.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def _config(s: _Settings) -> Config:
    for place, known in CLASSES.items():
        s.choice(place, known, (known,))
    s.choice("renderer.feature_reduction", "concat", ("concat",))
    s.choice("renderer.color_activation", "sigmoid", ("sigmoid",))
    radius = s.number("renderer.radius", 0.87)
    if not 0.01 <= radius <= 100:
        raise s.bad("renderer.radius", radius, "a length from 0.01 to 100")
    made = Config(
        vit=_vit(s), radius=radius,
        picture=s.whole("cond_image_size", 512, 1024),
        plane=s.whole("tokenizer.plane_size", 32, 256),
        channels=s.whole("tokenizer.num_channels", 1024, 8192),
        heads=s.whole("backbone.num_attention_heads", 16, 256),
        head_width=s.whole("backbone.attention_head_dim", 64, 1024),
        blocks=s.whole("backbone.num_layers", 16, 256),
        features=s.whole("post_processor.out_channels", 40, 1024),
        neurons=s.whole("decoder.n_neurons", 64, 4096),
        hidden=s.whole("decoder.n_hidden_layers", 9, 64),
        activation=s.choice("decoder.activation", "silu", ACTIVATIONS),
        density=s.choice("renderer.density_activation", "exp", DENSITIES),
        density_bias=s.number("renderer.density_bias", -1.0),
        samples=s.whole("renderer.num_samples_per_ray", 128, 4096),
    )  # fmt: skip
    _agree(s, made)
    return made


def _vit(s: _Settings) -> Vit:
    """By its published name, or by sizes written out under ``image_tokenizer``."""
    if s.value("image_tokenizer.hidden_size") is None:
        names = tuple(PUBLISHED_VITS)
        return PUBLISHED_VITS[s.choice("image_tokenizer.pretrained_model_name_or_path", "facebook/dino-vitb16", names)]
    return Vit(**{name: s.whole(f"image_tokenizer.{name}", getattr(Vit, name), 65_536) for name in vars(Vit())})


def _agree(s: _Settings, made: Config) -> None:
    """Sizes that must match each other."""
    pairs = {
        "backbone.in_channels": made.channels,
        "backbone.cross_attention_dim": made.vit.hidden_size,
        "post_processor.in_channels": made.channels,
        "decoder.in_channels": 3 * made.features,
    }
    for place, wanted in pairs.items():
        if s.value(place, wanted) != wanted:
            raise s.bad(place, s.value(place), str(wanted))
    if made.channels % 32 or made.vit.hidden_size % made.vit.num_attention_heads or made.picture % made.vit.patch_size:
        raise BadFile(f"{s.name}: its sizes do not divide evenly.", ADVICE)

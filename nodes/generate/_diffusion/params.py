"""The parameters that every node making pictures has, said once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from app.engine import Folder, Multiline, OpenFile, Seed, Setting, Slider
from nodes.generate._diffusion.preview import Kind
from nodes.generate._diffusion.schedulers import Name
from nodes.generate._diffusion.source import Model as ModelName
from nodes.generate._diffusion.source import Predicts as PredictsName

LIGHT = (".safetensors",)
Prompt = Annotated[str, Multiline(help="What is to be seen, in English; the model reads about 75 words.")]
Negative = Annotated[str, Multiline(help="What is not to be seen.", label="Not wanted")]
Model = Annotated[
    ModelName, Setting(help="SDXL makes the best pictures and needs most memory; SD 1.5 is the lightest.")
]
ModelFolder = Annotated[
    Path,
    Folder(optional=True, help="For own folder: a model as diffusers saves it. For own file: only its tokenizer."),
]
ModelFile = Annotated[
    Path, OpenFile(suffixes=(".safetensors", ".ckpt"), optional=True, help="For own file: a whole checkpoint.")
]
Steps = Annotated[int, Slider(1, 150, help="More are slower and finer; 20 to 30 are usual, 1 to 8 with few steps.")]
Guidance = Annotated[
    float, Slider(0, 30, step=0.5, help="How literally the words are taken. Up to 1: the unwanted words do nothing.")
]
Scheduler = Annotated[Name, Setting(help="How the steps are taken. auto: what suits the model.")]
FewSteps = Annotated[
    Literal["off", "LCM SD 1.5", "LCM SDXL"],
    Setting(help="An LCM-LoRA for the model's family: a picture in 4 to 8 steps, at guidance 1 to 2."),
]
Lora = Annotated[
    Path,
    OpenFile(suffixes=LIGHT, optional=True, label="LoRA", help="A style or a subject added to the model."),
]
LoraStrength = Annotated[float, Slider(-2, 2, step=0.05, label="LoRA strength", help="0: as if there were none.")]
Picture = Annotated[int, Seed(help="Decides the noise that the picture grows from.")]
Count = Annotated[int, Slider(1, 16, help="Pictures. Each next one has the next seed.")]
AtOnce = Annotated[
    int,
    Slider(
        1, 16, advanced=True, help="Pictures worked on together: quicker on a GPU, and more memory; last bits differ."
    ),
]
Strength = Annotated[float, Slider(0, 1, step=0.01, help="0: the picture stays. 1: nothing of it is left.")]
Preview = Annotated[
    Kind, Setting(help="While it works. auto: TAESD on a GPU where it was fetched, else rough colours.", advanced=True)
]
Safety = Annotated[bool, Setting(help="Black out what the safety checker of an own folder objects to.", advanced=True)]
Half = Annotated[bool, Setting(help="On a GPU: 16 bits, half the memory and twice the speed.", advanced=True)]
Predicts = Annotated[
    PredictsName,
    Setting(help="What the network predicts. velocity: SD 2.1 with 768 px; noise: SD 2.1 base.", advanced=True),
]


@dataclass(frozen=True)
class Settings:
    """The values of those parameters, as a node hands them on."""

    model: ModelName
    folder: Path
    file: Path
    prompt: str
    negative: str
    seed: int
    count: int
    at_once: int
    steps: int
    guidance: float
    scheduler: Name
    few_steps: str
    lora: Path
    lora_strength: float
    preview: Kind
    safety: bool
    half: bool
    predicts: PredictsName

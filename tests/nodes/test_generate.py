"""Making pictures with tiny models of the real classes, against the diffusers library called directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusion_models as tiny
import numpy as np
import pytest
import torch

from app.engine import BadInput, Image, Mask, MissingWeights, Placement, Run
from app.engine.weight_files import needed
from nodes.generate._diffusion import cards
from nodes.generate._diffusion.codec import Codec
from nodes.generate._diffusion.facts import FamilyName
from nodes.generate._diffusion.frame import blocks
from nodes.generate._diffusion.schedulers import scheduler
from nodes.generate.inpaint import inpaint
from nodes.generate.picture_to_picture import picture_to_picture
from nodes.generate.text_to_picture import text_to_picture

FAMILIES: tuple[FamilyName, ...] = ("SD 1.5", "SD 2.1", "SDXL")
WORDS: dict[str, Any] = {"prompt": "a chair", "negative": "red", "steps": 4, "guidance": 5.0, "seed": 7}


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of model folders, by family, and one for inpainting."""
    folder = tmp_path_factory.mktemp("models")
    words = tiny.save_vocabulary(folder / "words" / "tokenizer", tiny.small_merges())
    for family in FAMILIES:
        tiny.pipeline(family, words).save_pretrained(folder / family)
    tiny.pipeline("SD 1.5", words, channels=9).save_pretrained(folder / "nine")
    return folder


@pytest.fixture(scope="module")
def warm() -> Run:
    """One pool for the whole file."""
    return Run(wanted_device="cpu")


@pytest.fixture
def cpu(warm: Run) -> Run:
    return Run(wanted_device="cpu", models=warm.models)


def picture(height: int = 64, width: int = 64) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return Image.of(np.stack([x / width, y / height, ((x // 8 + y // 8) % 2) * 0.8], -1))


def direct(folder: Path, task: str, name: str = "DPM++ 2M Karras", seed: int = 7, **more: Any) -> np.ndarray[Any, Any]:
    """(H, W, 3): the library's own loading, pipeline and decoding.

    Its weights are copied out of the mapped file: at odd addresses the processor adds in another order.
    """
    import diffusers

    made = getattr(diffusers, f"AutoPipelineFor{task}")
    plain = {} if folder.name == "SDXL" else {"safety_checker": None, "requires_safety_checker": False}
    pipe = made.from_pretrained(folder, local_files_only=True, **plain)
    for net in (part for part in pipe.components.values() if isinstance(part, torch.nn.Module)):
        for weight in net.parameters():
            weight.data = weight.data.clone()
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = scheduler(name, dict(pipe.scheduler.config))
    generator = torch.Generator().manual_seed(seed)
    found: np.ndarray[Any, Any] = pipe(
        "a chair", negative_prompt="red", num_inference_steps=4, guidance_scale=5.0, generator=generator,
        output_type="np", **more,
    ).images[0]  # fmt: skip
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_words_give_exactly_what_the_library_gives(models: Path, cpu: Run, family: FamilyName) -> None:
    made = text_to_picture(cpu, model="own folder", folder=models / family, width=72, height=64, **WORDS)
    expected = direct(models / family, "Text2Image", width=72, height=64)
    assert made.out.size == (72, 64) and np.ptp(expected) > 0.5
    assert np.array_equal(made.out.rgb, expected) and (made.out.alpha == 1).all()
    assert len(made.all.images) == 1


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
def test_a_picture_gives_exactly_what_the_library_gives(models: Path, cpu: Run, family: FamilyName) -> None:
    image = picture()
    made = picture_to_picture(cpu, image, model="own folder", folder=models / family, strength=0.5, **WORDS)
    planes = torch.from_numpy(image.rgb.transpose(2, 0, 1)[None].copy())
    expected = direct(models / family, "Image2Image", image=planes, strength=0.5)
    assert np.array_equal(made.out.rgb, expected)


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL", "nine"])
def test_a_mask_gives_exactly_what_the_library_gives(models: Path, cpu: Run, family: str) -> None:
    image, values = picture(), np.zeros((64, 64), np.float32)
    values[16:40, 24:48] = 1
    made = inpaint(cpu, image, Mask(values), model="own folder", folder=models / family, **WORDS)
    planes = torch.from_numpy(image.rgb.transpose(2, 0, 1)[None].copy())
    marked = torch.from_numpy(values[None, None].copy())
    size = {"width": 64, "height": 64}
    expected = direct(models / family, "Inpainting", image=planes, mask_image=marked, strength=1.0, **size)
    inside = values > 0
    assert np.array_equal(made.out.rgb[inside], expected[inside])
    assert np.array_equal(made.out.pixels[~inside], image.pixels[~inside])
    assert not np.array_equal(made.out.rgb[inside], image.rgb[inside])


NAMES = ["Euler", "Euler a", "DPM++ 2M Karras", "DPM++ 2M SDE Karras", "DDIM", "UniPC", "LCM"]


@pytest.mark.parametrize("name", NAMES)
def test_every_scheduler_gives_what_the_library_gives(models: Path, cpu: Run, name: Any) -> None:
    folder = models / "SD 1.5"
    size = {"width": 64, "height": 64}
    made = text_to_picture(cpu, model="own folder", folder=folder, scheduler=name, **size, **WORDS)
    assert np.array_equal(made.out.rgb, direct(folder, "Text2Image", name, **size))


def test_each_picture_of_a_batch_is_what_its_seed_alone_gives(models: Path, cpu: Run) -> None:
    common: dict[str, Any] = {"model": "own folder", "folder": models / "SD 1.5", "width": 64, "height": 64}
    words = {**WORDS, "scheduler": "Euler a"}
    many = text_to_picture(cpu, count=3, **common, **words)
    alone = [text_to_picture(cpu, **common, **{**words, "seed": 7 + i}).out for i in range(3)]
    assert [m.pixels.tobytes() for m in many.all.images] == [a.pixels.tobytes() for a in alone]
    assert many.out.pixels.tobytes() == alone[0].pixels.tobytes() != alone[1].pixels.tobytes()
    together = text_to_picture(cpu, count=3, at_once=2, **common, **words)
    for one, other in zip(together.all.images, alone, strict=True):
        assert np.abs(one.rgb - other.rgb).max() < 1e-4


def test_the_last_seed_is_followed_by_the_first(models: Path, cpu: Run) -> None:
    common: dict[str, Any] = {"model": "own folder", "folder": models / "SD 1.5", "width": 64, "height": 64}
    many = text_to_picture(cpu, count=2, **common, **{**WORDS, "seed": 2**32 - 1})
    assert np.array_equal(many.all.images[1].rgb, text_to_picture(cpu, **common, **{**WORDS, "seed": 0}).out.rgb)


def test_strength_0_is_the_round_trip_through_the_decoder(models: Path, cpu: Run) -> None:
    from diffusers import AutoencoderKL

    image = picture(68, 70)
    made = picture_to_picture(cpu, image, model="own folder", folder=models / "SD 1.5", strength=0.0, **WORDS)
    vae = AutoencoderKL.from_pretrained(models / "SD 1.5" / "vae", local_files_only=True)
    whole = np.pad(image.rgb, ((0, 4), (0, 2), (0, 0)), mode="edge")
    codec = Codec(vae, Placement("cpu"))
    assert made.out.size == (70, 68)
    assert np.array_equal(made.out.rgb, codec.round_trip(whole)[:68, :70])
    with torch.inference_mode():
        planes = torch.from_numpy(whole.transpose(2, 0, 1)[None].copy()) * 2 - 1
        plain = vae.decode(vae.encode(planes).latent_dist.mean).sample[0] / 2 + 0.5
    assert np.abs(made.out.rgb - plain.clamp(0, 1).permute(1, 2, 0).numpy()[:68, :70]).max() < 1e-5
    assert any("encoder and decoder" in note for note in cpu.notes)


def test_odd_sizes_and_a_longest_side(models: Path, cpu: Run) -> None:
    common: dict[str, Any] = {"model": "own folder", "folder": models / "SD 1.5", "strength": 0.3}
    assert picture_to_picture(cpu, picture(67, 93), **common, **WORDS).out.size == (93, 67)
    assert picture_to_picture(cpu, picture(100, 200), longest=128, **common, **WORDS).out.size == (128, 64)
    assert picture_to_picture(cpu, picture(20, 40), **common, **WORDS).out.size == (128, 64)
    with pytest.raises(BadInput, match="too thin"):
        picture_to_picture(cpu, picture(1, 300), **common, **WORDS)


@pytest.mark.parametrize("around", [0, 6])
def test_pixels_outside_the_mask_stay_bit_for_bit(models: Path, cpu: Run, around: int) -> None:
    pixels = picture(90, 110).pixels.copy()
    pixels[..., 3] = np.linspace(0, 1, 110, dtype=np.float32)
    image, values = Image(pixels), np.zeros((90, 110), np.float32)
    values[30:60, 40:42] = 1
    values[30:60, 42] = 0.5
    made = inpaint(cpu, image, Mask(values), model="own folder", folder=models / "SD 1.5", around=around, **WORDS).out
    outside, full, half = values == 0, values == 1, values == 0.5
    assert made.pixels[outside].tobytes() == pixels[outside].tobytes()
    assert (made.alpha[full] == 1).all() and (np.abs(made.rgb[full] - pixels[full][:, :3]).max(0) > 0).all()
    assert (made.alpha[half] >= 0.5).all()


def test_no_stroke_is_too_thin_to_count() -> None:
    values = np.zeros((16, 24), np.float32)
    values[3, 9] = 0.01
    found = blocks(values)
    assert found[:8, 8:16].all() and found.sum() == 64


def test_what_cannot_work_is_said(models: Path, cpu: Run) -> None:
    folder, empty = models / "SD 1.5", Mask(np.zeros((64, 64), np.float32))
    with pytest.raises(BadInput, match="mask is empty"):
        inpaint(cpu, picture(), empty, model="own folder", folder=folder)
    with pytest.raises(BadInput, match="inpainting only"):
        text_to_picture(cpu, model="own folder", folder=models / "nine", **WORDS)
    with pytest.raises(BadInput, match="No model folder"):
        text_to_picture(cpu, model="own folder")
    with pytest.raises(BadInput, match="No model file"):
        text_to_picture(cpu, model="own file")
    with pytest.raises(BadInput, match="no safety checker"):
        text_to_picture(cpu, model="own folder", folder=folder, safety=True, **WORDS)


def test_a_prompt_too_long_is_told(models: Path, cpu: Run) -> None:
    common: dict[str, Any] = {"model": "own folder", "folder": models / "SD 1.5", "width": 64, "height": 64}
    long = "chair " * 100
    text_to_picture(cpu, **common, **{**WORDS, "prompt": long, "steps": 1})
    assert any("100 tokens long" in note and note.endswith("chair " * 19 + "…") for note in cpu.notes)


def test_missing_weights_are_told_for_each_model(cpu: Run) -> None:
    for card in cards.MODELS:
        with pytest.raises(MissingWeights) as told:
            text_to_picture(cpu, model=card.role)  # type: ignore[arg-type]
        assert f"main.py weights fetch {card.handle}" in told.value.advice
        assert needed(cards.CARDS, {"model": card.role}) == (card,)
    assert needed(cards.CARDS, {"model": "own folder"}) == ()
    assert len({card.handle for card in cards.CARDS}) == len(cards.CARDS)

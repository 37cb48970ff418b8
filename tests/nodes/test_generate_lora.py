"""LoRA: in the formats that people have, exactly as the library applies it, and gone without a trace afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusion_models as tiny
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.engine import BadFile, BadInput, Cancelled, MissingWeights, Run
from app.engine.weight_files import needed
from nodes.generate._diffusion import cards
from nodes.generate._diffusion.facts import FamilyName
from nodes.generate._diffusion.schedulers import scheduler
from nodes.generate.text_to_picture import text_to_picture

WORDS: dict[str, Any] = {"prompt": "a chair", "steps": 2, "seed": 3, "width": 64, "height": 64, "model": "own folder"}
Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    words = tiny.save_vocabulary(folder / "words" / "tokenizer", tiny.small_merges())
    for family in ("SD 1.5", "SDXL"):
        tiny.pipeline(family, words).save_pretrained(folder / family)  # type: ignore[arg-type]
    return folder


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


def pairs(model: Any, start: str, ends: tuple[str, ...]) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Random pairs of rank 2 for the linear layers whose names end so; names as files have them."""
    found = {}
    for name, layer in model.named_modules():
        if name.endswith(ends) and isinstance(layer, torch.nn.Linear):
            generator = torch.Generator().manual_seed(len(found))
            down = torch.randn(2, layer.in_features, generator=generator)
            up = torch.randn(layer.out_features, 2, generator=generator)
            found[f"{start}.{name.removeprefix('text_model.')}"] = (down, up)
    return found


def layers(folder: Path, family: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    unet = UNet2DConditionModel.from_pretrained(folder / family / "unet", local_files_only=True)
    text = CLIPTextModel.from_pretrained(folder / family / "text_encoder", local_files_only=True)
    words = pairs(text, "text_encoder.text_model", ("q_proj", "out_proj"))
    return pairs(unet, "unet", ("to_q", "to_out.0")) | words


def diffusers_file(folder: Path, family: str, path: Path) -> Path:
    tensors: Tensors = {}
    for name, (down, up) in layers(folder, family).items():
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    save_file(tensors, path)
    return path


def kohya_file(folder: Path, family: str, path: Path) -> Path:
    """With alpha = rank, which is a scale of 1."""
    tensors: Tensors = {}
    text = "lora_te1" if family == "SDXL" else "lora_te"
    for name, (down, up) in layers(folder, family).items():
        start, _, rest = name.partition(".")
        place = f"{'lora_unet' if start == 'unet' else text}_{rest.replace('.', '_')}"
        tensors |= {
            f"{place}.lora_down.weight": down,
            f"{place}.lora_up.weight": up,
            f"{place}.alpha": torch.tensor(2.0),
        }
    save_file(tensors, path)
    return path


def merged(folder: Path, family: str, strength: float) -> Any:
    """The picture of a model whose weights the LoRA was added to by hand: W + strength * up @ down."""
    import diffusers

    plain = {} if family == "SDXL" else {"safety_checker": None, "requires_safety_checker": False}
    pipe = diffusers.AutoPipelineForText2Image.from_pretrained(folder / family, local_files_only=True, **plain)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = scheduler("DPM++ 2M Karras", dict(pipe.scheduler.config))
    for name, (down, up) in layers(folder, family).items():
        start, _, rest = name.partition(".")
        net = getattr(pipe, start)
        rest = rest if start == "unet" or hasattr(net, "text_model") else rest.removeprefix("text_model.")
        net.get_submodule(rest).weight.data += strength * (up @ down)
    generator = torch.Generator().manual_seed(3)
    size = {"width": 64, "height": 64, "num_inference_steps": 2, "guidance_scale": 7.0}
    return pipe("a chair", output_type="np", generator=generator, **size).images[0]


def fingerprint(run: Run) -> dict[str, Any]:
    """Every tensor of the pooled model by its full name, and the classes of its modules."""
    (entry,) = [run.models._loaded[name] for name in run.models.names() if name.startswith("diffusion")]
    nets = {"unet": entry.model.unet, **{f"text{i}": net for i, net in enumerate(entry.model.texts)}}
    weights = {f"{n}.{k}": v.clone() for n, net in nets.items() for k, v in net.state_dict().items()}
    kinds = {f"{n}.{k}": type(module).__name__ for n, net in nets.items() for k, module in net.named_modules()}
    return {"weights": weights, "kinds": kinds, "extra": [sorted(vars(net)) for net in nets.values()]}


def assert_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert first["kinds"] == second["kinds"]
    assert first["weights"].keys() == second["weights"].keys()
    assert all(torch.equal(value, second["weights"][key]) for key, value in first["weights"].items())


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
@pytest.mark.parametrize("make", [diffusers_file, kohya_file])
def test_it_is_added_and_leaves_no_trace(models: Path, cpu: Run, tmp_path: Path, family: FamilyName, make: Any) -> None:
    path = make(models, family, tmp_path / "lora.safetensors")
    words = {**WORDS, "folder": models / family}
    plain = text_to_picture(cpu, **words).out.pixels
    before = fingerprint(cpu)
    full = text_to_picture(cpu, lora=path, lora_strength=1.0, **words).out
    assert_same(before, fingerprint(cpu))
    half = text_to_picture(cpu, lora=path, lora_strength=0.5, **words).out
    none = text_to_picture(cpu, lora=path, lora_strength=0.0, **words).out.pixels
    after = text_to_picture(cpu, **words).out.pixels
    assert_same(before, fingerprint(cpu))
    assert plain.tobytes() == none.tobytes() == after.tobytes()
    assert np.abs(full.rgb - merged(models, family, 1.0)).max() < 2e-4
    assert np.abs(half.rgb - merged(models, family, 0.5)).max() < 2e-4
    assert np.abs(full.pixels - plain).max() > 0.01 and np.abs(full.pixels - half.pixels).max() > 0.01
    assert len(cpu.models.names()) == 1


def test_cancel_takes_it_out_too(models: Path, cpu: Run, tmp_path: Path) -> None:
    words = {**WORDS, "folder": models / "SD 1.5"}
    plain = text_to_picture(cpu, **words).out.pixels
    before = fingerprint(cpu)
    stopping = Run(models=cpu.models, wanted_device="cpu")

    def tell(_: float, note: str) -> None:
        if note.startswith("step 1"):
            stopping.stop.set()

    stopping.report = tell
    path = diffusers_file(models, "SD 1.5", tmp_path / "lora.safetensors")
    with pytest.raises(Cancelled):
        text_to_picture(stopping, lora=path, **words)
    assert_same(before, fingerprint(cpu))
    assert text_to_picture(cpu, **words).out.pixels.tobytes() == plain.tobytes()


def test_what_does_not_fit_is_said_and_leaves_no_trace(models: Path, cpu: Run, tmp_path: Path) -> None:
    words = {**WORDS, "folder": models / "SD 1.5"}
    plain = text_to_picture(cpu, **words).out.pixels
    before = fingerprint(cpu)
    good = layers(models, "SD 1.5")
    name, (down, up) = next(iter(good.items()))
    files: dict[str, Tensors] = {
        "no LoRA": {"a": torch.zeros(2)},
        "does not fit": {f"{name}.lora_A.weight": down[:, :-8].clone(), f"{name}.lora_B.weight": up},
        "not found in the base model": {"unet.nowhere.lora_A.weight": down, "unet.nowhere.lora_B.weight": up},
        "does not fit|no LoRA": {f"{name}.hada_w1_a": up, f"{name}.hada_w1_b": down},
    }
    for number, (said, tensors) in enumerate(files.items()):
        path = tmp_path / f"{number}.safetensors"
        save_file(tensors, path)
        with pytest.raises(BadFile, match=said) as told:
            text_to_picture(cpu, lora=path, **words)
        assert path.name in told.value.message and "LoRA" in told.value.advice
        assert_same(before, fingerprint(cpu))
    large = diffusers_file(models, "SDXL", tmp_path / "large.safetensors")
    with pytest.raises(BadFile, match=r"place for \d+ of \d+ parts"):
        text_to_picture(cpu, lora=large, **words)
    (tmp_path / "cut.safetensors").write_bytes(large.read_bytes()[:1000])
    with pytest.raises(BadFile, match="damaged"):
        text_to_picture(cpu, lora=tmp_path / "cut.safetensors", **words)
    assert_same(before, fingerprint(cpu))
    assert text_to_picture(cpu, **words).out.pixels.tobytes() == plain.tobytes()


def test_parts_without_a_place_are_told(models: Path, cpu: Run, tmp_path: Path) -> None:
    words = {**WORDS, "folder": models / "SD 1.5"}
    tensors = load_file(diffusers_file(models, "SD 1.5", tmp_path / "lora.safetensors"))
    expected = text_to_picture(cpu, lora=tmp_path / "lora.safetensors", **words).out.pixels
    name = next(key for key in tensors if "down_blocks.0" in key).replace("down_blocks.0", "down_blocks.7")
    more = {name.replace("lora_B", "lora_A"): torch.zeros(2, 32), name.replace("lora_A", "lora_B"): torch.zeros(32, 2)}
    save_file({**tensors, **more}, tmp_path / "more.safetensors")
    assert np.array_equal(text_to_picture(cpu, lora=tmp_path / "more.safetensors", **words).out.pixels, expected)
    assert any("1 of " in note and "left out" in note for note in cpu.notes)


def test_few_steps_ask_for_the_lora_of_their_family(models: Path, cpu: Run) -> None:
    words = {**WORDS, "folder": models / "SD 1.5"}
    for card in cards.FEW_STEPS:
        with pytest.raises(MissingWeights) as told:
            text_to_picture(cpu, few_steps=card.role, **words)
        assert card.handle in told.value.advice
        assert needed(cards.CARDS, {"few_steps": card.role, "model": "own folder"}) == (card,)


def test_few_steps_of_another_family_are_refused(
    models: Path, cpu: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = diffusers_file(models, "SD 1.5", tmp_path / "lora.safetensors")
    from nodes.generate._diffusion import job

    monkeypatch.setattr(job, "lora_of", lambda card: path)
    words = {**WORDS, "folder": models / "SDXL"}
    with pytest.raises(BadInput, match="LCM-LoRA is for SD"):
        text_to_picture(cpu, few_steps="LCM SD 1.5", **words)
    both = {**WORDS, "folder": models / "SD 1.5", "few_steps": "LCM SD 1.5"}
    automatic = text_to_picture(cpu, **both).out.pixels
    named = text_to_picture(cpu, scheduler="LCM", **both).out.pixels
    assert np.array_equal(automatic, named)
    twice = text_to_picture(cpu, lora=path, lora_strength=0.5, **both).out.pixels
    assert not np.array_equal(twice, automatic)

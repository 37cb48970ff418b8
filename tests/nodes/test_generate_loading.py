"""Checkpoints of Stable Diffusion: published layouts at their real size, own files and folders, hostile ones."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import diffusion_models as tiny
import numpy as np
import original_names
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.engine import BadFile, MissingWeights, Run
from app.engine.weight_files import import_file, needed
from nodes.generate._diffusion import cards, shapes
from nodes.generate._diffusion.build import build
from nodes.generate._diffusion.facts import FAMILIES, FamilyName
from nodes.generate._diffusion.read_file import open_clip, read_file
from nodes.generate._diffusion.read_folder import read_folder, tokenizer_in
from nodes.generate._diffusion.source import source_of
from nodes.generate.text_to_picture import text_to_picture

NAMES: tuple[FamilyName, ...] = ("SD 1.5", "SD 2.1", "SDXL")
WORDS: dict[str, Any] = {"prompt": "a chair", "steps": 2, "seed": 3, "width": 64, "height": 64}


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    tiny.save_vocabulary(folder / "tokenizer", tiny.small_merges())
    return folder


@pytest.fixture(scope="module")
def pipes(words: Path) -> dict[str, Any]:
    return {name: tiny.pipeline(name, words / "tokenizer") for name in NAMES}


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


def empty(kind: str, config: dict[str, Any]) -> Any:
    """A network of real size that takes no memory."""
    import diffusers
    import transformers

    with torch.device("meta"):
        if kind.startswith("CLIP"):
            return getattr(transformers, kind)(transformers.CLIPTextConfig(**config))
        return getattr(diffusers, kind).from_config(config)


@pytest.mark.parametrize(("name", "count"), [("SD 1.5", 686), ("SD 2.1", 686), ("SDXL", 1680)])
def test_the_published_denoising_network_is_read_back_from_its_shapes(name: FamilyName, count: int) -> None:
    """``count``: tensors in the published files."""
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    facts = FAMILIES[name]
    net = empty("UNet2DConditionModel", facts.unet)
    original = original_names.unet_tensors(net)
    assert len(original) == len(net.state_dict()) == count
    assert shapes.unet_config(facts.unet, original) == facts.unet
    full = {f"model.diffusion_model.{key}": value for key, value in original.items()}
    converted = convert_ldm_unet_checkpoint(full, facts.unet)
    assert {k: v.shape for k, v in converted.items()} == {k: v.shape for k, v in net.state_dict().items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_published_decoder_and_text_encoders_are_read_back_from_their_shapes(name: FamilyName) -> None:
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    facts = FAMILIES[name]
    vae = empty("AutoencoderKL", facts.vae)
    original = original_names.vae_tensors(vae)
    assert len(original) == 248 and shapes.vae_config(facts.vae, original) == facts.vae
    converted = convert_ldm_vae_checkpoint({f"first_stage_model.{k}": v for k, v in original.items()}, facts.vae)
    assert {k: v.shape for k, v in converted.items()} == {k: v.shape for k, v in vae.state_dict().items()}
    for kind, config in zip(("CLIPTextModel", "CLIPTextModelWithProjection"), facts.texts, strict=False):
        net = empty(kind, config)
        if config["hidden_act"] == "gelu":
            spare = kind == "CLIPTextModel"
            found = open_clip(original_names.open_clip_tensors(net, spare), last=not spare)
        else:
            found = original_names.clip_tensors(net)
        assert {**config, "projection_dim": 0} == {**shapes.text_config(config, found), "projection_dim": 0}
        bare = {key.removeprefix("text_model."): value.shape for key, value in found.items()}
        assert bare == {key.removeprefix("text_model."): value.shape for key, value in net.state_dict().items()}


def test_the_memory_that_is_promised_is_that_of_the_networks() -> None:
    """fp16 bytes of the empty networks against the published file sizes, to a tenth of a per cent."""
    for card in cards.MODELS[:3]:
        facts = FAMILIES[card.role]  # type: ignore[index]
        sizes = {file.name: file.size for file in card.files}
        nets = {"unet": empty("UNet2DConditionModel", facts.unet), "vae": empty("AutoencoderKL", facts.vae)}
        for name, net in nets.items():
            held = sum(value.numel() for value in net.parameters()) * 2
            assert abs(sizes[f"{name}/{cards.WEIGHTS}"] / held - 1) < 1e-3, (card.role, name)


def test_the_vocabulary_card_takes_the_real_files_and_reads_the_known_words(shared: Path, tmp_path: Path) -> None:
    real = tiny.save_vocabulary(tmp_path / "made", tiny.real_merges(shared))
    place = import_file(cards.TOKENIZER, real / "vocab.json").parent
    import_file(cards.TOKENIZER, real / "merges.txt")
    tokens = tokenizer_in(place, "!")("a photo of an astronaut riding a horse", padding="max_length")
    known = [49406, 320, 1125, 539, 550, 18376, 6765, 320, 4558, 49407]
    assert tokens.input_ids == known + [0] * 67
    assert tokenizer_in(place, "<|endoftext|>")("", padding="max_length").input_ids == [49406] + [49407] * 76


def test_a_file_alone_uses_the_vocabulary_card(shared: Path, tmp_path: Path, cpu: Run, pipes: dict[str, Any]) -> None:
    path = tiny.save_one_file(pipes["SD 1.5"], tmp_path / "m.safetensors")
    with pytest.raises(MissingWeights, match="CLIP vocabulary") as told:
        text_to_picture(cpu, model="own file", file=path, **WORDS)
    assert "main.py weights fetch clip-tokenizer" in told.value.advice
    assert needed(cards.CARDS, {"model": "own file"}) == (cards.TOKENIZER,)
    real = tiny.save_vocabulary(tmp_path / "made", tiny.real_merges(shared))
    for name in ("vocab.json", "merges.txt"):
        import_file(cards.TOKENIZER, real / name)
    with pytest.raises(BadFile, match="knows 49,408 words"):
        text_to_picture(cpu, model="own file", file=path, **WORDS)
    whole = tiny.pipeline("SD 1.5", real)
    path = tiny.save_one_file(whole, tmp_path / "real_words.safetensors")
    made = text_to_picture(cpu, model="own file", file=path, **WORDS)
    whole.save_pretrained(tmp_path / "folder")
    again = text_to_picture(cpu, model="own folder", folder=tmp_path / "folder", scheduler="DPM++ 2M Karras", **WORDS)
    assert np.array_equal(made.out.pixels, again.out.pixels)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_one_file_gives_the_picture_of_the_folder(
    tmp_path: Path, cpu: Run, words: Path, pipes: dict[str, Any], name: str, suffix: str
) -> None:
    pipe = pipes[name]
    pipe.save_pretrained(tmp_path / "folder")
    path = tiny.save_one_file(pipe, tmp_path / f"m{suffix}")
    one = text_to_picture(cpu, model="own file", file=path, folder=words, **WORDS)
    whole = text_to_picture(cpu, model="own folder", folder=tmp_path / "folder", **WORDS)
    assert np.array_equal(one.out.pixels, whole.out.pixels) and np.ptp(one.out.rgb) > 0.1


def test_what_the_network_predicts(tmp_path: Path, words: Path, pipes: dict[str, Any]) -> None:
    def predicts(name: str, asked: str = "", **more: Any) -> Any:
        path = tiny.save_one_file(pipes[name], tmp_path / "m.ckpt", **more)
        return read_file(path, lambda: words, asked).scheduler["prediction_type"]

    assert predicts("SD 1.5") == predicts("SDXL") == "epsilon"
    assert predicts("SD 2.1") == "v_prediction"
    assert predicts("SD 2.1", global_step=875_000) == "epsilon"
    assert predicts("SD 2.1", "epsilon") == "epsilon"
    marked = {**original_names.whole(pipes["SDXL"]), "v_pred": torch.zeros(0)}
    save_file(marked, tmp_path / "v.safetensors")
    assert read_file(tmp_path / "v.safetensors", lambda: words).scheduler["prediction_type"] == "v_prediction"


def test_half_and_sharded_and_old_files_of_a_folder(tmp_path: Path, cpu: Run, pipes: dict[str, Any]) -> None:
    pipe = pipes["SD 1.5"]
    pipe.save_pretrained(tmp_path / "plain")
    expected = text_to_picture(cpu, model="own folder", folder=tmp_path / "plain", **WORDS).out.pixels
    pipe.save_pretrained(tmp_path / "many", max_shard_size="300KB")
    assert (tmp_path / "many" / "unet" / "diffusion_pytorch_model.safetensors.index.json").is_file()
    pipe.save_pretrained(tmp_path / "old", safe_serialization=False)
    torch.save(pipe.text_encoder.state_dict(), tmp_path / "old" / "text_encoder" / "pytorch_model.bin")
    for file in (tmp_path / "old").rglob("*.safetensors"):
        file.unlink()
    for name in ("many", "old"):
        made = text_to_picture(cpu, model="own folder", folder=tmp_path / name, **WORDS)
        assert np.array_equal(made.out.pixels, expected), name
    for part in ("unet", "vae", "text_encoder"):
        for file in (tmp_path / "plain" / part).glob("*.safetensors"):
            half = {key: value.half() for key, value in load_file(file).items()}
            save_file(half, file.with_name(f"{file.stem}.fp16.safetensors"))
    both = read_folder(tmp_path / "plain", half=True)
    assert next(iter(both.unet.tensors().values())).dtype == torch.float16
    assert next(iter(read_folder(tmp_path / "plain", half=False).unet.tensors().values())).dtype == torch.float32


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_code_in_a_checkpoint_is_refused_and_not_run(
    tmp_path: Path, cpu: Run, words: Path, pipes: dict[str, Any]
) -> None:
    mark, path = tmp_path / "it ran", tmp_path / "evil.ckpt"
    for more in ({"callbacks": Trap(mark)}, {"state_dict": {"a": Trap(mark)}}):
        torch.save({"state_dict": original_names.whole(pipes["SD 1.5"]), **more}, path)
        with pytest.raises(BadFile, match="was not run"):
            text_to_picture(cpu, model="own file", file=path, folder=words, **WORDS)
    path.write_bytes(pickle.dumps(Trap(mark), protocol=2))
    with pytest.raises(BadFile):
        text_to_picture(cpu, model="own file", file=path, folder=words, **WORDS)
    assert not mark.exists() and cpu.models.names() == ()


def test_objects_of_a_training_program_beside_the_tensors_do_no_harm(
    tmp_path: Path, cpu: Run, words: Path, pipes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the first published checkpoints, which carry the callbacks of the trainer."""
    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    made = type("ModelCheckpoint", (), {"__module__": module.__name__})
    module.ModelCheckpoint = made  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        for name in ("pytorch_lightning", "pytorch_lightning.callbacks"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        patch.setitem(sys.modules, module.__name__, module)
        path = tiny.save_one_file(pipes["SD 1.5"], tmp_path / "old.ckpt", callbacks={made: {"best": made()}})
    clean = tiny.save_one_file(pipes["SD 1.5"], tmp_path / "clean.safetensors")
    pictures = [text_to_picture(cpu, model="own file", file=f, folder=words, **WORDS).out for f in (path, clean)]
    assert np.array_equal(pictures[0].pixels, pictures[1].pixels)


def hopeless(folder: Path, pipes: dict[str, Any]) -> dict[str, Path]:
    """What the message must say -> a file."""
    good = original_names.whole(pipes["SD 1.5"])
    data = tiny.save_one_file(pipes["SD 1.5"], folder / "whole.safetensors").read_bytes()
    unet = "model.diffusion_model."
    lacking = {k: v for k, v in good.items() if ".input_blocks.1." not in k}
    one_less = {k: v for k, v in good.items() if k != f"{unet}out.2.bias"}
    other_shape = {**good, f"{unet}out.2.bias": torch.zeros(5)}
    first = f"{unet}input_blocks.0.0.weight"
    refiner = {first: torch.zeros(8, 4, 3, 3), "conditioner.embedders.0.model.x": torch.zeros(1)}
    tables = {
        "looks like a LoRA": {"lora_unet_x.lora_up.weight": torch.zeros(2)},
        "looks like a ControlNet": {"control_model.input_hint_block.0.weight": torch.zeros(2)},
        "one part of a model": {"down_blocks.0.resnets.0.conv1.weight": torch.zeros(2)},
        "another kind": {f"{unet}joint_blocks.0.x": torch.zeros(2)},
        "none of its tensors": {"something": torch.zeros(2)},
        "refiner": refiner,
        "5 input channels": {first: torch.zeros(8, 5, 3, 3)},
        "without its text encoder": {k: v for k, v in good.items() if not k.startswith("cond_stage_model.")},
        "no picture decoder": {k: v for k, v in good.items() if not k.startswith("first_stage_model.")},
        "cut short": lacking,
        "1 of .* tensors missing": one_less,
        "of another shape": other_shape,
    }  # fmt: skip
    found = {}
    for number, (words, tensors) in enumerate(tables.items()):
        path = folder / f"{number}.safetensors"
        save_file({key: value.clone() for key, value in tensors.items()}, path)
        found[words] = path
    for words, content in {"damaged": data[: len(data) // 2], "not a model file": b"hello", "damaged ": b""}.items():
        found[words] = folder / f"{len(found)}.safetensors"
        found[words].write_bytes(content)
    found["damaged  "] = folder / "cut.ckpt"
    whole = tiny.save_one_file(pipes["SD 1.5"], folder / "whole.ckpt").read_bytes()
    found["damaged  "].write_bytes(whole[: len(whole) // 2])
    return found


def test_files_that_are_no_whole_model_are_refused_in_words(
    tmp_path: Path, cpu: Run, words: Path, pipes: dict[str, Any]
) -> None:
    for said, path in hopeless(tmp_path, pipes).items():
        with pytest.raises(BadFile, match=said.strip()) as told:
            text_to_picture(cpu, model="own file", file=path, folder=words, **WORDS)
        assert path.name in told.value.message and told.value.advice, said
    assert cpu.models.names() == ()


def test_folders_that_are_no_whole_model_are_refused_in_words(tmp_path: Path, cpu: Run, pipes: dict[str, Any]) -> None:
    pipes["SD 1.5"].save_pretrained(tmp_path / "good")

    def refused(said: str, *gone: str, text: str = "") -> None:
        folder = tmp_path / "bad"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "good", folder)
        for name in gone:
            place = folder / name
            if text:
                place.write_text(text)
            elif place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
        with pytest.raises(BadFile, match=said) as told:
            text_to_picture(cpu, model="own folder", folder=folder, **WORDS)
        assert told.value.advice

    refused("holds no folder unet", "unet")
    refused("no first text encoder", "text_encoder")
    refused("unet/config.json is missing", "unet/config.json")
    refused("unet/config.json is damaged", "unet/config.json", text="{")
    refused("is not a configuration", "vae/config.json", text="[1]")
    refused("vae holds no weights", "vae/diffusion_pytorch_model.safetensors")
    refused("not a model file", "vae/diffusion_pytorch_model.safetensors", text="x")
    refused("no vocab.json", "tokenizer")
    refused("tokenizer in .* is damaged", "tokenizer/tokenizer.json", text="{}")
    config = json.loads((tmp_path / "good" / "unet" / "config.json").read_text())
    refused("does not fit: .* of another shape", "unet/config.json", text=json.dumps({**config, "in_channels": 5}))
    refused("configuration of .* cannot be used", "unet/config.json", text=json.dumps({**config, "act_fn": "loud"}))
    with pytest.raises(BadFile, match="There is no folder"):
        text_to_picture(cpu, model="own folder", folder=tmp_path / "nowhere", **WORDS)
    assert cpu.models.names() == ()


def test_a_model_is_named_by_its_content(tmp_path: Path, pipes: dict[str, Any]) -> None:
    pipes["SD 1.5"].save_pretrained(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first, second = (source_of("own folder", tmp_path / name, Path()) for name in ("one", "two"))
    assert first.name == second.name and first.edge == 64
    (tmp_path / "two" / "scheduler" / "scheduler_config.json").write_text("{}")
    assert source_of("own folder", tmp_path / "two", Path()).name != first.name


def test_a_network_never_lies_in_the_file(tmp_path: Path) -> None:
    """Else its file could not be replaced, and odd addresses would cost speed."""
    tensors = {f"{name}.{end}": torch.ones(4, 4) for name in ("linear",) for end in ("weight",)}
    save_file(tensors, tmp_path / "a.safetensors")
    from diffusers import AutoencoderTiny

    net = AutoencoderTiny()
    save_file(net.state_dict(), tmp_path / "t.safetensors")
    found = build("AutoencoderTiny", {}, load_file(tmp_path / "t.safetensors"), "t", torch.float32)
    assert all(weight.data_ptr() % 64 == 0 for weight in found.parameters())
    assert not any(weight.requires_grad for weight in found.parameters()) and not found.training

"""How pictures are made: one copy of a model for all nodes, previews, Cancel, the safety checker."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import diffusion_models as tiny
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.engine import Cancelled, Image, Mask, Placement, Run
from app.engine.script import Workspace
from app.engine.weight_files import place_of
from nodes.generate._diffusion import cards, job, source
from nodes.generate._diffusion.codec import Codec
from nodes.generate._diffusion.preview import Preview, preview_of, rough
from nodes.generate._diffusion.recipe import Parts
from nodes.generate.control import control
from nodes.generate.inpaint import inpaint
from nodes.generate.picture_to_picture import picture_to_picture
from nodes.generate.text_to_picture import text_to_picture

WORDS: dict[str, Any] = {"prompt": "a chair", "steps": 3, "seed": 3, "model": "own folder"}
SIZE: dict[str, Any] = {"width": 64, "height": 64}


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    words = tiny.save_vocabulary(folder / "words" / "tokenizer", tiny.small_merges())
    for family in ("SD 1.5", "SDXL"):
        pipe = tiny.pipeline(family, words)  # type: ignore[arg-type]
        pipe.save_pretrained(folder / family)
    tiny.controlnet(tiny.pipeline("SD 1.5", words).unet, 2, 0.1).save_pretrained(folder / "net")
    return folder


def a_picture() -> Image:
    return Image.of(np.random.default_rng(1).random((64, 64, 3)))


def test_every_node_shares_one_copy(models: Path) -> None:
    run, folder = Run(wanted_device="cpu"), models / "SD 1.5"
    loads: list[str] = []
    run.report = lambda _, note: loads.append(note)
    text_to_picture(run, folder=folder, **SIZE, **WORDS)
    (name,) = run.models.names()
    with run.models.use(name, lambda: pytest.fail("it was loaded again"), 0.1) as parts:
        unet = parts.unet
    values = np.zeros((64, 64), np.float32)
    values[:32] = 1
    picture_to_picture(run, a_picture(), folder=folder, **WORDS)
    inpaint(run, a_picture(), Mask(values), folder=folder, **WORDS)
    text_to_picture(run, folder=folder, **SIZE, **{**WORDS, "scheduler": "DDIM", "seed": 9})
    guided = control(run, a_picture(), net="own folder", folder=models / "net")
    text_to_picture(run, guided, folder=folder, **SIZE, **WORDS)
    inpaint(run, a_picture(), Mask(values), guided, folder=folder, **WORDS)
    names = run.models.names()
    assert sorted(n.split()[0] for n in names) == ["controlnet", "diffusion"]
    with run.models.use(name, lambda: pytest.fail("it was loaded again"), 0.1) as parts:
        assert parts.unet is unet and isinstance(parts, Parts)
    assert loads.count("loading the denoising network") == 1
    held = sum(value.numel() * 4 for net in (parts.unet, parts.vae, *parts.texts) for value in net.parameters())
    assert run.models.held_gb("cpu") > held / 1e9


def test_cancel_comes_between_two_steps_and_leaves_the_model_loaded(models: Path) -> None:
    for stop_at in (1, 2):
        run = Run(wanted_device="cpu")
        told: list[str] = []

        def tell(_: float, note: str, run: Run = run, told: list[str] = told, stop_at: int = stop_at) -> None:
            told.append(note)
            if note.startswith(f"step {stop_at} "):
                run.stop.set()

        run.report = tell
        with pytest.raises(Cancelled):
            text_to_picture(run, folder=models / "SD 1.5", **SIZE, **{**WORDS, "steps": 5})
        assert [note for note in told if note.startswith("step")] == [f"step {i} of 5" for i in range(1, stop_at + 1)]
        assert len(run.models.names()) == 1


@pytest.mark.parametrize("part", ["text encoder", "denoising network", "picture decoder"])
def test_cancel_comes_between_two_networks_and_nothing_half_loaded_is_kept(models: Path, part: str) -> None:
    run = Run(wanted_device="cpu")
    seen: list[str] = []

    def tell(_: float, note: str) -> None:
        seen.append(note)
        if note.endswith(part):
            run.stop.set()

    run.report = tell
    run.progress(0)
    with pytest.raises(Cancelled):
        text_to_picture(run, folder=models / "SDXL", **SIZE, **WORDS)
    assert not any(note.startswith("step") for note in seen)
    assert len(run.models.names()) == (part == "picture decoder"), "only a whole model is kept"


def test_progress_rises_over_all_pictures(models: Path) -> None:
    told: list[float] = []
    run = Run(lambda done, _: told.append(done), wanted_device="cpu")
    text_to_picture(run, folder=models / "SD 1.5", count=2, **SIZE, **WORDS)
    assert told == sorted(told) and told[-1] <= 1 and len(set(told)) > 6


class Clock:
    """Stands in for the module ``time``: previews are a matter of time, and tests are not."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_a_preview_comes_at_most_four_times_a_second_and_for_four_hundredths_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.engine import run as run_module
    from nodes.generate._diffusion import preview as module

    clock, shown = Clock(), list[float]()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(run_module, "time", clock)
    run = Run(show=lambda _: shown.append(clock.now), wanted_device="cpu")
    latents = torch.zeros(1, 4, 8, 8)
    cheap = Preview(run, "SD 1.5")
    for _ in range(100):
        clock.now += 0.125
        cheap.show(latents)
    assert len(shown) == 50 and np.diff(shown).min() >= 0.25
    shown.clear()
    costly = Preview(run, "SD 1.5")

    def slow(*_: Any) -> Any:
        clock.now += 1.0
        return np.zeros((8, 8, 3), np.float32)

    monkeypatch.setattr(module, "rough", slow)
    began = clock.now
    for _ in range(200):
        clock.now += 1.0
        costly.show(latents)
    elapsed = clock.now - began
    assert 5 <= len(shown) <= 0.04 * elapsed + 1 and costly.spent == len(shown)


@pytest.mark.parametrize("name", ["Euler", "Euler a", "DPM++ 2M Karras", "DPM++ 2M SDE Karras", "DDIM", "UniPC", "LCM"])
def test_what_is_previewed_is_the_finished_picture_in_the_end(
    models: Path, name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the last step the estimate is the result."""
    seen: list[Any] = []

    class Recorder(Preview):
        def show(self, latents: Any) -> None:
            seen.append(latents.clone())

    run = Run(wanted_device="cpu")
    monkeypatch.setattr(job, "preview_of", lambda *_: nullcontext(Recorder(run, "SD 1.5")))
    made = text_to_picture(run, folder=models / "SD 1.5", scheduler=name, **SIZE, **WORDS).out
    (pooled,) = run.models.names()
    with run.models.use(pooled, lambda: None, 0) as parts:
        decoded = Codec(parts.vae, Placement("cpu")).pictures(seen[-1])[0]
    assert len(seen) == 3 and np.abs(decoded - made.rgb).max() < 0.02


def test_previews_change_nothing_and_can_be_switched_off(models: Path) -> None:
    pictures: list[Any] = []
    run = Run(show=pictures.append, wanted_device="cpu")
    with_them = text_to_picture(run, folder=models / "SD 1.5", **SIZE, **WORDS).out
    assert pictures and pictures[0].size == (32, 32)
    count = len(pictures)
    time.sleep(0.3)
    without = text_to_picture(run, folder=models / "SD 1.5", preview="off", **SIZE, **WORDS).out
    assert len(pictures) == count and np.array_equal(with_them.pixels, without.pixels)


def test_rough_colours_are_the_published_map() -> None:
    latents = torch.zeros(1, 4, 2, 2)
    latents[0, 0] = 1.0
    assert np.allclose(rough(latents, "SD 1.5"), np.asarray([0.798, 0.707, 0.708]), atol=1e-6)
    assert rough(torch.full((1, 4, 2, 2), float("nan")), "SDXL").shape == (8, 8, 3)


def test_the_tiny_decoder_is_used_where_its_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny decoder of the real class; a stand-in for the published numbers, so the checksum is not looked at."""
    from diffusers import AutoencoderTiny

    from nodes.generate._diffusion import preview as module

    torch.manual_seed(0)
    decoder, card = AutoencoderTiny(), cards.PREVIEWS["SDXL"]
    path = tmp_path / "tiny.safetensors"
    save_file(decoder.state_dict(), path)
    assert abs(path.stat().st_size / card.files[0].size - 1) < 0.01, "the published file is this class in 32 bits"
    monkeypatch.setattr(module, "path_of", lambda card, name: path)
    pictures: list[Any] = []
    run = Run(show=pictures.append, wanted_device="cpu")
    latents = torch.randn(1, 4, 8, 8)
    with preview_of(run, "auto", "SDXL", "cpu", torch.float32) as on_cpu:
        assert on_cpu is not None and on_cpu._decoder is None, "on a CPU it would take too long"
    monkeypatch.setattr(module, "ON_GPU", ("cpu",))
    with preview_of(run, "auto", "SDXL", "cpu", torch.float32) as found:
        assert found is not None
        found.show(latents)
    with torch.inference_mode():
        expected = (decoder.decode(latents).sample[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    assert pictures[0].size == (64, 64) and np.abs(pictures[0].rgb - expected).max() < 1e-5
    assert not place_of(card, card.files[0].name).exists()


def test_the_codec_never_changes_the_shared_network(models: Path) -> None:
    """A pipeline of SDXL asks its picture decoder to change precision; the pooled one stays as it is."""
    run = Run(wanted_device="cpu")
    picture_to_picture(run, a_picture(), folder=models / "SDXL", **WORDS)
    (name,) = run.models.names()
    with run.models.use(name, lambda: None, 0) as parts:
        codec = Codec(parts.vae, Placement("cpu", half=True))
        assert parts.vae.config.force_upcast and not codec.config.force_upcast
        codec.to(dtype=torch.float16)
        found = codec.encode(torch.zeros(1, 3, 64, 64, dtype=torch.float16)).latent_dist
        assert found.mean.dtype == torch.float16 and parts.vae.dtype == torch.float32
        tiled = Codec(parts.vae, Placement("cpu", tiling=True)).pictures(torch.randn(1, 4, 8, 8))[0]
        assert tiled.shape == (64, 64, 3) and parts.vae.use_tiling
        Codec(parts.vae, Placement("cpu")).pictures(torch.randn(1, 4, 8, 8))
        assert not parts.vae.use_tiling


def test_little_memory_gives_the_same_picture(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, folder = Run(wanted_device="cpu"), models / "SD 1.5"
    plain = text_to_picture(run, folder=folder, **SIZE, **WORDS).out
    monkeypatch.setattr(source, "place", lambda *_: Placement("cpu", slicing=True, tiling=True))
    sliced = text_to_picture(run, folder=folder, **SIZE, **WORDS).out
    assert np.abs(plain.rgb - sliced.rgb).max() < 1e-4 and len(run.models.names()) == 1
    monkeypatch.undo()
    assert np.array_equal(text_to_picture(run, folder=folder, **SIZE, **WORDS).out.pixels, plain.pixels)


def test_words_and_controls_come_over_links(models: Path) -> None:
    from nodes.value.text import text

    work = Workspace(text_to_picture, text)
    words = work.add("value.text", value="a chair")
    made = work.add("generate.text_to_picture", prompt=words, folder=str(models / "SD 1.5"), **SIZE,
                    **{k: v for k, v in WORDS.items() if k != "prompt"})  # fmt: skip
    result = work.run()[made]
    alone = text_to_picture(Run(wanted_device="cpu"), folder=models / "SD 1.5", **SIZE, **WORDS)
    assert np.array_equal(getattr(result, "out", result).pixels, alone.out.pixels)


def test_the_safety_checker_of_a_folder_blacks_out_what_it_objects_to(models: Path, tmp_path: Path) -> None:
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    folder = tmp_path / "with"
    shutil.copytree(models / "SD 1.5", folder)
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**size, "image_size": 16, "patch_size": 8, "projection_dim": 16}
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, text_config=size, projection_dim=16))
    checker.save_pretrained(folder / "safety_checker")
    CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}).save_pretrained(
        folder / "feature_extractor"
    )
    assert json.loads((folder / "safety_checker" / "config.json").read_text())["projection_dim"] == 16
    for limit, black in ((2.0, False), (-2.0, True)):
        checker.concept_embeds_weights.data[:] = limit
        checker.special_care_embeds_weights.data[:] = limit
        checker.save_pretrained(folder / "safety_checker")
        run = Run(wanted_device="cpu")
        made = text_to_picture(run, folder=folder, safety=True, **SIZE, **WORDS).out
        assert (made.rgb.max() == 0) == black and bool(run.notes) == black


def test_the_benchmark_for_a_gpu_machine_runs_with_small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    monkeypatch.setattr("nodes.generate._diffusion.preview.path_of", None)
    monkeypatch.setattr("nodes.generate._diffusion.preview.ON_GPU", ())
    monkeypatch.delenv("OUT", raising=False)
    import gpu_diffusion

    result = gpu_diffusion.main(["--tiny", "--device", "cpu", "--rounds", "1", "--few", "1", "--many", "2"])
    for family in ("SD 1.5", "SDXL"):
        ways = result["families"][family]["ways"]
        assert set(ways) == {"direct", "node, no previews", "node, rough previews", "node, TAESD previews"}
        assert ways["direct"]["over_direct"] == 0 and all("step_s" in way for way in ways.values())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_seed_means_the_same_noise_in_every_precision(dtype: torch.dtype) -> None:
    from diffusers.utils.torch_utils import randn_tensor

    from nodes.generate._diffusion.noise import draw_in_full_precision

    draw_in_full_precision()
    draw_in_full_precision()
    full, half = (
        randn_tensor((2, 4, 16, 16), [torch.Generator().manual_seed(seed) for seed in (1, 2)], dtype=kind)
        for kind in (torch.float32, dtype)
    )
    assert half.dtype == dtype and torch.equal(half, full.to(dtype))
    assert torch.equal(full[:1], torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(1)))

"""Transparent pictures with a tiny SDXL and tiny LayerDiffuse networks, through the node's own loading path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusion_models as tiny
import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from safetensors.torch import save_file

from app.engine import BadFile, BadInput, Cancelled, Image, MissingWeights, Run
from app.engine.weight_files import needed
from nodes.generate._diffusion.schedulers import scheduler
from nodes.generate._layerdiffuse.decoder import Decoder, Shape, agreed, single
from nodes.generate._layerdiffuse.encoder import OffsetEncoder
from nodes.generate._layerdiffuse.files import CARD, with_added
from nodes.generate._layerdiffuse.method import laid_on
from nodes.generate._layerdiffuse.padding import padded
from nodes.generate.text_to_picture import text_to_picture
from nodes.generate.transparent import MODELS, transparent
from nodes.io.export_png import export_png

WORDS: dict[str, Any] = {"prompt": "a chair", "negative": "red", "steps": 3, "guidance": 5.0, "seed": 7}
SIZE = {"width": 64, "height": 64}


@dataclass(frozen=True)
class Files:
    """``folder``: a tiny SDXL; the rest: tiny networks of LayerDiffuse for it."""

    folder: Path
    attention: Path
    decoder: Path
    encoder: Path

    @property
    def given(self) -> dict[str, Any]:
        own = {"attention": self.attention, "decoder": self.decoder, "encoder": self.encoder}
        return {"model": "own folder", "folder": self.folder, "layers": "own files", **own}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    place = tmp_path_factory.mktemp("models")
    words = tiny.save_vocabulary(place / "words" / "tokenizer", tiny.small_merges())
    pipe = tiny.pipeline("SDXL", words)
    pipe.save_pretrained(place / "SDXL")
    tiny.pipeline("SD 1.5", words).save_pretrained(place / "SD 1.5")
    torch.manual_seed(3)
    names = [name for name in pipe.unet.state_dict() if ".attn1." in name or ".attn2." in name]
    added = {name: 0.05 * torch.randn(pipe.unet.state_dict()[name].shape) for name in names}
    networks = {"decoder": Decoder(Shape((8, 8, 8, 16), 1, frozenset({3}))), "encoder": OffsetEncoder((4,) * 9)}
    save_file(added, place / "attention.safetensors")
    for name, network in networks.items():
        save_file(network.state_dict(), place / f"{name}.safetensors")
    return Files(place / "SDXL", *(place / f"{name}.safetensors" for name in ("attention", "decoder", "encoder")))


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def warm() -> Run:
    """One pool for the whole file."""
    return Run(wanted_device="cpu")


@pytest.fixture
def cpu(warm: Run) -> Run:
    return Run(wanted_device="cpu", models=warm.models)


def loaded(path: Path, network: Any) -> Any:
    from safetensors.torch import load_file

    network.load_state_dict(load_file(path), strict=True)
    return network.eval()


def direct(files: Files, task: str, **more: Any) -> tuple[Any, Any]:
    """(pipeline, finished latents divided by the factor): the library's own, with the file added key by key."""
    import diffusers
    from safetensors.torch import load_file

    pipe = getattr(diffusers, f"AutoPipelineFor{task}").from_pretrained(files.folder, local_files_only=True)
    for net in (part for part in pipe.components.values() if isinstance(part, torch.nn.Module)):
        for weight in net.parameters():
            weight.data = weight.data.clone()
    state, added = pipe.unet.state_dict(), load_file(files.attention)
    pipe.unet.load_state_dict({name: state[name] + added[name] if name in added else state[name] for name in state})
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = scheduler("DPM++ 2M Karras", dict(pipe.scheduler.config))
    if callable(more.get("image")):
        more["image"] = more["image"](pipe.vae)
    latents = pipe(
        "a chair", negative_prompt="red", num_inference_steps=3, guidance_scale=5.0, output_type="latent",
        generator=torch.Generator().manual_seed(7), **more,
    ).images  # fmt: skip
    return pipe, latents / pipe.vae.config.scaling_factor


def decoded(files: Files, pipe: Any, latents: Any, careful: bool = True) -> np.ndarray[Any, Any]:
    """(H, W, 4), red, green, blue, alpha."""
    network = loaded(files.decoder, Decoder(Shape((8, 8, 8, 16), 1, frozenset({3}))))
    with torch.inference_mode():
        pixels = (pipe.vae.decode(latents).sample * 0.5 + 0.5).clamp(0, 1)
        out = agreed(network, pixels, latents, lambda _: None) if careful else single(network, pixels, latents)
    return out.clamp(0, 1)[0].permute(1, 2, 0).numpy()[..., [1, 2, 3, 0]]


@pytest.mark.parametrize("careful", [True, False])
def test_words_give_what_the_parts_give_one_by_one(files: Files, cpu: Run, careful: bool) -> None:
    made = transparent(cpu, careful=careful, **files.given, **SIZE, **WORDS)
    expected = decoded(files, *direct(files, "Text2Image", **SIZE), careful)
    assert made.out.size == (64, 64) and np.ptp(expected[..., 3]) > 0.01
    assert np.abs(made.out.pixels - expected).max() < 1e-5


def test_a_gpu_gives_the_same_picture(files: Files, cpu: Run) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    gpu = transparent(Run(wanted_device="cuda"), half=False, **files.given, **SIZE, **WORDS)
    assert np.abs(gpu.out.pixels - transparent(cpu, **files.given, **SIZE, **WORDS).out.pixels).max() < 0.02
    reduced = transparent(Run(wanted_device="cuda"), cut_out(), **files.given, **SIZE, **WORDS)
    whole = transparent(cpu, cut_out(), **files.given, **SIZE, **WORDS)
    assert np.abs(reduced.out.pixels - whole.out.pixels).mean() < 0.02, "the seed means the same in half precision"


def test_a_shared_model_stays_as_it_was(files: Files, cpu: Run) -> None:
    plain: dict[str, Any] = {"model": "own folder", "folder": files.folder, **SIZE, **WORDS}
    before = text_to_picture(cpu, **plain).out
    first = transparent(cpu, **files.given, **SIZE, **WORDS).out
    assert text_to_picture(cpu, **plain).out.pixels.tobytes() == before.pixels.tobytes()
    assert transparent(cpu, **files.given, **SIZE, **WORDS).out.pixels.tobytes() == first.pixels.tobytes()
    assert sum("diffusion" in name for name in cpu.models.names()) == 1, "one SDXL for both"
    assert not np.allclose(first.rgb, before.rgb, atol=0.02)


def test_only_what_is_added_to_is_held_twice(files: Files) -> None:
    import diffusers

    unet = diffusers.UNet2DConditionModel.from_pretrained(files.folder / "unet", local_files_only=True)
    before = {name: value.clone() for name, value in unet.state_dict().items()}
    merged = with_added(unet, files.attention, lambda _: None)
    for (name, value), other in zip(unet.state_dict().items(), merged.state_dict().values(), strict=True):
        assert (value.data_ptr() == other.data_ptr()) == (".attn" not in name)
    merged.half()
    assert all(torch.equal(value, before[name]) for name, value in unet.state_dict().items())


def test_adding_in_half_precision_rounds_once() -> None:
    from nodes.generate._layerdiffuse.files import _sum

    torch.manual_seed(0)
    one, two = torch.randn(4096).half(), (torch.randn(4096) * 1e-3).half()
    assert torch.equal(_sum(one, two), one + two) and _sum(one.float(), two).dtype == torch.float32


def cut_out(height: int = 48, width: int = 64) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    alpha = np.clip(18 - np.hypot(x - width / 2, y - height / 2), 0, 1)
    return Image(np.stack([x / width, y / height, alpha * 0.5, alpha], -1))


def test_a_transparent_picture_is_made_anew_through_the_encoder(files: Files, cpu: Run) -> None:
    image = cut_out()
    rgba = laid_on(image, (64, 64))
    made = transparent(cpu, image, strength=0.7, **files.given, **SIZE, **WORDS)
    network = loaded(files.encoder, OffsetEncoder((4,) * 9))

    def start(vae: Any) -> Any:
        planes = torch.from_numpy(rgba.transpose(2, 0, 1)[None].copy())
        filled = torch.from_numpy(padded(rgba).transpose(2, 0, 1)[None].copy())
        with torch.inference_mode():
            found = vae.encode((planes[:, :3] * 2 - 1) * planes[:, 3:]).latent_dist
            offset = network(torch.cat([planes[:, 3:], filled], 1)) * 300
            return (found.mean + found.std * offset) * vae.config.scaling_factor

    expected = decoded(files, *direct(files, "Image2Image", image=start, strength=0.7))
    assert np.abs(made.out.pixels - expected).max() < 1e-4
    hidden = image.pixels.copy()
    hidden[image.alpha == 0, :3] = 0.9
    other = transparent(cpu, Image(hidden), strength=0.7, **files.given, **SIZE, **WORDS)
    assert np.abs(other.out.pixels - made.out.pixels).max() < 1e-4, "hidden colours do not count"
    kept = transparent(cpu, image, strength=0.0, **files.given, **SIZE, **WORDS)
    assert kept.out.size == (64, 64) and any("No step" in note for note in cpu.notes)


def test_where_a_picture_is_laid() -> None:
    assert np.array_equal(laid_on(cut_out(64, 64), (64, 64)), cut_out(64, 64).pixels)
    wide = laid_on(Image.of(np.full((20, 80, 3), 0.5)), (128, 128))
    rows = np.flatnonzero(wide[:, 64, 3] > 0.5)
    assert wide.shape == (128, 128, 4) and (rows[0], rows[-1]) == (48, 79) and (wide[48:80, :, 3] == 1).all()
    for size in ((1, 1), (1, 300), (999, 2)):
        assert laid_on(Image.of(np.ones((*size, 3))), (64, 128)).shape == (128, 64, 4)


def test_the_saved_file_has_straight_alpha(files: Files, cpu: Run, tmp_path: Path) -> None:
    made = transparent(cpu, count=2, **files.given, **{**SIZE, "width": 120}, **WORDS)
    assert made.out.size == (64, 64) and len(made.all.images) == 2, "sizes are multiples of 64"
    data = export_png(Run(), made.out, transparency="always").contents[0]
    (tmp_path / "a.png").write_bytes(data.tobytes())
    saved = np.asarray(Pictures.open(tmp_path / "a.png"))
    assert saved.shape == (64, 64, 4) and np.array_equal(saved, np.rint(made.out.pixels * 255))


def test_files_for_something_else_are_refused_in_words(files: Files, cpu: Run, tmp_path: Path) -> None:
    given = {**files.given, **SIZE, **WORDS}
    save_file({"down_blocks.0.x.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save_file({"conv_in.weight": torch.zeros(3)}, tmp_path / "shape.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(files.decoder.read_bytes()[:5000])
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"attention": tmp_path / "other.safetensors"}, BadFile, r"other\.safetensors does not fit .* knows 0 by name"),
        ({"attention": tmp_path / "shape.safetensors"}, BadFile, "knows 1 by name and 0 by shape"),
        ({"decoder": files.encoder}, BadFile, "no transparent decoder"),
        ({"decoder": tmp_path / "cut.safetensors"}, BadFile, "damaged"),
        ({"decoder": Path()}, BadInput, "No decoder file"),
        ({"folder": files.folder.with_name("SD 1.5")}, BadInput, "SD 1.5"),
    ]
    for change, kind, words in cases:
        with pytest.raises(kind, match=words) as told:
            transparent(cpu, **{**given, **change})
        assert told.value.advice
    for wrong in (files.decoder, Path()):
        with pytest.raises(BadInput, match="encoder"):
            transparent(cpu, cut_out(), **{**given, "encoder": wrong})


def test_tensors_that_belong_nowhere_are_told(files: Files, cpu: Run, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    save_file({**load_file(files.attention), "stray": torch.zeros(2)}, tmp_path / "more.safetensors")
    made = transparent(cpu, **{**files.given, **SIZE, **WORDS, "attention": tmp_path / "more.safetensors"})
    assert any("1 of" in note and "left out" in note for note in cpu.notes)
    usual = transparent(cpu, **files.given, **SIZE, **WORDS)
    assert made.out.pixels.tobytes() == usual.out.pixels.tobytes()


def test_cancel_acts_between_steps_and_between_passes(files: Files, warm: Run) -> None:
    for words in ("step 2", "transparency"):
        run = Run(wanted_device="cpu", models=warm.models)
        run.report = lambda _, note, run=run, words=words: run.stop.set() if words in note else None  # type: ignore[misc]
        with pytest.raises(Cancelled):
            transparent(run, **files.given, **SIZE, **WORDS)


def test_without_files_the_node_says_which_it_needs(files: Files, cpu: Run) -> None:
    with pytest.raises(MissingWeights, match="LayerDiffuse for SDXL") as told:
        transparent(cpu, **WORDS)
    assert "main.py weights fetch layerdiffuse-sdxl" in told.value.advice
    handles = [card.handle for card in needed(MODELS, {"model": "SDXL", "layers": "published"})]
    assert handles == ["sdxl", CARD.handle]

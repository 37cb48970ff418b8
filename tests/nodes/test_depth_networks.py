"""Depth and normals by networks: tiny random ones of the real classes, through the node's own loading path."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from model_folders import depth_anything, dpt, marigold
from safetensors.torch import load_file, save_file

from app.engine import BadFile, BadInput, BadParam, Cancelled, Image, MissingWeights, Run
from app.engine.devices import choose_device
from nodes.depth import _cards as cards
from nodes.depth._maps import metres_of
from nodes.depth.estimate import estimate
from nodes.depth.marigold_normals import marigold_normals


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("networks")
    return {
        "depth_anything": depth_anything(root / "anything"),
        "metric": depth_anything(root / "metric", metric=True),
        "dpt": dpt(root / "dpt"),
        "marigold": marigold(root / "marigold"),
    }


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


def picture(width: int = 60, height: int = 44) -> Image:
    rng = np.random.default_rng(4)
    soft = rng.random((6, 8, 3)).astype(np.float32)
    import cv2

    return Image.of(np.clip(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1))


def direct(kind: str, folder: Path, image: Image) -> np.ndarray:
    """(H, W): what the library gives when it is called by its own documentation."""
    import transformers

    model = getattr(transformers, kind).from_pretrained(folder, local_files_only=True).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    inputs = processor(torch.from_numpy(image.rgb.transpose(2, 0, 1).copy()), do_rescale=False, return_tensors="pt")
    with torch.no_grad():
        out = processor.post_process_depth_estimation(model(**inputs), target_sizes=[image.size[::-1]])
    return np.asarray(out[0]["predicted_depth"])


@pytest.mark.parametrize(
    ("name", "kind"), [("depth_anything", "DepthAnythingForDepthEstimation"), ("dpt", "DPTForDepthEstimation")]
)
def test_relative_depth_is_the_library_s_put_into_the_range(
    folders: dict[str, Path], cpu: Run, name: str, kind: str
) -> None:
    image = picture()
    raw = direct(kind, folders[name], image)
    assert np.ptp(raw) > 1e-6
    got = estimate(cpu, image, "own folder", folders[name], near=0.5, far=8)
    assert np.abs(got.depth.metres / metres_of(raw, 0.5, 8) - 1).max() < 1e-4
    assert got.depth.metres.min() == pytest.approx(0.5) and got.depth.metres.max() == pytest.approx(8, rel=1e-5)
    assert np.allclose(got.map.rgb[..., 0], (raw - raw.min()) / np.ptp(raw), atol=1e-4)
    assert got.map.space == got.normals.space == "data" and got.normals.size == image.size
    again = estimate(Run(wanted_device="cpu"), image, "own folder", folders[name], near=0.5, far=8)
    assert np.array_equal(again.depth.metres, got.depth.metres)


def test_metric_depth_keeps_its_metres(folders: dict[str, Path], cpu: Run) -> None:
    raw = direct("DepthAnythingForDepthEstimation", folders["metric"], picture())
    got = estimate(cpu, picture(), "own folder", folders["metric"], near=1, far=2)
    assert np.allclose(got.depth.metres, raw, rtol=1e-4) and raw.max() > 5


def test_depth_is_unknown_where_nothing_is_seen_and_one_network_serves_two_runs(
    folders: dict[str, Path], cpu: Run
) -> None:
    pixels = picture().pixels.copy()
    pixels[:, :20, 3] = 0
    got = estimate(cpu, Image(pixels), "own folder", folders["dpt"])
    assert np.isnan(got.depth.metres[:, :20]).all() and np.isfinite(got.depth.metres[:, 20:]).all()
    assert not got.map.rgb[:, :20].any() and np.allclose(got.normals.rgb[:, :20], (0.5, 0.5, 1))
    estimate(cpu, picture(), "own folder", folders["dpt"])
    assert len(cpu.models.names()) == 1


def test_the_units_of_dpt_that_never_run_may_be_absent_and_pickles_of_tensors_are_read(
    folders: dict[str, Path], cpu: Run, tmp_path: Path
) -> None:
    folder = shutil.copytree(folders["dpt"], tmp_path / "bin")
    tensors = load_file(folder / "model.safetensors")
    kept = {k: v for k, v in tensors.items() if not k.startswith("neck.fusion_stage.layers.0.residual_layer1.")}
    assert len(kept) < len(tensors)
    (folder / "model.safetensors").unlink()
    torch.save(kept, folder / "pytorch_model.bin")
    first, second = (estimate(cpu, picture(), "own folder", f).depth.metres for f in (folder, folders["dpt"]))
    assert np.allclose(first, second, rtol=1e-5), "but for the order in which the processor adds"


def spoiled(folder: Path, how: str) -> str:
    """Break a copied folder; what the message must hold."""
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    name = next(k for k in tensors if k.endswith("projection.weight"))
    if how == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1000])
        return "damaged"
    if how == "no weights":
        weights.unlink()
        return "holds no model.safetensors"
    if how == "no config":
        (folder / "config.json").unlink()
        return "holds no config.json"
    if how == "bad config":
        (folder / "config.json").write_text("{")
        return "damaged"
    if how == "other kind":
        (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
        return "another kind"
    changed = {
        "missing": {k: v for k, v in tensors.items() if k != name},
        "unknown": {**tensors, "more": torch.ones(2)},
    }
    save_file(changed.get(how, {**tensors, name: torch.zeros(3, 3)}), weights)
    return {"missing": f"missing ({name}", "unknown": "unknown (more", "misshapen": f"misshapen ({name}"}[how]


@pytest.mark.parametrize(
    "how", ["truncated", "no weights", "no config", "bad config", "other kind", "missing", "unknown", "misshapen"]
)
def test_a_folder_that_does_not_fit_is_refused_in_words(
    folders: dict[str, Path], cpu: Run, tmp_path: Path, how: str
) -> None:
    folder = shutil.copytree(folders["depth_anything"], tmp_path / "broken")
    words = spoiled(folder, how)
    with pytest.raises(BadFile) as told:
        estimate(cpu, picture(), "own folder", folder)
    assert words in told.value.message and told.value.advice
    assert cpu.models.names() == ()


def test_what_cannot_work_is_said_first(cpu: Run, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="folder is chosen"):
        estimate(cpu, picture(), "own folder")
    with pytest.raises(BadParam, match="not nearer"):
        estimate(cpu, picture(), "own folder", folders["dpt"], near=4, far=4)
    with pytest.raises(BadInput, match="4 x 4"):
        estimate(cpu, picture(4, 4), "own folder", folders["dpt"])
    with pytest.raises(MissingWeights, match="Depth Anything V2"):
        estimate(cpu, picture())


def test_marigold_is_the_library_s_pipeline(folders: dict[str, Path], cpu: Run) -> None:
    from diffusers import MarigoldNormalsPipeline

    image = picture(48, 40)
    pipe = MarigoldNormalsPipeline.from_pretrained(folders["marigold"], local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    tensor = torch.from_numpy(image.rgb.transpose(2, 0, 1)[None].copy())
    noise = torch.Generator().manual_seed(7)
    expected = pipe(tensor, num_inference_steps=2, processing_resolution=64, generator=noise).prediction[0]
    got = marigold_normals(cpu, image, "own folder", folders["marigold"], steps=2, resolution=64, seed=7)
    assert got.space == "data" and got.size == image.size
    assert np.abs(got.rgb - (expected + 1) / 2).max() < 1e-4
    other = marigold_normals(cpu, image, "own folder", folders["marigold"], steps=2, resolution=64, seed=8)
    assert np.abs(other.rgb - got.rgb).max() > 1e-3 and len(cpu.models.names()) == 1


def test_marigold_stops_between_steps(folders: dict[str, Path]) -> None:
    told: list[float] = []
    run = Run(wanted_device="cpu")

    def report(share: float, _: str) -> None:
        told.append(share)
        if share > 0.3:
            run.stop.set()

    run.report = report
    with pytest.raises(Cancelled):
        marigold_normals(run, picture(48, 40), "own folder", folders["marigold"], steps=8, resolution=64)
    assert len(told) == 4 and told == sorted(told), "it stops before the next look of the network"
    run.stop.clear()
    whole = marigold_normals(
        run.__class__(wanted_device="cpu"), picture(48, 40), "own folder", folders["marigold"], steps=1
    )
    assert whole.size == (48, 40)


@pytest.mark.parametrize("part", ["model_index.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json"])
def test_a_marigold_folder_without_a_part_is_refused(
    folders: dict[str, Path], cpu: Run, tmp_path: Path, part: str
) -> None:
    folder = shutil.copytree(folders["marigold"], tmp_path / "broken")
    path = folder / part
    path.write_bytes(path.read_bytes()[:-40]) if part.startswith("unet") else path.unlink()
    with pytest.raises(BadFile) as told:
        marigold_normals(cpu, picture(), "own folder", folder)
    assert told.value.advice and cpu.models.names() == ()


def test_half_precision_files_are_found(tmp_path: Path, cpu: Run) -> None:
    folder = marigold(tmp_path / "half", half=True)
    assert (folder / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    got = marigold_normals(cpu, picture(48, 40), "own folder", folder, steps=1, resolution=64)
    assert np.isfinite(got.pixels).all()


def test_half_precision_on_a_gpu_is_close_to_full(folders: dict[str, Path], cpu: Run) -> None:
    device = choose_device("auto")
    if device == "cpu":
        pytest.skip("this machine has no GPU")
    gpu = Run(wanted_device=device)
    for name in ("depth_anything", "dpt"):
        maps = [estimate(run, picture(), "own folder", folders[name]).map.rgb for run in (gpu, cpu)]
        assert np.abs(maps[0] - maps[1]).max() < 0.01, name
    maps = [
        marigold_normals(run, picture(48, 40), "own folder", folders["marigold"], steps=2, resolution=64).rgb
        for run in (gpu, cpu)
    ]
    assert np.abs(maps[0] - maps[1]).mean() < 0.03, "the noise is the same on every device"


def bytes_of(model: torch.nn.Module, without: str = "nothing") -> int:
    return sum(v.numel() * v.element_size() for k, v in model.state_dict().items() if not k.startswith(without))


def test_published_files_are_as_large_as_the_library_s_networks() -> None:
    """The sizes on the cards, but for headers of a few hundred bytes a tensor."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTConfig, DPTForDepthEstimation

    unused = "neck.fusion_stage.layers.0.residual_layer1"
    large = DPTConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, image_size=384,
        backbone_out_indices=[5, 11, 17, 23], neck_hidden_sizes=[256, 512, 1024, 1024],
    )  # fmt: skip
    hybrid = DPTConfig(
        is_hybrid=True, image_size=384, backbone_out_indices=[2, 5, 8, 11], neck_hidden_sizes=[256, 512, 768, 768],
        reassemble_factors=[1, 1, 1, 0.5], neck_ignore_stages=[0, 1], readout_type="project",
    )  # fmt: skip
    with torch.device("meta"):
        found = (
            bytes_of(DepthAnythingForDepthEstimation(DepthAnythingConfig())),
            bytes_of(DPTForDepthEstimation(large), unused),
            bytes_of(DPTForDepthEstimation(hybrid)),
        )
    for card, size in zip(cards.DEPTH, found, strict=True):
        assert 0 < card.files[-1].size - size < 200_000, card.label

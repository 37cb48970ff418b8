"""ControlNet: the networks as they are published, and what their maps do, with tiny networks of the real classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import diffusion_models as tiny
import numpy as np
import original_names
import pytest
import torch
from safetensors.torch import save_file

from app.engine import BadFile, BadInput, BadParam, Controls, Image, Mask, MissingWeights, Run
from app.engine.codec import digest, encode
from app.engine.weight_files import needed
from nodes.generate._diffusion import net_cards, nets
from nodes.generate._diffusion.facts import FAMILIES, FamilyName
from nodes.generate._diffusion.nets import file_net
from nodes.generate._diffusion.schedulers import scheduler
from nodes.generate.control import control
from nodes.generate.inpaint import inpaint
from nodes.generate.picture_to_picture import picture_to_picture
from nodes.generate.text_to_picture import text_to_picture

WORDS: dict[str, Any] = {"prompt": "a chair", "steps": 4, "seed": 3, "model": "own folder"}
SIZE: dict[str, Any] = {"width": 64, "height": 64}


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By family: the model and two ControlNets that say something, one that is as training begins."""
    folder = tmp_path_factory.mktemp("models")
    words = tiny.save_vocabulary(folder / "words" / "tokenizer", tiny.small_merges())
    for family in ("SD 1.5", "SDXL"):
        pipe = tiny.pipeline(family, words)  # type: ignore[arg-type]
        pipe.save_pretrained(folder / family / "model")
        for name, seed, scale in (("zero", 1, 0.0), ("a", 2, 0.1), ("b", 3, 0.1)):
            tiny.controlnet(pipe.unet, seed, scale).save_pretrained(folder / family / name)
    return folder


@pytest.fixture(scope="module")
def warm() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture
def cpu(warm: Run) -> Run:
    return Run(wanted_device="cpu", models=warm.models)


def a_map(seed: int = 0) -> Image:
    return Image.of(np.random.default_rng(seed).random((32, 32, 3)))


def guided(cpu: Run, folder: Path, name: str, more: Controls | None = None, **how: Any) -> Controls:
    return control(cpu, a_map(), more, net="own folder", folder=folder / name, **how)


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
def test_a_network_as_training_begins_leaves_the_picture_and_one_that_learned_changes_it(
    models: Path, cpu: Run, family: str
) -> None:
    folder = models / family
    plain = text_to_picture(cpu, folder=folder / "model", **SIZE, **WORDS).out
    zero = text_to_picture(cpu, guided(cpu, folder, "zero"), folder=folder / "model", **SIZE, **WORDS).out
    changed = text_to_picture(cpu, guided(cpu, folder, "a"), folder=folder / "model", **SIZE, **WORDS).out
    silent = text_to_picture(cpu, guided(cpu, folder, "a", strength=0.0), folder=folder / "model", **SIZE, **WORDS).out
    assert np.array_equal(zero.pixels, plain.pixels) and np.array_equal(silent.pixels, plain.pixels)
    assert np.abs(changed.rgb - plain.rgb).max() > 0.01


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
def test_several_maps_at_once(models: Path, cpu: Run, family: str) -> None:
    folder = models / family

    def made(controls: Controls) -> Any:
        return text_to_picture(cpu, controls, folder=folder / "model", **SIZE, **WORDS).out.pixels

    one, other = guided(cpu, folder, "a"), guided(cpu, folder, "b")
    with_silent = guided(cpu, folder, "b", one, strength=0.0)
    both = guided(cpu, folder, "b", one)
    assert both.nets == ("own folder",) * 2 and both.strengths.tolist() == [1, 1]
    assert np.abs(made(with_silent) - made(one)).max() < 1e-5
    assert np.abs(made(both) - made(one)).max() > 1e-3 and np.abs(made(both) - made(other)).max() > 1e-3


def test_it_counts_only_in_its_range_of_steps(models: Path, cpu: Run) -> None:
    folder = models / "SD 1.5"

    def made(controls: Controls | None) -> Any:
        return text_to_picture(cpu, controls, folder=folder / "model", **SIZE, **WORDS).out.pixels

    plain, always = made(None), made(guided(cpu, folder, "a"))
    first = made(guided(cpu, folder, "a", end=0.5))
    last = made(guided(cpu, folder, "a", start=0.5))
    never = made(guided(cpu, folder, "a", start=0.9, end=0.95))
    assert np.array_equal(never, plain)
    assert len({picture.tobytes() for picture in (plain, always, first, last)}) == 4
    shared = guided(cpu, folder, "a", guided(cpu, folder, "a", end=0.5), start=0.5)
    assert np.abs(made(shared) - always).max() < 1e-5, "first half and second half make the whole"


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
def test_it_is_what_the_library_gives(models: Path, cpu: Run, family: str) -> None:
    import diffusers

    folder = models / family
    controls = guided(cpu, folder, "b", guided(cpu, folder, "a", strength=0.5, end=0.75), strength=1.5)
    both = [diffusers.ControlNetModel.from_pretrained(folder / name, local_files_only=True) for name in ("a", "b")]
    plain = {} if family == "SDXL" else {"safety_checker": None, "requires_safety_checker": False}
    pipe = diffusers.AutoPipelineForText2Image.from_pretrained(
        folder / "model", controlnet=both, local_files_only=True, **plain
    )
    pipe.scheduler = scheduler("DPM++ 2M Karras", dict(pipe.scheduler.config))
    pipe.set_progress_bar_config(disable=True)
    planes = torch.from_numpy(controls.maps[0].rgb.transpose(2, 0, 1)[None].copy())
    planes = torch.nn.functional.interpolate(planes, size=(64, 64), mode="bilinear")
    expected = pipe(
        "a chair", num_inference_steps=4, guidance_scale=7.0, width=64, height=64, output_type="np",
        generator=torch.Generator().manual_seed(3), image=[planes, planes], controlnet_conditioning_scale=[0.5, 1.5],
        control_guidance_start=[0.0, 0.0], control_guidance_end=[0.75, 1.0],
    ).images[0]  # fmt: skip
    made = text_to_picture(cpu, controls, folder=folder / "model", **SIZE, **WORDS).out
    assert np.abs(made.rgb - expected).max() < 1e-4


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
def test_pictures_and_masks_are_guided_too(models: Path, cpu: Run, family: str) -> None:
    folder, image = models / family, Image.of(np.random.default_rng(5).random((64, 64, 3)))
    values = np.zeros((64, 64), np.float32)
    values[8:40, 8:40] = 1
    for name, same in (("zero", True), ("a", False)):
        controls = guided(cpu, folder, name)
        how: dict[str, Any] = {"folder": folder / "model", **WORDS}
        pairs = [
            [picture_to_picture(cpu, image, c, **how).out.pixels for c in (None, controls)],
            [inpaint(cpu, image, Mask(values), c, **how).out.pixels for c in (None, controls)],
        ]
        assert all(np.allclose(plain, made, atol=1e-5) == same for plain, made in pairs)


@pytest.mark.parametrize("family", ["SD 1.5", "SDXL"])
@pytest.mark.parametrize("layout", ["original", "under control_model", "diffusers"])
def test_one_file_is_the_network_of_the_folder(
    models: Path, cpu: Run, tmp_path: Path, family: FamilyName, layout: str
) -> None:
    from diffusers import ControlNetModel

    net = ControlNetModel.from_pretrained(models / family / "a", local_files_only=True)
    tensors = net.state_dict() if layout == "diffusers" else original_names.unet_tensors(net)
    if layout == "under control_model":
        tensors = {f"control_model.{key}": value for key, value in tensors.items()}
    path = tmp_path / "net.safetensors"
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, path)
    if family == "SDXL" and layout != "diffusers":
        pytest.skip("ControlNets of SDXL are published in the layout of diffusers only")
    found = file_net(path, torch.float32)
    mine = {key: value for key, value in net.config.items() if key in found.config}
    for key in ("block_out_channels", "down_block_types", "cross_attention_dim", "layers_per_block", "in_channels"):
        assert list(np.atleast_1d(found.config[key])) == list(np.atleast_1d(mine[key])), key
    assert all(torch.equal(value, found.state_dict()[key]) for key, value in net.state_dict().items())
    if layout != "under control_model":
        own = control(cpu, a_map(), net="own file", file=path)
        pictures = [
            text_to_picture(cpu, c, folder=models / family / "model", **SIZE, **WORDS).out.pixels
            for c in (own, guided(cpu, models / family, "a"))
        ]
        assert np.array_equal(*pictures)


@pytest.mark.parametrize(("family", "size"), [("SD 1.5", 722_598_642), ("SDXL", 2_502_139_136)])
def test_the_published_networks_have_the_size_of_their_files(family: FamilyName, size: int, tmp_path: Path) -> None:
    from diffusers import ControlNetModel

    from nodes.generate._diffusion.nets import _config, _modern_config
    from nodes.generate._diffusion.shapes import unet_config

    with torch.device("meta"):
        net = ControlNetModel.from_config(_config(FAMILIES[family].unet, [16, 32, 96, 256]))
    assert abs(size / (2 * sum(value.numel() for value in net.parameters())) - 1) < 1e-3
    tensors = net.state_dict()
    config = _modern_config(tensors)
    original = unet_config(FAMILIES[family].unet, original_names.unet_tensors(net))
    expected = _config(FAMILIES[family].unet, [16, 32, 96, 256])
    dropped = ("up_block_types", "out_channels", "sample_size")
    assert config == expected == _config({k: v for k, v in original.items() if k not in dropped}, [16, 32, 96, 256])


def test_what_cannot_work_is_said(models: Path, cpu: Run, tmp_path: Path) -> None:
    folder = models / "SD 1.5"
    with pytest.raises(BadParam, match="no step"):
        guided(cpu, folder, "a", start=0.5, end=0.5)
    with pytest.raises(BadInput, match="No ControlNet is chosen"):
        control(cpu, a_map(), net="own folder")
    with pytest.raises(BadFile, match="There is no"):
        control(cpu, a_map(), net="own folder", folder=tmp_path / "nowhere")
    large = guided(cpu, models / "SDXL", "a")
    with pytest.raises(BadInput, match="another family"):
        text_to_picture(cpu, large, folder=folder / "model", **SIZE, **WORDS)
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    wrong = control(cpu, a_map(), net="own file", file=tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="no ControlNet"):
        text_to_picture(cpu, wrong, folder=folder / "model", **SIZE, **WORDS)


def test_a_changed_network_file_is_another_value(models: Path, cpu: Run, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    before = control(cpu, a_map(), net="own file", file=path)
    save_file({"a": torch.ones(2)}, path)
    after = control(cpu, a_map(), net="own file", file=path)
    assert before.sources == after.sources and digest(encode(before)) != digest(encode(after))


def test_missing_weights_are_told_for_each_network(cpu: Run) -> None:
    names = get_args(net_cards.Net)[:-2]
    assert sorted(role for card in net_cards.CARDS for role in card.roles) == sorted(names)
    assert len({card.handle for card in net_cards.CARDS}) == len(net_cards.CARDS)
    for card in net_cards.CARDS:
        for role in card.roles:
            with pytest.raises(MissingWeights) as told:
                control(cpu, a_map(), net=role)  # type: ignore[arg-type]
            assert f"main.py weights fetch {card.handle}" in told.value.advice
            assert needed(net_cards.CARDS, {"net": role}) == (card,)


@pytest.fixture
def union(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny union network under the names of the published files; their checksums are not looked at."""
    from diffusers import ControlNetUnionModel

    base = tiny.unet_sizes("SDXL")
    torch.manual_seed(4)
    net = ControlNetUnionModel(
        **{k: v for k, v in base.items() if k not in ("up_block_types", "out_channels", "sample_size")},
        conditioning_embedding_out_channels=(16, 32, 32, 32), num_control_type=8, num_trans_channel=64,
        num_proj_channel=64,
    )  # fmt: skip
    for block in (*net.controlnet_down_blocks, net.controlnet_mid_block, net.spatial_ch_projs):
        torch.nn.init.normal_(block.weight, std=0.1)
    net.save_pretrained(tmp_path / "union")
    (tmp_path / "union" / "config.json").rename(tmp_path / "union" / net_cards.UNION_CONFIG)
    plain = tmp_path / "union" / "diffusion_pytorch_model.safetensors"
    plain.rename(tmp_path / "union" / net_cards.UNION_WEIGHTS)
    monkeypatch.setattr(nets, "snapshot_of", lambda card: tmp_path / "union")


def test_the_union_network_reads_every_kind_of_map(models: Path, cpu: Run, union: None) -> None:
    how: dict[str, Any] = {"folder": models / "SDXL" / "model", **WORDS}
    plain = text_to_picture(cpu, **SIZE, **how).out.pixels
    made = {}
    for kind in ("canny", "line art", "depth", "normal"):
        made[kind] = control(cpu, a_map(), net=f"SDXL union {kind}")  # type: ignore[arg-type]
    found = {kind: text_to_picture(cpu, c, **SIZE, **how).out.pixels for kind, c in made.items()}
    assert np.array_equal(found["canny"], found["line art"])
    assert len({picture.tobytes() for picture in (plain, *found.values())}) == 4
    both = control(cpu, a_map(), made["depth"], net="SDXL union normal", strength=0.0)
    assert np.abs(text_to_picture(cpu, both, **SIZE, **how).out.pixels - found["depth"]).max() < 1e-4
    assert sum("SDXL union" in name for name in cpu.models.names()) == 1
    image = Image.of(np.random.default_rng(5).random((64, 64, 3)))
    mask = Mask(np.ones((64, 64), np.float32))
    for call in (picture_to_picture, lambda run, image, c, **how: inpaint(run, image, mask, c, **how)):
        without, guided_, twice = (call(cpu, image, c, **how).out.pixels for c in (None, made["depth"], both))
        assert np.abs(without - guided_).max() > 1e-3 and np.abs(twice - guided_).max() < 1e-4
    mixed = control(cpu, a_map(), made["depth"], net="own folder", folder=models / "SDXL" / "a")
    with pytest.raises(BadInput, match="cannot be used together"):
        text_to_picture(cpu, mixed, **SIZE, **how)


def test_the_published_union_network_has_the_size_of_its_file() -> None:
    from diffusers import ControlNetUnionModel

    base = FAMILIES["SDXL"].unet
    with torch.device("meta"):
        net = ControlNetUnionModel(
            **{k: v for k, v in base.items() if k not in ("up_block_types", "out_channels", "sample_size")},
            num_control_type=8, conditioning_embedding_out_channels=(16, 32, 96, 256),
        )  # fmt: skip
    size = next(f.size for f in net_cards.CARDS[-1].files if f.name == net_cards.UNION_WEIGHTS)
    assert abs(size / (2 * sum(value.numel() for value in net.parameters())) - 1) < 1e-3

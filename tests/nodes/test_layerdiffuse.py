"""The networks of LayerDiffuse: published layouts, the official code's numbers, its real padded picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from app.engine import BadFile
from nodes.generate._layerdiffuse.decoder import Decoder, Shape, agreed, shape_of, single
from nodes.generate._layerdiffuse.encoder import OffsetEncoder, encode, widths_of
from nodes.generate._layerdiffuse.padding import padded


def layout(shared: Path, part: str) -> dict[str, tuple[int, ...]]:
    path = shared.parent / "keylayouts" / f"layerdiffuse_sdxl_vae_transparent_{part}.json"
    return {key: tuple(shape) for key, (shape, _) in json.loads(path.read_text()).items()}


def test_the_published_files_fit_exactly(shared: Path) -> None:
    with torch.device("meta"):
        made: dict[str, Any] = {"decoder": Decoder(Shape()), "encoder": OffsetEncoder()}
    for part, network in made.items():
        wanted = layout(shared, part)
        state = network.state_dict()
        assert {key: tuple(value.shape) for key, value in state.items()} == wanted
    assert shape_of(made["decoder"].state_dict(), "x") == Shape()
    assert widths_of(made["encoder"].state_dict(), "x") == (32, 32, 64, 64, 128, 128, 256, 256, 4)


def by_recipe(network: Any, seed: int) -> float:
    """Random weights that anyone can make again: keys in order, one generator. Gives the sum of absolute values."""
    generator = torch.Generator().manual_seed(seed)
    made, total = {}, 0.0
    for key, value in sorted(network.state_dict().items()):
        drawn = torch.randn(value.shape, generator=generator)
        if value.ndim >= 2:
            drawn /= np.sqrt(np.prod(value.shape[1:]))
        else:
            norm = key.endswith("weight") and "norm" in key
            drawn = 1 + 0.1 * drawn if norm else 0.1 * drawn
        made[key] = drawn
        total += float(drawn.double().abs().sum())
    network.load_state_dict(made, assign=True)
    return total


@pytest.fixture(scope="module")
def golden() -> Iterator[dict[str, Any]]:
    path = Path(__file__).resolve().parents[2].parent / "shared" / "golden" / "layerdiffuse_decoder.npz"
    if not path.is_file():
        pytest.skip("the golden numbers are not beside the checkout")
    with np.load(path) as file:
        yield {key: json.loads(str(file[key])) if key == "meta_json" else torch.from_numpy(file[key]) for key in file}


@pytest.fixture(scope="module")
def full(golden: dict[str, Any]) -> Decoder:
    """The decoder at its published size."""
    with torch.device("meta"):
        network = Decoder(Shape())
    assert by_recipe(network, golden["meta_json"]["seed_decoder"]) == pytest.approx(
        golden["meta_json"]["sum_abs_decoder"], rel=1e-9
    )
    return network.eval()


def test_the_decoder_gives_the_official_numbers(full: Decoder, golden: dict[str, Any]) -> None:
    got = single(full, golden["inp/pixel"], golden["inp/latent"])
    assert float((got - golden["out/single"]).abs().max()) < 1e-4


def test_eight_turned_passes_give_the_official_median(full: Decoder, golden: dict[str, Any]) -> None:
    told: list[float] = []
    got = agreed(full, golden["inp/pixel"], golden["inp/latent"], told.append)
    assert float((got - golden["out/augmented"]).abs().max()) < 1e-4
    assert told == [i / 8 for i in range(8)]


def test_half_precision_on_a_gpu_is_close(full: Decoder, golden: dict[str, Any]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    network = full.to("cuda", torch.float16)
    given = (golden[key].to("cuda", torch.float16) for key in ("inp/pixel", "inp/latent"))
    got = single(network, *given).float().cpu()
    full.to("cpu", torch.float32)
    assert float((got - golden["out/single"]).abs().mean()) < 5e-3


def test_the_encoder_gives_the_official_numbers(golden: dict[str, Any]) -> None:
    network = OffsetEncoder()
    assert by_recipe(network, golden["meta_json"]["seed_encoder"]) == pytest.approx(
        golden["meta_json"]["sum_abs_encoder"], rel=1e-9
    )
    with torch.inference_mode():
        assert float((network(golden["inp/rgba"]) - golden["out/offset"]).abs().max()) < 1e-5


def test_padding_gives_the_real_picture_bit_by_bit(shared: Path) -> None:
    rgba = cv2.imread(str(shared / "layerdiffuse" / "pad_ip.png"), cv2.IMREAD_UNCHANGED).astype(np.float32) / 255
    want = cv2.imread(str(shared / "layerdiffuse" / "padded_rgb.png"))
    assert np.array_equal((padded(rgba) * 255).clip(0, 255).astype(np.uint8), want)


def test_padding_keeps_what_is_opaque_and_takes_anything() -> None:
    rng = np.random.default_rng(2)
    for size in ((1, 1), (1, 9), (7, 1), (33, 50)):
        rgba = rng.random((*size, 4), np.float32)
        rgba[..., 3] = rng.random(size) < 0.5
        rgba[0, 0, 3] = 1
        got = padded(rgba)
        assert got.shape == (*size, 3) and np.isfinite(got).all()
        assert np.array_equal(got[rgba[..., 3] == 1], rgba[rgba[..., 3] == 1][:, :3])
        other = np.where(rgba[..., 3:] == 0, np.float32([0.9, 0.1, 0.5, 0]), rgba)
        assert np.array_equal(padded(other), got), "what is hidden does not count"
    assert np.isfinite(padded(np.zeros((4, 5, 4), np.float32))).all()


def test_the_median_does_not_depend_on_how_the_picture_is_turned() -> None:
    torch.manual_seed(0)
    network = Decoder(Shape((8, 8, 8, 16), 1, frozenset({3}))).eval()
    pixels, latents = torch.rand(1, 3, 32, 32), torch.randn(1, 4, 4, 4)
    straight = agreed(network, pixels, latents, lambda _: None)
    turned = agreed(network, pixels.rot90(1, (2, 3)), latents.rot90(1, (2, 3)), lambda _: None)
    mirrored = agreed(network, pixels.flip(3), latents.flip(3), lambda _: None)
    assert torch.allclose(turned, straight.rot90(1, (2, 3)), atol=1e-5)
    assert torch.allclose(mirrored, straight.flip(3), atol=1e-5)
    assert float(straight.min()) >= 0 and float(straight.max()) <= 1


def test_without_an_offset_an_encoded_picture_is_that_of_the_autoencoder() -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    down, up = (("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4)
    vae = AutoencoderKL(3, 3, down, up, block_out_channels=(4, 4, 4, 4), norm_num_groups=2, latent_channels=4).eval()
    network = OffsetEncoder((4, 4, 4, 4, 4, 4, 4, 4, 4))
    rgba = torch.rand(1, 4, 32, 32)
    with torch.inference_mode():
        want = vae.encode((rgba[:, :3] * 2 - 1) * rgba[:, 3:]).latent_dist
        offset = network(torch.cat([rgba[:, 3:], rgba[:, :3]], 1))
    assert torch.allclose(encode(vae, network, rgba, rgba[:, :3]), want.mean + want.std * 300 * offset, atol=1e-5)
    torch.nn.init.zeros_(network.blocks[-1].weight), torch.nn.init.zeros_(network.blocks[-1].bias)
    assert torch.equal(encode(vae, network, rgba, rgba[:, :3]), want.mean)


def test_other_networks_are_refused_in_words() -> None:
    with pytest.raises(BadFile, match=r"other\.safetensors holds no transparent decoder") as told:
        shape_of({"a.weight": torch.zeros(2)}, "other.safetensors")
    assert told.value.advice
    with pytest.raises(BadFile, match="no transparent encoder"):
        widths_of({"blocks.0.weight": torch.zeros(2)}, "other.safetensors")

"""Upscale against the real published weights, where they are beside the checkout, and against hostile files."""

from __future__ import annotations

import pickle
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from safetensors.torch import save_file

from app.engine import BadFile, BadInput, Cancelled, Image, MissingWeights, Run
from app.engine.devices import choose_device
from app.engine.weight_files import import_file, needed
from nodes.image import _upscale_model as network
from nodes.image.upscale import upscale


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))


@pytest.fixture
def real(shared: Path) -> Path:
    """The folder with the published animevideov3, which is imported as a person would."""
    card = next(card for card in network.CARDS if card.role == "animevideov3")
    import_file(card, shared / "realesrgan" / "realesr-animevideov3.pth")
    return shared / "realesrgan"


def picture(height: int, width: int, seed: int = 3) -> Image:
    """Edges, gradients and a little noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    disc = (np.hypot(x - width / 2, y - height / 2) < height / 3).astype(np.float32)
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32) * 0.1
    return Image.of(np.stack([disc * 0.8, x / width, (x // 7 + y // 5) % 2 * 0.6], -1) * 0.9 + noise)


def toy_file(path: Path, scale: int = 2) -> Path:
    """A small untrained network of the real class."""
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(1)
    net = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=scale, act_type="prelu")
    state = {name: value.contiguous() for name, value in net.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"params_ema": state}, path)
    return path


@pytest.mark.parametrize("size", [16, 32, 64])
def test_the_published_network_gives_the_expected_pixels(real: Path, cpu: Run, size: int) -> None:
    image = Image.of(np.asarray(Pictures.open(real / f"{size}x{size}.png").convert("RGB")))
    expected = np.load(real / f"expected_animevideov3_{size}x{size}.npz")["out"]
    result = upscale(cpu, image, "animevideov3")
    assert result.size == (size * 4, size * 4)
    assert np.abs(result.rgb - expected).max() < 1e-5 and (result.alpha == 1).all()


def test_tiles_show_no_seams(real: Path, cpu: Run) -> None:
    image = picture(100, 133)
    whole = upscale(cpu, image, "animevideov3", tile=1024)
    tiled = upscale(cpu, image, "animevideov3", tile=64)
    assert np.array_equal(upscale(cpu, image, "animevideov3").pixels, whole.pixels), "memory for it is at hand"
    assert np.abs(whole.pixels - tiled.pixels).max() < 1e-4


def test_the_tile_follows_the_memory_at_hand(tmp_path: Path) -> None:
    model = network.load(toy_file(tmp_path / "toy.pth"), "cpu", False)
    widest = (12 + 12) * 4 * 2
    assert network.pixel_bytes(model) == widest, "where 12 channels become 3 for each of 4 pixels, 32 bits, twice"
    on_gpu = SimpleNamespace(device=SimpleNamespace(type="cuda"), scale=2, dtype=model.dtype, model=model.model)
    chosen = [network.tile_for(on_gpu, gigabytes) for gigabytes in (0, 1e-3, 4e-3, 0.02, 0.1, 50)]
    assert chosen == sorted(chosen) and chosen[0] == 64 and chosen[-1] == 1024
    for gigabytes, tile in zip((4e-3, 0.02, 0.1), chosen[2:], strict=False):
        assert (tile + 2 * network.margin_of(model)) ** 2 * widest <= gigabytes * 1e9 / 2
    assert network.tile_for(model, 50) == 256 and network.tile_for(on_gpu, None) == 256
    assert next(model.model.parameters()).device.type == "cpu", "the network itself is not touched"


def test_a_deep_network_that_folds_pixels_shows_no_seams_either(tmp_path: Path, cpu: Run) -> None:
    """The layout of x2plus, which works on blocks of two by two pixels: tiles must begin on even ones."""
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    torch.manual_seed(2)
    net = RRDBNet(in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=2, shuffle_factor=2)
    torch.save(net.state_dict(), tmp_path / "x2.pth")
    image = picture(101, 135)
    whole = upscale(cpu, image, "own file", tmp_path / "x2.pth", tile=1024)
    tiled = upscale(cpu, image, "own file", tmp_path / "x2.pth", tile=64)
    assert whole.size == (270, 202) and np.ptp(whole.rgb) > 0.01
    assert np.abs(whole.pixels - tiled.pixels).max() < 1e-4


@pytest.mark.parametrize("length", [1, 7, 64, 65, 129, 200, 1000])
@pytest.mark.parametrize("tile", [64, 100, 256])
def test_fades_of_neighbours_add_up_to_one(length: int, tile: int) -> None:
    parts, total = network.cuts(length, tile), np.zeros(length * 2)
    assert parts[0][0] == 0 and parts[-1][1] == length
    assert all(last - first <= tile + network.ALIGN for first, last in parts)
    for first, last in parts:
        start, end = max(first - 16, 0), min(last + 16, length)
        total[start * 2 : end * 2] += network.fade(start, end, first, last, length, 2)
    assert np.allclose(total, 1, atol=1e-5)


def test_a_cut_out_keeps_clear_and_solid_and_gets_no_rim(real: Path, cpu: Run) -> None:
    y, x = np.mgrid[0:48, 0:48]
    alpha = (np.hypot(x - 24, y - 24) < 15).astype(np.float32)
    pixels = np.zeros((48, 48, 4), np.float32)
    pixels[..., 0] = np.where(alpha > 0, 0.8, 0.0)
    pixels[..., 1] = np.where(alpha > 0, 0.0, 1.0)
    pixels[..., 3] = alpha
    result = upscale(cpu, Image(pixels), "animevideov3")
    far = np.hypot(*(np.mgrid[0:192, 0:192] - 97.5))
    assert (result.alpha[far > 76] == 0).all() and (result.alpha[far < 44] == 1).all()
    assert abs(float(result.alpha.sum()) / 16 - float(alpha.sum())) < 0.04 * alpha.sum()
    seen = result.alpha > 0.05
    assert result.rgb[seen][:, 1].max() < 0.1, "the green beneath the transparency shows nowhere"


def test_steps_finer_than_eight_bits_survive(real: Path, cpu: Run) -> None:
    ramp = np.linspace(0.4, 0.41, 64, dtype=np.float32)
    result = upscale(cpu, Image.of(np.repeat(ramp[None], 32, 0)), "animevideov3")
    assert len(np.unique(result.rgb[64, :, 0])) > 100
    wanted = np.repeat(ramp, 4)
    assert np.abs(result.rgb[64, 16:-16, 1] - wanted[16:-16]).max() < 0.02


@pytest.mark.parametrize("name", ["toy.pth", "toy.safetensors"])
@pytest.mark.parametrize(("scale", "size"), [(0.0, (80, 60)), (3.0, (120, 90)), (1.5, (60, 45))])
def test_an_own_file_and_any_factor(tmp_path: Path, cpu: Run, name: str, scale: float, size: tuple[int, int]) -> None:
    result = upscale(cpu, picture(30, 40), "own file", toy_file(tmp_path / name), scale)
    assert result.size == size


def test_one_file_is_loaded_once_and_stays_warm(tmp_path: Path, cpu: Run) -> None:
    path = toy_file(tmp_path / "toy.pth")
    first = upscale(cpu, picture(20, 20), "own file", path)
    names = cpu.models.names()
    path.replace(tmp_path / "moved.pth")
    again = upscale(cpu, picture(20, 20), "own file", tmp_path / "moved.pth")
    assert cpu.models.names() == names and len(names) == 1
    assert first.pixels.tobytes() == again.pixels.tobytes()


def test_it_tells_every_tile_and_stops_between_two(tmp_path: Path) -> None:
    path, stop, told = toy_file(tmp_path / "toy.pth"), Event(), list[float]()

    def tell(done: float, _: str) -> None:
        told.append(done)
        if done >= 0.5:
            stop.set()

    with pytest.raises(Cancelled):
        upscale(Run(tell, stop=stop, wanted_device="cpu"), picture(128, 128), "own file", path, tile=64)
    assert told == [0, 0, 0.25, 0.5]


def test_missing_weights_are_told_for_each_model(cpu: Run) -> None:
    for card in network.CARDS:
        with pytest.raises(MissingWeights, match="BSD-3-Clause") as told:
            upscale(cpu, picture(8, 8), card.role)  # type: ignore[arg-type]
        assert f"main.py weights fetch {card.handle}" in told.value.advice
        assert needed(network.CARDS, {"model": card.role}) == (card,)
    assert needed(network.CARDS, {"model": "own file"}) == ()
    with pytest.raises(BadInput, match="No model file"):
        upscale(cpu, picture(8, 8), "own file")


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("way", ["plain", "torch", "beside tensors", "old torch"])
def test_code_inside_a_model_file_is_refused_and_not_run(tmp_path: Path, cpu: Run, way: str) -> None:
    mark, path = tmp_path / "it ran", tmp_path / "evil.pth"
    if way == "plain":
        path.write_bytes(pickle.dumps(Trap(mark), protocol=2))
    elif way == "torch":
        torch.save(Trap(mark), path)
    elif way == "old torch":
        torch.save({"params": Trap(mark)}, path, _use_new_zipfile_serialization=False)
    else:
        torch.save({"params": {"a": torch.zeros(2)}, "more": Trap(mark)}, path)
    with pytest.raises(BadFile, match="was not run") as told:
        upscale(cpu, picture(8, 8), "own file", path)
    assert not mark.exists() and "safetensors" in told.value.advice


def hopeless(folder: Path) -> list[Path]:
    whole = toy_file(folder / "whole.pth").read_bytes()
    safe = toy_file(folder / "whole.safetensors").read_bytes()
    files = {
        "empty.pth": b"",
        "text.pth": b"hello, this is a letter",
        "picture.safetensors": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "cut.pth": whole[: len(whole) // 2],
        "cut.safetensors": safe[: len(safe) // 2],
        "renamed.safetensors": whole,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    torch.save({"params": {"w": torch.zeros(3, 3)}}, folder / "other_network.pth")
    torch.save([1, 2], folder / "list.pth")
    torch.save({}, folder / "nothing.pth")
    return [*(folder / name for name in files), *(folder / f"{n}.pth" for n in ("other_network", "list", "nothing"))]


def test_files_that_are_no_network_are_refused_in_words(tmp_path: Path, cpu: Run) -> None:
    for path in hopeless(tmp_path):
        with pytest.raises(BadFile) as told:
            upscale(cpu, picture(8, 8), "own file", path)
        assert path.name in told.value.message and told.value.advice, path.name
    assert cpu.models.names() == ()


def test_a_picture_that_would_become_too_large_is_refused_first(tmp_path: Path, cpu: Run) -> None:
    path = toy_file(tmp_path / "toy.pth", scale=4)
    with pytest.raises(BadInput, match="million"):
        upscale(cpu, Image(np.zeros((3000, 3000, 4), np.float32)), "own file", path)


@pytest.mark.parametrize("deep", [True, False])
def test_on_a_gpu_a_tile_takes_no_more_memory_than_was_reckoned(tmp_path: Path, deep: bool) -> None:
    if choose_device("auto") != "cuda":
        pytest.skip("this machine has no CUDA device")
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    compact = {"num_in_ch": 3, "num_out_ch": 3, "num_feat": 64, "num_conv": 16, "upscale": 4, "act_type": "prelu"}
    net = RRDBNet(num_blocks=2, scale=4) if deep else SRVGGNetCompact(**compact)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    model = network.load(tmp_path / "net.pth", "cuda", True)
    side = 512 + 2 * network.margin_of(model)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    network._call(model, np.zeros((side, side, 3), np.float32))
    taken = (torch.cuda.max_memory_allocated() - before) / side**2
    assert network.pixel_bytes(model) / 4 < taken < 2 * network.pixel_bytes(model), "half of what is free is used"


def test_half_precision_on_a_gpu_is_close_to_full(real: Path) -> None:
    device = choose_device("auto")
    if device == "cpu":
        pytest.skip("this machine has no GPU")
    image = picture(96, 96)
    half, full = (upscale(Run(wanted_device=device), image, "animevideov3", half=half) for half in (True, False))
    exact = upscale(Run(wanted_device="cpu"), image, "animevideov3")
    assert np.abs(half.pixels - exact.pixels).max() < 0.02
    assert np.abs(full.pixels - exact.pixels).max() < 2e-3

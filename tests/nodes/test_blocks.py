"""Block compression: decoded by another library, at a stated quality, with flags and levels that engines read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine import BadInput, Image, Run
from nodes.io.export_dds import export_dds
from nodes.texture import _bc1, _bc6h, _bc7, _blocks
from nodes.texture._scaling import Content, scaled
from nodes.texture.compress import compress_check
from nodes.texture.resize import resize_texture

SIZE = 256


def noise(size: int, octaves: int, seed: int) -> np.ndarray:
    """Smooth noise of several widths, about -2..2."""
    rng, total = np.random.default_rng(seed), np.zeros((size, size))
    for octave in range(octaves):
        grid = rng.normal(size=(4 << octave, 4 << octave)).astype(np.float32)
        total += np.asarray(Pictures.fromarray(grid).resize((size, size), Pictures.Resampling.BICUBIC)) / 1.7**octave
    return total


def painted(alpha: bool = True) -> Image:
    """Broad colours with grain, and a soft transparency of its own."""
    colours = np.dstack([noise(SIZE, 3, s) * 0.15 + 0.45 for s in (1, 2, 3)]) + noise(SIZE, 6, 4)[..., None] * 0.02
    cover = noise(SIZE, 3, 5) * 0.2 + 0.5 if alpha else np.ones((SIZE, SIZE))
    levels = np.rint(np.dstack([colours, cover]).clip(0, 1) * 255).astype(np.uint8)
    return Image.of(levels)


def normals() -> Image:
    dy, dx = np.gradient(noise(SIZE, 3, 7) * 12)
    vector = np.dstack([-dx, dy, np.ones_like(dx)])
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    return Image.of(vector * 0.5 + 0.5, "data")


def psnr(one: Image, two: Image, channels: slice = slice(0, 4)) -> float:
    off = (one.pixels[..., channels] - two.pixels[..., channels]).astype(np.float64)
    return float(10 * np.log10(1 / max((off**2).mean(), 1e-12)))


def quiet(_: float) -> None:
    return None


@pytest.mark.parametrize(
    ("form", "alpha", "channels", "least"),
    [
        ("BC7", True, slice(0, 4), 42.0),
        ("BC7", False, slice(0, 3), 43.5),
        ("BC3", True, slice(0, 4), 38.0),
        ("BC1", False, slice(0, 3), 37.0),
        ("BC4", False, slice(0, 1), 45.0),
    ],
)
def test_another_library_decodes_them_at_the_stated_quality(
    form: _blocks.Block, alpha: bool, channels: slice, least: float
) -> None:
    image = painted(alpha)
    after = _blocks.decoded(_blocks.compress(image, "colour", form, False, quiet), "colour")
    assert after.size == image.size and psnr(image, after, channels) > least


def test_normals_keep_their_direction() -> None:
    image = normals()
    after = _blocks.decoded(_blocks.compress(image, "normal", "BC5", False, quiet), "normal")
    dot = ((image.rgb * 2 - 1) * (after.rgb * 2 - 1)).sum(axis=2)
    angles = np.degrees(np.arccos(dot.clip(-1, 1)))
    assert angles.mean() < 0.6 and angles.max() < 6


@pytest.mark.parametrize("colour", [(0, 0, 0, 255), (255, 255, 255, 255), (12, 200, 97, 255), (255, 0, 128, 0)])
def test_an_even_block_comes_back_as_near_as_the_format_allows(colour: tuple[int, ...]) -> None:
    even = np.broadcast_to(np.array(colour, np.uint8), (4, 4, 4)).copy()
    for form, limit in (("BC7", 1), ("BC3", 5), ("BC1", 5)):
        after = _blocks.decoded(_blocks.compress(Image.of(even), "colour", form, False, quiet), "colour")  # type: ignore[arg-type]
        off = np.abs(np.rint(after.pixels * 255) - even)[..., : 3 if form == "BC1" else 4]
        assert off.max() <= limit, form


def test_two_colours_and_a_range_of_eight_greys_are_met_exactly() -> None:
    grey = (np.arange(16, dtype=np.uint8).reshape(4, 4) % 8) + 100
    found = Pictures.open(io.BytesIO(_blocks.dds(_blocks.Blocks("BC4", False, (4, 4), (_bc1.encode_bc4(grey),)))))
    assert (np.asarray(found.convert("L")) == grey).all()
    split = np.zeros((4, 4, 4), np.uint8)
    split[:, 2:, :3], split[..., 3] = 255, 255
    for form in ("BC1", "BC7"):
        after = _blocks.decoded(_blocks.compress(Image.of(split), "colour", form, False, quiet), "colour")  # type: ignore[arg-type]
        assert (np.rint(after.rgb * 255) == split[..., :3]).all(), form


def test_two_separate_lines_of_colours_use_the_parted_mode() -> None:
    y, x = np.mgrid[0:4, 0:4]
    block = np.full((4, 4, 4), 255, np.uint8)
    block[..., 0], block[..., 1], block[..., 2] = np.where(x < 2, 200 + 10 * y, 20), np.where(x < 2, 10, 60 * y), 40
    data = _bc7.encode(block)
    assert data[0] & 3 == 2, "mode 1"
    after = _blocks.decoded(_blocks.Blocks("BC7", True, (4, 4), (data,)), "colour")
    assert np.abs(np.rint(after.rgb * 255) - block[..., :3]).max() <= 8


def test_every_partition_can_be_chosen_and_is_decoded_as_meant() -> None:
    """A block for each of the 64 partitions: red on one side, blue on the other, a little spread on both."""
    rng = np.random.default_rng(0)
    for way in range(64):
        side = ((int(_bc7.PARTITIONS[way]) >> np.arange(16)) & 1).reshape(4, 4)
        grain = rng.integers(0, 24, (4, 4))
        block = np.full((4, 4, 4), 255, np.uint8)
        block[..., 0], block[..., 1], block[..., 2] = 200 * side + grain, 20 + 6 * (grain % 3), 200 * (1 - side) + grain
        after = _blocks.decoded(_blocks.Blocks("BC7", True, (4, 4), (_bc7.encode(block),)), "colour")
        assert np.abs(np.rint(after.rgb * 255) - block[..., :3]).mean() < 5, way


def test_light_is_kept_in_proportion() -> None:
    ramp = np.geomspace(0.02, 1, 64, dtype=np.float32)
    light = np.broadcast_to(ramp[None, :, None] * np.array([1, 0.7, 0.4], np.float32), (64, 64, 3))
    blocks = _blocks.Blocks("BC6H", False, (64, 64), (_bc6h.encode(light),))
    after = _blocks.decoded(blocks, "data")
    assert (np.abs(after.rgb - light) <= 0.03 * light + 1 / 255).all()
    dark = _bc6h.encode(np.full((4, 4, 3), -1.0, np.float32))
    assert _blocks.decoded(_blocks.Blocks("BC6H", False, (4, 4), (dark,)), "data").rgb.max() == 0


def test_colours_in_the_format_of_light_are_stored_as_light() -> None:
    """BC6H has no sRGB flag: a card shows what is stored as light, so that is what must be stored (IEC 61966-2-1)."""
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    image = Image.of(np.repeat(np.broadcast_to(ramp, (64, 64))[..., None], 3, axis=2))
    light = np.where(ramp <= 0.04045, ramp / 12.92, ((ramp + 0.055) / 1.055) ** 2.4)
    blocks = _blocks.compress(image, "colour", "BC6H", False, quiet)
    with Pictures.open(io.BytesIO(_blocks.dds(blocks))) as file:
        stored = np.asarray(file, np.float32)[30, :, 0] / 255
    assert np.abs(stored - light).max() <= 3 / 255
    assert psnr(_blocks.decoded(blocks, "colour"), image, slice(0, 3)) > 45
    data = _blocks.compress(Image(image.pixels, "data"), "data", "BC6H", False, quiet)
    assert psnr(_blocks.decoded(data, "data"), image, slice(0, 3)) > 45


def test_smaller_levels_of_packed_data_keep_each_channel_to_itself() -> None:
    """Unity's mask map has smoothness in alpha: it must not weigh the metal beside it."""
    pixels = np.zeros((8, 8, 4), np.float32)
    pixels[:, 0::2] = (1, 0.25, 0, 0)
    pixels[:, 1::2] = (0, 0.75, 1, 1)
    blocks = _blocks.compress(Image(pixels, "data"), "data", "BC7", True, quiet)
    smaller = _blocks.decoded(blocks, "data", 1).pixels
    assert np.abs(smaller - (0.5, 0.5, 0.5, 0.5)).max() < 0.02
    asked: tuple[Content, ...] = ("data", "colour")
    for content in asked:  # a picture of data holds numbers, also where nobody said so at the export
        half = resize_texture(Run(), Image(pixels, "data"), content=content, longest_side=4)
        assert np.allclose(half.pixels, 0.5, atol=1e-6) and half.space == "data"
    assert _blocks.compress(Image(pixels, "data"), "colour", "BC7", True, quiet) == blocks


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (30, 17), (64, 64)])
def test_levels_and_header_say_what_the_file_holds(size: tuple[int, int]) -> None:
    image = Image.of(np.random.default_rng(1).random((size[1], size[0], 4)))
    blocks = _blocks.compress(image, "colour", "BC7", True, quiet)
    data = _blocks.dds(blocks)
    count = max(size).bit_length()
    assert len(blocks.levels) == count
    for level, part in enumerate(blocks.levels):
        width, height = max(1, size[0] >> level), max(1, size[1] >> level)
        assert len(part) == -(-width // 4) * -(-height // 4) * 16
        assert _blocks.decoded(blocks, "colour", level).size == (width, height)
    assert len(data) == 148 + sum(map(len, blocks.levels))
    header = struct.unpack("<4s7I", data[:32])
    assert header[:2] == (b"DDS ", 124) and (header[4], header[3], header[7]) == (*size, count)
    assert struct.unpack("<I", data[128:132])[0] == 99, "BC7, sRGB"


def test_smaller_levels_average_light_and_keep_normals_unit() -> None:
    checker = Image.of(np.indices((8, 8)).sum(0) % 2 * np.ones((8, 8)) > 0.5)
    grey = scaled(checker.pixels, (4, 4), "colour")[..., :3]
    assert np.allclose(grey, 0.735, atol=0.01), "half the light, not half the number"
    small = scaled(normals().pixels, (32, 32), "normal")[..., :3] * 2 - 1
    assert np.allclose(np.linalg.norm(small, axis=2), 1, atol=1e-5)


def test_the_node_chooses_flags_and_says_what_gets_lost() -> None:
    def code(run: Run, image: Image, **settings: object) -> int:
        data = bytes(export_dds(run, image, mipmaps=False, **settings).contents[0])  # type: ignore[arg-type]
        return int(struct.unpack("<I", data[128:132])[0])

    grey = Image.of(np.linspace(0, 1, 64).reshape(8, 8), "data")
    assert code(Run(), painted()) == 99 and code(Run(), painted(), content="data") == 98
    assert code(Run(), normals(), content="normal") == 83 and code(Run(), grey, content="data") == 80
    run = Run()
    assert code(run, painted(), form="BC1") == 72 and "no transparency" in run.notes[0]
    run = Run()
    code(run, Image.of(np.zeros((12, 8, 3))))
    assert "no powers of two" in run.notes[0]


def test_green_points_where_the_engine_wants_it() -> None:
    image = normals()
    ours, theirs = (
        export_dds(Run(), image, content="normal", mipmaps=False, green=green).shows
        for green in ("OpenGL", "DirectX")  # type: ignore[arg-type]
    )
    assert isinstance(ours, Image) and isinstance(theirs, Image)
    assert np.abs(ours.rgb[..., 1] + theirs.rgb[..., 1] - 1).mean() < 0.005


def test_a_picture_no_card_takes_is_refused() -> None:
    with pytest.raises(BadInput, match="16385"):
        _blocks.compress(Image(np.zeros((1, 16385, 4), np.float32)), "colour", "BC1", False, quiet)


def test_the_check_compares_all_formats() -> None:
    found = compress_check(Run(), painted(False))
    quality = {form: found.report.value(f"{form} PSNR (dB)") for form in _blocks.FORMATS}
    assert quality["BC7"] > quality["BC1"] > 30 and found.report.value("BC1 size (MB)") == SIZE * SIZE / 2e6
    assert found.side_by_side.size == (3 * SIZE, SIZE)
    angles = compress_check(Run(), normals(), "normal", "BC5").report
    assert angles.value("BC5 angle (degrees)") < 0.6 and "degrees" in angles.verdict

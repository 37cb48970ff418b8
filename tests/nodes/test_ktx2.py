"""KTX2 and DDS files: read by other libraries, and read back by Load image."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from app.engine import BadFile, Image, Run
from nodes.image._pixels import to_linear
from nodes.io.export_dds import export_dds
from nodes.io.export_ktx2 import export_ktx2
from nodes.io.load_image import load_image
from nodes.texture import _blocks
from nodes.texture._ktx2 import FORMATS, MODELS, ktx2
from nodes.texture._zstd import compressed, expanded

CHECK = Path(__file__).parents[1] / "gltf"
NEED_ZSTD = pytest.mark.skipif(compressed(b"abcd") is None, reason="this Pillow has no Zstandard")


def picture(size: tuple[int, int] = (40, 24), alpha: bool = True) -> Image:
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    rgb = np.stack([x / size[0], y / size[1], 0.5 + 0.3 * np.sin(x / 5)], axis=-1)
    return Image.of(np.dstack([rgb, 0.3 + 0.6 * y / size[1] if alpha else np.ones_like(y)]))


def normals() -> Image:
    y, x = np.mgrid[:32, :32] / 6.0
    vector = np.dstack([0.4 * np.sin(x), 0.4 * np.cos(y), np.ones_like(x)])
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    return Image.of(vector * 0.5 + 0.5, "data")


def quiet(_: float) -> None:
    return None


def reported(paths: list[Path]) -> list[dict]:
    """What ktx-parse and zstddec read; skips the test where they are not installed."""
    node = shutil.which("node")
    if not node or not all((CHECK / "node_modules" / name).is_dir() for name in ("ktx-parse", "zstddec")):
        pytest.skip("needs node and: npm install --prefix tests/gltf --no-package-lock")
    command = [node, str(CHECK / "ktx.mjs"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("packed", [False, pytest.param(True, marks=NEED_ZSTD)])
def test_another_library_reads_every_format_level_for_level(packed: bool, tmp_path: Path) -> None:
    made = {}
    for (form, srgb), code in FORMATS.items():
        blocks = _blocks.compress(picture(), "colour" if srgb else "data", form, True, quiet)
        frames = [compressed(level) for level in blocks.levels] if packed else None
        path = tmp_path / f"{form}{srgb}.ktx2"
        path.write_bytes(ktx2(blocks, frames))
        made[path] = (form, srgb, code, blocks)
    for found, (form, srgb, code, blocks) in zip(reported(list(made)), made.values(), strict=True):
        assert (found["vkFormat"], found["typeSize"], found["size"]) == (code, 1, [40, 24, 0, 0, 1])
        assert found["scheme"] == (2 if packed else 0)
        assert [level["sum"] for level in found["levels"]] == [hashlib.sha256(b).hexdigest() for b in blocks.levels]
        assert [level["length"] for level in found["levels"]] == [len(b) for b in blocks.levels]
        assert found["words"]["KTXorientation"].rstrip("\0") == "rd"
        (descriptor,) = found["descriptors"]
        assert descriptor["colorModel"] == MODELS[form] and descriptor["colorPrimaries"] == 1
        assert descriptor["transferFunction"] == (2 if srgb else 1) and descriptor["flags"] == 0
        assert descriptor["texelBlockDimension"] == [3, 3, 0, 0]
        assert descriptor["bytesPlane"][0] == _blocks.BYTES[form] and not any(descriptor["bytesPlane"][1:])
        bits = sum(sample["bitLength"] + 1 for sample in descriptor["samples"])
        assert bits == 8 * _blocks.BYTES[form]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 64), (30, 17)])
def test_levels_are_aligned_smallest_first_and_nothing_overlaps(size: tuple[int, int]) -> None:
    for form in ("BC1", "BC7"):
        blocks = _blocks.compress(picture(size), "colour", form, True, quiet)
        data = ktx2(blocks)
        count = max(size).bit_length()
        rows = [struct.unpack_from("<3Q", data, 80 + 24 * level) for level in range(count)]
        starts = [row[0] for row in rows]
        assert starts == sorted(starts, reverse=True) and all(start % _blocks.BYTES[form] == 0 for start in starts)
        ends = [start + length for start, length, _ in rows]
        assert ends[0] == len(data) and all(end <= start for end, start in zip(ends[1:], starts, strict=False))
        assert all(data[s:e] == level for s, e, level in zip(starts, ends, blocks.levels, strict=True))


@NEED_ZSTD
def test_zstandard_frames_come_back_and_damage_is_noticed() -> None:
    for length in (1, 7, 4096, 100_001):
        data = np.random.default_rng(length).integers(0, 9, length).astype(np.uint8).tobytes()
        frame = compressed(data)
        assert frame is not None and frame[:4] == b"\x28\xb5\x2f\xfd" and expanded(frame, length) == data
    with pytest.raises(OSError):
        expanded(frame[: len(frame) // 2], length)


def stored(files: object, folder: Path) -> Path:
    path = folder / files.names[0]  # type: ignore[attr-defined]
    path.write_bytes(files.contents[0].tobytes())  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize("form", _blocks.FORMATS)
@pytest.mark.parametrize("export", [export_dds, export_ktx2])
def test_load_image_shows_what_a_graphics_card_would(export: object, form: str, tmp_path: Path) -> None:
    """The same pixels as the exporter shows, colour and data, every format, with the sRGB flag and without."""
    for content in ("colour", "data"):
        files = export(Run(), picture(alpha=form in ("BC3", "BC7")), form=form, content=content)  # type: ignore[operator]
        run = Run()
        got = load_image(run, stored(files, tmp_path), content=content)
        assert got.size == (40, 24) and run.notes == []
        assert np.abs(got.pixels - files.shows.pixels).max() <= 1 / 255 + 1e-6
        assert got.space == ("srgb" if content == "colour" else "data")


@pytest.mark.parametrize("export", [export_dds, export_ktx2])
def test_normals_come_back_with_their_third_axis(export: object, tmp_path: Path) -> None:
    image = normals()
    files = export(Run(), image, content="normal")  # type: ignore[operator]
    got = load_image(Run(), stored(files, tmp_path), content="data")
    assert np.abs(got.rgb - files.shows.rgb).max() <= 1.01 / 255
    one, two = (v / np.linalg.norm(v, axis=2, keepdims=True) for v in (image.rgb * 2 - 1, got.rgb * 2 - 1))
    assert np.degrees(np.linalg.norm(one - two, axis=2)).mean() < 2.5 and two[..., 2].min() > 0.5


def test_plain_and_packed_files_hold_the_same_and_packing_is_smaller(tmp_path: Path) -> None:
    even = Image.of(np.full((64, 64, 3), 0.4))
    packed, plain = (export_ktx2(Run(), even, packing=way) for way in ("Zstandard", "none"))  # type: ignore[arg-type]
    one, two = (load_image(Run(), stored(files, tmp_path)).pixels for files in (packed, plain))
    assert np.array_equal(one, two)
    if compressed(b"abcd") is not None:
        assert len(packed.contents[0]) < 0.5 * len(plain.contents[0])


def test_pictures_larger_than_the_longest_side_are_reduced(tmp_path: Path) -> None:
    got = load_image(Run(), stored(export_ktx2(Run(), picture((256, 128))), tmp_path), longest_side=64)
    assert got.size == (64, 32)


@pytest.mark.parametrize("export", [export_dds, export_ktx2])
def test_every_cut_and_many_wrong_bytes_give_words_or_a_picture(export: object, tmp_path: Path) -> None:
    data = bytes(export(Run(), picture((8, 8)), form="BC7").contents[0])  # type: ignore[operator]
    suffix = ".dds" if export is export_dds else ".ktx2"
    rng = np.random.default_rng(0)
    cuts = [data[:n] for n in range(12, 100, 9)]
    for _ in range(120):
        changed = bytearray(data)
        changed[int(rng.integers(4 if suffix == ".dds" else 12, min(len(data), 260)))] = int(rng.integers(256))
        cuts.append(bytes(changed))
    for number, bad in enumerate(cuts):
        path = tmp_path / f"bad{suffix}"
        path.write_bytes(bad)
        try:
            load_image(Run(), path)
        except BadFile as error:
            assert error.message and error.advice
            continue
        assert number >= 10, "a file cut within its header is refused"


def test_foreign_kinds_are_named(tmp_path: Path) -> None:
    data = bytearray(export_ktx2(Run(), picture((8, 8)), packing="none").contents[0].tobytes())
    for at, value, words in ((12, 0, "Basis Universal"), (12, 157, "Vulkan 157"), (44, 1, "scheme 1"), (36, 6, "cube")):
        bad = bytearray(data)
        bad[at : at + 4] = struct.pack("<I", value)
        (tmp_path / "a.ktx2").write_bytes(bad)
        with pytest.raises(BadFile, match=words):
            load_image(Run(), tmp_path / "a.ktx2")
    huge = bytearray(data)
    huge[20:28] = struct.pack("<2I", 60_000, 60_000)
    (tmp_path / "a.ktx2").write_bytes(huge)
    with pytest.raises(BadFile):
        load_image(Run(), tmp_path / "a.ktx2")


def test_light_comes_back_as_the_colours_it_was_made_from(tmp_path: Path) -> None:
    image = picture((64, 64), alpha=False)
    for suffix, export in ((".dds", export_dds), (".ktx2", export_ktx2)):
        files = export(Run(), image, path=Path(f"a{suffix}"), form="BC6H")
        (tmp_path / f"a{suffix}").write_bytes(files.contents[0].tobytes())
        again = load_image(Run(), tmp_path / f"a{suffix}")
        assert np.abs(again.rgb - image.rgb).mean() < 0.01, suffix
        numbers = load_image(Run(), tmp_path / f"a{suffix}", content="data")
        assert np.abs(numbers.rgb - to_linear(image.rgb)).mean() < 0.01, suffix

"""Picture files, good and bad, through io.load_image."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageOps

from app.engine import BadFile, Run
from nodes.io._tone import percent
from nodes.io.load_image import load_image

RNG = np.random.default_rng(3)
SMOOTH = cv2.GaussianBlur(RNG.integers(0, 256, (48, 64, 4)).astype(np.uint8), (0, 0), 3)
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"


def saved(folder: Path, name: str, picture: Pictures.Image, **options: object) -> Path:
    path = folder / name
    picture.save(path, **options)
    return path


def levels(path: Path, **params: object) -> np.ndarray:
    return np.rint(load_image(Run(), path, **params).pixels * 255).astype(int)


def linear_profile() -> bytes:
    """A small ICC v2 display profile: sRGB primaries, values proportional to light."""

    def fixed(*numbers: float) -> bytes:
        return struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))

    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + b"\0" * 79,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(0.4360747, 0.2225045, 0.0139322),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(0.3850649, 0.7168786, 0.0971045),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(0.1430804, 0.0606169, 0.7141733),
        **{name: b"curv\0\0\0\0" + struct.pack(">I", 0) for name in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + b"\0" * 12 + b"acsp"
    head = (head + b"\0" * 28 + fixed(0.9642, 1, 0.8249)).ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + table + body


def encoded(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.bmp", "a.tif", "a.tga"])
def test_lossless_formats_give_the_exact_colours(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, name, Pictures.fromarray(SMOOTH[..., :3]), **({"lossless": True} if "webp" in name else {}))
    got = levels(path)
    assert (got[..., :3] == SMOOTH[..., :3]).all()
    assert (got[..., 3] == 255).all()


def test_jpeg_is_near(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.JPG", Pictures.fromarray(SMOOTH[..., :3]), quality=95, subsampling=0)
    assert np.abs(levels(path)[..., :3] - SMOOTH[..., :3]).max() <= 6


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.tga"])
def test_alpha_is_straight_and_colours_under_it_stay(tmp_path: Path, name: str) -> None:
    path = saved(
        tmp_path, name, Pictures.fromarray(SMOOTH), **({"lossless": True, "exact": True} if "webp" in name else {})
    )
    assert (levels(path) == SMOOTH).all()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_every_level(tmp_path: Path, channels: int, suffix: str) -> None:
    values = RNG.integers(0, 65536, (9, 7, channels)).astype(np.uint16)
    order = [2, 1, 0, 3][:channels]
    (tmp_path / f"deep.{suffix}").write_bytes(cv2.imencode(f".{suffix}", values[..., order])[1].tobytes())
    got = load_image(Run(), tmp_path / f"deep.{suffix}").pixels
    assert (np.rint(got[..., :channels] * 65535).astype(int) == values).all()


def test_sixteen_bit_grey_keeps_every_level(tmp_path: Path) -> None:
    values = RNG.integers(0, 65536, (5, 6)).astype(np.uint16)
    image = load_image(Run(), saved(tmp_path, "grey.png", Pictures.fromarray(values)), content="data")
    assert (np.rint(image.pixels[..., :3] * 65535).astype(int) == values[..., None]).all()
    assert image.space == "data"


def test_palette_with_transparency_grey_and_grey_alpha(tmp_path: Path) -> None:
    palette = Pictures.new("P", (3, 2), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    got = levels(saved(tmp_path, "p.png", palette, transparency=0))
    assert got[0, 1].tolist() == [0, 0, 255, 255] and got[0, 0, 3] == 0
    grey = levels(saved(tmp_path, "g.png", Pictures.fromarray(SMOOTH[..., 0])))
    assert (grey[..., :3] == SMOOTH[..., :1]).all()
    both = levels(saved(tmp_path, "la.png", Pictures.fromarray(SMOOTH[..., :2])))
    assert (both[..., 0] == SMOOTH[..., 0]).all() and (both[..., 3] == SMOOTH[..., 1]).all()
    line = levels(saved(tmp_path, "one.png", Pictures.new("1", (3, 3), 1)))
    assert (line == 255).all()


def test_cmyk_jpeg_has_the_right_way_round(tmp_path: Path) -> None:
    red = Pictures.new("CMYK", (16, 16), (0, 255, 255, 0))
    got = levels(saved(tmp_path, "c.jpg", red))[8, 8]
    assert got[0] > 200 and got[1] < 60 and got[2] < 60 and got[3] == 255


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_camera_orientation_is_followed(tmp_path: Path, turn: int) -> None:
    exif = Pictures.Exif()
    exif[274] = turn
    picture = Pictures.fromarray(SMOOTH[..., :3])
    path = saved(tmp_path, "turned.png", picture, exif=exif)
    want = np.asarray(ImageOps.exif_transpose(Pictures.open(path)))
    assert (levels(path)[..., :3] == want).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_colour_profile_is_brought_to_srgb(tmp_path: Path, mode: str) -> None:
    values = SMOOTH[..., : len(mode)]
    path = saved(tmp_path, "linear.png", Pictures.fromarray(values), icc_profile=linear_profile())
    got = levels(path)
    want = encoded(values[..., :3] / 255) * 255
    assert np.abs(got[..., :3] - want).max() <= 1.5
    assert mode == "RGB" or (got[..., 3] == values[..., 3]).all()
    assert (levels(path, content="data")[..., :3] == values[..., :3]).all()


def test_a_colour_profile_applies_to_sixteen_bits(tmp_path: Path) -> None:
    values = np.zeros((1, 4096, 3), np.uint16)
    values[..., :] = np.linspace(20000, 40000, 4096)[None, :, None]
    png = cv2.imencode(".png", values)[1].tobytes()
    packed = b"p\0\0" + zlib.compress(linear_profile())
    chunk = struct.pack(">I", len(packed)) + b"iCCP" + packed + struct.pack(">I", zlib.crc32(b"iCCP" + packed))
    (tmp_path / "deep.png").write_bytes(png[:33] + chunk + png[33:])
    got = load_image(Run(), tmp_path / "deep.png", longest_side=0).rgb
    assert np.abs(got - encoded(values / 65535)).max() < 1 / 255
    assert len(np.unique(got[..., 1])) > 1000


def test_a_broken_profile_is_said_and_survived(tmp_path: Path) -> None:
    path = saved(tmp_path, "odd.png", Pictures.fromarray(SMOOTH[..., :3]), icc_profile=b"not a profile" * 20)
    run = Run()
    assert (np.rint(load_image(run, path).rgb * 255) == SMOOTH[..., :3]).all()
    assert "profile" in run.notes[0]


def test_large_pictures_are_reduced_and_it_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path, "large.png", Pictures.fromarray(np.tile(SMOOTH[..., :3], (10, 10, 1))))
    run = Run()
    image = load_image(run, path, longest_side=100)
    assert image.size == (100, 75)
    assert "640 x 480" in run.notes[0] and "100 x 75" in run.notes[0]
    assert np.allclose(image.rgb.mean((0, 1)), SMOOTH[..., :3].mean((0, 1)) / 255, atol=0.005)
    assert load_image(Run(), path, longest_side=0).size == (640, 480)


def test_reducing_never_shows_colours_under_transparency(tmp_path: Path) -> None:
    values = np.zeros((600, 600, 4), np.uint8)
    values[...] = (0, 255, 0, 0)
    yy, xx = np.mgrid[:600, :600]
    values[(yy - 300) ** 2 + (xx - 300) ** 2 < 200**2] = (255, 0, 0, 255)
    image = load_image(Run(), saved(tmp_path, "disc.png", Pictures.fromarray(values)), longest_side=64)
    shown = image.pixels[image.alpha > 1 / 255]
    assert np.abs(shown[:, :3] - (1, 0, 0)).max() < 0.02


@pytest.mark.parametrize("side", [256, 100, 60])
def test_colours_are_reduced_as_light_and_numbers_as_numbers(tmp_path: Path, side: int) -> None:
    chequer = np.uint8(np.indices((1024, 1024)).sum(0) % 2 * 255)
    path = saved(tmp_path, "chequer.png", Pictures.fromarray(chequer))
    light = load_image(Run(), path, longest_side=side)
    assert light.size == (side, side) and abs(float(light.rgb.mean()) - 0.7354) < 2e-3
    numbers = load_image(Run(), path, longest_side=side, content="data")
    assert abs(float(numbers.rgb.mean()) - 0.5) < 2e-3


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_whatever_the_mode_a_reduced_picture_shows_the_same_light(tmp_path: Path, mode: str) -> None:
    level = np.full((256, 256), 51400 if mode == "I;16" else 200)
    path = saved(tmp_path, "even.png", Pictures.fromarray(level.astype(np.uint16 if mode == "I;16" else np.uint8)))
    if mode not in ("L", "I;16"):
        path = saved(tmp_path, "even.png", Pictures.open(path).convert(mode))
    assert np.allclose(load_image(Run(), path, longest_side=50).pixels, (*[200 / 255] * 3, 1), atol=1e-4)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif"])
def test_of_an_animation_the_first_picture_is_read_and_it_is_said(tmp_path: Path, name: str) -> None:
    first, second = (Pictures.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(tmp_path / name, save_all=True, append_images=[second], lossless=True)
    run = Run()
    assert load_image(run, tmp_path / name).rgb[0, 0].tolist() == [1, 0, 0]
    assert run.notes == ["The file holds 2 pictures, an animation or pages: the first was read."]


def test_shares_are_said_in_plain_numbers() -> None:
    assert [percent(x) for x in (0.00012, 0.0123, 0.42, 0.998, 1)] == ["0.012 %", "1.2 %", "42 %", "100 %", "100 %"]


def test_a_turned_and_reduced_picture_has_the_turned_size(tmp_path: Path) -> None:
    exif = Pictures.Exif()
    exif[274] = 6
    path = saved(tmp_path, "t.jpg", Pictures.new("RGB", (400, 200)), exif=exif)
    assert load_image(Run(), path, longest_side=100).size == (50, 100)


def refused(path: Path) -> BadFile:
    with pytest.raises(BadFile) as caught:
        load_image(Run(), path)
    assert caught.value.advice and caught.value.message.endswith(".")
    return caught.value


def test_missing_empty_foreign_and_unchosen_files(tmp_path: Path) -> None:
    assert "chosen" in refused(Path()).message
    assert "not there" in refused(tmp_path / "gone.png").message
    (tmp_path / "empty.png").touch()
    assert "0 bytes" in refused(tmp_path / "empty.png").message
    (tmp_path / "notes.png").write_text("These are only words. " * 50)
    assert "not a picture" in refused(tmp_path / "notes.png").message
    (tmp_path / "notes.tga").write_text("These are only words. " * 50)
    refused(tmp_path / "notes.tga")
    assert "folder" in refused(tmp_path).message


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "tga"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.98])
def test_a_truncated_file_is_an_error_never_half_a_picture(tmp_path: Path, suffix: str, part: float) -> None:
    full = saved(tmp_path, f"full.{suffix}", Pictures.fromarray(np.tile(SMOOTH[..., :3], (4, 4, 1)))).read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(full[: int(len(full) * part)])
    refused(tmp_path / f"cut.{suffix}")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_progressive_jpeg_is_an_error(tmp_path: Path, part: float) -> None:
    path = saved(tmp_path, "p.jpg", Pictures.fromarray(np.tile(SMOOTH[..., :3], (4, 4, 1))), progressive=True)
    (tmp_path / "cut.jpg").write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    refused(tmp_path / "cut.jpg")


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_deep_png_is_an_error(tmp_path: Path, part: float) -> None:
    full = cv2.imencode(".png", RNG.integers(0, 65536, (64, 64, 3)).astype(np.uint16))[1].tobytes()
    (tmp_path / "cut.png").write_bytes(full[: int(len(full) * part)])
    refused(tmp_path / "cut.png")


@pytest.mark.parametrize("side", [30_000, 14_000])
def test_an_enormous_picture_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    (tmp_path / "bomb.png").write_bytes(png + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))
    assert "too large" in (said := refused(tmp_path / "bomb.png").message) and "million pixels" in said


def test_reading_twice_gives_the_same_bytes_and_leaves_no_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = saved(tmp_path, "a.png", Pictures.fromarray(SMOOTH))
    assert load_image(Run(), path).pixels.tobytes() == load_image(Run(), path).pixels.tobytes()
    assert not recwarn.list


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no shared photographs here")
def test_real_photographs_load() -> None:
    for path in sorted(PHOTOS.glob("*.*g")):
        image = load_image(Run(), path)
        with Pictures.open(io.BytesIO(path.read_bytes())) as picture:
            assert image.size == picture.size, path.name
        assert float(image.pixels.min()) >= 0 and float(image.pixels.max()) <= 1

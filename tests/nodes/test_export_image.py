"""Pictures out in every format, read back by Polyloom and by other programs' readers."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image as Pictures
from PIL import ImageCms

from app.engine import BadFile, Image, Run
from nodes.image._pixels import to_linear, to_srgb
from nodes.io._primaries import to_srgb_primaries
from nodes.io._write_exr import exr_bytes
from nodes.io.export_image import DEPTHS, export_image
from nodes.io.load_image import load_image

RNG = np.random.default_rng(4)
NOISE = RNG.random((37, 41, 4), np.float32)
CLEAR = Image(NOISE)
SOLID = Image.of(NOISE[..., :3])
DATA = Image(NOISE, "data")


def write(folder: Path, image: Image, name: str, **params: object) -> tuple[Path, list[str]]:
    run = Run()
    files = export_image(run, image, path=Path(name), **params)
    (folder / name).write_bytes(bytes(files.contents[0]))
    return folder / name, run.notes


def back(path: Path, **params: object) -> np.ndarray:
    return load_image(Run(), path, longest_side=0, **params).pixels


def with_levels(white: int, channels: int = 4) -> np.ndarray:
    values = RNG.integers(0, white + 1, (37, 41, channels))
    return values.astype(np.uint16 if white > 255 else np.uint8)


LOSSLESS = [("a.png", 8), ("a.png", 16), ("a.webp", 8), ("a.tga", 8), ("a.tif", 8), ("a.tif", 16)]


@pytest.mark.parametrize(("name", "bits"), LOSSLESS)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("space", ["srgb", "data"])
def test_every_level_comes_back_from_whole_numbers(tmp_path, name, bits, channels, space) -> None:
    white = 2**bits - 1
    values = with_levels(white, channels)
    image = Image.of(values, space)
    path, notes = write(tmp_path, image, name, depth=f"{bits} bit", one_channel=channels == 1, quality=100)
    got = np.rint(back(path, content="colour" if space == "srgb" else "data") * white).astype(int)
    assert (got[..., :channels] == values).all() and not notes
    assert channels == 4 or (got[..., 3] == white).all()


def test_other_readers_see_the_same_levels(tmp_path) -> None:
    deep, flat = with_levels(65535), with_levels(255)
    for name, values in [("a.png", deep), ("b.png", flat), ("a.tif", deep), ("a.webp", flat)]:
        bits = "16 bit" if values is deep else "8 bit"
        path, _ = write(tmp_path, Image.of(values, "data"), name, depth=bits, quality=100)
        seen = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert seen.dtype == values.dtype and (seen[..., [2, 1, 0, 3]] == values).all(), name
    path, _ = write(tmp_path, Image.of(flat[..., :3]), "a.jpg", quality=95)
    assert np.abs(cv2.imread(str(path))[..., ::-1].astype(int) - np.asarray(Pictures.open(path))).max() <= 2
    path, _ = write(tmp_path, Image.of(flat), "b.tif")
    assert (tifffile.imread(path) == flat).all() and (np.asarray(Pictures.open(path)) == flat).all()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        assert page.photometric == 2 and page.extrasamples == (2,) and (page.asarray() == deep).all()


def test_targa_is_run_length_encoded_as_its_specification_says(tmp_path) -> None:
    values = np.repeat(with_levels(255, 3)[:, :4], 20, axis=1)
    data = write(tmp_path, Image.of(values), "a.tga")[0].read_bytes()
    assert data[2] == 10 and struct.unpack_from("<HH", data, 12) == (80, 37) and data[16] == 24
    assert len(data) < values.size
    pixels, at = [], 18 + data[0]
    while len(pixels) < 80 * 37:
        count, at = (data[at] & 127) + 1, at + 1
        run = data[at - 1] & 128
        colours = [tuple(data[at + 3 * k : at + 3 * k + 3][::-1]) for k in range(1 if run else count)]
        pixels += colours * count if run else colours
        at += 3 * len(colours)
    rows = np.array(pixels, np.uint8).reshape(37, 80, 3)
    assert ((rows if data[17] & 32 else rows[::-1]) == values).all()


@pytest.mark.parametrize("name", ["a.exr", "a.tif"])
def test_floats_come_back_bit_by_bit(tmp_path, name) -> None:
    path, _ = write(tmp_path, DATA, name, depth="32 bit")
    assert back(path, content="data").tobytes() == NOISE.tobytes()
    span = {"black": -0.25, "white": 1.5}
    path, _ = write(tmp_path, Image.of(NOISE[..., :3], "data"), name, depth="32 bit", **span)
    run = Run()
    fitted = load_image(run, path, content="data", bright="fit").rgb
    low, high = float(NOISE[..., :3].min()), float(NOISE[..., :3].max())
    assert np.abs(fitted * (high - low) + low - NOISE[..., :3]).max() < 1e-6
    assert f"{-0.25 + 1.75 * low:.4f}"[:6] in run.notes[0]


@pytest.mark.parametrize("name", ["a.exr", "a.tif", "a.hdr"])
def test_colours_are_linear_light_in_formats_of_floats(tmp_path, name) -> None:
    path, _ = write(tmp_path, SOLID, name, depth="32 bit")
    if name == "a.exr":
        seen = OpenEXR.File(str(path)).channels()["RGB"].pixels
    else:
        seen = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]
    light = to_linear(SOLID.rgb)
    near = light.max(axis=-1, keepdims=True) / 128 if name == "a.hdr" else 2e-6
    assert (np.abs(seen - light) <= near).all()
    assert (np.abs(to_linear(back(path)[..., :3]) - light) <= near).all()


@pytest.mark.parametrize(("depth", "error"), [("16 bit", 2e-3), ("32 bit", 1e-5)])
def test_transparency_in_exr_is_premultiplied_there_and_straight_here(tmp_path, depth, error) -> None:
    path, _ = write(tmp_path, CLEAR, "a.exr", depth=depth)
    seen = OpenEXR.File(str(path)).channels()["RGBA"].pixels.astype(np.float32)
    light = np.dstack([to_linear(CLEAR.rgb) * CLEAR.pixels[..., 3:], CLEAR.alpha])
    assert np.abs(seen - light).max() <= error / 2
    shown = CLEAR.alpha > 0.05
    assert np.abs(back(path) - NOISE)[shown].max() <= error * 10


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (16, 3), (17, 300), (64, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_exr_writer_is_read_by_openexr_bit_by_bit(half, size, channels) -> None:
    values = RNG.normal(size=(*size, channels)).astype(np.float32) * 100
    values[0, 0] = 0
    data = exr_bytes(values, half, {"polyloom": "Füchse"})
    file = OpenEXR.File(io.BytesIO(data), separate_channels=True)
    names = {1: "Y", 3: "RGB", 4: "RGBA"}[channels]
    for k, name in enumerate(names):
        want = values[..., k].astype(np.float16) if half else values[..., k]
        assert file.parts[0].channels[name].pixels.tobytes() == want.tobytes()
    assert file.header()["polyloom"] == "Füchse" and file.header()["compression"] == OpenEXR.ZIP_COMPRESSION


@pytest.mark.parametrize("kind", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "DWAA"])
@pytest.mark.parametrize("tiled", [False, True])
def test_every_compression_of_exr_is_read(tmp_path, kind, tiled) -> None:
    smooth = cv2.GaussianBlur(NOISE[..., :3], (0, 0), 3).astype(np.float16)
    header: dict[str, object] = {"compression": getattr(OpenEXR, f"{kind}_COMPRESSION")}
    if tiled:
        tiles = OpenEXR.TileDescription()
        tiles.xSize = tiles.ySize = 16
        header |= {"type": OpenEXR.tiledimage, "tiles": tiles}
    OpenEXR.File(header, {"RGB": smooth}).write(str(tmp_path / "a.exr"))
    lossy = kind in ("B44", "DWAA")
    assert np.abs(back(tmp_path / "a.exr", content="data")[..., :3] - smooth).max() <= (0.02 if lossy else 0)


def test_windows_layers_and_parts_of_exr(tmp_path) -> None:
    path = tmp_path / "a.exr"
    square = np.full((4, 4), 0.5, np.float32)
    window = {"dataWindow": (np.array([-1, 2], "i4"), np.array([2, 5], "i4")),
              "displayWindow": (np.array([0, 0], "i4"), np.array([7, 4], "i4"))}  # fmt: skip
    OpenEXR.File(window, dict.fromkeys("RGBA", square)).write(str(path))
    got = back(path, content="data")
    assert got.shape == (5, 8, 4) and (got[2:5, 0:3] == 0.5).all() and got.sum() == 9 * 4 * 0.5
    OpenEXR.File({}, {"light.R": square, "light.G": square / 2, "light.B": square / 4, "Z": square}).write(str(path))
    run = Run()
    assert load_image(run, path, content="data").pixels[0, 0].tolist() == [0.5, 0.25, 0.125, 1]
    assert "light.R" in run.notes[0] and "Z" in run.notes[0]
    parts = [
        OpenEXR.Part({"name": "depth"}, {"Z": square}),
        OpenEXR.Part({"name": "rgb"}, {"RGB": np.dstack([square] * 3)}),
    ]
    OpenEXR.File(parts).write(str(path))
    run = Run()
    assert (load_image(run, path, content="data").rgb == 0.5).all() and "part 2 of 2" in run.notes[0]


def test_light_beyond_white_is_cut_compressed_or_fitted_and_said(tmp_path) -> None:
    path = tmp_path / "a.exr"
    light = np.zeros((1, 4, 3), np.float32)
    light[0] = [[0.18] * 3, [1] * 3, [4, 0, 0], [np.inf, 1, np.nan]]
    path.write_bytes(exr_bytes(light, half=False))
    run = Run()
    cut = load_image(run, path).rgb
    assert cut[0, 2] == pytest.approx([1, 0, 0]) and cut[0, 0] == pytest.approx([float(to_srgb(np.float32(0.18)))] * 3)
    assert "no numbers" in run.notes[0] and "50 %" in run.notes[1] and "up to 4 times" in run.notes[1]
    assert load_image(Run(), path, exposure=-2.0).rgb[0, 2] == pytest.approx([1, 0, 0])
    assert load_image(Run(), path, exposure=-2.0).rgb[0, 0] == pytest.approx([float(to_srgb(np.float32(0.045)))] * 3)
    pressed = load_image(Run(), path, bright="compress").rgb
    assert 0 < pressed[0, 0, 0] < pressed[0, 1, 0] < 1 and pressed.max() <= 1
    fitted = load_image(Run(), path, bright="fit").rgb
    assert fitted[0, 1] == pytest.approx([float(to_srgb(np.float32(0.25)))] * 3) and fitted.max() == pytest.approx(1)


def test_aces_primaries_come_to_those_of_srgb(tmp_path) -> None:
    ap0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    with pytest.raises(ValueError):
        to_srgb_primaries(ap0)
    p3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
    matrix = to_srgb_primaries(p3)
    assert matrix is not None and np.ones(3) @ matrix == pytest.approx(np.ones(3), abs=1e-4)
    known = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
    assert np.abs(matrix.T - known).max() < 4e-4
    values = np.dstack([np.full((2, 2), v, np.float32) for v in (0.2, 0.5, 0.3)])
    OpenEXR.File({"chromaticities": p3}, {"RGB": values}).write(str(tmp_path / "p.exr"))
    want = to_srgb((np.array([0.2, 0.5, 0.3]) @ matrix).astype(np.float32))
    assert back(tmp_path / "p.exr")[0, 0, :3] == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "u4", "i2"])
@pytest.mark.parametrize("layout", [{}, {"planarconfig": "separate"}, {"tile": (16, 16)}, {"compression": "zlib"}])
def test_tiff_of_unusual_numbers_and_layouts(tmp_path, kind, layout) -> None:
    dtype = np.dtype(kind)
    full = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    values = (NOISE[..., :3].astype(np.float64) * full).astype(dtype)
    given = np.moveaxis(values, -1, 0) if "planarconfig" in layout else values
    tifffile.imwrite(tmp_path / "a.tif", given, photometric="rgb", metadata=None, **layout)
    got = back(tmp_path / "a.tif", content="data")[..., :3]
    assert np.abs(got - values.astype(np.float64) / full).max() <= 1e-7


@pytest.mark.parametrize("packing", [5, 8])
def test_tiff_of_floats_in_compressions_of_other_programs(tmp_path, packing) -> None:
    options = [cv2.IMWRITE_TIFF_COMPRESSION, packing, cv2.IMWRITE_TIFF_PREDICTOR, 3]
    (tmp_path / "a.tif").write_bytes(cv2.imencode(".tif", NOISE[..., 2::-1], options)[1].tobytes())
    assert (back(tmp_path / "a.tif", content="data")[..., :3] == NOISE[..., :3]).all()


def test_radiance_exposure_lines_are_undone_and_turned_files_refused(tmp_path) -> None:
    path, _ = write(tmp_path, SOLID, "a.hdr")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"#?RADIANCE\n", b"#?RGBE\nEXPOSURE= 2.0\nSOFTWARE=x\n"))
    half = load_image(Run(), path, content="data").rgb
    path.write_bytes(data)
    assert half * 2 == pytest.approx(load_image(Run(), path, content="data").rgb)
    path.write_bytes(data.replace(b"-Y 37", b"+Y 37"))
    with pytest.raises(BadFile, match="turned"):
        load_image(Run(), path)


def test_profiles_bits_and_what_a_format_lacks(tmp_path) -> None:
    for name in ("a.jpg", "a.webp", "a.tif"):
        path, _ = write(tmp_path, SOLID, name)
        with Pictures.open(path) as file:
            assert "sRGB" in ImageCms.getProfileDescription(io.BytesIO(file.info["icc_profile"])), name
        path, _ = write(tmp_path, Image(SOLID.pixels, "data"), name)
        with Pictures.open(path) as file:
            assert not file.info.get("icc_profile"), name
    assert "transparency" in write(tmp_path, CLEAR, "a.jpg")[1][0]
    assert "no 16 bits" in write(tmp_path, SOLID, "a.tga", depth="16 bit")[1][0]
    assert cv2.imread(str(write(tmp_path, DATA, "a.png")[0]), -1).dtype == np.uint16
    assert cv2.imread(str(write(tmp_path, DATA, "h.png", one_channel=True)[0]), -1).shape == (37, 41)
    assert np.abs(back(write(tmp_path, SOLID, "q.webp", quality=90)[0])[..., :3] - SOLID.rgb).mean() < 0.2


@pytest.mark.parametrize("suffix", DEPTHS)
def test_the_same_picture_gives_the_same_bytes(suffix) -> None:
    once, twice = (export_image(Run(graph_text="{}"), CLEAR, path=Path(f"a{suffix}")) for _ in range(2))
    assert once.contents[0].tobytes() == twice.contents[0].tobytes()


def strange(data: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.4:
        return data[: rng.integers(len(data))]
    values = np.frombuffer(data, np.uint8).copy()
    head = rng.integers(0, min(len(values), 400 if rng.random() < 0.7 else len(values)), rng.integers(1, 5))
    values[head] = rng.integers(0, 256, len(head))
    return values.tobytes()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", ["a.hdr", "a.tif", "a.tga"])
def test_damaged_files_end_in_a_picture_or_in_words(tmp_path, name) -> None:
    data = write(tmp_path, SOLID, name, depth="32 bit")[0].read_bytes()
    rng = np.random.default_rng(9)
    ends = {"read": 0, "refused": 0}
    for _ in range(150):
        (tmp_path / name).write_bytes(strange(data, rng))
        try:
            pixels = load_image(Run(), tmp_path / name).pixels
            assert np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1
            ends["read"] += 1
        except BadFile as error:
            assert error.advice
            ends["refused"] += 1
    assert min(ends.values()) > 5


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("suffix", [".exr", ".hdr", ".tif"])
def test_files_that_are_cut_short_are_refused(tmp_path, suffix, part) -> None:
    data = write(tmp_path, SOLID, f"a{suffix}", depth="32 bit")[0].read_bytes()
    (tmp_path / f"cut{suffix}").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(BadFile) as caught:
        load_image(Run(), tmp_path / f"cut{suffix}")
    assert caught.value.advice and caught.value.message.endswith(".")

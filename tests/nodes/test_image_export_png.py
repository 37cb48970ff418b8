"""PNG export: exact levels, and the graph inside the file."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine import BadInput, Image, Mask, Run
from nodes.io.export_png import export_png
from nodes.io.load_image import load_image

RNG = np.random.default_rng(11)
NOISE = Image(RNG.random((20, 30, 4), np.float32))


def written(folder: Path, *arguments: object, run: Run | None = None, **params: object) -> Path:
    files = export_png(run or Run(), *arguments, **params)
    path = folder / files.names[0]
    path.write_bytes(bytes(files.contents[0]))
    return path


@pytest.mark.parametrize(("depth", "white"), [("8 bit", 255), ("16 bit", 65535)])
def test_every_level_comes_back(tmp_path: Path, depth: str, white: int) -> None:
    back = load_image(Run(), written(tmp_path, NOISE, depth=depth))
    assert np.abs(back.pixels - NOISE.pixels).max() <= 0.5 / white + 1e-6


def test_the_graph_is_inside(tmp_path: Path) -> None:
    graph = '{"format": 1, "nodes": [], "title": "Füchse 狐"}\n'
    path = written(tmp_path, NOISE, run=Run(graph_text=graph), depth="16 bit")
    with Pictures.open(path) as picture:
        picture.load()
        assert picture.text["polyloom"] == graph
    assert cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    with Pictures.open(written(tmp_path, NOISE)) as plain:
        plain.load()
        assert "polyloom" not in plain.text


def test_alpha_is_written_where_it_is_needed(tmp_path: Path) -> None:
    def mode(*arguments: object, **params: object) -> str:
        files = export_png(Run(), *arguments, **params)
        return Pictures.open(io.BytesIO(bytes(files.contents[0]))).mode

    solid = Image.of(NOISE.rgb)
    assert mode(solid) == "RGB" and mode(NOISE) == "RGBA"
    assert mode(solid, transparency="always") == "RGBA" and mode(NOISE, transparency="never") == "RGB"
    mask = Mask(np.full((20, 30), 0.4, np.float32))
    back = load_image(Run(), written(tmp_path, solid, mask))
    assert back.alpha == pytest.approx(0.4, abs=1e-3)


def test_same_input_same_bytes_and_the_viewer_sees_the_picture() -> None:
    one, two = export_png(Run(), NOISE), export_png(Run(), NOISE)
    assert one.contents[0].tobytes() == two.contents[0].tobytes()
    assert isinstance(one.shows, Image) and one.shows.size == NOISE.size


def test_values_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        export_png(Run(), Image(np.full((2, 2, 4), np.nan, np.float32)))
    assert caught.value.advice

"""More pixels, with detail that a network adds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, OpenFile, Run, Setting, Slider, node
from app.engine.placement import free_gb
from app.engine.weight_files import digest_of, path_of
from nodes.image import _upscale_model as network
from nodes.image._pixels import check_finite, check_size, extend_colours, image_of, resample, to_linear, to_srgb
from nodes.io._model_credits import credit_model

Float32 = NDArray[np.float32]
Model = Literal["x4plus", "x4plus-anime", "x2plus", "animevideov3", "general-x4v3", "own file"]
OPAQUE = 0.999


@node(
    "image.upscale",
    title="Upscale",
    group="Size and place",
    version=2,
    licence="BSD-3-Clause",
    models=network.CARDS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
    cheaper={"tile": 128},
)
def upscale(
    run: Run,
    image: Image,
    model: Annotated[
        Model, Setting(help="Plus models: slow, most detail. animevideov3 and general-x4v3: quick, also without a GPU.")
    ] = "general-x4v3",
    file: Annotated[
        Path,
        OpenFile(suffixes=(".pth", ".safetensors"), optional=True, help="For own file: any network spandrel knows."),
    ] = Path(),
    scale: Annotated[float, Slider(0, 8, step=0.5, help="Times larger. 0: as the network gives it.")] = 0.0,
    tile: Annotated[
        int,
        Slider(0, 1024, step=64, unit="px", help="Worked on at once. 0: as the memory at hand allows.", advanced=True),
    ] = 0,
    half: Annotated[
        bool, Setting(help="On a GPU: half the memory, twice the speed, colours exact to 10 bits.", advanced=True)
    ] = True,
) -> Image:
    """Enlarge a picture with Real-ESRGAN: sharp edges and plausible detail.

    Needs model files; without them, Resize enlarges smoothly. Transparency is enlarged by itself, and colours are
    carried on beneath it first, so that a cut-out gets no rim. Large pictures are worked on in tiles without seams.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    path = _file(model, file)
    if model == "own file":
        credit_model(run, path)
    wants_half = half and run.device != "cpu"
    name = f"upscale {digest_of(path)} {run.device} {wants_half}"
    load = partial(network.load, path, run.device, wants_half)
    with run.models.use(name, load, _gigabytes(path), run.check) as loaded:
        check_size(image.size[0] * loaded.scale, image.size[1] * loaded.scale)
        tile = max(tile, network.TILES[0]) if tile else network.tile_for(loaded, free_gb(run.device))
        run.log.info("tiles of %d pixels", tile)
        rgb, seen = _enlarged(run, loaded, image, tile)
    return _sized(image, rgb, seen, scale)


def _enlarged(run: Run, loaded: Any, image: Image, tile: int) -> tuple[Float32, Float32]:
    """Colours and transparency, each by itself."""
    alpha = image.alpha
    if float(alpha.min()) >= OPAQUE:
        rgb = network.enlarge(loaded, image.rgb, tile, lambda done: run.progress(done, "colours"))
        return rgb, np.ones(rgb.shape[:2], np.float32)
    carried = extend_colours(image.rgb, alpha)
    rgb = network.enlarge(loaded, carried, tile, lambda done: run.progress(done / 2, "colours"))
    grey = np.repeat(alpha[..., None], 3, axis=-1)
    seen = network.enlarge(loaded, grey, tile, lambda done: run.progress(0.5 + done / 2, "transparency"))
    return rgb, _settled(seen.mean(axis=2), alpha)


def _file(model: Model, file: Path) -> Path:
    if model != "own file":
        card = next(card for card in network.CARDS if card.role == model)
        return path_of(card, card.files[0].name)
    if file == Path():
        raise BadInput("No model file is chosen.", "Choose one, or another model.")
    return file


def _gigabytes(path: Path) -> float:
    return path.stat().st_size * 2 / 1e9


def _settled(enlarged: Float32, alpha: Float32) -> Float32:
    """The network may tint even surfaces: what is wholly clear or wholly opaque for two pixels around stays so."""
    import cv2

    around = np.ones((5, 5), np.uint8)
    size = (enlarged.shape[1], enlarged.shape[0])
    clear = resample(np.asarray(cv2.dilate(alpha, around), np.float32), size, "nearest") <= 0
    solid = resample(np.asarray(cv2.erode(alpha, around), np.float32), size, "nearest") >= OPAQUE
    return np.where(clear, np.float32(0), np.where(solid, np.float32(1), enlarged))


def _sized(image: Image, rgb: Float32, alpha: Float32, scale: float) -> Image:
    if scale <= 0:
        return image_of(rgb, alpha, image)
    size = (max(1, round(image.size[0] * scale)), max(1, round(image.size[1] * scale)))
    check_size(*size)
    how: Literal["area", "lanczos"] = "area" if size[0] < rgb.shape[1] else "lanczos"
    small = to_srgb(resample(to_linear(rgb), size, how)) if how == "area" else resample(rgb, size, how)
    return image_of(small, resample(alpha, size, how), image)

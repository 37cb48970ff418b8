"""More pixels, with detail that a network adds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, OpenFile, Run, Setting, Slider, node
from app.engine.weight_files import digest_of, path_of
from nodes.image import _upscale_model as network
from nodes.image._pixels import check_finite, check_size, extend_colours, image_of, resample

Float32 = NDArray[np.float32]
Model = Literal["x4plus", "x4plus-anime", "x2plus", "animevideov3", "general-x4v3", "own file"]
OPAQUE = 0.999


@node(
    "image.upscale",
    title="Upscale",
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
        int, Slider(64, 1024, log=True, unit="px", help="Worked on at once: smaller needs less memory.", advanced=True)
    ] = 256,
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
    wants_half = half and run.device != "cpu"
    name = f"upscale {digest_of(path)} {run.device} {wants_half}"
    with run.models.use(name, partial(network.load, path, run.device, wants_half), _gigabytes(path)) as loaded:
        width, height = image.size
        check_size(width * loaded.scale, height * loaded.scale)
        alpha = image.alpha if float(image.alpha.min()) < OPAQUE else None
        share = 0.5 if alpha is not None else 1.0
        rgb = image.rgb if alpha is None else extend_colours(image.rgb, alpha)
        rgb = network.enlarge(loaded, rgb, tile, lambda done: run.progress(done * share, "colours"))
        seen = np.ones(rgb.shape[:2], np.float32)
        if alpha is not None:
            grey = np.repeat(alpha[..., None], 3, axis=-1)
            seen = network.enlarge(loaded, grey, tile, lambda done: run.progress(0.5 + done / 2, "transparency")).mean(
                2
            )
            seen = _settled(seen, alpha)
    return _sized(image, rgb, seen, scale)


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
    return image_of(resample(rgb, size, how), resample(alpha, size, how), image)

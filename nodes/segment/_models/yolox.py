"""YOLOX (Ge et al. 2021) from its published ONNX files: letterbox, run, decode. Boxes come out before suppression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.image._pixels import Float32, resample

STRIDES = (8, 16, 32)
FILL = 114.0
DEFAULT_SIDE = 640
LOWEST = 0.01


@dataclass(frozen=True)
class Found:
    """``boxes``: (N, 4) float32, 0..1 of the picture. ``scores``: (N,) float32. ``kinds``: (N,) int64."""

    boxes: Float32
    scores: Float32
    kinds: NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """``session``: an onnxruntime session. ``size``: (width, height) in pixels that it takes. ``kinds``: classes."""

    session: Any
    size: tuple[int, int]
    kinds: int = 0


def load(path: Path) -> Network:
    """Raises :class:`BadFile` for a file that is no ONNX network or does not take one picture."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    kinds = (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail, errors.InvalidArgument, errors.NotImplemented)
    wrong = (*kinds, errors.NoSuchFile, errors.RuntimeException, ValueError, RuntimeError)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except wrong:
        raise BadFile(f"{path.name} is not an ONNX network, or it is damaged.", "Choose a YOLOX .onnx file.") from None
    takes, gives = session.get_inputs(), session.get_outputs()
    if len(takes) != 1 or len(gives) != 1 or len(takes[0].shape) != 4 or takes[0].type != "tensor(float)":
        raise _not_yolox(path.name)
    height, width = (side if isinstance(side, int) else DEFAULT_SIDE for side in takes[0].shape[2:])
    network = Network(session, (width, height))
    return replace(network, kinds=_kinds(network, path.name))


def _kinds(network: Network, name: str) -> int:
    """How many; one run on an empty picture tells whether the rows are YOLOX's. Raises :class:`BadFile`."""
    try:
        rows = _run(network, np.full((3, *network.size[::-1]), FILL, np.float32))
    except Exception as error:
        raise _not_yolox(name) from error
    if rows.ndim != 2 or rows.shape[1] < 6 or len(rows) != len(places(network.size)[0]):
        raise _not_yolox(name)
    return int(rows.shape[1]) - 5


def _not_yolox(name: str) -> BadFile:
    return BadFile(f"{name} is an ONNX network, but not a YOLOX detector.", "Choose a file exported by YOLOX.")


def find(network: Network, rgb: Float32, threshold: float) -> Found:
    """What is in (H, W, 3) sRGB 0..1 with at least this score."""
    canvas, scale = letterbox(rgb, network.size)
    rows = _run(network, np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)))
    boxes, scores, kinds = decode(rows, network.size)
    seen = scores >= max(threshold, LOWEST)
    height, width = rgb.shape[:2]
    sides = np.array([width, height, width, height], np.float32)
    return Found(np.clip(boxes[seen] / np.float32(scale) / sides, 0, 1), scores[seen], kinds[seen])


def letterbox(rgb: Float32, size: tuple[int, int]) -> tuple[Float32, float]:
    """(canvas (h, w, 3) of 0..255, scale): the picture in the top left corner, the rest grey 114, as in training."""
    height, width = rgb.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, int(width * scale)), max(1, int(height * scale))
    canvas = np.full((size[1], size[0], 3), FILL, np.float32)
    canvas[: inner[1], : inner[0]] = np.round(resample(rgb, inner, "bilinear") * 255)
    return canvas, scale


def places(size: tuple[int, int]) -> tuple[Float32, Float32]:
    """(cells (N, 2) as column and row, strides (N, 1)) of the three grids, in the network's order."""
    cells, strides = [], []
    for stride in STRIDES:
        across, down = size[0] // stride, size[1] // stride
        y, x = np.mgrid[0:down, 0:across]
        cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((across * down, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(rows: Float32, size: tuple[int, int]) -> tuple[Float32, Float32, NDArray[np.int64]]:
    """(boxes (N, 4) in pixels of the canvas, scores (N,), kinds (N,)) from rows of x, y, w, h, object, classes.

    Centre = (xy + cell) * stride; sides = exp(wh) * stride; score = object * best class.
    """
    cells, strides = places(size)
    centre = (rows[:, :2] + cells) * strides
    half = np.exp(np.clip(rows[:, 2:4], -20, 20)) * strides / 2
    scores = rows[:, 4:5] * rows[:, 5:]
    kinds = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), kinds]
    return np.concatenate([centre - half, centre + half], axis=1), best, kinds.astype(np.int64)


def _run(network: Network, pixels: Float32) -> Float32:
    name = network.session.get_inputs()[0].name
    return np.asarray(network.session.run(None, {name: pixels[None]})[0][0], np.float32)

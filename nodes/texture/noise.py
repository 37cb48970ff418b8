"""Patterns made from nothing, which tile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from os import cpu_count
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Mask, Run, Seed, Setting, Slider, node
from nodes.image._pixels import Float32, check_size

Kind = Literal["gradient", "value", "simplex", "cells", "cracks"]
Shape = Literal["plain", "ridged", "billow"]
KINDS = ("value", "gradient", "simplex", "cells", "cracks")
SHAPES = ("plain", "ridged", "billow")
Side = Annotated[int, Slider(1, 8192, log=True, unit="px")]


class Noise(NamedTuple):
    """The same values as grey data and as a mask."""

    image: Image
    mask: Mask


@node("texture.noise", title="Noise", group="Paint")
def noise(
    run: Run,
    kind: Annotated[
        Kind,
        Setting(
            help="gradient: clouds (Perlin). value: blotches. simplex: clouds with less of a grid. cells: spots "
            "around scattered points (Worley). cracks: dark lines between them."
        ),
    ] = "gradient",
    shape: Annotated[
        Shape, Setting(help="plain; ridged: bright crests, as of mountains; billow: rounded, as of cushions.")
    ] = "plain",
    cells: Annotated[int, Slider(1, 256, log=True, help="Coarsest features across the width.")] = 8,
    octaves: Annotated[int, Slider(1, 10, help="Layers of ever finer features.")] = 5,
    roughness: Annotated[float, Slider(0, 1, help="How much each finer layer counts, against the one before.")] = 0.5,
    warp: Annotated[float, Slider(0, 4, help="How far features are pulled about, in coarsest features.")] = 0.0,
    contrast: Annotated[float, Slider(0, 8, help="Around the middle: 0 is even grey, 1 as it is.")] = 1.0,
    stretch: Annotated[bool, Setting(help="Use the whole range from black to white.")] = True,
    invert: Annotated[bool, Setting(help="Dark becomes light.")] = False,
    width: Side = 1024,
    height: Side = 1024,
    seed: Annotated[int, Seed()] = 0,
) -> Noise:
    """Grey noise that repeats without a border: for masks, relief, dirt and variation.

    Features are as wide as high as far as whole ones fit. The same seed gives the same picture on every machine.
    """  # fmt: skip
    run.progress(0.0, "noise")
    check_size(width, height)
    values = made(run, KINDS.index(kind), SHAPES.index(shape), (width, height), cells, octaves, roughness, warp, seed)
    if stretch:
        low, high = float(values.min()), float(values.max())
        values = (values - low) / max(high - low, 1e-6) * 2 - 1
    values = np.clip(0.5 + 0.5 * contrast * (-values if invert else values), 0, 1)
    values = np.ascontiguousarray(values, np.float32)
    return Noise(Image.of(values, "data"), Mask(values))


def made(
    run: Run,
    kind: int,
    shape: int,
    size: tuple[int, int],
    cells: int,
    octaves: int,
    gain: float,
    warp: float,
    seed: int,
) -> Float32:
    """(H, W) about -1..1."""
    from nodes.texture._noise import ROW, TRIANGLES, noise_rows

    width, height = size
    down = max(1, round(cells * height / width))
    if kind == TRIANGLES:
        down = 2 * max(1, round(cells * height / width / ROW / 2))
    out = np.zeros((height, width), np.float32)
    parts = max(1, min(height, 8 * (cpu_count() or 1)))
    cuts = list(pairwise(height * i // parts for i in range(parts + 1)))
    with ThreadPoolExecutor() as threads:
        jobs = [
            threads.submit(noise_rows, kind, shape, cells, down, octaves, gain, warp, seed & 0x7FFFFFFF, *cut, out)
            for cut in cuts
        ]
        for done, job in enumerate(jobs):
            job.result()
            run.progress(0.9 * (done + 1) / len(jobs), "noise")
    return out

"""Normals of what a picture shows, by a diffusion network that was trained for them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Folder, Image, Run, Seed, Setting, Slider, node, place
from app.engine.weight_files import digest_of
from nodes.depth import _cards as cards
from nodes.depth import _marigold as network
from nodes.depth._maps import normal_image
from nodes.depth._pretrained import folder_of
from nodes.image._pixels import check_finite

Model = Literal["marigold-normals-v1-1", "own folder"]
LEAST, STEP = 8, 8
FULL_GB, WORK_GB = 5.2, 2.0


@node(
    "depth.marigold_normals",
    title="Marigold normals",
    licence="Apache-2.0",
    models=(cards.MARIGOLD,),
    devices=("cpu", "cuda", "mps"),
    vram_gb=4.0,
    cheaper={"resolution": 512},
)
def marigold_normals(
    run: Run,
    image: Image,
    model: Annotated[Model, Setting(help="The published network, or a folder of the same make.")] = (
        "marigold-normals-v1-1"
    ),
    folder: Annotated[Path, Folder(optional=True, help="For own folder: in the layout of diffusers.")] = Path(),
    steps: Annotated[int, Slider(1, 50, log=True, help="Looks of the network; 4 are enough.")] = 4,
    together: Annotated[int, Slider(1, 10, help="Predictions of which the middle one is taken; slower.")] = 1,
    resolution: Annotated[
        int, Slider(0, 2048, step=64, unit="px", help="Longer side while it works. 0: the picture's own.")
    ] = 768,
    seed: Annotated[int, Seed()] = 0,
) -> Image:
    """A normal map of a picture: which way each surface faces.

    Red is right, green is up, blue faces the viewer (OpenGL, +Y). Slow without a GPU: one to two minutes a step. The
    weights are under the OpenRAIL++ licence, whose rules of use apply.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    source = folder_of(model, (cards.MARIGOLD,), folder)
    files = network.files_of(source)
    placed = place(run, FULL_GB, WORK_GB)
    name = f"marigold {' '.join(digest_of(path)[:16] for path in files)} {placed.key}"
    size = sum(path.stat().st_size for path in files) / 1e9
    rgb = image.rgb * image.alpha[..., None] + np.float32(0.5) * (1 - image.alpha[..., None])
    with run.models.use(name, partial(network.open_pipeline, source, placed), size, run.check) as pipe:
        run.log.info(placed.words)

        def tell(share: float) -> None:
            run.progress(0.2 + 0.75 * share, "looking")

        side = resolution // STEP * STEP
        return normal_image(network.predict(pipe, rgb, steps, together, side, seed, tell))

"""A map that guides a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np

from app.engine import BadParam, Controls, Folder, Image, OpenFile, Run, Setting, Slider, node
from nodes.generate._diffusion import net_cards
from nodes.generate._diffusion.nets import digest_for, place_for
from nodes.image._pixels import check_finite


@node(
    "generate.control",
    title="ControlNet",
    licence="Apache-2.0",
    models=net_cards.CARDS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=1.0,
)
def control(
    run: Run,
    map: Image,
    more: Controls | None = None,
    net: Annotated[
        net_cards.Net, Setting(label="Network", help="It must fit the kind of map and the family of the model.")
    ] = "SD 1.5 canny",
    folder: Annotated[Path, Folder(optional=True, help="For own folder: a network as diffusers saves it.")] = Path(),
    file: Annotated[
        Path, OpenFile(suffixes=(".safetensors", ".pth"), optional=True, help="For own file: a network in one file.")
    ] = Path(),
    strength: Annotated[float, Slider(0, 2, step=0.05, help="How much the map counts. 0: not at all.")] = 1.0,
    start: Annotated[float, Slider(0, 1, step=0.01, help="Share of the steps after which it begins to count.")] = 0.0,
    end: Annotated[float, Slider(0, 1, step=0.01, help="Share of the steps after which it no longer counts.")] = 1.0,
) -> Controls:
    """Guide a picture by a map: edges, depth, a pose, a scribble.

    The map is used as it is, so look at it and edit it first. Link several of these through "more" to use their maps
    together, each with its own strength and range. Transparent parts of the map count as black.
    """
    run.progress(0, "checking the network")
    check_finite(map.pixels, "The map")
    if start >= end:
        raise BadParam("The map would count at no step.", "Choose an end after the start.")
    source = str({"own folder": folder, "own file": file}.get(net, ""))
    place_for(net, source)
    solid = Image.of(map.rgb * map.alpha[..., None])
    own = Controls(
        (solid,),
        (net,),
        (source,),
        (digest_for(net, source),),
        np.asarray([strength], np.float32),
        np.asarray([[start, end]], np.float32),
    )
    return own if more is None else _joined(more, own)


def _joined(first: Controls, then: Controls) -> Controls:
    return Controls(
        first.maps + then.maps,
        first.nets + then.nets,
        first.sources + then.sources,
        first.digests + then.digests,
        np.concatenate([first.strengths, then.strengths]),
        np.concatenate([first.ranges, then.ranges]),
    )

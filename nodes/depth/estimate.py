"""How far away everything in a picture is, as a network guesses it from a single picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, BadParam, Depth, Folder, Image, Run, Setting, Slider, node, place
from nodes.depth import _cards as cards
from nodes.depth._maps import Float32, metres_of, near_white, normal_image, normals_of, smoothed
from nodes.depth._pretrained import Network, folder_of, gigabytes, key_of, open_network
from nodes.image._pixels import check_finite
from nodes.mesh._camera import intrinsics_of

Model = Literal["depth-anything-v2-small", "dpt-large", "dpt-hybrid", "own folder"]
KINDS = {"depth_anything": "DepthAnythingForDepthEstimation", "dpt": "DPTForDepthEstimation"}
UNUSED = ("neck.fusion_stage.layers.0.residual_layer1.*", "*.num_batches_tracked", "*.pooler.*")
WORK_GB = 0.8
LEAST = 8


class Estimated(NamedTuple):
    """``map``: white is near. ``normals``: OpenGL colours, from the geometry of the depth."""

    depth: Depth
    map: Image
    normals: Image


@node(
    "depth.estimate",
    title="Depth from picture",
    licence="Apache-2.0",
    models=cards.DEPTH,
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
)
def estimate(
    run: Run,
    image: Image,
    model: Annotated[
        Model, Setting(help="Depth Anything small: sharpest and quick. DPT: older, smoother. Own: such a folder.")
    ] = "depth-anything-v2-small",
    folder: Annotated[
        Path, Folder(optional=True, help="For own folder: Depth Anything or DPT, as published.")
    ] = Path(),
    near: Annotated[float, Slider(0.01, 1000, log=True, unit="m", help="How far away the nearest point is.")] = 1.0,
    far: Annotated[float, Slider(0.01, 10_000, log=True, unit="m", help="How far away the farthest point is.")] = 4.0,
    fov: Annotated[float, Slider(5, 120, unit="°", help="Angle the camera saw, from lower to upper border.")] = 45.0,
) -> Estimated:
    """Guess the depth of a picture.

    These networks tell what is nearer, not how many metres: the nearest and the farthest point are put at the distances
    you state, and the rest between them. A network trained for metres (own folder) keeps its own, and your range is
    not used. Where the picture is transparent, depth is unknown.
    """
    run.progress(0, "loading the network")
    _check(image, near, far)
    source = folder_of(model, cards.DEPTH, folder)
    placed = place(run, gigabytes(source), WORK_GB)
    load = partial(open_network, source, KINDS, "DPTImageProcessor", placed, UNUSED)
    with run.models.use(f"depth {key_of(source)} {placed.key}", load, gigabytes(source), run.check) as network:
        run.progress(0.4, "looking")
        raw, metric = predict(network, image)
    run.progress(0.9, "metres and normals")
    seen = image.alpha > 0.5 if bool((image.alpha > 0.5).any()) else np.ones(raw.shape, np.bool_)
    metres = np.full(raw.shape, np.nan, np.float32)
    metres[seen] = np.maximum(raw[seen], 1e-3) if metric else metres_of(raw[seen], near, far)
    if metric:
        run.log.info("metres are the network's own: near and far were not used")
    depth = Depth(metres, intrinsics_of(fov, image.size).astype(np.float32))
    normals = normal_image(normals_of(smoothed(depth, 1.0)))
    return Estimated(depth, Image.of(near_white(depth), "data"), normals)


def _check(image: Image, near: float, far: float) -> None:
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    if near >= far:
        raise BadParam(f"The nearest point ({near:g} m) is not nearer than the farthest ({far:g} m).", "Change one.")


def predict(network: Network, image: Image) -> tuple[Float32, bool]:
    """((H, W) as the network gives it, at the picture's size; whether that is metres).

    Without metres, larger is nearer: 1 / distance up to an unknown scale and offset (Ranftl et al. 2020).
    """
    import torch

    rgb = image.rgb * image.alpha[..., None] + np.float32(0.5) * (1 - image.alpha[..., None])
    picture: Any = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    taken = network.processor(picture, do_rescale=False, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        out = network.model(pixel_values=taken.to(network.model.device, network.model.dtype))
        out.predicted_depth = out.predicted_depth.float()
        found = network.processor.post_process_depth_estimation(out, target_sizes=[image.size[::-1]])
    raw = found[0]["predicted_depth"].cpu().numpy()
    if not np.isfinite(raw).all():
        raise BadInput("The network gave depths that are not numbers.", "Run it on the CPU, or use another model.")
    return raw, getattr(network.model.config, "depth_estimation_type", "relative") == "metric"

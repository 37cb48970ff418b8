"""How the people in a picture stand, as the skeleton that the pose ControlNets expect."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Detections, Folder, Image, Rect, Rectangle, Run, Setting, Slider, Text, node, place
from nodes.control import _cards as cards
from nodes.control._lines import Float32, on_white
from nodes.control._skeleton import Array, as_text, drawn, from_coco
from nodes.depth._pretrained import Network, folder_of, gigabytes, key_of, open_network

Model = Literal["vitpose-base", "own folder"]
KINDS = {"vitpose": "VitPoseForPoseEstimation"}
COCO_JOINTS = 17
AT_ONCE = 8
LEAST_BOX = 8
WORK_GB = 0.8


class Posed(NamedTuple):
    """``map``: the skeletons on black. ``keypoints``: their joints as OpenPose's JSON, for Skeleton."""

    map: Image
    keypoints: Text


@node(
    "control.pose",
    title="Pose",
    licence="Apache-2.0",
    models=(cards.VITPOSE,),
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
)
def pose(
    run: Run,
    image: Image,
    people: Detections | None = None,
    rectangle: Annotated[Rect | None, Rectangle(help="Around one person. Several people: link Detect objects.")] = None,
    model: Annotated[Model, Setting(help="The published network, or a folder of the same make.")] = "vitpose-base",
    folder: Annotated[Path, Folder(optional=True, help="For own folder: ViTPose, as saved by transformers.")] = Path(),
    threshold: Annotated[float, Slider(0, 1, step=0.05, help="Joints that are less sure are left out.")] = 0.3,
    most: Annotated[int, Slider(1, 50, help="No more people than this, the most certain first.")] = 8,
    thickness: Annotated[float, Slider(0.25, 8, log=True, help="Times the pen ControlNet was trained with.")] = 1.0,
) -> Posed:
    """Find the joints of people, and draw them as OpenPose does, for the pose models of ControlNet.

    People are where Detect objects found a person, or in the rectangle you draw; without either, the whole picture
    counts as one person. The joints are 18: no hands, no face. Change them by hand through Skeleton.
    """
    run.progress(0, "loading the network")
    rgb = on_white(image)
    boxes = _boxes(run, image, people, rectangle)[:most]
    source = folder_of(model, (cards.VITPOSE,), folder)
    placed = place(run, gigabytes(source), WORK_GB)
    load = partial(open_network, source, KINDS, "VitPoseImageProcessor", placed)
    with run.models.use(f"pose {key_of(source)} {placed.key}", load, gigabytes(source), run.check) as network:
        found = [np.zeros((0, COCO_JOINTS, 3))]
        for start in range(0, len(boxes), AT_ONCE):
            run.progress(0.3 + 0.6 * start / len(boxes), "looking")
            found.append(joints_in(network, rgb, boxes[start : start + AT_ONCE]))
    joints = from_coco(np.concatenate(found))
    joints[..., 2] *= joints[..., 2] >= threshold
    return Posed(Image.of(drawn(joints, image.size, threshold, thickness)), Text(as_text(joints, image.size)))


def _boxes(run: Run, image: Image, people: Detections | None, rectangle: Rect | None) -> Array:
    """(P, 4) float64 left, top, right, bottom in pixels."""
    if rectangle is not None:
        shares = np.array([rectangle], np.float64)
    elif people is not None:
        chosen = [i for i, label in enumerate(people.labels) if label.lower() == "person"]
        shares = people.boxes[chosen].astype(np.float64).reshape(-1, 4)
        if not chosen:
            run.warn("No person was found in the picture, so the map is empty.")
    else:
        shares = np.array([[0.0, 0.0, 1.0, 1.0]])
        run.warn("No boxes were given: the whole picture counted as one person.")
    boxes: Array = shares * np.array([*image.size, *image.size])
    large = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= LEAST_BOX
    if rectangle is not None and not large.all():
        raise BadInput("The rectangle is too small.", "Draw it again around the whole person.")
    return np.asarray(boxes[large])


def joints_in(network: Network, rgb: Float32, boxes: Array) -> Array:
    """(P, 17, 3): x, y in pixels and how sure, in COCO's order, of one person in each box (P, 4) of pixels."""
    import torch

    wanted = [[[*box[:2], box[2] - box[0], box[3] - box[1]] for box in boxes]]
    picture: Any = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    taken = network.processor(picture, boxes=wanted, do_rescale=False, return_tensors="pt")["pixel_values"]
    more = {}
    if getattr(network.model.config.backbone_config, "num_experts", 1) > 1:
        more["dataset_index"] = torch.zeros(len(boxes), dtype=torch.long, device=network.model.device)
    with torch.inference_mode():
        out = network.model(taken.to(network.model.device, network.model.dtype), **more)
        out.heatmaps = out.heatmaps.float()
        found = network.processor.post_process_pose_estimation(out, boxes=wanted)[0]
    points = np.stack([np.concatenate([one["keypoints"], one["scores"][:, None]], axis=1) for one in found])
    if points.shape[1] != COCO_JOINTS or not np.isfinite(points).all():
        raise BadInput("The network does not give the 17 joints of COCO.", "Use another pose network.")
    return points.astype(np.float64)

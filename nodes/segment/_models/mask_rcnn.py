"""Mask R-CNN (He et al. 2017) from torchvision's classes, built to the sizes that a file's tensors speak of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, BadInput, fill, read_tensors, table
from app.engine.payloads import UInt8
from nodes.image._pixels import Float32

MEAN, SPREAD, LONGEST = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1333 / 800
FIRST_WIDTHS = (256, 512, 1024, 2048)
_OLD_NAMES = (
    (r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$", r"\1.0.\2"),
    (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1"),
)


@dataclass(frozen=True)
class Detector:
    """``network``: torchvision's MaskRCNN. ``kinds``: classes, the background among them."""

    network: Any
    kinds: int


@dataclass(frozen=True)
class Instances:
    """``boxes``: (N, 4) float32 0..1. ``scores``: (N,). ``kinds``: (N,). ``shapes``: (N, 28, 28) opacity in the box."""

    boxes: Float32
    scores: Float32
    kinds: NDArray[np.int64]
    shapes: Float32


def load(path: Path, device: str) -> Detector:
    """Raises :class:`BadFile` for what is no Mask R-CNN of torchvision with a bottleneck ResNet and a pyramid."""
    tensors = renamed(table(read_tensors(path), label=path.name))
    try:
        network, kinds = build({key: tuple(value.shape) for key, value in tensors.items()})
    except (KeyError, IndexError, ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
        raise BadFile(
            f"{path.name} is not a Mask R-CNN of torchvision.",
            "Choose maskrcnn_resnet50_fpn, its v2, or one like them.",
        ) from error
    fill(network, tensors, path.name)
    return Detector(network.eval().to(device), kinds)


def renamed(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Names that torchvision used before 0.13, and the published first version still has, brought up to date."""
    found = {}
    for key, value in tensors.items():
        for old, new in _OLD_NAMES:
            key = re.sub(old, new, key)
        found[re.sub(r"^roi_heads\.mask_head\.mask_fcn(\d+)\.", _numbered, key)] = value
    return found


def _numbered(found: re.Match[str]) -> str:
    return f"roi_heads.mask_head.{int(found[1]) - 1}.0."


def build(shape: Mapping[str, tuple[int, ...]]) -> tuple[Any, int]:
    """(an empty network on the meta device, its number of classes) for tensors of these shapes."""
    import torch
    from torchvision.models.detection import mask_rcnn
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, _default_anchorgen
    from torchvision.models.detection.rpn import RPNHead

    anchors = _default_anchorgen()
    kinds, features = shape["roi_heads.box_predictor.cls_score.weight"]
    deep, narrow = shape["roi_heads.mask_predictor.conv5_mask.weight"][:2]
    norm = torch.nn.BatchNorm2d if "backbone.fpn.inner_blocks.0.1.weight" in shape else None
    with torch.device("meta"):
        backbone = _backbone(shape, norm)
        wide = backbone.out_channels
        mask_head = mask_rcnn.MaskRCNNHeads(
            wide, _widths(shape, r"roi_heads\.mask_head\.(\d+)\.0\."), 1, norm_layer=norm
        )
        rpn_depth = len(_widths(shape, r"rpn\.head\.conv\.(\d+)\.0\."))
        network = mask_rcnn.MaskRCNN(
            backbone,
            rpn_anchor_generator=anchors,
            rpn_head=RPNHead(wide, anchors.num_anchors_per_location()[0], conv_depth=rpn_depth),
            box_head=_box_head(shape, wide, norm),
            box_predictor=FastRCNNPredictor(features, kinds),
            mask_head=mask_head,
            mask_predictor=mask_rcnn.MaskRCNNPredictor(deep, narrow, kinds),
        )
    return network, kinds


def _widths(shape: Mapping[str, tuple[int, ...]], pattern: str) -> list[int]:
    """Output channels of a row of layers, in their order."""
    found = {int(m[1]): size[0] for key, size in shape.items() if (m := re.match(pattern + "weight$", key))}
    return [found[number] for number in sorted(found)]


def _backbone(shape: Mapping[str, tuple[int, ...]], norm: Any) -> Any:
    """A bottleneck ResNet of 50 layers or more with a feature pyramid. Published files of the first version have
    frozen norms that add nothing to the variance."""
    from torch import nn
    from torchvision.models.detection.backbone_utils import BackboneWithFPN
    from torchvision.models.resnet import Bottleneck, ResNet
    from torchvision.ops.misc import FrozenBatchNorm2d

    learning = "backbone.body.bn1.num_batches_tracked" in shape
    body_norm: Callable[..., Any] = nn.BatchNorm2d if learning else partial(FrozenBatchNorm2d, eps=0.0)
    depths = [len(_widths(shape, rf"backbone\.body\.layer{stage}\.(\d+)\.conv1\.")) for stage in (1, 2, 3, 4)]
    body = ResNet(
        Bottleneck, depths, width_per_group=shape["backbone.body.layer1.0.conv1.weight"][0], norm_layer=body_norm
    )
    layers = {f"layer{stage}": str(stage - 1) for stage in (1, 2, 3, 4)}
    wide = shape["backbone.fpn.inner_blocks.0.0.weight"][0]
    return BackboneWithFPN(body, layers, list(FIRST_WIDTHS), wide, norm_layer=norm)


def _box_head(shape: Mapping[str, tuple[int, ...]], wide: int, norm: Any) -> Any:
    from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, TwoMLPHead

    if "roi_heads.box_head.fc6.weight" in shape:
        return TwoMLPHead(wide * 7 * 7, shape["roi_heads.box_head.fc6.weight"][0])
    convolutions = _widths(shape, r"roi_heads\.box_head\.(\d+)\.0\.")
    full = _widths(shape, r"roi_heads\.box_head\.(\d+)\.")
    return FastRCNNConvFCHead((wide, 7, 7), convolutions, full, norm_layer=norm)


def find(detector: Detector, rgb: Float32, shorter: int, threshold: float, told: Callable[[float], None]) -> Instances:
    """Of (H, W, 3) sRGB 0..1, worked on with its shorter side at ``shorter`` pixels. ``told``: called between steps."""
    import torch
    from torchvision.models.detection.transform import GeneralizedRCNNTransform

    network, steps = detector.network, GeneralizedRCNNTransform(shorter, round(shorter * LONGEST), MEAN, SPREAD)
    device = next(network.parameters()).device
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))).to(device)
        images, _ = steps([pixels])
        features = network.backbone(images.tensors)
        told(0.6)
        proposals, _ = network.rpn(images, features)
        told(0.7)
        found = network.roi_heads(features, proposals, images.image_sizes)[0][0]
    boxes, scores, kinds, shapes = (found[name].cpu().numpy() for name in ("boxes", "scores", "labels", "masks"))
    if not np.isfinite(boxes).all() or not np.isfinite(scores).all():
        raise BadInput("The network gave values that are not numbers.", "Use another model.")
    height, width = images.image_sizes[0]
    good = scores >= threshold
    places = np.clip(boxes[good] / np.array([width, height, width, height], np.float32), 0, 1)
    return Instances(places.astype(np.float32), scores[good], kinds[good].astype(np.int64), shapes[good][:, 0])


def paste(shapes: Float32, boxes: Float32, size: tuple[int, int], threshold: float = 0.5) -> UInt8:
    """(N, H, W) of 0 or 1 at ``size`` (width, height): each (M, M) shape stretched over its box, which is in 0..1.

    Every pixel takes the shape's value at its centre, bilinear between the centres of the shape's cells, fading to
    nothing over half a cell outside.
    """
    import cv2

    masks = np.zeros((len(shapes), size[1], size[0]), np.uint8)
    for mask, shape, box in zip(masks, shapes, boxes, strict=True):
        padded = np.pad(shape, 1).astype(np.float32)
        columns, rows = (
            ((np.arange(size[i]) + 0.5) / size[i] - box[i]) / max(box[i + 2] - box[i], 1e-9) * shape.shape[0] + 0.5
            for i in (0, 1)
        )
        x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        mask[:] = cv2.remap(padded, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > threshold
    return masks

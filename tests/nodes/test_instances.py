"""Mask R-CNN: published layouts, small networks of the real classes, pasting, files that do not fit."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNN, MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops.misc import FrozenBatchNorm2d

from app.engine import BadFile, BadInput, Cancelled, Image, MissingWeights, Run
from app.engine.checkpoints import difference
from app.engine.codec import digest, encode
from app.engine.weight_files import needed
from nodes.segment._labels import coco_91
from nodes.segment._models import cards
from nodes.segment._models.mask_rcnn import build, find, load, paste, renamed
from nodes.segment.instances import instances
from nodes.segment.pick import pick


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))


def shapes(tensors: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in tensors.items()}


def before_2022(tensors: dict[str, Any]) -> dict[str, Any]:
    """The names that the published first version has, whose norms are frozen."""
    found = {}
    for key, value in tensors.items():
        if key.startswith("backbone.body") and key.endswith("num_batches_tracked"):
            continue
        key = re.sub(r"(fpn\.(?:inner|layer)_blocks\.\d)\.0\.", r"\1.", key).replace(
            "rpn.head.conv.0.0.", "rpn.head.conv."
        )
        found[re.sub(r"mask_head\.(\d)\.0\.", lambda m: f"mask_head.mask_fcn{int(m[1]) + 1}.", key)] = value
    return found


def test_both_published_layouts_fit_exactly() -> None:
    with torch.device("meta"):
        first = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict()
        second = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).state_dict()
    old = before_2022(first)
    assert "roi_heads.mask_head.mask_fcn4.bias" in old and "backbone.fpn.inner_blocks.3.weight" in old
    for tensors, count in ((old, 44_401_393), (second, 46_359_409)):
        wanted = renamed(tensors)
        network, kinds = build(shapes(wanted))
        assert kinds == 91 and difference(shapes(network.state_dict()), shapes(wanted)) == ""
        assert sum(value.numel() for value in network.parameters()) == count, "as the library counts them"
    frozen = [m for m in build(shapes(renamed(old)))[0].modules() if isinstance(m, FrozenBatchNorm2d)]
    assert len(frozen) == 53 and all(part.eps == 0 for part in frozen)


def tiny(second: bool, kinds: int = 91) -> MaskRCNN:
    """Few channels, every weight drawn, scores made to spread."""
    norm = nn.BatchNorm2d if second else None
    frozen = lambda n: FrozenBatchNorm2d(n, eps=0.0)  # noqa: E731
    body = ResNet(Bottleneck, [1, 1, 1, 1], width_per_group=4, norm_layer=nn.BatchNorm2d if second else frozen)
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    backbone = BackboneWithFPN(body, layers, [256, 512, 1024, 2048], 16, norm_layer=norm)
    box_head = FastRCNNConvFCHead((16, 7, 7), [12, 16], [32], norm) if second else TwoMLPHead(16 * 49, 32)
    network = MaskRCNN(
        backbone,
        rpn_head=RPNHead(16, 3, conv_depth=2 if second else 1),
        box_head=box_head,
        box_predictor=FastRCNNPredictor(32, kinds),
        mask_head=MaskRCNNHeads(16, [16, 12], 1, norm_layer=norm),
        mask_predictor=MaskRCNNPredictor(12, 16, kinds),
    )
    chance = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, value in sorted(network.state_dict().items()):
            noise = torch.randn(value.shape, generator=chance)
            if value.ndim > 1:
                scale = 6.0 if "cls_score" in name else 0.3 if "bbox" in name else 1.4
                value.copy_(scale * noise / value[0].numel() ** 0.5)
            elif value.is_floating_point():
                around = 1 if name.endswith(("running_var", "weight")) else 0
                value.copy_(around + 0.1 * noise.abs())
    return network.eval()


def saved(path: Path, second: bool, kinds: int = 91) -> Path:
    state = tiny(second, kinds).state_dict()
    torch.save({"model": state} if second else before_2022(state), path)
    return path


def scene(width: int = 60, height: int = 40) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    disc = (np.hypot(x - 20, y - 20) < 12).astype(np.float32)
    return Image.of(np.stack([disc, x / width, (x // 5 + y // 5) % 2], axis=-1))


@pytest.mark.parametrize("second", [False, True])
def test_it_gives_what_the_library_gives(tmp_path: Path, cpu: Run, second: bool) -> None:
    image, network = scene(), tiny(second)
    network.transform.min_size, network.transform.max_size = (160,), 267
    raw: list[Any] = []
    network.roi_heads.register_forward_hook(lambda *_: raw.append(_[2][0][0]["masks"].clone()))
    with torch.no_grad():
        wanted = network([torch.from_numpy(image.rgb.transpose(2, 0, 1).copy())])[0]
    loaded = load(saved(tmp_path / "net.pth", second), "cpu")
    found = find(loaded, image.rgb, 160, 0.2, lambda _: None)
    good = (wanted["scores"] >= 0.2).numpy()
    assert 5 < good.sum() == len(found.boxes)
    assert np.abs(found.boxes - wanted["boxes"].numpy()[good] / np.array([60, 40, 60, 40])).max() < 1e-5
    assert np.abs(found.scores - wanted["scores"].numpy()[good]).max() < 1e-5
    assert np.array_equal(found.kinds, wanted["labels"].numpy()[good])
    assert np.abs(found.shapes - raw[0][:, 0].numpy()[good]).max() < 1e-4
    objects = instances(cpu, image, "own file", tmp_path / "net.pth", 0.2, 160, 100).objects
    kept = np.flatnonzero(paste(found.shapes, found.boxes, (60, 40)).any(axis=(1, 2)))
    assert np.array_equal(objects.boxes, found.boxes[kept]) and len(kept) > 2
    assert objects.labels == tuple(coco_91()[k] or f"kind {k}" for k in found.kinds[kept])


def test_pasting_is_the_closed_form() -> None:
    """A shape that is a half-plane lands on its line wherever the box lies, to less than half a pixel."""
    at = np.arange(28)
    for box, size in (
        ((0.1, 0.2, 0.9, 0.7), (200, 100)),
        ((0.25, 0.0, 0.5, 1.0), (90, 130)),
        ((0.0, 0.3, 1.0, 0.31), (64, 400)),
    ):
        left, top, right, bottom = np.array(box) * [*size, *size]
        slope = np.tile(np.clip(0.5 + (at + 0.5 - 14) / 8, 0, 1), (28, 1)).astype(np.float32)
        (mask,) = paste(slope[None], np.array([box], np.float32), size)
        rows, columns = np.nonzero(mask)
        middle, cell = (left + right) / 2, (right - left) / 28
        assert abs(columns.min() - middle) <= 0.5 + 1e-3
        assert right - 1.5 - cell / 2 <= columns.max() + 1 <= right + 0.5 + cell / 2
        assert (
            abs(rows.min() - top) <= 0.5 + (bottom - top) / 56
            and abs(rows.max() + 1 - bottom) <= 0.5 + (bottom - top) / 56
        )


def test_pasting_agrees_with_the_library_within_its_rounding() -> None:
    y, x = np.mgrid[0:28, 0:28]
    disc = (1 / (1 + np.exp(np.hypot(x - 13.5, y - 13.5) - 9))).astype(np.float32)
    boxes = np.array([[10.3, 5.7, 90.2, 64.9], [60.5, 20.25, 118.75, 79.5]], np.float32)
    library = paste_masks_in_image(
        torch.from_numpy(np.stack([disc, disc]))[:, None], torch.from_numpy(boxes), (80, 120)
    )
    own = paste(np.stack([disc, disc]), boxes / np.array([120, 80, 120, 80], np.float32), (120, 80)).astype(bool)
    for mask, other in zip(own, library[:, 0].numpy() > 0.5, strict=True):
        assert (mask & other).sum() / (mask | other).sum() > 0.94, "the library takes whole pixels"
    assert paste(np.zeros((0, 28, 28), np.float32), np.zeros((0, 4), np.float32), (5, 4)).shape == (0, 4, 5)


def test_scores_by_hand_give_the_expected_boxes() -> None:
    """Through the last step of the network: one sure proposal stays where it is, one moves by a known shift."""
    network = tiny(False)
    logits = torch.full((2, 91), -10.0)
    logits[0, 62], logits[1, 18] = 10.0, 10.0
    shift = torch.zeros(2, 91, 4)
    shift[1, 18] = torch.tensor([10 * 0.5, 0.0, 5 * np.log(2.0), 0.0])
    proposals = [torch.tensor([[10.0, 10.0, 50.0, 30.0], [20.0, 20.0, 40.0, 40.0]])]
    boxes, scores, labels = network.roi_heads.postprocess_detections(logits, shift.flatten(1), proposals, [(100, 100)])
    found = {coco_91()[int(k)]: box.tolist() for k, box in zip(labels[0], boxes[0], strict=True)}
    assert found["chair"] == pytest.approx([10, 10, 50, 30], abs=1e-3)
    assert found["dog"] == pytest.approx([20, 20, 60, 40], abs=1e-3) and float(scores[0].min()) > 0.99


def test_what_it_finds_can_be_picked_and_is_the_same_twice(tmp_path: Path, cpu: Run) -> None:
    path = saved(tmp_path / "net.pth", True)
    first, again = (instances(Run(wanted_device="cpu"), scene(), "own file", path, 0.2, 160) for _ in range(2))
    assert digest(encode(first.objects)) == digest(encode(again.objects))
    assert digest(encode(first.picture)) == digest(encode(again.picture))
    name = first.objects.labels[0]
    picked = pick(cpu, scene(), first.objects, name, take="all", edge=0.0)
    same = [i for i, label in enumerate(first.objects.labels) if label == name]
    assert np.array_equal(picked.mask.values > 0, first.objects.masks[same].any(axis=0))


def test_other_kinds_are_numbered_and_nothing_may_be_found(tmp_path: Path, cpu: Run) -> None:
    path = saved(tmp_path / "net.pth", False, kinds=3)
    found = instances(cpu, scene(), "own file", path, threshold=0.05, size=160).objects
    assert set(found.labels) <= {"kind 1", "kind 2"} and found.labels
    none = instances(cpu, Image(np.full((30, 20, 4), 0.5, np.float32)), "own file", path, threshold=0.95, size=160)
    assert none.objects.masks.shape[1:] == (30, 20) and none.picture.size == (20, 30)


def test_it_stops_between_its_steps(tmp_path: Path) -> None:
    stop, told = Event(), list[float]()

    def tell(done: float, _: str) -> None:
        told.append(done)
        if done >= 0.6:
            stop.set()

    with pytest.raises(Cancelled):
        instances(
            Run(tell, stop=stop, wanted_device="cpu"), scene(), "own file", saved(tmp_path / "n.pth", False), size=160
        )
    assert told == [0, 0.2, 0.6]


def test_missing_weights_are_told_for_each_model(cpu: Run) -> None:
    for card in cards.INSTANCES:
        with pytest.raises(MissingWeights, match="BSD-3-Clause") as told:
            instances(cpu, scene(), card.role)
        assert f"main.py weights fetch {card.handle}" in told.value.advice
        assert needed(cards.INSTANCES, {"model": card.role}) == (card,)
        assert card.files[0].sha256.startswith(card.files[0].name.rpartition("-")[2].removesuffix(".pth"))
    with pytest.raises(BadInput, match="No model file"):
        instances(cpu, scene(), "own file")


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_files_that_do_not_fit_are_refused_in_words_and_not_run(tmp_path: Path, cpu: Run) -> None:
    state = tiny(False).state_dict()
    whole = saved(tmp_path / "whole.pth", False).read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    torch.save({"w": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save({k: v for k, v in state.items() if "fc7" not in k}, tmp_path / "missing.pth")
    torch.save({**state, "backbone.stranger": torch.zeros(2)}, tmp_path / "unknown.pth")
    torch.save({**state, "roi_heads.box_head.fc7.bias": torch.zeros(3)}, tmp_path / "shape.pth")
    torch.save({"model": state, "more": Trap(tmp_path / "it ran")}, tmp_path / "evil.pth")
    words = {
        "cut": "damaged", "other": "not a Mask R-CNN", "missing": "2 of", "unknown": "unknown",
        "shape": "another shape", "evil": "was not run",
    }  # fmt: skip
    for name, match in words.items():
        with pytest.raises(BadFile, match=match) as told:
            instances(cpu, scene(), "own file", tmp_path / f"{name}.pth")
        assert told.value.advice, name
    assert not (tmp_path / "it ran").exists() and cpu.models.names() == ()

"""Detect objects: real weights on real photographs, closed forms, brute force, hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from onnx_files import constant_network, identity_network
from PIL import Image as Pictures

from app.engine import BadFile, BadInput, Cancelled, Image, MissingWeights, Run
from app.engine.codec import digest, encode
from app.engine.weight_files import import_file, needed
from nodes.segment._boxes import overlap, suppress
from nodes.segment._models import cards, yolox
from nodes.segment.detect import detect


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def nano(shared: Path) -> Path:
    return shared / "yolox_nano" / "yolox_nano.onnx"


def photo(shared: Path, name: str) -> Image:
    return Image.of(np.asarray(Pictures.open(shared / "photos" / name).convert("RGB")))


BY_HAND = {
    "dog.jpg": [
        ("dog", (133, 221, 309, 540)),
        ("bicycle", (126, 134, 567, 419)),
        ("car", (466, 76, 686, 170)),
    ],
    "bus.jpg": [
        ("bus", (3, 231, 801, 742)),
        ("person", (52, 399, 246, 900)),
        ("person", (224, 407, 342, 859)),
        ("person", (669, 398, 810, 880)),
    ],
}


@pytest.mark.parametrize("name", BY_HAND)
def test_real_weights_find_what_a_person_marked(shared: Path, nano: Path, cpu: Run, name: str) -> None:
    image = photo(shared, name)
    found = detect(cpu, image, "own file", nano).objects
    sides = np.array([*image.size, *image.size], np.float32)
    assert sorted(found.labels) == sorted(label for label, _ in BY_HAND[name])
    assert (np.diff(found.scores) <= 0).all() and found.scores.min() > 0.5 and found.size == image.size
    for label, box in BY_HAND[name]:
        same = [i for i, other in enumerate(found.labels) if other == label]
        best = overlap(np.array([box], np.float32), found.boxes[same] * sides).max()
        assert best > 0.75, f"{label} {box}: {best:.2f}"


def test_the_picture_is_drawn_on_and_the_same_twice(shared: Path, nano: Path, cpu: Run) -> None:
    image = photo(shared, "dog.jpg")
    first, second = (detect(Run(wanted_device="cpu"), image, "own file", nano) for _ in range(2))
    assert digest(encode(first.objects)) == digest(encode(second.objects))
    assert digest(encode(first.picture)) == digest(encode(second.picture))
    changed = np.abs(first.picture.rgb - image.rgb).max(axis=2) > 0
    left, top, right, bottom = (first.objects.boxes[0] * [*image.size, *image.size]).astype(int)
    assert changed[top + 1, left + 5 : right - 5].all() and changed[bottom - 1, left + 5 : right - 5].all()
    assert 0.005 < changed.mean() < 0.1


def test_a_turned_picture_turns_the_boxes(shared: Path, nano: Path, cpu: Run) -> None:
    """Left and right swapped: the letterbox and the way back hold for wide and high pictures alike."""
    image = photo(shared, "dog.jpg")
    swapped = Image(np.ascontiguousarray(image.pixels[:, ::-1]))
    one = detect(cpu, image, "own file", nano).objects
    other = detect(cpu, swapped, "own file", nano).objects
    assert other.labels[0] == one.labels[0] == "dog"
    back = other.boxes[0][[2, 1, 0, 3]] * [-1, 1, -1, 1] + np.array([1, 0, 1, 0])
    assert overlap(back[None].astype(np.float32), one.boxes[:1])[0, 0] > 0.85


def rows_with(*planted: tuple[int, float, float, float, float, float, int]) -> np.ndarray:
    """(1, 21, 8): a 32 x 32 canvas has 16 + 4 + 1 cells; three kinds."""
    rows = np.zeros((1, 21, 8), np.float32)
    for cell, x, y, width, height, score, kind in planted:
        rows[0, cell, :5] = (x, y, np.log(width), np.log(height), 1.0)
        rows[0, cell, 5 + kind] = score
    return rows


def test_decoding_is_the_closed_form_for_wide_and_high_pictures(tmp_path: Path, cpu: Run) -> None:
    """Cell 6 of the first grid is column 2, row 1 (stride 8); cell 17 is column 1, row 0 of the second (stride 16)."""
    path = constant_network(
        tmp_path / "n.onnx", rows_with((6, 0.5, 0.25, 1.5, 0.5, 0.9, 2), (17, -0.5, 0.1, 1, 1, 0.6, 0))
    )
    for width, height in ((64, 32), (32, 64), (100, 75)):
        image = Image(np.full((height, width, 4), 0.5, np.float32))
        found = detect(cpu, image, "own file", path, overlap=1.0).objects
        scale = 32 / max(width, height)
        first = np.array([20 - 6, 10 - 2, 20 + 6, 10 + 2]) / scale / [width, height, width, height]
        second = np.array([8 - 8, 1.6 - 8, 8 + 8, 1.6 + 8]) / scale / [width, height, width, height]
        assert found.labels == ("kind 2", "kind 0")
        assert np.allclose(found.scores, [0.9, 0.6], atol=1e-6)
        assert np.allclose(found.boxes, np.clip([first, second], 0, 1), atol=1e-5)


def test_the_letterbox_puts_pixels_where_the_network_was_taught() -> None:
    rgb = np.zeros((30, 60, 3), np.float32)
    rgb[:15, :, 0] = 1
    canvas, scale = yolox.letterbox(rgb, (32, 32))
    assert scale == pytest.approx(32 / 60) and canvas.shape == (32, 32, 3)
    assert (canvas[:7, :, 0] == 255).all() and (canvas[16:] == 114).all() and (canvas[9:15, :, 0] == 0).all()


def brute_force(boxes: np.ndarray, scores: np.ndarray, limit: float, kinds: np.ndarray | None) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        free = True
        for j in kept:
            width = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
            height = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
            common = max(width, 0) * max(height, 0)
            both = sum(max(b[2] - b[0], 0) * max(b[3] - b[1], 0) for b in (boxes[i], boxes[j])) - common
            if both > 0 and common / both > limit and (kinds is None or kinds[i] == kinds[j]):
                free = False
        if free:
            kept.append(i)
    return kept


@pytest.mark.parametrize("limit", [0.1, 0.45, 0.9])
@pytest.mark.parametrize("by_kind", [False, True])
def test_suppression_equals_a_plain_loop_and_the_library(limit: float, by_kind: bool) -> None:
    from torchvision.ops import nms

    chance = np.random.default_rng(4)
    corner = chance.random((80, 2))
    boxes = np.concatenate([corner, corner + 0.4 * chance.random((80, 2))], axis=1).astype(np.float32)
    scores = np.round(chance.random(80), 2).astype(np.float32)
    kinds = chance.integers(0, 3, 80) if by_kind else None
    kept = suppress(boxes, scores, limit, kinds)
    assert kept.tolist() == brute_force(boxes.astype(np.float64), scores, limit, kinds)
    if not by_kind:
        alone = scores + np.linspace(0, 1e-4, 80, dtype=np.float32)[::-1]
        assert (
            suppress(boxes, alone, limit).tolist() == nms(*map(torch.from_numpy, (boxes, alone.copy())), limit).tolist()
        )
    assert suppress(boxes[:0], scores[:0], limit).tolist() == []


def canvas() -> Image:
    return Image(np.full((50, 100, 4), 1, np.float32))


def test_missing_weights_are_told_for_each_model(cpu: Run) -> None:
    for card in cards.DETECTORS:
        with pytest.raises(MissingWeights, match=r"Apache-2\.0") as told:
            detect(cpu, canvas(), card.role)
        assert f"main.py weights fetch {card.handle}" in told.value.advice
        assert needed(cards.DETECTORS, {"model": card.role}) == (card,)
    with pytest.raises(BadInput, match="No model file"):
        detect(cpu, canvas(), "own file")
    with pytest.raises(BadInput, match="No model folder"):
        detect(cpu, canvas(), "own folder")


def test_a_file_with_another_checksum_is_not_taken_for_the_published_one(nano: Path, cpu: Run) -> None:
    """A different export of the same network: right in content, but not what the card states."""
    card = cards.DETECTORS[0]
    with pytest.raises(BadFile, match="is no file of YOLOX nano"):
        import_file(card, nano)
    from app.engine.weight_files import place_of

    place = place_of(card, card.files[0].name)
    place.parent.mkdir(parents=True)
    place.write_bytes(bytes(card.files[0].size))
    with pytest.raises(MissingWeights, match="is damaged"):
        detect(cpu, canvas(), "yolox-nano")


def test_files_that_are_no_detector_are_refused_in_words(tmp_path: Path, cpu: Run) -> None:
    good = constant_network(tmp_path / "good.onnx", rows_with()).read_bytes()
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "cut.onnx").write_bytes(good[: len(good) // 2])
    (tmp_path / "text.onnx").write_bytes(b"hello, this is a letter")
    identity_network(tmp_path / "identity.onnx")
    constant_network(tmp_path / "few.onnx", np.zeros((1, 20, 85), np.float32))
    constant_network(tmp_path / "flat.onnx", np.zeros((4,), np.float32))
    for name in ("empty", "cut", "text", "identity", "few", "flat"):
        with pytest.raises(BadFile) as told:
            detect(cpu, canvas(), "own file", tmp_path / f"{name}.onnx")
        assert name in told.value.message and told.value.advice
    assert cpu.models.names() == ()


def test_it_stops_between_its_steps(tmp_path: Path) -> None:
    path, stop, told = constant_network(tmp_path / "n.onnx", rows_with()), Event(), list[float]()

    def tell(done: float, _: str) -> None:
        told.append(done)
        if done >= 0.4:
            stop.set()

    with pytest.raises(Cancelled):
        detect(Run(tell, stop=stop, wanted_device="cpu"), canvas(), "own file", path)
    assert told == [0, 0.4]


def rtdetr_folder(folder: Path) -> Path:
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor

    torch.manual_seed(3)
    config = RTDetrConfig(
        backbone_config={
            "model_type": "rt_detr_resnet", "embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1],
            "layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"],
        },
        encoder_hidden_dim=16, encoder_in_channels=[8, 8, 8], feat_strides=[8, 16, 32], encoder_ffn_dim=16,
        encoder_attention_heads=2, d_model=16, num_queries=12, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16,
        decoder_layers=2, decoder_attention_heads=2, num_denoising=0, id2label={0: "cup", 1: "chair", 2: "dog"},
        label2id={"cup": 0, "chair": 1, "dog": 2},
    )  # fmt: skip
    RTDetrForObjectDetection(config).eval().save_pretrained(folder)
    RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def yolos_folder(folder: Path) -> Path:
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    torch.manual_seed(5)
    config = YolosConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=[64, 64],
        num_detection_tokens=10, id2label={0: "cup", 1: "chair", 2: "dog"}, label2id={"cup": 0, "chair": 1, "dog": 2},
    )  # fmt: skip
    YolosForObjectDetection(config).eval().save_pretrained(folder)
    YolosImageProcessor(size={"shortest_edge": 48, "longest_edge": 64}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("make", [rtdetr_folder, yolos_folder])
def test_folders_of_transformers_give_what_the_library_gives(tmp_path: Path, cpu: Run, make: object) -> None:
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    folder = make(tmp_path / "model")  # type: ignore[operator]
    picture = (np.random.default_rng(1).random((40, 60, 3)) * 255).astype(np.uint8)
    found = detect(cpu, Image.of(picture), "own folder", folder=folder, threshold=0.05, overlap=1.0, most=300).objects
    model = AutoModelForObjectDetection.from_pretrained(folder, local_files_only=True).eval()
    processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    with torch.no_grad():
        out = model(**processor(images=Pictures.fromarray(picture), return_tensors="pt"))
    direct = processor.post_process_object_detection(out, threshold=0.05, target_sizes=[(40, 60)])[0]
    order = np.argsort(-direct["scores"].numpy(), kind="stable")
    assert len(found.labels) == len(order) > 3
    assert np.abs(found.scores - direct["scores"].numpy()[order]).max() < 1e-5
    boxes = np.clip(direct["boxes"].numpy()[order] / [60, 40, 60, 40], 0, 1)
    assert np.abs(found.boxes - boxes).max() < 1e-5
    assert found.labels == tuple(model.config.id2label[int(k)] for k in direct["labels"].numpy()[order])


def test_folders_that_do_not_fit_are_refused_in_words(tmp_path: Path, cpu: Run) -> None:
    from safetensors.torch import load_file, save_file

    folder = yolos_folder(tmp_path / "model")
    weights, config = folder / "model.safetensors", folder / "config.json"
    whole, settings = load_file(weights), json.loads(config.read_text())

    def refused(words: str) -> None:
        with pytest.raises(BadFile, match=words) as told:
            detect(cpu, canvas(), "own folder", folder=folder)
        assert told.value.advice and cpu.models.names() == ()

    save_file({k: v for k, v in whole.items() if "class_labels" not in k}, weights)
    refused("tensors missing")
    save_file({**whole, "stranger": torch.zeros(2)}, weights)
    refused("1 tensors unknown")
    save_file({**whole, "class_labels_classifier.layers.2.bias": torch.zeros(9)}, weights)
    refused("of another shape")
    weights.write_bytes(b"not a model")
    refused("does not hold a model")
    save_file(whole, weights)
    config.write_text(json.dumps({**settings, "model_type": "resnet"}))
    refused("does not hold a model")
    config.write_text("{")
    refused("does not hold a model")
    config.write_text(
        json.dumps({**settings, "auto_map": {"AutoModelForObjectDetection": "evil.Model"}, "model_type": "evil"})
    )
    (folder / "evil.py").write_text("raise SystemExit")
    refused("does not hold a model")
    (folder / "preprocessor_config.json").unlink()
    refused("lacks preprocessor_config.json")
    weights.unlink()
    torch.save(whole, folder / "pytorch_model.bin")
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "YolosImageProcessor"}))
    refused("lacks model.safetensors")

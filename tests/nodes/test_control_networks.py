"""Poses and kinds: exact drawings, and tiny random networks through the node's own loading path."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from model_folders import upernet, vitpose
from safetensors.torch import load_file, save_file

from app.engine import BadFile, BadInput, Cancelled, Detections, Image, MissingWeights, Run, Text
from app.engine.devices import choose_device
from nodes.control._ade20k import NAMES, palette
from nodes.control._cards import UPERNET, VITPOSE
from nodes.control._skeleton import COLOURS, JOINTS, LIMBS, as_text, drawn, from_coco, from_text
from nodes.control.pose import pose
from nodes.control.segmentation import segmentation
from nodes.control.skeleton import STANDING, skeleton


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("networks")
    return {
        "vitpose": vitpose(root / "vitpose"),
        "experts": vitpose(root / "experts", experts=2),
        "upernet": upernet(root / "upernet"),
        "few": upernet(root / "few", kinds=7),
    }


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


def picture(width: int = 96, height: int = 64) -> Image:
    import cv2

    soft = np.random.default_rng(4).random((6, 8, 3)).astype(np.float32)
    return Image.of(np.clip(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1))


def tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(image.rgb.transpose(2, 0, 1).copy())


def spread_person() -> np.ndarray:
    """(1, 18, 3): joints far apart from each other."""
    at = np.array([[60 + 130 * (k % 4), 40 + 100 * (k // 4), 1.0] for k in range(18)])
    return at[None]


def test_joints_have_openpose_s_colours_and_limbs_are_darker() -> None:
    person = spread_person()
    got = drawn(person, (512, 512), 0.5)
    for k, colour in enumerate(COLOURS):
        x, y = person[0, k, :2].astype(int)
        assert tuple(got[y, x]) == colour and tuple(got[y + 3, x]) == colour, JOINTS[k]
    for number, (a, b) in enumerate(LIMBS):
        only = person.copy()
        only[0, [k for k in range(18) if k not in (a, b)], 2] = 0
        x, y = (person[0, a, :2] + person[0, b, :2]).astype(int) // 2
        alone = drawn(only, (512, 512), 0.5)
        shade = tuple(int(c * 0.6) for c in COLOURS[number])
        assert tuple(alone[y, x]) == shade
        packed = np.unique(alone.astype(int) @ (65536, 256, 1))
        shown = {(c >> 16, c >> 8 & 255, c & 255) for c in packed.tolist()}
        assert shown == {(0, 0, 0), COLOURS[a], COLOURS[b], shade}


def test_the_palette_of_openpose_walks_around_the_hues() -> None:
    assert COLOURS[:4] == ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0)) and len(LIMBS) == 17
    assert COLOURS[12] == (0, 0, 255) and COLOURS[17] == (255, 0, 85) and len(set(COLOURS)) == 18


def test_what_is_not_seen_is_not_drawn_and_the_pen_grows_with_the_picture() -> None:
    person = spread_person()
    person[0, 3, 2] = 0.2
    got = drawn(person, (512, 512), 0.5)
    x, y = person[0, 3, :2].astype(int)
    assert not got[y, x].any()
    dot = np.zeros((1, 18, 3))
    dot[0, 0] = (256, 256, 1)
    areas = [(drawn(dot * (s, s, 1), (512 * s, 512 * s), 0.5).any(axis=-1)).sum() for s in (1, 2)]
    assert areas[0] == pytest.approx(np.pi * 4.5**2, rel=0.25) and areas[1] == pytest.approx(4 * areas[0], rel=0.2)
    outside = dot.copy()
    outside[0, 0, :2] = -1e9
    outside[0, 1] = (np.nan, 3, 1)
    assert not drawn(outside, (64, 64), 0.5).any()


def test_coco_s_joints_find_their_places() -> None:
    coco = np.zeros((1, 17, 3))
    coco[0, :, 0], coco[0, :, 2] = np.arange(17), 1 - np.arange(17) / 100
    got = from_coco(coco)[0]
    named = dict(zip(JOINTS, got, strict=True))
    assert named["nose"][0] == 0 and named["left eye"][0] == 1 and named["right eye"][0] == 2
    assert named["left ear"][0] == 3 and named["right ear"][0] == 4
    assert named["neck"][0] == 5.5 and named["neck"][2] == pytest.approx(0.94)
    order = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for i, part in enumerate(order):
        assert named[f"left {part}"][0] == 5 + 2 * i and named[f"right {part}"][0] == 6 + 2 * i


def test_a_skeleton_from_text_is_the_drawing() -> None:
    people, size = from_text(STANDING)
    assert size == (512, 512) and people.shape == (1, 18, 3)
    made = skeleton(Run())
    assert np.array_equal(made.rgb, (drawn(people, size, 0.05) / 255).astype(np.float32))
    assert np.array_equal(skeleton(Run(), Text(as_text(people, size))).pixels, made.pixels)
    left, right = (made.rgb[:, :256].any(axis=-1).sum(), made.rgb[:, 256:].any(axis=-1).sum())
    assert left == pytest.approx(right, rel=0.05)


@pytest.mark.parametrize(
    "text", ["", "word", "[]", "{}", "[" * 100_000, '{"canvas_width": 9, "canvas_height": 9, "people": [{}]}',
             '{"canvas_width": 9, "canvas_height": 9, "people": [{"pose_keypoints_2d": [1, 2]}]}',
             '{"canvas_width": 0, "canvas_height": 9, "people": []}',
             '{"canvas_width": 1e9, "canvas_height": 9, "people": []}'],
)  # fmt: skip
def test_text_that_is_no_pose_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadInput) as told:
        skeleton(Run(), Text(text))
    assert told.value.advice


def direct_joints(folder: Path, image: Image, boxes: list[list[float]], **more: torch.Tensor) -> np.ndarray:
    """(P, 17, 3) by the library's documentation; boxes as left, top, width, height in pixels."""
    from transformers import VitPoseForPoseEstimation, VitPoseImageProcessor

    model = VitPoseForPoseEstimation.from_pretrained(folder, local_files_only=True).eval()
    processor = VitPoseImageProcessor.from_pretrained(folder, local_files_only=True)
    inputs = processor(tensor(image), boxes=[boxes], do_rescale=False, return_tensors="pt")
    with torch.no_grad():
        found = processor.post_process_pose_estimation(model(**inputs, **more), boxes=[boxes])[0]
    return np.stack([np.concatenate([f["keypoints"], f["scores"][:, None]], axis=1) for f in found])


@pytest.mark.parametrize("name", ["vitpose", "experts"])
def test_poses_are_the_library_s(folders: dict[str, Path], cpu: Run, name: str) -> None:
    image, sides = picture(), np.array([96, 64, 96, 64])
    boxes = np.array([[12, 4, 48, 60], [36, 20, 84, 63], [0, 0, 96, 64]], np.float32)
    wanted = [[*box[:2], box[2] - box[0], box[3] - box[1]] for box in boxes.astype(float)]
    more = {"dataset_index": torch.zeros(2, dtype=torch.long)} if name == "experts" else {}
    expected = from_coco(direct_joints(folders[name], image, wanted[:2], **more).astype(np.float64))
    expected[..., 2] = np.maximum(expected[..., 2], 0)
    found = Detections(
        (boxes / sides).astype(np.float32), np.ones(3, np.float32), ("person", "Person", "dog"), size=(96, 64)
    )
    got = pose(cpu, image, found, None, "own folder", folders[name], threshold=0)
    people, size = from_text(got.keypoints.value)
    assert size == (96, 64) and people.shape == (2, 18, 3)
    assert np.abs(people - expected).max() < 2e-3
    assert np.array_equal(got.map.rgb, (drawn(people, size, 0) / 255).astype(np.float32))
    again = pose(cpu, image, found, None, "own folder", folders[name], threshold=0)
    assert again.keypoints.value == got.keypoints.value and len(cpu.models.names()) == 1
    assert (
        from_text(pose(cpu, image, found, None, "own folder", folders[name], most=1).keypoints.value)[0].shape[0] == 1
    )


def test_a_rectangle_a_whole_picture_or_nobody(folders: dict[str, Path], cpu: Run) -> None:
    image, folder = picture(), folders["vitpose"]
    drawn_box = pose(cpu, image, None, (0.125, 0.25, 0.75, 0.875), "own folder", folder, threshold=0)
    expected = from_coco(direct_joints(folder, image, [[12.0, 16.0, 60.0, 40.0]]).astype(np.float64))
    assert np.abs(from_text(drawn_box.keypoints.value)[0] - expected).max() < 2e-3 and cpu.notes == []
    pose(cpu, image, None, None, "own folder", folder)
    assert "whole picture" in cpu.notes[-1]
    nobody = Detections(np.array([[0, 0, 1, 1]], np.float32), np.ones(1, np.float32), ("dog",))
    empty = pose(cpu, image, nobody, None, "own folder", folder)
    assert not empty.map.rgb.any() and from_text(empty.keypoints.value)[0].shape == (0, 18, 3)
    assert "No person" in cpu.notes[-1]
    with pytest.raises(BadInput, match="too small"):
        pose(cpu, image, None, (0.1, 0.1, 0.11, 0.9), "own folder", folder)


def test_a_threshold_hides_joints_on_the_map_and_in_the_text(folders: dict[str, Path], cpu: Run) -> None:
    every, sure = (pose(cpu, picture(), None, None, "own folder", folders["vitpose"], threshold=t) for t in (0, 1))
    people, kept = (from_text(got.keypoints.value)[0] for got in (every, sure))
    assert 0 < (people[..., 2] >= 1).sum() < 18, "some are surer than others"
    assert np.array_equal(kept[..., 2], np.where(people[..., 2] >= 1, people[..., 2], 0))
    assert np.array_equal(sure.map.rgb, (drawn(people, (96, 64), 1) / 255).astype(np.float32))


def test_looking_at_people_can_be_cancelled(folders: dict[str, Path]) -> None:
    run = Run(lambda share, _: run.stop.set() if share > 0 else None, wanted_device="cpu")
    with pytest.raises(Cancelled):
        many = Detections(np.tile(np.float32([[0, 0, 1, 1]]), (20, 1)), np.ones(20, np.float32), ("person",) * 20)
        pose(run, picture(), many, None, "own folder", folders["vitpose"], most=50)


def test_the_palette_is_ade20k_s() -> None:
    assert palette().shape == (150, 3) and len(NAMES) == 150
    digest = hashlib.sha256(palette().tobytes()).hexdigest()
    assert digest == "ce475c9151035eff51f4cf27fd7d906959b1480f6d15b9423ae2417c1b23a0ed", "two publications agree on it"
    named = dict(zip(NAMES, palette().tolist(), strict=True))
    assert named["wall"] == [120, 120, 120] and named["sky"] == [6, 230, 230] and named["person"] == [150, 5, 61]
    assert named["tree"] == [4, 200, 3] and named["chair"] == [204, 70, 3] and named["flag"] == [92, 0, 255]


def test_kinds_are_the_library_s_in_ade20k_s_colours(folders: dict[str, Path], cpu: Run) -> None:
    from transformers import SegformerImageProcessor, UperNetForSemanticSegmentation

    image = picture()
    model = UperNetForSemanticSegmentation.from_pretrained(folders["upernet"], local_files_only=True).eval()
    processor = SegformerImageProcessor.from_pretrained(folders["upernet"], local_files_only=True)
    inputs = processor(tensor(image), do_rescale=False, return_tensors="pt")
    with torch.no_grad():
        out = model(**inputs)
    expected = processor.post_process_semantic_segmentation(out, target_sizes=[(64, 96)])[0].numpy()
    assert len(np.unique(expected)) > 1
    got = segmentation(cpu, image, "own folder", folders["upernet"])
    assert np.array_equal(np.rint(got.map.rgb * 255).astype(int), palette()[expected])
    assert np.array_equal(np.rint(got.labels.rgb[..., 0] * 255).astype(int), expected + 1)
    assert got.found.rows[0][0] == NAMES[int(np.bincount(expected.ravel()).argmax())]
    back = segmentation(cpu, got.labels, "label picture")
    assert np.array_equal(back.map.pixels, got.map.pixels) and back.found.rows == got.found.rows


def test_a_label_picture_needs_no_network_and_other_pictures_are_refused(cpu: Run) -> None:
    numbers = np.array([[0, 1, 3], [13, 150, 20]], np.uint8)
    got = segmentation(cpu, Image.of(numbers), "label picture")
    expected = np.concatenate([np.zeros((1, 3), np.uint8), palette()])[numbers]
    assert np.array_equal(np.rint(got.map.rgb * 255).astype(np.uint8), expected)
    assert {row[0] for row in got.found.rows} == {"other", "wall", "sky", "person", "flag", "chair"}
    for wrong in (picture(), Image.of(np.full((9, 9), 200, np.uint8))):
        with pytest.raises(BadInput, match="no label picture"):
            segmentation(cpu, wrong, "label picture")


def test_a_pickle_of_tensors_gives_the_same_kinds_and_one_with_code_is_refused(
    folders: dict[str, Path], cpu: Run, tmp_path: Path
) -> None:
    folder = shutil.copytree(folders["upernet"], tmp_path / "bin")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    first, second = (segmentation(cpu, picture(), "own folder", f).labels.pixels for f in (folder, folders["upernet"]))
    assert np.array_equal(first, second)

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "it ran",)  # type: ignore[return-value]

    torch.save({"w": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(BadFile, match="was not run"):
        segmentation(cpu, picture(), "own folder", folder)
    assert not (tmp_path / "it ran").exists()


def test_networks_of_another_make_are_refused_in_words(folders: dict[str, Path], cpu: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="7 kinds"):
        segmentation(cpu, picture(), "own folder", folders["few"])
    with pytest.raises(BadFile, match="another kind"):
        segmentation(cpu, picture(), "own folder", folders["vitpose"])
    with pytest.raises(BadFile, match="another kind"):
        pose(cpu, picture(), None, None, "own folder", folders["upernet"])
    folder = shutil.copytree(folders["vitpose"], tmp_path / "cut")
    tensors = load_file(folder / "model.safetensors")
    name = sorted(tensors)[0]
    save_file({k: v for k, v in tensors.items() if k != name}, folder / "model.safetensors")
    with pytest.raises(BadFile, match="1 tensors missing"):
        pose(cpu, picture(), None, None, "own folder", folder)
    (folder / "preprocessor_config.json").write_text(json.dumps([1]))
    with pytest.raises(BadFile):
        pose(cpu, picture(), None, None, "own folder", folder)
    for make in (pose, segmentation):
        with pytest.raises(MissingWeights):
            make(cpu, picture())


def test_published_files_are_as_large_as_the_library_s_networks() -> None:
    """The sizes on the cards, but for headers of a few hundred bytes a tensor."""
    from transformers import (
        ConvNextConfig,
        UperNetConfig,
        UperNetForSemanticSegmentation,
        VitPoseBackboneConfig,
        VitPoseConfig,
        VitPoseForPoseEstimation,
    )

    stages = ["stage1", "stage2", "stage3", "stage4"]
    small = ConvNextConfig(depths=[3, 3, 27, 3], hidden_sizes=[96, 192, 384, 768], out_features=stages)
    with torch.device("meta"):
        models = (
            (VITPOSE, VitPoseForPoseEstimation(VitPoseConfig(backbone_config=VitPoseBackboneConfig(), num_labels=17))),
            (UPERNET, UperNetForSemanticSegmentation(
                UperNetConfig(backbone_config=small, num_labels=150, auxiliary_in_channels=384)
            )),
        )  # fmt: skip
    for card, model in models:
        size = sum(v.numel() * v.element_size() for v in model.state_dict().values())
        assert 0 < card.files[-1].size - size < 200_000, card.label


def test_half_precision_on_a_gpu_finds_the_same_kinds(folders: dict[str, Path], cpu: Run) -> None:
    device = choose_device("auto")
    if device == "cpu":
        pytest.skip("this machine has no GPU")
    gpu = Run(wanted_device=device)
    found = [segmentation(run, picture(), "own folder", folders["upernet"]).labels.pixels for run in (gpu, cpu)]
    assert (found[0] == found[1]).mean() > 0.99
    assert pose(gpu, picture(), None, None, "own folder", folders["vitpose"]).map.size == (96, 64)

"""Pick an object: by word, click and rectangle; the detections it is given; names and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from sam_files import published_file

from app.engine import BadInput, Detections, Image, Run, Stroke
from app.engine.codec import decode, digest, encode
from app.engine.errors import BadPayload
from app.engine.palette import distinct_colours
from app.engine.script import Workspace
from nodes.segment._boxes import area, box_mask, box_of, overlap
from nodes.segment._drawing import label_picture
from nodes.segment._labels import COCO_80, coco_91, listed, numbers_of
from nodes.segment.detect import detect
from nodes.segment.pick import pick


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture
def nano(shared: Path) -> Path:
    return shared / "yolox_nano" / "yolox_nano.onnx"


def photo(shared: Path, name: str) -> Image:
    return Image.of(np.asarray(Pictures.open(shared / "photos" / name).convert("RGB")))


def test_boxes_and_masks_of_boxes() -> None:
    box = np.array([0.125, 0.25, 0.55, 0.75], np.float32)
    mask = box_mask(box, (20, 8))
    assert mask.sum() == pytest.approx((0.55 - 0.125) * 20 * 4, abs=1e-4)
    assert mask[4, 2] == pytest.approx(0.5) and mask[1].max() == 0 and mask[4, 10] == 1
    assert np.allclose(box_of(mask > 0.9), [3 / 20, 0.25, 11 / 20, 0.75])
    assert (box_of(np.zeros((3, 4), bool)) == 0).all()
    assert area(np.array([[0, 0, 2, 3], [2, 2, 1, 1]], np.float32)).tolist() == [6, 0]
    assert overlap(np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32))[0, 0] == 0


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("chair", ["chair"]), ("The Chairs", ["chair"]), ("sofas", ["couch"]), ("phone", ["cell phone"]),
        ("people", ["person"]), ("bikes", ["bicycle"]), ("dog", ["dog"]), ("hot dogs", ["hot dog"]),
        ("ball", ["sports ball"]), ("mice", ["mouse"]), ("Knives", ["knife"]), ("wine glasses", ["wine glass"]),
        ("skis", ["skis"]), ("bus", ["bus"]), ("plane", ["airplane"]), ("telly", []), ("", []), ("the", []),
    ],
)  # fmt: skip
def test_words_mean_what_people_mean(word: str, wanted: list[str]) -> None:
    assert [COCO_80[i] for i in numbers_of(word, COCO_80)] == wanted


def test_label_lists() -> None:
    from torchvision.models._meta import _COCO_CATEGORIES

    assert coco_91() == tuple("" if name in ("N/A", "__background__") else name for name in _COCO_CATEGORIES)
    assert len(COCO_80) == 80 and listed(["dog", "chair", "dog"]) == "dog (2), chair"


def three() -> Detections:
    """A large chair left, a small one inside its box, a dog on the right; 100 x 50."""
    boxes = np.array([[0, 0, 0.5, 1], [0.1, 0.4, 0.3, 0.8], [0.6, 0.2, 0.9, 0.9]], np.float32)
    return Detections(boxes, np.array([0.9, 0.8, 0.7], np.float32), ("chair", "chair", "dog"), size=(100, 50))


def with_masks() -> Detections:
    masks = np.zeros((3, 50, 100), np.uint8)
    masks[0, :, :50], masks[1, 20:40, 10:30], masks[2, 10:45, 60:90] = 1, 1, 1
    masks[0, 20:40, 10:30] = 0
    return Detections(three().boxes, three().scores, three().labels, masks, (100, 50))


def canvas() -> Image:
    return Image(np.full((50, 100, 4), 1, np.float32))


def stroke(x: float, y: float, keep: bool = True) -> Stroke:
    return Stroke(keep, 0.01, ((x, y),))


@pytest.mark.parametrize("objects", [three(), with_masks()], ids=["boxes", "masks"])
@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, [0]),
        ({"word": "dogs"}, [2]),
        ({"word": "the chairs", "take": "all"}, [0, 1]),
        ({"take": "all"}, [0, 1, 2]),
        ({"strokes": (stroke(0.2, 0.5),)}, [1]),
        ({"strokes": (stroke(0.45, 0.05), stroke(0.7, 0.5))}, [0, 2]),
        ({"strokes": (stroke(0.95, 0.5),)}, [2]),
        ({"strokes": (stroke(0.45, 0.05, False),)}, [2]),
        ({"word": "chair", "strokes": (stroke(0.7, 0.5),)}, [0]),
        ({"rectangle": (0.08, 0.35, 0.32, 0.85)}, [1]),
        ({"rectangle": (0.05, 0.3, 0.95, 1.0), "take": "all"}, [0, 1, 2]),
        ({"rectangle": (0.55, 0.0, 1.0, 1.0), "take": "all"}, [2]),
        ({"rectangle": (0.95, 0.0, 1.0, 0.1)}, [2]),
        ({"word": "chair", "rectangle": (0.6, 0.2, 0.9, 0.9)}, [0]),
    ],
)
def test_hints_choose(cpu: Run, objects: Detections, settings: dict[str, object], wanted: list[int]) -> None:
    picked = pick(cpu, canvas(), objects, outline="as found", edge=0.0, **settings)  # type: ignore[arg-type]
    assert picked.chosen.boxes.tolist() == objects.boxes[wanted].tolist()
    expected = np.zeros((50, 100), np.float32)
    for i in wanted:
        shape = box_mask(objects.boxes[i], (100, 50)) if objects.masks is None else objects.masks[i]
        expected = np.maximum(expected, shape)
    assert np.allclose(picked.mask.values, expected) and np.allclose(picked.image.alpha, expected)


def test_what_is_not_there_is_said_with_what_is(cpu: Run) -> None:
    with pytest.raises(BadInput, match=r'No "teapot" was found; found: chair \(2\), dog'):
        pick(cpu, canvas(), three(), "teapot")
    none = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
    with pytest.raises(BadInput, match="Nothing was found"):
        pick(cpu, canvas(), none, "chair")
    with pytest.raises(BadInput, match="not wanted"):
        pick(cpu, canvas(), three(), "dog", strokes=(stroke(0.7, 0.5, False),))


def test_cut_out_the_dog_by_its_name(shared: Path, nano: Path, cpu: Run) -> None:
    """Two nodes and 4 MB of weights; the outline inside the box comes without any."""
    image = photo(shared, "dog.jpg")
    objects = detect(cpu, image, "own file", nano).objects
    picked = pick(cpu, image, objects, "the dogs")
    assert picked.chosen.labels == ("dog",) and any("Segment anything" in note for note in cpu.notes)
    inside = picked.mask.values > 0.5
    assert inside[300:400, 180:260].mean() > 0.9, "the trunk of the dog"
    assert not inside[:180].any() and not inside[:, 350:].any() and inside.mean() < 0.2
    assert np.array_equal(picked.image.alpha, picked.mask.values)


def test_a_box_without_any_outline_is_taken_whole_and_said(cpu: Run) -> None:
    picked = pick(cpu, canvas(), three(), "dog")
    assert np.allclose(picked.mask.values, box_mask(three().boxes[2], (100, 50)))
    assert any("the whole box was taken" in note for note in cpu.notes)


def test_masks_get_a_clean_edge_and_transparency_is_kept(cpu: Run) -> None:
    y, x = np.mgrid[0:100, 0:160].astype(np.float32)
    disc = (np.hypot(x - 80, y - 50) < 30).astype(np.float32)
    pixels = np.stack([disc, 1 - disc, np.zeros_like(x), np.ones_like(x)], axis=-1)
    pixels[:20, :, 3] = 0
    rough = (np.hypot(x - 81, y - 51) < 31).astype(np.uint8)[None, ::2, ::2]
    found = Detections(
        np.array([[0.3, 0.2, 0.7, 0.8]], np.float32), np.ones(1, np.float32), ("disc",), rough, (160, 100)
    )
    picked = pick(cpu, Image(pixels), found, edge=3.0)
    away = np.abs(np.hypot(x - 80, y - 50) - 30) > 2
    assert np.abs(picked.mask.values - disc)[away & (y >= 20)].max() < 0.2
    assert (picked.mask.values[:20] == 0).all()


def test_detections_keep_their_contract_and_survive_the_store() -> None:
    found = with_masks()
    again = decode(b"".join(encode(found)))
    assert isinstance(again, Detections) and digest(encode(again)) == digest(encode(found))
    assert again.labels == found.labels and again.size == (100, 50)
    assert found.only([2, 0]).labels == ("dog", "chair") and found.only([2]).masks.shape == (1, 50, 100)
    with pytest.raises(BadPayload):
        Detections(found.boxes, found.scores[:2], found.labels)
    with pytest.raises(BadPayload):
        Detections(found.boxes, found.scores, found.labels[:1])
    with pytest.raises(BadPayload):
        Detections(found.boxes, found.scores, found.labels, found.masks[:1])


def test_label_pictures_show_small_parts_above_large_ones() -> None:
    picture = label_picture(with_masks().masks.astype(np.float32), (200, 100))
    colours = distinct_colours(3)
    assert picture.size == (200, 100)
    assert np.allclose(picture.rgb[2, 2], colours[0]) and np.allclose(picture.rgb[50, 40], colours[1])
    assert np.allclose(picture.rgb[50, 150], colours[2]) and (picture.rgb[2, 190] == 0).all()
    many = distinct_colours(40)
    apart = np.abs(many[:, None] - many[None]).sum(axis=2) + np.eye(40)
    assert apart.min() > 0.05 and many.min() >= 0 and many.max() <= 1


def test_a_word_becomes_an_outline_in_a_graph_of_three_nodes(shared: Path, nano: Path, tmp_path: Path) -> None:
    """Detect objects, Pick an object, Segment anything, linked as on the canvas; the last one small and drawn."""
    work = Workspace(device="cpu")
    image = work.add("io.load_image", path=shared / "photos" / "dog.jpg")
    objects = work.add("segment.detect", image=image, model="own file", file=nano)
    picked = work.add("segment.pick", image=image, objects=objects.objects, word="the bikes", outline="as found")
    file = published_file(tmp_path / "sam.pth")
    outline = work.add("segment.sam", image=image, objects=picked.chosen, model="own file", file=file, part="whole")
    results = work.run()
    assert results[picked.chosen].labels == ("bicycle",)
    box = results[picked.chosen].boxes[0] * [768, 576, 768, 576]
    assert results[picked.mask].values.sum() == pytest.approx((box[2] - box[0]) * (box[3] - box[1]), rel=1e-3)
    assert results[outline.image].size == (768, 576) and results[outline.mask].values.any()

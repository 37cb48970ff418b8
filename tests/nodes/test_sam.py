"""Segment anything: real classes in small, the project's own names, prompts, geometry, and files that do not fit."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from sam_files import as_published, published_file, tiny_sam, tiny_sam2, tiny_sam2_video

from app.engine import BadFile, BadInput, Cancelled, Detections, Image, Mask, MissingWeights, Run, Stroke
from app.engine.checkpoints import fill
from app.engine.codec import digest, encode
from app.engine.weight_files import needed
from nodes.segment._models import cards, sam_keys, segmenter
from nodes.segment._prompts import logits_of, points_of, prompts_of, with_hint
from nodes.segment.sam import Prompt, answer, sam


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def scene(width: int = 64, height: int = 40) -> Image:
    """A red disc on blue, with a little noise; whole steps of 8 bits."""
    y, x = np.mgrid[0:height, 0:width]
    disc = np.hypot(x - width * 0.4, y - height * 0.5) < height * 0.3
    base = np.where(disc[..., None], [200, 40, 30], [30, 60, 180])
    return Image.of((base + np.random.default_rng(1).integers(0, 20, base.shape)).astype(np.uint8))


def click(x: float, y: float, keep: bool = True) -> Stroke:
    return Stroke(keep, 0.01, ((x, y),))


def drawn_line(*points: tuple[float, float], radius: float = 0.02) -> Stroke:
    return Stroke(True, radius, points)


# names and sizes


def test_the_published_layout_of_sam_fits_exactly(shared: Path) -> None:
    from transformers import SamConfig

    listed = json.loads((shared.parent / "keylayouts" / "sam_vit_b_original.json").read_text())
    tensors = {key: torch.empty(shape, device="meta") for key, (shape, _) in listed.items()}
    settings = sam_keys.sizes(tensors)
    assert settings["vision_config"]["global_attn_indexes"] == [2, 5, 8, 11]
    assert settings["vision_config"]["window_size"] == 14 and settings["vision_config"]["image_size"] == 1024
    fill(segmenter.build(SamConfig(**settings), False), sam_keys.translated(tensors), "vit_b")
    with pytest.raises(BadFile, match=r"1 of 315 tensors missing \(vision_encoder\.neck\.conv2\.weight\)"):
        fewer = {key: value for key, value in tensors.items() if key != "image_encoder.neck.2.weight"}
        fill(segmenter.build(SamConfig(**settings), False), sam_keys.translated(fewer), "vit_b")


def test_names_there_and_back() -> None:
    network = tiny_sam()
    again = sam_keys.translated(as_published(network))
    assert set(again) == set(network.state_dict())
    assert all(torch.equal(again[key], value) for key, value in network.state_dict().items())


# the real classes


def direct(network: Any, image: Image, **prompt: Any) -> tuple[Any, Any]:
    """The library's own way from a picture whose longer side is the network's."""
    pixels = np.round(image.rgb * 255)
    if type(network).__name__ == "SamModel":
        pixels = (pixels - segmenter.SAM_MEAN) / segmenter.SAM_SPREAD
        square = np.zeros((64, 64, 3))
        square[: pixels.shape[0], : pixels.shape[1]] = pixels
    else:
        square = (image.rgb - segmenter.SAM2_MEAN) / segmenter.SAM2_SPREAD
    values = torch.from_numpy(square.astype(np.float32).transpose(2, 0, 1).copy())[None]
    with torch.no_grad():
        out = network(pixel_values=values, **prompt)
    return out.pred_masks[0], out.iou_scores[0]


@pytest.mark.parametrize("kind", ["own file", "own folder"])
def test_sam_gives_what_the_library_gives(tmp_path: Path, kind: str) -> None:
    network, image = tiny_sam(), scene()
    if kind == "own file":
        loaded = segmenter.load_file(published_file(tmp_path / "sam.pth"), "cpu", False)
    else:
        network.save_pretrained(tmp_path / "sam")
        loaded = segmenter.load_folder(tmp_path / "sam", "cpu", False)
    embedding, frame = loaded.embed(image.rgb), loaded.frame(image.size)
    assert frame.inner == (64, 40) and loaded.hint_side == 32
    points, labels = np.array([[[20.0, 15.0], [50.0, 30.0]]]), np.array([[1, 0]])
    boxes = np.array([[5.0, 4.0, 40.0, 33.0]])
    for several in (True, False):
        for prompt in (
            {"points": points, "labels": labels},
            {"boxes": boxes},
            {"points": points, "labels": labels, "boxes": boxes},
        ):
            masks, scores = loaded.decode(embedding, several=several, **prompt)
            library = {
                f"input_{k}": torch.as_tensor(v).to(torch.int64 if k == "labels" else torch.float32)[None]
                for k, v in prompt.items()
            }
            wanted, sure = direct(network, image, multimask_output=several, **library)
            assert masks.shape == wanted.shape == (1, 3 if several else 1, 32, 32)
            assert (masks - wanted).abs().max() < 1e-4 * wanted.abs().max()
            assert np.abs(scores - sure.numpy()).max() < 1e-5
    assert float(masks.abs().max()) > 0.1, "the network says something"


@pytest.mark.parametrize("make", [tiny_sam2, tiny_sam2_video])
def test_sam_2_gives_what_the_library_gives_also_from_a_folder_for_films(tmp_path: Path, make: Any) -> None:
    from transformers import Sam2Model

    make().save_pretrained(tmp_path / "sam2")
    network = Sam2Model.from_pretrained(tmp_path / "sam2", local_files_only=True).eval()
    loaded, image = segmenter.load_folder(tmp_path / "sam2", "cpu", False), scene(64, 64)
    assert loaded.second and loaded.frame((300, 200)).inner == (64, 64)
    embedding = loaded.embed(image.rgb)
    points, labels = np.array([[[20.0, 15.0]]]), np.array([[1]])
    masks, scores = loaded.decode(embedding, points=points, labels=labels)
    wanted, sure = direct(
        network,
        image,
        input_points=torch.tensor(points, dtype=torch.float32)[None],
        input_labels=torch.tensor(labels)[None],
    )
    assert masks.shape == wanted.shape == (1, 3, 16, 16) and float(masks.abs().max()) > 0.01
    assert (masks - wanted).abs().max() < 1e-4 * wanted.abs().max() and np.abs(scores - sure.numpy()).max() < 1e-5


def test_a_picture_is_brought_to_size_as_the_library_does(tmp_path: Path) -> None:
    from PIL import Image as Pictures
    from transformers import SamImageProcessor

    network, image = segmenter.Segmenter(tiny_sam(), False), scene(150, 100)
    processor = SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    taken = processor(Pictures.fromarray(np.round(image.rgb * 255).astype(np.uint8)), return_tensors="pt")
    wanted = network.network.get_image_embeddings(taken["pixel_values"])
    assert network.frame(image.size).inner == tuple(taken["reshaped_input_sizes"][0].tolist()[::-1]) == (64, 43)
    found = network.embed(image.rgb)[0]
    assert (found - wanted).norm() < 0.02 * wanted.norm(), "but for rounding in between"


# geometry


@pytest.mark.parametrize("size", [(300, 200), (200, 333), (1600, 900), (90, 90), (64, 7)])
@pytest.mark.parametrize("second", [False, True])
def test_planted_logits_land_within_half_a_pixel(size: tuple[int, int], second: bool) -> None:
    """A slope whose zero lies on a known line of the picture, as the network would give it at a quarter of the size."""
    network = segmenter.Segmenter(tiny_sam2() if second else tiny_sam(), second)
    frame = network.frame(size)
    at = (np.arange(32) + 0.5) * (64 / 32)
    for axis in (0, 1):
        wanted = 0.37 * size[axis]
        slope = at - 0.37 * frame.inner[axis]
        logits = np.tile(slope, (32, 1)) if axis == 0 else np.tile(slope[:, None], (1, 32))
        found = frame.picture(torch.from_numpy(logits)[None, None].float(), size)[0, 0].numpy()
        line = found[size[1] // 2] if axis == 0 else found[:, size[0] // 2]
        crossing = np.interp(0, line, np.arange(size[axis]) + 0.5)
        blur = 0.5 * size[axis] / frame.inner[axis] if frame.inner[axis] < 8 else 0.0
        assert abs(crossing - wanted) < 0.5 + blur, (axis, crossing, wanted)


@pytest.mark.parametrize("size", [(300, 200), (200, 333)])
def test_points_and_masks_meet(size: tuple[int, int]) -> None:
    """What a click at a place of the picture asks for is where a mask hint puts the same place."""
    network = segmenter.Segmenter(tiny_sam(), False)
    frame = network.frame(size)
    place = np.array([0.7, 0.25])
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    mark = np.exp(-((x + 0.5 - 0.7 * size[0]) ** 2 + (y + 0.5 - 0.25 * size[1]) ** 2) / 200).astype(np.float32)
    square = frame.square(mark, 64, 0.0)
    row, column = np.unravel_index(square.argmax(), square.shape)
    assert np.abs(frame.points(place) - [column, row]).max() < 1
    assert (frame.square(np.ones((5, 5), np.float32), 32, -10.0)[:, frame.inner[0] // 2 + 1 :] == -10).all()
    assert np.allclose(frame.points(np.array([[0, 0], [1, 1]])), [[-0.5, -0.5], np.array(frame.inner) - 0.5])


# prompts


def test_a_click_is_one_point_and_a_line_some_along_it() -> None:
    assert points_of(click(0.3, 0.6), (100, 50)).tolist() == [[0.3, 0.6]]
    line = points_of(drawn_line((0.1, 0.5), (0.9, 0.5)), (100, 50))
    assert len(line) == 8 and (line[:, 1] == 0.5).all()
    assert np.allclose(np.diff(line[:, 0]), 0.1) and line[0, 0] == pytest.approx(0.15)
    bent = points_of(drawn_line((0, 0), (0.5, 0), (0.5, 1), radius=0.125), (100, 50))
    assert np.allclose(bent, [[0.5, 0.0]]) or np.allclose(bent, [[0.25, 0], [0.5, 0.5]])
    assert len(points_of(drawn_line((0.5, 0.5), (0.501, 0.5)), (100, 50))) == 1


def found_two() -> Detections:
    boxes = np.array([[0.1, 0.1, 0.5, 0.9], [0.6, 0.2, 0.9, 0.8]], np.float32)
    return Detections(boxes, np.array([0.9, 0.8], np.float32), ("cup", "dog"), size=(64, 40))


def test_marks_become_prompts() -> None:
    image = scene()
    assert (
        prompts_of(image, None, None, None, ()) == [] == prompts_of(image, None, None, None, (click(0.5, 0.5, False),))
    )
    (one,) = prompts_of(image, None, None, None, (click(0.2, 0.3), click(0.8, 0.9, False)))
    assert one.points.tolist() == [[0.2, 0.3], [0.8, 0.9]] and one.inside.tolist() == [True, False] and one.definite
    assert not prompts_of(image, None, None, None, (click(0.2, 0.3),))[0].definite
    (box,) = prompts_of(image, None, None, (0.1, 0.2, 0.6, 0.8), ())
    assert box.box is not None and box.box.tolist() == [0.1, 0.2, 0.6, 0.8] and box.definite
    first, second, own = prompts_of(image, None, found_two(), None, (click(0.2, 0.3), click(0.8, 0.9, False)))
    assert np.allclose(first.box, [0.1, 0.1, 0.5, 0.9]) and not second.inside.any() and len(second.points) == 1
    assert own.box is None and len(own.points) == 2
    empty = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
    with pytest.raises(BadInput, match="Nothing was found"):
        prompts_of(image, None, empty, None, ())


def test_a_rough_mask_gives_its_box_its_middle_and_itself() -> None:
    values = np.zeros((40, 64), np.float32)
    values[10:30, 8:40] = 1
    (prompt,) = prompts_of(scene(), Mask(values), None, None, ())
    assert np.allclose(prompt.box, [8 / 64, 10 / 40, 40 / 64, 30 / 40]) and prompt.inside.tolist() == [True]
    x, y = prompt.points[0] * [64, 40]
    assert 17 <= x <= 31 and 19 <= y <= 21
    assert prompt.hint is not None and set(np.unique(logits_of(prompt.hint))) == {-10, 10}
    with pytest.raises(BadInput, match="hint mask is empty"):
        with_hint(Prompt(np.zeros((0, 2)), np.zeros(0, bool)), values * 0)


# the node


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return published_file(tmp_path / "sam.pth")


def test_parts_are_ordered_by_size_and_auto_takes_the_surest(file: Path, cpu: Run) -> None:
    image, marks = scene(), (click(0.4, 0.5),)
    results = {
        p: sam(cpu, image, strokes=marks, part=p, model="own file", file=file, edge=0.0)
        for p in ("whole", "part", "detail", "auto")
    }  # type: ignore[arg-type]
    areas = [float(results[p].mask.values.sum()) for p in ("whole", "part", "detail")]
    assert areas == sorted(areas, reverse=True) and areas[0] > areas[2]
    candidates = results["auto"].candidates
    assert candidates.labels == ("whole", "part", "detail") and candidates.masks.shape == (3, 40, 64)
    best = candidates.labels[int(candidates.scores.argmax())]
    assert np.array_equal(results["auto"].mask.values, results[best].mask.values)
    assert results["auto"].score.value == pytest.approx(float(candidates.scores.max()))
    for number, name in enumerate(candidates.labels):
        assert (results[name].mask.values > 0).sum() >= 0.98 * candidates.masks[number].sum()


def test_several_objects_are_cut_out_together(file: Path, cpu: Run) -> None:
    loaded, image, found = segmenter.load_file(file, "cpu", False), scene(), found_two()
    embedding = loaded.embed(image.rgb)
    alone = [answer(loaded, embedding, p, image.size, "auto")[0] > 0 for p in prompts_of(image, None, found, None, ())]
    both = sam(cpu, image, objects=found, model="own file", file=file, edge=0.0)
    missing = (alone[0] | alone[1]) & (both.mask.values == 0)
    assert missing.mean() < 0.01 and not (both.mask.values > 0)[~(alone[0] | alone[1])].any()


@pytest.mark.parametrize(
    "settings",
    [
        {"strokes": (click(0.4, 0.5),)},
        {"rectangle": (0.1, 0.1, 0.7, 0.9)},
        {"hint": Mask(np.pad(np.ones((20, 30), np.float32), ((10, 10), (10, 24))))},
        {"objects": found_two(), "strokes": (click(0.9, 0.9, False),)},
        {},
    ],
    ids=["click", "rectangle", "mask", "objects", "nothing"],
)
def test_every_way_to_point_works_the_same_twice_and_keeps_transparency(
    file: Path, cpu: Run, settings: dict[str, Any]
) -> None:
    pixels = scene().pixels.copy()
    pixels[:4, :, 3] = 0
    first = sam(cpu, Image(pixels), model="own file", file=file, **settings)
    again = sam(Run(wanted_device="cpu"), Image(pixels), model="own file", file=file, **settings)
    for one, other in zip(first, again, strict=True):
        assert digest(encode(one)) == digest(encode(other))
    assert (first.mask.values[:4] == 0).all() and first.mask.values.any()
    assert np.array_equal(first.image.alpha, first.mask.values) and 0 <= first.score.value <= 1


def test_the_picture_is_looked_at_once(file: Path, cpu: Run) -> None:
    for place in ((0.4, 0.5), (0.7, 0.2)):
        sam(cpu, scene(), strokes=(click(*place),), model="own file", file=file)
    assert len(cpu.models.names()) == 2, "the network and one embedding"
    sam(cpu, scene(64, 30), strokes=(click(0.4, 0.5),), model="own file", file=file)
    assert len(cpu.models.names()) == 3


def test_a_folder_of_sam_2_runs_through_the_node(tmp_path: Path, cpu: Run) -> None:
    tiny_sam2().save_pretrained(tmp_path / "sam2")
    result = sam(cpu, scene(), strokes=(click(0.4, 0.5),), model="own folder", folder=tmp_path / "sam2", part="whole")
    assert result.image.size == (64, 40) and result.candidates.masks.shape == (3, 40, 64)


def test_the_edge_is_solved_where_the_network_is_only_about_right(cpu: Run) -> None:
    from nodes.segment.sam import _finished

    y, x = np.mgrid[0:100, 0:160].astype(np.float32)
    disc = (np.hypot(x - 80, y - 50) < 30).astype(np.float32)
    image = Image.of(np.stack([disc, 1 - disc, np.zeros_like(x)], axis=-1))
    logits = (32 - np.hypot(x - 81, y - 51)).astype(np.float32)
    logits[5, 5] = 3
    result = _finished(cpu, image, logits, 0.5, found_two(), 4.0, 0.0)
    away = np.abs(np.hypot(x - 80, y - 50) - 30) > 2
    assert np.abs(result.mask.values - disc)[away].max() < 0.2 and result.mask.values[5, 5] < 0.01
    with pytest.raises(BadInput, match="found nothing there"):
        _finished(cpu, image, logits - 100, 0.5, found_two(), 4.0, 0.0)


def test_it_stops_between_its_steps(file: Path) -> None:
    stop, told = Event(), list[float]()

    def tell(done: float, _: str) -> None:
        told.append(done)
        if done >= 0.5:
            stop.set()

    with pytest.raises(Cancelled):
        sam(
            Run(tell, stop=stop, wanted_device="cpu"),
            scene(),
            strokes=(click(0.4, 0.5),),
            model="own file",
            file=file,
            edge=1.0,
        )
    assert told[:3] == [0, 0.1, 0.5] and told[-1] < 0.8


# files


def test_missing_weights_are_told_for_each_model(cpu: Run) -> None:
    for card in cards.SEGMENTERS:
        with pytest.raises(MissingWeights, match=r"Apache-2\.0") as told:
            sam(cpu, scene(), model=card.role)
        assert f"main.py weights fetch {card.handle}" in told.value.advice
        assert needed(cards.SEGMENTERS, {"model": card.role}) == (card,)
    with pytest.raises(BadInput, match="No model file"):
        sam(cpu, scene(), model="own file")
    with pytest.raises(BadInput, match="No model folder"):
        sam(cpu, scene(), model="own folder")


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_files_that_do_not_fit_are_refused_in_words_and_not_run(tmp_path: Path, cpu: Run) -> None:
    state = as_published(tiny_sam())
    whole = published_file(tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pth").write_bytes(b"hello, this is a letter")
    torch.save({"w": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save({k: v for k, v in state.items() if "neck.2" not in k}, tmp_path / "missing.pth")
    torch.save({**state, "image_encoder.stranger": torch.zeros(2)}, tmp_path / "unknown.pth")
    torch.save({**state, "image_encoder.neck.2.weight": torch.zeros(3, 32, 3, 3)}, tmp_path / "shape.pth")
    torch.save({**state, "more": Trap(tmp_path / "it ran")}, tmp_path / "evil.pth")
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps(Trap(tmp_path / "it ran"), protocol=2))
    words = {
        "cut": "damaged", "text": "damaged", "other": "not a file of Segment", "missing": "missing",
        "unknown": "unknown", "shape": "another shape", "evil": "was not run", "pickle": "pickle",
    }  # fmt: skip
    for name, match in words.items():
        with pytest.raises(BadFile, match=match) as told:
            sam(cpu, scene(), model="own file", file=tmp_path / f"{name}.pth")
        assert told.value.advice, name
    assert not (tmp_path / "it ran").exists() and cpu.models.names() == ()


def test_folders_that_do_not_fit_are_refused_in_words(tmp_path: Path, cpu: Run) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "sam"
    tiny_sam().save_pretrained(folder)
    tensors, config = load_file(folder / "model.safetensors"), (folder / "config.json").read_text()

    def refused(words: str) -> None:
        with pytest.raises(BadFile, match=words) as told:
            sam(cpu, scene(), model="own folder", folder=folder)
        assert told.value.advice and cpu.models.names() == ()

    save_file({k: v for k, v in tensors.items() if "neck.conv2" not in k}, folder / "model.safetensors")
    refused("1 tensors missing")
    save_file({**tensors, "stranger": torch.zeros(2)}, folder / "model.safetensors")
    refused("1 tensors unknown")
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**json.loads(config), "model_type": "vit"}))
    refused("its kind is 'vit'")
    (folder / "config.json").write_text("[]")
    refused("no readable config")
    (folder / "config.json").write_text(config)
    (folder / "model.safetensors").unlink()
    refused("lacks model.safetensors")

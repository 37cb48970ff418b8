"""Methods are found by what they take and give, run one by one, and shown beside each other; none stops the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Annotated

import numpy as np
import pytest
from mesh_shapes import bumpy, sphere

from app.engine import (
    BadInput,
    BadParam,
    Cancelled,
    Folder,
    Image,
    Mesh,
    MissingWeights,
    OpenFile,
    OutOfMemory,
    Run,
    WeightCard,
    WeightFile,
    node,
)
from app.engine.registry import discover, spec_of
from app.engine.weight_files import path_of
from nodes.image_to_3d._methods import HERE, Method, attempt, chosen, decides, installed
from nodes.image_to_3d._turntables import Row, Stage, levelled, sheet_of, turntables
from nodes.image_to_3d.compare import compare, run_all

QUICK = "inflate faces=2000 resolution=96 texture_size=256"
CARD = WeightCard("people/net", "v1", (WeightFile("net.bin", 9, ""),), "MIT", "MIT", 0.1, url="https://example.org")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))


def picture() -> Image:
    y, x = np.mgrid[0:64, 0:72].astype(np.float32)
    radius = np.hypot((x - 36) * 1.3, y - 32)
    return Image(np.stack([1 - radius / 40, x / 90, y / 90, np.clip(25 - radius, 0, 1)], -1).clip(0, 1))


@node("image_to_3d.toy_ball", title="Toy ball")
def toy_ball(
    run: Run, image: Image, radius: float = 1.0, file: Annotated[Path, OpenFile(optional=True)] = Path()
) -> Mesh:
    """A ball, whatever the picture shows."""
    run.progress(0.5, "rounding")
    run.warn("It is always a ball.")
    (run.scratch / "left behind").write_text("x")
    return sphere(2, radius)


@node("image_to_3d.toy_net", title="Toy network", models=(CARD,))
def toy_net(image: Image, folder: Annotated[Path, Folder(optional=True)] = Path()) -> Mesh:
    """Needs a file that is not there."""
    path_of(CARD, "net.bin")
    return sphere(1)


@node("image_to_3d.toy_wrong", title="Toy that fails")
def toy_wrong(image: Image) -> Mesh:
    """Divides by zero."""
    return sphere(1 // (len(image.pixels) - len(image.pixels)))


@node("image_to_3d.toy_empty", title="Toy of nothing")
def toy_empty(image: Image) -> Mesh:
    """No surface at all."""
    return Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)))


@node("image_to_3d.toy_large", title="Toy giant", cheaper={"detail": 1})
def toy_large(image: Image, detail: int = 5) -> Mesh:
    """Too much for any memory, unless its detail is low."""
    if detail > 1:
        raise OutOfMemory("Too large.", "Buy memory.")
    return sphere(detail)


def method(function: object, **settings: object) -> Method:
    spec = spec_of(function)
    return Method(spec, {param.name: param.default for param in spec.params} | settings)


def test_every_node_that_takes_one_picture_and_gives_a_mesh_is_a_method() -> None:
    found = installed()
    assert "inflate" in found and "compare" not in found
    everything = discover(("nodes",))
    for word, spec in found.items():
        assert spec is everything[f"{HERE}.{word}"]
        assert [s.type for s in spec.inputs if not s.optional] == [Image]
    assert [m.spec.id for m in chosen("")] == [spec.id for spec in found.values()]


def test_methods_are_chosen_by_lines_of_words() -> None:
    plain, flat = chosen(" inflate, image_to_3d.inflate  flatness=0.5 clean_rim=true back=mirror \n\n")
    assert plain.label == "Inflate" and plain.settings["flatness"] == 0.1
    assert flat.label == "Inflate (flatness 0.5, clean_rim true, back mirror)"
    assert [flat.settings[name] for name in ("flatness", "clean_rim", "back")] == [0.5, True, "mirror"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("magic", "no method that is installed"),
        ("compare", "no method that is installed"),
        ("inflate size=3", "is no setting"),
        ("inflate faces", "is no setting"),
        ("inflate flatness=7", "outside 0 to 1"),
        ("inflate flatness=much", "not a number"),
    ],
)
def test_what_cannot_be_chosen_is_said(text: str, words: str) -> None:
    with pytest.raises(BadParam, match=words) as told:
        compare(Run(), picture(), methods=text)
    assert told.value.advice and decides({"methods": text}) == []


def test_the_key_knows_versions_weights_and_own_files(tmp_path: Path) -> None:
    from nodes.image_to_3d._methods import _files

    assert decides({}) == decides({"methods": ""}) != decides({"methods": QUICK}) != []
    net = method(toy_net)
    before = _files(net)
    place = Path(before[0][0])
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    with_weights = _files(net)
    (tmp_path / "own").mkdir()
    own = method(toy_net, folder=str(tmp_path / "own"))
    empty = _files(own)
    (tmp_path / "own" / "config.yaml").write_text("a: 1")
    assert len({str(state) for state in (before, with_weights, empty, _files(own))}) == 4


def test_two_settings_of_a_real_method_side_by_side() -> None:
    told: list[float] = []
    result = compare(
        Run(lambda done, _: told.append(done), wanted_device="cpu"), picture(),
        methods=f"{QUICK}\n{QUICK} thickness=0.4", keep="0.4", views=3, size=96,
    )  # fmt: skip
    assert told == sorted(told) and told[-1] > 0.9
    assert result.views is not None and [i.size for i in result.views.images] == [(96, 96)] * 6
    names = [name for name, _ in result.report.rows]
    assert sum(name.endswith(": seconds") for name in names) == 2 and "2 of 2" in result.report.verdict
    assert result.best is not None
    depth, height = np.ptp(result.best.vertices, axis=0)[[2, 1]]
    assert 0.2 < depth / height < 0.6, "the thin one was asked for"
    front, thin = (image.alpha for image in (result.views.images[0], result.views.images[3]))
    assert np.abs(front - thin).mean() < 0.03, "from the front they look alike: same camera, same scale"
    side, thin_side = (image.alpha.sum() for image in (result.views.images[1], result.views.images[4]))
    assert thin_side < 0.8 * side


def test_against_a_reference_the_nearest_is_handed_on() -> None:
    wanted = compare(Run(), picture(), methods=f"{QUICK} thickness=0.5", views=1, size=96).best
    both = f"{QUICK} thickness=1.5\n{QUICK} thickness=0.5"
    result = compare(Run(), picture(), wanted, both, views=1, size=96, turn_to_fit=False)
    figures = [value for name, value in result.report.rows if "chamfer" in name]
    assert len(figures) == 2 and figures[1] < 1e-4 < 0.01 < figures[0]
    assert [value for name, value in result.report.rows if "F-score" in name][1] == 1
    assert result.best is not None and wanted is not None and np.array_equal(result.best.faces, wanted.faces)
    assert result.views is not None and len(result.views.images) == 3


def test_none_stops_the_others_and_each_reason_is_told(tmp_path: Path) -> None:
    run = Run(wanted_device="cpu")
    toys = [method(toy) for toy in (toy_net, toy_wrong, toy_empty, toy_large, toy_ball)]
    lacking, wrong, empty, large, ball = run_all(run, picture(), toys)
    assert lacking.lacks_weights and "main.py weights fetch people/net" in lacking.advice
    assert wrong.mesh is None and "ZeroDivisionError" in wrong.trouble and not wrong.lacks_weights
    assert "without a surface" in empty.trouble
    assert large.mesh is not None and len(large.mesh.faces) == len(sphere(1).faces)
    assert ball.mesh is not None and ball.seconds > 0
    assert run.notes[0].startswith("Toy giant: Memory ran out") and run.notes[1] == "Toy ball: It is always a ball."


def test_weights_that_are_not_here_are_a_row_of_the_table() -> None:
    """Over every method that is installed: those with weights of their own say what is missing."""
    result = compare(Run(wanted_device="cpu"), picture(), views=1, size=96)
    for word, spec in installed().items():
        state = result.report.value(f"{spec.title}: result")
        assert state == ("needs weights" if spec.models else "mesh"), word
        if spec.models:
            assert "main.py weights fetch" in str(result.report.value(f"{spec.title}: reason"))


def test_a_picture_that_no_method_can_use_still_gives_a_sheet() -> None:
    clear = Image(np.zeros((20, 20, 4), np.float32))
    result = compare(Run(wanted_device="cpu"), clear, methods=QUICK, size=96)
    assert result.best is None and result.views is None and result.report.verdict.startswith("0 of 1")
    assert result.sheet.size[1] > 2 * 96
    with pytest.raises(BadInput, match="No method is called"):
        compare(Run(wanted_device="cpu"), clear, methods=QUICK, keep="TripoSR", size=96)


def test_cancel_ends_a_method_and_the_comparison() -> None:
    stop, seen = Event(), list[str]()

    def tell(_: float, note: str) -> None:
        seen.append(note)
        if "rounding" in note:
            stop.set()

    run = Run(tell, stop=stop, wanted_device="cpu")
    with pytest.raises(Cancelled):
        run_all(run, picture(), [method(toy_ball), method(toy_ball)])
    assert seen == ["Toy ball", "Toy ball: rounding"]


def test_scratch_folders_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    attempt(Run(wanted_device="cpu"), method(toy_ball), picture(), lambda *_: None)
    assert list(tmp_path.glob("polyloom-*")) == []


def test_meshes_are_shown_equally_tall_before_one_camera() -> None:
    small, far = sphere(3, 0.01), replace(bumpy(3), vertices=bumpy(3).vertices * 50 + np.float32([9, 9, 9]))
    for mesh in (small, far):
        low, high = levelled(mesh).bounds
        assert high[1] - low[1] == pytest.approx(1) and np.allclose(low + high, 0, atol=1e-5)
    stage = Stage(2, 0.0, 96)
    rows = turntables([small, far], stage, lambda _: None)
    tall = [np.ptp(np.flatnonzero(image.alpha.max(axis=1) > 0.5)) for row in rows for image in row]
    assert max(tall) - min(tall) <= 3 and min(tall) > 60
    flat = Mesh.of([[0, 0, 0], [4, 0, 0], [0, 0, 2]], [[0, 1, 2]])
    assert np.ptp(levelled(flat).vertices[:, 0]) == pytest.approx(1)


def test_a_row_without_pictures_says_why_where_they_would_be() -> None:
    stage = Stage(2, 0.0, 96)
    full = sheet_of([Row("One", "1 s", (picture(), picture()))], stage)
    said = sheet_of([Row("One", "1 s", trouble="It needs weights.")], stage)
    assert full.size == said.size == (86 + 96 * 2 + 4 * 4, 96 + 8)
    assert said.rgb[:, 100:].max() > 0.5 and np.array_equal(said.rgb[:, :90], full.rgb[:, :90])


def test_missing_weights_is_what_a_network_raises() -> None:
    with pytest.raises(MissingWeights):
        toy_net(picture())

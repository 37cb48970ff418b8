"""Several pictures on one link: a sheet of all, and each of them alone by the arrow keys or the bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.engine.payloads import Image, Payload, Pictures
from viewer.adapters import LONGEST_CELL, adapt
from viewer.shown import Page, Picture
from viewer.thumbnails import thumbnail


def three() -> Pictures:
    return Pictures(tuple(Image.of(np.full((4 + n, 6, 3), n / 4, np.float32)) for n in range(3)))


@pytest.fixture
def panel(qtbot):
    from viewer.panel import ViewerPanel

    made = ViewerPanel()
    qtbot.addWidget(made)
    made.resize(520, 420)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.shutdown()


def test_a_bundle_is_a_sheet_with_its_pictures_behind_it():
    bundle = three()
    shown = adapt(bundle)
    assert isinstance(shown, Picture) and shown.note == "3 pictures"
    assert all(page is image.pixels for page, image in zip(shown.pages, bundle.images, strict=True))
    assert adapt(Pictures(bundle.images[:1])).pages == ()
    small = thumbnail(bundle)
    assert small is not None and small.shape == (84, 156, 4)


def test_the_arrow_keys_show_one_picture_after_the_other_and_the_sheet_again(panel):
    bundle = three()
    panel.show_payload(bundle, "n1")
    view, bar = panel.picture, panel._bars[panel.picture]
    assert bar.place.isVisible() and bar.place.text() == "all 3"
    seen = []
    for _ in range(4):
        QTest.keyClick(view, Qt.Key.Key_Right)
        seen.append((view.picture.size, bar.place.text()))
    assert seen == [((6, 4), "1 of 3"), ((6, 5), "2 of 3"), ((6, 6), "3 of 3"), (adapt(bundle).size, "all 3")]
    QTest.mouseClick(bar.back, Qt.MouseButton.LeftButton)
    assert view.picture.values is bundle.images[2].pixels and "picture 3 of 3" in panel._foot.text()
    panel.show_payload(Image.of(np.zeros((5, 5), np.float32)), "n2")
    assert not bar.place.isVisible() and not bar.back.isVisible()
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.picture.size == (5, 5)


@dataclass(frozen=True, eq=False)
class Strange(Payload):
    label = "Strange"
    pictures: tuple[Image, ...]
    best: Image
    words: str
    numbers: tuple[int, ...]


def test_a_payload_that_nobody_knows_is_a_readable_list_of_its_fields():
    image = Image.of(np.zeros((300, 300), np.float32))
    shown = adapt(Strange((image, image), image, "word " * 500, (1, 2)))
    Payload.kinds.pop("Strange")
    assert isinstance(shown, Page) and shown.title == "Strange"
    rows = dict(shown.rows)
    assert (rows["pictures"], rows["best"], rows["numbers"]) == ("2 × Image", "Image", "(1, 2)")
    assert len(rows["words"]) <= LONGEST_CELL + 2


def test_what_is_still_to_come_is_said_in_its_place(panel):
    panel.show_payload(Image.of(np.zeros((5, 5), np.float32)), "n1")
    panel.show_waiting("its result is being loaded …", "n2")
    assert panel._hint.isVisible() and panel._hint.text() == "Its result is being loaded …"
    assert not panel.picture.isVisible()
    panel.show_payload(Image.of(np.zeros((6, 5), np.float32)), "n2")
    assert panel.picture.isVisible() and not panel._hint.isVisible()

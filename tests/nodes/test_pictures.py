"""Bundles of pictures: what goes in comes out untouched, and sheets hold every picture where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine import BadInput, Image, Pictures, Run
from nodes.image._sheet import Style, sheet, words
from nodes.image.pictures import contact_sheet, gather, pick

RED, GREEN, BLUE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def flat(colour: tuple[float, ...], width: int = 20, height: int = 20) -> Image:
    return Image.of(np.broadcast_to(np.array(colour, np.float32), (height, width, len(colour))))


def test_gathered_pictures_are_picked_again_by_number_and_from_the_end() -> None:
    one, two, three = flat(RED), flat(GREEN, 7, 9), flat(BLUE)
    bundle = gather(two, before=gather(one, fourth=three))
    assert bundle.images == (one, three, two)
    assert [pick(bundle, number) for number in (1, 2, 3, -1, -3)] == [one, three, two, two, one]
    for number in (0, 4, -4):
        with pytest.raises(BadInput, match="among 3"):
            pick(bundle, number)


def test_a_sheet_shows_every_picture_once_in_reading_order() -> None:
    bundle = Pictures((flat(RED), flat(GREEN), flat(BLUE)))
    result = contact_sheet(Run(), bundle, columns=2, cell=32, gap=4, colour="#000000")
    assert result.size == (2 * 32 + 3 * 4, 2 * 32 + 3 * 4)
    for (row, column), colour in {(0, 0): RED, (0, 1): GREEN, (1, 0): BLUE, (1, 1): (0, 0, 0)}.items():
        top, left = 4 + row * 36, 4 + column * 36
        assert np.allclose(result.rgb[top : top + 32, left : left + 32], colour, atol=1e-6)
    assert (result.alpha == 1).all() and (result.rgb[:4] == 0).all()


def test_other_shapes_stand_in_the_middle_and_the_ground_shows_through() -> None:
    clear = Image(np.zeros((20, 20, 4), np.float32))
    bundle = Pictures((flat(RED), flat(GREEN, 40, 10), clear, flat((0.0, 0.0, 1.0, 0.5))))
    result = contact_sheet(Run(), bundle, columns=4, cell=40, gap=0, colour="#ffffff80")
    wide = result.pixels[:, 40:80]
    assert (wide[15:25, :, 1] == 1).all() and np.allclose(wide[14], [1, 1, 1, 128 / 255], atol=1e-6)
    assert np.allclose(result.pixels[:, 80:120], [1, 1, 1, 128 / 255], atol=1e-6)
    a = 128 / 255 / 2
    assert np.allclose(result.pixels[20, 140], [a / (a + 0.5), a / (a + 0.5), 1, 0.5 + a], atol=1e-5)


def test_numbers_are_written_and_change_nothing_else() -> None:
    bundle = Pictures(tuple(flat(RED) for _ in range(12)))
    plain, told = (contact_sheet(Run(), bundle, columns=4, cell=96, gap=0, numbers=n) for n in (False, True))
    changed = np.abs(plain.pixels - told.pixels).max(axis=-1) > 0.1
    cells = changed.reshape(3, 96, 4, 96).transpose(0, 2, 1, 3)
    assert cells[..., 75:, :25].any(axis=(2, 3)).all() and not cells[..., :70, :].any() and not cells[..., 40:].any()
    shown = told.pixels.reshape(3, 96, 4, 96, 4).transpose(0, 2, 1, 3, 4)
    assert len({shown[divmod(n, 4)].tobytes() for n in range(12)}) == 12, "each has its own number"


def test_the_shape_of_the_sheet_follows_the_pictures() -> None:
    tall = Pictures(tuple(flat(RED, 10, 40) for _ in range(16)))
    assert contact_sheet(Run(), tall, cell=40, gap=0).size == (80, 80)


def test_words_stay_in_their_room_and_say_when_they_do_not_fit() -> None:
    white = (1.0, 1.0, 1.0, 1.0)
    short = words("Inflate", 16, white, (200, 60))
    assert short.shape == (60, 200, 4) and short[..., 3].max() > 0.9
    ink = np.flatnonzero(short[..., 3].max(axis=0) > 0.1)
    assert 30 < ink[-1] - ink[0] < 100
    long = words("one two three four five six seven eight " * 4 + "x" * 80, 16, white, (100, 60))
    rows = long[..., 3].max(axis=1) > 0.1
    assert rows[:18].any() and rows[22:40].any() and long.shape == (60, 100, 4)
    taller = words("one two three four five six seven eight", 16, white, (100, 400))
    assert (taller[..., 3].max(axis=1) > 0.1).nonzero()[0][-1] > 60


def test_columns_may_have_their_own_widths() -> None:
    style = Style((10, 10), gap=2, ground=(0, 0, 0, 1))
    part = np.ones((10, 30, 4), np.float32)
    result = sheet([[part, None, np.ones((4, 4, 4), np.float32)]], style, widths=(30,))
    assert result.shape == (14, 2 + 32 + 12 + 12, 4)
    assert (result[2:12, 2:32, :3] == 1).all() and (result[:, 32:46, :3] == 0).all()
    assert result[5:9, 49:53, 0].sum() == 16 and result[..., 0].sum() == 316

"""Several pictures on one link: gathered, picked from, laid out on a sheet."""

from __future__ import annotations

import math
from typing import Annotated

from app.engine import BadInput, Colour, Image, Pictures, Run, Setting, Slider, node, rgba
from nodes.image._pixels import check_finite
from nodes.image._sheet import Float32, Style, fitted, put, sheet, words

Which = Slider(-1000, 1000, help="1 is the first. Counted from the end below 0: -1 is the last.")


@node("image.pick", title="Pick a picture", group="Several pictures")
def pick(pictures: Pictures, number: Annotated[int, Which] = 1) -> Image:
    """Take one picture out of several, unchanged."""
    count = len(pictures.images)
    if not number or abs(number) > count:
        raise BadInput(
            f"There is no picture {number} among {count}.", f"Choose a number from 1 to {count}, or -1 for the last."
        )
    return pictures.images[number - 1 if number > 0 else number]


@node("image.gather", title="Gather pictures", group="Several pictures")
def gather(
    first: Image,
    second: Image | None = None,
    third: Image | None = None,
    fourth: Image | None = None,
    before: Pictures | None = None,
) -> Pictures:
    """Several pictures as one bundle, in the order of the inputs. Sizes may differ.

    For more than four, link one Gather into the next one's *before*: its pictures come first.
    """
    linked = [image for image in (first, second, third, fourth) if image is not None]
    return Pictures((*(before.images if before else ()), *linked))


@node("image.contact_sheet", title="Contact sheet", group="Several pictures", version=2)
def contact_sheet(
    run: Run,
    pictures: Pictures,
    columns: Annotated[int, Slider(0, 32, help="Pictures in a row. 0: about as wide as high.")] = 0,
    cell: Annotated[int, Slider(32, 2048, log=True, unit="px", help="Longer side of each picture.")] = 256,
    gap: Annotated[int, Slider(0, 200, unit="px", help="Room around each picture.")] = 8,
    colour: Annotated[str, Colour(help="Behind the pictures; with two more digits, see-through.")] = "#222428",
    numbers: Annotated[bool, Setting(help="Write the number that Pick a picture takes into each corner.")] = False,
) -> Image:
    """Lay several pictures out on one sheet, row by row, each as large as fits its cell.

    Cells have the shape of the first picture. Transparent pictures show the colour behind them.
    """
    run.progress(0, "laying out")
    images = pictures.images
    wide, high = images[0].size
    size = max(1, round(cell * wide / max(wide, high))), max(1, round(cell * high / max(wide, high)))
    ground = rgba(colour)
    style = Style(size, gap, ground, (0.1, 0.1, 0.1, 1.0) if sum(ground[:3]) > 1.5 else (0.95, 0.95, 0.95, 1.0))
    columns = columns or max(1, round(math.sqrt(len(images) * size[1] / size[0])))
    cells: list[Float32] = []
    for number, image in enumerate(images, 1):
        run.progress(0.9 * number / len(images), f"picture {number}")
        check_finite(image.pixels)
        shown = fitted(image, size)
        cells.append(_numbered(shown, number, style) if numbers else shown)
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    return Image(sheet(rows, style), images[0].space)


def _numbered(shown: Float32, number: int, style: Style) -> Float32:
    """With its number in the lower left corner, on a patch of the ground's colour."""
    shown = shown.copy()
    size = max(10.0, style.cell[1] / 9)
    inset = round(size * 0.25)
    room = round(size * 0.65 * len(str(number))) + 2 * inset, round(size * 1.3)
    if room[0] > shown.shape[1] or room[1] > shown.shape[0]:
        return shown
    corner = shown[-room[1] :, : room[0]]
    corner[...] = (*style.ground[:3], 1.0)
    put(corner, words(str(number), size, style.ink, (room[0] - inset, room[1])), inset, 0)
    return shown

"""The one table from a parameter's setting to its inspector row."""

from __future__ import annotations

from app.engine.params import (
    AnyNumber,
    Choice,
    Colour,
    Folder,
    Line,
    Multiline,
    OpenFile,
    Rectangle,
    SaveFile,
    Seed,
    Setting,
    Slider,
    Strokes,
    Toggle,
)
from app.engine.spec import Param
from app.ui.row import Row, Surroundings
from app.ui.row_draw import DrawRow
from app.ui.row_files import FolderRow, OpenFileRow, SaveFileRow
from app.ui.row_number import NumberRow, SeedRow, SliderRow
from app.ui.row_plain import ChoiceRow, ColourRow, KeptRow, LineRow, MultilineRow, ToggleRow

ROWS: dict[type[Setting], type[Row]] = {
    Slider: SliderRow,
    AnyNumber: NumberRow,
    Seed: SeedRow,
    Toggle: ToggleRow,
    Choice: ChoiceRow,
    Multiline: MultilineRow,
    Line: LineRow,
    Colour: ColourRow,
    OpenFile: OpenFileRow,
    SaveFile: SaveFileRow,
    Folder: FolderRow,
    Rectangle: DrawRow,
    Strokes: DrawRow,
    Setting: KeptRow,
}


def row_for(param: Param, around: Surroundings) -> Row:
    """The row of the nearest class of the parameter's setting."""
    kind = next(cls for cls in type(param.setting).__mro__ if cls in ROWS)
    return ROWS[kind](param, around)

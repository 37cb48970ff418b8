"""How a parameter is checked and drawn. Attached to a node's argument with ``Annotated[type, Setting]``.

A ``.graph`` file holds plain JSON; :meth:`Setting.check` turns such a value into what the node function receives, or
raises :class:`BadParam` in words, and :meth:`Setting.encode` goes the other way.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.errors import BadParam


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Base. ``help``: one sentence for the tooltip. ``label``: shown instead of the argument's name.

    ``was``: earlier names of the parameter, so that old files still load. ``advanced``: folded away at first.
    """

    help: str = ""
    label: str = ""
    was: tuple[str, ...] = ()
    advanced: bool = False

    def check(self, value: Any) -> Any:
        """The value the node receives for this JSON value."""
        return value

    def encode(self, value: Any) -> Any:
        """The JSON value that stands for ``value`` in a file."""
        return value


@dataclass(frozen=True)
class AnyNumber(Setting):
    """A bare ``int`` or ``float``: any finite number."""

    whole: bool = False

    def check(self, value: Any) -> Any:
        return _number(value, self.whole)


@dataclass(frozen=True)
class Slider(Setting):
    """A number from ``min`` to ``max``, both included. ``log``: the slider moves in powers. ``unit``: shown behind."""

    min: float
    max: float
    step: float = 0.0
    log: bool = False
    unit: str = ""
    whole: bool = False

    def check(self, value: Any) -> Any:
        number = _number(value, self.whole)
        if not self.min <= number <= self.max:
            unit = f" {self.unit}" if self.unit else ""
            raise BadParam(
                f"{number:,.12g} is outside {self.min:,.12g} to {self.max:,.12g}{unit}.",
                f"Choose a value from {self.min:,.12g} to {self.max:,.12g}{unit}.",
            )
        return number


@dataclass(frozen=True)
class Seed(Setting):
    """A whole number from 0 to 2**32 - 1 that decides every random choice; the inspector adds a dice."""

    def check(self, value: Any) -> Any:
        number = _number(value, True)
        if not 0 <= number < 2**32:
            raise BadParam(f"{number} is not a seed.", "A seed is a whole number from 0 to 4294967295.")
        return number


@dataclass(frozen=True)
class Toggle(Setting):
    """A bare ``bool``."""

    def check(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise BadParam(f"{value!r} is neither on nor off.", "Choose true or false.")
        return value


@dataclass(frozen=True)
class Choice(Setting):
    """A bare ``Literal``: one of ``options``."""

    options: tuple[str, ...] = ()

    def check(self, value: Any) -> Any:
        if value not in self.options:
            listed = ", ".join(self.options)
            raise BadParam(f"{value!r} is not in the list.", f"Choose one of: {listed}.")
        return value


@dataclass(frozen=True)
class Line(Setting):
    """A bare ``str``: one line of text. ``offers``: usual texts to choose from; any other may be typed."""

    placeholder: str = ""
    offers: tuple[str, ...] = ()

    def check(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise BadParam(f"{value!r} is not text.", "Type some text.")
        return value


@dataclass(frozen=True)
class Multiline(Line):
    """Text of several lines."""


@dataclass(frozen=True)
class Colour(Setting):
    """``#rrggbb`` or ``#rrggbbaa``, sRGB. The node receives the text; :func:`rgba` turns it into numbers."""

    def check(self, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})", value):
            raise BadParam(f"{value!r} is not a colour.", "Write a colour as #rrggbb or #rrggbbaa.")
        return value.lower()


def rgba(colour: str) -> tuple[float, float, float, float]:
    """(red, green, blue, alpha) in 0..1 sRGB of a :class:`Colour` value."""
    digits = colour.lstrip("#") + ("ff" if len(colour) == 7 else "")
    red, green, blue, alpha = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4, 6))
    return red, green, blue, alpha


@dataclass(frozen=True)
class _Place(Setting):
    def check(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise BadParam(f"{value!r} is not a path.", "Choose a file.")
        if "\0" in value:
            raise BadParam("The path holds a zero byte.", "Choose a file.")
        return Path(value)

    def encode(self, value: Any) -> Any:
        text = Path(value).as_posix()
        return "" if text == "." else text


@dataclass(frozen=True)
class OpenFile(_Place):
    """A file to read. ``suffixes``: such as ``(".png", ".jpg")``. Its content is part of the result's key.

    The node receives an absolute :class:`pathlib.Path` to an existing file: the engine resolves it against the folder
    of the ``.graph`` file and reports a missing one before the run, unless ``optional``. ``companions``: names the
    other files that this one pulls in (the MTL and textures of an OBJ); their content is part of the key too.
    ``usual``: false where another node type is the usual one for such files, when one is dropped on the window.
    """

    suffixes: tuple[str, ...] = ()
    optional: bool = False
    usual: bool = True
    companions: Callable[[Path], Iterable[Path]] | None = None


@dataclass(frozen=True)
class SaveFile(_Place):
    """Where a result goes, relative to the output folder. The node returns :class:`Files`; the engine writes them."""

    suffixes: tuple[str, ...] = ()

    def check(self, value: Any) -> Any:
        path: Path = super().check(value)
        if path.name in ("", ".", ".."):
            raise BadParam("There is no file name.", "Type a file name.")
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            listed = ", ".join(self.suffixes)
            raise BadParam(f"{path.name!r} does not end in {listed}.", f"Choose a name that ends in {listed}.")
        return path


@dataclass(frozen=True)
class Folder(_Place):
    """A folder to read. The names, sizes and contents of its files are part of the result's key."""

    optional: bool = False


Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Rectangle(Setting):
    """A rectangle drawn on the picture of input ``over``: (left, top, right, bottom), 0..1 of its size, or None."""

    over: str = "image"

    def check(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 4:
            raise BadParam(f"{value!r} is not a rectangle.", "Draw it on the picture, or give four numbers.")
        left, top, right, bottom = (float(_number(v, False)) for v in value)
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise BadParam("The rectangle is empty or leaves the picture.", "Draw it again on the picture.")
        return left, top, right, bottom

    def encode(self, value: Any) -> Any:
        return None if value is None else [float(v) for v in value]


@dataclass(frozen=True)
class Stroke:
    """One brush stroke. ``keep``: marks the object (else the background). ``radius`` and ``points``: 0..1 of the width
    (radius) and of width and height (points); a click is a stroke of one point."""

    keep: bool
    radius: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Strokes(Setting):
    """Strokes drawn on the picture of input ``over``. The node receives a tuple of :class:`Stroke`."""

    over: str = "image"

    def check(self, value: Any) -> Any:
        try:
            return tuple(
                Stroke(
                    bool(s["keep"]),
                    float(_number(s["radius"], False)),
                    tuple((float(_number(x, False)), float(_number(y, False))) for x, y in s["points"]),
                )
                for s in value
            )
        except (TypeError, KeyError, ValueError, IndexError):
            raise BadParam("The strokes cannot be read.", "Clear the strokes and draw them again.") from None

    def encode(self, value: Any) -> Any:
        return [{"keep": s.keep, "radius": s.radius, "points": [list(p) for p in s.points]} for s in value]


def _number(value: Any, whole: bool) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise BadParam(f"{value!r:.40} is not a number.", "Type a number.")
    if whole and value != int(value):
        raise BadParam(f"{value:g} is not a whole number.", "Type a whole number.")
    return int(value) if whole else value

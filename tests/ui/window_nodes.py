"""Toy node types that really run: numbers, a picture, one that fails, one that is slow, one of every setting."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import (
    BadInput,
    Colour,
    Files,
    Folder,
    Image,
    Line,
    Mesh,
    Multiline,
    Number,
    OpenFile,
    Rect,
    Rectangle,
    Run,
    SaveFile,
    Seed,
    Setting,
    Slider,
    Stroke,
    Strokes,
    Text,
    node,
)
from app.engine.registry import Registry


@node("toy.value", title="Value")
def value(value: Annotated[float, Slider(0, 100, help="How much.", unit="m")] = 1.0) -> Number:
    """A number. Nothing else."""
    return Number(float(value))


@node("toy.add", title="Add")
def add(first: Number, second: Number | None, more: float = 0.0) -> Number:
    """The sum of two numbers."""
    return Number(first.value + (second.value if second else 0.0) + more)


@node("toy.picture", title="Picture")
def picture(run: Run, grey: Annotated[float, Slider(0, 1)] = 0.5) -> Image:
    """A grey picture, with a preview on the way."""
    run.preview(Image.of(np.zeros((4, 4), np.float32)))
    return Image.of(np.full((4, 6), grey, np.float32))


@node("toy.refuse", title="Refuse")
def refuse(number: Number) -> Number:
    """Never happy."""
    raise BadInput("The number is too round.", "Choose another number.")


@node("toy.slow", title="Slow")
def slow(run: Run, number: Number, seconds: Annotated[float, Slider(0, 60)] = 30.0) -> Number:
    """Takes its time and listens to Cancel."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        run.progress((time.monotonic() - start) / seconds, "thinking")
        time.sleep(0.005)
    return Number(number.value)


@node("toy.warn", title="Warn")
def warn(run: Run, number: Number) -> Number:
    """Uses a fallback and says so."""
    run.warn("Used the fallback.")
    return Number(number.value)


@node("toy.write", title="Write")
def write(number: Number, path: Annotated[str, SaveFile(suffixes=(".txt",))] = "number.txt") -> Files:
    """Writes the number."""
    return Files.of({str(path): f"{number.value:g}".encode()})


@node("toy.open_picture", title="Open picture")
def open_picture(path: Annotated[str, OpenFile(suffixes=(".png", ".jpg"))] = "") -> Image:
    """A picture file."""
    return Image.of(np.full((4, 6), Path(path).stat().st_size % 7 / 7, np.float32))


@node("toy.open_mesh", title="Open mesh")
def open_mesh(path: Annotated[str, OpenFile(suffixes=(".glb", ".obj"))] = "") -> Mesh:
    """A mesh file."""
    return Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])


@node("toy.draw", title="Draw")
def draw(
    image: Image,
    box: Annotated[Rect | None, Rectangle()] = None,
    strokes: Annotated[tuple[Stroke, ...], Strokes()] = (),
) -> Image:
    """Something drawn on a picture."""
    return image


@node("toy.everything", title="Everything", licence="Apache-2.0", vram_gb=6.0, devices=("cpu", "cuda"))
def everything(
    size: Annotated[float, Slider(0.1, 10, unit="m")] = 1.0,
    faces: Annotated[int, Slider(100, 5_000_000, log=True, unit="triangles", help="How many.")] = 20_000,
    plain: Annotated[int, Setting(help="Any whole number.")] = 3,
    on: bool = True,
    mode: Literal["smooth", "sharp_edges"] = "smooth",
    name: str = "thing",
    prompt: Annotated[str, Multiline(placeholder="Say it")] = "",
    tint: Annotated[str, Colour()] = "#4f9dde",
    seed: Annotated[int, Seed()] = 0,
    source: Annotated[str, OpenFile(suffixes=(".png",), optional=True)] = "",
    place: Annotated[str, Folder(optional=True)] = "",
    target: Annotated[str, SaveFile(suffixes=(".png",))] = "result.png",
    usual: Annotated[str, Line(offers=("CC0", "own work"), placeholder="as it says")] = "",
    rare: Annotated[float, Slider(0, 1, advanced=True)] = 0.5,
) -> Text:
    """One row of every kind. The rest of the help is longer."""
    return Text(name)


@node("toy.look", title="Look")
def look(
    azimuth: Annotated[float, Slider(-180, 180)] = 30.0,
    elevation: Annotated[float, Slider(-90, 90)] = 20.0,
    distance: Annotated[float, Slider(0, 100)] = 0.0,
    fov: Annotated[float, Slider(5, 120)] = 30.0,
    aim: Literal["middle", "point"] = "middle",
    aim_x: float = 0.0,
) -> Text:
    """Looks through a camera."""
    return Text(f"{azimuth} {elevation} {distance}")


NODES = (value, add, picture, refuse, slow, warn, write, open_picture, open_mesh, draw, everything, look)


def registry() -> Registry:
    return Registry.of([]).with_functions(*NODES)

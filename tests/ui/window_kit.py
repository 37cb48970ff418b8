"""A real window with toy node types, an in-process worker, a plain widget as viewer, and answers known beforehand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from app.engine import (
    BadInput,
    Colour,
    Files,
    Folder,
    Image,
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
from app.engine.payloads import Payload
from app.engine.registry import Registry
from app.engine.worker import Setup, Worker
from app.ui.board import Now
from app.ui.dialogs import Carried, Dialogs, Recovery, Unsaved
from app.ui.settings import Settings
from app.ui.window import MainWindow


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
    rare: Annotated[float, Slider(0, 1, advanced=True)] = 0.5,
) -> Text:
    """One row of every kind. The rest of the help is longer."""
    return Text(name)


NODES = (value, add, picture, refuse, slow, warn, write, open_picture, open_mesh, draw, everything)


def registry() -> Registry:
    return Registry.of([]).with_functions(*NODES)


class ToyViewer(QWidget):
    """Remembers what it was told to show."""

    drawn = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.payload: Payload | None = None
        self.seen: list[Payload | None] = []
        self.editing: tuple[str, Any] | None = None
        self.closed = False

    def show_payload(self, payload: Payload | None, source: str = "") -> None:
        self.payload = payload
        self.seen.append(payload)

    def edit_rectangle(self, image: Image, value: Rect | None) -> None:
        self.editing = "rectangle", value

    def edit_strokes(self, image: Image, value: tuple[Stroke, ...]) -> None:
        self.editing = "strokes", value

    def stop_editing(self) -> None:
        self.editing = None

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b"picture")

    def shutdown(self) -> None:
        self.closed = True


class Answers(Dialogs):
    """Answers at once, and remembers what it was asked."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[str] = []
        self.on_unsaved: Unsaved = "discard"
        self.on_carried: Carried = "graph"
        self.on_recover: Recovery = "recover"
        self.path: Path | None = None
        self.chosen_colour = QColor("#ff0000")

    def unsaved(self, name: str) -> Unsaved:
        self.asked.append(f"unsaved {name}")
        return self.on_unsaved

    def open_file(self, title: str, suffixes: tuple[str, ...], start: Path | None) -> Path | None:
        self.asked.append(title)
        return self.path

    def save_graph(self, start: Path) -> Path | None:
        self.asked.append(f"save {start.name}")
        return self.path

    def save_file(self, title: str, suffixes: tuple[str, ...], start: Path) -> Path | None:
        self.asked.append(title)
        return self.path

    def folder(self, title: str, start: Path | None) -> Path | None:
        self.asked.append(title)
        return self.path

    def colour(self, start: QColor) -> QColor | None:
        self.asked.append(start.name())
        return self.chosen_colour

    def tell(self, title: str, text: str, advice: str = "") -> None:
        self.asked.append(f"{title}: {text}")

    def carried(self, path: Path, kind: str) -> Carried:
        self.asked.append(f"carried {path.name} {kind}")
        return self.on_carried

    def recover(self, name: str, when: str) -> Recovery:
        self.asked.append(f"recover {name}")
        return self.on_recover


class Desk:
    """A window and the hands to use it. ``folder``: everything it reads and writes lies in there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings.at(folder / "home")
        self.answers = Answers(self.settings)
        self.viewer = ToyViewer()
        self.window = MainWindow(
            self.settings,
            registry,
            lambda post: Worker(Setup(folder / "store", ()), post, in_process=True, registry=registry()),
            self.viewer,
            lambda payload: np.full((8, 8, 4), 200, np.uint8),
            self.answers,
            folder / "examples",
        )
        self.editor = self.window.desk.editor

    def add(self, type_id: str, **params: Any) -> str:
        return self.editor.add(f"toy.{type_id}", (len(self.editor.graph.nodes) * 220.0, 0.0), params)

    def now(self, id: str) -> Now:
        return self.window.desk.status.board[id]

    def state(self, id: str) -> str:
        """As the canvas shows it."""
        return self.window.canvas.badge(id).state

    def close(self) -> None:
        self.answers.on_unsaved = "discard"
        self.window.close()

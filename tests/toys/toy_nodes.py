"""Toy node types for tests: each does one small real thing. ``log`` parameters name a file that counts calls."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import (
    BadInput,
    Credit,
    Files,
    Image,
    Isolated,
    Mesh,
    Number,
    OpenFile,
    Run,
    SaveFile,
    Slider,
    Text,
    WeightCard,
    node,
)


def _count(log: str) -> None:
    if log:
        with Path(log).open("a") as file:
            file.write("x")


class Parts(NamedTuple):
    whole: Number
    rest: Number


class Made(NamedTuple):
    image: Image
    mesh: Mesh


@node("toy.constant", title="Constant")
def constant(value: Annotated[float, Slider(-1e6, 1e6)] = 1.0, log: str = "") -> Number:
    """A number."""
    _count(log)
    return Number(float(value))


@node("toy.add", title="Add")
def add(a: Number, b: Number | None, plus: float = 0.0, log: str = "") -> Number:
    """a + b + plus."""
    _count(log)
    return Number(a.value + (b.value if b else 0.0) + plus)


@node("toy.split", title="Split")
def split(a: Number) -> Parts:
    """Whole part and rest."""
    return Parts(Number(float(int(a.value))), Number(a.value - int(a.value)))


@node("toy.sign", title="Sign")
def sign(a: Number, log: str = "") -> Number:
    """-1, 0 or 1: many inputs give one result."""
    _count(log)
    return Number(float(np.sign(a.value)))


@node("toy.read", title="Read file")
def read_file(path: Annotated[Path, OpenFile(suffixes=(".txt",))] = Path(), log: str = "") -> Text:
    """The text of a file."""
    _count(log)
    return Text(path.read_text("utf-8"))


@node("toy.quote", title="Quote")
def quote(
    run: Run, path: Annotated[Path, OpenFile(suffixes=(".txt",))] = Path(), licence: str = "", log: str = ""
) -> Text:
    """The text of a file, with a credit."""
    _count(log)
    run.credit(Credit(licence=licence))
    return Text(path.read_text("utf-8"))


LARGE = WeightCard("maker/net", "0123456789abcdef", (), "MIT", "Maker's terms", 0.1, True, title="Net", role="large")


@node("toy.trained", title="Trained", models=(LARGE,))
def trained(size: Literal["small", "large"] = "large", log: str = "") -> Text:
    """Made by a model of no files."""
    _count(log)
    return Text(size)


@node("toy.same", title="Same")
def same(a: Text, b: Text | None, log: str = "") -> Text:
    """What came in, b first."""
    _count(log)
    return b or a


@node("toy.cite", title="Cite", credits=True)
def cite(
    run: Run, a: Text, path: Annotated[Path, SaveFile(suffixes=(".txt",))] = Path("cited.txt"), log: str = ""
) -> Files:
    """The credits as a text file, one a line."""
    _count(log)
    lines = [f"{credit.kind}: {credit.title}, {credit.licence}" for credit in run.credits]
    return Files.of({path.as_posix(): "".join(f"{line}\n" for line in lines).encode() or b"none"})


@node("toy.cite_apart", title="Cite apart", credits=True, isolated=Isolated(limit_s=20))
def cite_apart(run: Run, a: Text, log: str = "") -> Text:
    """The credits as a text, from a helper process, which adds one."""
    _count(log)
    run.credit(Credit("Helper", licence="CC0"))
    return Text("; ".join(credit.title for credit in run.credits))


@node("toy.write", title="Write file")
def write_file(
    run: Run, a: Number, path: Annotated[Path, SaveFile(suffixes=(".txt",))] = Path("number.txt"), log: str = ""
) -> Files:
    """The number as a text file."""
    _count(log)
    return Files.of({path.as_posix(): f"{a.value:g}\n".encode()})


@node("toy.fail", title="Fail")
def fail(a: Number | None, log: str = "", kind: Literal["named", "bare"] = "named") -> Number:
    """Always fails."""
    _count(log)
    if kind == "named":
        raise BadInput("This node cannot work.", "Remove it.")
    raise ValueError("something inside broke")


@node("toy.sleep", title="Sleep")
def sleep(run: Run, a: Number | None, seconds: float = 0.1, started: str = "") -> Number:
    """Sleeps politely: Cancel gets through."""
    _count(started)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        run.progress(1 - left / seconds)
        time.sleep(min(0.01, left))
    return Number(seconds)


@node("toy.block", title="Block")
def block(a: Number | None, seconds: float = 60.0, started: str = "") -> Number:
    """Blocks in native code that holds the interpreter: no stop point is ever reached."""
    _count(started)
    ctypes.PyDLL(None).sleep(int(seconds))
    return Number(seconds)


@node("toy.crash", title="Crash")
def crash(a: Number | None, log: str = "") -> Number:
    """Reads address 0: a segmentation fault."""
    _count(log)
    ctypes.string_at(0)
    return Number(0.0)


def _instead(run: Run, a: Number | None, log: str = "", how: str = "crash") -> Number:
    """a plain zero."""
    return Number(0.0)


@node("toy.isolated", title="Isolated", isolated=Isolated(limit_s=0.5, fallback=_instead))
def isolated(
    run: Run, a: Number | None, log: str = "", how: Literal["crash", "hang", "work", "gpu", "memory"] = "crash"
) -> Number:
    """Native code that may crash or hang."""
    if log:
        with Path(log).open("a") as file:
            file.write(f"{os.getpid()}\n")
    if how == "gpu":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if how == "memory":
        raise MemoryError("Unable to allocate 1 PiB")
    run.progress(0.1, "starting")
    if how == "crash":
        ctypes.string_at(0)
    if how == "hang":
        time.sleep(60)
    run.warn("a remark")
    return Number(7.0)


@node("toy.volatile", title="Volatile", volatile=True)
def volatile(log: str = "") -> Number:
    """Never reused."""
    _count(log)
    return Number(1.0)


@node("toy.picture", title="Picture")
def picture(size: Annotated[int, Slider(1, 4096)] = 8, grey: Annotated[float, Slider(0, 1)] = 0.5) -> Image:
    """A grey square."""
    return Image.of(np.full((size, size), grey, np.float32))


@node("toy.preview", title="Preview")
def preview(run: Run) -> Image:
    """Shows an intermediate picture first."""
    run.preview(Image.of(np.zeros((2, 2), np.float32)))
    return Image.of(np.ones((2, 2), np.float32))


@node("toy.triangle", title="Triangle")
def triangle(size: float = 1.0) -> Mesh:
    """One triangle."""
    return Mesh.of([[0, 0, 0], [size, 0, 0], [0, size, 0]], [[0, 1, 2]])


@node("toy.out_of_memory", title="Out of memory")
def out_of_memory(a: Number | None) -> Number:
    """Raises what numpy raises."""
    raise MemoryError("Unable to allocate 1 PiB")


@node("toy.killed", title="Killed")
def killed(a: Number | None, log: str = "") -> Number:
    """Ends its process as the system does when memory runs out."""
    _count(log)
    os.kill(os.getpid(), signal.SIGKILL)
    return Number(0.0)


@node("toy.lost_gpu", title="Lost GPU")
def lost_gpu(a: Number | None, log: str = "") -> Number:
    """Raises what torch raises when the GPU is of no use until the process ends."""
    _count(log)
    raise RuntimeError("CUDA error: device-side assert triggered")


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


@node("toy.greedy", title="Greedy", cheaper={"tile": 16})
def greedy(run: Run, a: Number | None, times: int = 1, tile: int = 512, log: str = "") -> Number:
    """Runs out of memory this many times, and writes down how many models were loaded at each try; gives its tile."""
    with Path(log).open("a") as file:
        file.write(str(len(run.models.names())))
    if Path(log).stat().st_size <= times:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    return Number(float(tile))


@node("toy.model", title="Model")
def model(run: Run, a: Number | None, name: str = "m", log: str = "", blocks: float = 0.0) -> Number:
    """Loads a model, in native code that holds the interpreter when it blocks; gives its weight."""

    def load() -> float:
        _count(log)
        if blocks:
            ctypes.PyDLL(None).sleep(int(blocks))
        return 4.0

    with run.models.use(name, load, gigabytes=0.1) as weight:
        return Number(weight)


@node("toy.asset", title="Asset")
def asset(run: Run, a: Number | None, side: int = 512, rows: int = 128, seed: int = 0) -> Made:
    """A picture and a mesh of real size, with temporary arrays on the way."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((side, side, 4), np.float32)
    across, down = np.meshgrid(np.arange(rows + 1), np.arange(rows + 1))
    points = np.stack([across, rng.random(across.shape), down], axis=-1).reshape(-1, 3)
    corner = (np.arange(rows)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    ring = np.stack([corner, corner + rows + 1, corner + rows + 2, corner + 1], axis=-1)
    return Made(Image.of(pixels), Mesh.of(points, ring[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)))


@node("toy.measure", title="Measure")
def measure(image: Image, mesh: Mesh, log: str = "") -> Number:
    """Looks at every value."""
    _count(log)
    return Number(float(image.pixels.mean() + mesh.vertices.mean()))


@node("toy.dice", title="Dice", deterministic=False)
def dice() -> Made:
    """Another picture each time, and always the same triangle."""
    return Made(Image.of(np.random.default_rng().random((128, 128), np.float32)), triangle(1.0 * 3))


@node("toy.grid", title="Grid")
def grid(side: Annotated[int, Slider(2, 4096)] = 64, height: float = 0.0) -> Mesh:
    """A flat grid of side x side vertices: 36 bytes for each."""
    steps = np.linspace(0, 1, side, dtype=np.float32)
    x, z = np.meshgrid(steps, steps)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1, 1).astype(np.int32)
    quads = np.concatenate([corner + np.array([0, side, 1]), corner + np.array([1, side, side + 1])])
    return Mesh.of(np.stack([x, np.full_like(x, height), z], axis=-1).reshape(-1, 3), quads)

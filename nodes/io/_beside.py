"""Files that a mesh file names: found only in its own folder or below, read with limits."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Image
from nodes.io._axes import Frame, Up
from nodes.io._parts import Warn

MAX_SIDE = 8192
MAX_PIXELS = 512 * 1024 * 1024
MAX_BYTES = 2_000_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "TGA", "GIF", "DDS")
UInt8 = NDArray[np.uint8]
Array = NDArray[Any]


@dataclass(frozen=True)
class Beside:
    """The folder of a mesh file. ``warn`` takes remarks on what had to be left out. ``file``: the file's own name."""

    folder: Path
    warn: Warn
    file: str = ""
    _decoded: dict[str, UInt8 | None] = field(default_factory=dict)
    _sizes: list[int] = field(default_factory=list)
    _frames: list[Frame] = field(default_factory=list)
    _corners: list[Array] = field(default_factory=list)

    def says(self, metres: float, up: Up) -> None:
        """What the file itself says of its units and axes."""
        self._frames.append(Frame(metres, up))

    @property
    def frame(self) -> Frame | None:
        """What the file said of its units and axes, if anything."""
        return self._frames[-1] if self._frames else None

    def polygons(self, counts: Array) -> None:
        """(P,) corners of polygons that become triangles."""
        self._corners.append(counts)

    def tell_ngons(self) -> None:
        """A remark where polygons had more than four corners: how such a face is cut, the reader has chosen."""
        many = sum(int((counts > 4).sum()) for counts in self._corners)
        if many:
            quads = sum(int((counts == 4).sum()) for counts in self._corners)
            self.warn(
                f"Polygons were cut into triangles: {many:,} with more than four corners (n-gons), {quads:,} quads."
            )

    def inside(self, name: str, read: Callable[[], bytes | None]) -> UInt8 | None:
        """As :meth:`picture`, for one that lies inside the file itself."""
        if name not in self._decoded:
            try:
                content = read()
                if content is None:
                    raise BadFile(f"The texture {name[-80:]!r} is not in the file.", "Export it again.")
                self._decoded[name] = self.decode(content, PurePosixPath(name).name)
            except BadFile as error:
                self.warn(f"A texture is left out. {error.message}")
                self._decoded[name] = None
        return self._decoded[name]

    def bytes_of(self, uri: str) -> bytes:
        """What a glTF URI stands for: a ``data:`` URI, or a file in the folder. Raises :class:`BadFile`."""
        if uri.startswith("data:"):
            return _from_data_uri(uri)
        return self._read(self._inside(unquote(uri)))

    def picture(self, name: str) -> UInt8 | None:
        """(H, W, 4) uint8 of a picture file named by a material; None, with a remark, when it cannot be had."""
        if name not in self._decoded:
            self._decoded[name] = self._picture(name)
        return self._decoded[name]

    def decode(self, data: bytes, name: str) -> UInt8:
        """As :func:`decoded`, as long as all pictures of the mesh together stay below a limit."""
        pixels = decoded(data, name, MAX_PIXELS - sum(self._sizes))
        self._sizes.append(pixels.shape[0] * pixels.shape[1])
        return pixels

    def _picture(self, name: str) -> UInt8 | None:
        try:
            return self.decode(self._read(self._texture(name)), PurePosixPath(name.replace("\\", "/")).name)
        except BadFile as error:
            self.warn(f"A texture is left out. {error.message}")
            return None

    def _texture(self, name: str) -> Path:
        """Materials often keep paths of the machine they were made on: then the file of that name here is meant."""
        try:
            return self._inside(name.replace("\\", "/"))
        except BadFile:
            here = self._inside(re.split(r"[\\/]", name)[-1])
            if here.is_file():
                return here
            raise

    def _inside(self, name: str) -> Path:
        outside = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name) or name.startswith(("/", "\\")) or "\0" in name
        path = self.folder / name
        if outside or not path.resolve().is_relative_to(self.folder.resolve()):
            raise BadFile(
                f"The file refers to {name[:200]!r}, which is not in its own folder.",
                "Put everything into one folder, or export it as one GLB.",
            )
        return path

    def _read(self, path: Path) -> bytes:
        name = path.name[:80]
        try:
            if not path.is_file():
                raise BadFile(f"{name!r}, which the file refers to, is not there.", "Put it beside the file.")
            if path.stat().st_size > MAX_BYTES:
                raise BadFile(f"{name!r} is larger than 2 GB.", "Use a smaller file.")
            return path.read_bytes()
        except OSError as error:
            raise BadFile(f"{name!r} cannot be read: {error.strerror}.", "Check the file's permissions.") from error


def decoded(data: bytes, name: str, most_pixels: int) -> UInt8:
    """(H, W, 4) uint8 from an encoded picture, row 0 on top. Raises :class:`BadFile`; ``name`` is for its message."""
    from PIL import Image as Pictures

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
            with Pictures.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if max(width, height) > MAX_SIDE:
                    raise BadFile(
                        f"The texture {name!r} has {width:,} x {height:,} pixels; the limit is {MAX_SIDE:,} a side.",
                        "Reduce the texture first.",
                    )
                if width * height > most_pixels:
                    raise BadFile("The textures are too large together.", "Reduce them first.")
                return np.asarray(picture.convert("RGBA"))
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        TypeError,
        Pictures.DecompressionBombError,
    ) as error:
        raise BadFile(f"The texture {name!r} is not a picture that can be read.", "Save it as PNG.") from error


def colour(pixels: UInt8 | None) -> Image | None:
    """All four channels, as sRGB."""
    return None if pixels is None else Image.of(pixels)


def data(pixels: UInt8 | None) -> Image | None:
    """Colour channels as plain numbers, opaque."""
    return None if pixels is None else Image.of(pixels[..., :3], "data")


def channel(pixels: UInt8 | None, index: int) -> Image | None:
    """One channel as a grey data picture; None when it is white throughout, since then it changes nothing."""
    if pixels is None or pixels[..., index].min() == 255:
        return None
    return Image.of(pixels[..., index], "data")


def _from_data_uri(uri: str) -> bytes:
    head, _, body = uri.partition(",")
    try:
        return base64.b64decode(unquote(body), validate=True) if head.endswith(";base64") else unquote(body).encode()
    except (binascii.Error, ValueError) as error:
        raise BadFile("Data inside the file is damaged.", "Export the file again.") from error

"""Zip packages read with limits: 3MF and USDZ files come from strangers."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib

from app.engine import BadFile

MOST_ENTRIES = 20_000
MOST_BYTES = 1_000_000_000
AGAIN = "Copy or export the file again."


class Package:
    """The files in a zip archive by their names. Names count without a leading slash, and small letters equal large
    ones where no exact name fits. All that is read together stays below 1 GB, whatever the archive promises."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
            raise BadFile("The file is no sound zip package: it is damaged or cut short.", AGAIN) from error
        if len(self._zip.namelist()) > MOST_ENTRIES:
            raise BadFile("The package holds too many files.", AGAIN)
        self.names = self._zip.namelist()
        self._small = {name.lower().lstrip("/"): name for name in reversed(self.names)}
        self._room = MOST_BYTES

    def find(self, name: str, folder: str = "") -> str | None:
        """The archive's own name of a file; ``name`` counts from ``folder`` unless it begins with a slash."""
        path = name if name.startswith("/") else posixpath.join("/", folder, name)
        wanted = posixpath.normpath(path).lstrip("/")
        return wanted if wanted in self.names else self._small.get(wanted.lower())

    def read(self, name: str, most: int = -1) -> bytes:
        """The content of a file that :meth:`find` gave, or the first bytes of it. Raises :class:`BadFile`."""
        try:
            with self._zip.open(name) as file:
                data = file.read(self._room + 1 if most < 0 else most)
        except (
            zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError, RuntimeError, NotImplementedError,
            struct.error, MemoryError,
        ) as error:  # fmt: skip
            raise BadFile(f"{name[-80:]!r} in the package is damaged: {error}.", AGAIN) from error
        self._room -= len(data)
        if self._room < 0:
            raise BadFile("The package unpacks to more than 1 GB.", "Reduce the model first.")
        return data

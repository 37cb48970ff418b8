"""The files that a mesh file pulls in: a change in one of them is a change of the mesh."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from nodes.io._stated import beside

SUFFIXES = {".mtl", ".bin", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".gif", ".dds"}
NAMING = {".obj", ".gltf", ".ply", ".mtl", ".fbx", ".dae", ".3ds", ".usda", ".usdc", ".usd"}
LAYERS = {".usda", ".usdc", ".usd"}
PACKED = {".usdc", ".usd"}
HEADER_BYTES = 64 * 1024


def companions(path: Path) -> tuple[Path, ...]:
    """Files in the folder of ``path`` or one below whose name stands in it, or in a material file that it names; and
    what states its licence beside it.

    Rather one too many than one too few: an extra file only costs a run that was not needed.
    """
    stated = beside(path)
    if path.suffix.lower() not in NAMING:
        return stated
    try:
        stat = path.stat()
        listing = _listing(path.parent, SUFFIXES | LAYERS if path.suffix.lower() in LAYERS else SUFFIXES)
        return *stated, *_named_in(path, stat.st_mtime_ns, stat.st_size, listing)
    except OSError:
        return stated


def _listing(folder: Path, suffixes: set[str]) -> tuple[Path, ...]:
    found = [p for pattern in ("*", "*/*") for p in folder.glob(pattern) if p.suffix.lower() in suffixes]
    return tuple(sorted(found))


@lru_cache(maxsize=64)
def _named_in(path: Path, changed: int, size: int, candidates: tuple[Path, ...]) -> tuple[Path, ...]:
    if not candidates:
        return ()
    if path.suffix.lower() in PACKED:  # names are compressed in it
        return tuple(p for p in candidates if p != path)
    text = _text(path)
    named = [p for p in candidates if p != path and any(word in text for word in _spellings(p.name))]
    for material in [p for p in named if p.suffix.lower() == ".mtl"]:
        inside = _text(material)
        named += [p for p in candidates if any(word in inside for word in _spellings(p.name))]
    return tuple(sorted(set(named)))


def _text(path: Path) -> bytes:
    """All of it; of a PLY only the header can name a file."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES if path.suffix.lower() == ".ply" else -1)


def _spellings(name: str) -> set[bytes]:
    return {name.encode(), quote(name).encode()}

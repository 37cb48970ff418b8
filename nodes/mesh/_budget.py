"""What the textures of a material cost on a graphics card."""

from __future__ import annotations

from app.engine import Image, Material

RAW = 4
BC7 = 1


def budget_rows(material: Material | None) -> list[tuple[str, str | int | float | bool]]:
    """Rows for a report. Megabytes are 10^6 bytes."""
    maps = [] if material is None else [m for m in (getattr(material, n) for n in Material.MAPS) if m is not None]
    sizes = [max(m.size) for m in maps]
    return [
        ("materials", int(material is not None)),
        ("textures", len(maps)),
        ("largest texture (px)", max(sizes, default=0)),
        ("textures on the card, 8-bit RGBA (MB)", sum(_bytes(m, RAW) for m in maps) / 1e6),
        ("textures on the card, BC7 (MB)", sum(_bytes(m, BC7) for m in maps) / 1e6),
    ]


def _bytes(image: Image, texel: int) -> int:
    """With all mipmaps down to one texel; block-compressed levels are whole 4 x 4 blocks."""
    width, height = image.size
    total = 0
    while True:
        blocks = ((width + 3) // 4 * 4) * ((height + 3) // 4 * 4) if texel == BC7 else width * height
        total += blocks * texel
        if width == height == 1:
            return total
        width, height = max(1, width // 2), max(1, height // 2)

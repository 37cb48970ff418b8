"""What a format has no place for is said on the node."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.engine import Material

GLTF_MAPS = tuple(name for name in Material.MAPS if name != "height")


def say_left_out(
    warn: Callable[[str], None],
    materials: Iterable[Material | None],
    form: str,
    kept: Iterable[str] = Material.MAPS,
    layers: bool = False,
    also: Iterable[str] = (),
) -> None:
    """``kept``: maps that ``form`` holds. ``layers``: whether it holds clear coat, transmission and the like, too.

    ``also``: what else is lost.
    """
    found = dict.fromkeys(also)
    for material in materials:
        if material is not None:
            lost = [name for name in Material.MAPS if name not in kept and getattr(material, name) is not None]
            found |= dict.fromkeys(name.replace("_", " ") for name in lost)
            found |= dict.fromkeys(() if layers else sorted({name.partition(".")[0] for name, _ in material.layers}))
    if found:
        warn(f"{form} has no place for {', '.join(found)}: left out.")

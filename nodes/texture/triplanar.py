"""Dress a mesh in tiling pictures along the three axes, without regard to its UVs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from app.engine import BadInput, Image, Material, Mesh, Run, Setting, Slider, node
from nodes.image._pixels import check_finite, to_srgb

MARGIN = 16
Turn = Slider(-180, 180, unit="°", help="Turns the pictures about the axis they look along.")


@node("texture.triplanar", title="Triplanar", group="Bake and project")
def triplanar(
    run: Run,
    mesh: Mesh,
    base_colour: Image,
    normal: Image | None = None,
    roughness_map: Image | None = None,
    metallic_map: Image | None = None,
    occlusion: Image | None = None,
    height: Image | None = None,
    tile: Annotated[float, Slider(0.001, 100, log=True, unit="m", help="Width of one repeat of the pictures.")] = 0.5,
    sharpness: Annotated[float, Slider(1, 64, log=True, help="How narrow the fade between the axes is.")] = 8.0,
    turn: Annotated[float, Turn] = 0.0,
    keep_contrast: Annotated[
        bool, Setting(help="Where two directions are mixed, keep the contrast that mixing takes away.")
    ] = True,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square texture.")] = 1024,
) -> Mesh:
    """Project tiling pictures from the front, the side and the top, fade between them, and bake them into a texture.

    For rock, plaster, wood and all that has no direction of its own: no stretching and no seams at chart borders.
    Sides are upright; normal maps are turned into the mesh's own tangent space.
    """
    from nodes.texture._texels import bands, ready
    from nodes.texture._three import Cloth

    run.progress(0.0, "checking")
    given = {"base_colour": base_colour, "normal": normal, "roughness": roughness_map, "metallic": metallic_map,
             "occlusion": occlusion, "height": height}  # fmt: skip
    linked = {name: image for name, image in given.items() if image is not None}
    for name, image in linked.items():
        check_finite(image.pixels, f"The {name.replace('_', ' ')} map")
    mesh = ready(run, mesh)
    if float(np.ptp(mesh.vertices, axis=0).max()) / tile > 10_000:
        raise BadInput("The pictures would repeat more than 10,000 times.", "Choose a larger tile.")
    cloth = Cloth.of(mesh, linked, tile, sharpness, turn, keep_contrast, size)
    for done, texels in bands(cloth.mesh, size):
        cloth.lay(texels)
        run.progress(0.05 + 0.85 * done, "projecting")
    return replace(mesh, material=_material(mesh, cloth.maps()), colours=None)


def _material(mesh: Mesh, maps: dict[str, np.ndarray]) -> Material:
    """The old material with the new maps; factors of theirs are neutral."""
    changes: dict[str, Any] = {"base_factor": (1.0, 1.0, 1.0, 1.0)}
    for name, values in maps.items():
        if name == "base_colour":
            changes[name] = Image.of(np.concatenate([to_srgb(values[..., :3]), values[..., 3:]], axis=2))
        else:
            changes[name] = Image.of(values * 0.5 + 0.5 if name == "normal" else values, "data")
    changes |= {f"{name}_factor": 1.0 for name in ("metallic", "roughness") if name in maps}
    return replace(mesh.material or Material(name="triplanar"), **changes)

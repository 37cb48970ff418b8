"""What a surface is beside colour, metal and roughness: coated, clear, woven, unlit, cut out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Colour, Image, Material, Mesh, Setting, Slider, node, rgba
from app.engine.payloads import Layer
from nodes.image._pixels import to_linear
from nodes.mesh._checks import need_uv

KNOWN = ("clearcoat", "transmission", "volume", "ior", "sheen")


@node("texture.finish", title="Surface finish", group="Material")
def finish(
    mesh: Mesh,
    coat_map: Image | None = None,
    transmission_map: Image | None = None,
    coat: Annotated[float, Slider(0, 1, help="A clear lacquer over the surface, as on car paint.")] = 0.0,
    coat_roughness: Annotated[float, Slider(0, 1, help="How dull the lacquer is.")] = 0.0,
    transmission: Annotated[float, Slider(0, 1, help="Light that goes through, as in glass; reflections stay.")] = 0.0,
    ior: Annotated[
        float, Slider(1, 3, step=0.01, label="Refraction", help="How strongly light is bent: water 1.33, glass 1.5.")
    ] = 1.5,
    thickness: Annotated[
        float, Slider(0, 1, unit="m", help="How thick the clear body is; 0: a thin wall that bends no light.")
    ] = 0.0,
    tint_depth: Annotated[
        float, Slider(0, 10, unit="m", help="How far light goes until it has the tint; 0: no tint inside.")
    ] = 0.0,
    tint: Annotated[str, Colour(help="The colour of light that went through.")] = "#ffffff",
    sheen: Annotated[float, Slider(0, 1, help="Soft light at grazing angles, as on velvet.")] = 0.0,
    sheen_colour: Annotated[str, Colour(help="The colour of that light.")] = "#ffffff",
    sheen_roughness: Annotated[float, Slider(0, 1, help="Low: a bright rim. High: dust.")] = 0.5,
    unlit: Annotated[bool, Setting(help="Shown as painted, without any light: for signs, skies, baked looks.")] = False,
    alpha_cutoff: Annotated[float, Slider(0, 1, help="Where a mask cuts: alpha below it is clear.")] = 0.5,
    wrap: Annotated[
        Literal["repeat", "clamp", "mirror"], Setting(help="How textures go on beyond their border.")
    ] = "repeat",
    texels: Annotated[
        Literal["smooth", "squares"], Setting(help="squares: pixel art, nothing is smoothed.")
    ] = "smooth",
) -> Mesh:
    """Set clear coat, glass, sheen and the rest of what glTF surfaces can be; colour, maps and roughness stay.

    'coat map' and 'transmission map' say where, by their red. Export GLB and Export scene write it; engines and
    viewers that do not know a property leave it out. The viewport shows coat and refraction, glass as half clear, and
    unlit; not sheen.
    """
    if coat_map is not None or transmission_map is not None:
        need_uv(mesh)
    if unlit and (coat or transmission or sheen):
        raise BadInput("An unlit surface has no coat, glass or sheen.", "Switch off Unlit, or set the others to 0.")
    found: dict[str, Layer] = {}
    if coat:
        found |= {"clearcoat.clearcoatFactor": coat, "clearcoat.clearcoatRoughnessFactor": coat_roughness}
        found |= _map("clearcoat.clearcoatTexture", coat_map)
    if transmission:
        found |= {"transmission.transmissionFactor": transmission}
        found |= _map("transmission.transmissionTexture", transmission_map)
    if transmission and thickness:
        found["volume.thicknessFactor"] = thickness
        if tint_depth:
            found |= {"volume.attenuationDistance": tint_depth, "volume.attenuationColor": _linear(tint)}
    if ior != 1.5:
        found["ior.ior"] = ior
    if sheen:
        found["sheen.sheenColorFactor"] = tuple(sheen * value for value in _linear(sheen_colour))
        found["sheen.sheenRoughnessFactor"] = sheen_roughness
    if texels == "squares":
        found["sampler.nearest"] = True
    old = mesh.material or Material()
    kept = [row for row in old.layers if row[0].partition(".")[0] not in (*KNOWN, "sampler")]
    layers = (*kept, *found.items())
    dressed = replace(old, unlit=unlit, alpha_cutoff=alpha_cutoff, wrap=(wrap, wrap), layers=layers)
    return replace(mesh, material=dressed)


def _linear(colour: str) -> tuple[float, ...]:
    return tuple(to_linear(np.array(rgba(colour)[:3], np.float32)).tolist())


def _map(name: str, image: Image | None) -> dict[str, Layer]:
    return {} if image is None else {name: replace(image, space="data")}

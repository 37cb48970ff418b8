"""Bring colour and detail of one mesh onto another as textures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Material, Mesh, Run, Setting, Slider, node
from nodes.image._pixels import to_srgb
from nodes.mesh._checks import need_sound, need_uv
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import diagonal

Array = NDArray[Any]
FINE = {"off": 1, "4 samples": 2, "16 samples": 4}


@node("texture.bake", title="Bake")
def bake(
    run: Run,
    source: Mesh,
    target: Mesh,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square textures.")] = 1024,
    normal_map: Annotated[bool, Setting(help="Bake the source's shape as a tangent-space normal map.")] = True,
    ambient_occlusion: Annotated[bool, Setting(help="Bake how much open sky each point of the source sees.")] = False,
    height: Annotated[bool, Setting(help="Bake the distance to the source: grey is none, white outward.")] = False,
    max_distance: Annotated[
        float,
        Slider(0, 50, step=0.1, unit="% of size", help="How far the source may lie from the target. 0: measured."),
    ] = 0.0,
    antialias: Annotated[Literal["off", "4 samples", "16 samples"], Setting(help="Samples per texel.")] = "4 samples",
    margin: Annotated[int, Slider(0, 256, unit="px", help="Colour carried beyond the charts against seams.")] = 16,
    rays: Annotated[int, Slider(4, 1024, log=True, help="Ambient occlusion: rays per texel.", advanced=True)] = 64,
    occlusion_distance: Annotated[
        float, Slider(0, 100, unit="% of size", help="Ambient occlusion: how far rays look. 0: any.", advanced=True)
    ] = 0.0,
) -> Mesh:
    """Textures on the target from the colours and the shape of the source.

    `source` is the detailed mesh, with textures or vertex colours; `target` is the reduced one, with UVs. Colour, other
    maps of the source's material, its shape as a normal map, and on wish ambient occlusion and height are baked.
    """
    from nodes.texture._baking import Order, bake_bands, receiver_of
    from nodes.texture._occlusion import shade_of
    from nodes.texture._surface import surface_of

    target = _checked(run, source, target)
    run.progress(0.02, "preparing the source")
    surface, extent, fine = surface_of(source), diagonal(source), FINE[antialias]
    reach = max_distance / 100 * extent or _measured_reach(surface, target, extent)
    far = occlusion_distance / 100 * extent or 4 * extent
    shade = shade_of(surface, max(1, rays // fine**2), extent * 1e-4, far) if ambient_occlusion else None
    wanted = {"normal": normal_map, "ambient": ambient_occlusion, "relief": height}
    order = Order(size, fine, reach, _maps(surface, wanted), shade)
    maps, filled, lost = bake_bands(run, surface, receiver_of(target, order), order)
    if lost > 0.02:
        run.warn(f"{lost:.0%} of the texels found nothing within {reach:.3g} m and took the nearest point instead.")
    run.progress(0.92, "margins")
    return replace(target, material=_material(source, _pictures(maps, filled, margin)), colours=None)


def _checked(run: Run, source: Mesh, target: Mesh) -> Mesh:
    """The target with normals."""
    from nodes.mesh._raster import uv_use

    need_sound(source, "source")
    need_sound(target, "target")
    need_uv(target, "target")
    if source.uv is not None:
        need_uv(source, "source")
    assert target.uv is not None
    covered, doubled = uv_use(target.uv, target.faces, 512)
    if covered == 0:
        raise BadInput("The UVs of the target have no area.", "Put an Unwrap UV step before this one.")
    if doubled > 0.01:
        run.warn(f"{doubled:.0%} of the target's UVs overlap; an Unwrap UV step gives each part its own place.")
    if target.uv.min() < -1e-4 or target.uv.max() > 1.0001:
        run.warn("Some UVs of the target lie outside the unit square; what is there gets no texture.")
    return (
        target if target.normals is not None else replace(target, normals=smooth_normals(target.vertices, target.faces))
    )


def _measured_reach(surface: Any, target: Mesh, extent: float) -> float:
    """Twice the distance within which nearly all of the target lies; at least half a percent of the source's size."""
    from nodes.mesh._bvh import nearest

    centres = target.vertices[target.faces].mean(axis=1)
    points = np.concatenate([target.vertices, centres])
    points = points[:: max(1, len(points) // 20_000)]
    gap = nearest(surface.tree, points)[1][:, 0]
    return float(np.clip(2 * np.quantile(gap, 0.99), 0.005 * extent, 0.2 * extent))


def _maps(surface: Any, wanted: dict[str, bool]) -> tuple[str, ...]:
    own = [name for name in surface.textures if name not in ("normal", "base_colour", "height")]
    if surface.colours is not None or "base_colour" in surface.textures:
        own.insert(0, "base_colour")
    if wanted["ambient"] and "occlusion" in own:
        own.remove("occlusion")
    names = (*own, *(name for name, on in wanted.items() if on))
    if not names:
        raise BadInput(
            "There is nothing to bake: the source has no textures or colours and every other map is off.",
            "Turn on the normal map, or connect a source with textures.",
        )
    return names


def _pictures(maps: dict[str, Array], filled: Array, margin: int) -> dict[str, Image]:
    from nodes.texture._margin import Margin

    edge = Margin(filled, margin)
    named = {"ambient": "occlusion", "relief": "height"}
    return {named.get(name, name): _picture(name, edge.fill(values)) for name, values in maps.items()}


def _picture(name: str, values: Array) -> Image:
    if name == "normal":
        length = np.linalg.norm(values, axis=2, keepdims=True)
        flat = np.where(length > 1e-6, values / np.maximum(length, 1e-6), np.array((0, 0, 1), np.float32))
        return Image.of(flat * 0.5 + 0.5, "data")
    if name in ("base_colour", "emissive"):
        coloured = np.concatenate([to_srgb(values[..., :3]), values[..., 3:]], axis=-1)
        return Image.of(coloured, "srgb")
    return Image.of(values, "data")


def _material(source: Mesh, pictures: dict[str, Image]) -> Material:
    """The source's material with the baked maps; factors that were baked in are neutral."""
    was = source.material or Material(name="baked")
    changes: dict[str, Any] = {**dict.fromkeys(was.MAPS), **pictures}
    if "base_colour" in pictures:
        changes["base_factor"] = (1.0, 1.0, 1.0, 1.0)
    return replace(was, **changes)

"""Two textures, or two materials, mixed by a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from app.engine import Image, Mask, Material, Mesh, Run, Setting, Slider, node
from nodes.image._pixels import Float32, check_finite, fitted_mask
from nodes.io._factors import times_factor
from nodes.mesh._checks import need_uv
from nodes.texture._mixing import by_height, laid_out, mixed
from nodes.texture._scaling import Content, held

Repeat = Annotated[int, Slider(1, 64, help="How often the upper one repeats across the lower.")]
Softness = Annotated[float, Slider(0, 1, help="With heights: how gently one passes into the other.")]
PLAIN = {"normal": (0.5, 0.5, 1.0), "height": (0.5, 0.5, 0.5)}
KINDS: dict[str, Content] = {"base_colour": "colour", "emissive": "colour", "normal": "normal"}


@node("texture.blend", title="Blend textures", group="Paint", version=2)
def blend(
    run: Run,
    below: Image,
    above: Image,
    mask: Mask | None = None,
    height_below: Image | None = None,
    height_above: Image | None = None,
    content: Annotated[Content, Setting(help="Colours meet as light, normals stay of unit length.")] = "colour",
    amount: Annotated[float, Slider(0, 1, help="Of the upper one, where the mask is full.")] = 1.0,
    repeat: Repeat = 1,
    softness: Softness = 0.1,
) -> Image:
    """Mix two maps by a mask. The result has the size of the lower one.

    With heights linked the higher one comes out on top where both meet, as sand lies between stones.
    """
    run.progress(0.0, "blending")
    for image in (below, above, height_below, height_above):
        if image is not None:
            check_finite(image.pixels)
    share = _share(mask, below.size, amount)
    if height_below is not None or height_above is not None:
        low, high = _level(height_below, below.size, 1), _level(height_above, below.size, repeat)
        share = by_height(share, low, high, softness)
    pixels = mixed(below.pixels, laid_out(above, below.size, repeat, content), share, held(below, content))
    return Image(np.ascontiguousarray(pixels), below.space)


@node("texture.blend_materials", title="Blend materials", group="Material", version=2)
def blend_materials(
    run: Run,
    mesh: Mesh,
    other: Mesh,
    mask: Mask | None = None,
    amount: Annotated[float, Slider(0, 1, help="Of the other material, where the mask is full.")] = 1.0,
    repeat: Repeat = 1,
    softness: Softness = 0.1,
    heights: Annotated[bool, Setting(help="Where both have a height map, the higher one comes out on top.")] = True,
) -> Mesh:
    """Mix the material of another mesh into that of this one, map by map, by a mask over this one's texture.

    The other's maps lie on this mesh's UVs; tiling materials may repeat. Factors are multiplied in. Masks come from
    Noise, Edge wear and dirt, or any picture.
    """
    run.progress(0.0, "checking")
    need_uv(mesh)
    lower, upper = mesh.material or Material(), other.material or Material()
    if lower.layers != upper.layers:
        what = ", ".join(sorted({name.partition(".")[0] for name, _ in (*lower.layers, *upper.layers)}))
        run.warn(f"Maps alone are mixed; of {what} the mesh keeps what it had everywhere.")
    names = [
        n for n in Material.MAPS if getattr(lower, n) or getattr(upper, n) or _factor(lower, n) != _factor(upper, n)
    ]
    if not names:
        return mesh
    size = _size(lower, upper, mask, repeat)
    share = _share(mask, size, amount)
    if heights and lower.height is not None and upper.height is not None:
        share = by_height(share, _level(lower.height, size, 1), _level(upper.height, size, repeat), softness)
    changes: dict[str, Any] = {}
    for number, name in enumerate(names):
        run.progress(0.1 + 0.8 * number / len(names), name.replace("_", " "))
        kind = KINDS.get(name, "data")
        pixels = mixed(_map(lower, name, size, 1), _map(upper, name, size, repeat), share, kind)
        changes[name] = Image(np.ascontiguousarray(pixels), "srgb" if kind == "colour" else "data")
    return replace(mesh, material=_neutral(lower, upper, changes))


def _neutral(lower: Material, upper: Material, maps: dict[str, Image]) -> Material:
    """Factors of maps that were mixed are in the maps now."""
    changes: dict[str, Any] = dict(maps)
    one = {"base_colour": ("base_factor", (1.0,) * 4), "metallic": ("metallic_factor", 1.0),
           "roughness": ("roughness_factor", 1.0), "emissive": ("emissive_factor", (1.0,) * 3)}  # fmt: skip
    changes |= dict(one[name] for name in maps if name in one)
    modes = {lower.alpha_mode, upper.alpha_mode}
    changes["alpha_mode"] = "blend" if "blend" in modes else "mask" if "mask" in modes else "opaque"
    return replace(lower, double_sided=lower.double_sided or upper.double_sided, **changes)


def _factor(material: Material, name: str) -> Any:
    factors = {"base_colour": material.base_factor, "metallic": material.metallic_factor,
               "roughness": material.roughness_factor, "emissive": material.emissive_factor}  # fmt: skip
    return factors.get(name)


def _map(material: Material, name: str, size: tuple[int, int], repeat: int) -> Float32:
    image: Image | None = getattr(material, name)
    if image is None:
        pixels = np.ones((size[1], size[0], 4), np.float32)
        pixels[..., :3] = PLAIN.get(name, (1.0, 1.0, 1.0))
    else:
        check_finite(image.pixels)
        pixels = laid_out(image, size, repeat, KINDS.get(name, "data"))
    return np.asarray(np.clip(times_factor(pixels, name, material), 0, 1), np.float32)


def _size(lower: Material, upper: Material, mask: Mask | None, repeat: int) -> tuple[int, int]:
    """The largest map of either; the upper one counts with its repeats, up to 4096 pixels."""
    sizes = [getattr(lower, n).size for n in Material.MAPS if getattr(lower, n)]
    tiles = [getattr(upper, n).size for n in Material.MAPS if getattr(upper, n)]
    sizes += [(min(w * repeat, max(4096, w)), min(h * repeat, max(4096, h))) for w, h in tiles]
    if mask is not None:
        sizes.append(mask.size)
    return (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else (4, 4)


def _share(mask: Mask | None, size: tuple[int, int], amount: float) -> Float32:
    if mask is None:
        return np.full(size[::-1], amount, np.float32)
    check_finite(mask.values, "The mask")
    return np.asarray(np.clip(fitted_mask(mask, size), 0, 1) * np.float32(amount), np.float32)


def _level(image: Image | None, size: tuple[int, int], repeat: int) -> Float32:
    if image is None:
        return np.full(size[::-1], 0.5, np.float32)
    return np.ascontiguousarray(laid_out(image, size, repeat, "data")[..., 0])

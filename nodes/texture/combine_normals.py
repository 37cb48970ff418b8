"""Fine relief on top of broad relief."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Mask, Run, Setting, Slider, node
from nodes.image._pixels import Float32, check_finite, fitted_mask
from nodes.texture._scaling import fitted, unit, vectors

Method = Literal["reoriented", "whiteout", "UDN", "slopes"]


@node("texture.combine_normals", title="Combine normals", group="Normal and height")
def combine_normals(
    run: Run,
    base: Image,
    detail: Image,
    mask: Mask | None = None,
    method: Annotated[
        Method,
        Setting(
            help="reoriented: the detail is turned onto the base, keeps both. whiteout: nearly so, softer. UDN: "
            "flattens the detail on slopes. slopes: as if the two height maps were added."
        ),
    ] = "reoriented",
    strength: Annotated[float, Slider(0, 4, help="Of the detail: 0 none, 1 as it is.")] = 1.0,
    repeat: Annotated[int, Slider(1, 64, help="How often the detail repeats across the base.")] = 1,
) -> Image:
    """Lay a detail normal map over another one; both OpenGL, tangent space. The result has the size of the base.

    A mask limits where the detail shows.
    """  # fmt: skip
    run.progress(0.0, "combining")
    check_finite(base.pixels, "The base")
    check_finite(detail.pixels, "The detail")
    below, above = vectors(base), _repeated(detail, base.size, repeat)
    amount = np.full(base.size[::-1], strength, np.float32)
    if mask is not None:
        amount *= fitted_mask(mask, base.size)
    amount *= np.clip(_alpha(detail, base.size, repeat), 0, 1)
    above = unit(np.concatenate([above[..., :2] * amount[..., None], above[..., 2:]], axis=2))
    normal = combined(below, above, method)
    return Image.of(np.dstack([normal * 0.5 + 0.5, base.alpha]), "data")


def combined(base: Float32, detail: Float32, method: Method) -> Float32:
    """(H, W, 3) unit normals of a detail on a base (Barré-Brisebois and Hill, Blending in Detail, 2012).

    Reoriented: the rotation that takes +Z to the base, applied to the detail.
    """
    if method == "reoriented":
        turned = base + np.array((0, 0, 1), np.float32)
        mirrored = detail * np.array((-1, -1, 1), np.float32)
        share = np.einsum("...c,...c->...", turned, mirrored)[..., None] / np.maximum(turned[..., 2:], 1e-6)
        return unit(turned * share - mirrored)
    rise = base[..., 2:] * detail[..., 2:]
    flat = base[..., :2] + detail[..., :2]
    if method == "slopes":
        flat = base[..., :2] * detail[..., 2:] + detail[..., :2] * base[..., 2:]
    return unit(np.concatenate([flat, base[..., 2:] if method == "UDN" else rise], axis=-1))


def _tile_size(size: tuple[int, int], repeat: int) -> tuple[int, int]:
    return max(1, -(-size[0] // repeat)), max(1, -(-size[1] // repeat))


def _repeated(detail: Image, size: tuple[int, int], repeat: int) -> Float32:
    tile = vectors(detail, _tile_size(size, repeat))
    return np.tile(tile, (repeat, repeat, 1))[: size[1], : size[0]]


def _alpha(detail: Image, size: tuple[int, int], repeat: int) -> Float32:
    tile = fitted(detail, _tile_size(size, repeat), "data")[..., 3]
    return np.tile(tile, (repeat, repeat))[: size[1], : size[0]]

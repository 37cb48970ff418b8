"""Where a thing is worn and where dirt settles."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh, Run, Seed, Slider, node
from nodes.mesh._topology import diagonal

Array = NDArray[Any]
MARGIN = 16
EDGE = 0.5  # share of rays that meet the other side of a square edge, right at it
SOFT = 0.18
Wide = Slider(0.1, 20, log=True, unit="% of size")


class Wear(NamedTuple):
    """Over the texture, 0..1: ``edges`` bare outer edges, ``dirt`` in hollows, ``dust`` on what faces up."""

    edges: Mask
    dirt: Mask
    dust: Mask


@node("texture.wear", title="Edge wear and dirt")
def wear(
    run: Run,
    mesh: Mesh,
    edge_width: Annotated[float, Wide] = 1.5,
    edge_amount: Annotated[float, Slider(0, 1, help="0: none. 1: all along the edges.")] = 0.5,
    dirt_width: Annotated[float, Wide] = 5.0,
    dirt_amount: Annotated[float, Slider(0, 1, help="0: none. 1: every hollow and corner.")] = 0.5,
    dust_amount: Annotated[float, Slider(0, 1, help="0: none. 1: on all that faces up and lies open.")] = 0.5,
    breakup: Annotated[float, Slider(0, 1, help="How ragged and patchy the masks are.")] = 0.6,
    patches: Annotated[float, Slider(1, 200, log=True, help="Patches of the breakup across the mesh.")] = 24.0,
    rays: Annotated[int, Slider(4, 256, log=True, help="Per texel and mask: more are smoother.", advanced=True)] = 16,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square masks.")] = 1024,
    seed: Annotated[int, Seed()] = 0,
) -> Wear:
    """Masks of worn edges, dirty hollows and dusty tops, from the shape of a mesh, to blend materials with.

    Rays from each texel measure how near the outer edges and the hollows are; noise in space, which no chart border
    cuts, makes them ragged. The mesh needs UVs.
    """
    from nodes.texture._near import scene_of
    from nodes.texture._texels import bands, ready

    run.progress(0.0, "checking")
    mesh = ready(run, mesh)
    shape = _Shape(scene_of(mesh), diagonal(mesh), edge_width / 100, dirt_width / 100, rays, patches, seed)
    masks, filled = np.zeros((3, size, size), np.float32), np.zeros((size, size), np.bool_)
    for done, texels in bands(mesh, size):
        near, hollow, noise = shape.look(texels)
        ragged = breakup * noise
        up = np.clip(texels.normals[:, 1], 0, 1)
        found = (
            _cut(near / EDGE + ragged, edge_amount) * np.minimum(near / (0.1 * EDGE), 1),
            _cut(hollow / EDGE - ragged, dirt_amount) * np.minimum(hollow / (0.1 * EDGE), 1),
            _cut(up * (1 - hollow) + 0.5 * ragged, dust_amount) * np.minimum(up / 0.1, 1),
        )
        for mask, values in zip(masks, found, strict=True):
            mask.reshape(-1)[texels.place] = values
        filled.reshape(-1)[texels.place] = True
        run.progress(0.02 + 0.9 * done, "tracing")
    return Wear(*_masks(masks, filled))


def _masks(masks: Array, filled: Array) -> list[Mask]:
    from nodes.texture._margin import Margin

    edge = Margin(filled, MARGIN)
    return [Mask(np.ascontiguousarray(edge.fill(mask[..., None])[..., 0])) for mask in masks]


def _cut(values: Array, amount: float) -> Array:
    """0..1: 0 below a threshold that falls as ``amount`` grows, with a soft edge; nothing at 0."""
    if amount <= 0:
        return np.zeros_like(values)
    level = np.clip((values - (1 - amount)) / SOFT + 0.5, 0, 1)
    return np.asarray(level * level * (3 - 2 * level) * min(1.0, 4 * amount), np.float32)


class _Shape:
    """What rays and noise say of texels. Widths are shares of the mesh's diagonal ``extent``."""

    def __init__(
        self, scene: Any, extent: float, edge: float, dirt: float, rays: int, patches: float, seed: int
    ) -> None:
        self.scene, self.extent, self.edge, self.dirt, self.rays = scene, extent, edge, dirt, rays
        self.patches, self.seed = patches, seed & 0x7FFFFFFF

    def look(self, texels: Any) -> tuple[Array, Array, Array]:
        """(K,) each: nearness to an outer edge and to a hollow, 0..1, and noise about -0.5..0.5."""
        from nodes.texture._near import closed_in
        from nodes.texture._noise import solid

        lift, first = self.extent * 1e-4, int(texels.place[0]) if len(texels.place) else 0
        near = closed_in(self.scene, texels.points, -texels.normals, self.rays, lift, self.edge * self.extent, first)
        hollow = closed_in(
            self.scene, texels.points, texels.normals, self.rays, lift, self.dirt * self.extent, first + 1
        )
        noise = np.empty(len(texels.points))
        solid(texels.points * (self.patches / self.extent), 5, 0.6, self.seed, noise)
        return near, hollow, (0.9 * noise).astype(np.float32)

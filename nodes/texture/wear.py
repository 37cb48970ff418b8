"""Where a thing is worn and where dirt settles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh, Run, Seed, Slider, node
from nodes.mesh._topology import diagonal

if TYPE_CHECKING:
    from nodes.texture._texels import Texels

Array = NDArray[Any]
MARGIN = 16
TEXELS_AT_ONCE = 1 << 14
EDGE = 0.5  # share of rays that meet the other side of a square edge, right at it
SOFT = 0.18
Wide = Slider(0.1, 20, log=True, unit="% of size")


class Wear(NamedTuple):
    """Over the texture, 0..1: ``edges`` bare outer edges, ``dirt`` in hollows, ``dust`` on what faces up."""

    edges: Mask
    dirt: Mask
    dust: Mask


@node("texture.wear", title="Edge wear and dirt", group="Paint", version=3)
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
    from nodes.texture._texels import bands, ready

    run.progress(0.0, "checking")
    mesh = ready(run, mesh)
    shape = _Shape(run, mesh, edge_width / 100, dirt_width / 100, rays, patches, seed)
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
    """What rays and noise say of texels. Widths are shares of the mesh's diagonal."""

    def __init__(self, run: Run, mesh: Mesh, edge: float, dirt: float, rays: int, patches: float, seed: int) -> None:
        from nodes.mesh._bvh import build
        from nodes.mesh._wide import widen
        from nodes.texture._sky import Sky
        from nodes.texture._view import flat_normals

        self.run, extent = run, diagonal(mesh)
        self.sky = Sky(widen(build(mesh.vertices, mesh.faces)), rays, 1e-4 * extent, 0.0, 0.0, 0.0)
        self.flat, self.edge, self.dirt = flat_normals(mesh), edge * extent, dirt * extent
        self.scale, self.seed = patches / extent, seed & 0x7FFFFFFF

    def look(self, texels: Texels) -> tuple[Array, Array, Array]:
        """(K,) each: nearness to an outer edge and to a hollow, 0..1, and noise about -0.5..0.5."""
        from nodes.texture._noise import solid

        near = self._closed(texels, -1.0, self.edge)
        hollow = self._closed(texels, 1.0, self.dirt)
        noise = np.empty(len(texels.points))
        solid(texels.points * self.scale, 5, 0.6, self.seed, noise)
        return near, hollow, (0.9 * noise).astype(np.float32)

    def _closed(self, texels: Texels, side: float, reach: float) -> Array:
        """(K,) share of rays that meet the surface within ``reach`` metres. Outward (1) this is how deep a point lies
        in a hollow; inward (-1), from below the surface, how near it is to an outer edge."""
        from nodes.texture._sky import openness

        def part(at: slice) -> Array:
            self.run.check()
            flat = side * self.flat[texels.face[at]]
            return openness(self.sky, texels.points[at], side * texels.normals[at], flat, texels.place[at], reach)[0]

        count = len(texels.face)
        with ThreadPoolExecutor() as threads:
            shares = list(threads.map(part, (slice(k, k + TEXELS_AT_ONCE) for k in range(0, count, TEXELS_AT_ONCE))))
        return (1 - np.concatenate(shares)).astype(np.float32) if shares else np.zeros(0, np.float32)

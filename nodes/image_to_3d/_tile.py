"""The picture as the texture of the front half, continued past the outline and calmed where it would smear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import Image
from nodes.image_to_3d._height import HeightField
from nodes.image_to_3d._silhouette import Floats, Silhouette

Colours = NDArray[np.float32]
GUTTER = 8
EDGE_ON = 0.15  # facing below which a texel is drawn out seven times and more
SPILL_REACH = 0.015  # of the longer side: how deep background colour may have leaked in

SMEAR_REACH = 0.012  # of the longer side: widest blur along the outline


@dataclass(frozen=True)
class Tile:
    """A (H, W, 3) sRGB crop with every texel filled. Texel = (picture position - corner) * scale."""

    colours: Colours
    corner: Floats
    scale: Floats

    def places(self, points: Floats) -> Floats:
        """(N, 2) texel positions (x right, y down) of picture positions."""
        return (points - self.corner) * self.scale

    def uv(self, points: Floats, back: bool) -> Floats:
        """(N, 2) in an atlas of this tile with its flipped twin on the right; neither half is mirrored there."""
        height, width = self.colours.shape[:2]
        at = self.places(points)
        across = at[:, 0] / (2 * width)
        return np.stack([1 - across if back else across, 1 - at[:, 1] / height], axis=1)


@dataclass(frozen=True)
class Edge:
    """Which colours beside the outline to trust.

    ``level``: opacity of the outline. ``inset``: picture pixels not to trust. ``clean``: look for leaked background.
    """

    level: float
    inset: float
    clean: bool


def front_tile(image: Image, alpha: Colours, shape: Silhouette, field: HeightField, edge: Edge, limit: int) -> Tile:
    """The picture around the object; texels outside or close to the outline repeat the nearest inner one.

    Close is ``edge.inset`` picture pixels, and where the surface is all but edge-on to the viewer, since a texel there
    would be drawn out over a broad band.
    """
    import cv2

    corner = np.floor(shape.lower) - 2
    size = np.ceil(shape.upper).astype(int) + 2 - corner.astype(int)
    shrink = min(1.0, (limit - 2 * GUTTER) / float(size.max()))
    texels = np.maximum(np.round(size * shrink).astype(int), 1)
    scale = texels / size
    rgb, cover = (_crop(layer, corner.astype(int), size) for layer in (image.rgb, alpha))
    if shrink < 1:
        weighted = cv2.resize(rgb * cover[..., None], tuple(texels.tolist()), interpolation=cv2.INTER_AREA)
        cover = cv2.resize(cover, tuple(texels.tolist()), interpolation=cv2.INTER_AREA)
        rgb = weighted / np.maximum(cover[..., None], 1e-3)
    rgb = np.pad(np.clip(rgb, 0, 1), ((GUTTER, GUTTER), (GUTTER, GUTTER), (0, 0)), mode="edge")
    tile = Tile(rgb, corner - GUTTER / scale, scale)
    steep = 1 - np.sqrt(1 - EDGE_ON**2)
    close = edge.inset * float(scale[0]) + steep * float(scale[0]) * _on_texels(tile, field, field.radius)
    inside = np.pad(cover >= edge.level, GUTTER)
    core = _core(inside, close)
    if edge.clean:
        core &= ~_spill(rgb, inside, max(4.0, SPILL_REACH * float(texels.max())))
    return Tile(_continued(rgb, core), tile.corner, scale)


def _crop(layer: Colours, corner: NDArray[np.int64], size: NDArray[np.int64]) -> Colours:
    """``size`` texels from ``corner`` on; outside the picture its edge is repeated for colours, zero for coverage."""
    height, width = layer.shape[:2]
    rows, columns = corner[1] + np.arange(size[1]), corner[0] + np.arange(size[0])
    crop = layer[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    if layer.ndim == 2:
        known = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        crop = np.where(known, crop, 0)
    return np.ascontiguousarray(crop, np.float32)


def _core(inside: NDArray[np.bool_], close: Colours | float) -> NDArray[np.bool_]:
    """Texels deeper than ``close``, and the middle lines of parts that are nowhere that deep."""
    import cv2

    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    ridge = inside & (depth >= cv2.dilate(depth, np.ones((5, 5), np.uint8)))
    return np.asarray((depth > close) | ridge)


def _continued(rgb: Colours, known: NDArray[np.bool_]) -> Colours:
    """Every other texel takes the colour of the nearest known one."""
    import cv2

    labels = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[
        1
    ]
    source = np.zeros(labels.max() + 1, np.int64)
    source[labels[known]] = np.flatnonzero(known)
    return np.ascontiguousarray(rgb.reshape(-1, 3)[source[labels]])


def _spill(rgb: Colours, inside: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    """Texels within ``reach`` of the outline that look more like the background beside them than like the object.

    Both colours are read from the picture itself, a little away from the outline; where they are alike nothing is said.
    """
    import cv2

    within = _core(inside, reach)
    outside = cv2.erode((~inside).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if not outside.any():
        return np.zeros(inside.shape, bool)
    back = cv2.blur(_continued(rgb, outside), (5, 5))
    across = cv2.blur(_continued(rgb, within), (5, 5)) - back
    contrast = (across**2).sum(axis=2)
    share = ((rgb - back) * across).sum(axis=2) / np.maximum(contrast, 1e-6)
    return np.asarray(inside & ~within & (contrast > 0.03) & (share < 0.75))


def _on_texels(tile: Tile, field: HeightField, values: Floats) -> Colours:
    """(H, W): a grid of ``field`` read at every texel."""
    import cv2

    height, width = tile.colours.shape[:2]
    x, y = (
        ((np.arange(n) + 0.5) / tile.scale[k] + tile.corner[k] - field.corner[k]) / field.cell
        for k, n in enumerate((width, height))
    )
    columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(values.astype(np.float32), columns, rows, cv2.INTER_LINEAR))


def _facing(tile: Tile, field: HeightField) -> tuple[Colours, Colours]:
    """((H, W) how much the surface faces the viewer, 0..1; (H, W, 2) unit direction along the outline)."""
    square = np.maximum(_on_texels(tile, field, field.square), 0)
    down, right = (_on_texels(tile, field, slope) for slope in reversed(field.slopes_on_grid))
    steep = np.hypot(right, down)
    facing = 2 * np.sqrt(square) / np.maximum(np.sqrt(4 * square + steep**2), 1e-6)
    along = np.stack([-down, right], axis=-1) / np.maximum(steep, 1e-6)[..., None]
    return np.asarray(facing), np.asarray(along, np.float32)


def settle_rim(tile: Tile, field: HeightField) -> tuple[Tile, Colours]:
    """Blur along the outline where the surface turns away, so that stretched texels do not read as streaks.

    Returns the new tile and the (H, W) share by which the surface faces the viewer.
    """
    import cv2

    facing, along = _facing(tile, field)
    reach = max(4.0, SMEAR_REACH * max(facing.shape))
    sigma = np.clip(0.4 * (1 / np.maximum(facing, 0.02) - 1), 0, reach).astype(np.float32)
    height, width = facing.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total, weights = np.zeros_like(tile.colours), 0.0
    for tap in np.linspace(-2, 2, 13):
        weight = float(np.exp(-0.5 * tap * tap))
        shift = along * (sigma * np.float32(tap))[..., None]
        total += weight * cv2.remap(
            tile.colours, x + shift[..., 0], y + shift[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        weights += weight
    return Tile(total / np.float32(weights), tile.corner, tile.scale), facing

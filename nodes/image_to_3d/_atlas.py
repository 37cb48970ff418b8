"""The picture as a texture: the front half as seen, beside it a plausible back, both continued past the outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Image
from nodes.image_to_3d._height import HeightField
from nodes.image_to_3d._silhouette import Floats, Silhouette
from nodes.texture._blur import blur

Back = Literal["soft", "mirror", "plain"]
Colours = NDArray[np.float32]
GUTTER = 8
EDGE_ON = 0.25  # facing below which a texel is drawn out four times and more


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


def front_tile(
    image: Image, alpha: Colours, shape: Silhouette, field: HeightField, level: float, inset: float, limit: int
) -> Tile:
    """The picture around the object; texels outside or close to the outline repeat the nearest inner one.

    Close is ``inset`` picture pixels, and where the surface is all but edge-on to the viewer, since a texel there would
    be drawn out over a broad band.
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
    close = inset * float(scale[0]) + steep * float(scale[0]) * _on_texels(tile, field, field.radius)
    return Tile(_filled(rgb, np.pad(cover >= level, GUTTER), close), tile.corner, scale)


def _crop(layer: Colours, corner: NDArray[np.int64], size: NDArray[np.int64]) -> Colours:
    """``size`` texels from ``corner`` on; outside the picture its edge is repeated for colours, zero for coverage."""
    height, width = layer.shape[:2]
    rows, columns = corner[1] + np.arange(size[1]), corner[0] + np.arange(size[0])
    crop = layer[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    if layer.ndim == 2:
        known = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        crop = np.where(known, crop, 0)
    return np.ascontiguousarray(crop, np.float32)


def _filled(rgb: Colours, inside: NDArray[np.bool_], close: Colours) -> Colours:
    import cv2

    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    ridge = inside & (depth >= cv2.dilate(depth, np.ones((5, 5), np.uint8)))
    core = (depth > close) | ridge
    labels = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    source = np.zeros(labels.max() + 1, np.int64)
    source[labels[core]] = np.flatnonzero(core)
    return np.ascontiguousarray(rgb.reshape(-1, 3)[source[labels]])


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
    down, right = (_on_texels(tile, field, slope) for slope in np.gradient(field.square, field.cell))
    steep = np.hypot(right, down)
    facing = 2 * np.sqrt(square) / np.maximum(np.sqrt(4 * square + steep**2), 1e-6)
    along = np.stack([-down, right], axis=-1) / np.maximum(steep, 1e-6)[..., None]
    return facing, along


def settle_rim(tile: Tile, field: HeightField, reach: float = 5.0) -> tuple[Tile, Colours]:
    """Blur along the outline where the surface turns away, so that stretched texels do not read as streaks.

    Returns the new tile and the (H, W) share by which the surface faces the viewer.
    """
    import cv2

    facing, along = _facing(tile, field)
    sigma = np.clip(0.4 * (1 / np.maximum(facing, 0.02) - 1), 0, reach).astype(np.float32)
    height, width = facing.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total, weights = np.zeros_like(tile.colours), 0.0
    for tap in np.linspace(-2, 2, 9):
        weight = float(np.exp(-0.5 * tap * tap))
        shift = along * (sigma * np.float32(tap))[..., None]
        total += weight * cv2.remap(
            tile.colours, x + shift[..., 0], y + shift[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        weights += weight
    return Tile(total / np.float32(weights), tile.corner, tile.scale), facing


def atlas(tile: Tile, facing: Colours, back: Back) -> Image:
    """Front tile and flipped back tile side by side; they agree along the outline."""
    rear = tile.colours
    if back != "mirror":
        turned = np.clip((facing - 0.2) / 0.5, 0, 1)
        turned = (turned * turned * (3 - 2 * turned))[..., None]
        rear = rear + turned * (_calm(rear, back) - rear)
    return Image.of(np.concatenate([tile.colours, rear[:, ::-1]], axis=1))


def _calm(colours: Colours, back: Back) -> Colours:
    """Without small features: eyes and lettering go, broad areas of colour stay."""
    import cv2

    height, width = colours.shape[:2]
    if back == "plain":
        return blur(colours, 0.12 * max(height, width))
    shrink = 256 / max(height, width)
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    for width_ in (9, 15, 21):
        small = cv2.medianBlur((np.clip(small, 0, 1) * 255).astype(np.uint8), width_).astype(np.float32) / 255
    small = cv2.GaussianBlur(small, (0, 0), 1.5)
    return np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)

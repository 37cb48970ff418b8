"""A texture in the making: what pictures show of each texel, over what was there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mesh, Run, Views
from nodes.image._pixels import to_srgb
from nodes.mesh._render import subject
from nodes.texture._margin import Margin
from nodes.texture._spread import spread
from nodes.texture._texels import Texels, bands, surface_colour
from nodes.texture._view import View, flat_normals, views_of

Array = NDArray[Any]
SURE = 0.3
LEAST = 0.05
MARGIN = 16


class Sheet:
    """``old`` (S, S, 4), ``new`` (S, S, 3) linear; ``share`` (S, S) how much is new; ``filled`` (S, S) on a chart.

    ``limit``: cosine at which surfaces are too slanted. ``sharpness``: the power with which the straightest view wins.
    """

    def __init__(self, mesh: Mesh, size: int, limit: float, sharpness: float) -> None:
        self.mesh, self.limit, self.sharpness = mesh, limit, sharpness
        self.both = bool(mesh.material and mesh.material.double_sided)
        self.ready, self.flat = subject(mesh, bumps=False), flat_normals(mesh)
        self.old = np.zeros((size, size, 4), np.float32)
        self.new = np.zeros((size, size, 3), np.float32)
        self.share = np.zeros((size, size), np.float32)
        self.filled = np.zeros((size, size), np.bool_)
        self.views: list[View] = []

    def prepare(self, run: Run, views: Views, pictures: tuple[Image, ...], border: float) -> None:
        for view in views_of(self.ready, views, pictures, border, len(self.new)):
            self.views.append(view)
            run.progress(0.3 * len(self.views) / len(pictures), "drawing what each camera sees")

    def paint(self, texels: Texels) -> None:
        """Where views overlap the straighter one counts more; slanted places fade to what was there."""
        total, weight = np.zeros((len(texels.face), 3), np.float32), np.zeros(len(texels.face), np.float32)
        share = np.zeros(len(texels.face), np.float32)
        for view in self.views:
            seen = view.look(texels, self.flat, self.limit, self.both)
            counts = np.maximum(seen.fit, LEAST) ** self.sharpness * seen.clear
            total += counts[:, None] * seen.colour
            weight += counts
            np.maximum(share, np.minimum(seen.fit / SURE, 1) * seen.clear, out=share)
        self.new.reshape(-1, 3)[texels.place] = total / np.maximum(weight, 1e-30)[:, None]
        self.old.reshape(-1, 4)[texels.place] = surface_colour(texels, self.ready.texture, self.ready.colours)
        self.share.reshape(-1)[texels.place] = share * (weight > 0)
        self.filled.reshape(-1)[texels.place] = True

    def spread_out(self) -> None:
        """What the pictures do not reach takes colours of the nearest places that they do."""
        parts = [(texels.place, texels.points) for _, texels in bands(self.mesh, len(self.new))]
        place, points = (np.concatenate(part) for part in zip(*parts, strict=True))
        share = self.share.reshape(-1)[place]
        known, rest = share >= 0.9 * share.max(), share < 1
        colours = self.new.reshape(-1, 3)[place[known]]
        self.old.reshape(-1, 4)[place[rest], :3] = spread(points[known], colours, points[rest])

    def picture(self) -> Image:
        colour = self.old.copy()
        colour[..., :3] += self.share[..., None] * (self.new - colour[..., :3])
        full = Margin(self.filled, MARGIN).fill(colour)
        return Image.of(np.concatenate([to_srgb(full[..., :3]), full[..., 3:]], axis=-1))

"""Pictures of a field: cameras around the object, rays through the cube, colours gathered along them.

After Mildenhall et al. 2020, with TripoSR's constants: evenly spaced samples between where a ray enters and leaves the
cube, and a step of 1 / samples whatever the ray's length. Field axes: x to the camera of view 0, y to its right, z up.
Imported inside functions only, because it needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch  # noqa: TID253

DISTANCE, FIELD_OF_VIEW = 1.9, 40.0
TIGHT = 1 - 1e-3
SHORTEST = 0.01
TINY = 1e-6

Shade = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Cameras:
    """``poses``: (V, 4, 4) float32 camera to field space; a camera looks along -Z with +Y up.

    ``focal``: pixels; square pictures of ``size`` pixels, the axis through their middle.
    """

    poses: torch.Tensor
    focal: float
    size: int

    def rays(self, view: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(S, S, 3) origins and unit directions through the pixel centres, row 0 on top."""
        line = (torch.arange(self.size, dtype=torch.float32) + 0.5 - self.size / 2) / self.focal
        down, across = torch.meshgrid(line, line, indexing="ij")
        towards = torch.stack([across, -down, -torch.ones_like(down)], dim=-1)
        turned = towards @ self.poses[view, :3, :3].T
        directions = turned / turned.norm(dim=-1, keepdim=True)
        return self.poses[view, :3, 3].expand_as(directions), directions


def cameras(count: int, size: int, elevation: float = 0.0) -> Cameras:
    """``count`` cameras evenly around the object, the first in front. ``elevation``: degrees above the horizon."""
    turn = torch.arange(count, dtype=torch.float32) * (2 * math.pi / max(count, 1))
    rise = torch.full_like(turn, math.radians(elevation))
    back = torch.stack([rise.cos() * turn.cos(), rise.cos() * turn.sin(), rise.sin()], dim=1)
    right = torch.stack([-turn.sin(), turn.cos(), torch.zeros_like(turn)], dim=1)
    up = torch.linalg.cross(back, right)
    poses = torch.eye(4).repeat(count, 1, 1)
    poses[:, :3] = torch.stack([right, up, back, back * DISTANCE], dim=2)
    return Cameras(poses, 0.5 * size / math.tan(math.radians(FIELD_OF_VIEW) / 2), size)


def span(origins: torch.Tensor, directions: torch.Tensor, radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(N,) distances at which (N, 3) rays enter and leave the cube, pulled in by a thousandth."""
    along = torch.where(directions.abs() < TINY, TINY, directions)
    sides = torch.stack([(TIGHT * radius - origins) / along, (-TIGHT * radius - origins) / along])
    enter = sides.amin(dim=0).amax(dim=-1).clamp_min(0)
    return enter, sides.amax(dim=0).amin(dim=-1)


def gather(
    shade: Shade, origins: torch.Tensor, directions: torch.Tensor, radius: float, samples: int, chunk: int,
    told: Callable[[float], None] = lambda _: None,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """(N, 3) colours times opacity and (N,) opacities of (N, 3) rays.

    ``shade``: (P, 3) points to (P,) densities and (P, 3) colours, of at most ``chunk`` points at once.
    """
    colours, opacity = torch.zeros_like(directions), torch.zeros(len(directions))
    enter, leave = span(origins, directions, radius)
    hits = (leave - enter > SHORTEST).nonzero()[:, 0]
    middles = (torch.arange(samples) + 0.5) / samples
    step = max(1, chunk // samples)
    for first in range(0, len(hits), step):
        told(first / len(hits))
        ray = hits[first : first + step]
        at = enter[ray, None] * (1 - middles) + leave[ray, None] * middles
        points = origins[ray, None] + at[..., None] * directions[ray, None]
        density, colour = shade(points.reshape(-1, 3))
        alpha = 1 - (-density.view(at.shape) / samples).exp()
        clear = (1 - alpha + 1e-10).cumprod(dim=1)
        weight = alpha * torch.cat([torch.ones_like(clear[:, :1]), clear[:, :-1]], dim=1)
        colours[ray] = (weight[..., None] * colour.view(*at.shape, 3)).sum(dim=1)
        opacity[ray] = weight.sum(dim=1)
    return colours, opacity

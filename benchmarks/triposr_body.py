"""A body held by TripoSR's own planes and point decoder, at their published sizes, fitted in a few seconds.

The networks that make the planes from a picture are small here and not used: what is measured is asking the field.
"""

from __future__ import annotations

import math

import torch

from nodes.image_to_3d._triposr.config import Config, Vit
from nodes.image_to_3d._triposr.network import TripoSR

SIZES = Config(vit=Vit(48, 1, 3, 96), channels=64, heads=4, head_width=16, blocks=1)
STEEP, FLOOR, TOP = 30.0, -6.0, 7.0


def distance(p: torch.Tensor) -> torch.Tensor:
    """(P,) how far inside (P, 3) points lie: a trunk, a head, two arms and four legs, 1.2 high."""

    def ball(centre: tuple[float, ...], size: float, stretch: tuple[float, ...] = (1, 1, 1)) -> torch.Tensor:
        return size - ((p - p.new_tensor(centre)) / p.new_tensor(stretch)).norm(dim=1)

    def limb(start: tuple[float, ...], end: tuple[float, ...], size: float) -> torch.Tensor:
        a, b = p.new_tensor(start), p.new_tensor(end)
        along = ((p - a) @ (b - a) / (b - a).dot(b - a)).clamp(0, 1)
        return size - (p - a - along[:, None] * (b - a)).norm(dim=1)

    parts = [ball((0, 0, 0), 0.28, (1.3, 0.8, 0.9)), ball((0.25, 0, 0.42), 0.17)]
    parts += [limb((0.1, s * 0.2, 0.1), (0.2, s * 0.6, 0.3), 0.035) for s in (-1, 1)]
    parts += [limb((x, s * 0.12, -0.1), (x * 1.3, s * 0.2, -0.6), 0.05) for x in (-0.2, 0.2) for s in (-1, 1)]
    return torch.stack(parts).amax(dim=0)


def raw_density(p: torch.Tensor) -> torch.Tensor:
    """The raw value a decoder would give: even outside and inside, steep across the surface, at density 25 there."""
    return (1 + math.log(25) + STEEP * distance(p)).clamp(FLOOR, TOP)


def fitted(steps: int = 200, device: str = "cpu") -> tuple[TripoSR, torch.Tensor]:
    """(network, planes) after ``steps`` of gradient descent on points near the surface and anywhere."""
    dice = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    network = TripoSR(SIZES).to(device)
    planes = torch.nn.Parameter(0.1 * torch.randn(3, 40, 64, 64, generator=dice).to(device))
    rates = [{"params": [planes], "lr": 0.05}, {"params": network.decoder.parameters(), "lr": 3e-3}]
    optimiser = torch.optim.Adam(rates)
    pool = (torch.rand(100_000, 3, generator=dice) * 2 - 1) * SIZES.radius
    close = pool[distance(pool).abs() < 0.08]
    for step in range(steps):
        pick = torch.randint(len(close), (2048,), generator=dice)
        points = torch.cat([close[pick], (torch.rand(1024, 3, generator=dice) * 2 - 1) * SIZES.radius])
        wrong = network.raw(planes, points.to(device))[:, 0] - raw_density(points).to(device)
        optimiser.zero_grad()
        wrong.square().mean().backward()
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] *= 0.99 if step > steps // 2 else 1
    return network.eval().requires_grad_(False), planes.detach()

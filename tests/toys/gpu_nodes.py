"""Toy node types that use a GPU: hold, run out of memory, break the device, compute for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.engine import Number, Run, node


@node("gpu.hold", title="Hold", devices=("cuda",))
def hold(run: Run, share: float = 0.1, name: str = "a") -> Number:
    """Keep a model of a share of the device's memory in the pool; gives how many models the pool has."""
    import torch

    def load() -> Any:
        count = int(torch.cuda.mem_get_info()[1] * share / 4)
        module = torch.nn.Module()
        module.register_buffer("weight", torch.zeros(count, device=run.device))
        return module

    with run.models.use(f"{name} {run.device}", load, torch.cuda.mem_get_info()[1] * share / 1e9, run.check):
        return Number(float(len(run.models.names())))


@node("gpu.hungry", title="Hungry", devices=("cuda",), cheaper={"share": 0.05})
def hungry(run: Run, a: Number | None = None, share: float = 0.6) -> Number:
    """Fill a share of the device's memory; gives that share."""
    import torch

    held = torch.ones(int(torch.cuda.mem_get_info()[1] * share / 4), device=run.device)
    return Number(round(float(held[-1]) * share, 3))


@node("gpu.breaks", title="Breaks", devices=("cuda",))
def breaks(run: Run) -> Number:
    """Read outside a tensor on the device, after which the process cannot use it any more."""
    import torch

    outside = torch.zeros(3, device=run.device)[torch.tensor([100], device=run.device)]
    return Number(float(outside.sum()))


@node("gpu.endless", title="Endless", devices=("cuda",))
def endless(run: Run, started: str = "") -> Number:
    """Multiply for ever and never look up."""
    import torch

    matrix = torch.eye(4096, device=run.device)
    while True:
        matrix = matrix @ matrix
        if not Path(started).exists():
            torch.cuda.synchronize()
            Path(started).write_text("")

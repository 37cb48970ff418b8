"""Where a model computes and how: chosen from the memory that is at hand, and said in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from app.engine.memory import available_bytes

if TYPE_CHECKING:
    from app.engine.run import Run

SPARE = 0.9
ROOMY_GB = 4.0


@dataclass(frozen=True)
class Placement:
    """``half``: 16-bit weights. ``offload``: parts wait in main memory and visit the device in turn.

    ``slicing``: attention in slices. ``tiling``: pictures decoded in tiles. ``words``: why, in one sentence.
    """

    device: str
    half: bool = False
    offload: bool = False
    slicing: bool = False
    tiling: bool = False
    words: str = ""

    @property
    def dtype(self) -> Any:
        """The torch dtype of the weights."""
        import torch

        return torch.float16 if self.half else torch.float32

    @property
    def key(self) -> str:
        """Short text for the name of a pooled model."""
        marks = [("half", self.half), ("offload", self.offload), ("slicing", self.slicing), ("tiling", self.tiling)]
        return " ".join([self.device, *(name for name, on in marks if on)])


def place(run: Run, full_gb: float, work_gb: float = 1.0, half: bool = True) -> Placement:
    """Choose for a model of ``full_gb`` gigabytes in 32 bits that needs ``work_gb`` besides while it computes.

    ``half``: 16 bits may be used on a GPU; the CPU always computes in 32 bits. What idle models of the pool hold counts
    as free, because they make room.
    """
    device = run.device
    reduced = half and device != "cpu"
    weights = full_gb / 2 if reduced else full_gb
    free = free_gb(device)
    if free is None:
        return Placement(device, reduced, words=f"{device}, free memory not known.")
    room = (free + run.models.idle_gb(device)) * SPARE
    said = f"{device}, {'16' if reduced else '32'} bits: {weights + work_gb:.1f} GB needed, {room:.1f} GB at hand"
    if weights + work_gb + ROOMY_GB <= room:
        return Placement(device, reduced, words=f"{said}.")
    if weights + work_gb <= room:
        return Placement(device, reduced, slicing=True, tiling=True, words=f"{said}; pictures are decoded in tiles.")
    if device == "cpu":
        return Placement(device, slicing=True, tiling=True, words=f"{said}; it may be too little.")
    words = f"{said}; parts of the model wait in main memory, which is slower."
    return Placement(device, reduced, device == "cuda", True, True, words)


def free_gb(device: str) -> float | None:
    """Gigabytes that a new model can have on a device, or None where that is not known."""
    if device == "cpu":
        free = available_bytes()
        return None if free is None else free / 1e9
    import torch

    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        held = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return min(float(free + held), float(total)) / 1e9
    return float(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()) / 1e9


def total_gb(device: str) -> float | None:
    """Gigabytes of memory that a device has in all, or None where that is not known."""
    if device == "cpu":
        return float(psutil.virtual_memory().total) / 1e9
    import torch

    if device == "cuda":
        return float(torch.cuda.mem_get_info()[1]) / 1e9
    return float(torch.mps.recommended_max_memory()) / 1e9

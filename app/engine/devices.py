"""Which device the graph thread computes on."""

from __future__ import annotations

from app.engine.errors import BadParam

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(wanted: str) -> str:
    """``auto`` takes CUDA, then MPS, then the CPU. Imports torch only when the answer is not simply "cpu"."""
    if wanted not in DEVICES:
        raise BadParam(f"{wanted!r} is not a device.", "Choose one of: " + ", ".join(DEVICES) + ".")
    if wanted == "cpu":
        return "cpu"
    try:
        import torch
    except ImportError as error:
        if wanted == "auto":
            return "cpu"
        raise BadParam(f"{wanted} needs torch, which cannot be loaded: {error}.", "Install torch or use cpu.") from None
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[wanted]:
        raise BadParam(f"This machine has no {wanted} device.", "Use --device auto or --device cpu.")
    return wanted

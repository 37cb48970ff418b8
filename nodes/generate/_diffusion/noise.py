"""Random numbers of the diffusers library, drawn in 32 bits whatever precision they are used in.

PyTorch draws other numbers for 16 bits than for 32 from the same seed. With this, a seed gives the same picture, up to
rounding, in half precision on a GPU and in full precision on the CPU.
"""

from __future__ import annotations

from typing import Any


def draw_in_full_precision() -> None:
    """From now on, noise that diffusers draws with a generator is rounded after drawing. Asking again does nothing."""
    import torch
    from diffusers.utils import torch_utils

    if not isinstance(torch_utils.torch, _Torch):
        torch_utils.torch = _Torch(torch)


class _Torch:
    """The module torch as one module of diffusers sees it: everything as it is, but for ``randn``."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def randn(self, *size: Any, dtype: Any = None, **more: Any) -> Any:
        reduced = dtype in (self._torch.float16, self._torch.bfloat16)
        drawn = self._torch.randn(*size, dtype=self._torch.float32 if reduced else dtype, **more)
        return drawn.to(dtype) if reduced else drawn

"""Between pictures and latents, in the precision that the picture decoder needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Placement

Float32 = NDArray[np.float32]


class Codec:
    """Stands in a pipeline for its ``vae``, and never changes the shared network.

    The pipelines of SDXL convert the network they are given to 32 bits and back, which would leave a pooled one
    rounded; this one casts what goes in and out instead. It is no torch module, so offloading leaves it alone: where
    parts of a model wait in main memory, it fetches the network for each call by itself.
    """

    def __init__(self, vae: Any, placed: Placement) -> None:
        self._vae, self._placed = vae, placed
        self.config = type(vae.config)({**vae.config, "force_upcast": False})
        self.dtype = placed.dtype

    def to(self, *_: Any, **__: Any) -> Codec:
        return self

    def encode(self, pixels: Any) -> Any:
        """(B, 3, H, W) of -1..1 to the distribution of its latents, in the dtype of ``pixels``."""
        from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
        from diffusers.models.modeling_outputs import AutoencoderKLOutput

        with self._network() as vae:
            found = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
        parameters = found.parameters.to(pixels.device, pixels.dtype)
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(parameters))

    def pictures(self, latents: Any) -> list[Float32]:
        """(B, 4, h, w) finished latents to pictures (8h, 8w, 3) of 0..1, one after the other."""
        return [self._picture(latents[i : i + 1]) for i in range(latents.shape[0])]

    def round_trip(self, picture: Float32) -> Float32:
        """What is left of a picture (H, W, 3) that is only encoded (to the middle of its distribution) and decoded."""
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None]) * 2 - 1
            latents = self.encode(pixels).latent_dist.mode() * self.config.scaling_factor
        return self._picture(latents)

    def _picture(self, latents: Any) -> Float32:
        import torch

        with torch.inference_mode(), self._network() as vae:
            plain = self._unscaled(latents.to(vae.device, vae.dtype))
            out = vae.decode(plain, return_dict=False)[0]
            found = (out[0].float() * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
        if not np.isfinite(found).all():
            raise BadInput(
                "The picture decoder gave values that are not numbers.",
                "Switch half precision off, or use another model.",
            )
        return np.ascontiguousarray(found, np.float32)

    def _unscaled(self, latents: Any) -> Any:
        """Some models state mean and spread of their latents besides the factor."""
        import torch

        mean, spread = self.config.get("latents_mean"), self.config.get("latents_std")
        factor = self.config.scaling_factor
        if mean is None or spread is None:
            return latents / factor
        shift, width = (torch.tensor(v, device=latents.device, dtype=latents.dtype)[None, :, None, None]
                        for v in (mean, spread))  # fmt: skip
        return latents * width / factor + shift

    def _network(self) -> _Fetched:
        return _Fetched(self._vae, self._placed)


class _Fetched:
    """The network on the device for a while, decoding in tiles where memory is short."""

    def __init__(self, vae: Any, placed: Placement) -> None:
        self._vae, self._placed = vae, placed

    def __enter__(self) -> Any:
        (self._vae.enable_tiling if self._placed.tiling else self._vae.disable_tiling)()
        if self._placed.offload:
            self._vae.to(self._placed.device)
        return self._vae

    def __exit__(self, *_: object) -> None:
        if self._placed.offload:
            self._vae.to("cpu")

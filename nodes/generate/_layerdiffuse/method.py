"""SDXL turned into a maker of transparent pictures for one job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from app.engine import BadInput, Image, Placement, Run
from app.engine.weight_files import digest_of
from nodes.generate._diffusion.codec import Codec
from nodes.generate._diffusion.job import Job
from nodes.generate._diffusion.recipe import Parts
from nodes.generate._diffusion.source import Source
from nodes.generate._layerdiffuse.files import LayerFiles, load_decoder, load_encoder, with_added
from nodes.generate._layerdiffuse.padding import padded
from nodes.image._pixels import Float32, fit_within, resample_pixels

MORE_GB = 4.5
UNET_GB, DECODER_GB, ENCODER_GB = 1.9, 0.21, 0.003


@dataclass(frozen=True)
class Transparent:
    """A method for ``pictures_of``: pictures come as (H, W, 4), straight alpha.

    ``picture``: where to begin, of the size of the job, or None. ``careful``: eight turned passes of the decoder.
    """

    files: LayerFiles
    picture: Float32 | None
    careful: bool

    @contextmanager
    def __call__(
        self, run: Run, source: Source, parts: Parts, where: Placement, job: Job
    ) -> Iterator[tuple[Parts, Codec, Job]]:
        if parts.family != "SDXL":
            raise BadInput(f"This model is {parts.family}.", "Transparent pictures need a model of the SDXL family.")
        twice = 1 if where.half else 2
        with ExitStack() as held:

            def used(name: str, load: Any, gigabytes: float) -> Any:
                return held.enter_context(run.models.use(f"layerdiffuse {name}", load, gigabytes * twice, run.check))

            home = "cpu" if where.offload else where.device
            marks = f"{'half' if where.half else 'full'} {home}"
            added = digest_of(self.files.attention)
            merge = partial(with_added, parts.unet, self.files.attention, run.warn)
            unet = used(f"unet {source.name} {added} {marks}", merge, UNET_GB)
            read = partial(load_decoder, self.files.decoder, where.device, where.dtype)
            decoder = used(f"decoder {digest_of(self.files.decoder)} {where.dtype} {where.device}", read, DECODER_GB)
            codec = TransparentCodec(parts.vae, where, run, decoder, self.careful)
            if self.picture is not None and self.files.encoder is not None:
                encoder = load_encoder(self.files.encoder, where.device, where.dtype)
                job = replace(job, picture=codec.start(encoder, self.picture))
            yield replace(parts, unet=unet), codec, job


class TransparentCodec(Codec):
    """A codec whose pictures are (H, W, 4)."""

    def __init__(self, vae: Any, where: Placement, run: Run, decoder: Any, careful: bool) -> None:
        super().__init__(vae, where)
        self._run, self._decoder, self._careful = run, decoder, careful

    def round_trip(self, picture: Float32) -> Float32:
        """What is left of latents (h, w, 4) that are only decoded."""
        import torch

        return self._picture(torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None]))

    def start(self, encoder: Any, pixels: Float32) -> Float32:
        """Scaled latents (h, w, 4) of a picture (H, W, 4), straight alpha."""
        import torch

        from nodes.generate._layerdiffuse.encoder import encode

        planes = [torch.from_numpy(np.ascontiguousarray(a.transpose(2, 0, 1))[None]) for a in (pixels, padded(pixels))]
        with torch.inference_mode(), self._network() as vae:
            found = encode(vae, encoder, *planes).float()
            base = self._unscaled(torch.zeros_like(found))
            scaled = (found - base) / (self._unscaled(torch.ones_like(found)) - base)
            return np.ascontiguousarray(scaled[0].permute(1, 2, 0).cpu().numpy())

    def _picture(self, latents: Any) -> Float32:
        import torch

        from nodes.generate._layerdiffuse.decoder import agreed, single

        colours = super()._picture(latents)
        own = next(self._decoder.parameters())
        with torch.inference_mode():
            seen = torch.from_numpy(np.ascontiguousarray(colours.transpose(2, 0, 1))[None]).to(own.device, own.dtype)
            plain = self._unscaled(latents.float()).to(own.device, own.dtype)
            if self._careful:
                found = agreed(self._decoder, seen, plain, lambda _: self._run.progress(0, "reading the transparency"))
            else:
                found = single(self._decoder, seen, plain).clamp(0, 1)
            argb = found[0].float().permute(1, 2, 0).cpu().numpy()
        if not np.isfinite(argb).all():
            raise BadInput("The transparent decoder gave values that are not numbers.", "Switch half precision off.")
        return np.ascontiguousarray(argb[..., [1, 2, 3, 0]])


def laid_on(image: Image, size: tuple[int, int]) -> Float32:
    """(H, W, 4): the picture as large as fits into ``size`` (width, height), in the middle of transparent ground."""
    width, height = size
    scale = min(width / image.size[0], height / image.size[1])
    fitted = fit_within(image.size, max(round(side * scale) for side in image.size))
    part = resample_pixels(image.pixels, (min(fitted[0], width), min(fitted[1], height)))
    top, left = (height - part.shape[0]) // 2, (width - part.shape[1]) // 2
    result = np.zeros((height, width, 4), np.float32)
    result[top : top + part.shape[0], left : left + part.shape[1]] = np.clip(part, 0, 1)
    return result

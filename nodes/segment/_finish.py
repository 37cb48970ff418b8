"""From a region that is known roughly to a finished cut-out."""

from __future__ import annotations

import numpy as np

from app.engine import Image, Mask
from nodes.image._pixels import Float32, blur, extend_colours, fit_within, resample
from nodes.segment._clean import enlarged
from nodes.segment._matting import Trimap, object_colours, refine

MATTE = 1280


def solved(rgb: Float32, region: Float32, reach: float) -> tuple[Float32, Float32]:
    """(the object's own colours, its opacity) at the picture's size, from the region found on a smaller one."""
    size = rgb.shape[1::-1]
    work = fit_within(size, MATTE) if max(size) > MATTE else size
    band = max(3.5, reach * work[0] / size[0])
    alpha = refine(resample(rgb, work), Trimap.of(resample(region, work, "bilinear"), band), band)
    alpha = enlarged(alpha, rgb, size)
    return object_colours(rgb, alpha, max(3.5, reach)), alpha


def finished(image: Image, colours: Float32, alpha: Float32, feather: float) -> tuple[Image, Mask]:
    """(the object with straight alpha, that alpha); its colours reach on under transparency."""
    if feather:
        alpha = np.clip(blur(alpha, feather / 4), 0, 1)
    reached = extend_colours(colours, np.clip(4 * alpha, 0, 1))
    pixels = np.concatenate([np.clip(reached, 0, 1), alpha[..., None]], axis=-1)
    return Image(np.ascontiguousarray(pixels, np.float32), image.space), Mask(np.ascontiguousarray(alpha))


def opaque(image: Image) -> Float32:
    """(H, W, 3) as networks take it: grey shows through where the picture is transparent."""
    alpha = image.alpha[..., None]
    return np.ascontiguousarray(image.rgb * alpha + np.float32(0.5) * (1 - alpha))

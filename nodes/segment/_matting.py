"""The exact edge: how opaque each pixel of a narrow band is, and the object's own colour there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import Float32, resample

Bools = NDArray[np.bool_]
NOISE = 0.004
SEPARABLE = 300.0
TRUST = 0.1
KEEP = 0.03
KNOWN = 100.0


@dataclass(frozen=True)
class Trimap:
    """(H, W) each. ``inside``, ``outside``: certain. ``band``: the rest. ``guess``: opacity 0..1 by the outline."""

    inside: Bools
    outside: Bools
    guess: Float32

    @property
    def band(self) -> Bools:
        return np.asarray(~self.inside & ~self.outside)

    @classmethod
    def of(cls, region: Float32, reach: float) -> Trimap:
        """From a soft region: the band reaches ``reach`` pixels to both sides of its half-way line."""
        import cv2

        within = region > 0.5
        inner = cv2.distanceTransform(within.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        outer = cv2.distanceTransform((~within).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        guess = np.clip(0.5 + (inner - outer) / 2, 0, 1).astype(np.float32)
        return cls(np.asarray(inner > reach), np.asarray(outer > reach), guess)


def refine(rgb: Float32, trimap: Trimap, reach: float) -> Float32:
    """Opacity (H, W) 0..1 of the object in (H, W, 3): 1 inside, 0 outside, solved for in the band.

    Closed-form matting (Levin, Lischinski and Weiss, 2008), steered where the local colours of object and background
    are well apart by the share that mixes them best, elsewhere by the outline.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    band = trimap.band
    if not band.any() or not trimap.outside.any() or min(band.shape) < 3:
        return np.where(trimap.inside, np.float32(1), trimap.guess)
    target, weight = _wishes(rgb, trimap, reach)
    matrix, used = _laplacian(rgb, band)
    pull = weight.ravel()[used].astype(np.float64)
    wish = target.ravel()[used].astype(np.float64)
    system = matrix + diags(pull)
    solved, _ = cg(system, pull * wish, x0=wish, rtol=1e-3, maxiter=120, M=diags(1 / system.diagonal()))
    alpha = np.where(trimap.inside, np.float32(1), np.float32(0))
    alpha.ravel()[np.flatnonzero(used)] = np.clip(solved, 0, 1)
    return np.where(band, alpha, trimap.inside.astype(np.float32))


def _wishes(rgb: Float32, trimap: Trimap, reach: float) -> tuple[Float32, Float32]:
    """(opacity wished for, strength of the wish), (H, W) each."""
    band = trimap.band
    core = trimap.inside if trimap.inside.any() else trimap.guess > 0.5
    here, object_spread = _nearby(rgb, core, band, reach)
    there, background_spread = _nearby(rgb, trimap.outside, band, reach)
    apart = (here - there).astype(np.float64)
    spread = (object_spread + background_spread).astype(np.float64) + np.eye(3) * 2 * NOISE**2
    axis = np.linalg.solve(spread, apart[..., None])[..., 0]
    separation = (axis * apart).sum(axis=1)
    share = np.clip((axis * (rgb[band] - there)).sum(axis=1) / np.maximum(separation, 1e-9), 0, 1)
    trust = TRUST * np.minimum(separation / SEPARABLE, 1)
    target = trimap.inside.astype(np.float32)
    target[band] = (trust * share + KEEP * trimap.guess[band]) / (trust + KEEP)
    weight = np.full(band.shape, KNOWN, np.float32)
    weight[band] = trust + KEEP
    return target, weight


def _nearby(rgb: Float32, known: Bools, at: Bools, reach: float) -> tuple[Float32, Float32]:
    """Mean (N, 3) and covariance (N, 3, 3) of the known colours around each of the N pixels ``at``."""
    import cv2

    step = max(1, int(reach / 2))
    weight = known.astype(np.float32)
    size = at.shape[1::-1]
    small = max(1, size[0] // step), max(1, size[1] // step)

    def around(layer: Float32) -> Float32:
        coarse = resample(layer, small)
        near = cv2.GaussianBlur(coarse, (0, 0), 1.3 * reach / step)
        far = cv2.GaussianBlur(coarse, (0, 0), 4 * reach / step)
        mixed = np.asarray(near + np.float32(0.02) * far, np.float32)
        return resample(mixed, size, "bilinear")[at]

    total = around(weight) + np.float32(1e-8)
    mean = np.stack([around(rgb[..., c] * weight) for c in range(3)], axis=-1) / total[:, None]
    spread = np.empty((len(mean), 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            product = around(rgb[..., i] * rgb[..., j] * weight) / total - mean[:, i] * mean[:, j]
            spread[:, i, j] = spread[:, j, i] = product
        spread[:, i, i] = np.maximum(spread[:, i, i], 0)
    return mean, spread


def _laplacian(rgb: Float32, band: Bools, smooth: float = 1e-5):  # type: ignore[no-untyped-def]
    """(sparse matting Laplacian over the used pixels, which pixels (H * W,) those are), from 3 x 3 windows."""
    import cv2
    from scipy.sparse import coo_matrix

    height, width = band.shape
    centres = np.zeros_like(band)
    centres[1:-1, 1:-1] = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    around = (np.arange(-1, 2)[:, None] * width + np.arange(-1, 2)).ravel()
    windows = np.flatnonzero(centres)[:, None] + around
    colours = rgb.reshape(-1, 3)[windows].astype(np.float64)
    centred = colours - colours.mean(axis=1, keepdims=True)
    spread = np.einsum("nij,nik->njk", centred, centred) / 9 + np.eye(3) * smooth / 9
    affinity = (1 + centred @ np.linalg.inv(spread) @ centred.transpose(0, 2, 1)) / 9
    used = np.zeros(height * width, bool)
    used[windows] = True
    number = np.cumsum(used) - 1
    rows = number[windows]
    pairs = np.repeat(rows, 9, axis=1).ravel(), np.tile(rows, (1, 9)).ravel()
    size = int(used.sum())
    return coo_matrix(((np.eye(9) - affinity).ravel(), pairs), shape=(size, size)).tocsr(), used


def object_colours(rgb: Float32, alpha: Float32, reach: float) -> Float32:
    """The object's own colours (H, W, 3): at its soft edge with the background's share taken out.

    Blur-fusion estimation (Forte, Approximate fast foreground colour estimation, 2021): a wide round, then a narrow
    one. Where alpha is 1 the picture's colours stay.
    """
    own, behind = _unmixed(rgb, rgb, rgb, alpha, max(4, round(4 * reach)))
    own, _ = _unmixed(rgb, own, behind, alpha, max(2, round(reach / 2)))
    return np.where(alpha[..., None] >= 1, rgb, own)


def _unmixed(rgb: Float32, own: Float32, behind: Float32, alpha: Float32, radius: int) -> tuple[Float32, Float32]:
    import cv2

    def blurred(values: Float32) -> Float32:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    share = alpha[..., None]
    near = blurred(own * share) / (blurred(alpha)[..., None] + np.float32(1e-5))
    far = blurred(behind * (1 - share)) / (blurred(1 - alpha)[..., None] + np.float32(1e-5))
    return np.clip(near + share * (rgb - share * near - (1 - share) * far), 0, 1), far

"""Where the object is: colour models of object and background, and the cheapest outline between them.

The scheme of GrabCut (Rother, Kolmogorov and Blake, 2004) with three changes: background colours may drift across the
picture, which covers studio gradients and a wall above a table; a saliency map stands in for a hand-drawn rectangle;
and the outline comes from the convex form of the cut, which has no preference for horizontals and verticals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.image._pixels import Float32, fit_within, resample
from nodes.segment._mixture import Mixture, drift

Bools = NDArray[np.bool_]
Models = tuple[Mixture, Mixture]
ROUGH = 256
COLOURS = 5
OUTLINE = 40.0
LIMIT = 8.0
ROUNDS = 6


@dataclass(frozen=True)
class Hints:
    """What is known beforehand, (H, W) each. ``object``, ``background``: certain. ``guess``: object 0..1, or None."""

    object: Bools
    background: Bools
    guess: Float32 | None

    def at(self, size: tuple[int, int]) -> Hints:
        """At another size (width, height)."""

        def scaled(known: Bools) -> Bools:
            return resample(known.astype(np.float32), size) > 0.25

        guess = None if self.guess is None else resample(self.guess, size)
        return replace(self, object=scaled(self.object), background=scaled(self.background), guess=guess)


def find_object(run: Run, rgb: Float32, hints: Hints) -> Float32:
    """The object in (H, W, 3) sRGB of about 512 pixels, as a soft (H, W) region 0..1; all 0 where none stands out."""
    rough = reduced(rgb, ROUGH)
    evidence, inside, hints, models = _iterate(run, lab_of(rough), hints.at(rough.shape[1::-1]))
    if models is None or rough is rgb:
        return inside
    size = rgb.shape[1::-1]
    lab = lab_of(rgb)
    cost = _cost(lab, models, resample(np.float32(0.5) * evidence, size))
    return _cut(lab, cost, hints.at(size), resample(inside, size), 80)


def reduced(rgb: Float32, longest: int) -> Float32:
    """The picture at no more than ``longest`` pixels on its longer side."""
    return resample(rgb, fit_within(rgb.shape[1::-1], longest)) if max(rgb.shape[:2]) > longest else rgb


def lab_of(rgb: Float32) -> Float32:
    """CIE Lab of (H, W, 3) sRGB 0..1: L 0..100."""
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2Lab), np.float32)


def _iterate(run: Run, lab: Float32, hints: Hints) -> tuple[Float32, Float32, Hints, Models | None]:
    """(evidence for the object, soft region, completed hints, colour models or None where nothing is left)."""
    evidence, inside, hints = _start(lab, hints)
    models: Models | None = None
    for turn in range(ROUNDS):
        run.progress(0.1 + 0.06 * turn, "finding the object")
        region = (inside > 0.5) | hints.object
        if region.sum() < 12 or (~region).sum() < 12:
            return evidence, np.zeros_like(inside), hints, None
        drawn = turn == 0 and hints.object.any()
        models = _models(lab, hints.object if drawn else region, hints.background if drawn else inside <= 0.5)
        before = inside
        inside = _cut(lab, _cost(lab, models, evidence), hints, inside, 200)
        if turn and ((inside > 0.5) != (before > 0.5)).mean() < 1e-3:
            break
    return evidence, inside, hints, models


def _models(lab: Float32, region: Bools, outside: Bools) -> Models:
    height, width = lab.shape[:2]
    i, o = region.ravel(), outside.ravel()
    colours = lab.reshape(-1, 3)
    return (
        Mixture.fit(colours[i], drift(height, width, 0)[i], COLOURS, 2.0),
        Mixture.fit(colours[o], drift(height, width, 2)[o], COLOURS, 0.6),
    )


def _cost(lab: Float32, models: Models, evidence: Float32) -> Float32:
    height, width = lab.shape[:2]
    colours = lab.reshape(-1, 3)
    background = models[1].log_density(colours, drift(height, width, 2))
    ratio = background - models[0].log_density(colours, drift(height, width, 0))
    return np.asarray(np.clip(ratio, -LIMIT, LIMIT).reshape(height, width) - evidence, np.float32)


def _cut(lab: Float32, cost: Float32, hints: Hints, start: Float32, rounds: int) -> Float32:
    from nodes.segment._kernels import minimum_cut

    cost = np.where(hints.background, np.float32(50), np.where(hints.object, np.float32(-50), cost))
    right, below = _outline_weights(lab)
    return minimum_cut(np.ascontiguousarray(cost / OUTLINE, np.float32), right, below, start, rounds)


def _outline_weights(lab: Float32) -> tuple[Float32, Float32]:
    """Cheap where neighbours differ more than they do on average."""
    import cv2

    soft = cv2.GaussianBlur(lab, (0, 0), 0.65)
    across, down = np.zeros(lab.shape[:2], np.float32), np.zeros(lab.shape[:2], np.float32)
    across[:, :-1] = ((soft[:, 1:] - soft[:, :-1]) ** 2).sum(axis=-1)
    down[:-1] = ((soft[1:] - soft[:-1]) ** 2).sum(axis=-1)
    scale = -1 / (2 * max(float(across.mean() + down.mean()) / 2, 0.5))
    right, below = np.exp(across * scale) + np.float32(0.0125), np.exp(down * scale) + np.float32(0.0125)
    right[:, -1], below[-1] = 0, 0
    return right.astype(np.float32), below.astype(np.float32)


def _start(lab: Float32, hints: Hints) -> tuple[Float32, Float32, Hints]:
    """(evidence, first region, hints with the border that surely is background)."""
    border = _border(lab, hints)
    if hints.guess is not None:
        known = hints.background | (border & (hints.guess < 0.5))
        return 8 * (hints.guess - 0.5), hints.guess.copy(), replace(hints, background=known)
    distance = _unlike(lab, border | hints.background)
    barrier, middle = _enclosed(lab, hints)
    evidence = 4 * np.clip((barrier - middle) / middle, -1, 1) + 0.4 * np.clip(distance - 5, -4, 4)
    salient = _soft(np.clip(distance / 10, 0, 1)) / 2 + np.clip(barrier / (2 * middle), 0, 1) / 4
    first = (salient > max(_otsu(salient), 0.02)).astype(np.float32)
    first[border | hints.background], first[hints.object] = 0, 1
    if hints.object.any():
        evidence = evidence / 2
    return evidence.astype(np.float32), first, replace(hints, background=hints.background | (border & ~hints.object))


def _border(lab: Float32, hints: Hints) -> Bools:
    """Border pixels whose colour the other three sides show too; an object that leaves the picture is spared."""
    height, width = lab.shape[:2]
    thick = max(2, round(0.02 * min(height, width)))
    sides: list[Any] = [np.s_[:thick], np.s_[-thick:], np.s_[:, :thick], np.s_[:, -thick:]]
    soft = _soft(lab, 0.8)
    strips = [soft[side].reshape(-1, 3) for side in sides]
    distance = np.full((height, width), np.inf, np.float32)
    for i, side in enumerate(sides):
        others = np.concatenate([strip for j, strip in enumerate(strips) if j != i])
        mixture = Mixture.fit(others, np.ones((len(others), 1)), 4, 2.5)
        own = mixture.distance(strips[i], np.ones((len(strips[i]), 1), np.float32))
        distance[side] = np.minimum(distance[side], own.reshape(distance[side].shape))
    ring = np.isfinite(distance)
    limit = max(4.0, float(np.quantile(distance[ring], 0.3)))
    return np.asarray(ring & (distance < limit) & ~hints.object)


def _unlike(lab: Float32, background: Bools) -> Float32:
    """Distance of each pixel's colour from those of the known background, in standard deviations."""
    height, width = lab.shape[:2]
    known, places, colours = background.ravel(), drift(height, width, 2), lab.reshape(-1, 3)
    mixture = Mixture.fit(colours[known], places[known], COLOURS, 0.6)
    return mixture.distance(colours, places).reshape(height, width)


def _enclosed(lab: Float32, hints: Hints) -> tuple[Float32, float]:
    """(barrier from the border 0..1, its value half-way between background and object)."""
    from nodes.segment._kernels import barrier_distance

    soft = _soft(lab, 1.0) * np.array([1, 1.3, 1.3], np.float32)
    if hints.background.any():
        known = hints.background[..., None]
        soft = np.where(known, soft[hints.background].mean(axis=0), soft)
    barrier = barrier_distance(soft)
    barrier = barrier / max(float(np.quantile(barrier, 0.995)), 1e-6)
    return barrier, max(_otsu(barrier), 0.02)


def _soft(values: Float32, sigma: float = 1.0) -> Float32:
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _otsu(values: Float32) -> float:
    import cv2

    level, _ = cv2.threshold(
        (np.clip(values, 0, 1) * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    return float(level) / 255

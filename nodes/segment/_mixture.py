"""A mixture of colours, each of which may drift smoothly across the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
SAMPLES = 4000
LEAST = 20
STIFFNESS = np.array([0, 0.01, 0.01, 0.03, 0.03, 0.03])


def drift(height: int, width: int, degree: int) -> NDArray[np.float32]:
    """(H * W, 1, 3 or 6): polynomials of the pixel's place, for degree 0, 1 or 2."""
    y, x = (v.ravel() for v in np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij"))
    terms = [np.ones_like(x), x, y, x * x - 1 / 3, x * y, y * y - 1 / 3]
    return np.stack(terms[: (1, 3, 6)[degree]], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Mixture:
    """Gaussians in colour space. ``weights``: (K,). ``paths``: (K, P, 3), mean colour per term of the place.

    ``spreads``: (K, 3, 3) covariances.
    """

    weights: Floats
    paths: Floats
    spreads: Floats

    @classmethod
    def fit(cls, colours: Floats, places: Floats, count: int, floor: float, rounds: int = 6) -> Mixture:
        """From (N, 3) colours at (N, P) places: split along the widest spread (Orchard and Bouman, 1991), then EM.

        Deterministic. At most ``SAMPLES`` evenly chosen rows are used; ``floor`` is the least variance.
        """
        stride = max(1, len(colours) // SAMPLES)
        x, p = colours[::stride].astype(np.float64), places[::stride].astype(np.float64)
        labels = _split(x, p, count)
        share = np.eye(count)[labels][:, np.bincount(labels, minlength=count) > LEAST // 2]
        share = share if share.shape[1] else np.ones((len(x), 1))
        for _ in range(rounds):
            mixture = cls._from_shares(x, p, share, floor)
            log = mixture._each(x, p)
            share = np.exp(log - log.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
        return mixture

    @classmethod
    def _from_shares(cls, x: Floats, p: Floats, share: Floats, floor: float) -> Mixture:
        paths, spreads = [], []
        for weight in share.T:
            path = _regress(x, p, weight)
            rest = x - p @ path
            paths.append(path)
            spreads.append((weight[:, None] * rest).T @ rest / (weight.sum() + 1e-9) + np.eye(3) * floor)
        return cls(share.mean(axis=0), np.array(paths), np.array(spreads))

    def distance(self, colours: Floats, places: Floats) -> NDArray[np.float32]:
        """(N,) distance to the nearest colour, in standard deviations."""
        squares = [self._square(i, colours, places) for i in range(len(self.weights))]
        return np.asarray(np.sqrt(np.min(squares, axis=0)), np.float32)

    def breadth(self) -> float:
        """Mean standard deviation around the drifting means, in the unit of the colours."""
        return float(np.sqrt(self.weights @ np.trace(self.spreads, axis1=1, axis2=2)))

    def log_density(self, colours: Floats, places: Floats) -> NDArray[np.float32]:
        """(N,) logarithm of the probability density."""
        log = self._each(colours, places)
        top = log.max(axis=1)
        return np.asarray(top + np.log(np.exp(log - top[:, None]).sum(axis=1)), np.float32)

    def _each(self, colours: Floats, places: Floats) -> Floats:
        constants = np.log(self.weights + 1e-6) - 0.5 * np.linalg.slogdet(self.spreads)[1]
        logs = [float(c) - 0.5 * self._square(i, colours, places) for i, c in enumerate(constants)]
        return np.stack(logs, axis=-1)

    def _square(self, i: int, colours: Floats, places: Floats) -> Floats:
        whiten = np.linalg.cholesky(np.linalg.inv(self.spreads[i]))
        z = colours @ whiten.astype(colours.dtype) - places @ (self.paths[i] @ whiten).astype(colours.dtype)
        return np.asarray(np.einsum("ij,ij->i", z, z))


def _regress(x: Floats, p: Floats, weight: Floats) -> Floats:
    total = weight.sum() + 1e-9
    stiff = np.diag(STIFFNESS[: p.shape[1]]) * total + np.eye(p.shape[1]) * 1e-6
    return np.asarray(np.linalg.solve((weight[:, None] * p).T @ p + stiff, (weight[:, None] * p).T @ x))


def _split(x: Floats, p: Floats, count: int) -> NDArray[np.int64]:
    labels = np.zeros(len(x), np.int64)
    for new in range(1, count):
        widest, chosen, side = 0.0, 0, np.zeros(0, bool)
        for old in range(new):
            mine = labels == old
            if mine.sum() < LEAST:
                continue
            rest = x[mine] - p[mine] @ _regress(x[mine], p[mine], np.ones(int(mine.sum())))
            values, axes = np.linalg.eigh(np.cov(rest.T))
            if values[-1] * mine.sum() > widest:
                widest, chosen, side = float(values[-1] * mine.sum()), old, rest @ axes[:, -1] > 0
        if widest <= 1e-9:
            break
        labels[np.flatnonzero(labels == chosen)[side]] = new
    return labels

"""Free-form deformation (Sederberg and Parry 1986) by 3 x 3 x 3 points that are named in words.

The box is a quadratic Bézier volume. It is written with the polynomials that pass through the points, so that the
middle of the surface goes where its point goes. ``points``: (3, 3, 3, 3) float64, metres from the middle of the box,
index order x (left, middle, right), y (bottom to top), z (back to front).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput

Array = NDArray[Any]
WORDS = {"left": (0, 0), "right": (0, 2), "bottom": (1, 0), "top": (1, 2), "back": (2, 0), "front": (2, 2)}
MIDDLES = {"centre": 0, "waist": 1, "core": 2}
VERBS = "move x y z, scale s, scale x y z, turn degrees"


def straight(size: Array) -> Array:
    """Points of the undeformed box of ``size``, (3,) metres."""
    steps = np.array([-0.5, 0.0, 0.5])
    return np.stack(np.meshgrid(steps * size[0], steps * size[1], steps * size[2], indexing="ij"), axis=-1)


def chosen(place: str, line: int) -> tuple[slice | int, ...]:
    """Index of the points that words such as ``top front left`` name; a direction without a word means all along it.

    ``centre``, ``waist`` and ``core`` are the middle between left and right, bottom and top, back and front.
    """
    index: list[slice | int] = [slice(None)] * 3
    for word in place.lower().split():
        if word == "all":
            continue
        if word not in WORDS and word not in MIDDLES:
            known = ", ".join([*WORDS, *MIDDLES, "all"])
            raise BadInput(f"Line {line} of the pulls: {word!r} is not a place.", f"Use these words: {known}.")
        axis, at = WORDS[word] if word in WORDS else (MIDDLES[word], 1)
        if index[axis] != slice(None) and index[axis] != at:
            raise BadInput(f"Line {line} of the pulls: {place!r} is no place.", "Use one word for each direction.")
        index[axis] = at
    return tuple(index)


def pulled(points: Array, size: Array, text: str) -> Array:
    """The points after the pulls in ``text``, one a line: ``place: verb numbers``. Empty lines and ``#`` are skipped.

    ``move`` is in shares of the box, ``scale`` and ``turn`` (about +Y, degrees) are about the mean of the points.
    """
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if line:
            place, _, order = line.partition(":")
            points = _one(points, size, chosen(place, number), order.split(), number)
    return points


def _one(points: Array, size: Array, index: tuple[slice | int, ...], order: list[str], number: int) -> Array:
    verb = order[0].lower() if order and order[0][:1].isalpha() else "move"
    values = _numbers(order[1:] if order and order[0][:1].isalpha() else order, number)
    points = points.copy()
    middle = points[index].reshape(-1, 3).mean(axis=0)
    if verb == "move" and len(values) == 3:
        points[index] += values * size
    elif verb == "scale" and len(values) in (1, 3):
        points[index] = middle + (points[index] - middle) * values
    elif verb == "turn" and len(values) == 1:
        c, s = np.cos(np.radians(values[0])), np.sin(np.radians(values[0]))
        points[index] = middle + (points[index] - middle) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    else:
        raise BadInput(f"Line {number} of the pulls cannot be read.", f"Write a place, a colon and one of: {VERBS}.")
    return points


def _numbers(words: list[str], number: int) -> Array:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all() or (np.abs(values) > 1e6).any():
        raise BadInput(f"Line {number} of the pulls has no valid numbers.", f"Write one of: {VERBS}.")
    return values


def warped(at: Array, size: Array, points: Array) -> tuple[Array, Array]:
    """Where (N, 3) ``at``, metres from the middle of the box, go, (N, 3), and the Jacobian there, (N, 3, 3)."""
    t = at / size + 0.5
    value = np.stack([2 * (t - 0.5) * (t - 1), 4 * t * (1 - t), 2 * t * (t - 0.5)], axis=2)
    slope = np.stack([4 * t - 3, 4 - 8 * t, 4 * t - 1], axis=2) / size[:, None]
    moved, jacobian = _summed(points, value), np.empty((len(at), 3, 3))
    for axis in range(3):
        basis = value.copy()
        basis[:, axis] = slope[:, axis]
        jacobian[:, :, axis] = _summed(points, basis)
    return moved, jacobian


def _summed(points: Array, basis: Array) -> Array:
    """(N, 3) of the points times the basis, (N, axis, 3)."""
    weights = basis[:, 0, :, None] * basis[:, 1, None, :]
    weights = weights.reshape(-1, 9, 1) * basis[:, 2, None, :]
    return np.asarray(weights.reshape(-1, 27) @ points.reshape(27, 3))

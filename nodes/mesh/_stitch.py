"""Join flat charts along borders that fit, so that there are fewer of them and shorter seams.

Two charts that meet along a line in space are laid against each other by the rotation and shift that bring the line
together best; the joined chart is relaxed, and kept where it lies flat as well as its parts. A cylinder's strips become
one rectangle this way, a cone's one sector. Positions in the plane are complex numbers here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._charts import RELAXED, flattened
from nodes.mesh._pack import boxes
from nodes.mesh._surface import Flat, Surface, Tried, numbered
from nodes.mesh._topology import joined, weld_bits

Array = NDArray[Any]
ROUNDS, WORK, FREE = 10, 0.6, 60_000
FITS, MEETS = 0.1, 0.12
ROOMY, LARGE, FULL = 1.1, 0.15, 0.5


@dataclass(frozen=True)
class Lines:
    """Border lines between charts. ``a``, ``b``: (P,) sides on the one and the other chart. ``line``: (P,) of L lines.

    ``one``, ``two``: (L,) charts. ``length``: (L,) metres. ``turn``, ``shift``: (L,) complex, two onto one.
    ``gap``: (L,) root mean square of what stays apart, metres. ``score``: (L,) share of the smaller chart's border.
    """

    a: Array
    b: Array
    line: Array
    one: Array
    two: Array
    length: Array
    turn: Array
    shift: Array
    gap: Array
    score: Array


def _ahead(sides: Array) -> Array:
    return np.asarray(sides - sides % 3 + (sides + 1) % 3)


def _sides(surface: Surface, label: Array) -> tuple[Array, Array]:
    """Sides where one chart may be joined to another, those of the lower chart first."""
    a, b = surface.edges.pairs.T
    open_ = (surface.across.ravel()[a] >= 0) & (label[a // 3] != label[b // 3])
    a, b = a[open_], b[open_]
    swap = label[a // 3] > label[b // 3]
    return np.where(swap, b, a), np.where(swap, a, b)


def lines_of(surface: Surface, flat: Flat) -> Lines | None:
    """All border lines, or None where no chart meets another."""
    a, b = _sides(surface, flat.label)
    if not len(a):
        return None
    corners = flat.corners.ravel()
    ends = [np.stack([corners[p], corners[q]], axis=1) for p, q in ((a, _ahead(b)), (_ahead(a), b))]
    knot = weld_bits(np.concatenate(ends)).ids + len(a)
    side = np.arange(len(a))
    number = joined(len(a) + int(knot.max()) + 1, np.stack([np.tile(side, 2), knot], axis=1))[1][: len(a)]
    first, line = np.unique(number, return_index=True, return_inverse=True)[1:]
    weight = surface.side.ravel()[a]
    turn, shift, gap = _fit(flat, a, b, line, weight)
    one, two, length = flat.label[a[first] // 3], flat.label[b[first] // 3], np.bincount(line, weight)
    rim = np.bincount(flat.label, (surface.side * (surface.inside(flat.label) < 0)).sum(axis=1))
    return Lines(a, b, line, one, two, length, turn, shift, gap, length / np.minimum(rim[one], rim[two]))


def _fit(flat: Flat, a: Array, b: Array, line: Array, weight: Array) -> tuple[Array, Array, Array]:
    """(turn, shift, gap) of the best rigid move of each line's second chart (Procrustes, in the plane)."""
    z = _complex(flat)
    here, there = np.stack([z[a], z[_ahead(a)]]), np.stack([z[_ahead(b)], z[b]])
    total = np.maximum(np.bincount(line, weight), 1e-300)

    def mean(values: Array) -> Array:
        each = weight * values.mean(axis=0)
        return (np.bincount(line, each.real) + 1j * np.bincount(line, each.imag)) / total

    at, to = mean(there), mean(here)
    p, q = there - at[line], here - to[line]
    both, spread = mean(q * p.conj()), mean(np.abs(p) ** 2 + np.abs(q) ** 2).real
    size = np.abs(both)
    turn = np.where(size > 0, both / np.maximum(size, 1e-300), 1.0)
    return turn, to - turn * at, np.sqrt(np.maximum(spread - 2 * size, 0.0))


def _complex(flat: Flat) -> Array:
    return np.asarray((flat.placed[..., 0] + 1j * flat.placed[..., 1]).ravel())


def _chosen(lines: Lines, tired: Array, size: Array, limit: float) -> Array:
    """Lines to join along, the most promising first, each chart in one of them; ``limit``: faces in all."""
    good = (lines.gap <= FITS * lines.length) & (lines.score >= MEETS)
    good[lines.line[tired[lines.a]]] = False
    candidates = np.flatnonzero(good)
    candidates = candidates[np.argsort(-lines.score[candidates], kind="stable")]
    used, out = np.zeros(len(size), bool), []
    for i in candidates:
        one, two = lines.one[i], lines.two[i]
        faces = size[one] + size[two]
        if not used[one] and not used[two] and faces <= limit:
            limit -= faces
            used[one] = used[two] = True
            out.append(i)
    return np.asarray(out, np.int64)


def _parted(lines: Lines, flat: Flat, chosen: Array) -> Array:
    """Sides between joined charts that do not come together by the chosen move: they stay seams."""
    of = np.full(len(flat.misfit), -1, np.int64)
    of[lines.one[chosen]] = of[lines.two[chosen]] = chosen
    pick = of[lines.one]
    between = (pick >= 0) & (pick == of[lines.two])
    move, z = pick[lines.line], _complex(flat)
    turn, shift = lines.turn[move], lines.shift[move]
    here, there = z[lines.a] + z[_ahead(lines.a)], z[lines.b] + z[_ahead(lines.b)]
    apart = np.abs(here - turn * there - 2 * shift) / 2
    width = np.bincount(lines.line, apart, minlength=len(lines.one)) / np.bincount(lines.line)
    stays = between & (width > FITS * lines.length) & (pick != np.arange(len(pick)))
    keep = stays[lines.line]
    return np.concatenate([lines.a[keep], lines.b[keep]])


def stitched(run: Run, surface: Surface, flat: Flat, strain: float) -> tuple[Surface, Flat]:
    """The surface with the seams that stay, and fewer charts: sound as those given, lengths within ``strain``."""
    tired, work = np.zeros(flat.label.size * 3, bool), WORK * len(flat.label) + FREE
    for done in range(ROUNDS):
        run.progress(0.5 + 0.1 * done / ROUNDS, "joining charts")
        lines = lines_of(surface, flat)
        if lines is None:
            break
        size = np.bincount(flat.label)
        chosen = _chosen(lines, tired, size, work)
        if not len(chosen):
            break
        good = chosen[~_sprawling(surface, flat, lines, chosen)]
        tired[lines.a[np.isin(lines.line, np.setdiff1d(chosen, good))]] = True
        work -= float((size[lines.one[good]] + size[lines.two[good]]).sum()) + 0.1 * len(flat.label)
        surface, flat, failed = _joined(run, surface, flat, lines, good, strain)
        tired[lines.a[np.isin(lines.line, failed)]] = True
    return surface, replace(flat, corners=numbered(surface, flat.label).corners)


def _sprawling(surface: Surface, flat: Flat, lines: Lines, chosen: Array) -> Array:
    """Which of the chosen joints would give charts that take more room than their parts, or large ragged ones."""
    one, two = lines.one[chosen], lines.two[chosen]
    number = np.full(len(flat.misfit), -1, np.int64)
    number[one] = number[two] = np.arange(len(chosen))
    part = number[flat.label] >= 0
    joint, own = number[flat.label[part]], np.unique(flat.label[part], return_inverse=True)[1]
    apart = boxes(flat.placed[part], own)
    area = np.bincount(joint, surface.area[part])
    room = boxes(_moved(flat, lines, chosen)[part], joint)
    before = np.bincount(number[np.sort(np.concatenate([one, two]))], apart)
    return np.asarray((room > ROOMY * before) | ((area > LARGE * surface.area.sum()) & (area < FULL * room)))


def _joined(
    run: Run, surface: Surface, flat: Flat, lines: Lines, chosen: Array, strain: float
) -> tuple[Surface, Flat, Array]:
    """(surface with the seams that stay, charts, lines along which joining failed)."""
    parted = _parted(lines, flat, chosen)
    target, merged = np.arange(len(flat.misfit)), np.zeros(len(flat.misfit), bool)
    target[lines.two[chosen]], merged[lines.one[chosen]] = lines.one[chosen], True
    trial = target[flat.label]
    names, label = np.unique(trial, return_inverse=True)
    cut = replace(surface, across=_without(surface.across, parted))
    start = Tried(replace(flat, placed=_moved(flat, lines, chosen)), np.zeros(0), np.zeros(0))
    tried = flattened(run, cut, label.astype(np.int32), RELAXED, start, merged[trial])
    area = np.bincount(label, surface.area)
    worse = merged[names] & ((tried.state > 0) | (tried.flat.misfit > strain**2 * area))
    back = worse[label]
    surface = replace(surface, across=_without(surface.across, parted[~back[parted // 3]]))
    failed = chosen[worse[np.searchsorted(names, lines.one[chosen])]]
    return surface, _mixed(surface, flat, tried.flat, back), failed


def _mixed(surface: Surface, old: Flat, new: Flat, back: Array) -> Flat:
    """The new charts, but the old ones on the faces ``back`` (M,)."""
    both = np.where(back, old.label + len(new.misfit), new.label)
    label = np.unique(both, return_inverse=True)[1].astype(np.int32)
    misfit = np.zeros(int(label.max()) + 1)
    misfit[label] = np.where(back, old.misfit[old.label], new.misfit[new.label])
    placed = np.where(back[:, None, None], old.placed, new.placed)
    return Flat(numbered(surface, label).corners, placed, label, misfit)


def _moved(flat: Flat, lines: Lines, chosen: Array) -> Array:
    """(M, 3, 2) corners, the second chart of each chosen line laid against the first."""
    of = np.full(len(flat.misfit), -1, np.int64)
    of[lines.two[chosen]] = chosen
    line = of[flat.label]
    z = _complex(flat).reshape(-1, 3)
    z = np.where(line[:, None] >= 0, lines.turn[line][:, None] * z + lines.shift[line][:, None], z)
    return np.stack([z.real, z.imag], axis=2)


def _without(across: Array, sides: Array) -> Array:
    out = across.copy().ravel()
    out[sides] = -1
    return out.reshape(-1, 3)

"""One level of a reduction: parts of the mesh side by side, each as far as a common cost, and joined again.

The cost is found on small patches all over the mesh, which are collapsed almost to the end. Parts and patches depend on
the mesh only, never on the machine: the result is the same on any number of processors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_steps import tidy
from nodes.mesh._collapse_tables import BUCKET, BUCKETS, DONE, FACES, FIXED, FULL, PAUSE
from nodes.mesh._contract import contract, line_up, weigh_all
from nodes.mesh._ground import Whole
from nodes.mesh._net import Net
from nodes.mesh._parts import Left, left_of

Array = NDArray[Any]
Job = TypeVar("Job")
Done = TypeVar("Done")
FACES_EACH, MANY, MOST_THREADS, PATIENCE_S, LOOKS = 50_000, 400_000, 8, 0.05, 30_000
PATCH, PATCHES, FACES_A_PATCH, STEPS = 2_000, 16, 25_000, 16
SPARE, ALMOST_ALL = 1.2, 0.95


class Way(NamedTuple):
    """How edges may collapse; see :func:`nodes.mesh._contract.contract`."""

    free: bool
    uv: bool
    least: float
    lines: int


class Queue:
    """The edges of a net that wait to collapse."""

    def __init__(self, net: Net, way: Way) -> None:
        self.net, self.way = net, way
        self.cost = np.empty(len(net.edge), np.float32)
        self.heads = np.full(BUCKETS, -1, np.int32)

    def weigh(self, bands: int = 1) -> None:
        """The cost of every edge, in bands side by side."""
        net, cuts = self.net, np.linspace(0, len(self.net.edge), 1 + bands).astype(int).tolist()

        def band(low: int, high: int) -> None:
            tables = net.tri, net.vert, net.edge, net.at, net.q, net.s, net.refs
            weigh_all(low, high, self.way.free, *tables, self.cost)

        if bands == 1:
            band(0, len(net.edge))
        else:
            with ThreadPoolExecutor() as pool:
                list(pool.map(band, cuts[:-1], cuts[1:]))

    def line_up(self, last: int) -> None:
        line_up(0, len(self.cost), last, self.cost, self.net.edge, self.heads, self.net.lot)

    def until(self, goal: int, last: int, told: Callable[[], None]) -> bool:
        """Collapse until ``goal`` faces are left, or no edge below bucket ``last``; whether the goal was reached.

        ``told``: called now and then; may raise.
        """
        net, state = self.net, PAUSE
        how = goal, last, LOOKS, *self.way
        tables = net.tri, net.vert, net.edge, net.at, net.q, net.s, net.refs, self.heads, self.cost, net.lot
        while state in (PAUSE, FULL):
            told()
            state = int(contract(*how, *tables))
            if state == FULL:
                tidy(net.tri, net.vert, net.refs, net.lot)
        return state == DONE


def parts_of(faces: int) -> int:
    """Of many faces twice as many parts: they stay in the cache, and there are enough for every processor."""
    return max(1, round(faces / FACES_EACH * (2 if faces > MANY else 1)))


def level(whole: Whole, goal: int, target: int, way: Way, told: Callable[[float], None]) -> Net:
    """About ``goal`` faces. No part has less than its share of ``target`` and a little more.

    ``told``: called now and then with the faces left, from this thread; may raise.
    """
    cuts = np.linspace(0, whole.count, parts_of(whole.count) + 1).astype(int).tolist()
    last = _limit(whole, goal, way, told)
    share = min(1.0, SPARE * target / whole.count)

    def work(cut: tuple[int, int], stop: Callable[[], None]) -> Left:
        net = whole.cut(*cut)
        queue = Queue(net, way)
        queue.weigh()
        queue.line_up(last)
        queue.until(int(np.ceil(len(net.tri) * share)), last, stop)
        return left_of(net)

    gone = (whole.count - goal) / (len(cuts) - 1)
    parts = _side_by_side(work, list(pairwise(cuts)), lambda done: told(whole.count - gone * done))
    return whole.joined(parts)


def _limit(whole: Whole, goal: int, way: Way, told: Callable[[float], None]) -> int:
    """The bucket of cost below which so much goes from patches as would leave ``goal`` faces of all."""
    count = int(np.clip(whole.count // FACES_A_PATCH, 4, PATCHES))
    starts = np.linspace(0, whole.count - PATCH, count).astype(int).tolist()
    found = _side_by_side(
        lambda low, stop: _costs(whole.cut(low, low + PATCH), way, stop), starts, lambda done: told(whole.count)
    )
    buckets, weights = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(buckets, kind="stable")
    share = min(ALMOST_ALL, (whole.count - goal) / (2 * whole.places))
    total = np.cumsum(weights[order])
    return int(buckets[order][min(len(order) - 1, np.searchsorted(total, share * total[-1]))]) + 1


def _costs(net: Net, way: Way, stop: Callable[[], None]) -> tuple[Array, Array]:
    """(bucket of cost (STEPS,) at which one part after the other of the vertices has gone, how many each is)."""
    movable = int((net.vert[:, 2] != FIXED).sum())
    buckets, faces = np.full(STEPS, BUCKETS - 1), int(net.lot[FACES])
    queue = Queue(net, way)
    queue.weigh()
    queue.line_up(BUCKETS)
    for step in range(STEPS):
        if not queue.until(faces - 2 * movable * (step + 1) // STEPS, BUCKETS, stop):
            break
        buckets[step] = net.lot[BUCKET]
    return buckets, np.full(STEPS, movable / STEPS)


class _Stopped(Exception):
    """Another thread has given up."""


def _side_by_side(
    work: Callable[[Job, Callable[[], None]], Done], jobs: list[Job], told: Callable[[int], None]
) -> list[Done]:
    """What ``work`` makes of each job, in order. ``told``: called now and then with how many are done; may raise."""
    stopped = False

    def stop() -> None:
        if stopped:
            raise _Stopped

    with ThreadPoolExecutor(min(len(jobs), MOST_THREADS, os.cpu_count() or 1)) as pool:
        running = [pool.submit(work, job, stop) for job in jobs]
        try:
            while wait(running, PATIENCE_S).not_done:
                told(sum(job.done() for job in running))
        except BaseException:
            stopped = True
            for job in running:
                job.cancel()
            raise
    return [job.result() for job in running]

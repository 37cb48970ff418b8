"""Work that runs without the interpreter lock, on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")
PATIENCE_S = 0.1


def side_by_side(work: Callable[[Job], Done], jobs: Iterable[Job], told: Callable[[float], None]) -> list[Done]:
    """What ``work`` makes of each job, in order.

    ``told``: called now and then with the fraction done, from this thread. It may raise; then no other job begins.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = [pool.submit(work, job) for job in jobs]
        try:
            while wait(running, PATIENCE_S).not_done:
                told(sum(job.done() for job in running) / len(running))
        finally:
            for job in running:
                job.cancel()
    return [job.result() for job in running]

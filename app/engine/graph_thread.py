"""The one background thread that runs graphs and owns the GPU: one job at a time, models kept warm between jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from app.engine.events import Event, RunFinished
from app.engine.executor import Call, Executor, Job, call_here
from app.engine.memory import make_room
from app.engine.models import ModelPool
from app.engine.registry import Registry, discover
from app.engine.store import GIGABYTE, Store

_log = logging.getLogger("polyloom.worker")


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know. ``packages``: where node types are; ``folders``: people's own node files.

    ``reader_bytes``: memory for results in a process that only looks at them while the graph thread lives elsewhere.
    """

    store: Path
    packages: tuple[str, ...] = ("nodes",)
    folders: tuple[Path, ...] = ()
    device: str = "auto"
    memory_bytes: int = 2 * GIGABYTE
    disk_bytes: int = 20 * GIGABYTE
    reader_bytes: int = GIGABYTE // 2

    def open_store(self, to_read: bool = False) -> Store:
        return Store(self.store, self.reader_bytes if to_read else self.memory_bytes, self.disk_bytes)


class GraphThread:
    """``emit`` is called on this thread for every event. ``registry``, ``store``: given, or made from the setup."""

    def __init__(
        self,
        setup: Setup,
        emit: Callable[[Event], None],
        call: Call = call_here,
        store: Store | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.setup, self._emit, self._call = setup, emit, call
        self.store = store or setup.open_store()
        self.models = ModelPool()
        self._given = registry
        self._registry: Registry | None = registry
        self._seen: object = None
        self._stop = threading.Event()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="graph", daemon=True)
        self._thread.start()

    def start(self, job: Job) -> None:
        self._stop = threading.Event()
        self._jobs.put(job)

    def cancel(self) -> None:
        self._stop.set()

    def release(self) -> None:
        """Drop models and the memory tier; what a node is using now stays until it is done."""
        make_room(self.models)
        self.store.release()

    def close(self, wait_s: float = 10.0) -> None:
        self.cancel()
        self._jobs.put(None)
        self._thread.join(wait_s)

    def registry(self) -> Registry:
        """Node types; a person's own file that changed since is read again."""
        if self._given is not None:
            return self._given
        now = _mark(self.setup.folders)
        if self._registry is None or now != self._seen:
            self._registry, self._seen = discover(self.setup.packages, self.setup.folders), now
        return self._registry

    def _loop(self) -> None:
        self.store.sweep()
        while (job := self._jobs.get()) is not None:
            try:
                Executor(job, self.registry(), self.store, self.models, self._emit, self._stop, self._call).run()
            except Exception:
                _log.exception("the run ended by an error of the engine itself")
                self._emit(RunFinished(job.run_id, "failed", 0.0))


def _mark(folders: tuple[Path, ...]) -> object:
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return [(str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files]

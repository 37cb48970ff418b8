"""Where the graph thread lives: in one warm worker process, or in this one. Only this module knows which.

Runs are queued here and handed over one at a time. A process that dies while a node runs costs that node: it counts as
failed, a new process takes up the rest, and what is stored is not computed again. Cancel asks politely first and ends
the process when the node does not listen.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from app.engine.errors import Crashed
from app.engine.events import ErrorInfo, Event, Failed, Finished, RunFinished, RunStarted, Started, Stopped
from app.engine.executor import Job
from app.engine.graph import Graph
from app.engine.graph_thread import GraphThread, Setup
from app.engine.processes import Child
from app.engine.registry import Registry

__all__ = ["Setup", "Worker"]
GRACE_S = 1.2
MOST_CRASHES = 25


class Worker:
    """``on_event`` is called from another thread, in order, for every event of every run.

    ``registry``: for ``in_process`` only, node types made by hand. Close it, or use it in a ``with`` statement.
    """

    def __init__(
        self,
        setup: Setup,
        on_event: Callable[[Event], None],
        in_process: bool = False,
        registry: Registry | None = None,
    ) -> None:
        self.setup, self._on_event, self._in_process = setup, on_event, in_process
        self.store = setup.open_store(to_read=not in_process)
        self._registry = registry
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self._queue: list[Job] = []
        self._current: Job | None = None
        self._backend: _Process | GraphThread | None = None
        self._started = False
        self._node = ""
        self._unfinished: list[str] = []
        self._cancelling = False
        self._crashes = 0
        self._closed = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the process now, so that the first run does not wait for it."""
        with self._lock:
            self._ready()

    def submit(
        self, graph: Graph, base: Path, out: Path, targets: Iterable[str] | None = None, strict: bool = False
    ) -> int:
        """Queue a run and return its id. ``base``: where relative input paths start; ``out``: where files go."""
        wanted = None if targets is None else tuple(targets)
        with self._lock:
            job = Job(next(self._ids), graph, base.absolute(), out.absolute(), wanted, strict, self.setup.device)
            self._queue.append(job)
            self._next()
            return job.run_id

    def cancel(self, run_id: int | None = None) -> None:
        """Cancel one run, or the running one and all queued. A node that does not listen is ended with its process."""
        with self._lock:
            gone = [job for job in self._queue if run_id in (None, job.run_id)]
            self._queue = [job for job in self._queue if job not in gone]
            current = self._current
            if current is not None and run_id in (None, current.run_id) and self._backend is not None:
                self._cancelling = True
                self._backend.cancel()
                if not self._in_process:
                    timer = threading.Timer(GRACE_S, self._end_stubborn, (current.run_id,))
                    timer.daemon = True
                    timer.start()
        for job in gone:
            self._on_event(RunFinished(job.run_id, "cancelled", 0.0))

    def release_memory(self) -> None:
        """Give back GPU memory and cached results: softly during a run, by ending the idle process otherwise."""
        with self._lock:
            self.store.release()
            if isinstance(self._backend, _Process) and self._current is None:
                self._backend.close()
                self._backend = None
            elif self._backend is not None:
                self._backend.release()

    def close(self) -> None:
        """End everything. What is stored stays."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.clear()
            backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()
        self.store.close()

    def _ready(self) -> _Process | GraphThread:
        if self._backend is None:
            if self._in_process:
                self._backend = GraphThread(self.setup, self._take, store=self.store, registry=self._registry)
            else:
                self._backend = _Process(self.setup, self._take, self._died)
        return self._backend

    def _next(self) -> None:
        if self._current is not None or not self._queue or self._closed:
            return
        self._current = self._queue.pop(0)
        self._started, self._node, self._unfinished = False, "", []
        self._cancelling, self._crashes = False, 0
        self._hand_over(self._current)

    def _hand_over(self, job: Job) -> None:
        try:
            self._ready().start(job)
        except (Crashed, OSError) as error:
            self._current = None
            self._on_event(RunStarted(job.run_id, ()))
            self._on_event(RunFinished(job.run_id, "failed", 0.0))
            raise Crashed(f"The worker process cannot be started: {error}", "Start with --in-process.") from error

    def _take(self, event: Event) -> None:
        """One event from the graph thread: keep count, pass it on, and start the next run after the last one."""
        with self._lock:
            job = self._current
            if job is None or event.run_id != job.run_id:
                return
            if isinstance(event, RunStarted):
                again, self._started = self._started, True
                if again:
                    return
                self._unfinished = list(event.nodes)
            elif isinstance(event, Started):
                self._node = event.node_id
            elif isinstance(event, Finished | Failed | Stopped):
                self._node = ""
                if event.node_id in self._unfinished:
                    self._unfinished.remove(event.node_id)
            done = isinstance(event, RunFinished)
            if done:
                self._current = None
        self._on_event(event)
        if done:
            with self._lock:
                self._next()

    def _died(self, backend: _Process, why: str) -> None:
        """The process ended by itself or was killed: one node failed, or the run was cancelled by force."""
        with self._lock:
            if backend is not self._backend:
                return
            self._backend = None
            job = self._current
            if job is None or self._closed:
                return
            self._crashes += 1
            if not self._cancelling and (self._node or self._crashes <= 3) and self._crashes <= MOST_CRASHES:
                if self._node:
                    job = self._current = replace(job, failed={**job.failed, self._node: _crash(why)})
                self._hand_over(job)
                return
            status: RunFinished = RunFinished(job.run_id, "cancelled" if self._cancelling else "failed", 0.0)
            left = self._unfinished
            self._current = None
        for id in left:
            self._on_event(Stopped(job.run_id, id, "cancelled" if self._cancelling else "blocked"))
        self._on_event(status)
        with self._lock:
            self._next()

    def _end_stubborn(self, run_id: int) -> None:
        with self._lock:
            backend, job = self._backend, self._current
            stubborn = self._cancelling and job is not None and job.run_id == run_id
        if stubborn and isinstance(backend, _Process):
            backend.kill()


class _Process:
    """The graph thread in a process of its own."""

    def __init__(
        self, setup: Setup, on_event: Callable[[Event], None], on_death: Callable[[_Process, str], None]
    ) -> None:
        self._child = Child("graph")
        self._lock = threading.Lock()
        self._child.connection.send(setup)
        self._on_event, self._on_death = on_event, on_death
        self._reader = threading.Thread(target=self._read, name="worker events", daemon=True)
        self._reader.start()

    def start(self, job: Job) -> None:
        self._send("start", job)

    def cancel(self) -> None:
        self._send("cancel")

    def release(self) -> None:
        self._send("release")

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> None:
        self._send("close")
        self._reader.join(2.0)
        self._child.kill()

    def _send(self, *command: object) -> None:
        try:
            with self._lock:
                self._child.connection.send(command)
        except (OSError, ValueError):
            pass

    def _read(self) -> None:
        try:
            while True:
                self._on_event(self._child.connection.recv())
        except (EOFError, OSError):
            why = self._child.death()
            self._child.connection.close()
            self._on_death(self, why)


def _crash(why: str) -> ErrorInfo:
    return ErrorInfo("crashed", f"The node's process {why}.", "Try a smaller or simpler input; the rest went on.")

"""Carry out a plan on the calling thread. Knows nothing of windows, processes or threads."""

from __future__ import annotations

import logging
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

from app.engine.credits import Credit, Ledger, of_cards
from app.engine.deliver import deliver, file_list, same_content
from app.engine.errors import BadInput, BadNode, Cancelled, EngineError, OutOfMemory, StoreDamaged
from app.engine.events import (
    ErrorInfo,
    Event,
    Failed,
    Finished,
    Previewed,
    Progressed,
    RunFinished,
    RunStarted,
    Started,
    Status,
    Stopped,
    Wrote,
)
from app.engine.graph import Graph
from app.engine.graph_file import dumps, travelling
from app.engine.memory import Gauge, is_out_of_memory, make_room
from app.engine.models import ModelPool
from app.engine.payloads import Number, Payload, Text
from app.engine.plan import Step, make_steps, step_key
from app.engine.run import Run, working
from app.engine.spec import NodeSpec
from app.engine.store import Entry, Store
from app.engine.validate import UNKNOWN_TYPE, Problem, validate
from app.engine.weight_files import needed

Call = Callable[[NodeSpec, dict[str, Any], Run], Any]
PROGRESS_EVERY_S = 0.05


def call_here(spec: NodeSpec, arguments: dict[str, Any], run: Run) -> Any:
    """Call the node's function on this thread."""
    with working(run):
        return spec.call(run, **arguments) if spec.wants_run else spec.call(**arguments)


@dataclass(frozen=True)
class Job:
    """One run of a graph. ``base``: where relative input paths start. ``out``: the folder for files.

    ``targets``: None for every end of the graph. ``strict``: any problem but an unknown node type stops the whole run.
    ``failed``: nodes that are known to fail (their process crashed): they count as failed and are not called.
    """

    run_id: int
    graph: Graph
    base: Path
    out: Path
    targets: tuple[str, ...] | None = None
    strict: bool = False
    device: str = "auto"
    failed: Mapping[str, ErrorInfo] = field(default_factory=dict)


class Executor:
    """Runs one job. Make a new one for each run."""

    def __init__(
        self,
        job: Job,
        specs: Mapping[str, NodeSpec],
        store: Store,
        models: ModelPool,
        emit: Callable[[Event], None],
        stop: Flag,
        call: Call = call_here,
    ) -> None:
        self.job, self.specs, self.store, self.models = job, specs, store, models
        self.emit, self.stop, self.call = emit, stop, call
        self.entries: dict[str, Entry] = {}
        self.failed: set[str] = set()
        self._ledger = Ledger()
        self._graph_text = ""
        self._gauge = Gauge()
        self._last_user: dict[str, str] = {}
        self._live: dict[str, Entry] = {}
        self.ran_or_reused = 0

    def run(self) -> Status:
        """Carry out the job; every event is emitted, the last one is ``RunFinished``."""
        begun = time.perf_counter()
        job = self.job
        problems = validate(job.graph, self.specs, job.base, job.targets)
        steps = make_steps(job.graph, self.specs, job.targets)
        self.emit(RunStarted(job.run_id, tuple(step.node_id for step in steps)))
        self.steps = {step.node_id: step for step in steps}
        self._last_user = {source: step.node_id for step in steps for source in step.sources}
        try:
            with self._gauge:
                status = self._run_steps(steps, problems)
        finally:
            self.store.protect(())
        self.store.flush()
        self.emit(RunFinished(job.run_id, status, time.perf_counter() - begun))
        return status

    def _run_steps(self, steps: list[Step], problems: list[Problem]) -> Status:
        if self.job.strict and any(problem.kind != UNKNOWN_TYPE for problem in problems):
            return "invalid"
        told = _by_node(problems)
        for id in told.keys() - self.steps.keys():
            self._fail(id, told[id])
        for step in steps:
            if self.stop.is_set():
                self.emit(Stopped(self.job.run_id, step.node_id, "cancelled"))
                continue
            self._step(step, told)
            self._guard(step)
        if self.stop.is_set():
            return "cancelled"
        if not self.failed and not told:
            return "ok"
        if self.ran_or_reused:
            return "partial"
        return "invalid" if told else "failed"

    def _step(self, step: Step, told: Mapping[str, ErrorInfo]) -> None:
        id = step.node_id
        known = told.get(id) or self.job.failed.get(id)
        if known:
            self._fail(id, known)
            return
        blockers = [source for source in step.sources if source not in self.entries]
        if blockers:
            self.failed.add(id)
            self.emit(Stopped(self.job.run_id, id, "blocked", blockers[0]))
            return
        begun = time.perf_counter()
        try:
            self._keep(step, self._settle(step))
            self.ran_or_reused += 1
        except Cancelled:
            self.stop.set()
            self.emit(Stopped(self.job.run_id, id, "cancelled"))
        except Exception as error:
            self._fail(id, describe(error), time.perf_counter() - begun)

    def _keep(self, step: Step, entry: Entry) -> None:
        self.entries[step.node_id] = entry
        self._ledger.add(step.node_id, step.sources, step.credits(entry))

    def _guard(self, step: Step) -> None:
        """Keep the disk tier from evicting what later steps take, and the ends, which the person will look at."""
        for source in step.sources:
            if self._last_user[source] == step.node_id:
                self._live.pop(source, None)
        if step.node_id in self.entries:
            self._live[step.node_id] = self.entries[step.node_id]
        self.store.protect(digest for entry in self._live.values() for digest in entry.outputs.values())

    def _settle(self, step: Step) -> Entry:
        """Reuse what is stored, else call; then see that the files are where they belong."""
        inputs = self._inputs(step)
        key = self._key(step, inputs)
        entry = None if step.spec.volatile else self.store.lookup(key)
        if entry is not None and self._usable(step, entry):
            self._finished(step, key, entry, True)
            return entry
        return self._compute(step, key, inputs)

    def _usable(self, step: Step, entry: Entry) -> bool:
        """A target's bytes must be there to be looked at; files must be there, or written again from the store."""
        if {socket.name for socket in step.spec.outputs if not socket.optional} - set(entry.outputs):
            return False
        if not self.job.graph.out_of.get(step.node_id) and not self.store.has(entry.outputs.values()):
            return False
        if all(same_content(self.job.out / name, sha) for name, sha in entry.files):
            for name, _ in entry.files:
                self.emit(Wrote(self.job.run_id, step.node_id, name))
            return True
        try:
            self._deliver(step, {name: self.store.load(digest) for name, digest in entry.outputs.items()})
        except (KeyError, StoreDamaged):
            return False
        return True

    def _compute(self, step: Step, key: str, inputs: Mapping[str, str]) -> Entry:
        self.emit(Started(self.job.run_id, step.node_id))
        run = self._make_run(step)
        found, feeds = self._feeds(step)
        if found != inputs:
            key = self._key(step, found)
        absent = {socket.name: None for socket in step.spec.inputs if socket.optional}
        arguments = {**absent, **step.values(self.job.base), **_driven(step.spec, feeds)}
        self._gauge.begin()
        begun = time.perf_counter()
        try:
            result = self._call_with_room(step.spec, arguments, run)
            run.check()
        finally:
            if "scratch" in run.__dict__:
                shutil.rmtree(run.scratch, ignore_errors=True)
        seconds = time.perf_counter() - begun
        outputs = name_outputs(step.spec, result)
        files = file_list(outputs)
        credits = (*of_cards(needed(step.spec.models, arguments)), *run.said)
        entry = self.store.publish(key, step.spec.id, outputs, seconds, run.notes, files, self._gauge.peak(), credits)
        self._deliver(step, outputs)
        self._finished(step, key, entry, False)
        return entry

    def _call_with_room(self, spec: NodeSpec, arguments: dict[str, Any], run: Run) -> Any:
        """Call; when memory runs out, drop other models and try again, then with the node's cheaper setting."""
        try:
            return self.call(spec, arguments, run)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        make_room(self.models)
        self.store.release()
        try:
            return self.call(spec, arguments, run)
        except Exception as error:
            if not is_out_of_memory(error) or not spec.cheaper:
                raise
        make_room(self.models)
        words = ", ".join(f"{name} = {value}" for name, value in spec.cheaper.items())
        run.warn(f"Memory ran out; a cheaper setting was used: {words}.")
        return self.call(spec, {**arguments, **spec.cheaper}, run)

    def _key(self, step: Step, inputs: Mapping[str, str]) -> str:
        return step_key(step, inputs, self.job.base, self.store, self._credits(step))

    def _credits(self, step: Step) -> tuple[Credit, ...]:
        """Of everything before a step, for a node that asks for them."""
        return self._ledger.above(step.sources) if step.spec.credits else ()

    def _inputs(self, step: Step) -> dict[str, str]:
        """Content digest by feed; an optional output that its node did not give leaves the input empty."""
        found: dict[str, str] = {}
        for name, (source, output) in step.feeds.items():
            socket = step.spec.input(name)
            if output in self.entries[source].outputs:
                found[name] = self.entries[source].outputs[output]
            elif socket is None or not socket.optional:
                raise BadInput(f"{name!r} got nothing: the node before it gave no {output!r}.", "Link something else.")
        return found

    def _feeds(self, step: Step) -> tuple[dict[str, str], dict[str, Payload]]:
        """Digest and payload by feed, looked up anew when a maker had to run again and gave something else."""
        while True:
            inputs = self._inputs(step)
            feeds = {name: self._input(step, name, digest) for name, digest in inputs.items()}
            if self._inputs(step) == inputs:
                return inputs, feeds

    def _input(self, step: Step, name: str, digest: str) -> Payload:
        """What comes in; when its bytes were evicted or damaged, the step that made it runs again."""
        try:
            return self.store.load(digest)
        except (KeyError, StoreDamaged):
            source, output = step.feeds[name]
            maker = self.steps[source]
            feeds = self._inputs(maker)
            self._keep(maker, self._compute(maker, self._key(maker, feeds), feeds))
            self._guard(maker)
            return self.store.load(self.entries[source].outputs[output])

    def _deliver(self, step: Step, outputs: Mapping[str, Payload]) -> None:
        for name in deliver(outputs, self.job.out):
            self.emit(Wrote(self.job.run_id, step.node_id, name))

    def _make_run(self, step: Step) -> Run:
        job, id = self.job, step.node_id
        last = 0.0

        def say(fraction: float, note: str) -> None:
            self.emit(Progressed(job.run_id, id, fraction, note))

        def report(fraction: float, note: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_EVERY_S or fraction >= 1.0:
                last = now
                say(fraction, note)

        def show(payload: Payload) -> None:
            self.emit(Previewed(job.run_id, id, self.store.keep(payload)))

        if step.spec.wants_run and not self._graph_text:
            self._graph_text = dumps(travelling(job.graph, self.specs, job.base))
        log = logging.getLogger(f"polyloom.node.{id}")
        text, credits = self._graph_text, self._credits(step)
        return Run(report, show, self.models, self.stop, log, job.device, text, credits=credits, say=say)

    def _finished(self, step: Step, key: str, entry: Entry, reused: bool) -> None:
        outputs = tuple(entry.outputs.items())
        credits = step.credits(entry)
        self.emit(Finished(self.job.run_id, step.node_id, key, outputs, reused, entry.seconds, entry.notes, credits))

    def _fail(self, id: str, error: ErrorInfo, seconds: float = 0.0) -> None:
        self.failed.add(id)
        self.emit(Failed(self.job.run_id, id, error, seconds))


def name_outputs(spec: NodeSpec, result: Any) -> dict[str, Payload]:
    """Outputs by socket. Raises :class:`BadNode` when the function did not return what it declares."""
    single = len(spec.outputs) == 1 and not isinstance(result, tuple)
    values = (result,) if single else tuple(result or ())
    if len(values) != len(spec.outputs):
        raise BadNode(f"{spec.title} returned {len(values)} values for {len(spec.outputs)} outputs.", "Report this.")
    named: dict[str, Payload] = {}
    for socket, value in zip(spec.outputs, values, strict=True):
        if value is None and socket.optional:
            continue
        if not isinstance(value, socket.type):
            got = type(value).__name__
            raise BadNode(f"{spec.title} returned a {got} for {socket.name!r}.", "Report this to the node's author.")
        named[socket.name] = value
    return named


def describe(error: BaseException) -> ErrorInfo:
    """An exception in words. Memory errors of numpy and torch are recognised by name, without importing torch."""
    details = "".join(traceback.format_exception(error))
    if is_out_of_memory(error) and not isinstance(error, OutOfMemory):
        error = OutOfMemory(
            "There was not enough memory.", "Use a smaller size or resolution, or close other programs."
        )
    if isinstance(error, EngineError):
        return ErrorInfo(error.kind, error.message, error.advice, details)
    text = str(error).strip() or type(error).__name__
    return ErrorInfo("exception", f"{type(error).__name__}: {text}", "Copy the details into a report.", details)


def _driven(spec: NodeSpec, feeds: Mapping[str, Payload]) -> dict[str, Any]:
    """Arguments from links: payloads for inputs, checked plain values for parameters that a Number or Text drives."""
    arguments: dict[str, Any] = {}
    for name, payload in feeds.items():
        param = None if spec.input(name) else spec.param(name)
        if param is None:
            arguments[name] = payload
        elif isinstance(payload, Number):
            value: Any = round(payload.value) if param.type is int else payload.value
            arguments[name] = param.setting.check(value)
        elif isinstance(payload, Text):
            arguments[name] = param.setting.check(payload.value)
    return arguments


def _by_node(problems: list[Problem]) -> dict[str, ErrorInfo]:
    told: dict[str, ErrorInfo] = {}
    for problem in problems:
        before = told.get(problem.node)
        text = f"{before.message} {problem.message}" if before else problem.message
        told[problem.node] = ErrorInfo(before.kind if before else problem.kind, text)
    return told

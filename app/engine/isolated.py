"""Call a node function in a helper process that can be killed: native code that may hang or crash.

The helper stays for the next call and is replaced when it died. Arguments and results cross as pickles between two
processes of ours; nothing from a file is ever unpickled.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from app.engine.errors import Cancelled, Crashed, TimeLimit
from app.engine.executor import call_here
from app.engine.memory import LOST_GPU, is_lost_gpu, is_out_of_memory
from app.engine.processes import Child, words_for_exit
from app.engine.run import Run
from app.engine.spec import Isolated, NodeSpec

POLL_S = 0.05


class Helper:
    """A :data:`app.engine.executor.Call` that isolates the node types that ask for it and calls the others here."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def __call__(self, spec: NodeSpec, arguments: dict[str, Any], run: Run) -> Any:
        if spec.isolated is None:
            return call_here(spec, arguments, run)
        try:
            return self._call(spec, spec.isolated, arguments, run)
        except (Crashed, TimeLimit) as error:
            fallback = spec.isolated.fallback
            if fallback is None:
                raise
            run.warn(f"{error.message} Used the fallback instead: {_first_line(fallback)}")
            return fallback(run, **arguments) if spec.wants_run else fallback(**arguments)

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.connection.close()
            self._child = None

    def _call(self, spec: NodeSpec, isolated: Isolated, arguments: dict[str, Any], run: Run) -> Any:
        if self._child is None or self._child.process.poll() is not None:
            self.close()
            self._child = Child("call")
        child = self._child
        function = spec.call
        place = (function.__module__, function.__qualname__, function.__globals__.get("__file__"))
        device = run.wanted_device
        try:
            child.connection.send((place, arguments, spec.wants_run, device, run.graph_text, run.credits))
            return self._await(child, spec, isolated, run)
        except (EOFError, OSError):
            why = child.death()
            self.close()
            raise Crashed(f"{spec.title} crashed: its process {why}.", "Try a simpler input.") from None
        except (Cancelled, TimeLimit):
            self.close()
            raise
        except Exception as error:
            if is_out_of_memory(error) or is_lost_gpu(error):
                self.close()
            if is_lost_gpu(error):
                why = words_for_exit(LOST_GPU)
                raise Crashed(f"{spec.title} crashed: its process {why}.", "Try a simpler input.") from error
            raise

    def _await(self, child: Child, spec: NodeSpec, isolated: Isolated, run: Run) -> Any:
        last = time.monotonic()
        while True:
            if not child.connection.poll(POLL_S):
                run.check()
                if time.monotonic() - last > isolated.limit_s:
                    raise TimeLimit(
                        f"{spec.title} made no progress for {isolated.limit_s:g} s and was stopped.",
                        "Use a smaller or simpler input.",
                    )
                continue
            kind, *content = child.connection.recv()
            last = time.monotonic()
            if kind == "done":
                return content[0]
            if kind == "failed":
                raise content[0]
            _pass_on(run, kind, content)


def _pass_on(run: Run, kind: str, content: list[Any]) -> None:
    """What the node said on the way."""
    if kind == "progress":
        run.progress(*content)
    elif kind == "say":
        run.say(*content)
    elif kind == "preview":
        run.preview(content[0])
    elif kind == "note":
        run.warn(content[0])
    elif kind == "credit":
        run.credit(content[0])


def _first_line(function: Any) -> str:
    with contextlib.suppress(AttributeError, IndexError):
        return str(function.__doc__).strip().splitlines()[0]
    return str(function.__name__).replace("_", " ")

"""The other end of ``processes.Child``: ``graph`` runs graphs, ``call`` runs single isolated node functions."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import logging
import os
import pickle
import sys
import traceback
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from app.engine.errors import EngineError
from app.engine.events import Event
from app.engine.graph_thread import GraphThread
from app.engine.isolated import Helper
from app.engine.memory import LOST_GPU, is_lost_gpu
from app.engine.payloads import Payload
from app.engine.processes import connect_back
from app.engine.registry import load_file
from app.engine.run import Run, working
from app.engine.spec import NodeSpec


def main() -> None:
    faulthandler.enable(sys.stderr)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    role, connection = connect_back()
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        {"graph": _serve_graphs, "call": _serve_calls}[role](connection)
    os._exit(0)


def _serve_graphs(connection: Connection) -> None:
    """Commands in, events out. When the parent is gone, the process ends, whatever its graph thread does."""
    lock = Lock()

    def emit(event: Event) -> None:
        with lock:
            connection.send(event)

    helper = Helper()

    def call(spec: NodeSpec, arguments: dict[str, Any], run: Run) -> Any:
        try:
            return helper(spec, arguments, run)
        except Exception as error:
            if not is_lost_gpu(error):
                raise
            traceback.print_exc()
            os._exit(LOST_GPU)

    thread = GraphThread(connection.recv(), emit, call)
    try:
        while True:
            command, *content = connection.recv()
            getattr(thread, command)(*content)
            if command == "close":
                return
    finally:
        helper.close()


def _serve_calls(connection: Connection) -> None:
    while True:
        (module, name, file), arguments, wants_run, device, graph_text, credits = connection.recv()
        run = Run(
            report=lambda fraction, note: connection.send(("progress", fraction, note)),
            show=lambda payload: connection.send(("preview", payload)),
            wanted_device=device,
            graph_text=graph_text,
            notes=_Told(connection, "note"),
            credits=credits,
            said=_Told(connection, "credit"),
            say=lambda fraction, note: connection.send(("say", fraction, note)),
        )
        try:
            function = _find(module, name, file)
            with working(run):
                result = function(run, **arguments) if wants_run else function(**arguments)
            connection.send(("done", result if isinstance(result, Payload) else tuple(result)))
        except Exception as error:
            connection.send(("failed", _portable(error)))


class _Told(list[Any]):
    """Sends each remark or credit on as it is made."""

    def __init__(self, connection: Connection, kind: str) -> None:
        super().__init__()
        self._connection, self._kind = connection, kind

    def append(self, told: Any) -> None:
        super().append(told)
        self._connection.send((self._kind, told))


def _find(module: str, name: str, file: str | None) -> Any:
    loaded = load_file(file, module) if module.startswith("polyloom_own_") and file else importlib.import_module(module)
    return getattr(loaded, name)


def _portable(error: Exception) -> Exception:
    """The error itself when it survives pickling, else its words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return EngineError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()

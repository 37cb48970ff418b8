"""Start a child process of ours and talk with it over an authenticated local connection."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from queue import Empty, Queue

from app.engine.errors import Crashed
from app.engine.memory import LOST_GPU

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A Python process that runs ``app.engine.child`` in a ``role``. Raises :class:`Crashed` when it does not start."""

    def __init__(self, role: str) -> None:
        key = secrets.token_bytes(32)
        listener = Listener(authkey=key)
        hello = {"address": listener.address, "key": key.hex(), "role": role, "path": sys.path}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.engine.child"],
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=os.name == "posix",  # Ctrl+C goes to the parent alone, which cancels in order
        )
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(hello).encode() + b"\n")
            self.process.stdin.close()
        except OSError:
            pass
        self.connection = self._accept(listener)
        listener.close()

    def kill(self) -> None:
        """End it at once, also in the middle of native code."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def death(self) -> str:
        """Why it ended, in words."""
        try:
            return words_for_exit(self.process.wait(5))
        except subprocess.TimeoutExpired:
            return "stopped answering"

    def _accept(self, listener: Listener) -> Connection:
        accepted: Queue[Connection] = Queue()
        threading.Thread(target=lambda: accepted.put(listener.accept()), daemon=True).start()
        while True:
            try:
                return accepted.get(timeout=0.05)
            except Empty:
                if self.process.poll() is not None:
                    raise Crashed(
                        f"The worker process {words_for_exit(self.process.returncode)} while starting.",
                        "Start it with --in-process to see why.",
                    ) from None


def python_path() -> str:
    """``PYTHONPATH`` for a Python of ours. An empty entry would be the current folder, and any file there a module."""
    return os.pathsep.join([str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])


def connect_back() -> tuple[str, Connection]:
    """In the child: (role, connection), from what the parent wrote to standard input."""
    hello = json.loads(sys.stdin.buffer.readline())
    sys.path[:] = hello["path"] + [entry for entry in sys.path if entry not in hello["path"]]
    return hello["role"], Client(hello["address"], authkey=bytes.fromhex(hello["key"]))


def words_for_exit(code: int) -> str:
    """An exit status in words: "was ended by a segmentation fault"."""
    if code == LOST_GPU:
        return "lost the GPU: an error that only a fresh process clears"
    if code >= 0:
        return f"ended with exit status {code}"
    known = {
        signal.SIGSEGV: "was ended by a segmentation fault",
        signal.SIGABRT: "aborted itself",
        getattr(signal, "SIGKILL", None): "was killed, probably because memory ran out",
        getattr(signal, "SIGBUS", None): "was ended by a bus error",
        signal.SIGFPE: "was ended by an arithmetic error",
        signal.SIGILL: "was ended by an illegal instruction",
        signal.SIGTERM: "was told to end",
    }
    try:
        sent: signal.Signals | None = signal.Signals(-code)
    except ValueError:
        sent = None
    return known.get(sent, f"was ended by signal {-code}")


def _has_fileno(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return True

"""A server on this machine that publishes one file, as badly as a test wants."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.engine.weights import WeightCard, WeightFile

CONTENT = bytes(range(256)) * 3000
REVISION = "0123456789abcdef0123456789abcdef01234567"


def file_of(content: bytes = CONTENT, name: str = "toy.bin") -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


def card_at(url: str, *files: WeightFile) -> WeightCard:
    return WeightCard("people/toy", "v1", files or (file_of(),), "MIT", "Toy licence", 0.1, name="toy", url=url)


class Server(ThreadingHTTPServer):
    """Serves CONTENT under every path, in ranges; ``content``, ``cut`` and ``fail`` make it misbehave.

    ``gate``: when it is clear, an answer stops after its first ``held`` bytes until it is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.content, self.cut, self.fail, self.ranges = CONTENT, 0, 0, True
        self.asked: list[str] = []
        self.paths: list[str] = []
        self.gate, self.held = threading.Event(), 300_000
        self.gate.set()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append(f"{self.command} {wanted}".strip())
        server.paths.append(self.path)
        if server.fail:
            server.fail -= 1
            self.send_error(503)
            return
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and server.ranges else 0
        data = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.send_header("ETag", f'"{hashlib.sha256(server.content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self._send(data[: server.cut] if server.cut else data)

    def _send(self, data: bytes) -> None:
        try:
            if not self.server.gate.is_set():
                self.wfile.write(data[: self.server.held])
                self.wfile.flush()
                data = data[self.server.held :]
                self.server.gate.wait(20)
            self.wfile.write(data)
        except OSError:  # whoever asked has left
            return

    def log_message(self, *_: object) -> None:
        return None


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()

"""One HTTP exchange that Cancel and a time limit can end at any moment."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from app.engine import ServiceFailed

POLL_S = 0.1
PART = 1 << 16
MOST_BYTES = 256_000_000


@dataclass(frozen=True)
class Request:
    """``headers`` may hold a key: a request is never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """``headers``: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Unreachable(ServiceFailed):
    """No connection came about: nothing was sent, so that asking again is safe."""


@dataclass
class _Exchange:
    connection: http.client.HTTPConnection
    request: Request
    answer: Answer | None = None
    error: Exception | None = None
    sent: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.connection.connect()
            self.sent = True
            self.connection.request(
                self.request.method, _path(self.request.url), self.request.body or None, dict(self.request.headers)
            )
            with self.connection.getresponse() as response:
                headers = {name.lower(): value for name, value in response.getheaders()}
                self.answer = Answer(response.status, headers, _body(response))
        except Exception as error:
            self.error = error
        finally:
            self.connection.close()
            self.done.set()

    def end(self) -> None:
        """From another thread: whatever it waits for comes to an end."""
        try:
            if self.connection.sock is not None:
                self.connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class _TooLarge(Exception):
    pass


def exchange(request: Request, seconds: float, waiting: Callable[[float], None]) -> Answer:
    """Send and wait. ``waiting``: called ten times a second with the seconds gone by; what it raises ends the wait.

    Redirections are handed back, not followed. Raises :class:`ServiceFailed` in words, :class:`Unreachable` when no
    connection came about.
    """
    host = urlsplit(request.url).hostname or ""
    job = _Exchange(_connection(request.url, seconds), request)
    begun = time.monotonic()
    threading.Thread(target=job.run, name="picture-service", daemon=True).start()
    try:
        while not job.done.wait(POLL_S):
            gone = time.monotonic() - begun
            waiting(gone)
            if gone > seconds:
                raise too_late(host, seconds)
    finally:
        if not job.done.is_set():
            job.end()
    if job.answer is None:
        raise _failed(host, job, seconds)
    return job.answer


def too_late(host: str, seconds: float) -> ServiceFailed:
    return ServiceFailed(f"{host} gave no answer within {seconds:.0f} s.", "Raise the time limit, or try again later.")


def _failed(host: str, job: _Exchange, seconds: float) -> ServiceFailed:
    error = job.error
    if isinstance(error, _TooLarge):
        return ServiceFailed(
            f"{host} sent more than {MOST_BYTES // 1_000_000} MB.", "Ask for fewer or smaller pictures."
        )
    if isinstance(error, TimeoutError) and job.sent:
        return too_late(host, seconds)
    if not job.sent:
        return Unreachable(f"{host} cannot be reached ({_reason(error)}).", "Check the address and the connection.")
    return ServiceFailed(
        f"{host} broke the connection off ({_reason(error)}).",
        "Run again; the service may have counted this request all the same.",
    )


def _reason(error: Exception | None) -> str:
    """What the system says of an error, without what was sent."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__).strip()


def _connection(url: str, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port or 80, timeout=seconds)
    proxy = urlsplit("" if proxy_bypass(host) else getproxies().get("https", ""))
    if not proxy.hostname:
        return http.client.HTTPSConnection(host, port or 443, timeout=seconds)
    through = http.client.HTTPSConnection(proxy.hostname, proxy.port or 8080, timeout=seconds)
    account = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
    own = {"Proxy-Authorization": "Basic " + base64.b64encode(account.encode()).decode()} if proxy.username else {}
    through.set_tunnel(host, port or 443, own)
    return through


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _body(response: http.client.HTTPResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read(PART):
        size += len(part)
        if size > MOST_BYTES:
            raise _TooLarge
        parts.append(part)
    if response.length:
        raise http.client.IncompleteRead(b"")
    return b"".join(parts)

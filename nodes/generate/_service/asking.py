"""Ask an image service, patiently, and fetch the pictures it made."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from app.engine import BadFile, Image, Run, ServiceFailed
from nodes.generate._service import images_api as api
from nodes.generate._service.address import LOOPBACK, Service
from nodes.generate._service.http import Answer, Request, Unreachable, exchange, too_late
from nodes.io._pictures import read_picture

ATTEMPTS, UNREACHED = 5, 2
HOPS = 3
USUAL_S = 30.0
MOST_PICTURES = 16


@dataclass
class Asker:
    """One request of a node with all its tries. ``seconds``: for all of it together."""

    run: Run
    service: Service
    seconds: float
    _begun: float = field(default_factory=time.monotonic)

    def pictures(self, request: Request) -> list[Image]:
        """Raises :class:`ServiceFailed` in words."""
        answer = api.answered(self._patiently(request), self.service)
        self._tell(answer)
        items = answer["data"][:MOST_PICTURES]
        made = []
        for number, item in enumerate(items):
            self.run.progress(0.9 + 0.1 * number / len(items), "reading the pictures")
            data = api.inline(item, self.service)
            made.append(self._decoded(self._fetched(api.place(item, self.service)) if data is None else data, number))
        return made

    def _left(self) -> float:
        left = self.seconds - (time.monotonic() - self._begun)
        if left <= 0:
            raise too_late(self.service.host, self.seconds)
        return left

    def _patiently(self, request: Request) -> Answer:
        """The answer, after as many tries as a passing trouble needs."""
        for attempt in range(ATTEMPTS):
            try:
                answer = exchange(request, self._left(), self._waiting(f"waiting for {self.service.host}"))
                if attempt == ATTEMPTS - 1 or not api.may_ask_again(answer):
                    return answer
                self._pause(api.pause(answer, attempt), f"status {answer.status}", api.refusal(answer, self.service))
            except Unreachable as error:
                if attempt == UNREACHED:
                    raise
                self._pause(api.pause(None, attempt), "no connection", error)
        raise AssertionError("the last try returns or raises")

    def _pause(self, seconds: float, why: str, trouble: ServiceFailed) -> None:
        if seconds > self._left():
            raise trouble
        self.run.log.info("%s: %s, next try in %.0f s", self.service.host, why, seconds)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._waiting(f"{self.service.host}: {why}, next try soon")(time.monotonic() - self._begun)
            self.run.stop.wait(min(0.1, max(until - time.monotonic(), 0)))

    def _waiting(self, note: str) -> Callable[[float], None]:
        """Nobody knows how long it takes: the bar nears 0.9 and never gets there."""

        def told(_: float) -> None:
            gone = time.monotonic() - self._begun
            self.run.progress(0.9 * (1 - math.exp(-gone / USUAL_S)), note)

        return told

    def _fetched(self, url: str) -> bytes:
        """A picture from where the service put it. The key does not go along, wherever that is."""
        for _ in range(HOPS + 1):
            _check_place(url, self.service)
            answer = exchange(Request("GET", url, {"User-Agent": "polyloom"}), self._left(), self._waiting("fetching"))
            if 300 <= answer.status < 400 and answer.headers.get("location"):
                url = urljoin(url, answer.headers["location"])
                continue
            if answer.status != 200:
                break
            return answer.body
        raise ServiceFailed("The finished picture cannot be fetched from where the service put it.", "Run again.")

    def _decoded(self, data: bytes, number: int) -> Image:
        path = self.run.scratch / f"answer {number + 1}"
        path.write_bytes(data)
        try:
            return Image(read_picture(path).pixels)
        except BadFile as error:
            said = f"{self.service.host} sent something that is no picture: {error.message}"
            raise ServiceFailed(said, "Run again.") from None
        finally:
            path.unlink()

    def _tell(self, answer: dict[str, object]) -> None:
        usage, first = answer.get("usage"), answer["data"][0]  # type: ignore[index]
        told = first.get("revised_prompt") if isinstance(first, dict) else None
        if isinstance(usage, dict) and isinstance(usage.get("total_tokens"), int):
            self.run.warn(f"The service counted {usage['total_tokens']:,} tokens for this.")
        if isinstance(told, str) and told.strip():
            self.run.warn(f"The service worked from other words: {told.strip()[:400]}")


def _check_place(url: str, service: Service) -> None:
    """Only https, or plain http to this machine where the service itself is on it."""
    parts = urlsplit(url)
    local = (parts.hostname or "") in LOOPBACK
    if (
        not parts.hostname
        or (local and not service.here)
        or parts.scheme not in ("https", *(["http"] if local else []))
    ):
        raise ServiceFailed("The service put the picture where it is not fetched from.", "Ask for the picture itself.")

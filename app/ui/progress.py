"""How far a run is and how long it may still take. Pure arithmetic over events; the clock is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.events import Event, Failed, Finished, Progressed, RunStarted, Started, Stopped

UNKNOWN_S = 1.0


class Progress:
    """``expected``: seconds by node, from earlier runs; a node that never ran weighs as much as the average one."""

    def __init__(self, expected: Mapping[str, float], now: float) -> None:
        known = [s for s in expected.values() if s > 0]
        self._usual = sum(known) / len(known) if known else UNKNOWN_S
        self._expected = expected
        self._started = now
        self._part: dict[str, float] = {}
        self._total = self._gone = 0.0
        self._ended = 0
        self.current = ""
        self.note = ""

    def event(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._part = dict.fromkeys(event.nodes, 0.0)
            self._total = sum(map(self._weight, self._part))
        elif isinstance(event, Started):
            self.current, self.note = event.node_id, ""
        elif isinstance(event, Progressed):
            self._move(event.node_id, event.fraction)
            self.current, self.note = event.node_id, event.note
        elif isinstance(event, Finished | Failed | Stopped):
            self._ended += self._part.get(event.node_id) != 1.0
            self._move(event.node_id, 1.0)

    @property
    def fraction(self) -> float:
        """0..1 over all nodes, each weighed by its expected time."""
        return min(1.0, self._gone / self._total) if self._total else 0.0

    @property
    def done(self) -> tuple[int, int]:
        """(nodes that ended, nodes in all)."""
        return self._ended, len(self._part)

    def left(self, now: float) -> float | None:
        """Seconds still to go, or None while too little is known to say."""
        elapsed, fraction = now - self._started, self.fraction
        if elapsed < 2 or fraction < 0.05:
            return None
        return elapsed * (1 - fraction) / fraction

    def _move(self, id: str, part: float) -> None:
        self._gone += self._weight(id) * (part - self._part.get(id, 0.0))
        self._part[id] = part

    def _weight(self, id: str) -> float:
        return max(self._expected.get(id, self._usual), 0.01)


def in_words(seconds: float) -> str:
    """``5 s``, ``25 s``, ``3 min``, ``1 h 10 min``: as exact as an estimate deserves."""
    if seconds < 90:
        return f"{max(1, round(seconds / 5)) * 5} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

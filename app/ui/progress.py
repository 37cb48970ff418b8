"""How far a run is and how long it may still take. Pure arithmetic over events; the clock is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.events import Event, Failed, Finished, Progressed, RunFinished, RunStarted, Started, Stopped

UNKNOWN_S = 1.0
LEAST_S = 0.01
LATE = 0.05


class Progress:
    """``expected``: seconds by node, learned from earlier runs of its type on this machine; 0 for a result that is
    there already. A node that is not in it weighs as much as the average one."""

    def __init__(self, expected: Mapping[str, float]) -> None:
        known = [s for s in expected.values() if s > 0]
        self._usual = sum(known) / len(known) if known else UNKNOWN_S
        self._expected = expected
        self._begun = False
        self._node_begun = 0.0
        self._part: dict[str, float] = {}
        self._total = self._gone = self._most = 0.0
        self._ended: set[str] = set()
        self.current = ""
        self.note = ""

    def event(self, event: Event, now: float) -> None:
        """``now``: seconds of a clock that never goes back. Time starts with the run, not while it waits its turn."""
        if isinstance(event, RunStarted):
            self._begun = True
            self._part = dict.fromkeys(event.nodes, 0.0)
            self._total = sum(map(self._weight, self._part))
        elif isinstance(event, Started):
            self.current, self.note, self._node_begun = event.node_id, "", now
        elif isinstance(event, Progressed):
            self._move(event.node_id, event.fraction)
            self.current, self.note = event.node_id, event.note
        elif isinstance(event, Finished | Failed | Stopped):
            self._ended |= {event.node_id} & self._part.keys()
            self._move(event.node_id, 1.0)
        elif isinstance(event, RunFinished) and event.status != "cancelled":
            self._most = 1.0

    @property
    def fraction(self) -> float:
        """0..1 over all nodes, each weighed by its expected time; never falls, and is 1 when the run is over."""
        return self._most

    @property
    def done(self) -> tuple[int, int]:
        """(nodes that ended, nodes in all)."""
        return len(self._ended), len(self._part)

    def left(self, now: float) -> float | None:
        """Seconds still to go, or None while too little is known to say.

        A node to come takes what its type took before, or as long as the usual node; the present one, when its type
        was never timed, goes on at its own pace.
        """
        if not self._begun:
            return None
        times = [self._node_left(id, now) for id, part in self._part.items() if part < 1.0]
        known = [time for time in times if time is not None]
        return sum(known) if len(known) == len(times) else None

    def _node_left(self, id: str, now: float) -> float | None:
        whole, part, spent = self._expected.get(id), self._part[id], now - self._node_begun
        if id != self.current:
            return (self._usual if whole is None else whole) * (1 - part)
        if whole is None:
            return spent * (1 - part) / part if spent >= 2 and part >= LATE else None
        return whole * (1 - part) if part else max(whole - spent, whole * LATE)

    def _move(self, id: str, part: float) -> None:
        before = self._part.get(id)
        if before is not None and part > before:
            self._gone += self._weight(id) * (part - before)
            self._part[id] = part
            self._most = max(self._most, min(1.0, self._gone / self._total))

    def _weight(self, id: str) -> float:
        return max(self._expected.get(id, self._usual), LEAST_S)


def in_words(seconds: float) -> str:
    """``5 s``, ``25 s``, ``3 min``, ``1 h 10 min``: as exact as an estimate deserves."""
    if seconds < 90:
        return f"{max(1, round(seconds / 5)) * 5} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

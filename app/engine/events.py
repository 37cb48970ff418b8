"""What a run tells the world: frozen, picklable, small.

Payloads never ride on an event; who wants one asks the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.engine.credits import Credit

State = Literal["ran", "reused", "skipped", "failed", "blocked", "cancelled"]
Status = Literal["ok", "partial", "failed", "cancelled", "invalid"]


@dataclass(frozen=True)
class ErrorInfo:
    """An error in words. ``details``: the traceback, for a report."""

    kind: str
    message: str
    advice: str = ""
    details: str = ""


@dataclass(frozen=True)
class RunStarted:
    run_id: int
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Started:
    run_id: int
    node_id: str


@dataclass(frozen=True)
class Progressed:
    """``fraction``: 0..1 of this node, never falling. ``note``: what is being done, a few words."""

    run_id: int
    node_id: str
    fraction: float
    note: str = ""


@dataclass(frozen=True)
class Previewed:
    """An intermediate result waits in the store under ``digest``."""

    run_id: int
    node_id: str
    digest: str


@dataclass(frozen=True)
class Finished:
    """``outputs``: socket -> content digest. ``notes``: remarks such as "used the fallback", kept with the result.

    ``credits``: what this step itself was made from.
    """

    run_id: int
    node_id: str
    key: str
    outputs: tuple[tuple[str, str], ...]
    reused: bool
    seconds: float
    notes: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True)
class Failed:
    run_id: int
    node_id: str
    error: ErrorInfo
    seconds: float = 0.0


@dataclass(frozen=True)
class Stopped:
    """A node that did not run: blocked by one that failed, or cancelled."""

    run_id: int
    node_id: str
    state: Literal["blocked", "cancelled"]
    because: str = ""


@dataclass(frozen=True)
class Wrote:
    """A file was written, or was there already with the same content. ``path`` is relative to the output folder."""

    run_id: int
    node_id: str
    path: str


@dataclass(frozen=True)
class RunFinished:
    run_id: int
    status: Status
    seconds: float


Event = RunStarted | Started | Progressed | Previewed | Finished | Failed | Stopped | Wrote | RunFinished

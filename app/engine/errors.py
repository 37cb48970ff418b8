"""Every error that the engine raises on purpose.

Each says what happened and, in ``advice``, what the person can do now; the window and the report show both as they
stand. ``kind`` is the short stable word that reports and tests use.
"""

from __future__ import annotations

from collections.abc import Sequence


class EngineError(Exception):
    """Root of all named errors.

    ``message``: what happened, one sentence. ``advice``: what to do now, one sentence, or empty.
    """

    kind = "error"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.advice)


class BadNode(EngineError):
    """A node type is declared wrongly. Raised while node types are collected, never during a run."""

    kind = "bad-node"


class BadParam(EngineError):
    """A parameter value has the wrong type, is out of range or is not in the list."""

    kind = "bad-param"


class BadInput(EngineError):
    """A node was given something it cannot work on: an empty mesh, a file that is not a picture, NaN vertices."""

    kind = "bad-input"


class BadFile(BadInput):
    """A file is missing, unreadable, damaged, too large or not of the expected format."""

    kind = "bad-file"


class BadPayload(EngineError):
    """A payload was built from arrays that break its contract (shape, dtype, range)."""

    kind = "bad-payload"


class BadGraphFile(EngineError):
    """A ``.graph`` file cannot be read at all: not JSON, cut short, or not a graph."""

    kind = "bad-graph-file"


class MissingNode(EngineError):
    """The graph names a node type that is not installed."""

    kind = "missing-node"


class MissingWeights(EngineError):
    """A node needs model files that are not on this machine."""

    kind = "missing-weights"


class MissingKey(EngineError):
    """A service on the network wants a key, or the person's trust in its address, and neither is here."""

    kind = "missing-key"


class ServiceFailed(EngineError):
    """A service on the network refused, failed, sent something unusable, or gave no answer in time."""

    kind = "service-failed"


class CannotFetch(EngineError):
    """Model files could not be downloaded: no connection, offline by choice, refused, or the disk is too small."""

    kind = "cannot-fetch"


class CannotWrite(EngineError):
    """A result could not be written: no permission, full disk, or a place outside the chosen folder."""

    kind = "cannot-write"


class StoreDamaged(EngineError):
    """A stored result does not match its checksum. The engine forgets it and runs the node again."""

    kind = "store-damaged"


class OutOfMemory(EngineError):
    """The machine or the GPU ran out of memory."""

    kind = "out-of-memory"


class TimeLimit(EngineError):
    """An isolated node took longer than its time limit and was stopped."""

    kind = "time-limit"


class Crashed(EngineError):
    """Native code ended the process that a node ran in (segmentation fault, killed for memory)."""

    kind = "crashed"


class Cancelled(EngineError):
    """The person asked the run to stop."""

    kind = "cancelled"

    def __init__(self, message: str = "Cancelled.", advice: str = "") -> None:
        super().__init__(message, advice)


class InvalidGraph(EngineError):
    """The graph cannot run as it is. ``problems`` lists everything that is wrong, at once."""

    kind = "invalid"

    def __init__(self, message: str, advice: str = "", problems: Sequence[object] = ()) -> None:
        super().__init__(message, advice)
        self.problems = tuple(problems)

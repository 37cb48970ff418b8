"""Loaded models: kept between runs, least recently used out when the memory budget is passed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any


@dataclass
class _Loaded:
    model: Any
    gigabytes: float
    users: int = 0


class ModelPool:
    """``with pool.use("triposr fp16 cuda", load, gigabytes=3.0) as model:`` loads once and keeps the model warm.

    ``budget_gb`` bounds the declared sum of loaded models; a model in use is never dropped.
    """

    def __init__(self, budget_gb: float = 8.0) -> None:
        self.budget_gb = budget_gb
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def use(self, name: str, load: Callable[[], Any], gigabytes: float) -> Iterator[Any]:
        with self._lock:
            entry = self._loaded.get(name)
            if entry is None:
                self._make_room(gigabytes)
                entry = self._loaded[name] = _Loaded(load(), gigabytes)
            self._loaded.move_to_end(name)
            entry.users += 1
        try:
            yield entry.model
        finally:
            entry.users -= 1

    def names(self) -> tuple[str, ...]:
        """What is loaded, least recently used first."""
        return tuple(self._loaded)

    def release(self) -> None:
        """Drop every model that no node is using."""
        with self._lock:
            for name in [n for n, e in self._loaded.items() if not e.users]:
                del self._loaded[name]

    def _make_room(self, needed: float) -> None:
        for name in list(self._loaded):
            if needed + sum(e.gigabytes for e in self._loaded.values()) <= self.budget_gb:
                return
            if not self._loaded[name].users:
                del self._loaded[name]

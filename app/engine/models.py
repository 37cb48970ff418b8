"""Loaded models: kept between runs and shared by nodes, least recently used out when a device's budget is passed."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from app.engine.placement import total_gb

SHARE = {"cpu": 0.5, "cuda": 0.85, "mps": 0.6}
UNKNOWN_BUDGET_GB = 8.0
POLL_S = 0.05


def _go_on() -> None:
    return None


@dataclass
class _Loaded:
    held: dict[str, float]
    model: Any = None
    ready: bool = False
    users: int = 0
    loading: Lock = field(default_factory=Lock)


class ModelPool:
    """``with pool.use("triposr fp16 cuda", load, gigabytes=3.0) as model:`` loads once and keeps the model warm.

    The name says everything that decides the model's content, so nodes that use equal names share it.
    ``budget_gb`` bounds what loaded models hold on each device; None: a share of the device's memory. A model in use
    is never dropped. What a model holds is measured once it is loaded.
    """

    def __init__(self, budget_gb: float | None = None) -> None:
        self.budget_gb = budget_gb
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def use(
        self, name: str, load: Callable[[], Any], gigabytes: float, check: Callable[[], None] = _go_on
    ) -> Iterator[Any]:
        """``gigabytes``: expected, to make room before loading. ``check``: a stop point while waiting and loading."""
        entry = self._claim(name, gigabytes)
        try:
            with _held(entry.loading, check):
                if not entry.ready:
                    check()
                    self._fill(entry, load())
            yield entry.model
        finally:
            with self._lock:
                entry.users -= 1
                if not entry.ready and not entry.users and self._loaded.get(name) is entry:
                    del self._loaded[name]

    def names(self) -> tuple[str, ...]:
        """What is loaded, least recently used first."""
        return tuple(name for name, entry in self._loaded.items() if entry.ready)

    def held_gb(self, device: str) -> float:
        """What all loaded models hold on a device, in gigabytes."""
        return sum(entry.held.get(device, 0.0) for entry in list(self._loaded.values()))

    def idle_gb(self, device: str) -> float:
        """What models that no node is using hold on a device: it is free as soon as it is needed."""
        with self._lock:
            return sum(entry.held.get(device, 0.0) for entry in self._loaded.values() if not entry.users)

    def release(self) -> None:
        """Drop every model that no node is using."""
        with self._lock:
            for name in [n for n, e in self._loaded.items() if not e.users]:
                del self._loaded[name]
        _give_back()

    def _claim(self, name: str, gigabytes: float) -> _Loaded:
        with self._lock:
            entry = self._loaded.get(name)
            if entry is None:
                device = _device_in(name)
                self._make_room(gigabytes, device)
                entry = self._loaded[name] = _Loaded({device: gigabytes})
            self._loaded.move_to_end(name)
            entry.users += 1
            return entry

    def _fill(self, entry: _Loaded, model: Any) -> None:
        entry.model = model
        measured = model_bytes(model)
        if measured:
            entry.held = {device: count / 1e9 for device, count in measured.items()}
        entry.ready = True

    def _make_room(self, needed: float, device: str) -> None:
        budget = self.budget_gb
        if budget is None:
            total = total_gb(device)
            budget = UNKNOWN_BUDGET_GB if total is None else total * SHARE[device]
        dropped = False
        for name in list(self._loaded):
            if needed + self.held_gb(device) <= budget:
                break
            if device in self._loaded[name].held and not self._loaded[name].users:
                del self._loaded[name]
                dropped = True
        if dropped:
            _give_back()


def model_bytes(model: Any) -> dict[str, int]:
    """Bytes by device of the tensors in torch modules, alone, in containers, or as the components of a pipeline."""
    found: dict[int, tuple[str, int]] = {}
    waiting, seen = [model], set[int]()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if callable(getattr(item, "parameters", None)) and callable(getattr(item, "buffers", None)):
            found.update({id(t): (t.device.type, t.numel() * t.element_size()) for t in _tensors(item)})
        else:
            waiting += _parts(item)
    total: dict[str, int] = {}
    for device, count in found.values():
        total[device] = total.get(device, 0) + count
    return total


def _parts(item: Any) -> Iterable[Any]:
    """What may hold modules in turn: a container's items, a pipeline's components, the fields of a holder."""
    if isinstance(item, Mapping):
        return item.values()
    if isinstance(item, tuple | list):
        return item
    if isinstance(components := getattr(item, "components", None), Mapping):
        return components.values()
    own = type(item).__module__.partition(".")[0] in ("nodes", "spandrel")
    return vars(item).values() if own and hasattr(item, "__dict__") else ()


def _tensors(module: Any) -> Iterable[Any]:
    yield from module.parameters()
    yield from module.buffers()


def _device_in(name: str) -> str:
    """The device that a model's name speaks of."""
    words = name.split()
    return next((device for device in SHARE if device in words), "cpu")


def _give_back() -> None:
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _held(lock: Lock, check: Callable[[], None]) -> Iterator[None]:
    """The lock, with stop points while another thread has it."""
    while not lock.acquire(timeout=POLL_S):
        check()
    try:
        yield
    finally:
        lock.release()

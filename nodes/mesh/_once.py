"""An attribute that is computed when it is first asked for, without a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class once(Generic[Value]):
    """As ``functools.cached_property``, which before Python 3.12 holds one lock for all objects of a class while it
    computes: what threads do side by side, each with an object of its own, would go in turn. An object of these is for
    one thread.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: Any, kind: type | None = None) -> Value:
        value = self._make(holder)
        holder.__dict__[self._name] = value
        return value

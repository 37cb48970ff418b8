"""Numba's types as text, in full, and back again without running any text. Numba's own names of long types are cut."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Sequence
from typing import Any

from numba import types  # noqa: TID253


def written(kind: Any) -> str:
    """In full, such as ``Array(float64, 2, 'C', False, aligned=True)``; the same in every process."""
    if isinstance(kind, types.BaseNamedTuple):
        own = kind.instance_class
        return f"named({', '.join([repr(f'{own.__module__}.{own.__qualname__}'), *map(written, kind)])})"
    if isinstance(kind, types.BaseTuple):
        return f"tuple({', '.join(map(written, kind))})"
    return repr(kind)


def kinds_of(texts: Sequence[str]) -> tuple[Any, ...] | None:
    """None where one of them is none of those that loops are called with: numbers, arrays of them, tuples, defaults."""
    try:
        return tuple(_kind(ast.parse(text, mode="eval").body) for text in texts if text)
    except (SyntaxError, ValueError, ImportError, AttributeError):
        return None


def _kind(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        found = getattr(types, node.id, None)
        if isinstance(found, types.Type):
            return found
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        given = node.args
        match node.func.id:
            case "Array":
                dims, layout, fixed = (ast.literal_eval(part) for part in given[1:])
                aligned = ast.literal_eval(node.keywords[0].value)
                return types.Array(_kind(given[0]), dims, layout, readonly=fixed, aligned=aligned)
            case "tuple":
                return types.BaseTuple.from_types([_kind(part) for part in given])
            case "named":
                return types.BaseTuple.from_types([_kind(part) for part in given[1:]], _own(given[0]))
            case "omitted":
                return types.Omitted(ast.literal_eval(node.keywords[0].value))
    raise ValueError(ast.dump(node))


def _own(name: ast.expr) -> type[Any]:
    """A named tuple of one of our modules."""
    module, _, own = str(ast.literal_eval(name)).rpartition(".")
    if not module.startswith("nodes."):
        raise ValueError(module)
    found = getattr(importlib.import_module(module), own)
    if not (isinstance(found, type) and issubclass(found, tuple)):
        raise ValueError(own)
    return found

"""Numba's types from the way numba writes them, without running any text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from numba import types  # noqa: TID253


def kinds_of(texts: Sequence[str]) -> tuple[Any, ...] | None:
    """None where one of them is none of those that loops are called with: numbers, arrays of them, tuples, defaults."""
    try:
        return tuple(_kind(ast.parse(text, mode="eval").body) for text in texts if text)
    except (SyntaxError, ValueError):
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
            case "UniTuple":
                return types.UniTuple(_kind(given[0]), ast.literal_eval(given[1]))
            case "Tuple" if isinstance(given[0], ast.Tuple):
                return types.Tuple([_kind(part) for part in given[0].elts])
            case "omitted":
                return types.Omitted(ast.literal_eval(node.keywords[0].value))
    raise ValueError(ast.dump(node))

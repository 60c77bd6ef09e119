"""Nested lists, tuples and dicts: take the leaves out, put them back. Imports nothing of lamina."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def flatten(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order.

    >>> flatten({"a": 1, "b": [2, (3, None)]})
    [1, 2, 3, None]
    """
    if isinstance(structure, dict):
        return [leaf for value in structure.values() for leaf in flatten(value)]
    if isinstance(structure, (list, tuple)):
        return [leaf for value in structure for leaf in flatten(value)]
    return [structure]


def unflatten(structure: Any, leaves: Iterator[Any]) -> Any:
    """A structure of the same form whose leaves are taken from ``leaves``.

    >>> unflatten([0, (0, 0)], iter("abc"))
    ['a', ('b', 'c')]
    """
    if isinstance(structure, dict):
        return {key: unflatten(value, leaves) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        values = [unflatten(value, leaves) for value in structure]
        if isinstance(structure, list):
            return values
        return type(structure)(*values) if hasattr(structure, "_fields") else tuple(values)
    return next(leaves)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """``function`` applied to each leaf, the structure kept.

    >>> map_structure(str, {"a": [1, 2]})
    {'a': ['1', '2']}
    """
    return unflatten(structure, map(function, flatten(structure)))

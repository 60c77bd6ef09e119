"""Writing into arrays. The standard has it; a namespace whose arrays never change says how they are made anew.

Such a namespace has a function ``updated(array, key, value, added)``, which gives the array with ``value`` at ``key``,
or with what is there and ``value`` if ``added``.
"""

from __future__ import annotations

from typing import Any


def put(xp: Any, array: Any, key: Any, value: Any) -> Any:
    """The array with a value at a key; it may be the same array."""
    updated = getattr(xp, "updated", None)
    if updated is not None:
        return updated(array, key, value, False)
    array[key] = value
    return array


def add(xp: Any, array: Any, key: Any, value: Any) -> Any:
    """The array with a value added at a key; it may be the same array."""
    updated = getattr(xp, "updated", None)
    if updated is not None:
        return updated(array, key, value, True)
    array[key] += value
    return array

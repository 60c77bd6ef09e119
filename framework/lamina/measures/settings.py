"""Settings of losses and metrics, checked by name."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.shapes import as_bool, as_float, as_int


def share(value: Any, name: str) -> float:
    """A number from 0 to 1."""
    number = as_float(value, name, minimum=0.0)
    if number > 1.0:
        raise ArgumentError(f"{name} is {number}.", expected="a number between 0 and 1.")
    return number


def entropy_settings(from_logits: Any, label_smoothing: Any, axis: Any) -> dict[str, Any]:
    """What cross entropies of probabilities have in common."""
    return {
        "from_logits": as_bool(from_logits, "from_logits"),
        "label_smoothing": share(label_smoothing, "label_smoothing"),
        "axis": as_int(axis, "axis"),
    }


def named(name: Any, default: str) -> str:
    """The name of a loss or metric; ``default`` for None."""
    if name is not None and not isinstance(name, str):
        raise ArgumentTypeError(f"name is {name!r}.", expected="a string.")
    return name or default


def axes(value: Any) -> Any:
    """One axis, a list of them, or None for all."""
    if value is None or not hasattr(value, "__iter__") or isinstance(value, str):
        return None if value is None else as_int(value, "axis")
    return [as_int(axis, f"axis[{i}]") for i, axis in enumerate(value)]

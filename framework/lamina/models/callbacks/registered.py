"""Callbacks that every ``fit`` gets, by how much it is to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.errors import ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.shapes import as_int

_CONSTRUCTORS: list[tuple[int, Callable[[], Callback]]] = []


def register_callback_constructor(verbosity_level: int, constructor: Callable[[], Callback]) -> None:
    """Lets every ``fit`` whose ``verbose`` is at least ``verbosity_level`` make and tell one more callback.

    As TensorFlow.js's ``registerCallbackConstructor``. Raises ArgumentTypeError for what is no constructor.

    >>> register_callback_constructor(2, lambda: LambdaCallback(on_train_begin=lambda logs: None))
    >>> clear_callback_constructors()
    """
    level = as_int(verbosity_level, "verbosity_level", minimum=0)
    if not callable(constructor):
        raise ArgumentTypeError(f"constructor is {constructor!r}.", expected="a class or function without arguments.")
    _CONSTRUCTORS.append((level, constructor))


def registered_callbacks(verbose: Any) -> list[Callback]:
    """New callbacks of all constructors for a ``verbose``."""
    level = 1 if verbose == "auto" else int(verbose)
    return [constructor() for needed, constructor in _CONSTRUCTORS if level >= needed]


def clear_callback_constructors() -> None:
    """Forgets what was registered.

    Raises nothing.

    >>> clear_callback_constructors()
    """
    _CONSTRUCTORS.clear()

"""Functions as callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.errors import ArgumentTypeError
from lamina.models.callbacks.callback import HOOKS, Callback


class LambdaCallback(Callback):
    """Calls functions given by the names of the hooks: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``.

    Any hook of ``Callback`` can be given, such as ``on_train_batch_begin``; it is called with that hook's arguments.
    This is also TensorFlow.js's ``CustomCallback``. Raises ArgumentTypeError for a hook that does not exist, or for
    what is no function.

    >>> LambdaCallback(on_train_end=lambda logs: print("done")).on_train_end({})
    done
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any] | None,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for name, function in given.items():
            if name not in HOOKS:
                raise ArgumentTypeError(f"there is no hook {name!r}.", expected=f"one of {', '.join(HOOKS)}.")
            if function is not None and not callable(function):
                raise ArgumentTypeError(f"{name} is {function!r}.", expected="a function.")
            if function is not None:
                setattr(self, name, function)

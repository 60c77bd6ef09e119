"""Several callbacks as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lamina.errors import ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.models.callbacks.functions import LambdaCallback
from lamina.models.callbacks.history import History
from lamina.models.callbacks.progress import ProgbarLogger
from lamina.notices import note


def check_callbacks(callbacks: Any) -> list[Callback]:
    """Callbacks as a list; a dict of functions by hooks is a LambdaCallback. Raises ArgumentTypeError for others.

    ``callbacks`` is one, a list of them, or a dict of functions.

    >>> [type(callback).__name__ for callback in check_callbacks({"on_train_end": print})]
    ['LambdaCallback']
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks)
    found = []
    for callback in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        if isinstance(callback, Mapping):
            callback = LambdaCallback(**callback)
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(
                f"callbacks holds {callback!r}.",
                expected="instances of lamina.callbacks.Callback.",
                fix="wrap functions: LambdaCallback(on_epoch_end=function)." if callable(callback) else None,
            )
        found.append(callback)
    return found


class CallbackList(Callback):
    """Several callbacks as one, told in order; those that come last, after all others. Hooks nobody has cost nothing.

    ``add_history`` and ``add_progbar`` add a ``History`` and a ``ProgbarLogger`` if there is none; further arguments
    are the ``params``. What a callback is told with, ``model`` and ``params``, it gets when both are known.

    >>> told = CallbackList([{"on_epoch_end": lambda epoch, logs: print(epoch, logs)}])
    >>> told.on_epoch_end(0, {"loss": 1.5})
    0 {'loss': 1.5}
    """

    def __init__(
        self,
        callbacks: Sequence[Any] | Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self._callbacks = check_callbacks(callbacks)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self._callbacks):
            self._callbacks.insert(0, ProgbarLogger())
        if add_history and not any(isinstance(c, History) for c in self._callbacks):
            self._callbacks.append(History())
        self._sort()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _sort(self) -> None:
        self._callbacks.sort(key=lambda callback: callback.comes_last)
        self._heard: dict[str, list[Callback]] = {}

    def __iter__(self) -> Iterator[Callback]:
        return iter(self._callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    def append(self, callback: Any) -> None:
        """Adds one."""
        self._callbacks += check_callbacks(callback)
        self._sort()

    def hears(self, hook: str) -> bool:
        """Whether somebody has a hook of that name."""
        return bool(self._hearing(hook))

    def _hearing(self, hook: str) -> list[Callback]:
        """The callbacks that have a hook of that name."""
        if hook not in self._heard:
            self._heard[hook] = [c for c in self._callbacks if _hears(c, hook)]
        return self._heard[hook]

    def set_model(self, model: Any) -> None:
        self.model = model
        for callback in self._callbacks:
            callback.set_model(model)

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params
        for callback in self._callbacks:
            callback.set_params(params)

    def on_train_begin(self, logs: Any = None) -> None:
        self._tell("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._tell("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_end", batch, logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._tell("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._tell("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._tell("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._tell("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell("on_predict_batch_end", batch, logs)

    def _tell(self, hook: str, *arguments: Any) -> None:
        for callback in self._hearing(hook):
            try:
                getattr(callback, hook)(*arguments)
            except Exception as error:
                counted = f", {hook.split('_')[-2]} {arguments[0]} (counted from 0)" if len(arguments) > 1 else ""
                note(error, f"In the callback {type(callback).__name__}: {hook}{counted}.")
                raise


def _hears(callback: Callback, hook: str) -> bool:
    """Whether a callback has a hook of its own, in its class or its instance, under either name."""
    found = getattr(callback, hook)
    if getattr(found, "__func__", found) is not getattr(Callback, hook):
        return True
    other = hook.replace("on_train_batch", "on_batch")
    return other != hook and _hears(callback, other)

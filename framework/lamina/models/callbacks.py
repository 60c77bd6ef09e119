"""What is told about training while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lamina.errors import ArgumentTypeError

_REDRAW_SECONDS = 0.2  # a bar that is redrawn more often costs more than it tells


class Callback:
    """Base of callbacks: override what you want to hear. ``model`` and ``params`` are set before training.

    ``logs`` map names to numbers; those of batches are worked out when they are first looked at. Set
    ``model.stop_training = True`` to stop.
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Gives the model that is being trained."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Gives ``epochs``, ``steps``, ``verbose`` and the names in ``metrics``."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """Training has ended."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch has ended, validation included."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A training batch begins, counted from 0."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A training batch has been applied."""


class Logs(Mapping[str, float]):
    """Numbers by name, worked out at the first look."""

    def __init__(self, compute: Callable[[], dict[str, float]]) -> None:
        self._compute = compute
        self._found: dict[str, float] | None = None

    def _values(self) -> dict[str, float]:
        if self._found is None:
            self._found = self._compute()
        return self._found

    def __getitem__(self, name: str) -> float:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return repr(self._values())


def check_callbacks(callbacks: Sequence[Any]) -> list[Callback]:
    """The same as a list. Raises ArgumentTypeError if one is not a Callback."""
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(
                f"callbacks holds {callback!r}.",
                expected="instances of lamina.callbacks.Callback.",
                fix="wrap functions: LambdaCallback(on_epoch_end=function)." if callable(callback) else None,
            )
    return list(callbacks)


class CallbackList(Callback):
    """Several callbacks as one; hooks that nobody has cost nothing."""

    def __init__(self, callbacks: Sequence[Callback], model: Any, params: Mapping[str, Any]) -> None:
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._callbacks = list(callbacks)
        for hook in ("on_train_batch_begin", "on_train_batch_end"):
            setattr(self, f"has_{hook}", any(_hears(callback, hook) for callback in callbacks))

    has_on_train_batch_begin = False
    has_on_train_batch_end = False

    def on_train_begin(self, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        for callback in self._callbacks:
            callback.on_train_batch_end(batch, logs)


def _hears(callback: Callback, hook: str) -> bool:
    """Whether a callback has a hook of its own, in its class or its instance."""
    found = getattr(callback, hook)
    return getattr(found, "__func__", found) is not getattr(Callback, hook)


class History(Callback):
    """What ``fit`` returns: ``epoch``, a list of epoch numbers, and ``history``, a list of values per name."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Calls functions given by the names of the hooks: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``."""

    def __init__(self, **hooks: Callable[..., None]) -> None:
        for name, function in hooks.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise ArgumentTypeError(f"there is no hook {name!r}.", expected="such as on_epoch_end.")
            setattr(self, name, function)
        self._hooks = hooks


class ProgressBar(Callback):
    """Shows training: a bar on a terminal, one line per epoch elsewhere or with ``verbose=2``."""

    def __init__(self, verbose: int = 1) -> None:
        self._bar_wanted = verbose == 1 and sys.stderr.isatty()
        self._bar: Any = None
        self._started = self._drawn = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()
        if self._bar_wanted:
            from tqdm.auto import tqdm

            title = f"Epoch {epoch + 1}/{self.params['epochs']}"
            self._bar = tqdm(total=self.params["steps"], desc=title, leave=True, unit="step")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        if self._bar is not None and now - self._drawn > _REDRAW_SECONDS:
            self._drawn = now
            self._bar.set_postfix_str(_described(logs), refresh=False)
            self._bar.update(batch + 1 - self._bar.n)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._started
        if self._bar is not None:
            self._bar.set_postfix_str(_described(logs), refresh=False)
            self._bar.update(self.params["steps"] - self._bar.n)
            self._bar.close()
            self._bar = None
        else:
            print(f"Epoch {epoch + 1}/{self.params['epochs']} - {seconds:.2f}s - {_described(logs, ' - ')}", flush=True)


def _described(logs: Any, separator: str = ", ") -> str:
    return separator.join(f"{name}: {value:.4f}" for name, value in (logs or {}).items())

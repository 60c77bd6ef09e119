"""Learning rates that change while training runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.models.callbacks.monitoring import Monitor
from lamina.shapes import as_float, as_int


def _rate(model: Any) -> float:
    return float(str(np.float32(np.asarray(model.optimizer.learning_rate.numpy()))))


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` when a number has not improved for ``patience`` epochs.

    After that it waits ``cooldown`` epochs before it counts again. The rate never falls below ``min_lr``. It stands in
    the logs as ``learning_rate``. Raises ArgumentError for a factor that does not make smaller. ``monitor`` is the name
    of the number, ``mode`` "min", "max" or "auto" which is better, ``min_delta`` by how much at least.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile(lamina.optimizers.SGD(0.0), "mse")
    >>> lower = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    >>> history = model.fit([[1.0, 2.0]], [[1.0]], epochs=3, callbacks=lower, verbose=0)
    >>> len(history.history["learning_rate"])
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor: float = as_float(factor, "factor", minimum=0.0)
        if self.factor >= 1.0:
            raise ArgumentError(f"factor is {factor}.", expected="a number below 1.")
        self.patience: int = as_int(patience, "patience", minimum=0)
        self.verbose = verbose
        self.cooldown: int = as_int(cooldown, "cooldown", minimum=0)
        self.min_lr: float = as_float(min_lr, "min_lr", minimum=0.0)
        self.wait: int = 0
        self.cooldown_counter: int = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.found(logs)
        if logs is not None:
            logs["learning_rate"] = _rate(self.model)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = _rate(self.model)
        if rate <= float(np.float32(self.min_lr)):
            return
        smaller = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = smaller
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is reduced to {smaller}")
        self.cooldown_counter, self.wait = self.cooldown, 0

    def get_state(self) -> Mapping[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.best = state["best"]
        self.wait = state["wait"]
        self.cooldown_counter = state["cooldown_counter"]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch: to ``schedule(epoch, rate)``, or ``schedule(epoch)``.

    The rate stands in the logs as ``learning_rate``. Raises ArgumentTypeError if the schedule gives no number.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> schedule = LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    >>> model.fit([[1.0, 2.0]], [[1.0]], epochs=2, callbacks=schedule, verbose=0).history["learning_rate"]
    [0.5, 0.25]
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentTypeError(f"schedule is {schedule!r}.", expected="a function of the epoch and the rate.")
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        found = self.schedule(epoch, _rate(self.model)) if self._takes_rate else self.schedule(epoch)
        if not hasattr(found, "numpy"):
            found = as_float(found, "the result of schedule", minimum=0.0)
        self.model.optimizer.learning_rate = found
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {_rate(self.model)}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = _rate(self.model)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.1)
    except (TypeError, ValueError):
        return False
    return True

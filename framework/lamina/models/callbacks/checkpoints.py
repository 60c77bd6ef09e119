"""Models saved while they are trained."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping, Sequence
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.io import find_format
from lamina.models.callbacks.monitoring import Monitor
from lamina.shapes import as_float, as_int


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after every ``save_freq`` batches; each save is whole or does not happen.

    ``filepath`` is where to, as for ``model.save``; it may hold ``{epoch}``, ``{batch}`` and the names of the logs,
    with formats: ``"runs/{epoch:02d}-{val_loss:.2f}"``; epochs and batches are counted from 1. ``save_best_only`` saves
    only if ``monitor`` is better than at any save before, or than ``initial_value_threshold``. ``save_weights_only``
    leaves the state of the optimizer out.

    Raises ArgumentError for a template that cannot be filled, or a file of weights without ``save_weights_only``.
    ``mode`` "min", "max" or "auto" says which numbers are better.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> saving = ModelCheckpoint("memory://run-{epoch}", monitor="loss", save_best_only=True)
    >>> history = model.fit([[1.0, 2.0]], [[1.0]], callbacks=saving, verbose=0)
    >>> lamina.load_model("memory://run-1").count_params()
    3
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        for name, value in (("save_best_only", save_best_only), ("save_weights_only", save_weights_only)):
            if not isinstance(value, bool):
                raise ArgumentTypeError(f"{name} is {value!r}.", expected="True or False.")
        self.filepath: Any = os.fspath(filepath) if isinstance(filepath, os.PathLike) else filepath
        place = find_format(self.filepath)
        if place is not None:
            place.able("save_weights" if save_weights_only else "save_model")
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq: Any = checked_frequency(save_freq)
        threshold = initial_value_threshold
        self.best = None if threshold is None else as_float(threshold, "initial_value_threshold")
        self._epoch = self._batches = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += self.model.steps_per_execution
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        logs = dict(logs or {})
        place = self.filepath
        if isinstance(place, str):
            numbers = {"epoch": epoch + 1} if batch is None else {"epoch": epoch + 1, "batch": batch + 1}
            place = filled(place, {**logs, **numbers})
        if self.save_best_only:
            value = self.found(logs)
            if value is None:
                return
            if not self.improves(value, self.best):
                self._say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best}")
                return
            self._say(f"Epoch {epoch + 1}: {self.monitor} improved from {self.best} to {value}, saving to {place}")
            self.best = value
        else:
            self._say(f"Epoch {epoch + 1}: saving to {place}")
        if self.save_weights_only:
            self.model.save_weights(place)
        else:
            self.model.save(place)

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)

    def get_state(self) -> Mapping[str, Any]:
        return {"best": self.best, "epoch": self._epoch, "batches": self._batches}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.best, self._epoch, self._batches = state["best"], state["epoch"], state["batches"]


class _Template(string.Formatter):
    """Fills names with numbers and nothing else: no attributes, no indices."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if field_name not in kwargs:
            raise ArgumentError(
                f"the path names {{{field_name}}}, which is not there.",
                expected=f"some of {', '.join(kwargs)}.",
            )
        return kwargs[field_name], field_name


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A path with its names filled in. Raises ArgumentError for an unknown name or a wrong format.

    >>> filled("run-{epoch:02d}-{loss:.2f}", {"epoch": 3, "loss": 0.125})
    'run-03-0.12'
    """
    try:
        return _Template().vformat(template, (), values)
    except (ValueError, TypeError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"the path {template!r} cannot be filled: {error}.") from error


def checked_frequency(value: Any) -> Any:
    """``save_freq``: "epoch", or a number of batches."""
    return value if value == "epoch" else as_int(value, "save_freq", minimum=1)

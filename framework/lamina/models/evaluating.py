"""The loops of evaluation and prediction: ``evaluate`` and ``predict``."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from lamina.data.adapters import Rounds
from lamina.models.callbacks import CallbackList, Logs
from lamina.models.callbacks.progress import described
from lamina.models.inputs import is_ready
from lamina.models.preparing import Preparing
from lamina.notices import noted, warn
from lamina.ops import concatenate
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.exhaustion import adopted
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int
from lamina.structures import flatten, map_structure, unflatten

HELD: Final = 32
"""Batches whose outputs stay on a device until they are read together: reading makes the host wait for the device."""


class Evaluating(Preparing):
    """The part of a model that goes through data without training; ``Trainer`` inherits it."""

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on data: a number if there is only the loss, else a list, or a dict by name.

        Data are given as to ``fit``; ``steps`` is how many batches are looked at, None means all.
        """
        size, count = batch_size_of(batch_size), steps_of(steps, "steps")
        feed = self._feed(x, y, sample_weight, size)
        told = CallbackList(callbacks)
        with on_backend(self._home()):
            self._prepare_training(feed, optimizing=False)
            told.set_model(self)
            told.set_params({"steps": count or feed.steps, "verbose": verbose, "metrics": self.metrics_names})
            found = self._evaluate(Rounds(feed, count), told)
        if verbose not in (0, "auto"):
            print(described(found, " - "))
        return found if return_dict else as_values(found)

    def _evaluate(self, rounds: Rounds, told: CallbackList) -> dict[str, Any]:
        self._reset_found_metrics()
        told.on_test_begin({})
        begins, ends = told.hears("on_test_batch_begin"), told.hears("on_test_batch_end")
        step, backend, run = self._step("test"), get_backend(), self._run_of_fit
        returned: Any = None
        number = -1
        with noted(lambda: f"In evaluate: batch {rounds.at} (counted from 0)."):
            for number, (arrays, data) in enumerate(rounds.epoch(0)):
                if begins:
                    told.on_test_batch_begin(number, {})
                returned = step(*data.batch(arrays, backend))
                if ends:
                    logs = Logs(functools.partial(self._results, returned))
                    told.on_test_batch_end(number, logs)
                if run is not None and run.interrupted:
                    break
        if number < 0:
            warn(
                "the data for validation have ended; a generator must give enough batches for every epoch, or be "
                "something that can be gone through again."
            )
        found = {} if number < 0 else self._results(returned)
        told.on_test_end(found)
        return found

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = 0,
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for inputs ``x``, as NumPy arrays in the structure of the model's outputs.

        Data are given as to ``fit``; of batches (x, y) only x is used. ``steps`` is how many batches are looked at.
        """
        size, count = batch_size_of(batch_size), steps_of(steps, "steps")
        if callbacks is None and count is None and self.built and is_ready(self, x, size):
            home = self._home()
            tensor = Tensor(adopted(x, home), Spec(x.shape, self.dtype), home)
            with on_backend(home):
                return map_structure(_to_numpy, self._step("predict")(tensor))
        feed = self._feed(x, None, None, size)
        told = CallbackList(callbacks)
        with on_backend(self._home()):
            first = feed.first()
            first.x = self._prepare_model(first.x)
            first.refresh()
            self._check_whole_batches(feed)
            feed.prepare = self._prepare_inputs
            told.set_model(self)
            told.set_params({"steps": count or feed.steps, "verbose": verbose})
            return _joined(self._predict(Rounds(feed, count), told))

    def _prepare_inputs(self, data: Any) -> None:
        data.x = self._prepare_model(data.x)
        data.refresh()

    def _predict(self, rounds: Rounds, told: CallbackList) -> list[Any]:
        told.on_predict_begin({})
        step, backend = self._step("predict"), get_backend()
        begins, ends = told.hears("on_predict_batch_begin"), told.hears("on_predict_batch_end")
        together = 1 if ends or backend.device == "cpu" else HELD
        parts: list[Any] = []
        held: list[Any] = []
        with noted(lambda: f"In predict: batch {rounds.at} (counted from 0)."):
            for number, (arrays, data) in enumerate(rounds.epoch(0)):
                if begins:
                    told.on_predict_batch_begin(number, {})
                held.append(step(data.batch(arrays, backend).x))
                if len(held) == together:
                    parts.append(_read(held))
                    held = []
                if ends:
                    told.on_predict_batch_end(number, {"outputs": parts[-1]})
            parts += [_read(held)] if held else []
        told.on_predict_end({})
        return parts


def _read(held: list[Any]) -> Any:
    """The outputs of some batches on the host, one after the other: one read for each output."""
    if len(held) == 1:
        return map_structure(_to_numpy, held[0])
    leaves = zip(*(flatten(outputs) for outputs in held), strict=True)
    return unflatten(held[0], (_to_numpy(concatenate(tensors, 0)) for tensors in leaves))


def _joined(parts: list[Any]) -> Any:
    """The outputs of all batches, one after the other."""
    if len(parts) == 1:
        return parts[0]
    leaves = zip(*(flatten(part) for part in parts), strict=True)
    return unflatten(parts[0], (np.concatenate(arrays) for arrays in leaves))


def as_values(found: dict[str, Any]) -> Any:
    """Results as ``evaluate`` returns them: a list, or a number if there is only one."""
    values = list(found.values())
    return values[0] if len(values) == 1 else values


def batch_size_of(given: Any, name: str = "batch_size", default: int = 32) -> int:
    """A batch size as given, or the default."""
    return default if given is None else as_int(given, name, minimum=1)


def steps_of(given: Any, name: str) -> int | None:
    """A number of steps as given."""
    return None if given is None else as_int(given, name, minimum=1)


def _to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.backend.to_host(tensor._array))

"""The loops: ``fit``, ``evaluate``, ``predict``, and single batches from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.data import ArrayData, class_weights
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks import Callback, CallbackList, History, Logs, ProgressBar, check_callbacks
from lamina.models.inputs import is_ready
from lamina.models.steps import Steps
from lamina.ops import random
from lamina.replay import CompiledStep
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int
from lamina.structures import flatten, map_structure, unflatten


class Trainer(Steps):
    """The part of a model that goes through data; ``Model`` inherits it."""

    stop_training = False
    history: History | None = None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        seed: int | None = None,
    ) -> History:
        """Trains for ``epochs`` passes over the data (counted from ``initial_epoch``), in batches (32 by default).

        ``x`` and ``y`` are arrays, or lists or dicts of them. With ``shuffle`` the examples come in a new order each
        epoch; ``seed`` makes the orders reproducible: they depend on it and the number of the epoch only, so that a
        resumed run goes on as if it had not stopped. ``validation_split`` takes the last part of the data,
        ``validation_data`` is (x, y) or (x, y, sample_weight). ``verbose`` 0 is silent, 1 shows a progress bar, 2 a
        line per epoch. Returns the history.

        Raises DataError or ShapeError before the first step if the data do not fit.
        """
        size = _size(batch_size)
        last = as_int(epochs, "epochs", minimum=0)
        first = as_int(initial_epoch, "initial_epoch", minimum=0)
        held_size = _size(validation_batch_size, "validation_batch_size", size)
        seed = None if seed is None else as_int(seed, "seed")
        listed = check_callbacks([*_progress(verbose), *_as_list(callbacks)])
        if self._fitting:
            raise ArgumentError("fit was called while fit is running on the same model.")
        data = ArrayData(x, y, _weighted(y, sample_weight, class_weight), dtype=self.dtype)
        held_out = self._validation(validation_data)
        if held_out is None and validation_split:
            data, held_out = data.split(validation_split)
        with on_backend(self._home()):
            self._prepare_training(*([data] if held_out is None else [data, held_out]), optimizing=True)
            history = History()
            params = {"epochs": last, "steps": data.steps(size), "verbose": verbose, "metrics": self.metrics_names}
            told = CallbackList([*listed, history], self, params)
            self.history = history
            key = _shuffle_key(seed) if shuffle else None
            self._fitting, self.stop_training = True, False
            try:
                told.on_train_begin({})
                for epoch in range(first, last):
                    self._epoch(epoch, data, size, key, told, held_out, held_size)
                    if self.stop_training:
                        break
                told.on_train_end({})
            finally:
                self._fitting = False
        return history

    def _epoch(
        self, epoch: int, data: ArrayData, size: int, key: int | None, told: CallbackList, held_out: Any, held_size: int
    ) -> None:
        told.on_epoch_begin(epoch, {})
        self.reset_metrics()
        order = None if key is None else random.permutation(data.count, seed=_epoch_seed(key, epoch))
        step, backend = self._step("train"), get_backend()
        replay = returned = None
        for number, arrays in enumerate(data.slices(size, order)):
            if told.has_on_train_batch_begin:
                told.on_train_batch_begin(number, {})
            if replay is not None and len(arrays[0]) == size:
                returned = replay([backend.adopt_host(array) for array in arrays])
            else:
                batch = data.batch(arrays, backend)
                returned = step(*batch)
                replay = step.replayer(*batch) if isinstance(step, CompiledStep) and len(arrays[0]) == size else replay
            if told.has_on_train_batch_end:
                told.on_train_batch_end(number, Logs(lambda returned=returned: self._results(returned)))  # type: ignore[misc]
            if self.stop_training:
                break
        logs = self._results(returned)
        if held_out is not None and not self.stop_training:
            logs.update({f"val_{name}": value for name, value in self._evaluate(held_out, held_size).items()})
        told.on_epoch_end(epoch, logs)

    def _validation(self, given: Any) -> ArrayData | None:
        if given is None:
            return None
        if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
            raise ArgumentTypeError("validation_data is not a pair.", expected="(x, y) or (x, y, sample_weight).")
        return ArrayData(*given, dtype=self.dtype)

    def _evaluate(self, data: ArrayData, size: int) -> dict[str, float]:
        self.reset_metrics()
        step = self._step("test")
        returned = None
        for batch in data.batches(size, get_backend()):
            returned = step(*batch)
        return self._results(returned)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on data: a number if there is only the loss, else a list, or a dict by name."""
        size = _size(batch_size)
        data = ArrayData(x, y, sample_weight, dtype=self.dtype)
        with on_backend(self._home()):
            self._prepare_training(data, optimizing=False)
            found = self._evaluate(data, size)
        if verbose not in (0, "auto"):
            print(" - ".join(f"{name}: {value:.4f}" for name, value in found.items()))
        if return_dict:
            return found
        values = list(found.values())
        return values[0] if len(values) == 1 else values

    def predict(self, x: Any, batch_size: int | None = None, verbose: str | int = 0) -> Any:
        """The outputs for inputs ``x``, as NumPy arrays in the structure of the model's outputs."""
        size = _size(batch_size)
        if self.built and is_ready(self, x, size):
            home = self._home()
            tensor = Tensor(home.adopt_host(x), Spec(x.shape, self.dtype), home)
            with on_backend(home):
                return map_structure(_to_numpy, self._step("predict")(tensor))
        data = ArrayData(x, dtype=self.dtype)
        with on_backend(self._home()):
            data.x = self._prepare_model(data.x)
            data.refresh()
            step, backend = self._step("predict"), get_backend()
            parts = [map_structure(_to_numpy, step(batch.x)) for batch in data.batches(size, backend)]
        if len(parts) == 1:
            return parts[0]
        leaves = zip(*(flatten(part) for part in parts), strict=True)
        return unflatten(parts[0], (np.concatenate(arrays) for arrays in leaves))

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on one batch; returns loss and metrics of this batch as ``evaluate`` does."""
        return self._on_batch("train", x, y, _weighted(y, sample_weight, class_weight), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch."""
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        return self.predict(x, batch_size=ArrayData(x, dtype=self.dtype).count)

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, return_dict: bool) -> Any:
        data = ArrayData(x, y, sample_weight, dtype=self.dtype)
        with on_backend(self._home()):
            self._prepare_training(data, optimizing=kind == "train")
            self.reset_metrics()
            (batch,) = data.batches(data.count, get_backend())
            found = self._results(self._step(kind)(*batch))
        if return_dict:
            return found
        values = list(found.values())
        return values[0] if len(values) == 1 else values


def _size(given: Any, name: str = "batch_size", default: int = 32) -> int:
    return default if given is None else as_int(given, name, minimum=1)


def _to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.backend.to_host(tensor._array))


def _weighted(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    if class_weight is None:
        return sample_weight
    weights = class_weights(np.asarray(y), class_weight)
    return weights if sample_weight is None else weights * np.asarray(sample_weight)


def _progress(verbose: Any) -> list[Callback]:
    if verbose not in (0, 1, 2, "auto"):
        raise ArgumentError(f"verbose is {verbose!r}.", expected="0, 1, 2 or 'auto'.")
    return [] if verbose == 0 else [ProgressBar(1 if verbose == "auto" else verbose)]


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _shuffle_key(seed: int | None) -> int:
    if seed is not None:
        return seed
    return int(random.default_generator().next().numpy()[1]) ^ random.default_generator().seed


def _epoch_seed(key: int, epoch: int) -> Tensor:
    return from_numpy(np.array([key & 0xFFFFFFFF, epoch], np.uint32).view(np.int32), get_backend())

"""Training, evaluation and prediction: ``compile``, ``fit``, ``evaluate``, ``predict`` and single steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina import optimizers
from lamina.autodiff import Tape
from lamina.autodiff.gradients import tape_gradients
from lamina.contract import Backend
from lamina.data import ArrayData, class_weights
from lamina.data.arrays import Batch
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, NotBuiltError
from lamina.layers.layer import Layer
from lamina.metrics import Mean, Metric
from lamina.models.callbacks import Callback, CallbackList, History, Logs, ProgressBar
from lamina.models.compiling import CompiledLoss, CompiledMetrics
from lamina.models.inputs import check_inputs, is_ready, with_feature_axis
from lamina.ops import random
from lamina.replay import CompiledStep
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Spec, as_int
from lamina.structures import flatten, map_structure, unflatten


class Trainer(Layer):
    """The part of a model that trains; ``Model`` inherits it."""

    stop_training = False
    history: History | None = None
    optimizer: optimizers.Optimizer | None = None

    def _start_trainer(self) -> None:
        self._loss_given: Any = None
        self._metrics_given: Any = None
        self._loss_weights_given: Any = None
        self.run_eagerly = False
        self._loss: CompiledLoss | None = None
        self._metrics: CompiledMetrics | None = None
        self._trackers: list[Mean] = []
        self._steps: dict[str, Callable[..., Any]] = {}
        self._trained: tuple[int, ...] = ()
        self._fitting = False
        self._first_weight: Variable | None = None

    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        run_eagerly: bool = False,
    ) -> None:
        """Chooses how to train: optimizer, loss and metrics, by name, object or function.

        For several outputs, ``loss``, ``metrics`` and ``loss_weights`` may be lists or dicts by the outputs' names.
        ``run_eagerly`` runs every step op by op instead of recording and replaying it. Raises UnknownNameError for a
        name that is not known.
        """
        if not isinstance(run_eagerly, bool):
            raise ArgumentTypeError(f"run_eagerly is {run_eagerly!r}.", expected="True or False.")
        chosen = optimizers.get(optimizer)
        if loss is not None:
            CompiledLoss(loss, loss_weights, self._names_for(loss))
        self._start_trainer()
        self.optimizer = chosen
        self._loss_given, self._metrics_given, self._loss_weights_given = loss, metrics, loss_weights
        self.run_eagerly = run_eagerly

    def _names_for(self, loss: Any) -> list[str]:
        """The outputs' names if they are known, else as many as a list or dict of losses has."""
        if getattr(self, "graph", None) is not None:
            return list(self.output_names)  # type: ignore[attr-defined]
        return list(loss) if isinstance(loss, Mapping) else [f"output_{i + 1}" for i, _ in enumerate(flatten(loss))]

    def _forget_steps(self) -> None:
        self._steps = {}
        self._first_weight = None
        self._loss = self._metrics = None

    # -- what a step does ------------------------------------------------------------------------------------------

    def train_step(self, data: Batch) -> Any:
        """One step of training on a batch ``(x, y, sample_weight)``: override it for a training of your own.

        Whatever it does must be ops, Variables and the model's own layers, so that it can be recorded. A dict of
        tensors that it returns becomes the logs; None means the loss and the metrics.
        """
        x, y, sample_weight = data
        assert self.optimizer is not None
        trained = self.trainable_weights
        tape = Tape(trained)
        with listening(tape):
            y_pred = self(x, training=True)
            loss, parts = self._losses_of(y, y_pred, sample_weight)
        self.optimizer.apply_gradients([(gradient, v) for v, gradient in tape_gradients(tape, loss, trained)])
        self._count(loss, parts, y, y_pred, sample_weight)
        return None

    def test_step(self, data: Batch) -> Any:
        """One step of evaluation on a batch ``(x, y, sample_weight)``."""
        x, y, sample_weight = data
        y_pred = self(x, training=False)
        loss, parts = self._losses_of(y, y_pred, sample_weight)
        self._count(loss, parts, y, y_pred, sample_weight)
        return None

    def predict_step(self, x: Any) -> Any:
        """One step of prediction."""
        return self(x, training=False)

    def compute_loss(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """What training minimizes: the outputs' losses and the layers' own."""
        return self._losses_of(y, y_pred, sample_weight)[0]

    def _losses_of(self, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Tensor, list[Any]]:
        outputs = flatten(y_pred)
        total, parts = self._compiled_loss()(self._per_output(y, outputs), outputs, _weights(sample_weight, outputs))
        for loss in self.losses:
            total = total + loss
        return total, parts

    def _per_output(self, given: Any, outputs: Sequence[Any]) -> list[Any]:
        """Targets in the order of the outputs; a dict goes by the outputs' names."""
        if isinstance(given, dict):
            names = self._output_names(len(outputs))
            missing = [name for name in names if name not in given]
            if missing:
                raise DataError(f"y has no entry {missing[0]!r}.", expected=f"a dict with {', '.join(names)}.")
            return [given[name] for name in names]
        return flatten(given)

    def _count(self, loss: Tensor, parts: Sequence[Any], y: Any, y_pred: Any, sample_weight: Any) -> None:
        outputs = flatten(y_pred)
        targets = self._per_output(y, outputs)
        examples = float(outputs[0].shape[0])
        for tracker, value in zip(self._trackers, [loss, *(p for p in parts if p is not None)], strict=False):
            tracker.update_state(value, sample_weight=examples)
        if self._metrics is not None:
            self._metrics.update(targets, outputs, _weights(sample_weight, outputs))

    # -- getting ready ---------------------------------------------------------------------------------------------

    def _compiled_loss(self) -> CompiledLoss:
        if self._loss is None:
            raise NotBuiltError(f"the model {self.name!r} has no loss.", fix="call compile(optimizer=..., loss=...) first.")
        return self._loss

    def _output_names(self, count: int) -> list[str]:
        if getattr(self, "graph", None) is not None:
            return list(self.output_names)  # type: ignore[attr-defined]
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]

    def _prepare_model(self, x: Any) -> Any:
        """Builds the model for the shapes of ``x`` if it is not built, and checks x against its inputs."""
        if not self.built:
            leaf = flatten(x)[0]
            if hasattr(self, "_stack"):
                self.build((None, *leaf.shape[1:]))
            else:
                self(map_structure(lambda a: spec_tensor(a.shape, a.dtype.name), x), training=False)
        x = with_feature_axis(self, x)
        check_inputs(self, x)
        return x

    def _prepare_training(self, data: ArrayData, *, optimizing: bool) -> None:
        """Builds everything that makes Variables, and runs the step once without values, so that errors come first."""
        if self.optimizer is None or self._loss_given is None and type(self).train_step is Trainer.train_step:
            raise NotBuiltError(
                f"the model {self.name!r} is not compiled.", fix="call compile(optimizer=..., loss=...) first."
            )
        data.x = self._prepare_model(data.x)
        data.refresh()
        trained = tuple(id(v) for v in self.trainable_weights)
        if trained != self._trained:
            self._steps, self._trained = {}, trained
        if optimizing:
            self.optimizer.build(self.trainable_weights)
        if self._loss is None and self._loss_given is not None:
            self._make_losses(data)

    def _make_losses(self, data: ArrayData) -> None:
        x, y, weight = (map_structure(_without_values, part) for part in (data.x, data.y, data.sample_weight))
        outputs = flatten(self(x, training=False))
        names = self._output_names(len(outputs))
        loss = CompiledLoss(self._loss_given, self._loss_weights_given, names)
        found = CompiledMetrics(self._metrics_given, names, loss)
        targets = self._per_output(y, outputs)
        loss(targets, outputs, _weights(weight, outputs))
        found.resolve(targets, outputs)
        several = len(names) > 1
        parts = [f"{name}_loss" for name, one in zip(names, loss.losses, strict=True) if several and one is not None]
        self._trackers = [Mean(name=name) for name in ("loss", *parts)]
        self._loss, self._metrics = loss, found

    def _step(self, kind: str) -> Callable[..., Any]:
        """The recorded step of one kind: 'train', 'test' or 'predict'."""
        if kind not in self._steps:
            method = getattr(self, f"{kind}_step")

            def run(*batch: Any) -> Any:
                return method(batch[0] if kind == "predict" else Batch(*batch))

            run.__name__ = f"{self.name}.{kind}_step"
            self._steps[kind] = run if self.run_eagerly else CompiledStep(run, strict=False)
        return self._steps[kind]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics in the order of the logs, the loss first."""
        return [*self._trackers, *(self._metrics.all if self._metrics is not None else [])]

    @property
    def metrics_names(self) -> list[str]:
        """The names in the logs."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _results(self, returned: Any = None) -> dict[str, float]:
        if isinstance(returned, Mapping):
            return {name: float(value.item() if isinstance(value, Tensor) else value) for name, value in returned.items()}
        return {metric.name: float(metric.result().item()) for metric in self.metrics}

    def state_variables(self) -> list[Variable]:
        """Everything that training changes: weights, optimizer state, metrics, random streams."""
        found = [*self.weights, *(g.state for g in self.seed_generators)]
        if self.optimizer is not None:
            found += self.optimizer.variables
        return [*found, *(v for metric in self.metrics for v in metric.variables)]

    def _home(self) -> Backend:
        """The backend on which the weights are."""
        if self._first_weight is None and self.built:
            self._first_weight = next(iter(self.weights), None)
        return get_backend() if self._first_weight is None else self._first_weight.backend

    # -- the loops -------------------------------------------------------------------------------------------------

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
        size = as_int(32 if batch_size is None else batch_size, "batch_size", minimum=1)
        last = as_int(epochs, "epochs", minimum=0)
        first = as_int(initial_epoch, "initial_epoch", minimum=0)
        if self._fitting:
            raise ArgumentError("fit was called while fit is running on the same model.")
        data = ArrayData(x, y, _weighted(y, sample_weight, class_weight), dtype=self.dtype)
        held_out = self._validation(validation_data)
        if held_out is None and validation_split:
            data, held_out = data.split(validation_split)
        with on_backend(self._home()):
            self._prepare_training(data, optimizing=True)
            if held_out is not None:
                self._prepare_training(held_out, optimizing=False)
            history = History()
            params = {"epochs": last, "steps": data.steps(size), "verbose": verbose, "metrics": self.metrics_names}
            told = CallbackList([*_progress(verbose), *_as_list(callbacks), history], self, params)
            self.history = history
            key = _shuffle_key(seed) if shuffle else None
            self._fitting, self.stop_training = True, False
            try:
                told.on_train_begin({})
                for epoch in range(first, last):
                    self._epoch(epoch, data, size, key, told, held_out, validation_batch_size or size)
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
        step = self._step("train")
        returned = None
        for number, batch in enumerate(data.batches(size, get_backend(), order)):
            if told.has_on_train_batch_begin:
                told.on_train_batch_begin(number, {})
            returned = step(*batch)
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
        size = as_int(32 if batch_size is None else batch_size, "batch_size", minimum=1)
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
        size = as_int(32 if batch_size is None else batch_size, "batch_size", minimum=1)
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
        return self.predict(x, batch_size=len(flatten(x)[0]))

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


def _to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.backend.to_host(tensor._array))


def _without_values(array: Any) -> Any:
    return None if array is None else Tensor(None, Spec(array.shape, array.dtype.name), None)


def _weights(sample_weight: Any, outputs: Sequence[Any]) -> list[Any]:
    """The sample weights of each output: one array serves all."""
    found = flatten(sample_weight)
    return found if len(found) == len(outputs) else found * len(outputs)


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


def _shuffle_key(seed: Any) -> int:
    if seed is not None:
        return as_int(seed, "seed")
    return int(random.default_generator().next().numpy()[1]) ^ random.default_generator().seed


def _epoch_seed(key: int, epoch: int) -> Tensor:
    return from_numpy(np.array([key & 0xFFFFFFFF, epoch], np.uint32).view(np.int32), get_backend())

"""``compile``, and what one step of training, evaluation or prediction does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina import losses, optimizers
from lamina import metrics as metric_room
from lamina.autodiff import Tape
from lamina.autodiff.gradients import tape_gradients
from lamina.contract import Backend
from lamina.data import ArrayData
from lamina.data.arrays import Batch
from lamina.errors import ArgumentTypeError, DataError, HostReadError, NotBuiltError
from lamina.layers.layer import Layer
from lamina.metrics import Mean, Metric
from lamina.models.compiling import CompiledLoss, CompiledMetrics, check_metrics, without_configs
from lamina.models.inputs import check_inputs, with_feature_axis
from lamina.replay import CompiledStep
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure


class Steps(Layer):
    """The part of a model that does single steps; ``Trainer`` inherits it."""

    optimizer: optimizers.Optimizer | None = None

    def _start_trainer(self) -> None:
        self._loss_given: Any = None
        self._metrics_given: Any = None
        self._loss_weights_given: Any = None
        self.run_eagerly = False
        self._loss: CompiledLoss | None = None
        self._metrics: CompiledMetrics | None = None
        self._checked: dict[Any, tuple[list[Any], slice]] = {}
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
        loss, metrics = without_configs(loss, losses.get), without_configs(metrics, metric_room.get)
        check_metrics(metrics)
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
        self._checked = {}

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
        found = flatten(given)
        if len(found) != len(outputs):
            raise DataError(f"y holds {len(found)} arrays for {len(outputs)} outputs.", expected="one for each output.")
        return found

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
            raise NotBuiltError(
                f"the model {self.name!r} has no loss.", fix="call compile(optimizer=..., loss=...) first."
            )
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
                self._trial(x)
        x = with_feature_axis(self, x)
        check_inputs(self, x)
        return x

    def _prepare_training(self, *parts: ArrayData, optimizing: bool) -> None:
        """Builds everything that makes Variables, and runs the model once without values, so that errors come first."""
        if self.optimizer is None or (self._loss_given is None and type(self).train_step is Steps.train_step):
            raise NotBuiltError(
                f"the model {self.name!r} is not compiled.", fix="call compile(optimizer=..., loss=...) first."
            )
        for data in parts:
            data.x = self._prepare_model(data.x)
            data.refresh()
        trained = tuple(id(v) for v in self.trainable_weights)
        if trained != self._trained:
            self._steps, self._trained = {}, trained
        if self._loss_given is not None:
            for data in parts:
                self._check_targets(data)
        if optimizing:
            self.optimizer.build(self.trainable_weights)

    def _check_targets(self, data: ArrayData) -> None:
        """Checks data of each new form against outputs and losses, then makes what these need, at the first data."""
        form = data.form()
        known = self._checked.get(form)
        outputs, part = known or self._trial(data.x)
        loss = self._loss or CompiledLoss(self._loss_given, self._loss_weights_given, self._output_names(len(outputs)))
        targets = None if data.y is None else self._per_output(data.y, outputs)
        if targets is not None:
            loss.check_labels(targets, outputs)
        elif type(self).train_step is Steps.train_step:
            raise DataError(
                f"y is None, and the model {self.name!r} has a loss.",
                expected="targets, one for each example.",
                fix="call fit(x, y).",
            )
        if targets is not None and known is None:
            y, weights = map_structure(lambda a: _without_values(a, part), (targets, data.sample_weight))
            loss.check(y, outputs, _weights(weights, outputs))
        if self._loss is None:
            self._make_losses(loss, targets, outputs)
        self._checked[form] = outputs, part

    def _trial(self, x: Any) -> tuple[list[Any], slice]:
        """The outputs without values for all examples, or, if a layer reads values, the outputs of the first one."""
        try:
            return flatten(self(map_structure(_without_values, x), training=False)), slice(None)
        except HostReadError:
            first = map_structure(lambda a: from_numpy(a[:1], get_backend()), x)
            return flatten(self(first, training=False)), slice(1)

    def _make_losses(self, loss: CompiledLoss, targets: Any, outputs: Sequence[Any]) -> None:
        found = CompiledMetrics(self._metrics_given, loss.names, loss)
        found.resolve(outputs if targets is None else targets, outputs)
        several = len(outputs) > 1
        named = zip(loss.names, loss.losses, strict=True)
        self._trackers = [Mean(name="loss")]
        self._trackers += [Mean(name=f"{name}_loss") for name, one in named if several and one is not None]
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
        return [*(t.name for t in self._trackers), *(self._metrics.names if self._metrics is not None else [])]

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _results(self, returned: Any = None) -> dict[str, float]:
        if isinstance(returned, Mapping):
            return {
                name: float(value.item() if isinstance(value, Tensor) else value) for name, value in returned.items()
            }
        pairs = zip(self.metrics_names, self.metrics, strict=True)
        return {name: float(metric.result().item()) for name, metric in pairs}

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


def _without_values(array: Any, part: slice = slice(None)) -> Any:
    return None if array is None else spec_tensor(array[part].shape, array.dtype.name)


def _weights(sample_weight: Any, outputs: Sequence[Any]) -> list[Any]:
    """The sample weights of each output: one array serves all."""
    found = flatten(sample_weight)
    return found if len(found) == len(outputs) else found * len(outputs)

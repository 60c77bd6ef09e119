"""What one step of training, evaluation or prediction does, and what the model keeps for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lamina import optimizers
from lamina.autodiff import Tape
from lamina.autodiff.gradients import tape_gradients
from lamina.contract import Backend
from lamina.data.arrays import Batch, StepData
from lamina.errors import ArgumentError, DataError, NotBuiltError
from lamina.layers.layer import Layer
from lamina.metrics import Mean, Metric
from lamina.models.compiling import CompiledLoss, CompiledMetrics, in_order, names_within
from lamina.replay import CompiledStep
from lamina.runtime.backends import get_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten

_OURS: Final = frozenset(
    ("_trackers", "_found_metrics", "_metrics_given", "_weighted_metrics_given", "_weights", "_nodes", "_checked")
)
"""Attributes in which no metric or optimizer of the user's is looked for."""


class Steps(Layer):
    """The part of a model that does single steps; ``Trainer`` inherits it."""

    optimizer: optimizers.Optimizer | None = None

    def _start_trainer(self) -> None:
        self._loss_given: Any = None
        self._metrics_given: Any = None
        self._weighted_metrics_given: Any = None
        self._loss_weights_given: Any = None
        self.run_eagerly = False
        self.steps_per_execution = 1
        self.jit_compile: Any = "auto"
        self._loss: CompiledLoss | None = None
        self._metrics: CompiledMetrics | None = None
        self._checked: dict[Any, tuple[list[Any], slice]] = {}
        self._trackers: list[Mean] = []
        self._found_metrics: list[tuple[str, Metric]] = []  # all metrics, as they were when the loop began
        self._parts: list[Any] | None = None
        self._last_loss: Tensor | None = None
        self._steps: dict[str, Callable[..., Any]] = {}
        self._guard: Any = None
        self._guarded: Callable[[Any], Any] | None = None
        self._rehearsed = False
        self._trained: tuple[Any, ...] = ()
        self._run_of_fit: Any = None
        self._first_weight: Variable | None = None

    def _forget_steps(self) -> None:
        self._steps = {}
        self._first_weight = None
        self._loss = self._metrics = None
        self._checked = {}
        self._rehearsed = False

    # -- what a step does ------------------------------------------------------------------------------------------

    def train_step(self, data: Batch) -> Any:
        """One step of training on a batch ``(x, y, sample_weight)``: override it for a training of your own.

        Whatever it does must be ops, Variables and the model's own layers, so that it can be recorded. A dict of
        tensors that it returns becomes the logs; None means the loss and the metrics.
        """
        x, y, sample_weight = data.x, data.y, data.sample_weight
        assert self.optimizer is not None
        trained = self.trainable_weights
        tape = Tape(trained)
        with listening(tape):
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply_gradients([(gradient, v) for v, gradient in tape_gradients(tape, scaled, trained)])
        self._track(loss, y_pred)
        return self._logs_of(x, y, y_pred, sample_weight)

    def test_step(self, data: Batch) -> Any:
        """One step of evaluation on a batch ``(x, y, sample_weight)``."""
        x, y, sample_weight = data.x, data.y, data.sample_weight
        y_pred = self(x, training=False)
        self._track(self.compute_loss(x, y, y_pred, sample_weight, training=False), y_pred)
        return self._logs_of(x, y, y_pred, sample_weight)

    def predict_step(self, x: Any) -> Any:
        """One step of prediction."""
        return self(x, training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """What training minimizes, a scalar: the outputs' losses and the layers' own. Override it for a loss of yours.

        Raises NotBuiltError if there is no loss at all.
        """
        outputs = flatten(y_pred)
        total, self._parts = None, None
        if self._loss is not None and self._loss.present:
            targets = self._per_output(y, outputs)
            total, self._parts = self._loss(targets, outputs, self._weights_per_output(sample_weight, outputs))
        for loss in self.losses:
            total = loss if total is None else total + loss
        if total is None:
            raise NotBuiltError(
                f"the model {self.name!r} has no loss.",
                fix="call compile(optimizer=..., loss=...), or add_loss(...) in a layer.",
            )
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Takes a batch into the metrics and returns their values by name; override it to add logs of your own."""
        outputs = flatten(y_pred)
        if self._metrics is not None and self._metrics.all:
            self._metrics.update(
                self._per_output(y, outputs), outputs, self._weights_per_output(sample_weight, outputs)
            )
        return {}

    def get_metrics_result(self) -> dict[str, Any]:
        """The values of all metrics by their names in the logs, as tensors."""
        return {name: metric.result() for name, metric in self._named_metrics()}

    def _logs_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """What a step returns: nothing, which means the metrics, unless ``compute_metrics`` is the user's own."""
        found = self.compute_metrics(x, y, y_pred, sample_weight)
        return None if type(self).compute_metrics is Steps.compute_metrics else found

    def _track(self, loss: Tensor, y_pred: Any) -> None:
        """Takes the total and each output's own loss into account."""
        self._last_loss = loss
        examples = float(flatten(y_pred)[0].shape[0])
        values = [loss, *(p for p in self._parts or () if p is not None)]
        for tracker, value in zip(self._trackers, values, strict=False):
            tracker.update_state(value, sample_weight=examples)
        self._parts = None

    def _per_output(self, given: Any, outputs: Sequence[Any], what: str = "y") -> list[Any]:
        """Targets in the order of the outputs; a dict goes by the outputs' names."""
        found = in_order(given, self._output_names(len(outputs)), what)
        if len(found) != len(outputs):
            raise DataError(
                f"{what} holds {len(found)} arrays for {len(outputs)} outputs.", expected="one for each output."
            )
        return found

    def _weights_per_output(self, sample_weight: Any, outputs: Sequence[Any]) -> list[Any]:
        """The sample weights of each output: one array serves all."""
        if sample_weight is None or not isinstance(sample_weight, (list, tuple, dict)):
            return [sample_weight] * len(outputs)
        return self._per_output(sample_weight, outputs, "sample_weight")

    @property
    def loss(self) -> Any:
        """The loss that ``compile`` was given, None before; a subclass may keep something else under this name."""
        return self.__dict__.get("_own_loss", self._loss_given)

    @loss.setter
    def loss(self, value: Any) -> None:
        self._own_loss = value

    # -- metrics ---------------------------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Metric]:
        """The metrics in the order of the logs: the loss, metrics kept in attributes, those given to ``compile``."""
        return [metric for _, metric in self._named_metrics()]

    @property
    def metrics_names(self) -> list[str]:
        """The names in the logs."""
        return [name for name, _ in self._named_metrics()]

    def _named_metrics(self, holders: Sequence[Any] | None = None) -> list[tuple[str, Metric]]:
        """All metrics, those included that the model or a layer in it keeps in an attribute."""
        kept = {id(m): m for layer in holders or with_sublayers(self) for m in _kept(layer, Metric)}
        compiled = [] if self._metrics is None else zip(self._metrics.names, self._metrics.all, strict=True)
        return [*((m.name, m) for m in (*self._trackers, *kept.values())), *compiled]

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        self._found_metrics = self._named_metrics()
        self._reset_found_metrics()

    def _reset_found_metrics(self) -> None:
        for _, metric in self._found_metrics:
            metric.reset_state()

    def _results(self, returned: Any = None) -> dict[str, Any]:
        if isinstance(returned, Mapping):
            return {name: _number(value) for name, value in returned.items()}
        return {key: value for name, metric in self._found_metrics for key, value in _numbers(name, metric.result())}

    # -- getting ready ---------------------------------------------------------------------------------------------

    def _output_names(self, count: int) -> list[str]:
        graph = getattr(self, "graph", None)
        if graph is not None:
            nested = isinstance(graph.output_structure, dict) and len(graph.output_structure) != count
            return names_within(graph.output_structure) if nested else list(self.output_names)  # type: ignore[attr-defined]
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]

    def _step(self, kind: str) -> Callable[..., Any]:
        """The recorded step of one kind: 'train', 'test' or 'predict'."""
        guarded = kind == "train" and self._guarded is not None
        name = f"guarded_{kind}" if guarded else kind
        if name not in self._steps:
            method = getattr(self, f"{kind}_step")

            def run(*batch: Any) -> Any:
                return method(batch[0] if kind == "predict" else StepData(*batch))

            step: Callable[..., Any] = self._guarded(run) if guarded and self._guarded is not None else run
            step.__name__ = f"{self.name}.{kind}_step"
            compiles = kind == "train" and self.jit_compile is True
            self._steps[name] = step if self.run_eagerly else CompiledStep(step, strict=False, jit_compile=compiles)
        return self._steps[name]

    def recorded_step(self, kind: str = "train") -> CompiledStep | None:
        """The recorded step of 'train', 'test' or 'predict', for ``explain()``; None if none was run, or it is eager.

        Raises ArgumentError for another kind.
        """
        if kind not in ("train", "test", "predict"):
            raise ArgumentError(f"there is no step {kind!r}.", expected="'train', 'test' or 'predict'.")
        step = self._steps.get(kind)
        return step if isinstance(step, CompiledStep) else None

    def _optimizers(self) -> list[optimizers.Optimizer]:
        """The optimizer given to ``compile``, and others that the model keeps in attributes."""
        found = [self.optimizer, *_kept(self, optimizers.Optimizer)]
        return list({id(one): one for one in found if one is not None}.values())

    def state_variables(self) -> list[Variable]:
        """Everything that training changes: weights, optimizer state, metrics, random streams, carried states."""
        found = [*self.weights, *(g.state for g in self.seed_generators), *self.carried_states]
        found += [v for optimizer in self._optimizers() for v in optimizer.variables]
        found += [v for metric in self.metrics for v in metric.variables]
        return list({id(v): v for v in found}.values())

    def _home(self) -> Backend:
        """The backend on which the weights are."""
        if self._first_weight is None and self.built:
            self._first_weight = next(iter(self.weights), None)
        return get_backend() if self._first_weight is None else self._first_weight.backend


def with_sublayers(layer: Any) -> list[Any]:
    """A layer and all layers in it."""
    return [layer, *(x for sub in layer.sublayers() for x in with_sublayers(sub))]


def _kept(holder: Any, kind: type) -> list[Any]:
    """The objects of a kind in the attributes of a layer, also in lists and dicts there."""
    found = []
    for key, value in vars(holder).items():
        if isinstance(value, kind):
            found.append(value)
        elif isinstance(value, (list, tuple, dict)) and value and key not in _OURS:
            found += [leaf for leaf in flatten(value) if isinstance(leaf, kind)]
    return found


def _number(value: Any) -> float:
    return float(value.item() if isinstance(value, Tensor) else value)


def _numbers(name: str, result: Any) -> list[tuple[str, Any]]:
    """A metric's result as logs: a dict of results by their own names, several numbers as a list."""
    if isinstance(result, Mapping):
        return [(key, _number(value)) for key, value in result.items()]
    if isinstance(result, Tensor) and result.size != 1:
        return [(name, result.numpy().tolist())]
    return [(name, _number(result))]

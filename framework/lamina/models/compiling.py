"""What ``compile`` was given, brought into one form: a loss and metrics for each output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamina import losses, metrics, ops
from lamina.errors import ArgumentError, DataError, ShapeError, UnknownNameError
from lamina.layers.arguments import number
from lamina.metrics import Metric
from lamina.runtime.tensor import Tensor


def per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """One entry per output of what was given as a single value, a list, or a dict by the outputs' names."""
    if isinstance(given, Mapping) and not _is_config(given, names):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise UnknownNameError(
                f"{what} names the output {unknown[0]!r}, which the model does not have.",
                expected=f"some of {', '.join(names)}.",
            )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ArgumentError(
                f"{what} has {len(given)} entries for {len(names)} outputs.", expected="one for each output."
            )
        return list(given)
    return [given] * len(names)


def _is_config(given: Any, names: Sequence[str]) -> bool:
    """Whether a dict is the config of one object, not a dict by the outputs' names."""
    return isinstance(given, Mapping) and "class_name" in given and "class_name" not in names


def without_configs(given: Any, get: Any) -> Any:
    """What compile was given, with configs made objects: their names may be known only now."""
    if isinstance(given, Mapping):
        if isinstance(given.get("class_name"), str):
            return get(given)
        return {key: without_configs(value, get) for key, value in given.items()}
    return [without_configs(one, get) for one in given] if isinstance(given, (list, tuple)) else given


def check_metrics(given: Any) -> None:
    """Raises UnknownNameError for a metric that no registry knows; which kind of "accuracy" is meant comes later."""
    if isinstance(given, (list, tuple)) or (isinstance(given, Mapping) and "class_name" not in given):
        for one in given.values() if isinstance(given, Mapping) else given:
            check_metrics(one)
    else:
        metrics.resolve(given, (None, 1), (None, 1))


class CompiledLoss:
    """The weighted sum of the outputs' losses."""

    def __init__(self, loss: Any, weights: Any, names: Sequence[str]) -> None:
        self.names = list(names)
        self.losses = [None if one is None else losses.get(one) for one in per_output(loss, names, "loss")]
        given = per_output(weights, names, "loss_weights")
        self.weights = [1.0 if w is None else number(w, "loss_weights") for w in given]
        if all(one is None for one in self.losses):
            raise ArgumentError("compile got no loss.", expected="a loss for at least one output.")

    def __call__(
        self, y: Sequence[Any], y_pred: Sequence[Tensor], sample_weight: Sequence[Any]
    ) -> tuple[Tensor, list[Any]]:
        """The total, and each output's own loss (None for an output without one)."""
        parts = [
            None if loss is None else loss(target, output, sample_weight=weight)
            for loss, target, output, weight in zip(self.losses, y, y_pred, sample_weight, strict=True)
        ]
        total: Any = None
        for part, weight in zip(parts, self.weights, strict=True):
            if part is not None:
                weighted = part if weight == 1.0 else ops.multiply(part, weight)
                total = weighted if total is None else ops.add(total, weighted)
        return total, parts

    def check(self, y: Sequence[Any], y_pred: Sequence[Any], sample_weight: Sequence[Any]) -> None:
        """Raises ShapeError or DataError if the targets do not fit the outputs; only their shapes are looked at."""
        try:
            for loss, target, output in zip(self.losses, y, y_pred, strict=False):
                _refuse_repeating(loss, target, output)
            self(y, y_pred, sample_weight)  # tensors without values: nothing is computed
        except ShapeError as error:
            shapes = ", ".join(str(target.shape) for target in y)
            error.add_note(f"  In the loss: targets {shapes} for outputs {', '.join(str(x.shape) for x in y_pred)}.")
            raise

    def check_labels(self, y: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """Raises DataError for a class number beyond an output's classes; ``y`` are NumPy arrays."""
        for loss, target, output in zip(self.losses, y, y_pred, strict=True):
            if isinstance(loss, losses.SparseCategoricalCrossentropy) and target.size:
                settings = loss.settings
                classes = output.shape[settings.get("axis", -1)]
                wrong = (target < 0) | (target >= classes)
                if settings.get("ignore_class") is not None:
                    wrong &= target != settings["ignore_class"]
                if wrong.any():
                    raise DataError(
                        f"y holds the class number {target[wrong].flat[0]}, and the model has {classes} classes.",
                        expected=f"integers from 0 to {classes - 1}.",
                        fix="number the classes from 0, or give the last layer more units.",
                    )


def _refuse_repeating(loss: Any, target: Any, output: Any) -> None:
    """A distance between a target of one size and an output of another would repeat one of them, and mean nothing."""
    if isinstance(loss, losses.Distance) and _plain(target) != _plain(output):
        raise ShapeError(
            f"{loss.name}: y_true is {target.shape} and y_pred is {output.shape}.",
            expected="equal shapes, but for axes of size 1 at the end.",
            fix="check y, or the units of the last layer.",
        )


def _plain(x: Any) -> tuple[int, ...]:
    shape = tuple(x.shape)
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


class CompiledMetrics:
    """The metrics of each output, under the names in which they appear in logs."""

    def __init__(self, given: Any, names: Sequence[str], loss: CompiledLoss) -> None:
        several = len(names) > 1
        nested = (isinstance(given, Mapping) and not _is_config(given, names)) or (
            several and isinstance(given, (list, tuple)) and any(isinstance(g, (list, tuple)) for g in given)
        )
        lists = per_output(given, names, "metrics") if nested else [given] * len(names)
        self._given = [_as_list(one) for one in lists]
        self._prefixes = [f"{name}_" if several else "" for name in names]
        self._losses = loss.losses
        self._resolved: list[list[Metric]] | None = None
        self._used: list[Metric] = []
        self.names: list[str] = []

    def resolve(self, y: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """Makes the metrics; what "accuracy" means depends on the shapes of target and output."""
        if self._resolved is None:
            self._resolved = [
                [self._one(metric, loss, target, output) for metric in given]
                for given, loss, target, output in zip(self._given, self._losses, y, y_pred, strict=True)
            ]

            self.names = [
                prefix + (given if isinstance(given, str) else metric.name)
                for prefix, per_output, found in zip(self._prefixes, self._given, self._resolved, strict=True)
                for given, metric in zip(per_output, found, strict=True)
            ]

    def _one(self, given: Any, loss: Any, target: Any, output: Any) -> Metric:
        """A metric; the second output that is given the same object gets one like it, for each keeps its own sums."""
        made: Metric = metrics.resolve(given, target.shape, output.shape, loss_name=getattr(loss, "name", None))
        if any(made is other for other in self._used):
            made = type(made).from_config(made.get_config())
        self._used.append(made)
        return made

    @property
    def all(self) -> list[Metric]:
        """All metrics, output by output; none before ``resolve``."""
        return [metric for per_output_list in self._resolved or [] for metric in per_output_list]

    def update(self, y: Sequence[Any], y_pred: Sequence[Tensor], sample_weight: Sequence[Any]) -> None:
        """Takes one batch into account."""
        for found, target, output, weight in zip(self._resolved or [], y, y_pred, sample_weight, strict=True):
            for metric in found:
                metric.update_state(target, output, sample_weight=weight)


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]

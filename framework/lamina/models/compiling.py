"""What ``compile`` was given, brought into one form: a loss and metrics for each output."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from lamina import losses, metrics, ops
from lamina.data.rows import blocks
from lamina.errors import ArgumentError, DataError, ShapeError, UnknownNameError
from lamina.layers.arguments import number
from lamina.metrics import Metric
from lamina.notices import name_of, noted
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten


def names_within(structure: Any, name: str = "") -> list[str]:
    """Names for the leaves of a dict of outputs in which lists are: the keys, and numbers for what is in lists.

    >>> names_within({"a": 1, "b": [2, 3]})
    ['a', 'b_0', 'b_1']
    """
    inner = structure.items() if isinstance(structure, dict) else enumerate(structure) if _is_list(structure) else None
    if inner is None:
        return [name]
    return [found for key, part in inner for found in names_within(part, f"{name}_{key}" if name else str(key))]


def in_order(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """Arrays in the order of outputs: a dict goes by the outputs' names. Raises DataError for one that is missing."""
    if not isinstance(given, dict):
        return flatten(given)
    found = dict(zip(names_within(given), flatten(given), strict=True))
    missing = [name for name in names if name not in found]
    if missing and what == "y":
        raise DataError(f"{what} has no entry {missing[0]!r}.", expected=f"a dict with {', '.join(names)}.")
    unknown = [name for name in found if name not in names]
    if unknown and what != "y":
        raise DataError(f"{what} has an entry {unknown[0]!r}.", expected=f"only entries of {', '.join(names)}.")
    return [found.get(name) for name in names]


def per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """One entry per output of what was given as a single value, a list, or a dict by the outputs' names."""
    if isinstance(given, Mapping) and not _is_config(given, names):
        parts = {key: [name for name in names if name == key or name.startswith(f"{key}_")] for key in given}
        unknown = [key for key, found in parts.items() if not found]
        if unknown:
            raise UnknownNameError(
                f"{what} names the output {unknown[0]!r}, which the model does not have.",
                expected=f"some of {', '.join(names)}.",
            )
        found = {key: value for key, value in given.items() if key in names}
        for key in given.keys() - found.keys():
            found |= zip(parts[key], per_output(given[key], parts[key], f"{what}[{key!r}]"), strict=True)
        return [found.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        entries = list(given) if len(given) == len(names) else flatten(given)
        if len(entries) != len(names):
            raise ArgumentError(
                f"{what} has {len(given)} entries for {len(names)} outputs.", expected="one for each output."
            )
        return entries
    return [given] * len(names)


def _is_list(given: Any) -> bool:
    return isinstance(given, (list, tuple))


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
        self.names: list[str] = list(names)
        self.losses: list[Any] = [None if one is None else losses.get(one) for one in per_output(loss, names, "loss")]
        given = per_output(weights, names, "loss_weights")
        self.weights: list[float] = [1.0 if w is None else number(w, "loss_weights") for w in given]
        self.present: bool = any(one is not None for one in self.losses)
        if loss is not None and not self.present:
            raise ArgumentError("compile got no loss.", expected="a loss for at least one output.")

    def __call__(
        self, y: Sequence[Any], y_pred: Sequence[Tensor], sample_weight: Sequence[Any]
    ) -> tuple[Tensor, list[Any]]:
        """The total, and each output's own loss (None for an output without one)."""
        for name, loss, target in zip(self.names, self.losses, y, strict=True):
            if loss is not None and target is None:
                raise DataError(
                    f"there are no targets for the output {name!r}, which has a loss.",
                    expected="targets for each output with a loss.",
                )
        parts: list[Any] = []
        for name, loss, *given, weight in zip(self.names, self.losses, y, y_pred, sample_weight, strict=True):
            with noted(_at, loss, "loss", name, *given):
                parts.append(None if loss is None else loss(*given, sample_weight=weight))
        total: Any = None
        for part, weight in zip(parts, self.weights, strict=True):
            if part is not None:
                weighted = part if weight == 1.0 else ops.multiply(part, weight)
                total = weighted if total is None else ops.add(total, weighted)
        return total, parts

    def check(self, y: Sequence[Any], y_pred: Sequence[Any], sample_weight: Sequence[Any]) -> None:
        """Raises ShapeError or DataError if targets or weights do not fit the outputs; only shapes are looked at."""
        for name, loss, target, output in zip(self.names, self.losses, y, y_pred, strict=False):
            if target is not None:
                with noted(_at, loss, "loss", name, target, output):
                    _refuse_repeating(loss, target, output)
        self(y, y_pred, [None] * len(y_pred))  # tensors without values: nothing is computed
        for name, loss, *given in zip(self.names, self.losses, y, y_pred, sample_weight, strict=True):
            if loss is not None and given[-1] is not None:
                _check_weights(name, loss, *given)

    def check_labels(self, y: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """Raises DataError for a class number beyond an output's classes; ``y`` are NumPy arrays."""
        for loss, target, output in zip(self.losses, y, y_pred, strict=True):
            if isinstance(loss, _OF_CLASS_NUMBERS) and target is not None:
                settings = loss.settings
                _check_classes(target, output.shape[settings.get("axis", -1)], settings.get("ignore_class"))


def _at(measure: Any, kind: str, name: str, target: Any, output: Any) -> str:
    """Where an error of a loss or metric was, in words."""
    called = repr(getattr(measure, "name", None) or name_of(measure))
    targets, outputs = (getattr(x, "shape", None) for x in (target, output))
    return f"In the {kind} {called} of the output {name!r}: targets {targets}, outputs {outputs}."


def _check_weights(name: str, loss: Any, target: Any, output: Any, weight: Any) -> None:
    try:
        loss(target, output, sample_weight=weight)
    except ShapeError as error:
        raise ShapeError(
            f"sample_weight has shape {weight.shape} for the output {name!r}, of shape {output.shape}.",
            expected="one weight for each example, or for each value of the loss.",
        ) from error


_OF_CLASS_NUMBERS = (losses.SparseCategoricalCrossentropy, losses.CategoricalGeneralizedCrossEntropy)


def _check_classes(target: Any, classes: int, ignored: int | None) -> None:
    for _, block in blocks(target):
        wrong = (block < 0) | (block >= classes)
        if ignored is not None:
            wrong &= block != ignored
        if wrong.any():
            raise DataError(
                f"y holds the class number {block[wrong].flat[0]}, and the model has {classes} classes.",
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
    """The metrics of each output, under the names in which they appear in logs.

    Sample weights count in those of ``weighted`` only.
    """

    def __init__(self, given: Any, weighted: Any, names: Sequence[str], loss: CompiledLoss) -> None:
        several = len(names) > 1
        self._outputs = names
        self._given = [
            [*((one, False) for one in plain), *((one, True) for one in heavy)]
            for plain, heavy in zip(
                _per_output_lists(given, names, "metrics"),
                _per_output_lists(weighted, names, "weighted_metrics"),
                strict=True,
            )
        ]
        self._prefixes = [f"{name}_" if several else "" for name in names]
        self._losses = loss.losses
        self._resolved: list[list[tuple[Metric, bool]]] | None = None
        self._used: list[Metric] = []
        self.names: list[str] = []

    def resolve(self, y: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """Makes the metrics; what "accuracy" means depends on the shapes of target and output."""
        if self._resolved is not None:
            return
        self._resolved = []
        for prefix, given, loss, target, output in zip(
            self._prefixes, self._given, self._losses, y, y_pred, strict=True
        ):
            found = []
            for one, weighted in given:
                metric = self._one(one, loss, output if target is None else target, output)
                found.append((metric, weighted))
                self.names.append(self._free(prefix, metric.name, weighted))
            self._resolved.append(found)

    def _free(self, prefix: str, name: str, weighted: bool) -> str:
        """A name that no other metric has: one that stands in both lists is "weighted" in the second."""
        if weighted and prefix + name in self.names:
            name = f"weighted_{name}"
        numbered = (f"{prefix}{name}_{n}" for n in itertools.count(1))
        return prefix + name if prefix + name not in self.names else next(n for n in numbered if n not in self.names)

    def _one(self, given: Any, loss: Any, target: Any, output: Any) -> Metric:
        """A metric; the second output that is given the same object gets one like it, for each keeps its own sums."""
        made: Metric = metrics.resolve(given, target.shape, output.shape, loss_name=getattr(loss, "name", None))
        if any(made is other for other in self._used):
            made = type(made).from_config(made.get_config())
        made.build(target.shape, output.shape)
        self._used.append(made)
        if isinstance(given, str):
            made.name = given
        return made

    @property
    def all(self) -> list[Metric]:
        """All metrics, output by output; none before ``resolve``."""
        return [metric for found in self._resolved or [] for metric, _ in found]

    def update(self, y: Sequence[Any], y_pred: Sequence[Tensor], sample_weight: Sequence[Any]) -> None:
        """Takes one batch into account; an output without targets counts nowhere."""
        several = zip(self._outputs, self._resolved or [], y, y_pred, sample_weight, strict=True)
        for name, found, target, output, weight in several:
            for metric, weighted in found if target is not None else ():
                with noted(_at, metric, "metric", name, target, output):
                    if weighted and weight is not None:
                        metric.update_state(target, output, sample_weight=weight)
                    else:
                        metric.update_state(target, output)


def _per_output_lists(given: Any, names: Sequence[str], what: str) -> list[list[Any]]:
    """A list of metrics for each output; a plain list is for all of them."""
    nested = (isinstance(given, Mapping) and not _is_config(given, names)) or (
        len(names) > 1 and _is_list(given) and any(_is_list(g) or g is None for g in given)
    )
    if isinstance(given, Mapping) and nested:
        given = {
            key: value if len([n for n in names if n.startswith(f"{key}_")]) > 1 and key not in names else [value]
            for key, value in given.items()
        }
    elif nested:
        given = [[value] for value in given]
    lists = per_output(given, names, what) if nested else [given] * len(names)
    return [[one for one in flatten(entry) if one is not None] for entry in lists]

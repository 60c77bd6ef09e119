"""Normalization to the statistics of a data set."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, NotBuiltError, ShapeError
from lamina.layers.adapting import batches
from lamina.layers.arguments import flag
from lamina.layers.axes import along, as_axes, check_sizes, found_axes
from lamina.layers.layer import Layer
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Shape

_EPSILON: Final = 1e-7
"""The least standard deviation that is divided by."""

Array = np.ndarray[Any, Any]


class Normalization(Layer):
    """Shifts and scales features to the mean 0 and the variance 1 of a data set: y = (x - mean) / sqrt(variance).

    ``axis``, one or several, are the axes whose every index is a feature with statistics of its own; None takes all
    numbers as one feature. The statistics are learned by ``adapt``, or given as ``mean`` and ``variance``. ``invert``
    turns it round: y = mean + x * sqrt(variance). Input and output have the same shape; integers become floats.

    Weights, unless the statistics are given, none of them trained: ``mean`` and ``variance`` of the sizes of the axes,
    and ``count``, which stands in files of Keras and says nothing. Before ``adapt`` they are 0 and 1.

    Raises ArgumentError if only one of the statistics is given or they do not fit each other, ShapeError for an input
    that has no such axis or other sizes than the statistics.

    >>> layer = Normalization()
    >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer(ops.tensor([[1.0, 30.0]])).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True
    kept_as: ClassVar[dict[str, str]] = {"mean": "input_mean", "variance": "input_variance"}

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **common: Any
    ) -> None:
        super().__init__(**common)
        axes = [] if axis is None or axis == [] else as_axes(axis)  # as Keras saves it
        self.mean: Any = None
        self.variance: Any = None
        self.axis: list[int] | None = [axes] if isinstance(axes, int) else axes or None
        self.invert: bool = flag(invert, "invert")
        if (mean is None) != (variance is None):
            raise ArgumentError(f"mean is {mean!r} and variance is {variance!r}.", expected="both of them, or none.")
        self.input_mean: Any = _statistic(mean, "mean")
        self.input_variance: Any = _statistic(variance, "variance")
        if np.shape(self.input_mean) != np.shape(self.input_variance):
            raise ArgumentError(
                f"mean has shape {np.shape(self.input_mean)} and variance has shape {np.shape(self.input_variance)}.",
                expected="equal shapes.",
            )
        if variance is not None and np.min(self.input_variance, initial=0) < 0:
            raise ArgumentError(f"variance is {variance!r}.", expected="no negative numbers.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis or []}

    def check_input(self, input_shape: Any) -> None:
        axes = self._axes(input_shape)
        if self.built:
            check_sizes(self, input_shape, axes, self.sizes)

    def _axes(self, input_shape: Any) -> tuple[int, ...]:
        return () if self.axis is None else found_axes(self, self.axis, input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The shape of the input, also where the sizes of the axes are not known yet."""
        self.check_input(input_shape)
        return tuple(input_shape)

    def build(self, input_shape: Any) -> None:
        sizes = tuple(input_shape[axis] for axis in self._axes(input_shape))
        if self.input_mean is not None:
            self.mean, self.variance = (self._spread(s, sizes) for s in (self.input_mean, self.input_variance))
        else:
            self.mean = self.add_weight(sizes, "zeros", trainable=False, name="mean")
            self.variance = self.add_weight(sizes, "ones", trainable=False, name="variance")
            self.count: Variable = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self.sizes = sizes

    def _spread(self, statistic: Any, sizes: Shape) -> Array:
        """A statistic as it was given, with a number for each feature."""
        if None in sizes:
            raise ShapeError(
                f"Normalization(axis={self.axis}) has sizes {sizes}.", expected="the sizes of its axes to be known."
            )
        try:
            return np.broadcast_to(np.asarray(statistic, np.float64), sizes)
        except ValueError as error:
            raise ShapeError(
                f"mean and variance of Normalization have shape {np.shape(statistic)}.",
                expected=f"the sizes {sizes} of the axes {self.axis} of its input, or what broadcasts to them.",
            ) from error

    def adapt(self, data: Any) -> None:
        """Takes the statistics of ``data``: an array, a tensor, nested lists, or an iterable of batches of these.

        What was learned before is forgotten. Raises ArgumentError if the statistics were given, DataError if there are
        no data or they are no arrays, ShapeError if batches differ.

        >>> layer = Normalization(axis=None)
        >>> layer.adapt(batch for batch in ([1.0, 2.0], [3.0]))
        >>> layer.mean.numpy().item()
        2.0
        """
        if self.input_mean is not None:
            raise ArgumentError("adapt was called on a Normalization with mean and variance given.", expected="none.")
        total: tuple[int, Any, Any] = (0, 0.0, 0.0)
        for batch in batches(data):
            if not self.built:
                self._build_once((None, *batch.shape[1:]) if self._batch_is_free(batch.shape) else batch.shape)
            self.check_input(batch.shape)
            total = _joined(total, _statistics(batch, self._axes(batch.shape)))
        if not total[0]:
            raise DataError("adapt got no data.", expected="at least one example.")
        self.mean.assign(total[1].astype(self.mean.dtype))
        self.variance.assign((total[2] / total[0]).astype(self.variance.dtype))

    def _batch_is_free(self, shape: Shape) -> bool:
        return len(shape) > 0 and 0 not in self._axes(shape)

    def call(self, x: Tensor) -> Tensor:
        if not self.built:
            raise NotBuiltError("a Normalization without statistics was called.", fix="call adapt on data first.")
        axes = self._axes(x.shape)
        x = ops.cast(x, self.dtype)
        mean, variance = (along(ops.cast(to_tensor(s), x.dtype), axes, x) for s in (self.mean, self.variance))
        deviation = ops.maximum(ops.sqrt(variance), _EPSILON)
        if self.invert:
            return ops.add(mean, ops.multiply(x, deviation))
        return ops.divide(ops.subtract(x, mean), deviation)


def _statistic(value: Any, name: str) -> Any:
    """A mean or a variance as plain numbers; None if there is none."""
    if value is None:
        return None
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if array.dtype.kind not in "iuf":
        raise ArgumentTypeError(f"{name} is {value!r}.", expected="a number, or an array of numbers.")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} is {value!r}.", expected="finite numbers.")
    return array.tolist()


def _statistics(batch: Array, axes: tuple[int, ...]) -> tuple[int, Any, Any]:
    """How many numbers there are for each feature, their mean, and the sum of squares of their distances from it."""
    others = tuple(a for a in range(batch.ndim) if a not in axes)
    count = int(np.prod([batch.shape[a] for a in others]))
    if not batch.size:
        return 0, 0.0, 0.0
    mean = batch.mean(others, keepdims=True)
    return count, mean.squeeze(others), np.square(batch - mean).sum(others)


def _joined(a: tuple[int, Any, Any], b: tuple[int, Any, Any]) -> tuple[int, Any, Any]:
    """The statistics of two parts together, without cancellation (Chan et al. 1979)."""
    if not a[0] or not b[0]:
        return a if a[0] else b
    count, difference = a[0] + b[0], b[1] - a[1]
    mean = a[1] + difference * (b[0] / count)
    return count, mean, a[2] + b[2] + np.square(difference) * (a[0] * b[0] / count)

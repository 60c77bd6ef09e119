"""Rectifiers as layers: x above a threshold, something smaller below."""

from __future__ import annotations

from typing import Any, Self

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.errors import ShapeError
from lamina.layers.arguments import number
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_entries, as_int


class ReLU(Layer):
    """Rectifier: x from ``threshold`` to ``max_value``, negative_slope * (x - threshold) below, max_value above.

    The three settings are at least 0; ``max_value`` None is no bound. Input and output have the same shape. Raises
    ArgumentError or ArgumentTypeError for a setting that is negative or no number.

    >>> ReLU(max_value=6.0)(ops.tensor([-2.0, 1.0, 9.0])).tolist()
    [0.0, 1.0, 6.0]
    """

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **common: Any
    ) -> None:
        super().__init__(**common)
        self.max_value: float | None = None if max_value is None else number(max_value, "max_value", minimum=0)
        self.negative_slope: float = number(negative_slope, "negative_slope", minimum=0)
        self.threshold: float = number(threshold, "threshold", minimum=0)

    def call(self, x: Tensor) -> Tensor:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """Rectifier with a slope below 0: x above 0, negative_slope * x below.

    Input and output have the same shape. TensorFlow.js and older Keras call the slope ``alpha``; configs may. Raises
    ArgumentError or ArgumentTypeError for a slope that is negative or no number.

    >>> LeakyReLU(0.5)(ops.tensor([-2.0, 1.0])).tolist()
    [-1.0, 1.0]
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **common: Any) -> None:
        super().__init__(**common)
        self.negative_slope: float = number(negative_slope, "negative_slope", minimum=0)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return super().from_config({"negative_slope" if k == "alpha" else k: v for k, v in config.items()})

    def call(self, x: Tensor) -> Tensor:
        return ops.leaky_relu(x, self.negative_slope)


class PReLU(Layer):
    """Rectifier with learned slopes: x above 0, alpha * x below (He et al. 2015, arXiv:1502.01852).

    Weight: ``alpha``, of the shape of an example, with 1 along ``shared_axes``: an axis or several, the first after the
    batch being 1. Input and output have the same shape. Raises ArgumentError for an axis below 1, ShapeError for an
    input that has no such axis, or other sizes than the one it was built for. ``alpha_regularizer`` and
    ``alpha_constraint`` are those of ``alpha``.

    >>> PReLU(alpha_initializer="ones")(ops.tensor([[-2.0, 1.0]])).tolist()
    [[-2.0, 1.0]]
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.alpha_initializer: Any = initializers.get(alpha_initializer)
        self.alpha_regularizer: Any = regularizers.get(alpha_regularizer)
        self.alpha_constraint: Any = constraints.get(alpha_constraint)
        self.shared_axes: list[int] | None = None if shared_axes is None else [
            as_int(axis, "shared_axes", minimum=1) for axis in as_entries(shared_axes, "shared_axes")
        ]  # fmt: skip

    def check_input(self, input_shape: Any) -> None:
        beyond = [axis for axis in self.shared_axes or () if axis >= len(input_shape)]
        if len(input_shape) < 1 or beyond:
            raise ShapeError(
                f"PReLU(shared_axes={self.shared_axes}) got an input of shape {input_shape}.",
                expected=f"an axis {beyond[0]}." if beyond else "a batch.",
            )
        if self.built and not self._fits(input_shape[1:]):
            raise ShapeError(
                f"PReLU got an input of shape {input_shape}.",
                expected=f"examples of the shape of its weights, {self.alpha.shape}, or any size where that is 1.",
                fix="name axes of other sizes in shared_axes.",
            )

    def _fits(self, sizes: Any) -> bool:
        pairs = zip(sizes, self.alpha.shape, strict=False)
        return len(sizes) == self.alpha.ndim and all(size in (None, own) or own == 1 for size, own in pairs)

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or ()
        shape = tuple(1 if axis in shared else size for axis, size in enumerate(input_shape[1:], 1))
        self.alpha: Variable = self.add_weight(
            shape, self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
            name="alpha",
        )  # fmt: skip

    def call(self, x: Tensor) -> Tensor:
        return ops.prelu(x, self.alpha)


class ELU(Layer):
    """Exponential linear unit: x above 0, alpha * (e^x - 1) below (Clevert et al. 2015, arXiv:1511.07289).

    Input and output have the same shape. Raises ArgumentError or ArgumentTypeError for an alpha that is no finite
    number.

    >>> ELU()(ops.tensor([-1e9, 1.0])).tolist()
    [-1.0, 1.0]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **common: Any) -> None:
        super().__init__(**common)
        self.alpha: float = number(alpha, "alpha")

    def call(self, x: Tensor) -> Tensor:
        return ops.elu(x, self.alpha)


class ThresholdedReLU(Layer):
    """Rectifier with a threshold: x above ``theta``, 0 elsewhere (Konda et al. 2014, arXiv:1402.3337).

    Of TensorFlow.js and older Keras. Raises ArgumentError or ArgumentTypeError for a theta that is negative or no
    number.

    >>> ThresholdedReLU()(ops.tensor([0.5, 1.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **common: Any) -> None:
        super().__init__(**common)
        self.theta: float = number(theta, "theta", minimum=0)

    def call(self, x: Tensor) -> Tensor:
        return ops.where(ops.greater(x, self.theta), x, 0.0)

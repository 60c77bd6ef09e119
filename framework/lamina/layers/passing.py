"""Layers that pass their input on: as it is, with a penalty, or with a mask."""

from __future__ import annotations

from typing import Any

from lamina import ops, regularizers
from lamina.layers.arguments import number
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor


class Identity(Layer):
    """The input as it is, masks included; a place for something else, or a name for a tensor.

    Input and output have the same shape. Raises nothing.

    >>> Identity()(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    supports_masking = True

    def call(self, x: Any) -> Any:
        return x


class ActivityRegularization(Layer):
    """The input as it is, with a penalty: l1 * sum(|x|) + l2 * sum(x²), divided by the size of the batch.

    The penalty is added to what training minimizes. Every layer's ``activity_regularizer`` does the same. Input and
    output have the same shape. Raises ArgumentError for factors below 0.

    >>> layer = ActivityRegularization(l2=0.5)
    >>> layer(ops.tensor([[1.0, 2.0]])).tolist(), [loss.item() for loss in layer.losses]
    ([[1.0, 2.0]], [2.5])
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.l1: float = number(l1, "l1", minimum=0.0)
        self.l2: float = number(l2, "l2", minimum=0.0)
        self.activity_regularizer: Any = regularizers.L1L2(self.l1, self.l2)

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]  # l1 and l2 say it
        return config


class Masking(Layer):
    """Masks the steps of a sequence that consist of ``mask_value`` only, and sets them to 0.

    Input (batch, steps, ...), output the same; the mask (batch, steps) is True where a step counts, and layers behind
    that support masks leave the others out. Input and output (batch, time, ...). Raises OutOfRangeError for an input
    without axes.

    >>> x = ops.tensor([[[1.0, 0.0], [9.0, 9.0]]])
    >>> layer = Masking(mask_value=9.0)
    >>> layer(x).tolist(), layer.compute_mask(x).tolist()
    ([[[1.0, 0.0], [0.0, 0.0]]], [[True, False]])
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.mask_value: float = number(mask_value, "mask_value")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), -1)

    def call(self, x: Tensor) -> Tensor:
        counted = ops.any(ops.not_equal(x, self.mask_value), -1, keepdims=True)
        return ops.multiply(x, ops.cast(counted, x.dtype))

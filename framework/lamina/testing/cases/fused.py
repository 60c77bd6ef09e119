"""Cases of the convolutions with a bias and an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ShapeError
from lamina.testing.cases.conv import conv, depthwise
from lamina.testing.inputs import normal
from lamina.testing.table import case

ACTIVATIONS: Any = {
    "linear": lambda y: y,
    "relu": lambda y: np.maximum(y, 0.0),
    "relu6": lambda y: np.clip(y, 0.0, 6.0),
    "elu": lambda y: np.where(y > 0.0, y, np.expm1(y)),
    "sigmoid": lambda y: 1.0 / (1.0 + np.exp(-y)),
}


def _slopes(y: Any, slopes: Any) -> Any:
    return np.where(y > 0.0, y, slopes * y)


for _activation, _reference in ACTIVATIONS.items():
    for _op, _kernel, _function in (("conv2d", (2, 2, 2, 3), conv), ("depthwise_conv2d", (2, 2, 2, 2), depthwise)):
        case(f"fused.{_op}", [normal(2, 4, 4, 2), normal(*_kernel)], activation=_activation, bias=0.5, strides=2,
             padding="same", smooth=_activation in ("linear", "sigmoid"),
             reference=lambda x, k, activation, bias, f=_function, a=_reference, **s: a(f(x, k, **s) + bias),
             )  # fmt: skip
case("fused.conv2d", [normal(1, 3, 3, 2), normal(2, 2, 2, 2)], activation="leaky_relu", alpha=0.3, smooth=False,
     reference=lambda x, k, activation, alpha: _slopes(conv(x, k), alpha))  # fmt: skip
case("fused.conv2d", [normal(1, 2, 3, 3), normal(2, 2, 2, 2)], activation="prelu", prelu_weights=[0.25, 0.5],
     bias=[1.0, 2.0], data_format="channels_first", smooth=False,
     reference=lambda x, k, activation, prelu_weights, bias, data_format: _slopes(
         conv(x, k, data_format=data_format) + np.reshape(bias, (2, 1, 1)), np.reshape(prelu_weights, (2, 1, 1)),
     ))  # fmt: skip
for _wrong, _error in (
    ({"activation": "tanh"}, ArgumentError),
    ({"activation": "prelu"}, ArgumentError),
    ({"bias": [1.0, 2.0, 3.0]}, ShapeError),
    ({"bias": [[[[[1.0]]]]]}, ShapeError),
):
    _inputs = [normal(1, 3, 3, 2), normal(2, 2, 2, 2)]
    case("fused.conv2d", _inputs, raises=_error, **_wrong)
    case("fused.depthwise_conv2d", [normal(1, 3, 3, 2), normal(2, 2, 2, 1)], raises=_error, **_wrong)

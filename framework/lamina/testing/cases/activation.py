"""Cases of the non-linearities and the fused losses."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.errors import DTypeError, OutOfRangeError, ShapeError
from lamina.testing.cases.elementwise import INF, NAN, erf
from lamina.testing.inputs import (
    between,
    bools,
    complex_normal,
    distinct,
    empty,
    ints,
    non_contiguous,
    normal,
    probabilities,
    strings,
    values,
)
from lamina.testing.table import case


def sigmoid(x: Any) -> Any:
    return np.where(x >= 0, 1.0 / (1.0 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1.0 + np.exp(-np.abs(x))))


def softmax(x: Any, axis: int = -1) -> Any:
    if not x.size:
        return x
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: Any, axis: int = -1) -> Any:
    if not x.size:
        return x
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def softplus(x: Any) -> Any:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def leaky_relu(x: Any, alpha: float = 0.2) -> Any:
    return np.where(x > 0, x, alpha * x)


def prelu(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, np.where(x > 0, 0.0, x) * alpha)


def softsign(x: Any) -> Any:
    finite = np.where(np.isinf(x), 0.0, x)
    return np.where(np.isinf(x), np.sign(x), finite / (1.0 + np.abs(finite)))


def _vanishing(function: Any) -> Any:
    """A function that goes to 0 on the left, also at the end."""
    return lambda x: np.where(np.isneginf(x), 0.0, function(np.where(np.isneginf(x), 0.0, x)))


SMOOTH: Final[dict[str, Any]] = {
    "tanh": np.tanh, "sigmoid": sigmoid, "softplus": softplus, "silu": _vanishing(lambda x: x * sigmoid(x)),
    "gelu": _vanishing(lambda x: x * 0.5 * (1.0 + erf(x / np.sqrt(2.0)))),
    "gelu_new": _vanishing(lambda x: x * sigmoid(2.0 * np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3))),
    "mish": _vanishing(lambda x: x * np.tanh(softplus(x))), "log_sigmoid": lambda x: -softplus(-x),
}  # fmt: skip
KINKED: Final[dict[str, Any]] = {
    "elu": elu, "leaky_relu": leaky_relu, "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "hard_sigmoid": lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6.0, "softsign": softsign,
    "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6),
}  # fmt: skip
for _op, _reference in {**SMOOTH, **KINKED}.items():
    _smooth = _op in SMOOTH
    case(_op, [normal(2, 3) if _smooth else distinct(3, 4)], reference=_reference, smooth=_smooth)
    case(_op, [normal()], reference=_reference, smooth=_smooth)
    case(_op, [normal(1, 1)], reference=_reference, smooth=_smooth)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [non_contiguous(3, 4)], reference=_reference, smooth=_smooth)
    case(_op, [values([-30.0, -80.0, 30.0, 80.0])], reference=_reference, gradient=False)
    case(_op, [ints(2, 3)], reference=_reference)
    case(_op, [strings(["a"])], raises=DTypeError)
    case(_op, [complex_normal(2)], raises=DTypeError)
    case(_op, [values([INF, -INF, NAN, 1e4, -1e4])], reference=_reference, gradient=False)
case("relu6", [bools(2)], raises=DTypeError)
case("prelu", [distinct(4, 3), distinct(4, 3)], reference=prelu, smooth=False)
case("prelu", [distinct(2, 1, 4), distinct(3, 1)], reference=prelu, smooth=False)
case("prelu", [distinct(2, 3, 4), normal(4)], reference=prelu, smooth=False)
case("prelu", [ints(2, 3), normal(3)], reference=prelu)
case("prelu", [empty(0, 3), normal(3)], reference=prelu)
case("prelu", [values([INF, NAN, 0.0]), values([0.0, 1.0, INF])],
     reference=lambda x, alpha: np.array([np.inf, np.nan, np.nan]), gradient=False)  # fmt: skip
case("prelu", [normal(2, 3), normal(2)], raises=ShapeError)
case("prelu", [strings(["a"]), normal(1)], raises=DTypeError)
case("elu", [distinct(4, 3)], alpha=0.5, reference=KINKED["elu"], smooth=False)
case("leaky_relu", [distinct(4, 3)], alpha=0.01, reference=KINKED["leaky_relu"], smooth=False)
case("relu_gradient", [normal(3, 4), distinct(3, 4)], reference=lambda dy, y: np.where(y > 0, dy, 0.0), smooth=False)
case("relu_gradient", [values([1.0, 2.0]), values([0.0, -0.0])], reference=lambda dy, y: dy * 0.0, gradient=False)
case("relu_gradient", [ints(2), ints(2)], raises=DTypeError)

for _op, _along in {"softmax": softmax, "log_softmax": log_softmax}.items():
    case(_op, [normal(2, 3)], reference=_along)
    case(_op, [normal(2, 3, 4)], axis=1, reference=_along)
    case(_op, [normal(2, 3)], axis=0, reference=_along)
    case(_op, [normal(1)], reference=_along)
    case(_op, [empty(0, 3)], reference=_along)
    case(_op, [empty(3, 0)], reference=_along)
    case(_op, [non_contiguous(3, 4)], reference=_along)
    case(_op, [values([[1000.0, 1001.0], [-1000.0, 0.0]])], reference=_along, gradient=False)
    case(_op, [normal(2, 3)], axis=2, raises=OutOfRangeError)
    case(_op, [normal()], raises=OutOfRangeError)
    case(_op, [ints(2, 3)], reference=_along)
    case(_op, [complex_normal(2)], raises=DTypeError)


def _softmax_cross_entropy(labels: Any, logits: Any) -> Any:
    return -(labels * log_softmax(logits)).sum(-1)


def _class_cross_entropy(labels: Any, logits: Any) -> Any:
    return _softmax_cross_entropy(labels[..., None] == np.arange(logits.shape[-1]), logits)


def _class_cross_entropy_gradient(dy: Any, labels: Any, logits: Any) -> Any:
    return _softmax_cross_entropy_gradient(dy, (labels[..., None] == np.arange(logits.shape[-1])) * 1.0, logits)


def _class_log_loss(labels: Any, shares: Any, epsilon: float) -> Any:
    kept = np.clip(shares / shares.sum(-1, keepdims=True), epsilon, 1 - epsilon)
    return -((labels[..., None] == np.arange(shares.shape[-1])) * np.log(kept)).sum(-1)


def _class_log_loss_gradient(dy: Any, labels: Any, shares: Any, epsilon: float) -> Any:
    total = shares.sum(-1, keepdims=True)
    part, hot = shares / total, (labels[..., None] == np.arange(shares.shape[-1])) * 1.0
    slope = -hot / np.clip(part, epsilon, 1) * ((part > epsilon) & (part < 1 - epsilon)) * dy[..., None]
    return (slope - (slope * part).sum(-1, keepdims=True)) / total


def _sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    return labels * softplus(-logits) + (1.0 - labels) * softplus(logits)


def _softmax_cross_entropy_gradient(dy: Any, labels: Any, logits: Any) -> Any:
    e = np.exp(logits - logits.max(-1, keepdims=True)) if logits.size else logits
    return (e / e.sum(-1, keepdims=True) * labels.sum(-1, keepdims=True) - labels) * dy[..., None]


case("softmax_cross_entropy", [probabilities(4, 3), normal(4, 3)], reference=_softmax_cross_entropy)
case("softmax_cross_entropy", [normal(2, 4, 3), normal(2, 4, 3)], reference=_softmax_cross_entropy)
case("softmax_cross_entropy", [probabilities(3), normal(3)], reference=_softmax_cross_entropy)
case("softmax_cross_entropy", [values([[1.0, 0.0]]), values([[-900.0, 900.0]])], reference=_softmax_cross_entropy,
     gradient=False)  # fmt: skip
case("softmax_cross_entropy_gradient", [normal(4), probabilities(4, 3), normal(4, 3)],
     reference=_softmax_cross_entropy_gradient)  # fmt: skip
case("softmax_cross_entropy_gradient", [normal(1), probabilities(1, 3), normal(1, 3)])
case("softmax_cross_entropy_gradient", [normal(2, 4), normal(2, 4, 3), non_contiguous(2, 4, 3)],
     reference=_softmax_cross_entropy_gradient)  # fmt: skip
case("softmax_cross_entropy_gradient", [empty(0), empty(0, 3), empty(0, 3)],
     reference=_softmax_cross_entropy_gradient)  # fmt: skip
case("softmax_cross_entropy", [empty(0, 3), empty(0, 3)], reference=lambda a, b: np.zeros(0))
case("softmax_cross_entropy", [normal(2, 3), normal(3)], raises=ShapeError)
case("softmax_cross_entropy", [ints(2, 3), ints(2, 3)], raises=DTypeError)
case("sigmoid_cross_entropy", [probabilities(4, 3), normal(4, 3)], reference=_sigmoid_cross_entropy)
case("sigmoid_cross_entropy", [probabilities(1, 1), normal(1, 1)], reference=_sigmoid_cross_entropy)
case("sigmoid_cross_entropy", [values([1.0, 0.0]), values([-500.0, -500.0])], reference=_sigmoid_cross_entropy,
     gradient=False)  # fmt: skip
case("sigmoid_cross_entropy", [normal(2, 3), normal(3)], raises=ShapeError)
case("sigmoid_cross_entropy", [ints(2), ints(2)], raises=DTypeError)
for _shape in ((4, 3), (2, 4, 3), (1, 2), (3, 1), (6, 40), (0, 3)):
    _logits = normal(*_shape) if _shape[0] else empty(*_shape)
    _labels = ints(*_shape[:-1], low=0, high=_shape[-1], dtype="int64")
    _dy = normal(*_shape[:-1]) if _shape[0] else empty(*_shape[:-1])
    case("class_cross_entropy", [_labels, _logits], reference=_class_cross_entropy)
    case("class_cross_entropy_gradient", [_dy, _labels, _logits], reference=_class_cross_entropy_gradient)
for _labels in (values([0, 2, 1], "int32"), values([-1, 3, 1], "int32"), values([0, 2, 255], "uint8")):
    case("class_cross_entropy", [_labels, normal(3, 3)], reference=_class_cross_entropy)
    case("class_cross_entropy_gradient", [normal(3), _labels, non_contiguous(3, 3)],
         reference=_class_cross_entropy_gradient)  # fmt: skip
case("class_cross_entropy", [values([1, 0], "int64"), values([[-900.0, 900.0], [-900.0, 900.0]])],
     reference=_class_cross_entropy, gradient=False)  # fmt: skip
case("class_cross_entropy", [values(1, "int32"), normal(3)], reference=_class_cross_entropy)
case("class_cross_entropy", [values([1, 0], "int32"), normal(3, 3)], raises=ShapeError)
case("class_cross_entropy", [values(1, "int32"), normal()], raises=ShapeError)
case("class_cross_entropy", [normal(3), normal(3, 3)], raises=DTypeError)
for _labels in (values([0, 2, 1], "int64"), values([-1, 3, 1], "int32"), values([0, 2, 255], "uint8")):
    for _shares in (probabilities(3, 3), between(0.1, 2.0, 3, 3), values([[0.0, 1.0, 0.0]] * 3)):
        case("class_log_loss", [_labels, _shares], epsilon=0.125, reference=_class_log_loss,
             smooth=_shares.fixed is None)  # fmt: skip
        case("class_log_loss_gradient", [normal(3), _labels, _shares], epsilon=0.125,
             reference=_class_log_loss_gradient, smooth=_shares.fixed is None)  # fmt: skip
for _labels, _dy, _shares in (
    (values([], "int64"), empty(0), empty(0, 3)), (values([0], "int64"), normal(1), between(0.5, 2.0, 1, 1)),
):  # fmt: skip
    case("class_log_loss", [_labels, _shares], epsilon=0.125, reference=_class_log_loss)
    case("class_log_loss_gradient", [_dy, _labels, _shares], epsilon=0.125, reference=_class_log_loss_gradient)
case("class_log_loss", [ints(2, 4, low=0, high=3), probabilities(2, 4, 3)], epsilon=1e-7, reference=_class_log_loss)
case("class_log_loss", [values(1, "int32"), probabilities(3)], epsilon=1e-7, reference=_class_log_loss)
case("class_log_loss", [values([1, 0], "int32"), normal(3, 3)], epsilon=1e-7, raises=ShapeError)

"""Activations: the functions that a layer's ``activation`` may name.

Each is an op or made of ops. Knows ops and the registry; knows nothing of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina import ops
from lamina.errors import SerializationError, UnknownNameError
from lamina.ops import (
    elu,
    gelu,
    gelu_new,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from lamina.runtime.tensor import Tensor
from lamina.serialization import class_name, get_object, lookup_spelled
from lamina.serialization import serialize as serialize_object

__all__ = [
    "elu", "exponential", "gelu", "gelu_new", "get", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish",
    "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh",
]  # fmt: skip

ALIASES: Final = {"swish": "silu"}


def linear(x: Any) -> Tensor:
    """x itself.

    >>> linear([1.0]).tolist()
    [1.0]
    """
    return ops.identity(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Rectifier: x above ``threshold``, negative_slope * (x - threshold) below, at most ``max_value``.

    >>> relu([-2.0, 1.0, 9.0], max_value=6.0).tolist()
    [0.0, 1.0, 6.0]
    """
    kept = ops.where(ops.greater(x, threshold), x, 0.0) if threshold else ops.relu(x)
    if max_value is not None:
        kept = ops.clip(kept, 0.0, max_value)
    if not negative_slope:
        return kept
    return ops.add(kept, ops.multiply(ops.minimum(ops.subtract(x, threshold), 0.0), negative_slope))


def exponential(x: Any) -> Tensor:
    """e^x.

    >>> exponential([0.0]).tolist()
    [1.0]
    """
    return ops.exp(x)


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a name, config or function stands for; ``linear`` for None.

    Names may be spelled as in Keras or TensorFlow.js. Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("hardSigmoid") is hard_sigmoid, get(None) is linear
    (True, True)
    """
    if identifier is None:
        return linear
    found: Callable[..., Any] = get_object("activations", identifier, _Activation, ALIASES)
    return found


class _Activation:
    """Base of what may be made from a config: any object, if it can be called. Checked by ``get_object``."""


def serialize(activation: Callable[..., Any]) -> str | Mapping[str, Any]:
    """The name of an activation, as configs have it; the config of an object that has one.

    Raises SerializationError for a function that no name leads to.

    >>> serialize(relu), serialize(ops.sigmoid)
    ('relu', 'sigmoid')
    """
    if hasattr(activation, "get_config"):
        return serialize_object(activation)
    name = class_name(activation) if hasattr(activation, "__name__") else repr(activation)
    try:
        lookup_spelled("activations", name, ALIASES)
    except UnknownNameError as error:
        raise SerializationError(
            f"the activation {name!r} cannot be saved: no name leads to it.",
            fix="define it as a function and decorate it with lamina.serialization.register().",
        ) from error
    return name

"""Activations: the functions that a layer's ``activation`` may name.

Each is an op or made of ops. Knows ops and the registry; knows nothing of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina.activations.gates import (
    exponential,
    gelu,
    hard_shrink,
    hard_sigmoid_tfjs,
    hard_silu,
    hard_tanh,
    soft_shrink,
    sparse_sigmoid,
    sparsemax,
    tanh_shrink,
)
from lamina.activations.rectifiers import (
    celu,
    glu,
    leaky_relu,
    linear,
    relu,
    sparse_plus,
    squareplus,
    threshold,
)
from lamina.ops import (
    elu,
    gelu_new,
    hard_sigmoid,
    log_sigmoid,
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
from lamina.serialization import custom_object_scope, get_object, serialize_as

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "gelu_new", "get", "glu", "hard_shrink", "hard_sigmoid",
    "hard_sigmoid_tfjs", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax",
    "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

hard_swish = hard_silu
swish = silu

ALIASES: Final = {"hardswish": "hard_silu", "swish": "silu"}

TENSORFLOW_JS: Final = {"hardSigmoid": "hard_sigmoid_tfjs"}
"""Names that only TensorFlow.js writes so, of functions that are others there than in Keras."""


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a name, config or function stands for; ``linear`` for None.

    Names may be spelled as in Keras or TensorFlow.js. "hard_sigmoid" is Keras's, "hardSigmoid" TensorFlow.js's: see
    ``hard_sigmoid_tfjs``. Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("hard_sigmoid") is hard_sigmoid, get("hardSigmoid") is hard_sigmoid_tfjs, get(None) is linear
    (True, True, True)
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        identifier = TENSORFLOW_JS.get(identifier, identifier)
    found: Callable[..., Any] = get_object("activations", identifier, _Activation, ALIASES)
    return found


class _Activation:
    """Base of what may be made from a config: any object, if it can be called. Checked by ``get_object``."""


def serialize(activation: Callable[..., Any]) -> str | Mapping[str, Any]:
    """The name of an activation, as configs have it; the config of an object that has one.

    Raises SerializationError for a function that no name leads to.

    >>> serialize(relu), serialize(sigmoid)
    ('relu', 'sigmoid')
    """
    found: str | Mapping[str, Any] = serialize_as("activations", activation, ALIASES)
    return found


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The activation of a name or config, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize("mine", {"mine": tanh}) is tanh
    True
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)

"""The non-linearities of neural networks, and the losses that belong to them numerically."""

from lamina.ops.activation.rectifiers import elu, leaky_relu, prelu, relu, relu6, selu
from lamina.ops.activation.sigmoids import (
    gelu,
    gelu_new,
    hard_sigmoid,
    log_sigmoid,
    mish,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
)
from lamina.ops.activation.softmax import log_softmax, sigmoid_cross_entropy, softmax, softmax_cross_entropy

__all__ = [
    "elu", "gelu", "gelu_new", "hard_sigmoid", "leaky_relu", "log_sigmoid", "log_softmax", "mish", "prelu", "relu",
    "relu6", "selu", "sigmoid", "sigmoid_cross_entropy", "silu", "softmax", "softmax_cross_entropy", "softplus",
    "softsign", "tanh",
]  # fmt: skip

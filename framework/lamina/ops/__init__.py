"""The vocabulary: every op with its result rule, gradient and documentation, a module per family.

Knows the wire below. Knows nothing of backends: an op's kernels are found by its name.
"""

from lamina.ops import random
from lamina.ops.activation import (
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    sigmoid_cross_entropy,
    silu,
    softmax,
    softmax_cross_entropy,
    softplus,
    tanh,
)
from lamina.ops.conv import conv2d
from lamina.ops.creation import (
    arange,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    scalar,
    tensor,
    zeros,
    zeros_like,
)
from lamina.ops.elementwise import (
    abs,
    add,
    cast,
    ceil,
    clip,
    cos,
    divide,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    identity,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    power,
    real,
    reciprocal,
    round,
    rsqrt,
    sign,
    sin,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)
from lamina.ops.indexing import argwhere, gather, getitem, one_hot, scatter_add
from lamina.ops.matmul import dot, matmul
from lamina.ops.pooling import max_pool2d
from lamina.ops.reduction import (
    all,
    any,
    argmax,
    argmin,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    variance,
)
from lamina.ops.shaping import (
    broadcast_to,
    concatenate,
    expand_dims,
    flatten,
    flip,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    tile,
    transpose,
    unstack,
)
from lamina.ops.training import adam_update, bias_correction, momentum_update
from lamina.runtime.op import OPS

from lamina.ops import methods  # isort: skip - last, when every op exists

__all__ = [
    "OPS", "abs", "adam_update", "add", "all", "any", "arange", "argmax", "argmin", "argwhere", "bias_correction",
    "broadcast_to", "cast",
    "ceil", "clip", "concatenate", "conv2d", "cos", "divide", "dot", "elu", "equal", "erf", "exp", "expand_dims",
    "expm1", "eye", "flatten", "flip", "floor", "floor_divide", "full", "full_like", "gather", "gelu", "getitem",
    "greater", "greater_equal", "hard_sigmoid", "identity", "imag", "isfinite", "isinf", "isnan", "leaky_relu", "less",
    "less_equal", "linspace", "log", "log1p", "log_softmax", "logical_and", "logical_not", "logical_or", "logical_xor",
    "logsumexp", "matmul", "max", "max_pool2d", "maximum", "mean", "methods", "min", "minimum", "mod",
    "momentum_update", "multiply", "negative", "not_equal", "one_hot", "ones", "ones_like", "pad", "power", "prod",
    "random", "real", "reciprocal", "relu", "reshape", "round", "rsqrt", "scalar", "scatter_add", "sigmoid",
    "sigmoid_cross_entropy", "sign", "silu", "sin", "softmax", "softmax_cross_entropy", "softplus", "split", "sqrt",
    "square", "squeeze", "stack", "std", "stop_gradient", "subtract", "sum", "tanh", "tensor", "tile", "transpose",
    "unstack", "variance", "where", "zeros", "zeros_like",
]  # fmt: skip

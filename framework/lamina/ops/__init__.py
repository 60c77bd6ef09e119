"""The vocabulary: every op with its result rule, gradient and documentation, a module per family.

Knows the wire below. Knows nothing of backends: an op's kernels are found by its name.
"""

from lamina.ops import fused, image, linalg, math, random, signal, sparse, strings
from lamina.ops.activation import (
    elu,
    gelu,
    gelu_new,
    hard_sigmoid,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    sigmoid_cross_entropy,
    silu,
    softmax,
    softmax_cross_entropy,
    softplus,
    softsign,
    tanh,
)
from lamina.ops.averaging import moving_average
from lamina.ops.blocks import batch_to_space_nd, depth_to_space, mirror_pad, space_to_batch_nd, space_to_depth
from lamina.ops.conv import (
    conv1d,
    conv1d_transpose,
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    depthwise_conv2d,
    separable_conv2d,
)
from lamina.ops.counting import bincount, dense_bincount
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
from lamina.ops.dropout import dropout
from lamina.ops.einsum import einsum
from lamina.ops.elementwise import (
    abs,
    add,
    add_n,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    bitwise_and,
    cast,
    ceil,
    clip,
    complex,
    cos,
    cosh,
    divide,
    divide_no_nan,
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
    sinh,
    sqrt,
    square,
    squared_difference,
    step,
    stop_gradient,
    subtract,
    tan,
    where,
)
from lamina.ops.grids import broadcast_args, diag, meshgrid
from lamina.ops.indexing import argwhere, gather, getitem, one_hot, scatter_add
from lamina.ops.matmul import dot, matmul, outer
from lamina.ops.morphology import dilation2d
from lamina.ops.normalization import batch_norm, local_response_normalization
from lamina.ops.norms import euclidean_norm, norm
from lamina.ops.ordering import argsort, in_top_k, lower_bound, searchsorted, setdiff1d, top_k, unique, upper_bound
from lamina.ops.pooling import (
    avg_pool,
    avg_pool1d,
    avg_pool3d,
    max_pool,
    max_pool1d,
    max_pool3d,
    max_pool_with_argmax,
    pool,
)
from lamina.ops.ragged import ragged_gather, ragged_range, ragged_tensor_to_tensor
from lamina.ops.recurrent import basic_lstm_cell, multi_rnn_cell
from lamina.ops.reduction import all, any, argmax, argmin, logsumexp, max, mean, min, moments, prod, std, sum, variance
from lamina.ops.scans import cumprod, cumsum
from lamina.ops.scattering import gather_nd, scatter_nd, scatter_update, unsorted_segment_sum
from lamina.ops.shaping import (
    broadcast_to,
    concatenate,
    ensure_shape,
    expand_dims,
    flatten,
    flip,
    pad,
    reshape,
    reshape_as,
    split,
    squeeze,
    stack,
    tile,
    transpose,
    unstack,
)
from lamina.ops.slicing import boolean_mask, slice, strided_slice
from lamina.ops.sparse import sparse_to_dense
from lamina.ops.training import adam_update, bias_correction, momentum_update
from lamina.runtime.op import OPS

from lamina.ops import methods  # isort: skip - last, when every op exists

__all__ = [
    "OPS", "abs", "adam_update", "add", "add_n", "all", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort", "argwhere", "avg_pool", "avg_pool1d",
    "avg_pool3d", "basic_lstm_cell", "batch_norm", "batch_to_space_nd", "bias_correction", "bincount",
    "bitwise_and", "boolean_mask", "broadcast_args", "broadcast_to", "cast", "ceil", "clip", "complex",
    "concatenate", "conv1d", "conv1d_transpose", "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose", "cos",
    "cosh", "cumprod", "cumsum", "dense_bincount", "depth_to_space", "depthwise_conv2d", "diag", "dilation2d",
    "divide", "divide_no_nan", "dot", "dropout", "einsum", "elu", "ensure_shape", "equal", "erf", "euclidean_norm",
    "exp", "expand_dims", "expm1", "eye", "flatten", "flip", "floor", "floor_divide", "full", "full_like", "fused",
    "gather", "gather_nd", "gelu", "gelu_new", "getitem", "greater", "greater_equal", "hard_sigmoid", "identity",
    "imag", "image", "in_top_k", "isfinite", "isinf", "isnan", "leaky_relu", "less", "less_equal", "linalg",
    "linspace", "local_response_normalization", "log", "log1p", "log_sigmoid", "log_softmax", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logsumexp", "lower_bound", "math", "matmul", "max", "max_pool",
    "max_pool1d", "max_pool3d", "max_pool_with_argmax", "maximum", "mean", "meshgrid", "methods", "min", "minimum",
    "mirror_pad", "mish", "mod", "moments", "momentum_update", "moving_average", "multi_rnn_cell", "multiply",
    "negative", "norm", "not_equal", "one_hot", "ones", "ones_like", "outer", "pad", "pool", "power", "prelu",
    "prod", "ragged_gather", "ragged_range", "ragged_tensor_to_tensor", "random", "real", "reciprocal", "relu",
    "relu6", "reshape", "reshape_as", "round", "rsqrt", "scalar", "scatter_add", "scatter_nd", "scatter_update",
    "searchsorted", "selu", "separable_conv2d", "setdiff1d", "sigmoid", "sigmoid_cross_entropy", "sign", "signal",
    "silu", "sin", "sinh", "slice", "softmax", "softmax_cross_entropy", "softplus", "softsign", "space_to_batch_nd",
    "space_to_depth", "sparse", "sparse_to_dense", "split", "sqrt", "square", "squared_difference", "squeeze",
    "stack", "std", "step", "stop_gradient", "strided_slice", "strings", "subtract", "sum", "tan", "tanh", "tensor",
    "tile", "top_k", "transpose", "unique", "unsorted_segment_sum", "unstack", "upper_bound", "variance", "where",
    "zeros", "zeros_like",
]  # fmt: skip

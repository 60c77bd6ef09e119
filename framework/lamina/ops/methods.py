"""Hangs operators, indexing and the ops as methods on tensors and Variables.

Here and not in the class, because ops are made of tensors: the class cannot know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina import ops
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

METHODS: Final = (
    "abs", "add", "all", "any", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax",
    "argmin", "astype", "avg_pool", "batch_norm", "batch_to_space_nd", "bool", "broadcast_to", "cast", "ceil",
    "clip", "clone", "concatenate", "conv1d", "conv2d", "conv2d_transpose", "cos", "cosh", "cumprod", "cumsum",
    "depth_to_space", "depthwise_conv2d", "dilation2d", "divide", "divide_no_nan", "dot", "elu", "equal", "erf",
    "euclidean_norm", "exp", "expand_dims", "expm1", "fft", "flatten", "flip", "float", "floor", "floor_divide",
    "gather", "gelu", "greater", "greater_equal", "hard_sigmoid", "identity", "ifft", "int", "irfft", "isfinite",
    "isinf", "isnan", "leaky_relu", "less", "less_equal", "local_response_normalization", "log", "log1p",
    "log_sigmoid", "log_softmax", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "matmul",
    "max", "max_pool", "maximum", "mean", "min", "minimum", "mirror_pad", "mod", "multiply", "negative", "norm",
    "not_equal", "one_hot", "ones_like", "pad", "pool", "power", "prelu", "prod", "reciprocal", "relu", "relu6",
    "reshape", "reshape_as", "rfft", "round", "rsqrt", "selu", "separable_conv2d", "sigmoid", "sign", "silu", "sin",
    "sinh", "slice", "softmax", "softplus", "space_to_batch_nd", "split", "sqrt", "square", "squared_difference",
    "squeeze", "stack", "std", "step", "stop_gradient", "strided_slice", "subtract", "sum", "tan", "tanh", "tile",
    "top_k", "transpose", "unique", "unsorted_segment_sum", "unstack", "variance", "where", "zeros_like",
)  # fmt: skip
"""Ops that are methods too: the object is their first argument (of ``where`` it is the condition)."""


def _concatenate(x: TensorLike, others: TensorLike, axis: int = 0) -> Tensor:
    """x and another tensor, or a list of them, one after the other along an axis."""
    return ops.concatenate([x, *_several(others)], axis)


def _stack(x: TensorLike, others: TensorLike, axis: int = 0) -> Tensor:
    """x and another tensor, or a list of them, along a new axis."""
    return ops.stack([x, *_several(others)], axis)


def _several(others: TensorLike) -> list[Any]:
    return list(others) if isinstance(others, (list, tuple)) else [others]


def _to_bool(x: TensorLike) -> Tensor:
    """x as bool: whether each element is not 0."""
    return ops.cast(x, "bool")


def _to_float(x: TensorLike) -> Tensor:
    """x as float32."""
    return ops.cast(x, "float32")


def _to_int(x: TensorLike) -> Tensor:
    """x as int32, truncated towards zero."""
    return ops.cast(x, "int32")


OTHERS: Final[dict[str, Callable[..., Any]]] = {
    "astype": ops.cast,
    "bool": _to_bool,
    "clone": ops.identity,
    "concatenate": _concatenate,
    "float": _to_float,
    "int": _to_int,
    "stack": _stack,
}
"""Methods that go by another name than the op, or take their arguments otherwise."""

_OPERATORS: Final = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide", "mod": "mod",
    "pow": "power", "matmul": "matmul",
}  # fmt: skip
_COMPARISONS: Final = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
_LOGICAL: Final = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}


def _forward(function: Any) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(a, b) if type(b) is Tensor or not _foreign(b) else NotImplemented


def _reflected(function: Any) -> Callable[[Any, Any], Any]:
    return lambda a, b: NotImplemented if _foreign(b) else function(b, a)


def _foreign(value: Any) -> bool:
    """Whether an operand is nothing an op could take, so that Python may ask the other side."""
    return value is None or isinstance(value, (str, dict, set)) or hasattr(type(value), "__lamina_hint__")


def method(name: str) -> Any:
    """The function behind a method: one of its own, an op of the vocabulary, or one of the signals' room."""
    return OTHERS.get(name) or getattr(ops, name, None) or getattr(ops.signal, name)


def _attach(cls: Any) -> None:
    for name in METHODS:
        setattr(cls, name, method(name))
    for name, op in {**_OPERATORS, **_LOGICAL}.items():
        setattr(cls, f"__{name}__", _forward(getattr(ops, op)))
        setattr(cls, f"__r{name}__", _reflected(getattr(ops, op)))
    for name, op in _COMPARISONS.items():
        setattr(cls, f"__{name}__", _forward(getattr(ops, op)))
    cls.__neg__ = lambda x: ops.negative(x)
    cls.__pos__ = lambda x: ops.identity(x)
    cls.__abs__ = lambda x: ops.abs(x)
    cls.__invert__ = lambda x: ops.logical_not(x)
    cls.__getitem__ = lambda x, key: ops.getitem(x, key)
    cls.T = property(lambda x: ops.transpose(x))


for _cls in (Tensor, Variable):
    _attach(_cls)

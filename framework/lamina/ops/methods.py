"""Hangs operators, indexing and the ops as methods on tensors and Variables.

Here and not in the class, because ops are made of tensors: the class cannot know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lamina import ops
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

METHODS: Final = (
    "abs", "add", "all", "any", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax",
    "argmin", "avg_pool", "broadcast_to", "cast", "ceil", "clip", "conv1d", "conv2d", "conv2d_transpose", "cos",
    "cosh", "depthwise_conv2d", "divide", "dot", "elu", "equal", "erf", "exp", "expand_dims", "expm1", "fft",
    "flatten", "flip", "floor", "floor_divide", "gather", "gelu", "greater", "greater_equal", "hard_sigmoid",
    "identity", "ifft", "irfft", "isfinite", "isinf", "isnan", "leaky_relu", "less", "less_equal", "log", "log1p",
    "log_softmax", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "matmul", "max",
    "max_pool", "maximum", "mean", "min", "minimum", "mod", "multiply", "negative", "not_equal", "one_hot", "pad",
    "pool", "power", "prod", "reciprocal", "relu", "reshape", "rfft", "round", "rsqrt", "separable_conv2d", "sigmoid",
    "sign", "silu", "sin", "sinh", "softmax", "softplus", "split", "sqrt", "square", "squeeze", "std",
    "stop_gradient", "subtract", "sum", "tan", "tanh", "tile", "transpose", "unstack", "variance", "where",
)  # fmt: skip
"""Ops that are methods too: the object is their first argument (of ``where`` it is the condition)."""

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
    """The function behind a method: an op of the vocabulary, or one of the signals' room."""
    return getattr(ops, name, None) or getattr(ops.signal, name)


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

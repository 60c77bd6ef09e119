"""Values where kernels go wrong, for ops whose own families have no such case: no axes, axes of size 1, NaN.

Gradients have a module of their own (``edges``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lamina.testing.inputs import bools, complex_normal, empty, normal, values
from lamina.testing.table import case

INF, NAN = float("inf"), float("nan")
SPECIAL: Final = [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5]

UNARY: Final[dict[str, Callable[..., Any]]] = {
    "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.round, "negative": np.negative,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "square": np.square,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "arcsinh": np.arcsinh, "arccosh": np.arccosh,
    "arctanh": np.arctanh, "reciprocal": np.reciprocal, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "identity": np.copy,
}  # fmt: skip

BINARY: Final[dict[str, Callable[..., Any]]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "maximum": np.maximum,
    "minimum": np.minimum, "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
}  # fmt: skip

REDUCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min,
}  # fmt: skip


def quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function without its warnings of NaN and infinities."""

    def reference(*arrays: Any, **settings: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays, **settings)

    return reference


for _op, _function in UNARY.items():
    case(_op, [values(SPECIAL)], gradient=False, reference=quietly(_function))
for _op in ("abs", "sign", "floor", "ceil", "round", "isnan", "isinf", "isfinite", "identity", "negative", "square"):
    case(_op, [normal()], gradient=False, reference=UNARY[_op])
    case(_op, [normal(1, 1)], gradient=False, reference=UNARY[_op])
for _op, _function in BINARY.items():
    case(_op, [values(SPECIAL), values(SPECIAL[::-1])], gradient=False, reference=quietly(_function))

# Reductions and scans: NaN spreads, and an axis of size 1 is an axis.
for _op, _function in REDUCTIONS.items():
    case(_op, [values([[1.0, NAN], [2.0, 3.0]])], axis=1, gradient=False, reference=_function)
    case(_op, [normal(3, 1)], axis=1, gradient=False, reference=_function)
case("all", [bools(3, 1)], axis=1, reference=np.all)
case("any", [bools(3, 1)], axis=1, reference=np.any)
case("cumsum", [values([1.0, NAN, 2.0])], axis=0, gradient=False, reference=np.cumsum)
case("cumprod", [values([1.0, NAN, 2.0])], axis=0, gradient=False, reference=np.cumprod)
case("matmul", [values([[1.0, NAN], [2.0, 3.0]]), normal(2, 2)], gradient=False, reference=np.matmul)
case("where", [bools(7), values(SPECIAL), normal(7)], gradient=False, reference=np.where)

# What moves elements about moves any of them.
for _make in (bools(2, 3), complex_normal(2, 3), values([[NAN, INF, 1.0], [-INF, -0.0, 2.0]])):
    case("transpose", [_make], gradient=False, reference=np.transpose)
    case("flip", [_make], gradient=False, reference=np.flip)
    case("reshape", [_make], shape=(3, 2), gradient=False, reference=lambda x, shape: x.reshape(shape))
    case("broadcast_to", [_make], shape=(2, 2, 3), gradient=False, reference=np.broadcast_to)
    case("gather", [_make, values([1, 0, 1], "int32")], gradient=False, reference=lambda x, i: x[i])
case("transpose", [normal(1, 3)], gradient=False, reference=np.transpose)
case("argwhere", [values(np.zeros((0, 2), bool))], reference=np.argwhere, replayed=False)
case("logical_not", [bools()], reference=np.logical_not)
case("logical_not", [bools(1)], reference=np.logical_not)
case("real", [complex_normal()], gradient=False, reference=np.real)
case("imag", [complex_normal()], gradient=False, reference=np.imag)
case("complex_conjugate", [complex_normal()], gradient=False, reference=np.conj)
case("scatter_add", [empty(0, 2), values(np.zeros(0, np.int32))], axis=0, size=3, gradient=False,
     reference=lambda x, i, axis, size: np.zeros((3, 2)))  # fmt: skip

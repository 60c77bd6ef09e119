"""Cases of arithmetic, mathematics, comparisons and logic."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.cases.trigonometry import as_floats
from lamina.testing.inputs import (
    between,
    bools,
    broadcasting,
    complex_normal,
    distinct,
    empty,
    ints,
    non_contiguous,
    normal,
    positive,
    strings,
    values,
)
from lamina.testing.table import case

INF: Final = math.inf
NAN: Final = math.nan
SPECIAL: Final = [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5]


def erf(x: Any) -> Any:
    """The error function element by element."""
    return np.vectorize(math.erf, otypes=["float64"])(x)


def quiet(function: Any) -> Any:
    """The reference without NumPy's warnings about infinities and NaN."""

    def reference(*args: Any, **attrs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **attrs)

    return reference


ARITHMETIC: Final[dict[str, Any]] = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}
for _op, _reference in ARITHMETIC.items():
    for _a, _b in broadcasting():
        case(_op, [_a, _b], reference=_reference)
    case(_op, [ints(2, 3), ints(3)], reference=_reference)
    case(_op, [ints(4, dtype="int64"), ints(4)], reference=_reference)
    case(_op, [complex_normal(2, 3), complex_normal(3)], reference=_reference)
    case(_op, [non_contiguous(3, 4), normal(4)], reference=_reference)
    case(_op, [normal(2, 3), 2.0], reference=_reference)
    case(_op, [ints(3), 2], reference=_reference)
    case(_op, [values(SPECIAL), values([1.0])], reference=quiet(_reference), gradient=False)
    case(_op, [normal(2, 3), normal(2)], raises=ShapeError)
    case(_op, [strings(["a"]), normal(1)], raises=DTypeError)
case("add", [bools(4), bools(4)], reference=np.logical_or)
case("multiply", [bools(4), bools(4)], reference=np.logical_and)
case("subtract", [bools(4), bools(4)], raises=DTypeError)
case("add", [normal(2), ints(2)], reference=np.add)
case("add", [ints(2, dtype="uint8", low=0), ints(2, dtype="int8")], reference=np.add)

for _a, _b in broadcasting(positive):
    case("divide", [_a, _b], reference=np.divide)
    case("power", [_a, _b], reference=np.power)
case("divide", [ints(4), ints(4, low=1)], reference=lambda a, b: np.float32(a) / np.float32(b))
case("divide", [complex_normal(2, 3), complex_normal(2, 3)], reference=np.divide)
case("divide", [normal(3), values([0.0, -0.0, 2.0])], reference=quiet(np.divide), gradient=False)
case("divide", [strings(["a"]), normal(1)], raises=DTypeError)
case("power", [ints(5), ints(5, low=0, high=4)], reference=np.power)
case("power", [complex_normal(3), 2.0], reference=lambda a, b: a**b, gradient=False)
case("power", [normal(2, 3), 2.0], reference=lambda a, b: a**b)
case("power", [normal(2, 3), 3.0], reference=lambda a, b: a**b)
case("power", [values([0.0, 2.0, -1.0]), 0.0], reference=lambda a, b: np.ones(3), gradient=False)
case("power", [bools(2), bools(2)], raises=DTypeError)
case("power", [values([-2, 3, 1, -1, -1, 5, 0], "int32"), values([-3, -1, -2, -3, -2, 0, 0], "int32")],
     reference=lambda a, b: np.trunc(a.astype(np.float64) ** b).astype(np.int32))  # fmt: skip

for _op, _reference in {"floor_divide": np.floor_divide, "mod": np.remainder}.items():
    case(_op, [ints(2, 5), ints(5, low=1)], reference=_reference)
    case(_op, [ints(4), 3], reference=_reference)
    case(_op, [values([-7, 7, -7, 7], "int32"), values([2, 2, -2, -2], "int32")], reference=_reference)
    case(_op, [between(-5.0, 5.0, 3, 4), positive(4)], reference=_reference, smooth=False)
    case(_op, [values([5.5, -5.5, 5.5]), values([2.0, 2.0, -2.0])], reference=_reference, smooth=False)
    case(_op, [empty(0, 3), positive(3)], reference=_reference)
    case(_op, [bools(2), bools(2)], raises=DTypeError)
    case(_op, [complex_normal(2), complex_normal(2)], raises=DTypeError)

for _op, _reference in {"maximum": np.maximum, "minimum": np.minimum}.items():
    for _a, _b in broadcasting():
        case(_op, [_a, _b], reference=_reference, smooth=False)
    case(_op, [ints(2, 3), ints(3)], reference=_reference)
    case(_op, [bools(4), bools(4)], reference=_reference)
    case(_op, [values([NAN, 1.0, NAN, INF]), values([1.0, NAN, NAN, 2.0])], reference=_reference, gradient=False)
    case(_op, [complex_normal(2), complex_normal(2)], raises=DTypeError)

UNARY_NUMERIC: Final[dict[str, Any]] = {"negative": np.negative, "square": np.square}
for _op, _reference in UNARY_NUMERIC.items():
    case(_op, [normal(2, 3)], reference=_reference)
    case(_op, [normal()], reference=_reference)
    case(_op, [ints(2, 3)], reference=_reference)
    case(_op, [complex_normal(2, 3)], reference=_reference)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [non_contiguous(3, 4)], reference=_reference)
    case(_op, [bools(2)], raises=DTypeError)
case("abs", [distinct(3, 4)], reference=np.abs, smooth=False)
case("abs", [ints(2, 3)], reference=np.abs)
case("abs", [complex_normal(2, 3)], reference=np.abs)
case("abs", [values(SPECIAL)], reference=np.abs, gradient=False)
case("abs", [empty(0, 3)], reference=np.abs)
case("abs", [bools(2)], raises=DTypeError)


def _step(x: Any, alpha: float = 0.0) -> Any:
    return np.where(np.isnan(x), x, np.where(x > 0, 1, alpha)).astype(x.dtype)


case("step", [distinct(3, 4)], reference=_step, smooth=False)
case("step", [distinct(3, 4)], alpha=-0.5, reference=_step, smooth=False)
case("step", [ints(2, 3)], reference=_step)
case("step", [values(SPECIAL)], reference=_step, gradient=False)
case("step", [bools(2)], raises=DTypeError)
case("step", [complex_normal(2)], raises=DTypeError)
case("sign", [distinct(3, 4)], reference=np.sign, smooth=False)
case("sign", [ints(2, 3)], reference=np.sign)
case("sign", [values(SPECIAL)], reference=np.sign, gradient=False)
case("sign", [complex_normal(2)], raises=DTypeError)
for _op, _reference in {"floor": np.floor, "ceil": np.ceil, "round": np.rint}.items():
    case(_op, [between(-4.0, 4.0, 3, 4)], reference=_reference, smooth=False)
    case(_op, [values([0.5, 1.5, -0.5, 2.0, -3.0])], reference=_reference, gradient=False)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [ints(2)], raises=DTypeError)

SMOOTH: Final[dict[str, Any]] = {
    "exp": (np.exp, normal), "expm1": (np.expm1, normal), "log": (np.log, positive), "log1p": (np.log1p, positive),
    "sqrt": (np.sqrt, positive), "sin": (np.sin, normal), "cos": (np.cos, normal),
    "rsqrt": (lambda x: 1.0 / np.sqrt(x), positive), "reciprocal": (lambda x: 1.0 / x, positive), "erf": (erf, normal),
}  # fmt: skip
for _op, (_reference, _make) in SMOOTH.items():
    case(_op, [_make(2, 3)], reference=_reference)
    case(_op, [_make()], reference=_reference)
    case(_op, [_make(1, 1)], reference=_reference)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [strings(["a"])], raises=DTypeError)
    if _op not in ("rsqrt", "erf"):
        case(_op, [complex_normal(2, 3)], reference=_reference)
    case(_op, [values([1, 2, 4], "int32")], reference=as_floats(_reference))
case("exp", [bools(3)], reference=as_floats(np.exp))
case("exp", [non_contiguous(3, 4)], reference=np.exp)
case("exp", [values([NAN, INF, -INF, 0.0, -1000.0])], reference=np.exp, gradient=False)
case("log", [values([NAN, INF, 0.0, -1.0, 1.0])], reference=quiet(np.log), gradient=False)
case("sqrt", [values([NAN, INF, 0.0, -1.0, 4.0])], reference=quiet(np.sqrt), gradient=False)
case("log1p", [values([1e-6, -1.0, -2.0])], reference=quiet(np.log1p), gradient=False)
case("expm1", [values([1e-6, -1e-6, 50.0])], reference=quiet(np.expm1), gradient=False, loose=2.0)
case("erf", [values([NAN, INF, -INF, 0.0, 0.3, 0.47, 2.0, 4.5, 5.95, -7.0])], reference=erf, gradient=False)
case("erf", [between(-6.0, 6.0, 50)], reference=erf)

for _a, _b in broadcasting():
    case("squared_difference", [_a, _b], reference=lambda a, b: (a - b) ** 2)
case("squared_difference", [ints(3), ints(3)], reference=lambda a, b: (a - b) ** 2)
case("squared_difference", [complex_normal(3), complex_normal(3)], reference=lambda a, b: (a - b) ** 2)
case("squared_difference", [non_contiguous(3, 4), normal(4)], reference=lambda a, b: (a - b) ** 2)
case("squared_difference", [normal(2), normal(3)], raises=ShapeError)
for _a, _b in broadcasting(positive):
    case("divide_no_nan", [_a, _b], reference=np.divide)
case("divide_no_nan", [non_contiguous(3, 4), positive(4)], reference=np.divide)
case("divide_no_nan", [values([1.0, 0.0, -2.0, NAN]), values([0.0, 0.0, 4.0, 0.0])], gradient=False,
     reference=lambda a, b: np.array([0.0, 0.0, -0.5, 0.0]))  # fmt: skip
case("divide_no_nan", [ints(3), values([0, 2, 4], "int32")], reference=lambda a, b: a / np.where(b == 0, np.inf, b))
case("divide_no_nan", [normal(2), normal(3)], raises=ShapeError)
for _a, _b in broadcasting(lambda *shape: ints(*shape, low=-9, high=9)):
    case("bitwise_and", [_a, _b], reference=np.bitwise_and)
case("bitwise_and", [normal(2), normal(2)], raises=DTypeError)
case("bitwise_and", [bools(2), bools(2)], raises=DTypeError)
case("add_n", [[normal(2, 3), normal(2, 3), normal(2, 3)]], reference=sum)
case("add_n", [[non_contiguous(2, 3)]], reference=sum)
case("add_n", [[empty(0, 3), empty(0, 3)]], reference=sum)
case("add_n", [[ints(2), ints(2)]], reference=sum)
case("add_n", [[normal(2), normal(3)]], raises=ShapeError)
case("add_n", [[normal(2), ints(2)]], raises=DTypeError)
case("add_n", [[]], raises=ArgumentError)

case("clip", [distinct(3, 4), -0.33, 0.33], reference=np.clip, smooth=False)
_high = values([0.11, 0.22, 0.33, 0.44])
case("clip", [distinct(3, 4), values([-0.33]), _high], reference=np.clip, smooth=False)
case("clip", [ints(4), -2, 2], reference=np.clip)
case("clip", [values(SPECIAL), -1.0, 1.0], reference=np.clip, gradient=False)
case("clip", [empty(0, 3), 0.0, 1.0], reference=np.clip)
case("clip", [complex_normal(2), 0.0, 1.0], raises=DTypeError)

COMPARISONS: Final[dict[str, Any]] = {
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
}  # fmt: skip
for _op, _reference in COMPARISONS.items():
    for _a, _b in broadcasting(lambda *shape: ints(*shape, low=0, high=3)):
        case(_op, [_a, _b], reference=_reference)
    case(_op, [normal(2, 3), normal(3)], reference=_reference)
    case(_op, [values([NAN, NAN, INF, 0.0]), values([NAN, 1.0, INF, -0.0])], reference=_reference)
    case(_op, [bools(5), bools(5)], reference=_reference)
    case(_op, [normal(2, 3), normal(2)], raises=ShapeError)
    case(_op, [strings(["a"]), normal(1)], raises=DTypeError)
    case(_op, [strings(["a", "b", ""]), strings(["a", "c", "aa"])], reference=_reference)
    case(_op, [strings(["a", "é"]), strings("a")], reference=_reference)
    if _op in ("equal", "not_equal"):
        case(_op, [complex_normal(3), complex_normal(3)], reference=_reference)
    else:
        case(_op, [complex_normal(3), complex_normal(3)], raises=DTypeError)

LOGICAL: Final[dict[str, Any]] = {
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
for _op, _reference in LOGICAL.items():
    for _a, _b in broadcasting(bools):
        case(_op, [_a, _b], reference=_reference)
    case(_op, [normal(2), bools(2)], raises=DTypeError)
case("logical_not", [bools(2, 3)], reference=np.logical_not)
case("logical_not", [bools(0)], reference=np.logical_not)
case("logical_not", [ints(2)], raises=DTypeError)

for _op, _reference in {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite}.items():
    case(_op, [values(SPECIAL)], reference=_reference)
    case(_op, [values(np.array([1j, complex(NAN, 1.0), complex(0.0, INF)]))], reference=_reference)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [ints(2)], reference=_reference)

for _a, _b in broadcasting():
    case("where", [bools(*_a.shape), _a, _b], reference=np.where)
case("where", [bools(3, 1), normal(4), 0.0], reference=np.where)
case("where", [bools(3), ints(3), ints(3)], reference=np.where)
case("where", [bools(2), complex_normal(2), complex_normal(2)], reference=np.where)
case("where", [bools(2), strings(["a", "b"]), strings(["c", "d"])], reference=np.where)
case("where", [normal(2), normal(2), normal(2)], raises=DTypeError)
case("where", [bools(3), normal(3), normal(2)], raises=ShapeError)

for _dtype in ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128"):
    case("cast", [ints(4, low=0)], dtype=_dtype, reference=lambda x, dtype: x.astype(dtype))
    case("cast", [values([0.0, 1.7, 2.2, 100.9])], dtype=_dtype, reference=lambda x, dtype: x.astype(dtype), loose=1e5,
         gradient=False)  # fmt: skip
    case("cast", [bools(3)], dtype=_dtype, reference=lambda x, dtype: x.astype(dtype))
case("cast", [values([-1.7, 1.7])], dtype="int32", reference=lambda x, dtype: np.array([-1, 1]))
case("cast", [normal(2, 3)], dtype="float64", reference=lambda x, dtype: x.astype(dtype))
case("cast", [complex_normal(3)], dtype="float64", reference=lambda x, dtype: x.real)
case("cast", [complex_normal(3)], dtype="bool", reference=lambda x, dtype: x != 0)
case("cast", [empty(0, 3)], dtype="int32", reference=lambda x, dtype: x.astype(dtype))
case("cast", [normal(2)], dtype="float31", raises=DTypeError)
case("cast", [strings(["a"])], dtype="float32", raises=DTypeError)
case("cast", [normal(2)], dtype="string", raises=DTypeError)

for _op in ("identity", "stop_gradient"):
    case(_op, [normal(2, 3)], reference=lambda x: x, gradient=_op == "identity")
    case(_op, [ints(2)], reference=lambda x: x)
    case(_op, [strings(["a"])], reference=lambda x: x)
case("real", [complex_normal(2, 3)], reference=np.real)
case("real", [normal(2, 3)], reference=np.real)
case("real", [ints(2)], reference=np.real)
case("imag", [complex_normal(2, 3)], reference=np.imag)
case("imag", [normal(2, 3)], reference=np.imag)
case("imag", [ints(2)], reference=np.imag)
case("real", [strings(["a"])], raises=DTypeError)
case("imag", [strings(["a"])], raises=DTypeError)
case("complex_conjugate", [complex_normal(2, 3)], reference=np.conj)
case("complex_conjugate", [ints(2)], raises=DTypeError)

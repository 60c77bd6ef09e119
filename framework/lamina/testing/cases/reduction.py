"""Cases of sums, extremes, tests and positions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.cases.elementwise import INF, NAN
from lamina.testing.inputs import (
    bools,
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


def _tuple(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _along(function: Any) -> Any:
    return lambda x, axis=None, keepdims=False: function(x, axis=_tuple(axis), keepdims=keepdims)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    reduce: Any = np.logaddexp.reduce
    return reduce(x, axis=axis, keepdims=keepdims)


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=np.int64 if x.dtype.kind in "biu" else x.dtype)


REDUCTIONS: Final[dict[str, Any]] = {
    "sum": _along(_sum), "mean": _along(np.mean), "prod": _along(np.prod), "max": _along(np.max),
    "min": _along(np.min), "variance": _along(np.var), "std": _along(np.std), "logsumexp": logsumexp,
}  # fmt: skip
for _op, _reference in REDUCTIONS.items():
    _kinked = _op in ("max", "min")
    _make = distinct if _kinked else positive
    for _axis in (None, 0, 1, -1, (0, 2)):
        for _keepdims in (False, True):
            case(_op, [_make(2, 3, 4)], axis=_axis, keepdims=_keepdims, reference=_reference, smooth=not _kinked)
    case(_op, [_make(5, 3)], axis=0, reference=_reference, smooth=not _kinked)
    case(_op, [_make(5, 3)], axis=1, keepdims=True, reference=_reference, smooth=not _kinked)
    case(_op, [_make(3)], reference=_reference, smooth=not _kinked)
    case(_op, [normal()], reference=_reference, gradient=None if _op not in ("std", "variance") else False)
    case(_op, [non_contiguous(3, 4)], axis=0, reference=_reference, smooth=not _kinked)
    case(_op, [empty(3, 0, 2)], axis=0, reference=_reference)
    case(_op, [normal(2, 3)], axis=2, raises=OutOfRangeError)
    case(_op, [normal(2, 3)], axis=(1, -1), raises=ArgumentError)
    case(_op, [strings(["a"])], raises=DTypeError)
for _op in ("sum", "prod"):
    case(_op, [empty(2, 0)], axis=1, reference=REDUCTIONS[_op])
    case(_op, [ints(2, 3)], axis=1, reference=REDUCTIONS[_op])
    case(_op, [complex_normal(2, 3)], axis=1, reference=REDUCTIONS[_op])
case("sum", [bools(3, 4)], axis=0, reference=REDUCTIONS["sum"])
case("sum", [ints(40, dtype="uint8", low=100, high=250)], reference=REDUCTIONS["sum"])
case("sum", [ints(3, dtype="int64")], reference=REDUCTIONS["sum"])
case("sum", [values([NAN, 1.0, INF])], reference=REDUCTIONS["sum"], gradient=False)
case("prod", [values([2.0, 0.0, 3.0])], reference=REDUCTIONS["prod"])
case("prod", [values([0.0, 0.0, 3.0])], reference=REDUCTIONS["prod"])
case("prod", [bools(3)], reference=lambda x: np.prod(x.astype(np.int32)))
case("mean", [ints(2, 3)], axis=0, reference=REDUCTIONS["mean"])
case("mean", [complex_normal(2, 3)], axis=0, reference=REDUCTIONS["mean"])
case("mean", [empty(2, 0)], axis=1, reference=lambda x, axis: np.full(2, np.nan), gradient=False)
case("variance", [ints(4)], reference=REDUCTIONS["variance"])
case("logsumexp", [values([1000.0, 1000.0, -1000.0])], reference=logsumexp, gradient=False)
case("logsumexp", [values([-INF, -INF])], reference=lambda x: np.asarray(-np.inf), gradient=False)
for _op in ("max", "min"):
    case(_op, [ints(2, 3)], axis=1, reference=REDUCTIONS[_op])
    case(_op, [bools(3, 4)], axis=0, reference=REDUCTIONS[_op])
    case(_op, [values([[1.0, NAN], [INF, -INF]])], axis=1, reference=REDUCTIONS[_op], gradient=False)
    case(_op, [empty(2, 0)], axis=1, raises=ShapeError)
    case(_op, [complex_normal(2)], raises=DTypeError)

for _op, _test in {"all": _along(np.all), "any": _along(np.any)}.items():
    for _axis in (None, 0, (0, 1)):
        case(_op, [bools(3, 4)], axis=_axis, reference=_test)
    case(_op, [bools(2, 3)], axis=1, keepdims=True, reference=_test)
    case(_op, [bools(2, 0)], axis=1, reference=_test)
    case(_op, [bools()], reference=_test)
    case(_op, [normal(2)], raises=DTypeError)
    case(_op, [bools(2)], axis=1, raises=OutOfRangeError)

for _op, _position in {"argmax": np.argmax, "argmin": np.argmin}.items():
    for _axis in (0, 1, -1):
        case(_op, [normal(2, 3, 4)], axis=_axis, reference=_position)
    case(_op, [values([2.0, 5.0, 5.0, 2.0])], axis=0, reference=_position)
    case(_op, [ints(3, 4, low=0, high=2)], axis=1, reference=_position)
    case(_op, [bools(3, 4)], axis=1, reference=_position)
    case(_op, [normal(1)], axis=0, reference=_position)
    case(_op, [non_contiguous(3, 4)], axis=1, reference=_position)
    case(_op, [empty(0, 3)], axis=1, reference=_position)
    case(_op, [empty(0, 3)], axis=0, raises=ShapeError)
    case(_op, [normal(2)], axis=1, raises=OutOfRangeError)
    case(_op, [complex_normal(2)], axis=0, raises=DTypeError)

for _op in ("moments", "mean_and_variance"):
    case(_op, [normal(3, 4)], axis=0, reference=lambda x, axis: [x.mean(axis), x.var(axis)])
    case(_op, [normal(3, 4)], keepdims=True,
         reference=lambda x, keepdims: [x.mean(keepdims=True), x.var(keepdims=True)])  # fmt: skip
    case(_op, [normal(1, 3)], axis=0, reference=lambda x, axis: [x.mean(axis), x.var(axis)])
    case(_op, [empty(2, 0, 3)], axis=0, reference=lambda x, axis: [x.mean(axis), x.var(axis)])
    case(_op, [normal(2, 3, 4)], axis=(0, 1), reference=lambda x, axis: [x.mean(axis), x.var(axis)])
    case(_op, [non_contiguous(3, 4)], axis=1, reference=lambda x, axis: [x.mean(axis), x.var(axis)])
case("moments", [ints(5)], reference=lambda x: [x.mean(), x.var()])

for _op, _reference in (("sum", np.sum), ("mean", np.mean)):  # the first axes, the last ones, and some of both
    for _some in ((0, 1), (1, 2), (0, 2), (1,)):
        case(_op, [normal(2, 3, 4)], axis=_some, reference=_reference)
        case(_op, [normal(2, 3, 4)], axis=_some, keepdims=True, reference=_reference)

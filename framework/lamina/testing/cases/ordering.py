"""Cases of sorting, searching and what occurs once."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, distinct, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case

NAN = float("nan")


def argsort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, stable=True).astype(np.int32)
    order = np.argsort(np.flip(x, axis), axis=axis, stable=True)
    return np.flip(x.shape[axis] - 1 - order, axis).astype(np.int32)


def top_k(x: Any, k: int = 1, sorted: bool = True) -> Any:
    order = argsort(x, descending=True)[..., :k]
    return [np.take_along_axis(x, order, -1), order]


for _x in (normal(3, 4), ints(5, 6, low=0, high=3), bools(7), values([2.0, NAN, 1.0, 2.0]), non_contiguous(3, 4)):
    for _descending in (False, True):
        case("argsort", [_x], descending=_descending, reference=argsort)
case("argsort", [normal(3, 4)], axis=0, descending=True, reference=argsort)
case("argsort", [empty(0, 3)], axis=0, reference=argsort)
case("argsort", [complex_normal(3)], raises=DTypeError)
case("argsort", [normal(3)], axis=1, raises=OutOfRangeError)

for _x, _k in ((distinct(2, 5), 2), (distinct(4), 4), (distinct(1, 1), 1), (ints(3, 6, low=0, high=3), 4)):
    case("top_k", [_x], k=_k, reference=top_k)
case("top_k", [non_contiguous(3, 4)], k=2, reference=top_k)
case("top_k", [distinct(2, 3)], k=0, reference=top_k)
case("top_k", [empty(0, 3)], k=2, reference=top_k)
case("top_k", [normal(3)], k=4, raises=ArgumentError)
case("top_k", [normal(3)], k=-1, raises=ArgumentError)
case("top_k", [normal(3)], k=1.5, raises=ArgumentTypeError)
case("top_k", [normal()], raises=ShapeError)

case("in_top_k", [distinct(2, 3, 4), ints(2, 3, low=0, high=4)], k=2,
     reference=lambda p, t, k: (argsort(p, descending=True)[..., :k] == t[..., None]).any(-1))  # fmt: skip
case("in_top_k", [normal(3), ints()], raises=ShapeError)
case("in_top_k", [normal(2, 3), ints(3)], raises=ShapeError)
case("in_top_k", [normal(2, 3), ints(2)], k=4, raises=ArgumentError)


def searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    found: Any = np.empty(v.shape, np.int32)
    search: Any = np.searchsorted
    for place in np.ndindex(v.shape[:-1]):
        found[place] = search(a[place], v[place], side)
    return found


_rows = values([[1.0, 2.0, 2.0, 3.0], [-1.0, 0.0, 0.5, 0.5]])
_wanted = values([[2.0, 0.0, 9.0], [0.5, -9.0, 0.25]])
for _side in ("left", "right"):
    case("searchsorted", [_rows, _wanted], side=_side, reference=searchsorted)
    case("searchsorted", [values(np.array([1, 3, 5, 5, 7])), ints(9, dtype="int64")], side=_side,
         reference=searchsorted)  # fmt: skip
case("searchsorted", [values(np.array([1, 3, 5], np.int32)), normal(4)], reference=searchsorted)
case("searchsorted", [empty(0), normal(2)], reference=searchsorted)
case("searchsorted", [values([1.0]), empty(0)], reference=searchsorted)
case("lower_bound", [_rows, _wanted], reference=searchsorted)
case("upper_bound", [_rows, _wanted], reference=lambda a, v: searchsorted(a, v, "right"))
case("searchsorted", [normal(2, 3), normal(3, 3)], raises=ShapeError)
case("searchsorted", [normal(2), normal(2)], side="middle", raises=ArgumentError)


def unique(x: Any, axis: int = 0) -> Any:
    rows = np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    return [np.take(x, first[order], axis), place[inverse.reshape(-1)].astype(np.int32)]


case("unique", [ints(9, low=0, high=4)], reference=unique, replayed=False)
case("unique", [ints(5, 2, low=0, high=2)], reference=unique, replayed=False)
case("unique", [ints(2, 6, low=0, high=2)], axis=1, reference=unique, replayed=False)
case("unique", [values([2.0, 1.0, 2.0, 2.5])], reference=unique, replayed=False, gradient=False)
case("unique", [distinct(4, 2)], reference=unique, replayed=False)
case("unique", [strings(["b", "a", "b"])], replayed=False,
     reference=lambda x: [np.array(["b", "a"], object), np.array([0, 1, 0], np.int32)])  # fmt: skip
case("unique", [normal()], raises=OutOfRangeError)
case("first_occurrences", [values([[1, 2], [1, 2], [2, 1]])], replayed=False,
     reference=lambda x: [np.array([0, 2], np.int32), np.array([0, 0, 1], np.int32)])  # fmt: skip
case("first_occurrences", [values([[NAN], [1.0], [NAN]])], replayed=False,
     reference=lambda x: [np.array([0, 1], np.int32), np.array([0, 1, 0], np.int32)])  # fmt: skip


def setdiff1d(x: Any, y: Any) -> Any:
    places = np.flatnonzero(~np.isin(x, y)).astype(np.int32)
    return [x[places], places]


case("setdiff1d", [ints(9, low=0, high=5), values(np.array([1, 3], np.int32))], reference=setdiff1d, replayed=False)
case("setdiff1d", [values([1.0, 2.0, 3.5]), values([2.0])], reference=setdiff1d, replayed=False, gradient=False)
case("setdiff1d", [empty(0), normal(2)], reference=setdiff1d, replayed=False)
case("setdiff1d", [normal(2, 2), normal(2)], raises=ShapeError)
case("setdiff1d", [normal(2), ints(2)], raises=DTypeError)
case("places_without", [ints(9, low=0, high=5), values(np.array([1, 3], np.int32))], replayed=False,
     reference=lambda x, y: setdiff1d(x, y)[1])  # fmt: skip

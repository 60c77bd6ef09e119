"""Cases of sparse tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DTypeError, ShapeError
from lamina.testing.inputs import complex_normal, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case

_EDGE = values([[0, 1], [2, 0], [0, 1]], "int32")


def _to_dense(indices: Any, given: Any, output_shape: Any, default_value: Any = 0) -> Any:
    found = np.full(output_shape, default_value, np.result_type(given, default_value))
    places = np.reshape(indices, (-1, found.ndim))
    for place, value in zip(places, np.broadcast_to(given, len(places)), strict=True):
        found[tuple(place)] = value
    return found


case("sparse_to_dense", [_EDGE, normal(3), (3, 2), normal()], reference=_to_dense)
case("sparse_to_dense", [_EDGE, normal(), (3, 2)], reference=_to_dense)
case("sparse_to_dense", [values([3, 0], "int64"), complex_normal(2), (4,), 1.5], reference=_to_dense)
case("sparse_to_dense", [values(2, "int32"), normal(), (4,), normal()], reference=_to_dense)
case("sparse_to_dense", [values(2, "int32"), ints(1, dtype="int8"), (4,), 7], reference=_to_dense)
case("sparse_to_dense", [ints(0), empty(0), (3,), normal()], reference=_to_dense)
case("sparse_to_dense", [ints(2, 3, low=0, high=1), normal(2), (1, 1, 1), normal()], reference=_to_dense)
case(
    "sparse_to_dense",
    [values([1], "int32"), strings(["a"]), (2,), strings("-")],
    reference=lambda i, v, s, d: np.array(["-", "a"], object),
)
case("sparse_to_dense", [_EDGE, normal(2), (3, 2)], raises=ShapeError)
case("sparse_to_dense", [_EDGE, normal(3), (3,)], raises=ShapeError)
case("sparse_to_dense", [_EDGE, normal(3), (3, 2), normal(1)], raises=ShapeError)
case("sparse_to_dense", [ints(1, 1, 1), normal(1), (2,)], raises=ShapeError)
case("sparse_to_dense", [normal(3), normal(3), (4,)], raises=DTypeError)
case("sparse_to_dense", [_EDGE, strings(["a", "b", "c"]), (3, 2)], raises=DTypeError)

_POSITIONS = values([[0, 0], [1, 0], [1, 3], [4, 2], [3, 1]], "int32")


def _fill(indices: Any, given: Any, dense_shape: Any, default_value: Any) -> Any:
    """Row by row: the values of the row in the order in which they came, or the default."""
    rows: list[tuple[Any, Any]] = []
    back: dict[int, int] = {}
    hollow = []
    for row in range(dense_shape[0]):
        inside = [i for i in range(len(indices)) if indices[i, 0] == row]
        back.update({i: len(rows) + k for k, i in enumerate(inside)})
        hollow.append(not inside)
        rows += [(indices[i], given[i]) for i in inside] or [(np.array([row, *[0] * (indices.shape[1] - 1)]), None)]
    filled = np.array([np.asarray(default_value) if v is None else v for _, v in rows], given.dtype)
    places = np.array([p for p, _ in rows], indices.dtype).reshape(-1, indices.shape[1])
    return [places, filled, np.array(hollow, bool), np.array([back[i] for i in range(len(indices))], indices.dtype)]


_fill_case: dict[str, Any] = {"reference": _fill, "replayed": False}
case("sparse.fill_empty_rows", [_POSITIONS, normal(5), values([6, 4], "int32"), normal()], **_fill_case)
case("sparse.fill_empty_rows", [_POSITIONS, complex_normal(5), values([5, 4], "int64"), complex_normal()], **_fill_case)
case("sparse.fill_empty_rows", [_POSITIONS, ints(5), values([5, 4], "int32"), ints()], **_fill_case)
case("sparse.fill_empty_rows", [ints(0, 2), empty(0), values([2, 4], "int32"), normal()], **_fill_case)
case("sparse.fill_empty_rows", [ints(0, 1), empty(0), values([0], "int32"), normal()], **_fill_case)
case(
    "sparse.fill_empty_rows",
    [values([[1], [1]], "int64"), strings(["a", "b"]), values([3], "int32"), strings("-")],
    **_fill_case,
)
case("sparse.fill_empty_rows", [_POSITIONS, normal(4), values([6, 4], "int32"), normal()], raises=ShapeError)
case("sparse.fill_empty_rows", [_POSITIONS, normal(5), values([6], "int32"), normal()], raises=ShapeError)
case("sparse.fill_empty_rows", [_POSITIONS, normal(5), values([6, 4], "int32"), normal(1)], raises=ShapeError)
case("sparse.fill_empty_rows", [normal(5, 2), normal(5), values([6, 4], "int32"), normal()], raises=DTypeError)


def _empty_rows(indices: Any, dense_shape: Any, count: int) -> Any:
    places, source, hollow, back = _fill(indices, np.arange(count), dense_shape, count)
    return [places, source.astype(indices.dtype), hollow, back]


case("sparse_empty_rows", [_POSITIONS, values([6, 4], "int32")], count=5, reference=_empty_rows, replayed=False)


def _reshape(indices: Any, shape: Any, new_shape: Any) -> Any:
    new = np.reshape(np.zeros(shape), new_shape).shape
    flat = np.ravel_multi_index(tuple(indices.T), shape)
    return [np.stack(np.unravel_index(flat, new), -1).astype(indices.dtype), np.array(new, new_shape.dtype)]


for _new in ([4, 5], [2, -1], [20], [1, 2, 2, 5], [-1]):
    case(
        "sparse_reshape",
        [_POSITIONS, values([5, 4], "int32"), values(_new, "int32")],
        reference=_reshape,
        replayed=False,
    )
case(
    "sparse.reshape",
    [_POSITIONS, values([5, 4], "int64"), values([2, -1], "int64")],
    reference=_reshape,
    replayed=False,
)
case(
    "sparse.reshape", [ints(0, 2), values([0, 4], "int32"), values([2, 0], "int32")], reference=_reshape, replayed=False
)
case("sparse.reshape", [_POSITIONS, values([5, 4, 1], "int32"), values([20], "int32")], raises=ShapeError)
case("sparse.reshape", [_POSITIONS, values([5, 4], "int32"), values(20, "int32")], raises=ShapeError)
case("sparse.reshape", [normal(5, 2), values([5, 4], "int32"), values([20], "int32")], raises=DTypeError)


def _sum(data: Any, indices: Any, segment_ids: Any) -> Any:
    total = np.zeros((max(segment_ids, default=-1) + 1, *data.shape[1:]), data.dtype)
    for row, segment in zip(indices, segment_ids, strict=True):
        total[segment] += data[row]
    return total


def _mean(data: Any, indices: Any, segment_ids: Any) -> Any:
    total = _sum(data, indices, segment_ids)
    counts = np.array([max(1, np.sum(segment_ids == s)) for s in range(len(total))])
    return total / counts.reshape(-1, *(1,) * (total.ndim - 1))


_rows, _ids = values([3, 0, 3, 1], "int32"), values([0, 0, 2, 4], "int32")
for _op, _reference in (("sparse.segment_sum", _sum), ("sparse.segment_mean", _mean)):
    _segments: dict[str, Any] = {"reference": _reference, "replayed": False}
    case(_op, [normal(4, 3), _rows, _ids], **_segments)
    case(_op, [normal(4), _rows, values([0, 0, 0, 0], "int64")], **_segments)
    case(_op, [non_contiguous(4, 2), _rows, _ids], **_segments)
    case(_op, [complex_normal(4, 2), _rows, _ids], **_segments)
    case(_op, [ints(4, 2), _rows, _ids], **_segments)
    case(_op, [normal(4, 2), ints(0), ints(0)], **_segments)
    case(_op, [empty(4, 0), _rows, _ids], **_segments)
    case(_op, [normal(), _rows, _ids], raises=ShapeError)
    case(_op, [normal(4), _rows, ints(3)], raises=ShapeError)
    case(_op, [normal(4), ints(1, 4), ints(1, 4)], raises=ShapeError)
    case(_op, [normal(4), normal(4), _ids], raises=DTypeError)
    case(_op, [strings(["a"]), ints(1, low=0, high=1), ints(1, low=0, high=1)], raises=DTypeError)
case(
    "sparse_segment_sizes",
    [_rows, _ids],
    rows=4,
    reference=lambda indices, ids, rows: np.array([2, 0, 1, 0, 1]),
    replayed=False,
)

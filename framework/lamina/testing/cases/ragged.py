"""Cases of ragged tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, normal, strings, values
from lamina.testing.table import case

_OUTER, _INNER = values([0, 2, 2, 3], "int32"), values([0, 1, 4, 6], "int32")


def _nested(splits: Any, given: Any) -> Any:
    """A ragged tensor as nested lists."""
    if not splits:
        return list(given)
    inner = _nested(splits[1:], given)
    return [inner[a:b] for a, b in zip(splits[0][:-1], splits[0][1:], strict=True)]


def _flat(rows: Any, depth: int) -> Any:
    """Nested lists as splits and values."""
    splits = []
    for _ in range(depth):
        splits.append(np.cumsum([0, *map(len, rows)]).astype(np.int32))
        rows = [item for row in rows for item in row]
    return splits, rows


def _gather(params_nested_splits: Any, given: Any, indices: Any) -> Any:
    rows = _nested(params_nested_splits, given)
    picked = np.vectorize(lambda i: i, otypes=[int])(indices).tolist() if indices.size else indices.tolist()

    def pick(place: Any) -> Any:
        return [pick(p) for p in place] if isinstance(place, list) else rows[place]

    splits, flat = _flat(pick(picked), indices.ndim - 1 + len(params_nested_splits))
    return [*splits, np.array(flat, given.dtype).reshape(-1, *given.shape[1:])]


_gathering: dict[str, Any] = {"reference": _gather, "replayed": False}
case("ragged_gather", [[_INNER], normal(6), values([2, 0, 2], "int32")], **_gathering)
case("ragged_gather", [[_OUTER, _INNER], normal(6, 2), values([2, 1, 0], "int32")], **_gathering)
case("ragged_gather", [[_OUTER, _INNER], complex_normal(6), values([[2, 0], [0, 1]], "int64")], **_gathering)
case("ragged_gather", [[_OUTER, _INNER], normal(6), values(0, "int32")], **_gathering)
case("ragged_gather", [[_INNER], strings(list("abcdef")), values([1], "int32")], **_gathering)
case("ragged_gather", [[_INNER], normal(6), ints(0)], **_gathering)
case("ragged_gather", [[_INNER], normal(), values([2], "int32")], raises=ArgumentError)
case("ragged_gather", [[], normal(6), values([2], "int32")], raises=ArgumentError)
case("ragged_gather", [[_INNER], normal(6), values([2], "int32"), 2], raises=ArgumentError)
case("ragged_gather", [[ints(2, 2)], normal(6), values([2], "int32")], raises=ShapeError)
case("ragged_gather", [[_INNER], normal(6), normal(2)], raises=DTypeError)


def _rows(indices: Any, *splits: Any, count: int) -> Any:
    return _gather(list(splits), np.arange(count, dtype=indices.dtype), indices)


case("ragged_rows", [values([2, 0], "int32"), _OUTER, _INNER], count=6, reference=_rows, replayed=False)


def _range(starts: Any, limits: Any, deltas: Any) -> Any:
    arrays = np.broadcast_arrays(*(np.atleast_1d(a) for a in (starts, limits, deltas)))
    ranges = [np.arange(*row) for row in zip(*arrays, strict=True)]
    return [np.cumsum([0, *map(len, ranges)]), np.concatenate([*ranges, np.zeros(0, arrays[0].dtype)])]


_ranging: dict[str, Any] = {"reference": _range, "replayed": False}
case(
    "ragged_range",
    [values([0, 5, 8, 5], "int32"), values([8, 7, 8, 1], "int32"), values([2, 1, 1, -1], "int32")],
    **_ranging,
)
case("ragged_range", [values([0.0, 5.0]), values([1.9, 4.1]), values([0.5, -0.4])], **_ranging)
case("ragged_range", [values([0.0, 3.0, 2.0]), values(2.5), values(0.7)], **_ranging)
case("ragged_range", [values(0, "int64"), values(3, "int64"), values([1, 2, -1], "int64")], **_ranging)
case("ragged_range", [values(0, "int32"), values(3, "int32"), values(2, "int32")], **_ranging)
case("ragged_range", [ints(0), ints(0), ints(0)], **_ranging)
case("ragged_range", [normal(2), normal(3), normal(2)], raises=ShapeError)
case("ragged_range", [normal(2, 1), normal(2), normal(2)], raises=ShapeError)
case("ragged_range", [complex_normal(2), normal(2), normal(2)], raises=DTypeError)
case("ragged_range", [bools(2), bools(2), bools(2)], raises=DTypeError)


def _steps(starts: Any, limits: Any, deltas: Any) -> Any:
    splits, _ = _range(starts, limits, deltas)
    sizes = np.diff(splits)
    return [splits, np.repeat(np.arange(len(sizes)), sizes), np.concatenate([np.arange(n) for n in sizes])]


case(
    "ragged_steps",
    [values([0, 5], "int32"), values([8, 7], "int32"), values(3, "int32")],
    reference=_steps,
    replayed=False,
)


def _dense(shape: Any, given: Any, default_value: Any, partitions: Any, types: Any) -> Any:
    """Through nested lists, cut and filled one axis at a time."""
    splits: list[Any] = []
    for partition, kind in zip(partitions, types, strict=True):
        if kind == "FIRST_DIM_SIZE":
            splits.append(int(partition))
        elif kind == "ROW_SPLITS":
            splits.append(partition)
        else:
            rows = splits.pop() if splits and isinstance(splits[-1], int) else splits[-1][-1]
            splits.append(np.concatenate([[0], np.cumsum(np.bincount(partition, minlength=rows))]))
    rows = _nested(splits, list(given))
    wanted = list(shape) if np.ndim(shape) else [-1] * (len(splits) + given.ndim)
    sizes = [len(rows) if wanted[0] < 0 else wanted[0]]
    for depth, part in enumerate(splits):
        sizes.append(max(np.diff(part), default=0) if wanted[depth + 1] < 0 else wanted[depth + 1])
    found = np.empty((*sizes, *given.shape[1:]), given.dtype)
    found[...] = default_value

    def fill(cells: Any, items: Any, left: int) -> None:
        for i, item in enumerate(items[: len(cells)]):
            if left:
                fill(cells[i], item, left - 1)
            else:
                cells[i] = item

    fill(found, rows, len(splits))
    return found


_FIRST, _ROWIDS = values(4, "int32"), values([0, 0, 2, 2, 2, 3], "int32")
_SPLIT = values([0, 2, 2, 5, 6], "int32")
_TYPED = ("FIRST_DIM_SIZE", "VALUE_ROWIDS")
_densing: dict[str, Any] = {"reference": _dense, "replayed": False}
case("ragged_tensor_to_tensor", [values([4, 4], "int32"), normal(6), normal(), [_SPLIT], ["ROW_SPLITS"]], **_densing)
case("ragged_tensor_to_tensor", [values([3, 2], "int32"), normal(6), normal(), [_SPLIT], ["ROW_SPLITS"]], **_densing)
case("ragged_tensor_to_tensor", [values(-1, "int32"), normal(6), normal(), [_FIRST, _ROWIDS], list(_TYPED)], **_densing)
case(
    "ragged_tensor_to_tensor",
    [values([5, -1, 2], "int32"), normal(6, 2), normal(2), [_FIRST, _ROWIDS], list(_TYPED)],
    **_densing,
)
case(
    "ragged_tensor_to_tensor",
    [values([2, 3, -1, 2], "int64"), complex_normal(6, 2), complex_normal(), [_OUTER, _INNER], ["ROW_SPLITS"] * 2],
    **_densing,
)
case(
    "ragged_tensor_to_tensor",
    [values([-1, 0], "int32"), normal(6), normal(), [_SPLIT], ["ROW_SPLITS"]],
    **_densing,
)
case(
    "ragged_tensor_to_tensor",
    [values(-1, "int32"), empty(0), normal(), [values([0, 0], "int32")], ["ROW_SPLITS"]],
    **_densing,
)
case("ragged_tensor_to_tensor", [ints(3), normal(6), normal(), [_SPLIT], ["ROW_SPLITS"]], raises=ShapeError)
case("ragged_tensor_to_tensor", [ints(2), normal(6), normal(6), [_SPLIT], ["ROW_SPLITS"]], raises=ShapeError)
case("ragged_tensor_to_tensor", [ints(2), normal(6), normal(), [_FIRST], ["ROW_SPLITS"]], raises=ShapeError)
case("ragged_tensor_to_tensor", [ints(2), normal(6), normal(), [_ROWIDS], ["VALUE_ROWIDS"]], raises=ArgumentError)
case("ragged_tensor_to_tensor", [ints(2), normal(6), normal(), [_SPLIT], ["rows"]], raises=ArgumentError)
case("ragged_tensor_to_tensor", [ints(2), normal(6), normal(), [_SPLIT], []], raises=ArgumentError)
case("ragged_tensor_to_tensor", [normal(2), normal(6), normal(), [_SPLIT], ["ROW_SPLITS"]], raises=DTypeError)


def _cells(shape: Any, *partitions: Any, types: Any, values: Any) -> Any:
    return _dense(shape, np.arange(values[0], dtype=np.int32), values[0], partitions, types)


case(
    "ragged_cells",
    [values([5, 2], "int32"), _SPLIT],
    types=("ROW_SPLITS",),
    values=(6,),
    reference=_cells,
    replayed=False,
)

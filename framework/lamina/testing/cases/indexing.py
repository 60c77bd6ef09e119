"""Cases of indexing, gather and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentTypeError, DTypeError, OutOfRangeError, ShapeError
from lamina.testing.inputs import (
    bools,
    complex_normal,
    empty,
    ints,
    non_contiguous,
    normal,
    strings,
    values,
)
from lamina.testing.table import case


def _native(key: Any) -> tuple[Any, ...]:
    """A canonical key as NumPy indices: (start, stop, step) may run backwards past the front."""
    return tuple(k if k is None or isinstance(k, int) else slice(k[0], None if k[1] < 0 else k[1], k[2]) for k in key)


def _basic_index(x: Any, key: Any) -> Any:
    return x[_native(key)]


def _basic_index_gradient(dy: Any, key: Any, shape: Any) -> Any:
    x = np.zeros(shape, dy.dtype)
    x[_native(key)] += dy
    return x


_KEYS: tuple[tuple[Any, Any], ...] = (
    (((0, 2, 1), (1, 3, 1)), (2, 2)),
    (((1, -1, -1), 2), (2,)),
    ((0, 1), ()),
    ((None, (0, 2, 1), None, 1), (1, 2, 1)),
    (((0, 2, 2), (2, -1, -2)), (1, 2)),
    (((1, 1, 1), (0, 3, 1)), (0, 3)),
)
for _key, _shape in _KEYS:
    case("basic_index", [normal(2, 3)], key=_key, reference=_basic_index)
    case("basic_index_gradient", [normal(*_shape)], key=_key, shape=(2, 3), reference=_basic_index_gradient)
case("basic_index", [non_contiguous(2, 3)], key=((0, 2, 1), 1), reference=_basic_index)
case("basic_index", [strings(["a", "b"])], key=(1,), reference=lambda x, key: np.asarray(x[1], object))
case("basic_index_gradient", [complex_normal(2)], key=((0, 2, 1),), shape=(3,), reference=_basic_index_gradient)
case("basic_index_gradient", [bools(2)], key=((0, 2, 1),), shape=(3,), raises=DTypeError)


def _getitem(x: Any, key: Any) -> Any:
    return x[key]


for _index in (
    0, -1, slice(None), slice(None, None, -1), slice(3, 0, -2), ..., None, (0, 1), (..., 0),
    (slice(1, 3), None, ..., -1), [0, 2, 2], ([0, 1], [2, -1]), (slice(None), [1, 0]), ([[0, 1]], slice(1, 2), [0, -2]),
    (0, slice(None), [1, 1]),
    [True, False, True, False], (slice(None), [True, False, True]),
):  # fmt: skip
    _key = tuple(np.array(k) if isinstance(k, list) else k for k in _index) if isinstance(_index, tuple) else _index
    _key = np.array(_key) if isinstance(_key, list) else _key
    _masked = "True" in str(_index)
    case("getitem", [normal(4, 3, 2)], key=_key, reference=_getitem, gradient=True, replayed=not _masked)
case("getitem", [strings(["a", "b"])], key=slice(0, 1), reference=_getitem)
case("getitem", [empty(0, 3)], key=slice(0, 1), reference=_getitem)
case("getitem", [normal(2)], key=2, raises=OutOfRangeError)
case("getitem", [normal(2)], key=(0, 0), raises=OutOfRangeError)
case("getitem", [normal(2)], key=1.5, raises=ArgumentTypeError)
case("getitem", [normal(2)], key=True, raises=ArgumentTypeError)


def _gather(x: Any, indices: Any, axis: int = 0) -> Any:
    return np.take(x, indices, axis)


def _scatter_add(updates: Any, indices: Any, axis: int, size: int) -> Any:
    before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
    result = np.zeros((*before, size, *after), updates.dtype)
    for place in np.ndindex(*indices.shape):
        every: tuple[Any, ...] = (slice(None),) * axis
        result[(*every, int(indices[place]))] += updates[(*every, *place)]
    return result


_positions = ints(2, 3, low=-4, high=4)
case("take", [normal(4, 3), _positions], reference=_gather)
case("take", [normal(2, 4), _positions], axis=-1, reference=_gather)
case("take", [normal(3), values(1, "int32")], reference=_gather)
case("take", [empty(2, 0), ints(3, low=0, high=2)], reference=_gather)
case("take", [normal(1, 3), ints(2, low=0, high=1)], reference=_gather)
case("gather", [normal(4, 3), _positions], reference=_gather)
case("gather", [normal(2, 4), _positions], axis=1, reference=_gather)
case("gather", [normal(2, 4, 3), values([3, 0, 0], "int64")], axis=-2, reference=_gather)
case("gather", [normal(4, 3), values(2, "int32")], reference=_gather)
case("gather", [normal(4, 3), ints(0, low=0, high=1)], reference=_gather)
case("gather", [ints(4), ints(3, low=0, high=4, dtype="uint8")], reference=_gather)
case("gather", [strings(["a", "b"]), values([1, 1], "int32")], reference=_gather)
case("gather", [complex_normal(4, 2), _positions], reference=_gather)
case("gather", [non_contiguous(4, 3), _positions], reference=_gather)
case("gather", [normal(4), normal(2)], raises=DTypeError)
case("gather", [normal(4), ints(2)], axis=1, raises=OutOfRangeError)
case("scatter_add", [normal(2, 3, 5), _positions], axis=0, size=4, reference=_scatter_add)
case("scatter_add", [normal(5, 2, 3), _positions], axis=1, size=6, reference=_scatter_add)
case("scatter_add", [normal(3), values([1, 1, 1], "int64")], axis=0, size=2, reference=_scatter_add)
case("scatter_add", [normal(), values(1, "int32")], axis=0, size=2, reference=_scatter_add)
case("scatter_add", [ints(3), values([1, 0, 1], "int32")], axis=0, size=2, reference=_scatter_add)
case("scatter_add", [complex_normal(3), values([1, 0, 1], "int32")], axis=0, size=2, reference=_scatter_add)
case("scatter_add", [empty(0, 2), ints(0)], axis=0, size=3, reference=_scatter_add)
case("scatter_add", [normal(3), ints(2)], axis=0, size=2, raises=ShapeError)
case("scatter_add", [bools(2), ints(2)], axis=0, size=2, raises=DTypeError)

case("argwhere", [bools(3, 4)], reference=np.argwhere, replayed=False)
case("argwhere", [bools(5)], reference=np.argwhere, replayed=False)
case("argwhere", [values([False, True, True])], reference=np.argwhere, replayed=False)
case("argwhere", [values([False, False])], reference=np.argwhere, replayed=False)
case("argwhere", [values(True)], reference=np.argwhere, replayed=False)
case("argwhere", [normal(3)], raises=DTypeError)


def _one_hot(indices: Any, depth: int, on_value: float = 1, off_value: float = 0, dtype: str = "float32") -> Any:
    return np.where(indices[..., None] == np.arange(depth), on_value, off_value).astype(dtype)


case("one_hot", [values([0, 2, 5, -1], "int32")], depth=3, reference=_one_hot)
case("one_hot", [ints(2, 2, low=0)], depth=4, on_value=2.5, off_value=-1.0, reference=_one_hot)
case("one_hot", [ints(3, dtype="int64")], depth=4, dtype="int32", reference=_one_hot)
case("one_hot", [normal(3)], depth=4, raises=ArgumentTypeError)

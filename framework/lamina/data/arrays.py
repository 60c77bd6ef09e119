"""Data that lie in memory: checked once, then cut into batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.contract import Backend
from lamina.data.frames import as_array, as_matrix, is_frame, is_list_of_numbers
from lamina.data.rows import LARGE, Columns, Converted, Rows, blocks
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, DataError, DTypeError
from lamina.runtime.exhaustion import adopted
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec
from lamina.structures import flatten, map_structure, unflatten


class Batch(NamedTuple):
    """Inputs, targets and sample weights of some examples, in the structure in which they were given."""

    x: Any
    y: Any
    sample_weight: Any


class StepData(Batch):
    """A batch as a step of the user's gets it: ``x, y = data`` unpacks what was given, as in Keras.

    >>> x, y = StepData(1, 2, None)
    >>> x, y, len(StepData(1, None, None)), StepData(1, None, None).x
    (1, 2, 1, 1)
    """

    def __len__(self) -> int:
        return max(i for i, part in enumerate((True, self.y is not None, self.sample_weight is not None), 1) if part)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.y, self.sample_weight)[: len(self)])

    def _replace(self, **parts: Any) -> StepData:
        return StepData(**{"x": self.x, "y": self.y, "sample_weight": self.sample_weight, **parts})


class ArrayData:
    """Arrays of equal length: inputs ``x``, targets ``y`` and sample weights, each an array or a list or dict of them.

    An array is anything that ``as_array`` takes. Floating arrays become ``dtype``. Memory maps, large tables and large
    arrays of another floating dtype are read batch by batch.
    Among targets and sample weights None stands for an output that has none. Raises DataError if there is nothing, if
    lengths differ, if targets hold strings or NaN, or if sample weights are not finite. ``sample_weight`` has a number
    for each example.

    >>> ArrayData(np.ones((4, 2)), np.zeros(4)).steps(batch_size=3)
    2
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, *, dtype: str = "float32") -> None:
        self.x: Any = map_structure(lambda a: _array(a, "x", dtype), _together(x))
        self.y: Any | None = None if y is None else map_structure(lambda a: _target(a, dtype), _together(y))
        self.sample_weight: Any | None = (
            None if sample_weight is None else map_structure(lambda a: _weight(a, dtype), _together(sample_weight))
        )
        self._leaves = flatten(tuple(self._parts()))
        self.count: int = _common_length(self.x, self.y, self.sample_weight)

    def _parts(self) -> Batch:
        return Batch(self.x, self.y, self.sample_weight)

    def refresh(self) -> None:
        """Takes notice that ``x`` was replaced by arrays of the same length."""
        self._leaves = flatten(tuple(self._parts()))

    def form(self) -> tuple[Any, ...]:
        """The structure of the data, with shapes without the first axis and dtypes: what a model depends on."""
        return tuple(map(_form, self._parts()))

    def steps(self, batch_size: int) -> int:
        """How many batches there are; the last may be smaller."""
        return -(-self.count // batch_size)

    def split(self, fraction: float) -> tuple[ArrayData, ArrayData]:
        """The first part, and the last ``fraction`` of the examples as data of their own.

        Raises ArgumentError if one of them would be empty.
        """
        if isinstance(fraction, bool) or not isinstance(fraction, float) or not 0 < fraction < 1:
            raise ArgumentError(f"validation_split is {fraction!r}.", expected="a number between 0 and 1.")
        cut = int(self.count * (1.0 - fraction))
        if not 0 < cut < self.count:
            raise ArgumentError(
                f"validation_split is {fraction} of {self.count} examples.",
                expected="at least one example on each side.",
            )
        return self._part(slice(None, cut)), self._part(slice(cut, None))

    def _part(self, place: slice) -> ArrayData:
        part = object.__new__(ArrayData)
        part.x, part.y, part.sample_weight = map_structure(lambda a: _cut(a, place), self._parts())
        part._leaves = flatten(tuple(part._parts()))
        part.count = len(range(*place.indices(self.count)))
        return part

    def slices(
        self, batch_size: int, order: np.ndarray[Any, Any] | None = None, first: int = 0
    ) -> Iterator[list[np.ndarray[Any, Any]]]:
        """The arrays of each batch from the ``first``, one after the other, in the given order of examples."""
        leaves = [a for a in self._leaves if a is not None]
        for start in range(first * batch_size, self.count, batch_size):
            stop = start + batch_size
            if order is None:
                yield [a[start:stop] for a in leaves]
            else:
                chosen = order[start:stop]
                yield [a.take(chosen, 0) for a in leaves]

    def whole(self) -> list[np.ndarray[Any, Any]]:
        """The arrays of all examples, as of one batch."""
        return [a[:] if isinstance(a, Rows) else a for a in self._leaves if a is not None]

    def batch(self, arrays: Sequence[np.ndarray[Any, Any]], backend: Backend) -> Batch:
        """The arrays of a batch as tensors on a backend, in the structure in which the data were given."""
        made = iter(arrays)
        tensors = (None if leaf is None else _tensor(next(made), backend) for leaf in self._leaves)
        batch: Batch = unflatten(self._parts(), tensors)
        return batch

    def batches(self, batch_size: int, backend: Backend) -> Iterator[Batch]:
        """The batches as tensors on a backend."""
        for arrays in self.slices(batch_size):
            yield self.batch(arrays, backend)


def _together(given: Any) -> Any:
    """Nested lists of numbers as one array; lists and dicts with arrays in them as they are."""
    if isinstance(given, (list, tuple)) and is_list_of_numbers(given) and None not in given:
        return as_array(given)
    return given


def _cut(array: Any, place: slice) -> Any:
    if array is None:
        return None
    return array.part(place) if isinstance(array, Rows) else array[place]


def _form(part: Any) -> Any:
    if isinstance(part, dict):
        return tuple((key, _form(value)) for key, value in part.items())
    if isinstance(part, (list, tuple)):
        return tuple(map(_form, part))
    return part if part is None else (part.shape[1:], part.dtype.char)


def _tensor(array: np.ndarray[Any, Any], backend: Backend) -> Tensor:
    return Tensor(adopted(array, backend), Spec(array.shape, array.dtype.name), backend)


def _array(value: Any, name: str, dtype: str) -> Any:
    if value is None:
        raise DataError(f"{name} is None.", expected="an array, or a list or dict of arrays.")
    array: Any = as_matrix(value, name) if is_frame(value) else as_array(value, name)
    if array.dtype.kind in "OUST":
        raise DataError(f"{name} holds strings or objects.", expected="numbers.", fix="encode them as integers first.")
    if array.ndim == 0:
        raise DataError(
            f"{name} is a single number.",
            expected="an array with one entry per example.",
            fix="put examples that come one by one into batches: with a dataset's batch(32), or torch's DataLoader.",
        )
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        raise DTypeError(
            f"{name} has dtype {array.dtype}.",
            expected="floating, signed or uint8 numbers, or bool.",
            fix="convert it, for example with astype('int64').",
        )
    canonical_dtype(array.dtype)
    wanted = np.dtype(dtype) if array.dtype.kind == "f" else array.dtype
    if isinstance(array, Columns):
        return array.astype(wanted)
    if isinstance(array, np.memmap) or (array.dtype != wanted and array.nbytes >= LARGE):
        return Converted(array, wanted)
    return array if array.dtype == wanted else array.astype(wanted)


def _target(value: Any, dtype: str) -> Any:
    if value is None:
        return None
    array = _array(value, "y", dtype)
    if array.dtype.kind == "f":
        for start, block in blocks(array):
            wrong = np.isnan(block)
            if wrong.any():
                row = start + int(np.argwhere(wrong)[0][0])
                raise DataError(
                    f"y holds NaN, first in example {row}.", expected="numbers.", fix="remove such examples."
                )
    return array


def _weight(value: Any, dtype: str) -> Any:
    if value is None:
        return None
    array = _array(value, "sample_weight", dtype)
    if array.dtype.kind == "c" or not all(np.isfinite(block).all() for _, block in blocks(array)):
        raise DataError("sample_weight holds NaN, infinities or complex numbers.", expected="finite numbers.")
    return array


def _common_length(x: Any, y: Any, sample_weight: Any) -> int:
    lengths = {
        name: {len(a) for a in flatten(part) if a is not None}
        for name, part in (("x", x), ("y", y), ("sample_weight", sample_weight))
        if part is not None
    }
    lengths = {name: found for name, found in lengths.items() if found or name == "x"}
    if not lengths["x"]:
        raise DataError("x holds no arrays.", expected="at least one.")
    if len(set.union(*lengths.values())) != 1:
        described = ", ".join(f"{name} has {' and '.join(map(str, sorted(n)))} examples" for name, n in lengths.items())
        raise DataError(f"{described}.", expected="equally many everywhere.")
    (count,) = lengths["x"]
    if count == 0:
        raise DataError("the data are empty: x has 0 examples.", expected="at least one example.")
    return count


def class_weights(y: Any, weights: Mapping[int, float]) -> np.ndarray[Any, Any]:
    """The weight of each example by its class: targets are class numbers, or one-hot rows.

    Raises DataError for a class without a weight. ``y`` are the targets.

    >>> class_weights(np.array([0, 1, 1]), {0: 1.0, 1: 0.5}).tolist()
    [1.0, 0.5, 0.5]
    """
    if not isinstance(y, (np.ndarray, Rows)) or y.ndim not in (1, 2):
        raise DataError("class_weight needs one array of targets.", expected="class numbers, or one-hot rows.")
    parts = [b.argmax(1) if b.ndim == 2 and b.shape[1] > 1 else b.reshape(len(b)) for _, b in blocks(y)]
    classes = np.concatenate(parts).astype(np.int64)
    missing = sorted(set(np.unique(classes).tolist()) - set(weights))
    if missing:
        raise DataError(f"class_weight has no weight for the class {missing[0]}.", expected="one for each class in y.")
    return np.array([weights[int(c)] for c in classes], np.float32)

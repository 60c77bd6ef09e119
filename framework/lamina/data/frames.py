"""Arrays of whatever users hold: frames, columns, tensors of any library. None of these libraries is imported here.

They are known by what they can do: ``columns`` and ``to_numpy``, ``__dlpack__``, ``__array__``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lamina.data.rows import LARGE, Columns
from lamina.errors import ArgumentTypeError, DataError
from lamina.runtime.convert import host_array, to_tensor
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten

_NUMBERS: Final = "biufc"
_CPU_KINDS: Final = (1, 3, 11, 13)  # DLPack's kinds of devices whose memory the host reads
_FIXES: Final = {
    "M": "make numbers of the dates, such as seconds: astype('int64').",
    "m": "make numbers of the durations, such as seconds: astype('int64').",
}
_ENCODE: Final = "encode the values as numbers first (codes or one-hot columns), or leave the column out."
_FILL: Final = "fill the missing values first (fillna, fill_null), or drop those rows."


def is_frame(value: Any) -> bool:
    """Whether a value is a table of named columns: of pandas, polars, pyarrow or a library like them.

    Raises nothing.

    >>> is_frame([[1.0, 2.0]])
    False
    """
    kind = type(value)
    return hasattr(kind, "columns") and (hasattr(kind, "to_numpy") or hasattr(kind, "column_names"))


def is_lazy(value: Any) -> bool:
    """Whether a value is a plan of a table, as polars's LazyFrame, which has no values yet."""
    return callable(getattr(value, "collect", None)) and not hasattr(value, "__array__")


def as_array(value: Any, name: str = "x") -> np.ndarray[Any, Any]:
    """One NumPy array of anything that holds numbers; the memory is shared where that is possible.

    A frame of pandas, polars or pyarrow gives a 2-D array with a column for each of its columns, in one dtype; a
    column of one a 1-D array. Tensors of lamina, torch, cupy, jax and whatever else speaks
    DLPack or ``__array__`` are brought to the host, without their gradients. NumPy arrays come back as they are; nested
    lists of Python numbers are float32 or int32, as in ``lamina.tensor``.

    ``name`` is what messages call the value. Raises DataError for a column that holds no numbers or lacks one in
    some row, naming it, and ArgumentTypeError or ShapeError for what is no array at all.

    >>> as_array([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    >>> class Column:
    ...     def to_numpy(self):
    ...         return np.array([1.5, 2.5])
    >>> as_array(Column(), "price").tolist()
    [1.5, 2.5]
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Tensor) or hasattr(value, "__lamina_tensor__"):
        return to_tensor(value).numpy()
    if is_frame(value):
        return np.column_stack(list(as_columns(value, name).values()))
    if is_lazy(value):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, which has no values yet.", fix="call collect().")
    if callable(getattr(value, "toarray", None)) and not hasattr(value, "__array__"):
        raise ArgumentTypeError(f"{name} is a sparse {type(value).__name__}.", fix="call toarray() on it.")
    if hasattr(value, "to_numpy"):
        return _column(value, name)
    if hasattr(value, "__dlpack__"):
        return _from_device(value)
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return host_array([value]).reshape(())
    return host_array(value)


def as_matrix(frame: Any, name: str = "x") -> np.ndarray[Any, Any] | Columns:
    """A frame as ``as_array`` gives it, but a large one not as a copy: its rows are put together when they are read."""
    columns = list(as_columns(frame, name).values())
    if sum(column.nbytes for column in columns) < LARGE or any(column.ndim > 1 for column in columns):
        return np.column_stack(columns)
    return Columns(columns, np.result_type(*columns))


def as_columns(frame: Any, name: str = "x", columns: Sequence[str] | None = None) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of a frame as 1-D arrays by their names: what a model with a dict of inputs takes.

    ``columns`` are the names of those wanted; None takes all. A column of numbers is not copied where its library
    shows its memory: pandas and polars do, Arrow does for one that lies in one piece.

    Raises DataError for a frame without columns, one name for two of them, a name that is not there, or a column that
    holds no numbers or lacks some.

    >>> as_columns([[1.0, 2.0]])
    Traceback (most recent call last):
    lamina.errors.ArgumentTypeError: x is a list.
      Expected a frame with named columns.
    """
    if not is_frame(frame):
        raise ArgumentTypeError(f"{name} is a {type(frame).__name__}.", expected="a frame with named columns.")
    names = list(frame.column_names if hasattr(type(frame), "column_names") else frame.columns)
    if not names:
        raise DataError(f"{name} is a frame without columns.", expected="at least one column.")
    repeated = [label for label in names if names.count(label) > 1]
    if repeated:
        raise DataError(f"{name} has two columns {repeated[0]!r}.", expected="a name of its own for each column.")
    labels = {str(label): label for label in names}
    absent = [label for label in columns or () if label not in labels]
    if absent:
        raise DataError(f"{name} has no column {absent[0]!r}.", expected=f"a frame with {', '.join(columns or ())}.")
    return {key: _column(frame[labels[key]], f"the column {key!r} of {name}") for key in columns or labels}


def _column(column: Any, what: str) -> np.ndarray[Any, Any]:
    """The numbers of a column; what says which column it is."""
    # An array of Arrow's own shows its memory this way only, and copies where it must.
    shows = hasattr(column, "null_count") and hasattr(column, "__array__")
    array = _without_objects(np.asarray(column if shows else column.to_numpy()))
    of_numbers = array.dtype.kind in _NUMBERS
    if of_numbers or (array.dtype.kind == "O" and any(map(_is_number, array.flat))):
        row = _first_missing(column, array)
        if row is not None:
            raise DataError(
                f"{what} has missing values, first in row {row}.", expected="a number in each row.", fix=_FILL
            )
    if of_numbers:
        return array
    kind = {"M": "dates", "m": "durations"}.get(array.dtype.kind, "strings or objects")
    raise DataError(f"{what} holds {kind}.", expected="numbers.", fix=_FIXES.get(array.dtype.kind, _ENCODE))


def _without_objects(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Objects that are all numbers of one kind as an array of these; anything else as it is."""
    if array.dtype.kind != "O" or not array.size or not all(map(_is_number, array.flat)):
        return array
    return np.array(array.tolist())


def _first_missing(column: Any, array: np.ndarray[Any, Any]) -> int | None:
    """The row of the first missing value of a column, as its library tells it."""
    count = getattr(column, "null_count", None)
    if (count() if callable(count) else count) == 0:
        return None
    for name in ("isna", "is_null"):
        if callable(getattr(column, name, None)):
            missing = np.asarray(getattr(column, name)(), bool)
            return int(missing.argmax()) if missing.any() else None
    if array.dtype.kind != "O":
        return None
    return next((row for row, value in enumerate(array.flat) if _is_missing(value)), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _from_device(value: Any) -> np.ndarray[Any, Any]:
    """The host's copy of a tensor that speaks DLPack, also of one that needs gradients or lies elsewhere."""
    for step in ("detach", "resolve_conj", "resolve_neg"):
        value = getattr(value, step)() if callable(getattr(value, step, None)) else value
    if value.__dlpack_device__()[0] not in _CPU_KINDS:
        value = value.cpu() if hasattr(value, "cpu") else value.get() if hasattr(value, "get") else value
    try:
        return np.from_dlpack(value)
    except (TypeError, BufferError, RuntimeError, ValueError):  # how libraries say that this one will not do
        return host_array(value.float() if "bfloat16" in str(value.dtype) and hasattr(value, "float") else value)


def is_list_of_numbers(value: Any) -> bool:
    """Whether nested lists stand for one array: no arrays, dicts or frames in them."""
    return isinstance(value, (list, tuple)) and all(
        leaf is None or isinstance(leaf, (bool, int, float, complex, str, np.generic)) for leaf in flatten(value)
    )

"""Ops that make tensors: constants, ranges, and tensors of given values."""

from __future__ import annotations

import math
import numbers
from typing import Any

from lamina.dtypes import ARITHMETIC, COMPLEX, INTEGER, canonical_dtype
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError
from lamina.ops.elementwise import cast
from lamina.ops.shaping import broadcast_to, reshape
from lamina.runtime.convert import scalar as _scalar
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, as_shape


def tensor(values: TensorLike, shape: Any = None, dtype: Any = None) -> Tensor:
    """A tensor of given values: a number, nested lists, a NumPy array, or any array that speaks DLPack.

    Python floats become float32 and Python ints int32; NumPy arrays keep their dtype. ``shape`` rearranges the
    values, ``dtype`` converts them. Raises ShapeError for ragged lists, DTypeError for dtypes lamina does not have.

    >>> tensor([1, 2, 3, 4], shape=(2, 2), dtype="float32").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    wanted = None if dtype is None else canonical_dtype(dtype)
    found = to_tensor(values, wanted)
    if wanted is not None and found.dtype != wanted:
        found = cast(found, wanted)
    return found if shape is None else reshape(found, shape)


def scalar(value: Any, dtype: Any = None) -> Tensor:
    """A tensor without axes. Raises ArgumentTypeError if the value is not a single number, bool or string.

    >>> scalar(2.5).shape
    ()
    """
    found = tensor(value, dtype=dtype)
    if found.shape:
        raise ArgumentTypeError(f"scalar of a value of shape {found.shape}.", expected="a single value.")
    return found


@op(result=lambda shape, fill_value, dtype: Spec(shape, dtype), public=False)
def constant(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """``full`` of a number.

    >>> constant((2,), 7).tolist()
    [7, 7]
    """


@constant.settings
def _(shape: Any, fill_value: Any, dtype: Any) -> dict[str, Any]:
    """Raises ArgumentTypeError or ArgumentError for no shape, DTypeError for a value that dtype cannot hold."""
    if not isinstance(fill_value, (bool, int, float, complex)):
        raise ArgumentTypeError(f"full: fill_value is {fill_value!r}.", expected="a number or a string.")
    wanted = canonical_dtype(type(fill_value) if dtype is None else dtype)
    if wanted not in ARITHMETIC:
        raise DTypeError(f"full: there is no {wanted} of {fill_value!r}.", expected="a numeric dtype.")
    if isinstance(fill_value, complex) and wanted not in COMPLEX:
        raise DTypeError(f"full: there is no {wanted} of {fill_value!r}.", expected="a complex dtype.")
    if isinstance(fill_value, float) and not math.isfinite(fill_value) and wanted in INTEGER:
        raise DTypeError(f"full: there is no {wanted} of {fill_value!r}.", expected="a floating dtype.")
    return {"shape": as_shape(shape), "fill_value": fill_value, "dtype": wanted}


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of a shape with one value everywhere. As NumPy; None takes the dtype of the Python number or string.

    Raises DTypeError if the dtype cannot hold the value.

    Raises ArgumentError for a negative size.

    >>> full((2,), 7.0).tolist()
    [7.0, 7.0]
    """
    if not isinstance(fill_value, str):
        return constant(shape, fill_value, dtype)
    if dtype is not None and canonical_dtype(dtype) != "string":
        raise DTypeError(f"full: there is no {dtype} of {fill_value!r}.", expected="dtype string.")
    return broadcast_to(tensor(fill_value), as_shape(shape))


def zeros(shape: Any, dtype: Any = "float32") -> Tensor:
    """A tensor of zeros. As NumPy, but float32.

    >>> zeros((2,)).tolist()
    [0.0, 0.0]
    """
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = "float32") -> Tensor:
    """A tensor of ones. As NumPy, but float32.

    >>> ones((2,)).tolist()
    [1.0, 1.0]
    """
    return full(shape, 1, dtype)


def full_like(x: TensorLike, fill_value: Any) -> Tensor:
    """One value everywhere in the shape, dtype and backend of x.

    >>> full_like([1.0, 2.0], 7).tolist()
    [7.0, 7.0]
    """
    like = to_tensor(x)
    if like.dtype == "string" and not isinstance(fill_value, str):
        raise DTypeError(
            f"full_like(x, {fill_value!r}): x has dtype string.", expected="a numeric tensor, or a string."
        )
    if like._backend is None:
        return like
    return broadcast_to(_scalar(fill_value, like.dtype, like._backend), like.shape)


def zeros_like(x: TensorLike) -> Tensor:
    """Zeros in the shape, dtype and backend of x.

    Raises DTypeError for strings.

    >>> zeros_like([1.0, 2.0]).tolist()
    [0.0, 0.0]
    """
    return full_like(x, 0)


def ones_like(x: TensorLike) -> Tensor:
    """Ones in the shape, dtype and backend of x.

    >>> ones_like([3.0, 2.0]).tolist()
    [1.0, 1.0]
    """
    return full_like(x, 1)


@op(result=lambda start, stop, step, dtype: Spec((max(0, math.ceil((stop - start) / step)),), dtype), public=False)
def progression(start: Any, stop: Any, step: Any, dtype: Any) -> Tensor:
    """start, start + step, ... up to but without stop: what ``arange`` gives.

    >>> progression(0, 3, 1, "int32").tolist()
    [0, 1, 2]
    """


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Evenly spaced numbers from start up to but without stop; one argument is stop. As NumPy.

    The dtype is int32 for ints and float32 if one of them is a float. Raises ArgumentError for step 0.

    Raises ArgumentTypeError for what is no number, ArgumentError for a step of 0.

    >>> arange(3).tolist(), arange(1, 2, 0.5).tolist()
    ([0, 1, 2], [1.0, 1.5])
    """
    if stop is None:
        start, stop = 0, start
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ArgumentTypeError(f"arange: {name} is {value!r}.", expected="a finite number.")
    if step == 0:
        raise ArgumentError("arange: step is 0.", expected="another step.")
    ints = all(isinstance(v, int) for v in (start, stop, step))
    return progression(start, stop, step, canonical_dtype(dtype or (int if ints else float)))


@op(result=lambda start, stop, num, dtype: Spec((num,), dtype))
def linspace(start: float, stop: float, num: int, dtype: Any = "float32") -> Tensor:
    """``num`` evenly spaced numbers from start to stop, both included. As NumPy.

    >>> linspace(0.0, 1.0, 3).tolist()
    [0.0, 0.5, 1.0]
    """


@linspace.settings
def _(start: Any, stop: Any, num: Any, dtype: Any) -> dict[str, Any]:
    """Raises ArgumentError for a negative num."""
    count = as_int(num, "num", minimum=1)
    for name, value in (("start", start), ("stop", stop)):
        if not isinstance(value, numbers.Real):
            raise ArgumentTypeError(f"linspace: {name} is {value!r}.", expected="a number.")
    return {"start": float(start), "stop": float(stop), "num": count, "dtype": canonical_dtype(dtype)}


@op(result=lambda num_rows, num_columns, dtype: Spec((num_rows, num_columns), dtype), public=False)
def identity_matrix(num_rows: int, num_columns: int, dtype: Any) -> Tensor:
    """One matrix of ``eye``.

    >>> identity_matrix(1, 2, "int32").tolist()
    [[1, 0]]
    """


def eye(num_rows: int, num_columns: int | None = None, batch_shape: Any = (), dtype: Any = "float32") -> Tensor:
    """The identity matrix: ones on the diagonal, zeros elsewhere; repeated in leading axes of ``batch_shape``.

    As NumPy; square if ``num_columns`` is None. Raises ArgumentError for a negative size.

    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows = as_int(num_rows, "num_rows", minimum=0)
    columns = rows if num_columns is None else as_int(num_columns, "num_columns", minimum=0)
    matrix = identity_matrix(rows, columns, canonical_dtype(dtype))
    batch = as_shape(() if batch_shape is None else batch_shape, "batch_shape")
    return broadcast_to(matrix, (*batch, rows, columns)) if batch else matrix

"""Sums by matrix products with ones where that is faster, and ufunc reductions into buffers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()
_SMALL = "?bBh"
_FEWEST, _FEW = 1 << 15, 1 << 10

# Typed as Any because NumPy's stubs know no positional keepdims; keywords would cost time at each call.
_add: Any = np.add.reduce
_multiply: Any = np.multiply.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce


@kernels("sum", out=True)
@quiet
def sum_(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    dtype = np.int32 if x.dtype.char in _SMALL else x.dtype
    return _add(x, axis, dtype, out, keepdims)


def _ones_product(spec: Spec, axis: tuple[int, ...], keepdims: bool) -> Any:
    """The sum over the first or the last axes, or all between, as a product with ones; None for other sums.

    NumPy adds row to row, or each row by itself, which is slow where rows are short. An array whose elements are not in
    order has no such matrix.
    """
    first = axis == tuple(range(len(axis)))
    if spec.ndim > 2 and axis == tuple(range(1, spec.ndim - 1)):
        return _middle_sum(spec, axis)
    if spec.dtype not in ("float32", "float64") or not spec.size or not 0 < len(axis) < spec.ndim:
        return None
    if not first and axis != tuple(range(spec.ndim - len(axis), spec.ndim)):
        return None
    count = math.prod(spec.shape[a] for a in axis)
    ones, rest = np.ones(count, numpy_dtype(spec.dtype)), spec.size // count
    if spec.ndim == 2:
        ones = (ones[None] if first else ones[:, None]) if keepdims else ones
        return ones.dot if first else lambda x, out: x.dot(ones, out)
    matrix = (count, rest) if first else (rest, count)

    def product(x: Any, out: Any) -> None:
        if not x.flags.c_contiguous:
            _add(x, axis, None, out, out.ndim == x.ndim)
        elif first:
            ones.dot(x.reshape(matrix), out.reshape(rest))
        else:
            x.reshape(matrix).dot(ones, out.reshape(rest))

    return product


def _middle_sum(spec: Spec, axis: tuple[int, ...]) -> Any:
    """The sum over all axes but the first and the last: a product with ones for each matrix."""
    count = math.prod(spec.shape[1:-1])
    if spec.dtype not in ("float32", "float64") or spec.size < _FEWEST or not count:
        return None
    ones, outer = np.ones((1, count), numpy_dtype(spec.dtype)), (spec.shape[0], spec.shape[-1])

    def product(x: Any, out: Any) -> None:
        if x.flags.c_contiguous:
            np.matmul(ones, x.reshape(outer[0], count, outer[1]), out.reshape(outer[0], 1, outer[1]))
        else:
            _add(x, axis, None, out, out.ndim == x.ndim)

    return product


@kernels.specialized("sum")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    (x,), axis = inputs, attrs["axis"]
    keepdims = attrs["keepdims"]
    product = _ones_product(x, axis, keepdims)
    if product is not None:
        return product
    dtype, reduce = numpy_dtype(outputs[0].dtype), _add
    return lambda x, out: reduce(x, axis, dtype, out, keepdims)


@kernels("mean", out=True)
@quiet
def mean(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    count = math.prod(x.shape[a] for a in axis)
    total = _add(x, axis, x.dtype, out, keepdims)
    return np.multiply(total, x.dtype.type(1.0 / count if count else np.nan), out=out)


def _short_mean(count: int, dtype: Any) -> Any:
    """The mean of a few numbers by one product: of many, adding in pairs is more exact."""
    ones, factor = np.ones(count, dtype), dtype.type(1.0 / count)

    def kernel(x: Any, out: Any) -> None:
        out.fill(ones.dot(x) * factor)

    return kernel


@kernels.specialized("mean")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    (x,), axis, keepdims = inputs, attrs["axis"], attrs["keepdims"]
    count = math.prod(x.shape[a] for a in axis)
    if not count:
        return None
    dtype, reduce, multiply = numpy_dtype(x.dtype), _add, np.multiply
    if x.ndim == 1 and count <= _FEW and x.dtype in ("float32", "float64"):
        return _short_mean(count, dtype)
    factor, product = np.asarray(1.0 / count, dtype), _ones_product(x, axis, keepdims)
    if product is not None:

        def by_product(x: Any, out: Any) -> None:
            product(x, out)
            multiply(out, factor, out)

        return by_product

    def kernel(x: Any, out: Any) -> None:
        reduce(x, axis, dtype, out, keepdims)
        multiply(out, factor, out)

    return kernel


@kernels("prod", out=True)
@quiet
def prod(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    return _multiply(x, axis, np.int32 if x.dtype.kind == "b" else x.dtype, out, keepdims)


@kernels("max", out=True)
@quiet
def max_(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    return _maximum(x, axis, None, out, keepdims)


@kernels("min", out=True)
@quiet
def min_(x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    return _minimum(x, axis, None, out, keepdims)


@kernels("argmax")
def argmax(x: Any, axis: int) -> Any:
    return np.argmax(x, axis).astype(np.int32)


@kernels("argmin")
def argmin(x: Any, axis: int) -> Any:
    return np.argmin(x, axis).astype(np.int32)

"""Non-linearities into buffers, and the fused losses of a training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()

# Typed as Any because NumPy's stubs know no positional keepdims; keywords would cost time at each call.
_add: Any = np.add.reduce
_maximum: Any = np.maximum.reduce

kernels.add("tanh", np.tanh, out=True, specialize=lambda inputs, outputs, attrs: np.tanh)


@kernels("sigmoid", out=True)
def sigmoid(x: Any, out: Any = None) -> Any:
    """By tanh, which is cheaper than exp and does not overflow."""
    half = x.dtype.type(0.5)
    y = np.tanh(np.multiply(x, half, out=out), out=out)
    return np.add(np.multiply(y, half, out=out), half, out=out)


@kernels("relu", out=True)
def relu(x: Any, out: Any = None) -> Any:
    return np.maximum(x, x.dtype.type(0), out=out)


@kernels.specialized("relu")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    zero = np.zeros((), numpy_dtype(inputs[0].dtype))
    maximum = np.maximum
    return lambda x, out: maximum(x, zero, out=out)


@kernels("relu_gradient", out=True)
def relu_gradient(dy: Any, y: Any, out: Any = None) -> Any:
    result = np.where(y > 0, dy, dy.dtype.type(0))
    if out is None:
        return result
    np.copyto(out, result)
    return out


@kernels.specialized("relu_gradient")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    """A mask of sign bits: -y as an integer is negative where y is positive, and its shifted sign keeps dy's bits.

    Negative numbers are made 0 first, because -0.0 is the one integer that stays negative when it is negated.
    """
    dtype = inputs[0].dtype
    if dtype != "float32" or inputs[0].shape != inputs[1].shape:
        return None
    maximum, negative, shift, both = np.maximum, np.negative, np.right_shift, np.bitwise_and
    zero, last = np.asarray(0, np.int32), np.asarray(31, np.int32)
    mask = np.empty(inputs[1].shape, np.int32)

    def kernel(dy: Any, y: Any, out: Any) -> None:
        maximum(y.view(np.int32), zero, out=mask)
        negative(mask, mask)
        shift(mask, last, mask)
        both(dy.view(np.int32), mask, out.view(np.int32))

    return kernel


@kernels("softmax", out=True)
@quiet
def softmax(x: Any, axis: int, out: Any = None) -> Any:
    peak = _maximum(x, axis, None, None, True) if x.shape[axis] else x.dtype.type(0)
    e = np.exp(np.subtract(x, peak, out=out), out=out)
    return np.divide(e, _add(e, axis, None, None, True), out=out)


@kernels("log_softmax", out=True)
@quiet
def log_softmax(x: Any, axis: int, out: Any = None) -> Any:
    peak = _maximum(x, axis, None, None, True) if x.shape[axis] else x.dtype.type(0)
    shifted = np.subtract(x, peak, out=out)
    return np.subtract(shifted, np.log(_add(np.exp(shifted), axis, None, None, True)), out=out)


def _buffers(inputs: Sequence[Spec], axis: int) -> tuple[Any, Any]:
    """Memory for one number per row, and for the whole."""
    shape, dtype = inputs[0].shape, numpy_dtype(inputs[0].dtype)
    return np.empty((*shape[:axis], 1, *shape[axis + 1 :]), dtype), np.empty(shape, dtype)


_FEW_CLASSES = 32


def _few_classes(spec: Spec) -> Any:
    """For many rows of few classes: a copy with the classes first, whose reductions run along the rows.

    Returns what copies, shifts by the largest, and sums the exponentials: (rows, exponentials, sums) for a given x.
    """
    n, c = spec.shape
    dtype = numpy_dtype(spec.dtype)
    rows, exponentials = np.empty((c, n), dtype), np.empty((c, n), dtype)
    largest, sums, ones = np.empty(n, dtype), np.empty(n, dtype), np.ones(c, dtype)
    reduce: Any = np.maximum.reduce
    copyto, subtract, exp = np.copyto, np.subtract, np.exp

    def prepare(x: Any) -> None:
        copyto(rows, x.T)
        reduce(rows, 0, None, largest)
        subtract(rows, largest, rows)
        exp(rows, exponentials)
        ones.dot(exponentials, sums)

    return prepare, rows, exponentials, sums


def _has_few_classes(spec: Spec, axis: int) -> bool:
    return spec.ndim == 2 and axis == 1 and 0 < spec.shape[1] <= _FEW_CLASSES and spec.dtype in ("float32", "float64")


@kernels.specialized("log_softmax")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    axis = attrs["axis"]
    if not inputs[0].shape[axis]:
        return None
    if _has_few_classes(inputs[0], axis):
        prepare, rows, _, sums = _few_classes(inputs[0])

        def transposed(x: Any, out: Any) -> None:
            prepare(x)
            np.log(sums, sums)
            np.subtract(rows, sums, out.T)

        return transposed
    row, whole = _buffers(inputs, axis)
    largest: Any = np.maximum.reduce
    total: Any = np.add.reduce
    subtract, exp, log = np.subtract, np.exp, np.log

    def kernel(x: Any, out: Any) -> None:
        largest(x, axis, None, row, True)
        subtract(x, row, out)
        exp(out, whole)
        total(whole, axis, None, row, True)
        log(row, row)
        subtract(out, row, out)

    return kernel


@kernels.specialized("softmax")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    axis = attrs["axis"]
    if not inputs[0].shape[axis]:
        return None
    if _has_few_classes(inputs[0], axis):
        prepare, _, exponentials, sums = _few_classes(inputs[0])

        def transposed(x: Any, out: Any) -> None:
            prepare(x)
            np.divide(exponentials, sums, out.T)

        return transposed
    row, _ = _buffers(inputs, axis)
    largest: Any = np.maximum.reduce
    total: Any = np.add.reduce
    subtract, exp, divide = np.subtract, np.exp, np.divide

    def kernel(x: Any, out: Any) -> None:
        largest(x, axis, None, row, True)
        subtract(x, row, out)
        exp(out, out)
        total(out, axis, None, row, True)
        divide(out, row, out)

    return kernel

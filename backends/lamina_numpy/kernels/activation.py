"""Non-linearities into buffers, and the fused losses of a training step."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.dtypes import LARGEST
from lamina.shapes import Spec
from lamina_numpy.calls import Arrays, Call, in_order
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()

# Typed as Any because NumPy's stubs know no positional keepdims; keywords would cost time at each call.
_add: Any = np.add.reduce
_maximum: Any = np.maximum.reduce
_largest_number: Any = np.fmax.reduce

kernels.add("tanh", np.tanh, out=True, specialize=lambda inputs, outputs, attrs: np.tanh)


@kernels("sigmoid", out=True)
@quiet
def sigmoid(x: Any, out: Any = None) -> Any:
    """1 / (1 + e^-x), which keeps the digits of small results. Where e^-x overflows, the result is 0."""
    y = np.exp(np.negative(x, out=out), out=out)
    return np.reciprocal(np.add(y, y.dtype.type(1), out=out), out=out)


@kernels("relu", out=True)
def relu(x: Any, out: Any = None) -> Any:
    return np.maximum(x, x.dtype.type(0), out=out)


@kernels.specialized("relu")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    zero = np.zeros((), numpy_dtype(inputs[0].dtype))
    maximum = np.maximum
    return lambda x, out: maximum(x, zero, out=out)


def relu_calls(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> list[Call]:
    """``relu`` between given arrays, against as many zeros: NumPy takes three times as long against one number."""
    (x,), (y,) = inputs, outputs
    if not (x.flags.c_contiguous and y.flags.c_contiguous):
        return [Call(np.maximum, (x, np.zeros((), x.dtype)), y)]
    flat, zeros = (x.reshape(-1), y.reshape(-1)), np.zeros(min(x.size, _BLOCK), x.dtype)
    cuts = [tuple(a[i : i + _BLOCK] for a in flat) for i in range(0, x.size, _BLOCK)]
    return [Call(np.maximum, (part, zeros[: part.size]), out) for part, out in cuts]


@kernels("relu_gradient", out=True)
def relu_gradient(dy: Any, y: Any, out: Any = None) -> Any:
    result = np.where(y > 0, dy, dy.dtype.type(0))
    if out is None:
        return result
    np.copyto(out, result)
    return out


def relu_gradient_calls(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> list[Call] | None:
    """``relu_gradient`` between given arrays, in blocks that stay in cache; of float32 only.

    A mask of sign bits: 0 - y is negative where y is positive, and its shifted sign keeps dy's bits.
    """
    arrays = (*inputs, *outputs)
    if any(a.dtype != np.float32 or a.shape != inputs[0].shape for a in arrays):
        return None
    whole, blocks = inputs[0].size, [arrays]
    if all(a.flags.c_contiguous for a in arrays):
        flat = [a.reshape(-1) for a in arrays]
        blocks = [tuple(a[i : i + _BLOCK] for a in flat) for i in range(0, whole, _BLOCK)]
    mask = np.empty(max((dy.size for dy, _, _ in blocks), default=0), np.int32)
    zero, last = np.asarray(0, np.float32), np.asarray(31, np.int32)
    found = []
    for dy, y, out in blocks:
        bits = mask[: y.size].reshape(y.shape)
        found += [
            Call(np.subtract, (zero, y, bits.view(np.float32))),
            Call(np.right_shift, (bits, last, bits)),
            Call(np.bitwise_and, (dy.view(np.int32), bits, out.view(np.int32))),
        ]
    return found


@kernels.specialized("relu_gradient")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    """By the calls, which are made once as long as the arrays are the same."""
    if inputs[0].dtype != "float32" or inputs[0].shape != inputs[1].shape:
        return None
    seen: list[Any] = [None, None, None]
    runs: list[Any] = [None]

    def kernel(dy: Any, y: Any, out: Any) -> None:
        if dy is not seen[0] or y is not seen[1] or out is not seen[2]:
            seen[:] = dy, y, out
            runs[0] = in_order(relu_gradient_calls((dy, y), (out,), attrs) or ())
        runs[0]()

    return kernel


_BLOCK = 1 << 15
"""So many elements at a time fit the cache also in float64."""


def _in_blocks(kernel: Any) -> Any:
    """The kernel on some rows at a time, where the axis is not the first."""

    @functools.wraps(kernel)
    def blocked(x: Any, axis: int, out: Any = None) -> Any:
        count = math.prod(x.shape[:axis])
        if x.size <= _BLOCK or count < 2:
            return kernel(x, axis, out)
        rows = x.reshape(count, *x.shape[axis:])
        results = np.empty(rows.shape, x.dtype)
        step = max(1, _BLOCK * count // x.size)
        for start in range(0, count, step):
            kernel(rows[start : start + step], 1, results[start : start + step])
        if out is None:
            return results.reshape(x.shape)
        np.copyto(out, results.reshape(x.shape))
        return out

    return blocked


@kernels("softmax", out=True)
@quiet
@_in_blocks
def softmax(x: Any, axis: int, out: Any = None) -> Any:
    """In float64, so that the distance to the largest is exact: its error counts as often as it is long."""
    if not x.shape[axis]:
        return x.copy()
    _, _, e = _exponentials(x, axis)
    y = np.divide(e, _add(e, axis, None, None, True), out=out)
    return y if out is not None else y.astype(x.dtype, copy=False)


@kernels("log_softmax", out=True)
@quiet
@_in_blocks
def log_softmax(x: Any, axis: int, out: Any = None) -> Any:
    """By the logarithm of 1 and the others, so that the largest element's result keeps its digits near 0."""
    if not x.shape[axis]:
        return x.copy()
    largest, shifted, e = _exponentials(x, axis)
    sums = _add(np.subtract(e, largest, out=e), axis, None, None, True)
    sums += _add(largest, axis, np.float64, None, True) - 1.0
    y = np.subtract(shifted, np.log1p(sums), out=out)
    return y if out is not None else y.astype(x.dtype, copy=False)


def _exponentials(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """Where the largest along an axis are, how far all are from it, and e to the power of that, in float64."""
    wide = x.astype(np.float64, copy=False)
    peak = _maximum(wide, axis, None, None, True)
    largest = wide == peak
    shifted = np.subtract(wide, peak)
    np.copyto(shifted, 0.0, where=largest)  # also where the largest is infinite
    e = np.exp(shifted)
    if wide is x:
        back = shifted - x
        lost = (x - (shifted - back)) - (peak + back)  # what rounding took from the distance (Knuth's two-sum)
        e += np.where(np.isfinite(lost), e * lost, 0.0)
    return largest, shifted, e


def _buffers(inputs: Sequence[Spec], axis: int) -> tuple[Any, Any]:
    """Memory for one number per row, and for the whole."""
    shape, dtype = inputs[0].shape, numpy_dtype(inputs[0].dtype)
    return np.empty((*shape[:axis], 1, *shape[axis + 1 :]), dtype), np.empty(shape, dtype)


_FEW_CLASSES = 32


def _largest(spec: Spec) -> Any:
    """The largest finite number: in place of infinity it gives the limits, without a difference of infinities."""
    return np.asarray(LARGEST[spec.dtype], numpy_dtype(spec.dtype))


def _has_infinity(x: Any) -> bool:
    """Whether the largest number is infinite; other numbers may be NaN. Then the eager kernel is the one to call."""
    return bool(_largest_number(x, None, None, None, False, -np.inf) == np.inf)


def _few_classes(spec: Spec) -> Any:
    """For many rows of few classes: a copy with the classes first, whose reductions run along the rows.

    Returns what copies, shifts by the largest, and takes the exponentials, and (rows, exponentials) for a given x.
    """
    n, c = spec.shape
    dtype = numpy_dtype(spec.dtype)
    rows, exponentials = np.empty((c, n), dtype), np.empty((c, n), dtype)
    largest, bound = np.empty(n, dtype), _largest(spec)
    reduce: Any = np.maximum.reduce
    minimum, subtract, exp = np.minimum, np.subtract, np.exp

    def prepare(x: Any) -> None:
        minimum(x.T, bound, out=rows)
        reduce(rows, 0, None, largest)
        subtract(rows, largest, rows)
        exp(rows, exponentials)

    return prepare, rows, exponentials


def _has_few_classes(spec: Spec, axis: int) -> bool:
    return spec.ndim == 2 and axis == 1 and 0 < spec.shape[1] <= _FEW_CLASSES and spec.dtype in ("float32", "float64")


def _log_softmax_of_few(spec: Spec) -> Any:
    prepare, rows, exponentials = _few_classes(spec)
    largest, ones = np.empty_like(rows), np.ones(len(rows), rows.dtype)
    sums, counts = np.empty_like(rows[0]), np.empty_like(rows[0])
    zero, one = np.zeros((), rows.dtype), np.ones((), rows.dtype)
    equal, add, subtract, log1p = np.equal, np.add, np.subtract, np.log1p

    def kernel(x: Any, out: Any) -> None:
        if _has_infinity(x):
            log_softmax(x, 1, out)
            return
        prepare(x)
        equal(rows, zero, largest)
        subtract(exponentials, largest, exponentials)
        ones.dot(exponentials, sums)
        ones.dot(largest, counts)
        subtract(counts, one, counts)
        add(sums, counts, sums)
        log1p(sums, sums)
        subtract(rows, sums, out.T)

    return kernel


def _log_softmax_of_rows(spec: Spec) -> Any:
    """Along the last axis: by the place of one largest number in each row, which spares passes over all of them."""
    dtype, classes = numpy_dtype(spec.dtype), spec.shape[-1]
    count = spec.size // classes
    starts, places = np.arange(0, spec.size, classes), np.empty(count, np.intp)
    whole, peaks, sums = np.empty((count, classes), dtype), np.empty(count, dtype), np.empty(count, dtype)
    peak, total, flat = peaks[:, None], sums[:, None], whole.reshape(-1)
    add, subtract, exp, log1p = np.add, np.subtract, np.exp, np.log1p

    def kernel(x: Any, out: Any) -> None:
        rows, results = x.reshape(count, classes), out.reshape(count, classes)
        rows.argmax(1, places)
        add(places, starts, places)
        rows.reshape(-1).take(places, None, peaks, "clip")
        if _has_infinity(peaks):
            log_softmax(x, x.ndim - 1, out)
            return
        subtract(rows, peak, results)
        results.reshape(-1)[places] = 0
        exp(results, whole)
        flat[places] = 0
        _add(whole, 1, None, sums)
        log1p(sums, sums)
        subtract(results, total, results)

    return kernel


@kernels.specialized("log_softmax")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    axis = attrs["axis"]
    if not inputs[0].shape[axis]:
        return None
    if _has_few_classes(inputs[0], axis):
        return _log_softmax_of_few(inputs[0])
    if axis == inputs[0].ndim - 1 and inputs[0].shape[axis] > 1:
        return _log_softmax_of_rows(inputs[0])
    row, whole = _buffers(inputs, axis)
    counts, largest = np.empty_like(row), np.empty(whole.shape, bool)
    bound, zero, one = _largest(inputs[0]), np.zeros((), row.dtype), np.ones((), row.dtype)
    peak: Any = np.maximum.reduce
    total: Any = np.add.reduce
    minimum, equal, add, subtract, exp, log1p = np.minimum, np.equal, np.add, np.subtract, np.exp, np.log1p

    def kernel(x: Any, out: Any) -> None:
        if _has_infinity(x):
            log_softmax(x, axis, out)
            return
        minimum(x, bound, out=out)
        peak(out, axis, None, row, True)
        subtract(out, row, out)
        exp(out, whole)
        equal(out, zero, largest)
        subtract(whole, largest, whole)
        total(whole, axis, None, row, True)
        total(largest, axis, row.dtype, counts, True)
        subtract(counts, one, counts)
        add(row, counts, row)
        log1p(row, row)
        subtract(out, row, out)

    return kernel


@kernels.specialized("softmax")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    axis = attrs["axis"]
    if not inputs[0].shape[axis]:
        return None
    if _has_few_classes(inputs[0], axis):
        prepare, rows, exponentials = _few_classes(inputs[0])
        sums, ones = np.empty_like(rows[0]), np.ones(len(rows), rows.dtype)

        def transposed(x: Any, out: Any) -> None:
            prepare(x)
            ones.dot(exponentials, sums)
            np.divide(exponentials, sums, out.T)

        return transposed
    clamped = _clamped_softmax(inputs[0], axis)
    if axis == inputs[0].ndim - 1 and inputs[0].dtype in ("float32", "float64") and inputs[0].shape[axis] > 1:
        return _softmax_of_rows(inputs[0], clamped)
    return clamped


def _clamped_softmax(spec: Spec, axis: int) -> Any:
    """Along any axis, of any numbers: infinity counts as the largest finite one."""
    row, _ = _buffers([spec], axis)
    bound = _largest(spec)
    largest: Any = np.maximum.reduce
    total: Any = np.add.reduce
    minimum, subtract, exp, divide = np.minimum, np.subtract, np.exp, np.divide

    def kernel(x: Any, out: Any) -> None:
        minimum(x, bound, out=out)
        largest(out, axis, None, row, True)
        subtract(out, row, out)
        exp(out, out)
        total(out, axis, None, row, True)
        divide(out, row, out)

    return kernel


def _softmax_of_rows(spec: Spec, clamped: Any) -> Any:
    """Along the last axis, some rows at a time: sums are products with ones, and the largest is found by its place.

    That is faster where rows are whole vectors; of others the largest number is sought.
    """
    dtype, classes = numpy_dtype(spec.dtype), spec.shape[-1]
    count = spec.size // classes
    step = max(1, 2 * _BLOCK // classes)
    ones, starts, places = np.ones(classes, dtype), np.arange(0, spec.size, classes), np.empty(count, np.intp)
    peaks, sums = np.empty(count, dtype), np.empty(count, dtype)
    blocks = [(slice(i, i + step), peaks[i : i + step, None], sums[i : i + step]) for i in range(0, count, step)]
    reduce: Any = np.maximum.reduce
    add, subtract, exp, divide = np.add, np.subtract, np.exp, np.divide
    in_vectors = classes % 16 == 0

    def kernel(x: Any, out: Any) -> None:
        rows, results = x.reshape(count, classes), out.reshape(count, classes)
        if in_vectors:
            rows.argmax(1, places)
            add(places, starts, places)
            rows.reshape(-1).take(places, None, peaks, "clip")
        else:
            reduce(rows, 1, None, peaks)
        if _has_infinity(peaks):
            clamped(x, out)
            return
        for part, peak, total in blocks:
            some = results[part]
            subtract(rows[part], peak, some)
            exp(some, some)
            some.dot(ones, total)
            divide(some, total[:, None], some)

    return kernel

"""Cross entropies of class numbers and their slopes, by the places of the classes in place of one-hot labels.

What is usual, labels that are classes and numbers that are finite, is done by a few calls, most of them for one number
of each row; the rest by a plain way that is right for everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.dtypes import LARGEST
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.activation import log_softmax
from lamina_numpy.kernels.elementwise import quiet

kernels = KernelTable()


@kernels("class_cross_entropy", out=True)
@quiet
def class_cross_entropy(labels: Any, logits: Any, slopes: bool = False, out: Any = None) -> Any:
    """With ``slopes``, as ``lamina_numpy.passes`` asks for, also how the result grows with each logit."""
    hot = _one_hot(labels, logits)
    logs = log_softmax(logits, logits.ndim - 1)
    finite = np.maximum(logs, logits.dtype.type(-LARGEST[logits.dtype.name]))
    losses = np.negative((hot * finite).sum(-1), out=out[0] if slopes and out else out)
    if not slopes:
        return losses
    grown = np.exp(logs) * hot.sum(-1, keepdims=True)
    return losses, np.subtract(grown, hot, out=out[1] if out else None)


def _one_hot(labels: Any, logits: Any) -> Any:
    return (labels[..., None] == np.arange(logits.shape[-1])).astype(logits.dtype)


@kernels("class_cross_entropy_gradient", out=True)
@quiet
def class_cross_entropy_gradient(dy: Any, labels: Any, logits: Any, out: Any = None) -> Any:
    _, slopes = class_cross_entropy(labels, logits, slopes=True)
    return np.multiply(slopes, dy[..., None], out=out)


@kernels("class_log_loss", out=True)
@quiet
def class_log_loss(labels: Any, shares: Any, epsilon: float, slopes: bool = False, out: Any = None) -> Any:
    """With ``slopes`` also how the result grows with each share."""
    hot, kind = _one_hot(labels, shares), shares.dtype.type
    total = shares.sum(-1, keepdims=True)
    part = shares / total
    low, high = kind(epsilon), kind(1.0 - epsilon)
    kept = np.minimum(np.maximum(part, low), high)
    losses = np.negative((hot * np.log(kept)).sum(-1), out=out[0] if slopes and out else out)
    if not slopes:
        return losses
    slope = hot / kept * ((part >= low) & (part <= high))
    grown = (slope * part).sum(-1, keepdims=True) - slope
    return losses, np.divide(grown, total, out=out[1] if out else None)


@kernels("class_log_loss_gradient", out=True)
@quiet
def class_log_loss_gradient(dy: Any, labels: Any, shares: Any, epsilon: float, out: Any = None) -> Any:
    _, slopes = class_log_loss(labels, shares, epsilon, slopes=True)
    return np.multiply(slopes, dy[..., None], out=out)


_UNSIGNED = {np.dtype(f"i{size}").char: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


class _Rows:
    """Memory for predictions of one shape, and functions that compute in it, bound to the arrays of a step."""

    def __init__(self, spec: Spec) -> None:
        dtype = numpy_dtype(spec.dtype)
        self.shape = count, _ = spec.size // spec.shape[-1], spec.shape[-1]
        self.starts = np.arange(0, spec.size, spec.shape[-1])
        self.peaks, self.chosen = np.empty((2, count), np.intp)
        self.powers = np.empty(self.shape, dtype)
        self.of_row, self.sums = np.empty((2, count), dtype)
        self.known = np.empty(count, bool)
        self.nothing, self.one = np.zeros((), dtype), np.ones((), dtype)

    def finder(self) -> Callable[[Any], bool]:
        """A function that sets where labels are among the predictions, and whether all of them are classes."""
        starts, chosen, known = self.starts, self.chosen, self.known
        count, less, add = np.asarray(self.shape[1], np.uint64), np.less, np.add

        def find(labels: Any) -> bool:
            flat = labels.reshape(-1) if labels.ndim != 1 else labels
            less(flat.view(_UNSIGNED[flat.dtype.char]), count, known)  # numbers below 0 are large ones
            add(flat, starts, chosen)
            return 0 not in known.tobytes()

        return find

    def losses(self, logits: Any, losses: Any) -> Callable[[], bool]:
        """A function that sets the losses of the labels that were found, and whether all are finite."""
        rows, powers, sums, of_row = logits.reshape(self.shape), self.powers, self.sums, self.of_row
        shifted, results = np.empty_like(powers), losses.reshape(-1)
        flat, flat_shifted, flat_powers, peak = (
            rows.reshape(-1),
            shifted.reshape(-1),
            powers.reshape(-1),
            of_row[:, None],
        )
        starts, peaks, chosen, nothing = self.starts, self.peaks, self.chosen, self.nothing
        ones, classes, finite = np.ones_like(of_row), np.ones_like(powers[0]), math.isfinite
        add, subtract, exp, log1p, copyto = np.add, np.subtract, np.exp, np.log1p, np.copyto

        def compute() -> bool:
            rows.argmax(1, peaks)
            add(peaks, starts, peaks)
            flat.take(peaks, None, of_row, "clip")
            copyto(shifted, peak)
            subtract(rows, shifted, shifted)
            exp(shifted, powers)
            flat_powers[peaks] = nothing  # the sum is without the largest: a loss near 0 keeps its digits
            powers.dot(classes, sums)
            log1p(sums, results)
            flat_shifted.take(chosen, None, of_row, "clip")
            subtract(results, of_row, results)
            return finite(results.dot(ones))

        return compute

    def slopes(self, slopes: Any) -> Callable[[], None]:
        """A function that sets by how much the losses that were computed grow with each logit."""
        powers, sums, of_row, one = self.powers, self.sums, self.of_row, self.one
        flat, flat_powers, total = slopes.reshape(-1), powers.reshape(-1), sums[:, None]
        rows, peaks, chosen = slopes.reshape(self.shape), self.peaks, self.chosen
        add, subtract, divide, copyto = np.add, np.subtract, np.divide, np.copyto

        def compute() -> None:
            add(sums, one, sums)
            flat_powers[peaks] = one
            copyto(rows, total)
            divide(powers, rows, rows)
            flat.take(chosen, None, of_row, "clip")
            subtract(of_row, one, of_row)
            flat[chosen] = of_row

        return compute


class _Logits(_Rows):
    """For ``class_cross_entropy``."""

    def losses(self, logits: Any, losses: Any) -> Callable[[], bool]:
        """A function that sets the losses of the labels that were found, and whether all are finite."""
        rows, powers, sums, of_row = logits.reshape(self.shape), self.powers, self.sums, self.of_row
        shifted, results = np.empty_like(powers), losses.reshape(-1)
        flat, flat_shifted, flat_powers, peak = (
            rows.reshape(-1),
            shifted.reshape(-1),
            powers.reshape(-1),
            of_row[:, None],
        )
        starts, peaks, chosen, nothing = self.starts, self.peaks, self.chosen, self.nothing
        ones, classes, finite = np.ones_like(of_row), np.ones_like(powers[0]), math.isfinite
        add, subtract, exp, log1p, copyto = np.add, np.subtract, np.exp, np.log1p, np.copyto

        def compute() -> bool:
            rows.argmax(1, peaks)
            add(peaks, starts, peaks)
            flat.take(peaks, None, of_row, "clip")
            copyto(shifted, peak)
            subtract(rows, shifted, shifted)
            exp(shifted, powers)
            flat_powers[peaks] = nothing  # the sum is without the largest: a loss near 0 keeps its digits
            powers.dot(classes, sums)
            log1p(sums, results)
            flat_shifted.take(chosen, None, of_row, "clip")
            subtract(results, of_row, results)
            return finite(results.dot(ones))

        return compute

    def slopes(self, slopes: Any) -> Callable[[], None]:
        """A function that sets by how much the losses that were computed grow with each logit."""
        powers, sums, of_row, one = self.powers, self.sums, self.of_row, self.one
        flat, flat_powers, total = slopes.reshape(-1), powers.reshape(-1), sums[:, None]
        rows, peaks, chosen = slopes.reshape(self.shape), self.peaks, self.chosen
        add, subtract, divide, copyto = np.add, np.subtract, np.divide, np.copyto

        def compute() -> None:
            add(sums, one, sums)
            flat_powers[peaks] = one
            copyto(rows, total)
            divide(powers, rows, rows)
            flat.take(chosen, None, of_row, "clip")
            subtract(of_row, one, of_row)
            flat[chosen] = of_row

        return compute


class _Shares(_Rows):
    """For ``class_log_loss``."""

    def __init__(self, spec: Spec, epsilon: float) -> None:
        super().__init__(spec)
        self.low, self.high = (np.asarray(x, self.powers.dtype) for x in (epsilon, 1.0 - epsilon))

    def losses(self, shares: Any, losses: Any) -> Callable[[], bool]:
        """A function that sets the losses of the labels that were found, and whether they and all sums are finite."""
        rows, sums, of_row, chosen, inside = shares.reshape(self.shape), self.sums, self.of_row, self.chosen, self.known
        flat, results, classes = rows.reshape(-1), losses.reshape(-1), np.ones_like(self.powers[0])
        part, low, high = np.empty_like(of_row), self.low, self.high
        divide, log, negative, maximum, minimum = np.divide, np.log, np.negative, np.maximum, np.minimum
        equal, finite = np.equal, math.isfinite

        def compute() -> bool:
            rows.dot(classes, sums)
            flat.take(chosen, None, of_row, "clip")
            divide(of_row, sums, part)
            maximum(part, low, out=results)
            minimum(results, high, out=results)
            equal(part, results, inside)
            log(results, results)
            negative(results, results)
            return finite(results.dot(sums))

        return compute

    def slopes(self, slopes: Any) -> Callable[[], None]:
        """A function that sets by how much the losses that were computed grow with each share."""
        flat, rows, chosen, inside = slopes.reshape(-1), slopes.reshape(self.shape), self.chosen, self.known
        sums, of_row, one, total = self.sums, self.of_row, self.one, self.sums[:, None]
        divide, subtract, copyto, logical_not = np.divide, np.subtract, np.copyto, np.logical_not

        def compute() -> None:
            divide(one, sums, sums)
            divide(one, of_row, of_row)
            subtract(sums, of_row, of_row)
            if 0 in inside.tobytes():
                outside = logical_not(inside)
                sums[outside] = of_row[outside] = 0
            copyto(rows, total)
            flat[chosen] = of_row

        return compute


def _is_usual(labels: Spec, given: Spec) -> bool:
    usual = given.dtype in ("float32", "float64") and numpy_dtype(labels.dtype).char in _UNSIGNED
    return usual and given.size > 0 and given.shape[-1] > 1


@kernels.specialized("class_cross_entropy")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    return _of_usual(_Logits(inputs[1]), class_cross_entropy, attrs) if _is_usual(*inputs) else None


@kernels.specialized("class_log_loss")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    return _of_usual(_Shares(inputs[1], attrs["epsilon"]), class_log_loss, attrs) if _is_usual(*inputs) else None


def _of_usual(rows: Any, plain: Callable[..., Any], attrs: Mapping[str, Any]) -> Callable[..., None]:
    """The quick way where labels and numbers are usual, else the plain one."""
    find, both = rows.finder(), attrs.get("slopes", False)
    seen: list[Any] = [None, None, None]
    bound: list[Any] = [None, None]

    def kernel(labels: Any, given: Any, out: Any) -> None:
        losses, slopes = out if both else (out, None)
        if not (given.flags.c_contiguous and find(labels)):
            plain(labels, given, **attrs, out=out)
            return
        if given is not seen[0] or losses is not seen[1] or slopes is not seen[2]:
            seen[:] = given, losses, slopes
            bound[:] = rows.losses(given, losses), rows.slopes(slopes) if both else None
        if not bound[0]():
            plain(labels, given, **attrs, out=out)
        elif both:
            bound[1]()

    return kernel

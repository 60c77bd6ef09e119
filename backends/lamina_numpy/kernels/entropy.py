"""The cross entropy of class numbers and its slopes, by the places of the classes in place of one-hot labels.

What is usual, labels that are classes and numbers that are finite, is done by a few calls for each row's largest
logit and its label's; the rest by the exact way of ``log_softmax``.
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


_UNSIGNED = {np.dtype(f"i{size}").char: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


class _Rows:
    """Memory for logits of one shape, and functions that compute in it, bound to the arrays of a step."""

    def __init__(self, spec: Spec) -> None:
        dtype = numpy_dtype(spec.dtype)
        self.shape = count, _ = spec.size // spec.shape[-1], spec.shape[-1]
        self.starts = np.arange(0, spec.size, spec.shape[-1])
        self.peaks, self.chosen = np.empty((2, count), np.intp)
        self.powers = np.empty(self.shape, dtype)
        self.of_row, self.sums = np.empty((2, count), dtype)
        self.nothing, self.one = np.zeros((), dtype), np.ones((), dtype)

    def finder(self) -> Callable[[Any], bool]:
        """A function that sets where labels are among the logits, and whether all of them are classes."""
        starts, chosen, known = self.starts, self.chosen, np.empty(self.shape[0], bool)
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
        add, subtract, exp, log1p = np.add, np.subtract, np.exp, np.log1p

        def compute() -> bool:
            rows.argmax(1, peaks)
            add(peaks, starts, peaks)
            flat.take(peaks, None, of_row, "clip")
            subtract(rows, peak, shifted)
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
        add, subtract, divide = np.add, np.subtract, np.divide

        def compute() -> None:
            add(sums, one, sums)
            flat_powers[peaks] = one
            divide(powers, total, rows)
            flat.take(chosen, None, of_row, "clip")
            subtract(of_row, one, of_row)
            flat[chosen] = of_row

        return compute


@kernels.specialized("class_cross_entropy")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    labels, logits = inputs
    usual = logits.dtype in ("float32", "float64") and numpy_dtype(labels.dtype).char in _UNSIGNED
    if not usual or not logits.size or logits.shape[-1] < 2:
        return None
    rows, both = _Rows(logits), attrs.get("slopes", False)
    find, seen = rows.finder(), [None, None, None]
    bound: list[Any] = [None, None]

    def kernel(labels: Any, logits: Any, out: Any) -> None:
        losses, slopes = out if both else (out, None)
        if not (logits.flags.c_contiguous and find(labels)):
            class_cross_entropy(labels, logits, slopes=both, out=out)
            return
        if logits is not seen[0] or losses is not seen[1] or slopes is not seen[2]:
            seen[:] = logits, losses, slopes
            bound[:] = rows.losses(logits, losses), rows.slopes(slopes) if both else None
        if not bound[0]():
            class_cross_entropy(labels, logits, slopes=both, out=out)
        elif both:
            bound[1]()

    return kernel

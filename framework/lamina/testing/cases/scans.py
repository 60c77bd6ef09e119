"""Cases of running sums and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DTypeError, OutOfRangeError
from lamina.testing.inputs import bools, complex_normal, empty, ints, non_contiguous, normal, values
from lamina.testing.table import case


def scanned(function: Any, neutral: int) -> Any:
    def reference(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
        x = np.flip(x, axis) if reverse else x
        y = function(x, axis=axis, dtype=x.dtype)
        if exclusive:
            y = np.roll(y, 1, axis)
            y[(slice(None),) * (axis % x.ndim) + (slice(0, 1),)] = neutral
        return np.flip(y, axis) if reverse else y

    return reference


for _op, _reference in {"cumsum": scanned(np.cumsum, 0), "cumprod": scanned(np.cumprod, 1)}.items():
    for _axis, _exclusive, _reverse in ((0, False, False), (1, True, False), (-1, False, True), (1, True, True)):
        case(_op, [normal(3, 4, 2)], axis=_axis, exclusive=_exclusive, reverse=_reverse, reference=_reference)
    case(_op, [non_contiguous(3, 5)], axis=1, reference=_reference)
    case(_op, [normal(1)], reference=_reference)
    case(_op, [normal(2, 1)], axis=1, exclusive=True, reference=_reference)
    case(_op, [empty(0, 3)], exclusive=True, reference=_reference)
    case(_op, [empty(2, 0)], axis=1, reference=_reference)
    case(_op, [ints(6, low=1, high=4)], reverse=True, reference=_reference)
    case(_op, [complex_normal(4)], reference=_reference)
    case(_op, [bools(3)], raises=DTypeError)
    case(_op, [normal()], raises=OutOfRangeError)
    case(_op, [normal(2, 3)], axis=2, raises=OutOfRangeError)
case("cumprod", [values([2.0, 0.0, 3.0, 0.0, 4.0])], reference=np.cumprod)

"""How near is near enough, for values and for replays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.testing.inputs import Array

TOLERANCE: Final = {"float16": 4e-3, "bfloat16": 4e-2, "float32": 1e-5, "float64": 1e-12}
"""Allowed error, relative to the element and to the largest element."""

REPLAY_ULPS: Final = 8
"""Replays must agree with the eager run to this many units in the last place of the largest element.

Most ops agree bit for bit; a fast executable may add up a sum in another order.
"""


def tolerance_of(dtype: str, loose: float = 1.0) -> float:
    """The allowed relative error of a result in a dtype."""
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    return TOLERANCE.get(real, 0.0) * loose


def wide(array: Any) -> Array:
    """Half precision as float64, so that NumPy's comparisons know it; anything else as it is."""
    found = np.asarray(array)
    return found.astype(np.float64) if str(found.dtype) in ("float16", "bfloat16") else found


def assert_close(actual: Any, expected: Any, tolerance: float, what: str) -> None:
    """Raises AssertionError if shapes differ, or an element by more than the tolerance; NaN equals NaN."""
    found, wanted = wide(actual), wide(expected)
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, expected {wanted.shape}"
    if tolerance == 0.0 or found.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, wanted, err_msg=what)
        return
    np.testing.assert_allclose(found, wanted, tolerance, tolerance * _largest(wanted), err_msg=what)


def assert_same(actual: Any, expected: Any, dtype: str, what: str) -> None:
    """Raises AssertionError unless two runs of one computation agree to ``REPLAY_ULPS``."""
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    steps = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
    assert_close(actual, expected, REPLAY_ULPS * steps.get(real, 0.0), what)


def _largest(array: Array) -> float:
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max()) if sizes.size else 0.0

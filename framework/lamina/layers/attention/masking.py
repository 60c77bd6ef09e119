"""Which pairs of a query and a key count."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor


def as_condition(mask: Any) -> Tensor:
    """A mask as booleans: numbers count from above 0.5."""
    found = to_tensor(mask)
    return found if found.dtype == "bool" else ops.greater(found, 0.5)


def band(rows: int, columns: int, causal: bool, window: int | None = None) -> np.ndarray[Any, Any] | None:
    """Where row i meets column j: j <= i if ``causal``, |i - j| < ``window`` if there is one; None if everywhere.

    >>> band(3, 3, True, 2).tolist()
    [[True, False, False], [True, True, False], [False, True, True]]
    """
    if not causal and window is None:
        return None
    met = np.tri(rows, columns, dtype=bool) if causal else np.ones((rows, columns), bool)
    if window is not None:
        met &= abs(np.arange(rows)[:, None] - np.arange(columns)) < window
    return met


def both(*masks: Any) -> Tensor | None:
    """Where all of the masks that there are, broadcast, are True; None if there is none."""
    found: Tensor | None = None
    for mask in masks:
        if mask is not None:
            found = to_tensor(mask) if found is None else ops.logical_and(found, mask)
    return found

"""Data sets that layers learn from before training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.runtime.convert import to_tensor


def batches(data: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The batches of a data set as float64: of an array, a tensor or nested lists the whole, of an iterable each.

    Raises DataError for what is none, and for batches that are dicts or tuples.

    >>> [batch.tolist() for batch in batches([[1, 2], [3, 4]])]
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    whole = hasattr(data, "shape") or isinstance(data, (list, tuple))
    if not whole and (isinstance(data, (str, bytes, dict)) or not isinstance(data, Iterable)):
        raise DataError(f"adapt got {data!r}.", expected="an array, or an iterable of batches.")
    for batch in [data] if whole else data:
        if isinstance(batch, (dict, tuple)) and not whole:
            raise DataError(
                f"adapt got a batch that is a {type(batch).__name__}.",
                expected="batches of features only.",
                fix="take them out, for example with dataset.map(lambda x, y: x).",
            )
        yield to_tensor(batch).numpy().astype(np.float64)

"""Values as text of JavaScript. Every string goes through JSON, so that none of it is ever read as code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lamina.errors import SerializationError
from lamina.models.exporting.javascript.sizes import Size

DTYPES: Final[Mapping[str, str]] = {
    "float32": "float32", "float64": "float32", "int32": "int32", "int64": "int32", "bool": "bool",
}  # fmt: skip
"""What stands for a dtype there."""

MAX_CONSTANT: Final = 100_000
"""So many numbers may be written out for one constant."""

_ESCAPED: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def literal(value: Any) -> str:
    r"""A setting as JavaScript: numbers, strings, None, lists of them, and Sizes.

    >>> literal((1, "</script>", None, Size("n0 * 2"), float("inf")))
    '[1, "\\u003c/script\\u003e", null, n0 * 2, Infinity]'
    """
    if isinstance(value, Size):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(str(key))}: {literal(v)}" for key, v in value.items()) + "}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise SerializationError(f"{value!r} has no form in JavaScript.")


def quoted(text: str) -> str:
    r"""A string, with nothing in it that ends a script in a page.

    >>> quoted("it's </script>")
    '"it\'s \\u003c/script\\u003e"'
    """
    found = json.dumps(text)
    for sign, escape in _ESCAPED.items():
        found = found.replace(sign, escape)
    return found


def dtype_text(dtype: str) -> str:
    """A dtype in quotes. Raises SerializationError for one that TensorFlow.js has nothing for."""
    if dtype not in DTYPES:
        raise SerializationError(f"it computes with {dtype}, which TensorFlow.js does not have.")
    return quoted(DTYPES[dtype])


def array_text(array: np.ndarray[Any, Any]) -> str:
    """A constant tensor. Raises SerializationError if it is large."""
    if array.size > MAX_CONSTANT:
        raise SerializationError(
            f"it has a constant of {array.size} numbers.", expected=f"at most {MAX_CONSTANT}.", fix="make it a weight."
        )
    dtype = dtype_text(str(array.dtype))
    values = [_number(v) for v in array.ravel()]
    if array.ndim == 0:
        return f"tf.scalar({values[0]}, {dtype})"
    return f"tf.tensor([{', '.join(values)}], {literal(array.shape)}, {dtype})"


def _number(value: Any) -> str:
    if isinstance(value, np.floating):
        return literal(float(str(value)))  # the shortest that is this number again
    return literal(value.item())

"""The user's own data of a model: a dict of JSON's kinds of values."""

from __future__ import annotations

import math
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError

_DEEPEST: Final = 64


def checked_metadata(given: Any) -> dict[str, Any]:
    """A copy of a dict of JSON's kinds of values. Raises ArgumentTypeError or ArgumentError for anything else."""
    if not isinstance(given, dict):
        raise ArgumentTypeError(f"the metadata are a {type(given).__name__}.", expected="a dict.")
    found: dict[str, Any] = _copied(given, "metadata", 0)
    return found


def _copied(value: Any, path: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ArgumentError(f"{path[:80]} is nested too deeply.", expected=f"at most {_DEEPEST} levels.")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ArgumentTypeError(f"{path} has the key {key!r}.", expected="strings for keys.")
        return {key: _copied(v, f"{path}[{key!r}]", depth + 1) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ArgumentTypeError(
        f"{path} is {value!r}.", expected="text, finite numbers, True, False, None, lists or dicts."
    )

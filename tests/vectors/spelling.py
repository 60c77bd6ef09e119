"""TensorFlow.js's objects have camelCase configs; in files, and here, they are in snake_case (spec: ``toJSON``)."""

from __future__ import annotations

import re
from typing import Any, Final

from adapting import is_undefined

_VERBATIM: Final = ("className", "name")
_PLACES: Final = ("inboundNodes", "inputLayers", "outputLayers")


def snake(word: str) -> str:
    """camelCase as snake_case.

    >>> snake("useBias"), snake("channelsLast"), snake("beta1")
    ('use_bias', 'channels_last', 'beta1')
    """
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), word)


def snake_config(value: Any, key: str = "") -> Any:
    """A config as TensorFlow.js writes it into a file: keys and words in snake_case, names as they are."""
    if isinstance(value, dict) and set(value) == {"$float"}:
        return float(value["$float"].replace("Infinity", "inf"))
    if isinstance(value, dict):
        return {snake(k): snake_config(v, k) for k, v in value.items() if not is_undefined(v)}
    if isinstance(value, list):
        return value if key in _PLACES else [snake_config(v) for v in value]
    return snake(value) if isinstance(value, str) and key not in _VERBATIM else value

"""What disagreements.toml may ask of a record: properties of the call, never its id or its values as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

Record = dict[str, Any]


def equal_arguments(record: Record) -> bool:
    """Two arguments have an equal element, at which the recorded result weighs."""
    a, b = (np.asarray(x, np.float32) for x in record["args"][:2])
    cotangents = [np.asarray(entry["cotangent"]) for entry in record.get("cotangents", ())]
    weighs = any(np.any((a == b) & (c != 0)) for c in cotangents) if cotangents else bool(np.any(a == b))
    return weighs


PREDICATES: Final[dict[str, Callable[[Record], bool]]] = {"equal_arguments": equal_arguments}

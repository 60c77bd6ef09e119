"""Cases of the optimizers' update rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DTypeError, ShapeError
from lamina.testing.inputs import complex_normal, normal, positive, values
from lamina.testing.table import case


def _groups(tensors: Any, count: int, groups: int) -> Any:
    return [tensors[1 + i * count : 1 + (i + 1) * count] for i in range(groups)]


def adam(*tensors: Any, count: int, beta_1: float, beta_2: float, epsilon: float) -> list[Any]:
    """Adam element by element, with the bias correction inside the first tensor."""
    p, g, m, v = _groups(tensors, count, 4)
    new_m = [beta_1 * a + (1.0 - beta_1) * b for a, b in zip(m, g, strict=True)]
    new_v = [beta_2 * a + (1.0 - beta_2) * b * b for a, b in zip(v, g, strict=True)]
    new_p = [a - tensors[0] * b / (np.sqrt(c) + epsilon) for a, b, c in zip(p, new_m, new_v, strict=True)]
    return [*new_p, *new_m, *new_v]


def momentum_update(*tensors: Any, count: int, momentum: float, nesterov: bool) -> list[Any]:
    """The velocity, and the step along it or, with Nesterov, from where it would lead."""
    p, g, m = _groups(tensors, count, 3)
    new_m = [momentum * a - tensors[0] * b for a, b in zip(m, g, strict=True)]
    ahead = [momentum * a - tensors[0] * b if nesterov else a for a, b in zip(new_m, g, strict=True)]
    return [*(a + b for a, b in zip(p, ahead, strict=True)), *new_m]


_settings: Any = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
case("adam_update", [positive(), normal(2, 3), normal(2, 3), normal(2, 3), positive(2, 3)], count=1, **_settings,
     reference=adam)  # fmt: skip
case("adam_update", [positive(), *[make(*s) for make in (normal, normal, normal, positive) for s in ((3, 2), (2,))]],
     count=2, **_settings, reference=adam)  # fmt: skip
case("adam_update", [positive(), normal(2), normal(3), normal(2), positive(2)], count=1, **_settings, raises=ShapeError)
case("adam_update", [positive(), normal(2), normal(2)], count=1, **_settings, raises=ShapeError)
case("adam_update", [positive(), *[complex_normal(2)] * 4], count=1, **_settings, raises=DTypeError)
for _nesterov in (False, True):
    case("momentum_update", [positive(), normal(2, 3), normal(3), normal(2, 3), normal(3), normal(2, 3), normal(3)],
         count=2, momentum=0.9, nesterov=_nesterov, reference=momentum_update)  # fmt: skip
case("momentum_update", [positive(2), normal(2), normal(2), normal(2)], count=1, momentum=0.9, nesterov=False,
     raises=ShapeError)  # fmt: skip


def bias_correction(step: Any, beta_1: float, beta_2: float, dtype: str) -> Any:
    """The factor by its formula, in the step's own precision."""
    return np.sqrt(1.0 - np.asarray(beta_2) ** step) / (1.0 - np.asarray(beta_1) ** step)


for _step in (values(1, "int32"), values(7, "int32"), np.asarray(7.0), values(1000, "int32")):
    case("bias_correction", [_step], beta_1=0.9, beta_2=0.999, dtype="float32", reference=bias_correction)
case("bias_correction", [values([1, 2, 50], "int32")], beta_1=0.5, beta_2=0.9, dtype="float32",
     reference=bias_correction)  # fmt: skip
case("bias_correction", [complex_normal()], beta_1=0.9, beta_2=0.999, dtype="float32", raises=DTypeError)

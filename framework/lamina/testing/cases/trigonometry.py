"""Cases of the trigonometric and hyperbolic functions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.errors import DTypeError, ShapeError
from lamina.testing.inputs import between, complex_normal, empty, ints, non_contiguous, normal, values
from lamina.testing.table import case

NAN, INF = float("nan"), float("inf")

DOMAINS: Final[dict[str, tuple[Any, float, float]]] = {
    "tan": (np.tan, -1.2, 1.2), "arcsin": (np.arcsin, -0.9, 0.9), "arccos": (np.arccos, -0.9, 0.9),
    "arctan": (np.arctan, -3.0, 3.0), "sinh": (np.sinh, -2.0, 2.0), "cosh": (np.cosh, -2.0, 2.0),
    "arcsinh": (np.arcsinh, -3.0, 3.0), "arccosh": (np.arccosh, 1.2, 4.0), "arctanh": (np.arctanh, -0.9, 0.9),
}  # fmt: skip


def as_floats(function: Any) -> Any:
    """The function of integers, which are floats to it; of these, infinities are results."""

    def reference(*x: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*(a.astype(np.float64) for a in x))

    return reference


for _op, (_reference, _low, _high) in DOMAINS.items():
    case(_op, [between(_low, _high, 3, 4)], reference=_reference)
    case(_op, [between(_low, _high)], reference=_reference)
    case(_op, [between(_low, _high, 1, 1)], reference=_reference)
    case(_op, [empty(0, 3)], reference=_reference)
    case(_op, [values([1], "int32")], reference=as_floats(_reference))
    case(_op, [complex_normal(2)], raises=DTypeError)
for _op in ("tan", "arctan", "sinh", "cosh", "arcsinh"):
    case(_op, [non_contiguous(3, 4)], reference=DOMAINS[_op][0])
case("arctan", [values([NAN, INF, -INF, 0.0])], reference=np.arctan, gradient=False)
case("arcsinh", [values([NAN, INF, -INF, 0.0])], reference=np.arcsinh, gradient=False)

case("arctan2", [normal(2, 3), normal(3)], reference=np.arctan2)
case("arctan2", [normal(2, 1), normal(1, 3)], reference=np.arctan2)
case("arctan2", [normal(2, 3), 0.5], reference=np.arctan2)
case("arctan2", [empty(0, 3), normal(3)], reference=np.arctan2)
case("arctan2", [values([0.0, 1.0, -1.0, INF]), values([-1.0, 0.0, 0.0, INF])], reference=np.arctan2, gradient=False)
case("arctan2", [normal(2), normal(3)], raises=ShapeError)
case("arctan2", [ints(5), ints(5)], reference=as_floats(np.arctan2))

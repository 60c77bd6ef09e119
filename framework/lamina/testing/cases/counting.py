"""Cases of counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.testing.inputs import ints, normal, values
from lamina.testing.table import case


def dense_bincount(x: Any, weights: Any = None, size: Any = None, binary_output: bool = False) -> Any:
    rows = np.atleast_2d(x)
    counted = np.ones_like(rows) if weights is None or binary_output else np.atleast_2d(weights)
    counted = counted.astype(np.int32 if weights is None else weights.dtype)
    count = (int(x.max()) + 1 if x.size else 0) if size is None else size
    y = np.zeros((len(rows), count), counted.dtype)
    for i, row in enumerate(rows):
        for v, w in zip(row, counted[i], strict=True):
            if 0 <= v < count:
                y[i, v] = 1 if binary_output else y[i, v] + w
    return y.reshape(*x.shape[:-1], count)


for _op in ("bincount", "dense_bincount"):
    case(_op, [ints(9, low=0, high=5)], size=5, reference=dense_bincount)
    case(_op, [ints(9, low=-2, high=9)], size=4, reference=dense_bincount)
    case(_op, [ints(6, low=0, high=4), normal(6)], size=4, reference=dense_bincount)
    case(_op, [ints(6, low=0, high=4), normal(6)], size=2, reference=dense_bincount)
    case(_op, [ints(1, low=0, high=1), normal(1)], size=1, reference=dense_bincount)
    case(_op, [ints(0)], size=3, reference=dense_bincount)
    case(_op, [ints(4, low=0, high=3)], size=0, reference=dense_bincount)
    case(_op, [normal(3)], size=2, raises=DTypeError)
    case(_op, [ints(3), normal(2)], size=2, raises=ShapeError)
    case(_op, [ints(3)], size=-1, raises=ArgumentError)
    case(_op, [ints(2, 2, 2)], size=2, raises=ShapeError)
case("dense_bincount", [ints(3, 5, low=-1, high=4)], size=3, reference=dense_bincount)
case("dense_bincount", [ints(3, 5, low=0, high=4), normal(3, 5)], size=4, reference=dense_bincount)
case("dense_bincount", [ints(3, 5, low=0, high=4)], size=4, binary_output=True, reference=dense_bincount)
case("dense_bincount", [ints(3, 5, low=0, high=4), normal(3, 5)], size=4, binary_output=True, reference=dense_bincount)
case("bincount", [ints(2, 2)], size=2, raises=ShapeError)


def confusion_matrix(labels: Any, predictions: Any, num_classes: int) -> Any:
    y = np.zeros((num_classes, num_classes), np.int32)
    np.add.at(y, (labels, predictions), 1)
    return y


_classes = ints(12, low=0, high=3)
case("math.confusion_matrix", [_classes, _classes], num_classes=3, reference=confusion_matrix)
case("math.confusion_matrix", [values(np.array([0, 1])), values(np.array([1, 1]))], num_classes=4,
     reference=confusion_matrix)  # fmt: skip
case("math.confusion_matrix", [ints(3), ints(2)], num_classes=3, raises=ShapeError)
case("math.confusion_matrix", [ints(2, 2), ints(2, 2)], num_classes=3, raises=ShapeError)
case("math.confusion_matrix", [ints(2), ints(2)], num_classes=0, raises=ArgumentError)

"""Cases of recurrent cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.testing.cases.activation import sigmoid
from lamina.testing.inputs import empty, non_contiguous, normal
from lamina.testing.table import case


def basic_lstm_cell(forget_bias: Any, kernel: Any, bias: Any, data: Any, c: Any, h: Any) -> Any:
    i, j, f, o = np.split(np.concatenate([data, h], 1) @ kernel + bias, 4, axis=1)
    next_c = c * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
    return next_c, np.tanh(next_c) * sigmoid(o)


case("basic_lstm_cell", [normal(), normal(5, 12), normal(12), normal(2, 2), normal(2, 3), normal(2, 3)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(2, 4), normal(4), normal(1, 1), normal(1, 1), normal(1, 1)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [0.0, non_contiguous(4, 8), normal(8), non_contiguous(3, 2), normal(3, 2), normal(3, 2)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), empty(0, 2), empty(0, 1), empty(0, 1)],
     reference=basic_lstm_cell)  # fmt: skip
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), normal(2, 3), normal(2, 1), normal(2, 1)], raises=ShapeError)
case("basic_lstm_cell", [1.0, normal(3, 4), normal(4), normal(2), normal(2, 1), normal(2, 1)], raises=ShapeError)

"""Cells on top of each other."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.errors import ArgumentError


def _cell(kernel: Any) -> Any:
    return lambda data, c, h: lamina.basic_lstm_cell(1.0, kernel, [0.0] * 4, data, c, h)


def test_each_cell_takes_the_state_of_the_one_below() -> None:
    first, second = _cell([[0.5] * 4] * 2), _cell([[0.25] * 4] * 2)
    data, c, h = lamina.tensor([[1.0]]), lamina.tensor([[0.5]]), lamina.tensor([[-1.0]])
    next_c, next_h = lamina.multi_rnn_cell([first, second], data, [c, h], [h, c])
    below_c, below_h = first(data, c, h)
    above_c, above_h = second(below_h, h, c)
    assert [t.tolist() for t in next_c] == [below_c.tolist(), above_c.tolist()]
    assert [t.tolist() for t in next_h] == [below_h.tolist(), above_h.tolist()]


def test_a_state_for_every_cell() -> None:
    with pytest.raises(ArgumentError, match="2 cells, 1 of c and 2 of h"):
        lamina.multi_rnn_cell([_cell([[0.5] * 4] * 2)] * 2, [[1.0]], [[[0.0]]], [[[0.0]]] * 2)

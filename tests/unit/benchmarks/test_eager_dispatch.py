"""The two sides of each pair compute the same, and the table has a line for each."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import eager_dispatch

import lamina


@pytest.mark.parametrize("index", range(len(eager_dispatch.pairs(10))))
def test_both_sides_of_a_pair_agree(index):
    with lamina.backend_scope("numpy"):
        pair = eager_dispatch.pairs(10)[index]
        np.testing.assert_allclose(pair.lamina().numpy(), pair.numpy(), rtol=1e-5)


def test_each_pair_has_a_line(monkeypatch):
    monkeypatch.setattr(eager_dispatch, "TURN", 1e-5)
    with lamina.backend_scope("numpy"):
        rows = eager_dispatch.lines("10", rounds=2)
    assert [row[0] for row in rows] == [pair.name for pair in eager_dispatch.pairs(10)]
    assert all(len(row) == 6 for row in rows)

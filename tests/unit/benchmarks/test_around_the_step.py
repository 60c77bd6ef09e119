"""Each loop and each network has its line; the loops run as they are asked to."""

from __future__ import annotations

import pytest
from benchmarks import around_the_step
from benchmarks.workloads import SUBJECTS

import lamina


@pytest.mark.parametrize("name", around_the_step.LOOPS)
def test_each_loop_has_a_line(name, monkeypatch):
    monkeypatch.setattr(around_the_step, "BATCHES", 4)
    with lamina.backend_scope("numpy"):
        row = around_the_step.loop_row(name, rounds=1)
    assert row[0] == name
    assert len(row) == 4


def test_each_round_meets_a_new_size():
    with lamina.backend_scope("numpy"):
        row = around_the_step.new_size_row(0, rounds=2)
    assert row[0] == SUBJECTS[0].name
    assert float(row[1]) > 0.0

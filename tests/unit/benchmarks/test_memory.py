"""Training leaves nothing behind: a short form of ``python -m benchmarks.memory``, and what is alive by count."""

from __future__ import annotations

import gc
import weakref

import pytest
from benchmarks import memory

from backends_here import scope


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_steps_leave_nothing(backend: str) -> None:
    with scope(backend):
        assert memory.growth_over_steps(500) < 2.0


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_models_leave_nothing(backend: str) -> None:
    with scope(backend):
        assert memory.growth_over_models(5) < 5.0


def test_a_model_is_gone_with_its_programs_and_state() -> None:
    def one() -> list[weakref.ref[object]]:
        model = memory.trained(100)
        parts = (model, model.optimizer, *model.state_variables(), *model._steps.values())
        return [weakref.ref(part) for part in parts]

    one()
    gc.collect()
    before = len(gc.get_objects())
    found = [one() for _ in range(3)]
    gc.collect()
    assert not [part for parts in found for part in parts if part() is not None]
    kept = len(gc.get_objects()) - before - sum(map(len, found))
    assert kept < 30

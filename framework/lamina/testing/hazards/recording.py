"""What must not be frozen into a program, and what cannot be recorded at all."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import HostReadError, ReplayError
from lamina.replay.step import CACHE_SIZE, CompiledStep
from lamina.testing.base import BackendTests
from lamina.testing.hazards.common import CALLS, replayed


class RecordingHazards(BackendTests):
    """What must not be frozen into a program."""

    area = "recorded steps"

    def test_a_frozen_python_number_is_caught(self, backend: Backend) -> None:
        count = 0

        @lamina.function
        def step(x: Any) -> Any:
            nonlocal count
            count += 1
            return lamina.multiply(x, float(count))

        x = lamina.tensor([1.0])
        step(x)
        with pytest.raises(ReplayError, match=r"changed from .*1.* to .*2.*read by '.*multiply") as caught:
            step(x)
        assert "Variable" in str(caught.value)

    def test_a_frozen_setting_is_caught(self, backend: Backend) -> None:
        axes = iter([0, 1])
        step = lamina.function(lambda x: lamina.sum(x, axis=next(axes)))
        x = lamina.ones((2, 2))
        step(x)
        with pytest.raises(ReplayError, match=r"sum\(.*axis=\(0,\).*became.*sum\(.*axis=\(1,\)"):
            step(x)

    def test_a_branch_that_flips_is_caught(self, backend: Backend) -> None:
        turns = iter([True, False])
        step = lamina.function(lambda x: lamina.exp(x) if next(turns) else lamina.sin(x))
        x = lamina.ones((2,))
        step(x)
        with pytest.raises(ReplayError, match=r"exp\(.*became.*sin\("):
            step(x)

    def test_a_captured_constant_that_changes_is_caught(self, backend: Backend) -> None:
        captured = [lamina.tensor([1.0]), lamina.tensor([2.0])]
        turns = iter(captured)
        step = lamina.function(lambda x: x + next(turns))
        step(lamina.tensor([0.0]))
        with pytest.raises(ReplayError, match="constant"):
            step(lamina.tensor([0.0]))

    def test_a_constant_that_is_not_a_number_is_no_change(self, backend: Backend) -> None:
        step = lamina.function(lambda x: x + lamina.full((2,), float("nan")) * float("nan"))
        for _ in range(CALLS):
            assert np.isnan(step(lamina.ones((2,))).numpy()).all()
        assert replayed(step)

    @pytest.mark.parametrize(
        "read",
        [
            lambda x: x.numpy(), lambda x: x[0].item(), lambda x: bool(x[0] > 0), lambda x: float(x[0]),
            lambda x: int(x[0]), lambda x: x.tolist(), lambda x: x.print(), np.asarray, lambda x: x.array,
            lambda x: 1 if x.sum() > 0 else 2, lambda x: f"{x[0]:.3f}",
        ],
        ids=["numpy", "item", "bool", "float", "int", "tolist", "print", "asarray", "array", "if", "format"],
    )  # fmt: skip
    def test_a_value_read_on_the_host_is_caught(self, backend: Backend, read: Callable[[Any], Any]) -> None:
        v = lamina.Variable([1.0])

        @lamina.function
        def step(x: Any) -> Any:
            v.assign(v + 1.0)
            read(x * 2.0)
            return x

        with pytest.raises(HostReadError, match="Fix: return the tensor"):
            step(lamina.tensor([1.0, 2.0]))
        assert v.numpy().tolist() == [1.0]

    def test_a_variable_read_on_the_host_is_caught(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        with pytest.raises(HostReadError):
            lamina.function(lambda x: x * float(v.numpy()[0]))(lamina.tensor([1.0]))

    def test_without_strict_a_step_stays_eager_and_says_why(self, backend: Backend) -> None:
        v = lamina.Variable([0.0])

        def function(x: Any) -> Any:
            v.assign(v + 1.0)
            return x * x.sum().item()

        step = CompiledStep(function, strict=False)
        with pytest.warns(UserWarning, match="runs eagerly: a value was read on the host"):
            first = step(lamina.tensor([2.0]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            results = [first, *(step(lamina.tensor([2.0])) for _ in range(3))]
        assert [r.tolist() for r in results] == [[4.0]] * 4
        assert v.numpy().tolist() == [4.0]
        assert "runs eagerly: a value was read on the host" in step.explain()

    def test_a_shape_that_depends_on_values_stays_eager(self, backend: Backend) -> None:
        step = lamina.function(lambda x: lamina.argwhere(x > 0.0))
        for values in ([1.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]):
            expected = [[i] for i, value in enumerate(values) if value > 0]
            assert step(lamina.tensor(values)).tolist() == expected
        assert "'argwhere' depends on values" in step.explain()
        assert not replayed(step)

    def test_other_shapes_dtypes_and_numbers_record_anew(self, backend: Backend) -> None:
        step = lamina.function(lambda x, n=1: x * n)
        for x, n in (([1.0], 1), ([1.0, 2.0], 1), ([1], 1), ([1.0], 2), ([[1.0]], 1)):
            for _ in range(3):
                assert step(lamina.tensor(x), n).tolist() == (np.array(x) * n).tolist()
        assert step(lamina.tensor([1.0]), n=3).tolist() == [3.0]
        assert len(step.programs) == 5

    def test_numbers_that_compare_equal_are_told_apart(self, backend: Backend) -> None:
        step = lamina.function(lambda x, n: x * n)
        x = lamina.tensor([1.0])
        for n in (0.0, -0.0, 1.0, True, 1):
            for _ in range(3):
                found = step(x, n)
                assert (found.dtype, str(found.tolist())) == ("float32", str([1.0 * n]))
        assert len(step.programs) == 5

    def test_a_number_that_equals_nothing_is_found_again(self, backend: Backend) -> None:
        step = lamina.function(lambda x, n: x * n)
        for _ in range(CALLS):
            assert np.isnan(step(lamina.tensor([1.0]), float("nan")).numpy()).all()
        assert len(step.programs) == 1

    def test_the_cache_is_bounded_and_says_so(self, backend: Backend) -> None:
        step = lamina.function(lambda x, n: x * n)
        x = lamina.tensor([1.0])
        for n in range(CACHE_SIZE):
            step(x, n)
        with pytest.warns(UserWarning, match=f"cache of recorded steps is full \\({CACHE_SIZE}"):
            assert step(x, CACHE_SIZE).tolist() == [float(CACHE_SIZE)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert step(x, CACHE_SIZE + 1).tolist() == [CACHE_SIZE + 1.0]

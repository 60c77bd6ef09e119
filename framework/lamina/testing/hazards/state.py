"""Variables in a recorded step: what is read, what is written, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import ReplayError
from lamina.runtime.backends import find_backend
from lamina.testing.base import BackendTests
from lamina.testing.hazards.common import CALLS, replayed


class StateHazards(BackendTests):
    """Variables: what is read, what is written, and when."""

    area = "recorded steps"

    def test_two_variables_swap(self, backend: Backend) -> None:
        a, b = lamina.Variable([1.0, 2.0]), lamina.Variable([3.0, 4.0])

        @lamina.function
        def swap() -> None:
            old = a.value
            a.assign(b.value)
            b.assign(old)

        for call in range(1, CALLS):
            swap()
            expected = ([3.0, 4.0], [1.0, 2.0])[:: 1 if call % 2 else -1]
            assert (a.numpy().tolist(), b.numpy().tolist()) == expected
        assert replayed(swap)

    def test_three_variables_rotate_through_computed_values(self, backend: Backend) -> None:
        variables = [lamina.Variable([float(i), 1.0]) for i in range(3)]

        @lamina.function
        def rotate() -> None:
            a, b, c = (v.value for v in variables)
            variables[0].assign(b * 2.0)
            variables[1].assign(c + a)
            variables[2].assign(a)

        expected = [np.array([float(i), 1.0]) for i in range(3)]
        for _ in range(CALLS):
            rotate()
            expected = [expected[1] * 2.0, expected[2] + expected[0], expected[0]]
            for variable, wanted in zip(variables, expected, strict=True):
                np.testing.assert_array_equal(variable.numpy(), wanted)
        assert replayed(rotate)

    def test_a_value_read_before_a_step_stays(self, backend: Backend) -> None:
        v = lamina.Variable([1.0, 2.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value)
        for call in range(CALLS):
            before = v.value
            step()
            assert before.tolist() == [1.0 + call, 2.0 + call]
        assert replayed(step)

    def test_the_old_value_can_be_returned(self, backend: Backend) -> None:
        """The value, and a part of it, from before the assignment in the same step."""
        v = lamina.Variable([1.0, 2.0])

        @lamina.function
        def step() -> Any:
            old = v.value
            v.assign(v + 1.0)
            return old, old[1:], old + 0.5

        for call in range(CALLS):
            old, part, computed = step()
            assert old.tolist() == [1.0 + call, 2.0 + call]
            assert part.tolist() == [2.0 + call]
            assert computed.tolist() == [1.5 + call, 2.5 + call]
        assert replayed(step)

    def test_a_value_is_used_after_its_variable_is_assigned(self, backend: Backend) -> None:
        v, w = lamina.Variable([2.0, 3.0]), lamina.Variable([0.0, 0.0])

        @lamina.function
        def step() -> None:
            old = v.value
            v.assign(v * 2.0)
            w.assign(old.reshape((2, 1)).reshape(-1) + v.value)

        expected = np.array([2.0, 3.0])
        for _ in range(CALLS):
            step()
            np.testing.assert_array_equal(w.numpy(), 3.0 * expected)
            expected = 2.0 * expected
        assert replayed(step)

    def test_the_last_of_several_assignments_counts(self, backend: Backend) -> None:
        v = lamina.Variable(1.0)

        @lamina.function
        def step() -> Any:
            v.assign(v * 2.0)
            middle = v + 0.0
            v.assign(v + 1.0)
            return middle

        for _ in range(CALLS):
            before = v.numpy().item()
            assert step().item() == 2.0 * before
            assert v.numpy().item() == 2.0 * before + 1.0
        assert replayed(step)

    def test_an_assignment_between_steps_is_seen(self, backend: Backend) -> None:
        v = lamina.Variable([0.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        for call in range(CALLS):
            v.assign([10.0 * call])
            assert step().tolist() == [10.0 * call + 1.0]
        assert replayed(step)

    def test_a_number_equal_to_a_variables_first_value_stays_a_constant(self, backend: Backend) -> None:
        """So does a tensor that was made of the Variable, or that it was made of, before the step."""
        start = lamina.tensor(2.0)
        v = lamina.Variable(start)
        w = lamina.Variable(1.0)
        anchor = v.value
        step = lamina.function(lambda: v * 100.0 + start * 10.0 + anchor + w * 1.0)
        for _ in range(3):
            assert step().item() == 223.0
        v.assign(5.0)
        w.assign(3.0)
        assert step().item() == 525.0
        assert replayed(step)

    def test_two_steps_share_a_variable(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        add = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        double = lamina.function(lambda: v.assign(v * 2.0).value * 1.0)
        expected = 1.0
        for _ in range(CALLS):
            expected = (expected + 1.0) * 2.0
            add()
            assert double().tolist() == [expected]
        assert replayed(add)
        assert replayed(double)

    def test_a_variable_is_assigned_an_input(self, backend: Backend) -> None:
        v = lamina.Variable([0.0, 0.0])

        @lamina.function
        def step(x: Any) -> None:
            v.assign(x)

        for call in range(CALLS):
            x = lamina.tensor([float(call), 1.0])
            step(x)
            assert v.numpy().tolist() == [float(call), 1.0]
            v.assign(v * 0.0)
            assert x.tolist() == [float(call), 1.0]
        assert replayed(step)

    def test_a_variable_made_inside_is_an_error(self, backend: Backend) -> None:
        step = lamina.function(lambda x: x + lamina.Variable([1.0]))
        with pytest.raises(ReplayError, match="made inside a recorded step") as caught:
            step(lamina.tensor([1.0]))
        assert __file__ in str(caught.value) or "lamina" in __name__

    def test_an_exception_leaves_the_variables_as_they_were(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        fails = False

        @lamina.function
        def step() -> None:
            v.assign(v + 1.0)
            if fails:
                raise KeyError("ours")

        fails = True
        with pytest.raises(KeyError):
            step()
        assert v.numpy().tolist() == [1.0]
        fails = False
        for call in range(CALLS):
            step()
            assert v.numpy().tolist() == [2.0 + call]

    def test_an_exception_of_a_replayed_kernel_leaves_the_variables_as_they_were(self, backend: Backend) -> None:
        """An index outside its axis, where the backend can tell."""
        v, table = lamina.Variable([1.0]), lamina.tensor([1.0, 2.0])

        @lamina.function
        def step(index: Any) -> Any:
            v.assign(v + 1.0)
            return lamina.gather(table, index)

        good, bad = lamina.tensor([1]), lamina.tensor([9])
        for _ in range(CALLS):
            step(good)
        expected = CALLS + 1.0
        try:
            step(bad)
        except IndexError:
            assert v.numpy().tolist() == [expected]
        else:
            expected += 1.0
        step(good)
        assert v.numpy().tolist() == [expected + 1.0]
        assert replayed(step)

    def test_a_variable_moves_to_another_backend_and_back(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        for _ in range(3):
            step()
        other = find_backend("numpy")
        v.to(other)
        assert v.numpy().tolist() == [4.0]
        v.to(backend)
        for call in range(3):
            assert step().tolist() == [5.0 + call]

    def test_a_variable_on_another_backend_is_followed(self, backend: Backend) -> None:
        """A step recorded on one backend meets a Variable that has moved away."""
        v = lamina.Variable([1.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        for _ in range(3):
            step()
        v.to(_other_than(backend))
        for call in range(3):
            assert step().tolist() == [5.0 + call]
            assert v.numpy().tolist() == [5.0 + call]


def _other_than(backend: Backend) -> Backend:
    """A second backend: NumPy, or a NumPy of its own beside NumPy."""
    numpy = find_backend("numpy")
    return numpy if backend is not numpy else type(backend)()

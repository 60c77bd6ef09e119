"""What recording once and replaying can get wrong: each hazard as a test that a backend must pass.

The list is the price of replaying instead of tracing; whoever changes the recorder, the passes or an executable
starts here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import HostReadError, ReplayError
from lamina.ops.random import SeedGenerator
from lamina.replay.step import CACHE_SIZE, CompiledStep
from lamina.testing.base import BackendTests
from lamina.testing.cases import random as reference

CALLS = 6
"""More than the two recorded ones, so that the replays show."""


def _replayed(step: CompiledStep) -> bool:
    return bool(step.programs)


class StateHazards(BackendTests):
    """Variables: what is read, what is written, and when."""

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
        assert _replayed(swap)

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
        assert _replayed(rotate)

    def test_a_value_read_before_a_step_stays(self, backend: Backend) -> None:
        v = lamina.Variable([1.0, 2.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value)
        for call in range(CALLS):
            before = v.value
            step()
            assert before.tolist() == [1.0 + call, 2.0 + call]
        assert _replayed(step)

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
        assert _replayed(step)

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
        assert _replayed(step)

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
        assert _replayed(step)

    def test_an_assignment_between_steps_is_seen(self, backend: Backend) -> None:
        v = lamina.Variable([0.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        for call in range(CALLS):
            v.assign([10.0 * call])
            assert step().tolist() == [10.0 * call + 1.0]
        assert _replayed(step)

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
        assert _replayed(step)

    def test_two_steps_share_a_variable(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        add = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        double = lamina.function(lambda: v.assign(v * 2.0).value * 1.0)
        expected = 1.0
        for _ in range(CALLS):
            expected = (expected + 1.0) * 2.0
            add()
            assert double().tolist() == [expected]
        assert _replayed(add)
        assert _replayed(double)

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
        assert _replayed(step)

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
        assert _replayed(step)

    def test_a_variable_moves_to_another_backend_and_back(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        step = lamina.function(lambda: v.assign(v + 1.0).value * 1.0)
        for _ in range(3):
            step()
        other = lamina.runtime.backends.find_backend("numpy")
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


class ResultHazards(BackendTests):
    """What comes out of a step is the caller's, and what went in is untouched."""

    @pytest.mark.parametrize("size", [3, 5000])
    def test_results_do_not_change_later(self, backend: Backend, size: int) -> None:
        step = lamina.function(lambda x: (x * 2.0, (x + 1.0).sum(), x.reshape((-1, 1)), x))
        kept = []
        for call in range(CALLS):
            x = lamina.tensor(np.full(size, float(call), np.float32))
            kept.append(step(x))
        for call, (double, total, column, same) in enumerate(kept):
            assert double.numpy().tolist() == [2.0 * call] * size
            assert total.item() == (call + 1.0) * size
            assert column.shape == (size, 1)
            assert {column[0, 0].item(), same[0].item()} == {float(call)}
        assert _replayed(step)

    def test_one_tensor_given_twice_counts_as_two(self, backend: Backend) -> None:
        step = lamina.function(lambda a, b: a * 10.0 + b)
        x = lamina.tensor([1.0])
        for _ in range(3):
            assert step(x, x).tolist() == [11.0]
        assert step(x, lamina.tensor([2.0])).tolist() == [12.0]
        assert _replayed(step)

    def test_a_captured_tensor_that_is_an_argument_too_stays_a_constant(self, backend: Backend) -> None:
        w = lamina.tensor([3.0])
        step = lamina.function(lambda x: x * 10.0 + w)
        for _ in range(3):
            assert step(w).tolist() == [33.0]
        assert step(lamina.tensor([1.0])).tolist() == [13.0]

    def test_one_result_twice_and_results_that_are_constants(self, backend: Backend) -> None:
        constant = lamina.tensor([5.0])

        def function(x: Any) -> Any:
            y = x + 1.0
            return {"a": y, "b": [y, constant], "n": 3, "none": None}

        step = lamina.function(function)
        for call in range(CALLS):
            found = step(lamina.tensor([float(call)]))
            assert found["a"].tolist() == found["b"][0].tolist() == [call + 1.0]
            assert (found["b"][1].tolist(), found["n"], found["none"]) == ([5.0], 3, None)
        assert constant.tolist() == [5.0]

    def test_inputs_are_left_alone(self, backend: Backend) -> None:
        step = lamina.function(lambda x: lamina.relu(x - 1.0) * x)
        x = lamina.tensor([[3.0, -1.0]])
        for _ in range(CALLS):
            step(x)
        assert x.tolist() == [[3.0, -1.0]]

    def test_other_values_of_equal_shape_are_not_remembered(self, backend: Backend) -> None:
        step = lamina.function(lambda x: lamina.softmax(x @ x.T))
        generator = np.random.default_rng(0)
        for _ in range(CALLS):
            x = lamina.tensor(generator.standard_normal((3, 4)).astype(np.float32))
            np.testing.assert_allclose(step(x).numpy(), lamina.softmax(x @ x.T).numpy(), 1e-5, 1e-6)

    def test_a_transposed_view_and_its_base_are_combined(self, backend: Backend) -> None:
        """In-place reuse of a buffer must not read elements it has overwritten."""
        step = lamina.function(lambda x: (lambda y: y - y.T * 2.0)(x * 3.0))
        for call in range(CALLS):
            x = np.arange(9.0, dtype=np.float32).reshape(3, 3) + call
            np.testing.assert_allclose(step(lamina.tensor(x)).numpy(), 3.0 * x - 6.0 * x.T, 1e-5)
        assert _replayed(step)


class RecordingHazards(BackendTests):
    """What must not be frozen into a program."""

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
        assert _replayed(step)

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
        assert not _replayed(step)

    def test_other_shapes_dtypes_and_numbers_record_anew(self, backend: Backend) -> None:
        step = lamina.function(lambda x, n=1: x * n)
        for x, n in (([1.0], 1), ([1.0, 2.0], 1), ([1], 1), ([1.0], 2), ([[1.0]], 1)):
            for _ in range(3):
                assert step(lamina.tensor(x), n).tolist() == (np.array(x) * n).tolist()
        assert step(lamina.tensor([1.0]), n=3).tolist() == [3.0]
        assert len(step.programs) == 5

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


class CompositionHazards(BackendTests):
    """Steps with random numbers, gradients and other steps in them, at every level."""

    def test_random_numbers_are_new_in_each_replay_and_equal_the_eager_stream(self, backend: Backend) -> None:
        generator = SeedGenerator(11)
        step = lamina.function(lambda: lamina.random.uniform((3,), seed=generator))
        for draw in range(CALLS):
            expected = reference.uniform((11, draw), (3,)).astype(np.float32)
            np.testing.assert_array_equal(step().numpy(), expected)
        assert _replayed(step)

    def test_two_equal_draws_of_a_step_differ(self, backend: Backend) -> None:
        lamina.random.set_seed(3)

        @lamina.function
        def step() -> Any:
            return lamina.random.uniform((3,)), lamina.random.uniform((3,))

        seen = [tuple(part.numpy().tolist()) for _ in range(CALLS) for part in step()]
        assert len(set(seen)) == 2 * CALLS
        lamina.random.set_seed(3)
        assert [tuple(lamina.random.uniform((3,)).tolist()) for _ in range(2 * CALLS)] == seen
        assert _replayed(step)

    def test_a_step_inside_a_step(self, backend: Backend) -> None:
        v = lamina.Variable([1.0])
        inner = lamina.function(lambda x: v.assign(v + x).value * 2.0)
        outer = lamina.function(lambda x: inner(x) + inner(x))
        expected = 1.0
        for _ in range(CALLS):
            assert outer(lamina.tensor([1.0])).tolist() == [2.0 * (expected + 1.0) + 2.0 * (expected + 2.0)]
            expected += 2.0
        assert _replayed(outer)

    def test_a_gradient_of_a_step(self, backend: Backend) -> None:
        step = lamina.function(lambda x: (x * x * x).sum())
        x = lamina.tensor([1.0, 2.0])
        for _ in range(CALLS):
            assert step(x).item() == 9.0
            assert lamina.grad(step)(x).tolist() == [3.0, 12.0]
        assert _replayed(step)

    def test_a_step_of_a_gradient(self, backend: Backend) -> None:
        step = lamina.function(lamina.grad(lamina.grad(lambda x: (x * x * x).sum())))
        for call in range(CALLS):
            assert step(lamina.tensor([1.0, float(call)])).tolist() == [6.0, 6.0 * call]
        assert _replayed(step)

    def test_methods_can_be_steps(self, backend: Backend) -> None:
        class Counter:
            def __init__(self) -> None:
                self.value = lamina.Variable(0.0)
                self.step = lamina.function(self.advance)

            def advance(self, by: Any) -> Any:
                return self.value.assign(self.value + by).value * 1.0

        first, second = Counter(), Counter()
        for call in range(CALLS):
            assert first.step(lamina.tensor(1.0)).item() == call + 1.0
            assert second.step(lamina.tensor(2.0)).item() == 2.0 * call + 2.0

    def test_all_levels_agree(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        """LAMINA_REPLAY bisects a wrong answer only if all its levels give the same one."""
        found = {}
        for level in ("off", "interpret", "nopasses", "on"):
            monkeypatch.setenv("LAMINA_REPLAY", level)
            found[level] = _small_run()
        for level, (losses, weights) in found.items():
            np.testing.assert_allclose(losses, found["off"][0], 1e-6, err_msg=level)
            np.testing.assert_allclose(weights, found["off"][1], 1e-5, 1e-7, err_msg=level)

    def test_an_unknown_level_is_an_error(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAMINA_REPLAY", "sometimes")
        with pytest.raises(ValueError, match="off, interpret, nopasses, on"):
            lamina.function(lambda x: x)(lamina.tensor(1.0))


def _small_run() -> tuple[list[float], Any]:
    generator = SeedGenerator(2)
    w = lamina.Variable(np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(3, 2), name="w")

    @lamina.function
    def step(x: Any) -> Any:
        noise = lamina.random.normal((4, 3), stddev=0.1, seed=generator)
        value, gradients = lamina.variable_grads(lambda: lamina.relu((x + noise) @ w).square().mean(), [w])
        w.assign(w - gradients["w"] * 0.1)
        return value

    x = lamina.tensor(np.linspace(-2.0, 2.0, 12, dtype=np.float32).reshape(4, 3))
    return [step(x).item() for _ in range(CALLS)], w.numpy()


def _other_than(backend: Backend) -> Backend:
    """A second backend: NumPy, or a NumPy of its own beside NumPy."""
    numpy = lamina.runtime.backends.find_backend("numpy")
    return numpy if backend is not numpy else type(backend)()


class ReplayHazards(StateHazards, ResultHazards, RecordingHazards, CompositionHazards):
    """Every replay hazard."""

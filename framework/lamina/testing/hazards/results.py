"""What comes out of a recorded step is the caller's, and what went in is untouched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.testing.base import BackendTests
from lamina.testing.hazards.common import CALLS, replayed


class ResultHazards(BackendTests):
    """What comes out of a step is the caller's, and what went in is untouched."""

    area = "recorded steps"

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
        assert replayed(step)

    def test_one_tensor_given_twice_counts_as_two(self, backend: Backend) -> None:
        step = lamina.function(lambda a, b: a * 10.0 + b)
        x = lamina.tensor([1.0])
        for _ in range(3):
            assert step(x, x).tolist() == [11.0]
        assert step(x, lamina.tensor([2.0])).tolist() == [12.0]
        assert replayed(step)

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
        assert replayed(step)

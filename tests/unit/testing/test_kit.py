"""The kit catches what it is there to catch: each test breaks one thing on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend, KernelTable
from lamina.errors import DTypeError
from lamina.ops import OPS
from lamina.program import Interpreter, Program
from lamina.runtime.backends import on_backend
from lamina.runtime.op import Gradient, op, same_as
from lamina.testing import (
    Case,
    Limitation,
    all_cases,
    check_gradient,
    check_replay,
    check_result_rule,
    check_value,
    ops_without_cases,
)
from lamina.testing.arrays import ArrayTests
from lamina.testing.hazards import CompositionHazards, ResultHazards, StateHazards
from lamina.testing.operations import OpTests
from lamina.testing.running import RandomTests, TrainingTests
from lamina_numpy.backend import NumPyBackend

Check = Callable[[Case, Backend], None]
CASES = {str(case): case for case in all_cases()}
TANH = CASES["tanh(normal(2, 3))"]
GELU = CASES["gelu(normal(2, 3))"]


def _broken(**kernels: Callable[..., Any]) -> NumPyBackend:
    """NumPy with some kernels replaced."""
    table = KernelTable()
    for name, function in kernels.items():
        table.add(name, function)

    class Broken(NumPyBackend):
        name = "broken"
        kernels = KernelTable.merge(NumPyBackend.kernels, table)

    return Broken()


@contextmanager
def _fails(backend: Backend, match: str | None = None) -> Iterator[None]:
    with on_backend(backend), pytest.raises(AssertionError, match=match):
        yield


@pytest.mark.parametrize("check", [check_value, check_gradient, check_replay, check_result_rule])
def test_a_sound_backend_passes(check: Check) -> None:
    with on_backend(_broken()):
        for case in (TANH, GELU):
            check(case, lamina.get_backend())


def test_every_op_has_a_case() -> None:
    assert ops_without_cases() == []


def test_an_op_without_a_case_is_noticed() -> None:
    @op(result=same_as())
    def forgotten(x: TensorLike) -> Any:  # type: ignore[name-defined]  # noqa: F821
        """An op nobody wrote a case for."""

    try:
        assert ops_without_cases() == ["forgotten"]
    finally:
        del OPS["forgotten"]


def test_a_wrong_value_is_caught() -> None:
    backend = _broken(tanh=lambda x: np.tanh(x) + x.dtype.type(1e-4))
    with _fails(backend, "Not equal to tolerance"):
        check_value(TANH, backend)


def test_a_wrong_shape_is_caught() -> None:
    backend = _broken(tanh=lambda x: np.tanh(x)[:1])
    with _fails(backend, "the rule says"):
        check_value(TANH, backend)


def test_a_wrong_dtype_is_caught() -> None:
    backend = _broken(tanh=lambda x: np.tanh(x).astype(np.float64))
    for check in (check_value, check_result_rule):
        with _fails(backend, "the kernel gave dtype float64, the rule says float32"):
            check(TANH, backend)


def test_a_wrong_rule_of_a_composite_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS["gelu"], "result", same_as(dtype="float64"))
    with _fails(_broken(), "its rule"):
        check_result_rule(GELU, lamina.get_backend())


def test_a_kernel_that_differs_from_the_composites_parts_is_caught() -> None:
    backend = _broken(gelu=lambda x: x * 0.5 * (1.0 + np.tanh(x)))
    with _fails(backend, "its parts against its kernel"):
        check_result_rule(GELU, backend)


def test_a_wrong_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Gradient(_wrong_gradient, ("x",))
    monkeypatch.setitem(OPS["tanh"].gradients, "x", rule)
    with _fails(_broken(), "^the gradient of tanh"):
        check_gradient(TANH, lamina.get_backend())


def _wrong_gradient(dy: Any, *, y: Any) -> Any:
    return dy * (1.0 - y)


def test_a_gradient_that_has_no_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS["tanh"].gradients, "x", Gradient(_frozen_gradient, ("x",)))
    with _fails(_broken(), "^the second gradient of tanh"):
        check_gradient(TANH, lamina.get_backend())


def _frozen_gradient(dy: Any, *, y: Any) -> Any:
    return dy * lamina.tensor(1.0 - y.numpy() ** 2)


def test_an_op_that_takes_too_much_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["all(normal(2)) raises DTypeError"]
    with on_backend(_broken()):
        check_value(case, lamina.get_backend())
    monkeypatch.setitem(OPS["all"]._dtypes, "x", ("bool", "float32"))
    with _fails(_broken(), "nothing was raised"):
        check_value(case, lamina.get_backend())


def test_an_error_of_the_wrong_kind_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["matmul(normal(2, 3), normal(4, 5)) raises ShapeError"]

    def rule(*_: Any, **__: Any) -> Any:
        raise DTypeError("no")

    monkeypatch.setattr(OPS["matmul"], "result", rule)
    with _fails(_broken(), "DTypeError"):
        check_value(case, lamina.get_backend())


class _Executable(Interpreter):
    """The interpreter with something wrong, by a function of the outputs."""

    def __init__(self, program: Program, backend: Backend, spoil: Callable[[list[Any]], list[Any]]) -> None:
        super().__init__(program, backend.kernels, backend.from_host)
        self._spoil = spoil

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        outputs, written = super().__call__(inputs, state)
        return self._spoil(outputs), written


class _Loading(NumPyBackend):
    """NumPy whose executables are made by a function."""

    name = "broken"

    def __init__(self, make: Callable[[Program, Backend], Any]) -> None:
        super().__init__()
        self._make = make

    def load(self, program: Program) -> Any:
        return self._make(program, self)


def _sharing(program: Program, backend: Backend) -> Any:
    """Hands out the same array at every call."""
    buffers: dict[int, Any] = {}

    def spoil(outputs: list[Any]) -> list[Any]:
        for index, output in enumerate(outputs):
            np.copyto(buffers.setdefault(index, np.array(output)), output)
        return [buffers[index] for index in range(len(outputs))]

    return _Executable(program, backend, spoil)


def _remembering(program: Program, backend: Backend) -> Any:
    """Gives the first call's results for ever."""
    first: list[Any] = []

    def spoil(outputs: list[Any]) -> list[Any]:
        first.extend(outputs[len(first) :])
        return list(first)

    return _Executable(program, backend, spoil)


def _inexact(program: Program, backend: Backend) -> Any:
    return _Executable(program, backend, lambda outputs: [o * o.dtype.type(1.0001) for o in outputs])


@pytest.mark.parametrize(
    ("make", "match"),
    [(_sharing, "results after the second run"), (_remembering, "second run"), (_inexact, "by the executable, first")],
)
def test_a_wrong_executable_is_caught(make: Any, match: str) -> None:
    backend = _Loading(make)
    with _fails(backend, match):
        check_replay(TANH, backend)


def test_a_shared_result_is_caught_by_the_hazards() -> None:
    backend = _Loading(_sharing)
    with _fails(backend):
        ResultHazards().test_results_do_not_change_later(backend, 3)


class _InPlace(Interpreter):
    """Writes each Variable as soon as it can, not all at the end."""

    updates_in_place = True

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        outputs, written = super().__call__(inputs, state)
        for (index, _), value in zip(self.program.writes, written, strict=True):
            np.copyto(state[index], value)
        return outputs, []


def test_writes_that_are_not_staged_are_caught() -> None:
    backend = _Loading(lambda program, backend: _InPlace(program, backend.kernels, backend.from_host))
    with _fails(backend):
        StateHazards().test_two_variables_swap(backend)


def test_a_value_overwritten_before_it_is_returned_is_caught() -> None:
    backend = _Loading(lambda program, backend: _InPlace(program, backend.kernels, backend.from_host))
    with _fails(backend):
        StateHazards().test_the_old_value_can_be_returned(backend)


def test_another_random_stream_is_caught() -> None:
    def random_uniform(seed: Any, shape: tuple[int, ...], dtype: str) -> Any:
        return np.random.default_rng(seed.astype(np.uint32)).random(shape).astype(dtype)

    backend = _broken(random_uniform=random_uniform)
    with _fails(backend):
        RandomTests().test_uniform_is_the_reference_bit_for_bit(backend)
    with _fails(backend):
        CompositionHazards().test_random_numbers_are_new_in_each_replay_and_equal_the_eager_stream(backend)


def test_a_kernel_that_writes_into_its_input_is_caught() -> None:
    backend = _broken(relu=lambda x: np.maximum(x, 0, out=x))
    with _fails(backend):
        ArrayTests().test_kernels_leave_their_inputs_alone(backend)


def test_a_misspelt_kernel_is_caught() -> None:
    backend = _broken(tahn=np.tanh)
    with _fails(backend, "tahn"):
        ArrayTests().test_every_kernel_belongs_to_an_op(backend)


def test_a_wrong_update_rule_is_caught_by_the_training_run() -> None:
    def adam_update(*tensors: Any, count: int, **_: Any) -> tuple[Any, ...]:
        return tensors[1 : 1 + count] + tensors[1 + 2 * count :]

    backend = _broken(adam_update=adam_update)
    with _fails(backend):
        TrainingTests().test_a_recorded_training_run_agrees_with_numpy(backend)


class _Sharing(NumPyBackend):
    name = "broken"

    def from_host(self, array: Any) -> Any:
        return np.asarray(array)

    def copy(self, array: Any) -> Any:
        return array


def test_memory_shared_with_the_host_is_caught() -> None:
    backend = _Sharing()
    with _fails(backend):
        ArrayTests().test_nothing_is_shared_with_the_host(backend)
    with _fails(backend):
        ArrayTests().test_copies_are_independent(backend)


class _Limited(OpTests):
    backend_name = "numpy"
    limitations = (Limitation("tanh", "value", "for the test"),)


def test_a_limitation_that_still_holds_is_an_expected_failure() -> None:
    backend = _broken(tanh=lambda x: x)
    with on_backend(backend), pytest.raises(pytest.xfail.Exception, match="for the test"):
        _Limited().test_value(backend, TANH)


def test_a_limitation_that_no_longer_holds_is_a_failure() -> None:
    backend = _broken()
    with on_backend(backend), pytest.raises(AssertionError, match="take them off the list"):
        _Limited().test_limitations_are_still_true(backend)
    broken = _broken(tanh=lambda x: x)
    with on_backend(broken):
        _Limited().test_limitations_are_still_true(broken)


def test_a_limitation_of_nothing_is_a_failure() -> None:
    class Misspelt(OpTests):
        backend_name = "numpy"
        limitations = (Limitation("tahn", "value", "for the test"),)

    with pytest.raises(AssertionError, match="tahn"):
        Misspelt().test_limitations_name_what_exists()


def test_cases_have_names_of_their_own() -> None:
    assert len(CASES) > 0.98 * len(all_cases())


def test_inputs_are_the_same_at_every_call_and_differ_by_position() -> None:
    first, second = TANH.arrays("float64"), TANH.arrays("float64")
    np.testing.assert_array_equal(first[0], second[0])
    a, b = CASES["add(normal(2, 3), normal(2, 3))"].arrays("float64")
    assert not np.array_equal(a, b)
    assert not np.array_equal(first[0], TANH.arrays("float64", salt=1)[0])


def test_a_gradient_that_reads_memory_in_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def tanh(x: Any, out: Any = None) -> Any:
        return np.tanh(x) if x.flags.c_contiguous else np.tanh(x) * x.dtype.type(1.01)

    with _fails(_broken(tanh=tanh), "gaps in memory"):
        check_gradient(TANH, lamina.get_backend())

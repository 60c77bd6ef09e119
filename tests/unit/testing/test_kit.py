"""The kit catches what it is there to catch: each test breaks one thing on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import DTypeError
from lamina.ops import OPS
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
from lamina.testing.hazards import ResultHazards, StateHazards
from lamina.testing.operations import OpTests
from unit.testing.broken_backends import Loading, broken, in_place, sharing

Check = Callable[[Case, Backend], None]
CASES = {str(case): case for case in all_cases()}
TANH = CASES["tanh(normal(2, 3))"]
GELU = CASES["gelu(normal(2, 3))"]


@contextmanager
def _fails(backend: Backend, match: str | None = None) -> Iterator[None]:
    with on_backend(backend), pytest.raises(AssertionError, match=match):
        yield


@pytest.mark.parametrize("check", [check_value, check_gradient, check_replay, check_result_rule])
def test_a_sound_backend_passes(check: Check) -> None:
    with on_backend(broken()):
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


def test_a_wrong_rule_of_a_composite_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS["gelu"], "result", same_as(dtype="float64"))
    with _fails(broken(), "its rule"):
        check_result_rule(GELU, lamina.get_backend())


def test_a_kernel_that_differs_from_the_composites_parts_is_caught() -> None:
    backend = broken(gelu=lambda x: x * 0.5 * (1.0 + np.tanh(x)))
    with _fails(backend, "its parts against its kernel"):
        check_result_rule(GELU, backend)


def test_a_wrong_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Gradient(_wrong_gradient, ("x",))
    monkeypatch.setitem(OPS["tanh"].gradients, "x", rule)
    with _fails(broken(), "^the gradient of tanh"):
        check_gradient(TANH, lamina.get_backend())


def _wrong_gradient(dy: Any, *, y: Any) -> Any:
    return dy * (1.0 - y)


def test_a_gradient_that_has_no_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS["tanh"].gradients, "x", Gradient(_frozen_gradient, ("x",)))
    with _fails(broken(), "^the second gradient of tanh"):
        check_gradient(TANH, lamina.get_backend())


def _frozen_gradient(dy: Any, *, y: Any) -> Any:
    return dy * lamina.tensor(1.0 - y.numpy() ** 2)


def test_an_op_that_takes_too_much_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["all(normal(2)) raises DTypeError"]
    with on_backend(broken()):
        check_value(case, lamina.get_backend())
    monkeypatch.setitem(OPS["all"]._dtypes, "x", ("bool", "float32"))
    with _fails(broken(), "nothing was raised"):
        check_value(case, lamina.get_backend())


def test_an_error_of_the_wrong_kind_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["matmul(normal(2, 3), normal(4, 5)) raises ShapeError"]

    def rule(*_: Any, **__: Any) -> Any:
        raise DTypeError("no")

    monkeypatch.setattr(OPS["matmul"], "result", rule)
    with _fails(broken(), "DTypeError"):
        check_value(case, lamina.get_backend())


def test_a_shared_result_is_caught_by_the_hazards() -> None:
    backend = Loading(sharing)
    with _fails(backend):
        ResultHazards().test_results_do_not_change_later(backend, 3)


def test_a_value_overwritten_before_it_is_returned_is_caught() -> None:
    backend = Loading(in_place)
    with _fails(backend):
        StateHazards().test_the_old_value_can_be_returned(backend)


def test_a_kernel_that_writes_into_its_input_is_caught() -> None:
    backend = broken(relu=lambda x: np.maximum(x, 0, out=x))
    with _fails(backend):
        ArrayTests().test_kernels_leave_their_inputs_alone(backend)


class _Limited(OpTests):
    backend_name = "numpy"
    limitations = (Limitation("tanh", "value", "for the test"),)


def test_a_limitation_that_still_holds_is_an_expected_failure() -> None:
    backend = broken(tanh=lambda x: x)
    with on_backend(backend), pytest.raises(pytest.xfail.Exception, match="for the test"):
        _Limited().test_value(backend, TANH)


def test_a_limitation_that_no_longer_holds_is_a_failure() -> None:
    backend = broken()
    with on_backend(backend), pytest.raises(AssertionError, match="take them off the list"):
        _Limited().test_limitations_are_still_true(backend)
    wrong = broken(tanh=lambda x: x)
    with on_backend(wrong):
        _Limited().test_limitations_are_still_true(wrong)


def test_a_limitation_of_nothing_is_a_failure() -> None:
    class Misspelt(OpTests):
        backend_name = "numpy"
        limitations = (Limitation("tahn", "value", "for the test"),)

    with pytest.raises(AssertionError, match="tahn"):
        Misspelt().test_limitations_name_what_exists()


@pytest.mark.parametrize(
    "listed",
    [("*", "float61"), ("*", "test_nothing"), ("tanh", "float16"), ("tanh", "test_value")],
    ids=" ".join,
)
def test_a_limitation_of_no_check_is_a_failure(listed: tuple[str, str]) -> None:
    class Misspelt(OpTests):
        backend_name = "numpy"
        limitations = (Limitation(*listed, "for the test"),)

    with pytest.raises(AssertionError, match=listed[1]):
        Misspelt().test_limitations_name_what_exists()


WHOLE = """
from lamina.testing import BackendTests, Limitation

class TestHere(BackendTests):
    backend_name = "numpy"
    limitations = (Limitation("*", "test_bad", "it is bad"), Limitation("*", "test_good", "it was bad"))

    def test_bad(self, backend):
        assert False

    def test_good(self, backend):
        pass
"""


def test_a_whole_test_can_be_a_limitation_and_is_strict(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_backends=WHOLE)
    result = pytester.runpytest_subprocess("-p", "lamina.testing.report")
    result.assert_outcomes(xfailed=1, failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*it was bad*"])


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

    with _fails(broken(tanh=tanh), "gaps in memory"):
        check_gradient(TANH, lamina.get_backend())

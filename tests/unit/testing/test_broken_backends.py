"""Backends with one thing wrong, and the test of the kit that finds it; a sound backend passes the same tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from _pytest.outcomes import Failed

from lamina.contract import Backend
from lamina.errors import KernelMissingError
from lamina.runtime.backends import on_backend
from lamina.testing import BackendConformance, all_cases
from unit.testing import broken_backends as wrong
from unit.testing.broken_backends import Loading, broken

CASES = {str(case): case for case in all_cases()}


class Kit(BackendConformance):
    """The kit as somebody's tests would have it."""

    backend_name = "broken"


class Row(NamedTuple):
    """A backend with something wrong, the test that finds it with its argument, and what the failure says."""

    make: Callable[[], Backend]
    test: str
    argument: str | None
    says: str
    error: type[BaseException] = AssertionError


TANH = "tanh(normal(2, 3))"
CONV = "conv2d(normal(2, 5, 6, 2), normal(3, 2, 2, 3), strides=1, padding=same, dilations=1)"
REPEATS = "scatter_add(normal(3), values[1,1,1](3), axis=0, size=2)"
UNEQUAL = "Not equal to tolerance"


def _half(x: Any) -> Any:
    return np.tanh(x)[:1]


def _wide(x: Any) -> Any:
    return np.tanh(x).astype(np.float64)


def _changing(x: Any) -> Any:
    return np.maximum(x, 0, out=x)


def _never_empty(x: Any, axis: Any, keepdims: bool) -> Any:
    return wrong.SOUND["sum"](x, axis=axis, keepdims=keepdims) + x.dtype.type(not np.size(x))


ROWS = {
    "a wrong kernel": Row(lambda: wrong.scaled("tanh", 1.0001), "test_value", TANH, UNEQUAL),
    "a wrong shape": Row(lambda: broken(tanh=_half), "test_value", TANH, "the rule says"),
    "a wrong dtype": Row(lambda: broken(tanh=_wide), "test_value", TANH, "gave dtype float64, the rule says float32"),
    "a wrong dtype inside": Row(lambda: broken(exp=_wide), "test_result_rule", "mish(normal(2, 3))", "mish.*: exp: "),
    "order in memory": Row(
        lambda: broken(tanh=wrong.in_memory_order), "test_value", "tanh(non_contiguous(3, 4))", UNEQUAL
    ),
    "nothing summed": Row(lambda: broken(sum=_never_empty), "test_value", "sum(empty(2, 0), axis=1)", UNEQUAL),
    "repeats are lost": Row(lambda: broken(scatter_add=wrong.without_repeats), "test_value", REPEATS, UNEQUAL),
    "repeats are lost in training": Row(
        lambda: broken(scatter_add=wrong.without_repeats), "test_training_agrees_with_numpy", "text", UNEQUAL
    ),
    "a changed input": Row(
        lambda: broken(relu=_changing), "test_value", "relu(distinct(3, 4))", "the kernel changed its input 0"
    ),
    "a shared buffer": Row(
        lambda: broken(tanh=wrong.one_scratch), "test_value", TANH, "a later call changed the result of an earlier one"
    ),
    "a missing op": Row(lambda: wrong.lacking("matmul"), "test_every_op_has_a_kernel", None, "matmul"),
    "a missing op, called": Row(
        lambda: wrong.lacking("tanh"), "test_value", TANH, "no kernel for the op 'tanh'", KernelMissingError
    ),
    "a misspelt op": Row(lambda: broken(tahn=np.tanh), "test_every_kernel_belongs_to_an_op", None, "tahn"),
    "a wrong gradient of a product": Row(
        lambda: wrong.scaled("convolution_kernel_gradient"), "test_gradient", CONV, "^the gradient of conv2d"
    ),
    "a wrong gradient of a kink": Row(
        lambda: wrong.scaled("relu_gradient"), "test_gradient", "relu(distinct(3, 4))", "^the gradient of relu"
    ),
    "a wrong update": Row(
        lambda: broken(adam_update=wrong.forgetful_adam),
        "test_a_recorded_training_run_agrees_with_numpy",
        None,
        "the loss does not fall",
    ),
    "a wrong update in fit": Row(
        lambda: broken(adam_update=wrong.forgetful_adam), "test_training_agrees_with_numpy", "dense", UNEQUAL
    ),
    "a convolution that is off by little": Row(
        lambda: wrong.scaled("convolution", 1.001), "test_training_agrees_with_numpy", "autoencoder", UNEQUAL
    ),
    "another random stream": Row(
        lambda: broken(random_uniform=wrong.other_stream),
        "test_uniform_is_the_reference_bit_for_bit",
        None,
        "not the stream of lamina.random",
    ),
    "another random stream in a step": Row(
        lambda: broken(random_uniform=wrong.other_stream),
        "test_random_numbers_are_new_in_each_replay_and_equal_the_eager_stream",
        None,
        "Arrays are not equal",
    ),
    "memory of the host": Row(wrong.Aliasing, "test_nothing_is_shared_with_the_host", None, "7.0"),
    "a copy that is none": Row(wrong.Aliasing, "test_copies_are_independent", None, "5.0"),
    "nothing overwritten": Row(wrong.Still, "test_copies_are_independent", None, "1.0"),
    "one buffer for all": Row(wrong.OneBuffer, "test_memory_is_told_apart", None, "two arrays have one buffer"),
    "a dtype that is another": Row(wrong.Narrow, "test_dtype", "bfloat16", "dtype float32"),
    "a dtype that is missing": Row(wrong.Modest, "test_a_missing_dtype_is_a_clear_error", "int8", "no Limitation"),
    "a device that it is not on": Row(
        wrong.Everywhere, "test_arrays_lie_on_the_device", None, r"'cuda:0' is said, DLPack tells \(1, 0\)"
    ),
    "any device": Row(wrong.Everywhere, "test_an_unknown_device_is_a_clear_error", None, "DID NOT RAISE", Failed),
    "a step that is off by little": Row(
        lambda: Loading(wrong.inexact), "test_replay", TANH, "by the executable, first run"
    ),
    "a step that remembers": Row(lambda: Loading(wrong.remembering), "test_replay", TANH, "second run"),
    "a step that shares a buffer": Row(
        lambda: Loading(wrong.sharing), "test_replay", TANH, "the first run's results after the second run"
    ),
    "a step that uses its inputs": Row(lambda: Loading(wrong.greedy), "test_replay", TANH, "changed its input 0"),
    "a step that writes too early": Row(
        lambda: Loading(wrong.in_place), "test_two_variables_swap", None, r"\[3.0, 4.0\], \[3.0, 4.0\]"
    ),
    "a step that shares inputs among threads": Row(
        lambda: Loading(wrong.unguarded), "test_one_step_in_several_threads", None, UNEQUAL
    ),
    "a kernel that shares inputs among threads": Row(
        lambda: broken(tanh=wrong.racing), "test_kernels_in_several_threads", None, "beside other threads"
    ),
}


def run(backend: Backend, row: Row) -> None:
    """Runs the row's test as pytest would."""
    test = getattr(Kit(), row.test)
    argument = () if row.argument is None else (CASES.get(row.argument, row.argument),)
    with on_backend(backend):
        test(backend, *argument)


@pytest.mark.parametrize("name", ROWS)
def test_it_is_found(name: str) -> None:
    row = ROWS[name]
    with pytest.raises(row.error, match=row.says):
        run(row.make(), row)


@pytest.mark.parametrize("test", sorted({(row.test, row.argument or "") for row in ROWS.values()}), ids="-".join)
def test_a_sound_backend_passes(test: tuple[str, str]) -> None:
    run(broken(), Row(broken, test[0], test[1] or None, ""))

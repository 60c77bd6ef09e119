"""Torch's kernels where torch's own functions differ from what an op promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.errors import OutOfRangeError
from lamina.ops import OPS
from lamina.runtime.listeners import KernelCall, Listener, listening
from lamina.runtime.op import CompositeOp, HostOp
from lamina.testing.table import Case, all_cases

torch = pytest.importorskip("torch")
from lamina_torch.kernels import kernels  # noqa: E402 - only where there is a torch

SEEDS = [[1, 0], [-5, 7], [2**31 - 1, -(2**31)]]


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with lamina.backend_scope("torch", device="cpu"):
        yield


def on_both(op: str, *arguments: Any, **settings: Any) -> tuple[Any, Any]:
    found = OPS[op](*arguments, **settings).numpy()
    with lamina.backend_scope("numpy"):
        return found, OPS[op](*arguments, **settings).numpy()


def test_every_op_has_a_kernel_or_is_made_of_others() -> None:
    assert [name for name, op in OPS.items() if name not in kernels and not isinstance(op, CompositeOp | HostOp)] == []
    assert set(kernels) <= set(OPS)


class _NoAliases(Listener):
    """Complains of a kernel of effect 'pure' that returns the memory of an argument: plans of memory trust in that."""

    def on_call(self, call: KernelCall) -> None:
        if "string" in {t.dtype for t in call.outputs}:
            return  # strings are not torch's
        given = {t._array.untyped_storage().data_ptr() for t in call.inputs if t.size}
        for tensor in call.outputs:
            assert not tensor._array.requires_grad
            if call.op.effect != "view" and tensor.size:
                assert tensor._array.untyped_storage().data_ptr() not in given, call.op.name


@pytest.mark.parametrize("case", [c for c in all_cases() if not c.raises and "string" not in c.dtypes], ids=str)
def test_pure_kernels_return_memory_of_their_own(case: Case) -> None:
    backend = lamina.get_backend()
    with listening(_NoAliases()):
        case.call(case.tensors(backend, case.arrays("float32")))


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize("shape", [(), (7,), (101, 3), (0, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_are_numpys_bit_for_bit(seed: list[int], shape: tuple[int, ...], dtype: str) -> None:
    ours, numpys = on_both("random_uniform", np.array(seed, np.int32), shape, dtype)
    assert ours.dtype == numpys.dtype
    assert ours.tobytes() == numpys.tobytes()


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize(("low", "high"), [(-5, 9), (0, 1), (-(2**31), 2**31)])
def test_integers_are_numpys_bit_for_bit(seed: list[int], low: int, high: int) -> None:
    ours, numpys = on_both("random_integers", np.array(seed, np.int32), (500,), low, high)
    assert ours.tobytes() == numpys.tobytes()


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize(("dtype", "ulps"), [("float16", 1), ("float32", 1), ("float64", 2)])
def test_normal_numbers_are_numpys_but_for_the_last_bit(seed: list[int], dtype: str, ulps: int) -> None:
    ours, numpys = on_both("random_normal", np.array(seed, np.int32), (1001,), dtype)
    np.testing.assert_array_max_ulp(ours, numpys, ulps)


def test_keys_computed_on_a_device_are_those_of_the_host() -> None:
    from lamina_arrayapi.kernels.random import WEYL, keys
    from lamina_torch.kernels.random import mixed, signed

    for pair in SEEDS:
        seed = torch.tensor(pair, dtype=torch.int32)
        first = mixed(seed[0] + signed(WEYL))
        second = mixed(seed[1] * signed(WEYL) + first)
        assert (int(first), int(second)) == tuple(map(signed, keys(*pair)))


def test_sign_of_nan_is_nan() -> None:
    np.testing.assert_array_equal(OPS["sign"]([np.nan, -2.0, 0.0]).numpy(), [np.nan, -1.0, 0.0])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64"])
@pytest.mark.parametrize("op", ["floor_divide", "mod"])
def test_integer_division_where_the_processor_traps(op: str, dtype: str) -> None:
    limits = np.iinfo(dtype)
    a = np.array([limits.min, limits.max, 7, 0], dtype)
    for divisor in (0, 3, limits.min, limits.max) if dtype == "uint8" else (0, -1, 3, limits.min):
        ours, numpys = on_both(op, a, np.array(divisor, dtype))
        np.testing.assert_array_equal(ours, numpys)


def test_slices_that_run_backwards() -> None:
    array = np.arange(24.0).reshape(4, 6)
    x = lamina.tensor(array)
    for key in (np.s_[::-1], np.s_[3:0:-2, 1], np.s_[..., ::-3], np.s_[1:1:-1], np.s_[None, ::-1, 2:5]):
        np.testing.assert_array_equal(x[key].numpy(), array[key])
        gradient = lamina.grad(lambda v, key=key: (v[key] * v[key]).sum())(x).numpy()
        expected = np.zeros_like(array)
        expected[key] = 2 * array[key]
        np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_gather_with_indices_of_any_integer_dtype(dtype: str) -> None:
    indices = [[2, 0], [1, 1]] if dtype == "uint8" else [[-1, 0], [1, -3]]
    ours, numpys = on_both("take", np.arange(12.0).reshape(3, 4), np.array(indices, dtype), 0)
    np.testing.assert_array_equal(ours, numpys)


@pytest.mark.parametrize("index", [3, -4])
def test_gather_outside_the_axis(index: int) -> None:
    with pytest.raises(OutOfRangeError, match="axis 0"):
        OPS["take"]([1.0, 2.0, 3.0], [0, index])
    with pytest.raises(OutOfRangeError, match="scatter_add"):
        OPS["scatter_add"]([1.0, 2.0], [0, index], 0, 3)


def test_max_pooling_gives_the_gradient_to_the_first_of_equal_elements_and_to_nan() -> None:
    x = np.ones((1, 2, 4, 1), np.float32)
    x[0, 1, 2, 0] = np.nan
    windows = ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    y = OPS["window_max"](x, *windows)
    dx = OPS["window_max_gradient"](np.full((1, 1, 2, 1), 5, np.float32), x, y, *windows).numpy()
    assert dx[0, :, :, 0].tolist() == [[5.0, 0.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0]]


def test_gelu_of_infinity_is_infinity() -> None:
    assert OPS["gelu"]([np.inf] * 16).tolist() == [np.inf] * 16


@pytest.mark.parametrize("op", ["sum", "mean", "max", "prod", "variance", "std"])
def test_no_axes_reduce_nothing(op: str) -> None:
    ours, numpys = on_both(op, np.array([[1.0, 2.0], [3.0, 4.0]]), ())
    np.testing.assert_array_equal(ours, numpys)


def test_adam_in_float16_and_with_a_beta_of_zero() -> None:
    rng = np.random.default_rng(0)
    for dtype, beta, tolerance in (("float16", 0.9, 2e-3), ("float32", 0.0, 1e-6), ("float64", 0.9, 1e-12)):
        p, g, m, v = (np.abs(rng.normal(size=(3, 2))).astype(dtype) for _ in range(4))
        settings = {"count": 1, "beta_1": beta, "beta_2": beta, "epsilon": 1e-3}
        found = OPS["adam_update"](np.array(0.1, dtype), p, g, m, v, **settings)
        m2, v2 = m + (g - m) * (1 - beta), v + (g * g - v) * (1 - beta)
        for ours, expected in zip(found, (p - 0.1 * m2 / (np.sqrt(v2) + 1e-3), m2, v2), strict=True):
            np.testing.assert_allclose(ours.numpy(), expected.astype(dtype), rtol=tolerance, atol=tolerance)

"""Binding of arguments: what an op takes, what it refuses, and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentTypeError, DTypeError, KernelMissingError, ShapeError
from lamina.ops import OPS
from lamina.runtime.backends import on_backend
from lamina.runtime.op import composite_op, op, same_as
from lamina.runtime.tensor import spec_tensor
from lamina_numpy.backend import NumPyBackend

X = lamina.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lamina.tanh(), "tanh: x is missing."),
        (lambda: lamina.tanh(X, 1), "tanh: got 2 positional arguments."),
        (lambda: lamina.tanh(y=X), "tanh: x is missing."),
        (lambda: lamina.softmax(X, 0, axis=1), "softmax: axis is given twice."),
        (lambda: lamina.softmax(X, axes=1), "softmax: there is no argument 'axes'."),
        (lambda: lamina.add(X), "add: b is missing."),
        (lambda: lamina.cast(X), "cast: dtype is missing."),
        (lambda: lamina.clip(X, 0.0), "clip: high is missing."),
        (lambda: lamina.softmax(X, axis=1.5), "axis is 1.5."),
        (lambda: lamina.conv2d(X, X, strides="a"), "conv2d(x, kernel): x is (2, 3) and kernel is (2, 3)."),
    ],
)
def test_wrong_calls(call: Any, message: str) -> None:
    with pytest.raises((ArgumentTypeError, ShapeError)) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_a_wrong_call_shows_the_signature() -> None:
    with pytest.raises(ArgumentTypeError, match=r"Expected softmax\(x: .*axis: .*= -1\)"):
        lamina.softmax(X, axes=1)


def test_a_wrong_dtype_says_what_is_taken() -> None:
    with pytest.raises(DTypeError) as caught:
        lamina.floor(lamina.tensor([1]))
    assert str(caught.value) == (
        "floor(x): x has dtype int32.\n"
        "  Expected x to be one of float16, bfloat16, float32, float64.\n"
        "  Fix: convert it first, for example x.cast('float32')."
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lamina.add(None, 1.0), "add(a, b): a is None."),
        (lambda: lamina.add(X, {"a": 1}), "add(a, b): b is {'a': 1}."),
        (lambda: lamina.matmul(X, object()), "matmul(a, b): b is of type object."),
        (lambda: lamina.add([1, None], X), "add(a, b): a is [1, None]."),
        (lambda: lamina.tanh([[1.0], [1.0, 2.0]]), "tanh(x): x is [[1.0], [1.0, 2.0]]: nested lists of unequal"),
        (lambda: lamina.add(X, np.array([object()])), "add(a, b): b is of type ndarray."),
        (lambda: lamina.add("a", X), "add(a, b): cannot combine dtypes string and float32."),
        (lambda: lamina.concatenate([X, None]), "tensors[1] is None."),
    ],
)
def test_what_is_no_tensor_is_named(call: Any, message: str) -> None:
    with pytest.raises((ArgumentTypeError, ShapeError, DTypeError)) as caught:
        call()
    assert message in str(caught.value).partition("\n")[0]


def test_arguments_by_name_and_by_position() -> None:
    expected = lamina.sum(X, 0, True).tolist()
    assert lamina.sum(x=X, axis=0, keepdims=True).tolist() == expected
    assert lamina.sum(X, 0, keepdims=True).tolist() == expected
    assert lamina.subtract(b=1.0, a=X).tolist() == lamina.subtract(X, 1.0).tolist()


@pytest.mark.parametrize(
    ("a", "b", "dtype"),
    [
        (np.ones(1, np.float16), 2.5, "float16"), (np.ones(1, np.float64), 2, "float64"),
        (np.ones(1, np.int64), 2.5, "float32"), (np.ones(1, np.uint8), 2, "uint8"), (np.ones(1, np.bool_), 1, "int32"),
        (np.ones(1, np.int8), np.ones(1, np.float64), "float64"), (np.ones(1, np.float32), 1j, "complex64"),
        (1, 2.0, "float32"), (True, 1, "int32"),
    ],
    ids=str,
)  # fmt: skip
def test_operands_meet_in_one_dtype(a: Any, b: Any, dtype: str) -> None:
    for found in (lamina.multiply(a, b), lamina.multiply(b, a)):
        assert found.dtype == dtype


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(DTypeError, match="300 does not fit into uint8"):
        lamina.tensor(np.ones(1, np.uint8)) + 300


def test_specs_go_in_and_come_out() -> None:
    x, w = spec_tensor((2, 3), "float32"), spec_tensor((3, 4), "float32")
    y = lamina.softmax(lamina.relu(x @ w + 1.0) * 2.0)
    assert y.spec == ((2, 4), "float32")
    with pytest.raises(ShapeError, match="matmul"):
        x @ x


def test_a_missing_kernel_names_backend_and_op() -> None:
    @op(result=same_as())
    def nowhere(x: TensorLike) -> Any:  # type: ignore[name-defined]  # noqa: F821
        """An op without kernels."""

    try:
        with pytest.raises(KernelMissingError, match="'numpy' has no kernel for the op 'nowhere'"):
            nowhere(X)
        with pytest.raises(ValueError, match="exists already"):
            op(result=same_as())(nowhere.__wrapped__)
    finally:
        del OPS["nowhere"]


def test_an_input_must_not_be_called_like_an_output() -> None:
    """A gradient names inputs and outputs in one breath."""

    def shadowed(dy: TensorLike, y: TensorLike) -> Any:  # type: ignore[name-defined]  # noqa: F821
        """An op whose input hides its output."""

    with pytest.raises(ValueError, match="one name"):
        op(result=same_as())(shadowed)
    assert "shadowed" not in OPS


def test_a_composite_runs_a_backends_kernel_if_there_is_one() -> None:
    @composite_op(result=same_as())
    def thrice(x: TensorLike) -> Any:  # type: ignore[name-defined]  # noqa: F821
        """x three times."""
        return lamina.add(x, lamina.add(x, x))

    class WithKernel(NumPyBackend):
        kernels = type(NumPyBackend.kernels).merge(NumPyBackend.kernels)

    WithKernel.kernels.add("thrice", lambda x: x * 30.0)
    try:
        assert thrice(2.0).item() == 6.0
        with on_backend(WithKernel()):
            assert thrice(lamina.tensor(2.0)).item() == 60.0
            assert lamina.grad(thrice)(2.0).item() == 3.0  # without a gradient of its own it is taped as its parts
    finally:
        del OPS["thrice"]


def test_every_op_shows_its_signature() -> None:
    for name, found in OPS.items():
        assert repr(found).startswith(f"<op {name}(")


def test_every_public_op_is_documented_with_an_example() -> None:
    missing = [n for n, o in OPS.items() if not (o.__doc__ or "").strip() or ">>> " not in (o.__doc__ or "")]
    assert missing == []


def test_a_dtype_that_the_backend_lacks_is_refused_before_a_kernel_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    x = lamina.tensor([1.0])
    missing = {"float16": "it is missing here."}
    monkeypatch.setattr(type(x.backend), "supports", lambda self, dtype: missing.get(dtype))
    with pytest.raises(DTypeError, match="has no such dtype: it is missing here"):
        x.cast("float16")
    assert x.cast("float64").dtype == "float64"

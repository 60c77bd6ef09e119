"""Tensors: making them, reading them, operators and what NumPy users expect."""

from __future__ import annotations

import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentTypeError, DTypeError, HostReadError, ShapeError
from lamina.runtime.tensor import spec_tensor


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.5, "float32"), (1, "int32"), (True, "bool"), (1j, "complex64"), ([1.0, 2], "float32"), ([1, 2], "int32"),
        ([True], "bool"), ([], "float32"), ([[1j]], "complex64"), (["a", "b"], "string"), (range(3), "int32"),
        (np.float64(1), "float64"), ([np.float64(1)], "float64"), (np.int8(1), "int8"),
    ],
    ids=str,
)  # fmt: skip
def test_python_values_take_default_dtypes(value: Any, dtype: str) -> None:
    assert lamina.tensor(value).dtype == dtype


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex128"]
)
def test_numpy_arrays_keep_their_dtype(dtype: str) -> None:
    x = lamina.tensor(np.ones(2, dtype))
    assert x.dtype == dtype
    assert x.numpy().dtype == dtype


def test_a_wider_dtype_keeps_all_digits() -> None:
    assert lamina.tensor([0.1], dtype="float64").item() == 0.1
    assert lamina.tensor(0.1, dtype="float64").item() == 0.1
    assert lamina.tensor([2**40], dtype="int64").item() == 2**40
    assert lamina.tensor(2**40, dtype="int64").item() == 2**40
    assert lamina.tensor([0.1j], dtype="complex128").item() == 0.1j
    assert lamina.Variable([0.1], dtype="float64").numpy().item() == 0.1


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, [0, 2**40]])
def test_python_ints_beyond_int32_are_errors(value: Any) -> None:
    with pytest.raises(DTypeError, match="does not fit into int32"):
        lamina.tensor(value)


def test_a_dtype_and_a_shape_can_be_asked_for() -> None:
    x = lamina.tensor([1.7, -1.7, 0.0, 1.0], shape=(2, 2), dtype="int32")
    assert (x.shape, x.dtype, x.tolist()) == ((2, 2), "int32", [[1, -1], [0, 1]])


def test_ragged_lists_are_errors() -> None:
    with pytest.raises(ShapeError, match="unequal lengths"):
        lamina.tensor([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("value", [None, object(), {"a": 1}, {1, 2}])
def test_other_objects_are_no_tensors(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a tensor"):
        lamina.tensor(value)


def test_datetimes_are_no_tensors() -> None:
    with pytest.raises(DTypeError, match="is not a dtype of lamina"):
        lamina.tensor(np.array(["2020-01-01"], "M8[D]"))


def test_lists_may_hold_tensors() -> None:
    x = lamina.tensor([lamina.tensor([1.0, 2.0]), lamina.tensor([3.0, 4.0])])
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
]  # fmt: skip


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_operators_are_numpys(op: Any) -> None:
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.array([2.0, 3.0], np.float32)
    x, y = lamina.tensor(a), lamina.tensor(b)
    pairs = [(x, y), (x, b), (a, y), (x, 2.0), (3.0, x), (x, 2), (x, [2.0, 3.0])]
    arrays = [(a, b), (a, b), (a, b), (a, 2.0), (3.0, a), (a, 2), (a, np.array([2.0, 3.0]))]
    for (left, right), (p, q) in zip(pairs, arrays, strict=True):
        found = op(left, right)
        assert isinstance(found, lamina.Tensor)
        np.testing.assert_allclose(found.numpy(), op(p, q), 1e-6)


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor], ids=lambda op: op.__name__)
def test_logical_operators_are_numpys(op: Any) -> None:
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    x, y = lamina.tensor(a), lamina.tensor(b)
    for found in (op(x, y), op(x, b), op(a, y)):
        np.testing.assert_array_equal(found.numpy(), op(a, b))
    np.testing.assert_array_equal((x & True).numpy(), a)


def test_unary_operators_and_matmul() -> None:
    x = lamina.tensor([[1.0, -2.0], [3.0, 4.0]])
    assert (-x).tolist() == [[-1.0, 2.0], [-3.0, -4.0]]
    assert (+x).tolist() == x.tolist()
    assert abs(x).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert (~lamina.tensor([True])).tolist() == [False]
    assert (x @ x.T).tolist() == (x.numpy() @ x.numpy().T).tolist()
    assert (x.numpy() @ x).tolist() == (x.numpy() @ x.numpy()).tolist()


def test_operators_leave_strangers_to_the_other_side() -> None:
    class Stranger:
        def __radd__(self, other: Any) -> str:
            return "mine"

        __lamina_hint__ = "a stranger"

    assert lamina.tensor(1.0) + Stranger() == "mine"
    with pytest.raises(TypeError):
        lamina.tensor(1.0) + None
    with pytest.raises(TypeError):
        _ = lamina.tensor(1.0) < "a"


def test_ops_are_methods_that_chain() -> None:
    x = lamina.tensor([[1.0, 2.0]])
    w, b = lamina.tensor([[1.0], [-1.0]]), lamina.tensor([0.5])
    assert x.matmul(w).add(b).relu().sum(axis=0, keepdims=True).tolist() == [[0.0]]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0, dtype=np.float32).reshape(2, 3), np.zeros((0, 3), np.int32), np.float32(1.5), np.array([True]),
        np.array([1 + 2j], np.complex64),
    ],
    ids=lambda a: str(a.dtype),
)  # fmt: skip
def test_the_repr_shows_values_shape_and_dtype(array: Any) -> None:
    x = lamina.tensor(array)
    text = repr(x)
    assert text.startswith("Tensor(")
    assert text.endswith(f"shape={array.shape}, dtype={array.dtype})")
    inner = np.array2string(np.asarray(array), separator=", ", prefix="Tensor(")
    assert text == f"Tensor({inner}, shape={array.shape}, dtype={array.dtype})"


def test_a_tensor_without_values_says_so() -> None:
    x = spec_tensor((2, 3), "float32")
    assert repr(x) == "Tensor(<no values>, shape=(2, 3), dtype=float32)"
    with pytest.raises(HostReadError, match="only its shape is being worked out"):
        x.numpy()


def test_reading_on_the_host() -> None:
    x = lamina.tensor([[1.5]])
    assert (x.item(), float(x), int(x), complex(x), bool(x)) == (1.5, 1.5, 1, 1.5 + 0j, True)
    assert isinstance(x.item(), float)
    assert lamina.tensor([1, 2]).tolist() == [1, 2]
    assert lamina.tensor(3).tolist() == 3
    assert [10, 20, 30][lamina.tensor(1)] == 20  # type: ignore[call-overload]
    assert f"{lamina.tensor(1.25):.1f}" == "1.2"


@pytest.mark.parametrize("read", [lambda x: x.item(), float, bool, int])
def test_several_elements_are_no_scalar(read: Any) -> None:
    with pytest.raises(ShapeError, match="one element"):
        read(lamina.tensor([1.0, 2.0]))


def test_the_truth_of_many_says_what_to_use() -> None:
    with pytest.raises(ShapeError, match=r"use .any\(\) or .all\(\)"):
        bool(lamina.tensor([True, False]))


def test_only_integers_are_indices() -> None:
    for x in (lamina.tensor(True), lamina.tensor([1])):
        with pytest.raises(ArgumentTypeError, match="is not an index"):
            operator.index(x)
    with pytest.raises(AttributeError):
        operator.index(lamina.tensor(1.0))


def test_length_and_iteration() -> None:
    x = lamina.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(ArgumentTypeError, match="has no length"):
        len(lamina.tensor(1.0))


def test_printing(capsys: pytest.CaptureFixture[str]) -> None:
    x = lamina.tensor([[1, 2], [3, 4]])
    x.print()
    assert capsys.readouterr().out == "Tensor\n    [[1 2]\n     [3 4]]\n"
    x.print(verbose=True)
    assert capsys.readouterr().out == (
        "Tensor\n  dtype: int32\n  rank: 2\n  shape: [2, 2]\n  values:\n    [[1 2]\n     [3 4]]\n"
    )


def test_numpy_takes_a_tensor() -> None:
    x = lamina.tensor([1.0, 2.0])
    assert np.asarray(x).dtype == np.float32
    assert np.asarray(x, dtype=np.float64).tolist() == [1.0, 2.0]
    assert np.add(np.asarray(x), 1.0).tolist() == [2.0, 3.0]


def test_dlpack_goes_both_ways() -> None:
    x = lamina.tensor([1.0, 2.0])
    assert np.from_dlpack(x).tolist() == [1.0, 2.0]

    class Foreign:
        """What another library's array shows."""

        shape, dtype = (2,), np.dtype("float32")

        def __init__(self) -> None:
            self.array = np.array([3.0, 4.0], np.float32)

        def __dlpack__(self, **options: Any) -> Any:
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self) -> Any:
            return self.array.__dlpack_device__()

    assert lamina.tensor(Foreign()).tolist() == [3.0, 4.0]
    assert (x + Foreign()).tolist() == [4.0, 6.0]


def test_tensors_hash_by_identity_and_do_not_pickle() -> None:
    x = lamina.tensor([1.0])
    assert {x: 1}[x] == 1
    assert copy.copy(x) is x
    assert copy.deepcopy(x) is x
    with pytest.raises(DTypeError, match="cannot be pickled"):
        pickle.dumps(x)


def test_properties() -> None:
    x = lamina.ones((2, 3), dtype="int8")
    assert (x.ndim, x.size, x.shape, x.dtype, x.device, x.backend.name) == (2, 6, (2, 3), "int8", "cpu", "numpy")
    assert x.uid != lamina.ones(()).uid

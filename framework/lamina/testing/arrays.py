"""Arrays in and out of a backend, its dtypes, and that nobody shares memory by accident."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

import lamina
from lamina.contract import Backend
from lamina.dtypes import ARITHMETIC, FLOATING
from lamina.errors import DTypeError
from lamina.runtime.backends import find_backend
from lamina.runtime.convert import from_numpy, move, numpy_dtype
from lamina.testing.base import BackendTests
from lamina.testing.checks import check_native
from lamina.testing.inputs import Array

SHAPES: Final[list[tuple[int, ...]]] = [(), (1,), (3,), (0,), (2, 3), (0, 4), (2, 1, 3)]


def _array(shape: tuple[int, ...], dtype: str) -> Array:
    return (np.arange(int(np.prod(shape))).reshape(shape) % 2).astype(numpy_dtype(dtype))


class ArrayTests(BackendTests):
    """The promise of ``lamina.contract.Backend`` about arrays."""

    area = "arrays and dtypes"

    @pytest.mark.parametrize("dtype", [*ARITHMETIC, "string"])
    def test_dtype(self, backend: Backend, dtype: str) -> None:
        """The dtype goes in and out and survives ops, or ``supports`` and a limitation say that it is missing.

        Strings do everywhere: on the host, where the backend has none.
        """
        self.hold("*", dtype, lambda: self._check_dtype(backend, dtype))

    @staticmethod
    def _check_dtype(backend: Backend, dtype: str) -> None:
        array = np.array(["a", "b"], object) if dtype == "string" else _array((2, 3), dtype)
        tensor = from_numpy(array, backend)
        assert tensor.dtype == dtype
        assert (tensor.backend is backend) == (backend.supports(dtype) is None)
        np.testing.assert_array_equal(check_native(tensor, dtype), array)
        for made in (tensor.reshape(-1), lamina.concatenate([tensor, tensor]), tensor[:1], lamina.flip(tensor)):
            assert made.dtype == dtype
            check_native(made, dtype)
        if dtype != "string":
            for made in (tensor + tensor, tensor * tensor, lamina.where(tensor == tensor, tensor, tensor)):
                assert made.dtype == dtype
                check_native(made, dtype)

    @pytest.mark.parametrize("dtype", ARITHMETIC)
    def test_a_missing_dtype_is_a_clear_error(self, backend: Backend, dtype: str) -> None:
        missing = backend.supports(dtype)
        listed = self.limited("*", dtype) is not None
        assert (missing is not None) == listed, f"supports says {missing!r}, and {'a' if listed else 'no'} Limitation"
        if missing is not None:
            with pytest.raises(DTypeError, match=backend.name):
                from_numpy(_array((2,), dtype), backend)

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_there_and_back(self, backend: Backend, shape: tuple[int, ...]) -> None:
        array = _array(shape, "float32")
        native = backend.from_host(array)
        assert backend.shape_of(native) == shape
        back = np.asarray(backend.to_host(native))
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, array)

    def test_odd_arrays_go_in(self, backend: Backend) -> None:
        """Fortran order, reversed, strided and byte-swapped arrays arrive as what NumPy sees in them."""
        array = np.arange(12.0, dtype=np.float32).reshape(3, 4)
        for odd in (np.asfortranarray(array), array[::-1], array[:, ::2], array.astype(">f4"), array.T):
            tensor = from_numpy(odd, backend)
            np.testing.assert_array_equal(tensor.numpy(), odd)
            assert tensor.dtype == "float32"

    def test_nothing_is_shared_with_the_host(self, backend: Backend) -> None:
        array = np.ones(3, np.float32)
        tensor = from_numpy(array, backend)
        array[0] = 7.0
        assert tensor.tolist() == [1.0, 1.0, 1.0]
        given = tensor.numpy()
        given[0] = 7.0
        assert tensor.tolist() == [1.0, 1.0, 1.0]

    def test_copies_are_independent(self, backend: Backend) -> None:
        original = backend.from_host(np.ones(3, np.float32))
        copy = backend.copy(original)
        copy = backend.overwrite(copy, backend.from_host(np.full(3, 5.0, np.float32)))
        assert np.asarray(backend.to_host(original)).tolist() == [1.0, 1.0, 1.0]
        assert np.asarray(backend.to_host(copy)).tolist() == [5.0, 5.0, 5.0]

    def test_memory_is_told_apart(self, backend: Backend) -> None:
        array = backend.from_host(np.ones(3, np.float32))
        copy = backend.copy(array)
        known, other = backend.buffer_of(array), backend.buffer_of(copy)
        if known is not None:  # a backend need not know
            assert known[1] >= 12
            assert known == backend.buffer_of(array)
            assert known[0] != (other[0] if other else None), "two arrays have one buffer"

    def test_kernels_leave_their_inputs_alone(self, backend: Backend) -> None:
        x = lamina.tensor([[3.0, -1.0], [2.0, 0.5]])
        before = x.numpy()
        for op in (lamina.relu, lamina.softmax, lamina.tanh, lamina.sigmoid, lamina.sum, lamina.exp, lamina.transpose):
            op(x)
        np.testing.assert_array_equal(x.numpy(), before)

    def test_scalars_take_the_dtype_beside_them(self, backend: Backend) -> None:
        for dtype in FLOATING:
            if backend.supports(dtype) is None:
                x = lamina.ones((2,), dtype=dtype)
                assert {(x * 2).dtype, (2.5 - x).dtype, (x + True).dtype} == {dtype}

    def test_a_tensor_knows_its_backend(self, backend: Backend) -> None:
        x = lamina.tensor([1.0]) + 1.0
        assert x.backend is backend
        assert lamina.get_backend() is backend

    def test_moves_to_numpy_and_back(self, backend: Backend) -> None:
        host = find_backend("numpy")
        for dtype in ("bool", "int32", "float32"):
            tensor = from_numpy(_array((2, 3), dtype), backend)
            back = move(move(tensor, host), backend)
            assert (back.backend, back.dtype) == (backend, dtype)
            np.testing.assert_array_equal(back.numpy(), tensor.numpy())
        total = lamina.sum(lamina.tensor([1.0, 2.0]))  # of some libraries a number of their own, and no array
        assert move(move(total, host), backend).item() == 3.0

    def test_two_backends_meet_on_the_active_one(self, backend: Backend) -> None:
        with lamina.backend_scope("numpy"):
            foreign = lamina.tensor([1.0, 2.0])
        total = foreign + lamina.tensor([3.0, 4.0])
        assert total.backend is backend
        assert total.tolist() == [4.0, 6.0]

    def test_every_kernel_belongs_to_an_op(self, backend: Backend) -> None:
        """A kernel under a misspelt name would never be called."""
        assert sorted(set(backend.kernels) - set(lamina.ops.OPS)) == []

"""The Torch backend: devices, conversion in every dtype, DLPack."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.dtypes import ALL, FLOATING, STRING
from lamina.errors import ArgumentTypeError, BackendNotAvailableError
from lamina.runtime.backends import find_backend
from lamina.runtime.convert import numpy_dtype

torch = pytest.importorskip("torch")
from lamina_torch.backend import TorchBackend, find_device  # noqa: E402 - only where there is a torch

NUMBERS = [dtype for dtype in ALL if dtype not in STRING]


def _values(dtype: str) -> np.ndarray[Any, Any]:
    values = np.array([[0.0, 1.0, 2.5], [100.0, 0.5, 7.0]])
    return (values * (1 + 2j) if dtype.startswith("complex") else values).astype(numpy_dtype(dtype))


@pytest.fixture
def backend() -> TorchBackend:
    return TorchBackend("cpu")


def test_importing_the_entry_module_imports_no_torch() -> None:
    code = "import lamina_torch, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), ()], ids=str)
def test_values_come_back_as_they_went(backend: TorchBackend, dtype: str, shape: tuple[int, ...]) -> None:
    array = _values(dtype)
    array = array[:0] if shape == (0, 3) else array[0, 1] * np.ones((), array.dtype) if shape == () else array
    array = np.asarray(array, numpy_dtype(dtype))
    native = backend.from_host(array)
    assert str(native.dtype) == f"torch.{dtype}"
    assert backend.shape_of(native) == shape
    found = backend.to_host(native)
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_from_host_shares_no_memory(backend: TorchBackend, dtype: str) -> None:
    array = _values(dtype)
    native = backend.from_host(array)
    array[:] = 0
    assert backend.to_host(native)[0, 1] == 1


def test_any_order_byte_order_and_read_only_array(backend: TorchBackend) -> None:
    array = np.arange(6.0).reshape(2, 3)
    frozen = array.copy()
    frozen.flags.writeable = False
    others = (array.astype(">f8"), frozen, np.broadcast_to(array[0], (4, 3)))
    for given in (array[::-1, ::-2], array[::-1][:1], array.T, *others):
        for convert in (backend.from_host, backend.adopt_host):
            np.testing.assert_array_equal(backend.to_host(convert(given)), given)


def test_conjugated_tensors_reach_the_host(backend: TorchBackend) -> None:
    assert backend.to_host(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]


def test_no_strings(backend: TorchBackend) -> None:
    missing = backend.supports("string")
    assert missing is not None
    assert "numpy" in missing
    assert all(backend.supports(dtype) is None for dtype in NUMBERS)


def test_unknown_device_lists_those_that_are_there() -> None:
    with pytest.raises(BackendNotAvailableError, match="no device 'tpu'") as caught:
        find_device("tpu")
    assert "cpu" in str(caught.value.expected)


def test_absent_device() -> None:
    with pytest.raises(BackendNotAvailableError, match="'cuda:99'"):
        lamina.set_backend("torch", device="cuda:99")


def test_default_device_is_the_first_gpu_or_the_cpu() -> None:
    assert str(find_device(None)) == ("cuda:0" if torch.cuda.is_available() else "cpu")


def test_one_instance_for_each_device() -> None:
    assert find_backend("torch", "cpu") is find_backend("torch", "cpu")


def test_dlpack_copies(backend: TorchBackend) -> None:
    array = np.arange(3.0)
    native = backend.from_dlpack(array)
    array[:] = 9
    assert native.tolist() == [0.0, 1.0, 2.0]


def test_a_tensor_of_torch_is_taken_over_without_its_graph() -> None:
    given = torch.arange(6.0).reshape(2, 3).t().requires_grad_()
    with lamina.backend_scope("torch", device="cpu"):
        taken = lamina.tensor(given)
    assert not taken.array.requires_grad
    with torch.no_grad():
        given.zero_()
    assert taken.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]


def test_memory_is_shared_with_torch_both_ways() -> None:
    with lamina.backend_scope("torch", device="cpu"):
        x = lamina.tensor([[1.0, 2.0], [3.0, 4.0]])
        out = torch.from_dlpack(x)
        assert out.data_ptr() == x.array.data_ptr()
        given = torch.arange(6.0).reshape(2, 3).t()
        back = lamina.from_dlpack(given)
        assert (back.array.data_ptr(), back.shape, back.tolist()) == (given.data_ptr(), (3, 2), given.tolist())
        array = np.arange(3.0)
        assert lamina.from_dlpack(array).array.data_ptr() == array.ctypes.data
        assert lamina.from_dlpack(x) is x
        assert (back @ x).tolist() == (given @ out).tolist()


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_what_torch_knows_of_gradients_stays_behind(name: str) -> None:
    given = (torch.arange(3.0, requires_grad=True) * 2.0).conj()
    with lamina.backend_scope(name):
        for taken in (lamina.from_dlpack(given), lamina.tensor(given)):
            assert taken.tolist() == [0.0, 2.0, 4.0]
            assert not getattr(taken.array, "requires_grad", False)
            assert (taken * 2.0).sum().item() == 12.0
    assert given.requires_grad
    given.sum().backward()


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_a_tensor_of_torchs_is_copied_unless_it_is_to_be_shared(name: str) -> None:
    given = torch.ones(3)
    with lamina.backend_scope(name):
        copied, shared = lamina.tensor(given), lamina.from_dlpack(given)
    given.zero_()
    assert (copied.tolist(), shared.tolist()) == ([1.0] * 3, [0.0] * 3)


def test_torchs_lazy_signs_are_carried_out() -> None:
    given = torch.tensor([1.0 + 2.0j]).conj()
    with lamina.backend_scope("torch", device="cpu"):
        assert lamina.from_dlpack(given).tolist() == [1.0 - 2.0j]
        assert lamina.from_dlpack(given.imag).tolist() == [-2.0]


def test_what_speaks_no_dlpack_is_refused() -> None:
    for value in ([1.0], 2.0, lamina.Variable(1.0)):
        with pytest.raises(ArgumentTypeError, match="does not speak DLPack"):
            lamina.from_dlpack(value)


def test_nothing_wants_a_gradient_while_a_model_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with torch's gradients on, as they are outside."""
    from lamina_torch import executable

    seen: list[Any] = []
    bind = executable.bind

    def watched(name: str, lines: list[str], namespace: dict[str, Any]) -> Any:
        step = bind(name, lines, namespace)

        def run(inputs: Any, state: Any) -> Any:
            result = step(inputs, state)
            tensors = [t for t in (*namespace.values(), *inputs, *state, *result[0]) if isinstance(t, torch.Tensor)]
            seen.extend(t for t in tensors if t.requires_grad or t.grad_fn is not None)
            seen.append(len(tensors))
            return result

        return run

    monkeypatch.setattr(executable, "bind", watched)
    with lamina.backend_scope("torch", device="cpu"), torch.enable_grad():
        layers = lamina.layers
        model = lamina.Sequential([layers.Dense(4, activation="relu", input_shape=(3,)), layers.Dense(2)])
        model.compile("adam", "mean_squared_error")
        x, y = torch.ones(8, 3, requires_grad=True), torch.ones(8, 2)
        model.fit(x, y, batch_size=4, epochs=3, verbose=0)
        assert torch.is_grad_enabled()
    assert len(seen) > 2
    assert all(isinstance(entry, int) for entry in seen)
    assert x.grad is None


def test_a_tensor_goes_out_through_dlpack() -> None:
    with lamina.backend_scope("torch", device="cpu"):
        x = lamina.tensor([1.0, 2.0])
    assert np.from_dlpack(x).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", FLOATING)
def test_tensors_cross_to_numpy_and_back(dtype: str) -> None:
    array = _values(dtype)
    with lamina.backend_scope("torch", device="cpu"):
        x = lamina.tensor(array)
        with lamina.backend_scope("numpy"):
            there = x + lamina.tensor(np.zeros((), array.dtype))
        back = there + lamina.tensor(np.zeros((), array.dtype))
    assert (there.backend.name, back.backend.name) == ("numpy", "torch")
    assert back.numpy().tobytes() == array.tobytes()


def test_storage_laid_side_by_side_is_one_piece(backend: TorchBackend) -> None:
    from lamina.shapes import Spec
    from lamina_torch.memory import as_one

    tensors = backend.allocate([Spec((3, 5), "float32"), Spec((7,), "float32"), Spec((), "float32")])
    for i, tensor in enumerate(tensors):
        tensor.fill_(i + 1)
    whole = as_one(tensors)
    assert whole is not None
    assert whole.sum() == 15 + 14 + 3
    assert as_one(tensors[::-1]) is None
    assert as_one([tensors[0], torch.ones(7)]) is None
    assert as_one([torch.ones(3)]) is None  # its padding would be someone else's memory

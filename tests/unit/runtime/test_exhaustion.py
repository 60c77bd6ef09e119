"""A device without enough memory: one error of ours, and everything as it was."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import here, scope
from lamina import layers
from lamina.errors import BackendError, OutOfMemoryError
from lamina.runtime.backends import find_backend, get_backend, on_backend

BACKENDS = ["numpy", "torch"]
LARGE = 2**46
"""Elements of float32 that no machine has room for."""


@pytest.fixture(params=BACKENDS)
def backend(request):
    with scope(request.param) as found:
        yield found


CALLS = {
    "made": lambda x: lamina.zeros((LARGE,)),
    "beyond what can be counted": lambda x: lamina.zeros((2**40, 2**20)),
    "an op": lambda x: lamina.broadcast_to(x, (LARGE, 3)) + 1.0,
    "a product": lambda x: lamina.ones((2**23, 1)) @ lamina.ones((1, 2**23)),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_op_that_does_not_fit(call, backend):
    x = lamina.tensor([1.0, 2.0, 3.0])
    with pytest.raises(OutOfMemoryError) as caught:
        CALLS[call](x)
    text = str(caught.value)
    assert f"the device 'cpu' of the backend '{backend.name}' has not enough memory for the op" in text
    assert "bytes" in text
    assert "Fix: use smaller batches or tensors, or a device with more memory" in text
    assert isinstance(caught.value, MemoryError)
    assert isinstance(caught.value, BackendError)
    assert get_backend() is backend
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert (x + 1.0).tolist() == [2.0, 3.0, 4.0]


def test_other_errors_of_a_library_stay_what_they_are(backend):
    for error in (RuntimeError("a kernel of ours"), ValueError("two shapes"), KeyError("x")):
        assert not backend.is_exhaustion(error)


def test_what_torch_raises_for_a_gpu():
    with scope("torch") as found:
        import torch

        assert found.is_exhaustion(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."))


class Full:
    """A library whose memory is full at a given call."""

    def __init__(self, function, calls):
        self.function, self.calls = function, calls

    def __call__(self, *arguments, **settings):
        self.calls -= 1
        if self.calls == 0:
            raise MemoryError("full")
        return self.function(*arguments, **settings)


def test_an_array_that_does_not_fit(backend, monkeypatch):
    kept = lamina.tensor([1.0])
    model = lamina.Sequential([layers.Dense(1, input_shape=(2,))])
    for name in ("from_host", "adopt_host"):
        monkeypatch.setattr(backend, name, Full(getattr(backend, name), 1))
    with pytest.raises(OutOfMemoryError, match=r"for a copy of an array, which makes float32 of shape \(2,\): 8 bytes"):
        lamina.tensor([1.0, 2.0])
    monkeypatch.setattr(backend, "adopt_host", Full(None, 1))
    with pytest.raises(OutOfMemoryError, match="for a batch of data"):
        model.predict(np.ones((2, 2), np.float32))
    assert kept.tolist() == [1.0]


def test_a_tensor_that_cannot_move_stays(backend, monkeypatch):
    here(*BACKENDS)
    x = lamina.tensor([1.0])
    other = find_backend("torch" if backend.name == "numpy" else "numpy")
    monkeypatch.setattr(other, "from_dlpack", Full(None, 1))
    with on_backend(other), pytest.raises(OutOfMemoryError, match=f"'{other.name}' has not enough memory"):
        x + lamina.tensor([2.0])
    assert x.backend is backend
    assert get_backend() is backend


def trained(steps, replay=True):
    lamina.random.set_seed(3)
    model = lamina.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(1)])
    model.compile("adam", "mean_squared_error", run_eagerly=not replay)
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
    return model, x, [model.train_on_batch(x, x[:, :1]) for _ in range(steps)]


@pytest.mark.parametrize("call", [1, 2, 5, 12])
def test_a_step_that_does_not_fit_changes_nothing_and_the_next_one_goes_on(call, backend, monkeypatch):
    _, x, expected = trained(6, replay=False)
    model, x, losses = trained(4, replay=False)
    kept = [*model.weights, *model.optimizer.variables]
    before = [v.numpy().copy() for v in kept]
    with monkeypatch.context() as full:
        kernels = dict(backend.kernels.functions)
        count = Full(lambda: None, call)

        def counted(function):
            def kernel(*arrays, **attrs):
                count()
                return function(*arrays, **attrs)

            return kernel

        full.setattr(backend.kernels, "functions", {name: counted(kernels[name]) for name in kernels})
        with pytest.raises(OutOfMemoryError):
            model.train_on_batch(x, x[:, :1])
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    losses += [model.train_on_batch(x, x[:, :1]) for _ in range(2)]
    np.testing.assert_array_equal(losses, expected)


def test_a_recorded_step_that_does_not_fit(backend, monkeypatch):
    _, x, expected = trained(6)
    model, x, losses = trained(4)
    (program,) = model._step("train").programs
    (entry,) = [e for e in model._step("train")._entries.values() if e.program is program]
    with monkeypatch.context() as full:
        full.setattr(entry, "executable", Full(None, 1))
        entry.executable.updates_in_place = True
        with pytest.raises(OutOfMemoryError, match="for the recorded step"):
            model.train_on_batch(x, x[:, :1])
    losses += [model.train_on_batch(x, x[:, :1]) for _ in range(2)]
    np.testing.assert_array_equal(losses, expected)

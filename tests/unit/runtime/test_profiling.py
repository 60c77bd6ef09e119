"""What profile, time and memory tell."""

from __future__ import annotations

import gc

import pytest

import lamina
from lamina.contract import Backend
from lamina.errors import ArgumentTypeError
from lamina.runtime.backends import on_backend
from lamina.runtime.listeners import listeners
from lamina_numpy.backend import NumPyBackend


def made(name):
    """A backend of its own; skips the test where its library is missing."""
    if name == "torch":
        pytest.importorskip("torch")
        from lamina_torch.backend import TorchBackend

        return TorchBackend("cpu")
    return NumPyBackend(device="cpu")


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    with on_backend(made(request.param)) as found:
        yield found


def test_kernels_come_in_order_with_shapes_bytes_and_times(backend):
    x = lamina.ones((4, 3))
    seen = lamina.profile(lambda: lamina.relu(x @ lamina.transpose(x)))
    assert [record.name for record in seen.kernels] == ["transpose", "matmul", "relu"]
    product = seen.kernels[1]
    assert product.input_shapes == ((4, 3), (3, 4))
    assert product.output_shapes == ((4, 4),)
    assert product.bytes == 64
    assert all(record.milliseconds > 0 for record in seen.kernels)
    assert sum(record.milliseconds for record in seen.kernels) == pytest.approx(seen.kernel_ms)
    assert seen.kernel_ms < seen.wall_ms
    assert seen.result.tolist() == [[3.0] * 4] * 4


def test_names_come_once(backend):
    x = lamina.ones((2,))
    assert lamina.profile(lambda: x + x + lamina.exp(x)).kernel_names == ("add", "exp")


def test_what_stays_is_counted_and_what_goes_is_in_the_peak(backend):
    x = lamina.ones((100,))
    seen = lamina.profile(lambda: lamina.negative(lamina.negative(x)))
    assert (seen.new_tensors, seen.new_bytes) == (1, 400)
    assert seen.peak_bytes >= lamina.memory().bytes + 400


def test_views_take_no_bytes(backend):
    x = lamina.ones((10, 10))
    seen = lamina.profile(lambda: lamina.reshape(x, (100,)))
    assert (seen.new_tensors, seen.new_bytes) == (1, 0)


def test_a_replay_is_one_entry_with_its_number_of_instructions(backend):
    @lamina.function
    def step(x):
        return lamina.sum(lamina.tanh(x))

    x = lamina.ones((2, 3))
    for _ in range(2):
        step(x)
    (record,) = lamina.profile(lambda: step(x)).kernels
    assert record.name == "step"
    assert record.instructions == 2
    assert record.input_shapes == ((2, 3),)
    assert record.output_shapes == ((),)


def test_with_replay_turned_off_a_step_shows_its_kernels(monkeypatch):
    @lamina.function
    def step(x):
        return lamina.sum(lamina.tanh(x))

    monkeypatch.setenv("LAMINA_REPLAY", "off")
    x = lamina.ones((2,))
    assert lamina.profile(lambda: step(x)).kernel_names == ("tanh", "sum")


def test_a_step_inside_a_gradient_is_profiled_by_its_kernels():
    step = lamina.function(lambda x: lamina.sum(lamina.tanh(x)))
    x = lamina.ones((2,))
    for _ in range(3):
        step(x)
    assert "tanh" in lamina.profile(lambda: lamina.grad(step)(x)).kernel_names


def test_fit_is_profiled_by_its_replays():
    model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mean_squared_error")
    x, y = lamina.ones((8, 2)), lamina.ones((8, 1))
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    seen = lamina.profile(lambda: model.fit(x, y, batch_size=4, epochs=1, verbose=0))
    assert len([record for record in seen.kernels if record.instructions]) >= 2


class _Waiting(NumPyBackend):
    """Counts how often its device was waited for."""

    waits = 0

    def synchronize(self) -> None:
        type(self).waits += 1


def test_the_device_is_waited_for_around_each_kernel():
    with on_backend(_Waiting()):
        x = lamina.ones((2,))
        _Waiting.waits = 0
        lamina.time(lambda: x + x)
        assert _Waiting.waits == 3
        _Waiting.waits = 0
        _ = x + x
        assert _Waiting.waits == 0


def test_nobody_listens_afterwards_even_if_the_function_fails():
    with pytest.raises(ZeroDivisionError):
        lamina.profile(lambda: 1 / 0)
    assert listeners() == ()


def test_the_table_has_a_line_for_each_call_and_a_sum():
    x = lamina.ones((2,))
    head, call, total = str(lamina.profile(lambda: x + x)).splitlines()
    assert head.split() == ["kernel", "inputs", "outputs", "bytes", "ms"]
    assert call.startswith("add     (2,) (2,)  (2,)     8")
    assert total.startswith("1 calls, ")


@pytest.mark.parametrize("function", [lamina.profile, lamina.time])
def test_what_cannot_be_called_is_refused(function):
    with pytest.raises(ArgumentTypeError, match=r"\(fn\): fn is of type Tensor"):
        function(lamina.ones((2,)))


def test_time_counts_the_kernels_in_the_whole(backend):
    x = lamina.ones((50, 50))
    taken = lamina.time(lambda: x @ x)
    assert 0 < taken.kernel_ms < taken.wall_ms


def test_memory_counts_tensors_variables_and_bytes(backend):
    before = lamina.memory()
    x = lamina.ones((10,))
    views = [lamina.reshape(x, (2, 5)), x]
    variable = lamina.Variable(lamina.zeros((5,)))
    after = lamina.memory()
    assert after.variables - before.variables == 1
    assert after.tensors - before.tensors == 3
    assert after.buffers - before.buffers == 2
    assert after.bytes - before.bytes == 60
    del x, views, variable
    gc.collect()
    assert lamina.memory().tensors <= before.tensors


def test_memory_is_that_of_the_active_backend():
    with on_backend(made("torch")):
        before = lamina.memory().bytes
        with on_backend(NumPyBackend()):
            kept = lamina.ones((10,))
        assert lamina.memory().bytes == before
    assert kept.shape == (10,)


def test_memory_says_what_it_could_not_count():
    with on_backend(NumPyBackend()):
        assert lamina.memory().reliable
        words = lamina.tensor(["a", "b"])
        found = lamina.memory()
        assert not found.reliable
        assert "strings" in found.reasons[0]
        assert words.shape == (2,)


def test_memory_admits_that_a_backend_cannot_tell_views_apart(monkeypatch):
    with on_backend(NumPyBackend()):
        monkeypatch.setattr(NumPyBackend, "buffer_of", Backend.buffer_of)
        kept = lamina.ones((10,))
        found = lamina.memory()
        assert found.bytes >= 40
        assert "cannot say which arrays share memory" in found.reasons[0]
        assert kept.shape == (10,)


def test_what_is_put_aside_from_the_collector_is_admitted():
    gc.freeze()
    try:
        assert "gc.freeze()" in lamina.memory().reasons[0]
    finally:
        gc.unfreeze()

"""Torch's devices: which there are, and that nothing goes between host and device while kernels run.

``meta`` is a device of torch's whose tensors have no values: reading one there is an error, and so is a tensor of the
host beside one of the device. What runs on it waits for no device and copies nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, losses, optimizers
from lamina.autodiff.gradients import gradients_of_variables
from lamina.errors import BackendNotAvailableError
from lamina.testing.table import Case, all_cases

torch = pytest.importorskip("torch")
from lamina_torch import host  # noqa: E402 - only where there is a torch

CASES = [c for c in all_cases() if not c.raises and "string" not in c.dtypes and c.replayed]
AT_HAND = ("random_", "take", "gather", "scatter", "flat_positions", "bias_correction", "lstm", "max_pool", "one_hot")
"""Beginnings of the names of ops whose kernels go another way where values are at hand."""


@pytest.mark.parametrize("name", ["nonsense", "cuda:x", "cuda:99", "cpu:cpu"])
def test_a_device_that_torch_does_not_have(name: str) -> None:
    before = lamina.get_backend()
    with pytest.raises(BackendNotAvailableError, match=f"(?s)no device '{name}'.*Expected one of cpu"):
        lamina.set_backend("torch", device=name)
    assert lamina.get_backend() is before


def test_a_device_of_another_kind_is_torchs_to_judge() -> None:
    with lamina.backend_scope("torch", device="meta"):
        x = lamina.ones((2, 3))
        assert (x.device, (x @ x.T).shape) == ("meta", (2, 2))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernels_read_no_values_and_stay_on_their_device(case: Case) -> None:
    with lamina.backend_scope("torch", device="meta"):
        backend = lamina.get_backend()
        found = case.call(case.tensors(backend, case.arrays("float32")))
    for tensor in found if isinstance(found, (tuple, list)) else [found]:
        if isinstance(tensor, lamina.Tensor) and tensor.dtype != "string":
            assert tensor._array.device.type == "meta"


def images() -> tuple[Any, tuple[int, ...]]:
    return [
        layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.Activation("relu"),
        layers.MaxPooling2D(), layers.AveragePooling2D(), layers.Flatten(), layers.Dropout(0.3), layers.Dense(3),
    ], (8, 8, 2)  # fmt: skip


def sequences() -> tuple[Any, tuple[int, ...]]:
    return [layers.LSTM(5, return_sequences=True), layers.GRU(4), layers.GaussianNoise(0.1), layers.Dense(3)], (6, 2)


def words() -> tuple[Any, tuple[int, ...]]:
    return [layers.Embedding(7, 4), layers.LayerNormalization(), layers.GlobalMaxPooling1D(), layers.Dense(3)], (6,)


@pytest.mark.parametrize("optimizer", [optimizers.Adam, optimizers.SGD, optimizers.RMSprop], ids=lambda o: o.__name__)
@pytest.mark.parametrize("network", [images, sequences, words], ids=lambda n: n.__name__)
def test_a_recorded_training_step_reads_no_values(network: Any, optimizer: Any) -> None:
    with lamina.backend_scope("torch", device="cpu"):
        program = recorded(network, optimizer(0.01))
    with lamina.backend_scope("torch", device="meta"):
        backend = lamina.get_backend()
        executable = backend.load(program)
        of = {slot: backend.from_host(np.zeros(spec.shape, spec.dtype)) for slot, spec in enumerate(program.slots)}
        state = [of[slot] for slot in program.state]
        for _ in range(2):
            (loss,), _ = executable([of[slot] for slot in program.inputs], state)
            assert loss.device.type == "meta"


def recorded(network: Any, rule: Any) -> Any:
    """The program of a training step."""
    parts, shape = network()
    kind = np.int32 if network is words else np.float32
    model = lamina.Sequential([lamina.Input(shape, dtype=np.dtype(kind).name), *parts])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    rule.build(model.trainable_variables)

    @lamina.function
    def step(x: Any, y: Any) -> Any:
        value, pairs = gradients_of_variables(lambda: loss(y, model(x, training=True)), model.trainable_variables)
        rule.apply_gradients([(gradient, variable) for variable, gradient in pairs])
        return value

    for _ in range(2):
        step(lamina.tensor(np.ones((4, *shape), kind)), lamina.tensor(np.zeros(4, np.int32)))
    (program,) = step.programs
    return program


@pytest.mark.parametrize("case", [c for c in CASES if c.op.split(".")[-1].startswith(AT_HAND)], ids=str)
def test_the_ways_of_devices_give_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with lamina.backend_scope("torch", device="cpu"):
        backend = lamina.get_backend()
        inputs = case.tensors(backend, case.arrays("float32"))
        expected = case.call(inputs)
        monkeypatch.setattr(host, "on_host", lambda x: False)
        found = case.call(inputs)
    for one, other in zip(*(f if isinstance(f, (tuple, list)) else [f] for f in (found, expected)), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)

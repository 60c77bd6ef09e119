"""Recorded steps as CUDA graphs, over a stand-in that captures calls on a CPU; torch's own has not run here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from lamina_torch import executable, graphs, host  # noqa: E402 - only where there is a torch
from lamina_torch.lowering import lower  # noqa: E402

X = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)


READS = (torch.ops.aten.item.default, torch.ops.aten._local_scalar_dense.default)


def refuse(*arguments: Any) -> None:
    """What a device says to who reads a value in a capture."""
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")


class Calls(TorchDispatchMode):
    """Keeps torch's calls, each with its very tensors, and takes back what they wrote: a capture computes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[Any, Any, Any, Any]] = []
        self.before: dict[int, tuple[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in READS:
            refuse()
        given = [x.untyped_storage() for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        for storage in given:
            self.before.setdefault(storage.data_ptr(), (storage, storage.clone()))
        found = func(*args, **(kwargs or {}))
        self.made.append((func, args, kwargs or {}, found))
        return found

    def undo(self) -> None:
        for storage, old in self.before.values():
            storage.copy_(old)

    def launch(self) -> None:
        for func, args, kwargs, kept in self.made:
            found = func(*args, **kwargs)
            for old, new in zip(tree_leaves(kept), tree_leaves(found), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class StandIn:
    """Captures on a CPU; counts what it is asked for."""

    made: list[StandIn] = []

    def __init__(self, device: Any) -> None:
        self.aside_count = self.taken_count = self.launched_count = 0
        self.made.append(self)

    def aside(self, function: Callable[[], Any]) -> Any:
        self.aside_count += 1
        return function()

    def take(self, function: Callable[[], Any]) -> Any:
        self.taken_count += 1
        calls = Calls()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("tolist", "numpy", "cpu"):
                patch.setattr(torch.Tensor, name, refuse)
            try:
                with calls:
                    result = function()
            finally:
                calls.undo()

        def launch() -> None:
            self.launched_count += 1
            calls.launch()

        return launch, result


@pytest.fixture(autouse=True)
def on_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Steps as they are for a device: on a CPU kernels read values."""
    monkeypatch.setattr(StandIn, "made", [])
    monkeypatch.setattr(host, "on_host", lambda x: False)
    monkeypatch.setattr(executable, "lower", lambda program, own, device: lower(program, own, "cuda"))
    with lamina.backend_scope("torch", device="cpu"):
        yield


def captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps become graphs from here on."""
    monkeypatch.setattr(graphs, "are_wanted", lambda device: True)
    monkeypatch.setattr(graphs, "CudaCapture", StandIn)


def trained(change: Callable[[Any], None] = lambda model: None) -> tuple[list[float], list[Any]]:
    """Losses and weights of a network with dropout, statistics and a schedule, changed between epochs."""
    lamina.random.set_seed(4)
    rate = lamina.optimizers.schedules.ExponentialDecay(0.05, 2, 0.8)
    model = lamina.Sequential(
        [
            layers.Dense(8, activation="relu", input_shape=(6,)),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(2),
        ]
    )
    loss = lamina.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(lamina.optimizers.Adam(rate), loss, metrics=["accuracy"])
    losses = []
    for _ in range(3):
        losses += model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
        change(model)
    return losses, [*model.get_weights(), model.predict(X, verbose=0)]


def changed(model: Any) -> None:
    """Other memory for each weight."""
    for weight in model.trainable_weights:
        weight.assign(weight.numpy() * 0.9)


@pytest.mark.parametrize("change", [lambda model: None, changed])
def test_training_is_the_same_bit_for_bit(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> None:
    losses, weights = trained(change)
    captured(monkeypatch)
    again, found = trained(change)
    assert again == losses
    for one, other in zip(weights, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert sum(graph.launched_count for graph in StandIn.made) > 8


def test_an_optimizer_without_a_schedule_follows_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    def weights() -> Any:
        model = lamina.Sequential([layers.Dense(2, kernel_initializer="ones", input_shape=(6,))])
        model.compile("sgd", "mse")
        for rate in (0.1, 0.1, 0.1, 0.01, 0.2):
            model.optimizer.learning_rate = rate
            model.train_on_batch(X, X[:, :2])
        return model.get_weights()[0]

    plain = weights()
    captured(monkeypatch)
    np.testing.assert_array_equal(weights(), plain)


def step_of(w: Any) -> Any:
    @lamina.function
    def step(x: Any) -> Any:
        w.assign(w + x)
        return w * 2.0, x - 1.0

    return step


def test_inputs_are_copied_in_and_outputs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    captured(monkeypatch)
    w = lamina.Variable([0.0, 0.0])
    step = step_of(w)
    results = [step(lamina.tensor([float(n), 1.0])) for n in range(7)]
    assert [(a.tolist(), b.tolist()) for a, b in results] == [
        ([n * (n + 1.0), 2.0 * n + 2.0], [n - 1.0, 0.0]) for n in range(7)
    ]
    assert w.numpy().tolist() == [21.0, 7.0]
    (graph,) = StandIn.made
    assert (graph.aside_count, graph.taken_count, graph.launched_count) == (1, 1, 6)
    assert "one CUDA graph" in step.explain()


def test_a_graph_belongs_to_the_memory_of_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    captured(monkeypatch)
    step = step_of(lamina.Variable([0.0, 0.0]))
    one = lamina.tensor([1.0, 1.0])
    for _ in range(2):
        step(one)
    executable = lamina.get_backend().load(step.programs[0])
    first, second = [torch.zeros(2)], [torch.full((2,), 10.0)]
    for state in (first, second, first):
        for _ in range(4):
            (double, _), written = executable([torch.ones(2)], state)
            assert (double.tolist(), written) == ([2.0 * state[0][0]] * 2, [])
    assert (first[0].tolist(), second[0].tolist()) == ([8.0, 8.0], [14.0, 14.0])


@pytest.mark.parametrize("read", [lambda x: x.item(), lambda x: x.tolist()])
def test_what_cannot_be_captured_runs_plainly_with_one_warning(monkeypatch: pytest.MonkeyPatch, read: Any) -> None:
    captured(monkeypatch)
    call = executable.TorchExecutable.__call__

    def reading(self: Any, inputs: Any, state: Any) -> Any:
        result = call(self, inputs, state)
        read(inputs[0].sum())
        return result

    monkeypatch.setattr(executable.TorchExecutable, "__call__", reading)
    w = lamina.Variable([0.0, 0.0])
    step = step_of(w)
    with pytest.warns(UserWarning, match=r"cannot be a CUDA graph \(CUDA error: .* capturing\)") as caught:
        found = [step(lamina.tensor([1.0, 1.0]))[0].tolist() for _ in range(6)]
    assert len(caught) == 1
    assert found == [[2.0 * n] * 2 for n in range(1, 7)]
    assert "no CUDA graph" in step.explain()


@pytest.mark.parametrize(
    ("device", "value", "wanted"), [("cuda", "1", True), ("cuda", "0", False), ("cpu", "1", False)]
)
def test_who_gets_them(monkeypatch: pytest.MonkeyPatch, device: str, value: str, wanted: bool) -> None:
    monkeypatch.setenv(graphs.VARIABLE, value)
    assert graphs.are_wanted(torch.device(device)) == wanted

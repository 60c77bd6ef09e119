"""``jit_compile=True`` on Torch: the whole step as one graph, or the normal step and a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers

torch = pytest.importorskip("torch")
compiled = pytest.importorskip("lamina_torch.compiled")

X = np.random.default_rng(0).normal(size=(48, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with lamina.backend_scope("torch", device="cpu"):
        yield


def dense() -> list[Any]:
    return [layers.Dense(8, activation="relu"), layers.Dropout(0.2, seed=1)]


def normalized() -> list[Any]:
    return [layers.Reshape((6, 1)), layers.Conv1D(4, 3), layers.BatchNormalization(), layers.Flatten()]


def recurrent() -> list[Any]:
    return [layers.Reshape((3, 2)), layers.LSTM(4, return_sequences=True), layers.GRU(3), layers.LayerNormalization()]


def rates() -> Any:
    return lamina.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9)


def trained(network: Any = dense, rate: Any = lambda: 0.01, **settings: Any) -> tuple[list[Any], Any]:
    lamina.utils.set_random_seed(3)
    model = lamina.Sequential([lamina.Input((6,)), *network(), layers.Dense(2)])
    loss = lamina.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(lamina.optimizers.Adam(rate(), epsilon=1e-3), loss, metrics=["accuracy"], **settings)
    history = model.fit(X, Y, batch_size=16, epochs=4, shuffle=False, verbose=0).history
    return model.get_weights(), history


def traced(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """The sizes of graphs that torch's compiler makes, and an entry for each call; they run as they were traced."""
    sizes: list[int] = []
    calls: list[int] = []

    def graph_of(module: Any, inputs: Any) -> Any:
        sizes.append(len(module.graph.nodes))
        return lambda *arguments: calls.append(1) or module.forward(*arguments)

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda f, mode, **kept: real(f, backend=graph_of, **kept))
    return sizes, calls


@pytest.mark.parametrize(
    ("network", "rate"), [(dense, lambda: 0.01), (dense, rates), (normalized, rates), (recurrent, rates)]
)
def test_the_whole_step_is_one_graph_and_trains_the_same(
    monkeypatch: pytest.MonkeyPatch, network: Any, rate: Any
) -> None:
    """Traced by torch's compiler, with ``fullgraph``: no C++ compiler is needed for that."""
    sizes, calls = traced(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ours, history = trained(network, rate, jit_compile=True)
    monkeypatch.undo()
    expected, normal = trained(network, rate)
    assert len(sizes) == 1  # one graph, for all batches are alike
    assert sizes[0] > 50
    assert len(calls) >= 12
    np.testing.assert_allclose(history["loss"], normal["loss"], rtol=1e-5)
    assert history["accuracy"] == normal["accuracy"]
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_any_number_of_steps_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one function, torch makes eight graphs and no more."""
    sizes, _ = traced(monkeypatch)
    for number in range(10):
        step = lamina.replay.CompiledStep(lambda x, number=number: x + float(number), jit_compile=True)
        assert [step(lamina.tensor([1.0])).tolist() for _ in range(3)] == [[1.0 + number]] * 3
    assert len(sizes) == 10


def test_without_a_compiler_the_normal_step_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(f: Any, **settings: Any) -> Any:
        def call(*arguments: Any) -> Any:
            raise torch._dynamo.exc.TorchDynamoException("there is no C++ compiler.\nAnd so on.")

        return call

    monkeypatch.setattr(torch, "compile", refusing)
    with pytest.warns(UserWarning, match="no C\\+\\+ compiler.*runs as without jit_compile") as caught:
        ours, history = trained(jit_compile=True)
    assert len([w for w in caught if "jit_compile" in str(w.message)]) == 1
    expected, normal = trained()
    assert history == normal
    assert all(np.array_equal(one, other) for one, other in zip(ours, expected, strict=True))


def test_swapped_and_returned_state_is_as_before_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda f, **settings: f)
    a, b = lamina.Variable([1.0, 2.0]), lamina.Variable([3.0, 4.0])

    def swap(x: Any) -> Any:
        old = a.value
        a.assign(b.value)
        b.assign(old)
        return old, x

    step = lamina.replay.CompiledStep(swap, jit_compile=True)
    found = [step(lamina.tensor([float(i)])) for i in range(4)]
    assert [f[0].tolist() for f in found] == [[1.0, 2.0], [3.0, 4.0]] * 2
    assert [f[1].tolist() for f in found] == [[0.0], [1.0], [2.0], [3.0]]
    assert (a.numpy().tolist(), b.numpy().tolist()) == ([1.0, 2.0], [3.0, 4.0])


def test_others_run_their_steps_as_always() -> None:
    with lamina.backend_scope("numpy"):
        assert trained(jit_compile=True)[1] == trained()[1]


def test_only_training_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    real = compiled.CompiledExecutable
    monkeypatch.setattr(torch, "compile", lambda f, **settings: f)
    monkeypatch.setattr(compiled, "CompiledExecutable", functools.partial(lambda *a: made.append(1) or real(*a)))
    model = lamina.Sequential([layers.Dense(1, input_shape=(6,))])
    model.compile("sgd", "mse", jit_compile=True)
    model.predict(X, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert made == []
    model.fit(X, Y, verbose=0, epochs=2)
    assert made

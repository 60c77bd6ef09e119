"""What NumPy rewrites in a program: the same results, with each rewrite and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, structures
from lamina.models import Sequential
from lamina.program import Program, optimize
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import find_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec
from lamina.utils import set_random_seed
from lamina_numpy.executable import NumPyExecutable
from lamina_numpy.kernels.activation import kernels as activations
from lamina_numpy.kernels.reduction import kernels as reductions
from lamina_numpy.kernels.training import bind_adam_update
from lamina_numpy.memory import side_by_side
from lamina_numpy.passes import REWRITES
from lamina_numpy.pools_first import pools_first
from lamina_numpy.scratch import scratch


def _record(function: Any, *tensors: Tensor) -> Program:
    recorder = Recorder(list(tensors))
    with listening(recorder):
        results = function()
    return optimize(recorder.program([t for t in structures.flatten(results) if isinstance(t, Tensor)]))


def _ops(program: Program) -> list[str]:
    return [i.op for i in program.instructions]


def _images() -> Sequential:
    return Sequential(
        [
            layers.Input((9, 9, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(3, 2, activation="relu", padding="same"),
            layers.MaxPooling2D(3, strides=1, padding="same"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


@pytest.mark.parametrize("name", [*REWRITES, "lanes"])
def test_models_train_alike_without_each_rewrite(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 9, 9, 2)).astype("f4"), rng.integers(0, 3, 12)
    found = []
    for without in (name, ""):
        monkeypatch.setenv("LAMINA_WITHOUT", without)
        set_random_seed(3)
        model = _images()
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        found.append([*model.get_weights(), model.predict(x, verbose=0)])
    for mine, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(mine, wanted, 1e-5, 1e-5)


def test_pools_come_before_biases_and_relus_forward_and_back() -> None:
    model = _images()
    x = lamina.tensor(np.random.default_rng(0).normal(size=(4, 9, 9, 2)).astype("f4"))
    plain = _record(lambda: lamina.variable_grads(lambda: model(x, training=True).sum()), x)
    turned = pools_first(plain)
    assert sorted(_ops(turned)) == sorted(_ops(plain))
    order = [op for op in _ops(turned) if op in ("convolution", "add", "relu", "window_max")]
    assert order[:8] == ["convolution", "window_max", "add", "relu"] * 2
    shapes = {turned.slots[i.outputs[0]].shape for i in turned.instructions if i.op in ("relu", "relu_gradient")}
    assert shapes == {(4, 3, 3, 4), (4, 3, 3, 3)}
    backward = [op for op in _ops(turned) if op in ("relu_gradient", "window_max_gradient")]
    assert backward == ["relu_gradient", "window_max_gradient"] * 2


@pytest.mark.parametrize("other", ["relu", "sum", "image"])
def test_chains_that_something_else_needs_stay(other: str) -> None:
    x = lamina.tensor(np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("f4"))
    bias = lamina.tensor(np.ones(3, "f4"))

    def step() -> Any:
        y = lamina.exp(x)
        total = y + (x if other == "image" else bias)
        active = lamina.relu(total)
        pooled = lamina.max_pool(active, 2, 2)
        return pooled, *({"relu": [active], "sum": [lamina.sin(total)], "image": []}[other])

    program = _record(step, x)
    assert pools_first(program) == program


def test_no_rewrite_is_done_of_a_program_that_is_to_run_as_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = _images(), lamina.tensor(np.ones((2, 9, 9, 2), "f4"))
    program = _record(lambda: model(x), x)
    backend = find_backend("numpy")
    monkeypatch.setenv("LAMINA_REPLAY", "nopasses")
    executable = NumPyExecutable(program, backend.kernels)
    assert _ops(executable._lanes.program)[:4] == ["convolution", "add", "relu", "window_max"]


@pytest.mark.parametrize("shape", [(3, 4), (40, 1000)])
def test_the_gradient_of_relu_is_nothing_at_zeros_of_either_sign(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    dy, y = rng.normal(size=(2, *shape)).astype("f4")
    y.flat[:2] = 0.0, -0.0
    specialize = activations.entries["relu_gradient"].specialize
    assert specialize is not None
    kernel = specialize([Spec(shape, "float32")] * 2, [Spec(shape, "float32")], {})
    assert kernel is not None
    for given, by, out in ((dy, y, np.empty_like(y)), (dy.T.copy().T, y, np.empty_like(y)), (dy, y, dy.copy())):
        expected = np.where(by > 0, given, 0)
        for _ in range(2):
            kernel(given, by, out)
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_large_updates_in_blocks_on_threads_are_those_of_the_whole(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    settings = {"count": 1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    found = []
    for block in (1 << 30, 64):
        monkeypatch.setattr("lamina_numpy.kernels.training._BLOCK", block)
        monkeypatch.setattr("lamina_numpy.kernels.training._SHARED", block)
        monkeypatch.setattr("lamina_numpy.kernels.training.threads", lambda: count)
        rng = np.random.default_rng(0)
        p, g, m, v = (side_by_side([Spec((1000,), "float32")]) for _ in range(4))
        for array in (*p, *g, *m, *v):
            array[...] = np.abs(rng.normal(size=1000))
        bind_adam_update((np.asarray(np.float32(0.1)), *p, *g, *m, *v), [*p, *m, *v], settings)()
        found.append([*p, *m, *v])
    for mine, wanted in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_memory_to_compute_in_is_kept_unless_it_is_large() -> None:
    first = scratch("test", (4, 5), np.float32)
    assert np.shares_memory(first, scratch("test", (3,), np.float64))
    assert not np.shares_memory(first, scratch("other", (4, 5), np.float32))
    large = scratch("test", (64 << 20,), np.uint8)
    assert not np.shares_memory(large, scratch("test", (64 << 20,), np.uint8))


@pytest.mark.parametrize("op", ["sum", "mean"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((7,), (0,)), ((5, 3), (0,)), ((5, 3), (1,)), ((5, 3), (0, 1)), ((4, 60, 50, 3), (1, 2)), ((4, 6, 3), (0, 1))],
)
def test_sums_by_products_are_sums(op: str, keepdims: bool, shape: tuple[int, ...], axis: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    expected = np.asarray(getattr(np, op)(x.astype("f8"), axis, keepdims=keepdims), "f4")
    specialize = reductions.entries[op].specialize
    assert specialize is not None
    attrs = {"axis": axis, "keepdims": keepdims}
    kernel = specialize([Spec(shape, "float32")], [Spec(expected.shape, "float32")], attrs)
    assert kernel is not None
    for given in (x, np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]):
        out = np.empty_like(expected)
        kernel(given, out)
        np.testing.assert_allclose(out, expected, 1e-5, 1e-5)

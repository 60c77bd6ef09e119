"""Models on several backends in one process: moved in the middle of training, and trained side by side."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import warnings

import numpy as np
import pytest

import lamina
from backends_here import here
from lamina import layers
from lamina.runtime.backends import find_backend

PAIRS = [("numpy", "torch"), ("torch", "numpy"), ("numpy", "array_api_strict")]


def data(count=64):
    random = np.random.default_rng(3)
    x = random.normal(size=(count, 6, 6, 2)).astype("float32")
    return x, (x.mean((1, 2)) @ [2.0, -1.0] > 0).astype("int32")


def model(optimizer="adam"):
    lamina.random.set_seed(7)
    made = lamina.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    made.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def steps(made, count, start=0):
    x, y = data()
    found = []
    for i in range(start, start + count):
        rows = slice(8 * (i % 8), 8 * (i % 8) + 8)
        found.append(made.train_on_batch(x[rows], y[rows]))
    return np.array(found)


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_a_model_moves_in_the_middle_of_training_and_goes_on(first, second, optimizer):
    here(first, second)
    with lamina.backend_scope(first):
        stays, moves = model(optimizer), model(optimizer)
        np.testing.assert_array_equal(steps(stays, 5), steps(moves, 5))
        moves.to(second)
        assert {v.backend.name for v in moves.state_variables()} == {second}
        on_one, on_other = steps(stays, 20, 5), steps(moves, 20, 5)
        np.testing.assert_allclose(on_other, on_one, rtol=1e-5, atol=1e-5)
        for a, b in zip(stays.get_weights(), moves.get_weights(), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
        moves.to(first)
        np.testing.assert_allclose(steps(moves, 3, 25), steps(stays, 3, 25), rtol=1e-4, atol=1e-5)
        assert lamina.get_backend().name == first


def trained(backend, losses, number):
    with lamina.backend_scope(backend):
        losses[number] = steps(model(), 12)


@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("numpy", "numpy"), ("torch", "torch")])
def test_two_models_train_in_two_threads_as_they_do_one_after_the_other(first, second):
    if first != second:
        here(first, second)
    else:
        here(first, "array_api_strict")
    serial, parallel = {}, {}
    for number, backend in enumerate((first, second)):
        trained(backend, serial, number)
    before = lamina.get_backend()
    lock = threading.Lock()

    def work(number, backend):
        with lock, lamina.backend_scope(backend):  # set_seed is the process's: models are made one after the other
            made = model()
        with lamina.backend_scope(backend):
            parallel[number] = steps(made, 12)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lamina.get_backend() is before
    for number in (0, 1):
        np.testing.assert_array_equal(parallel[number], serial[number])


def test_tasks_have_backends_of_their_own():
    here("numpy", "array_api_strict")
    seen = {}

    async def task(name, other):
        with lamina.backend_scope(name):
            for _ in range(5):
                await asyncio.sleep(0)
                seen.setdefault(name, set()).add(lamina.ones((1,)).backend.name)

    async def both():
        await asyncio.gather(task("numpy", None), task("array_api_strict", None))

    asyncio.run(both())
    assert seen == {"numpy": {"numpy"}, "array_api_strict": {"array_api_strict"}}


def test_a_move_that_fails_changes_nothing():
    made = model()
    steps(made, 2)
    before = made.get_weights()
    with pytest.raises(lamina.errors.BackendNotAvailableError):
        made.to("nobody")
    with pytest.raises(lamina.errors.LaminaError):
        made.to("numpy", device="cuda:9")
    assert {v.backend for v in made.state_variables()} == {find_backend("numpy")}
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_move_that_fails_half_way_changes_nothing(monkeypatch):
    """The other device is full when the third of the Variables comes."""
    here("numpy", "torch")
    made = model()
    steps(made, 2)
    before = [v.numpy() for v in made.state_variables()]
    other, calls = find_backend("torch"), iter(range(1, 100))
    take = other.from_dlpack

    def full(array):
        if next(calls) == 3:
            raise MemoryError
        return take(array)

    monkeypatch.setattr(other, "from_dlpack", full)
    with pytest.raises(lamina.errors.OutOfMemoryError, match="'torch' has not enough memory"):
        made.to("torch")
    assert {v.backend.name for v in made.state_variables()} == {"numpy"}
    for variable, value in zip(made.state_variables(), before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    made.to("torch")
    assert {v.backend.name for v in made.state_variables()} == {"torch"}


def test_a_move_takes_weights_slots_metrics_and_random_streams_as_they_are():
    here("numpy", "torch")
    made = model()
    steps(made, 3)
    parts = {
        "weights": made.weights,
        "slots": made.optimizer.variables,
        "metrics": [v for metric in made.metrics for v in metric.variables],
        "all": made.state_variables(),
    }
    before = {part: [v.numpy().copy() for v in found] for part, found in parts.items()}
    assert len(before["all"]) > sum(len(found) for part, found in before.items() if part != "all")  # random streams
    made.to("torch", device="cpu")
    for part, found in parts.items():
        assert found, part
        assert {(v.backend.name, v.backend.device) for v in found} == {("torch", "cpu")}
        for variable, value in zip(found, before[part], strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)


def test_tasks_train_on_backends_of_their_own_as_one_after_the_other():
    """Each task chooses by set_backend, and trains a step between those of the other."""
    names = here("numpy", "torch")
    serial: dict[int, np.ndarray] = {}
    for number, name in enumerate(names):
        trained(name, serial, number)
    before = lamina.get_backend()

    async def task(name):
        lamina.set_backend(name)
        made, found = model(), []
        for i in range(12):
            found.append(steps(made, 1, i)[0])
            await asyncio.sleep(0)
            assert lamina.get_backend().name == name
        return np.array(found)

    async def both():
        return await asyncio.gather(*map(task, names))

    for number, found in enumerate(asyncio.run(both())):
        np.testing.assert_array_equal(found, serial[number])
    assert lamina.get_backend() is before


def test_training_on_another_backend_leaves_what_is_the_processs_alone():
    here("numpy", "torch")
    import torch

    def state():
        return {
            "environment": dict(os.environ),
            "numpy errors": np.geterr(),
            "numpy printing": str(np.get_printoptions()),
            "numpy random": str(np.random.get_state()),  # noqa: NPY002 - the very state that must not change
            "random": random.getstate(),
            "filters": list(warnings.filters),
            "torch dtype": torch.get_default_dtype(),
            "torch device": str(torch.get_default_device()),
            "torch gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
            "torch threads": torch.get_num_threads(),
            "torch random": torch.random.get_rng_state().tolist(),
            "torch deterministic": torch.are_deterministic_algorithms_enabled(),
        }

    before = state()
    for name in ("torch", "numpy"):
        with lamina.backend_scope(name):
            made = model()
            steps(made, 4)
            made.to("numpy" if name == "torch" else "torch")
            steps(made, 4)
    assert state() == before

"""A layer of long short-term memory on Torch: by oneDNN or by a loop, and once in a recorded step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers

torch = pytest.importorskip("torch")
from lamina_torch import executable  # noqa: E402 - only where there is a torch
from lamina_torch.kernels import recurrent  # noqa: E402

GIVEN = ((3, 5, 4), (4, 8), (2, 8), (8,), (3, 2), (3, 2))
"""The shapes of inputs, kernel, recurrent kernel, bias, h and c."""


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with lamina.backend_scope("torch", device="cpu"):
        yield


def numbers(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(4)
    return [torch.from_numpy(rng.normal(size=shape).astype(np.float32)) for shape in shapes]


def trained(steps: int, units: int = 4, **settings: Any) -> tuple[list[Any], Any]:
    """The weights after some steps of training, and the model."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(24, steps, 3)).astype(np.float32)
    y = rng.normal(size=(24, 1)).astype(np.float32)
    model = lamina.Sequential([lamina.Input((steps, 3)), layers.LSTM(units, **settings), layers.Dense(1)])
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) * 0.3 for w in model.get_weights()])
    model.compile(lamina.optimizers.Adam(0.01), "mean_squared_error")
    model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return model.get_weights(), model


@pytest.mark.parametrize("training", [False, True])
def test_the_library_and_the_loop_agree(monkeypatch: pytest.MonkeyPatch, training: bool) -> None:
    given, dy = numbers(*GIVEN), numbers((3, 5, 2), (3, 2))
    whole = recurrent.lstm_forward(*given, training)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    looped = recurrent.lstm_forward(*given, training)
    found = [(whole[:2], looped[:2]), *([(whole[2](*dy), looped[2](*dy))] if training else [])]
    for ours, others in found:
        for one, other in zip(ours, others, strict=True):
            assert one.shape == other.shape
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
            assert not one.requires_grad


def test_gradients_are_kept_also_where_torch_keeps_none() -> None:
    given, dy = numbers(*GIVEN), numbers((3, 5, 2), (3, 2))
    expected = recurrent.lstm_gradient(*dy, *given)
    with torch.no_grad():
        found = recurrent.lstm_gradient(*dy, *given)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("settings", [{}, {"use_bias": False}, {"go_backwards": True}, {"dropout": 0.2, "seed": 1}])
def test_training_is_as_on_numpy(settings: dict[str, Any]) -> None:
    ours, _ = trained(6, **settings)
    with lamina.backend_scope("numpy"):
        expected, _ = trained(6, **settings)
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_recorded_step_runs_the_layer_once_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for name, function in list(executable.LOWERED.items()):

        def counted(*args: Any, name: str = name, function: Any = function, **settings: Any) -> Any:
            ran.append(name)
            return function(*args, **settings)

        monkeypatch.setitem(executable.LOWERED, name, counted)
    alone: list[int] = []
    forward = recurrent.lstm_forward
    monkeypatch.setattr(recurrent, "lstm_forward", lambda *a, **k: alone.append(1) or forward(*a, **k))
    _, model = trained(6)
    recorded = len(alone)
    assert model.fit(np.ones((8, 6, 3), np.float32), np.ones((8, 1), np.float32), verbose=0, epochs=5)
    assert len(alone) == recorded  # all further steps were replays
    assert ran.count("torch.lstm") == ran.count("torch.lstm_backward") > 10


def test_masked_sequences_and_other_activations_take_their_steps() -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    layer = layers.LSTM(5, recurrent_activation="hard_sigmoid")
    with lamina.backend_scope("numpy"):
        other = layers.LSTM(5, recurrent_activation="hard_sigmoid")
        other(x)
    layer(x)
    layer.set_weights(other.get_weights())
    mask = np.array([[True, True, False, True], [True, False, False, False]])
    with lamina.backend_scope("numpy"):
        expected = other(x, mask=mask).numpy()
    np.testing.assert_allclose(layer(x, mask=mask).numpy(), expected, rtol=1e-5, atol=1e-6)

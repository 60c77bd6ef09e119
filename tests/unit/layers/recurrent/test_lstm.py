"""LSTM against a loop of NumPy: sequences, states, directions, initial states, masks."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.autodiff.gradients import gradients_of_variables

X = np.random.default_rng(4).normal(size=(3, 5, 2)).astype(np.float32)
H, C = (np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32) for seed in (5, 6))
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 1]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(x, weights, h=None, c=None, *, mask=None, backwards=False):
    """All outputs in the order in which they come, and the last states."""
    kernel, recurrent, bias = weights
    h, c = (np.zeros((len(x), len(recurrent))) if s is None else s for s in (h, c))
    outputs = []
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        new_h = sigmoid(o) * np.tanh(new_c)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        h, c = np.where(keep, new_h, h), np.where(keep, new_c, c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def made(**settings):
    layer = layers.LSTM(4, **settings)
    layer(X)
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(size=w.shape) for w in layer.weights])
    return layer


def assert_near(found, expected):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_outputs_and_states(backwards, masked, started):
    layer = made(return_sequences=True, return_state=True, go_backwards=backwards)
    mask, states = MASK if masked else None, [H, C] if started else None
    sequence, h, c = layer(X, initial_state=states, mask=None if mask is None else lamina.tensor(mask))
    expected = reference(X, layer.get_weights(), *(states or ()), mask=mask, backwards=backwards)
    for found, wanted in zip((sequence, h, c), expected, strict=True):
        assert_near(found, wanted)


@pytest.mark.parametrize(("settings", "count"), [({}, 1), ({"return_sequences": True}, 1), ({"return_state": True}, 3)])
def test_what_is_returned(settings, count):
    layer = made(**settings)
    found = layer(X)
    sequence, h, c = reference(X, layer.get_weights())
    wanted = [sequence if settings.get("return_sequences") else h, h, c][:count]
    for one, other in zip(found if count > 1 else [found], wanted, strict=True):
        assert_near(one, other)


def test_initial_state_in_a_list_with_the_input():
    layer = made()
    assert_near(layer([X, H, C]), reference(X, layer.get_weights(), H, C)[1])


def test_initial_state_in_a_model(tmp_path):
    x, h, c = lamina.Input(shape=(5, 2)), lamina.Input(shape=(4,)), lamina.Input(shape=(4,))
    layer = made()
    model = lamina.Model([x, h, c], layer(x, initial_state=[h, c]))
    assert_near(model.predict([X, H, C]), reference(X, layer.get_weights(), H, C)[1])
    model.save(tmp_path / "model")
    loaded = lamina.load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict([X, H, C]), model.predict([X, H, C]))


def test_an_encoder_and_a_decoder():
    source, target = lamina.Input(shape=(5, 2)), lamina.Input(shape=(3, 2))
    encoder, decoder = made(return_state=True), made(return_sequences=True)
    _, h, c = encoder(source)
    model = lamina.Model([source, target], decoder(target, initial_state=[h, c]))
    _, h_end, c_end = reference(X, encoder.get_weights())
    expected = reference(X[:, :3], decoder.get_weights(), h_end, c_end)[0]
    assert_near(model.predict([X, X[:, :3]]), expected)


def test_the_bias_of_the_forget_gate_starts_at_one():
    layer = layers.LSTM(2)
    layer(X)
    assert layer.bias.numpy().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    plain = layers.LSTM(2, unit_forget_bias=False, bias_initializer="ones")
    plain(X)
    assert plain.bias.numpy().tolist() == [1] * 8


def test_without_bias():
    layer = layers.LSTM(4, use_bias=False)
    layer(X)
    assert [w.name.split("/")[-1] for w in layer.weights] == ["kernel", "recurrent_kernel"]
    kernel, recurrent = layer.get_weights()
    assert_near(layer(X), reference(X, (kernel, recurrent, np.zeros(16)))[1])


@pytest.mark.parametrize("setting", ["dropout", "recurrent_dropout"])
def test_dropout_only_in_training(setting):
    layer = made(**{setting: 0.5, "seed": 1})
    expected = reference(X, layer.get_weights())[1]
    assert_near(layer(X), expected)
    first, second = (layer(X, training=True).numpy() for _ in range(2))
    assert not np.allclose(first, expected)
    assert not np.allclose(first, second)


def test_the_other_recurrent_activation():
    layer = layers.LSTM(4, recurrent_activation="hardSigmoid")
    layer(X)
    kernel, _, bias = layer.get_weights()
    i, _, g, o = np.split(X[:, 0] @ kernel + bias, 4, axis=1)
    hard = lambda z: np.clip(0.2 * z + 0.5, 0, 1)  # noqa: E731
    c = hard(i) * np.tanh(g)
    assert_near(layer(X[:, :1]), hard(o) * np.tanh(c))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_many_steps_at_once_are_as_one_by_one(monkeypatch, backwards, training):
    layer = made(
        return_sequences=True, return_state=True, go_backwards=backwards, dropout=0.3, seed=1, kernel_regularizer="l2"
    )
    state = layer.seed_generators[0].state.numpy()

    def outputs_and_gradients(limit):
        monkeypatch.setattr("lamina.layers.recurrent.lstm.MANY_STEPS", limit)
        layer.seed_generators[0].state.assign(state)
        x = lamina.Variable(X)
        found = []

        def loss():
            found.extend(layer(x, initial_state=[H, C], training=training))
            return sum((ops.sum(ops.sin(y)) for y in found[1:]), ops.sum(ops.sin(found[0])))

        _, pairs = gradients_of_variables(loss, [x, *layer.trainable_weights])
        return [y.numpy() for y in (*found, *(gradient for _, gradient in pairs))]

    for one, other in zip(outputs_and_gradients(4), outputs_and_gradients(5), strict=True):
        assert_near(one, other)

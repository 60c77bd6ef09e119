"""Bidirectional: what both directions give, merged; states, masks, layers of one's own for the way back."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentError, ArgumentTypeError

GENERATOR = np.random.default_rng(5)
X = GENERATOR.normal(size=(3, 5, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]], bool)
MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda a, b: (a + b) / 2,
}


def near(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


def directions(wrapper, x, **call):
    """The output of each direction, in the order of time, and the states."""
    sequences = wrapper.return_sequences
    settings = {"return_state": True, "return_sequences": sequences, "zero_output_for_mask": sequences}
    pair = [layers.LSTM(3, **settings), layers.LSTM(3, go_backwards=True, **settings)]
    found = []
    states = call.pop("initial_state", None)
    for i, layer in enumerate(pair):
        layer(x)
        layer.set_weights(wrapper.get_weights()[3 * i : 3 * i + 3])
        start = None if states is None else states[2 * i : 2 * i + 2]
        found.append([y.numpy() for y in layer(x, initial_state=start, **call)])
    if sequences:
        found[1][0] = found[1][0][:, ::-1]
    return found


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("merge_mode", [*MERGES, None])
@pytest.mark.parametrize("masked", [False, True])
def test_merges(merge_mode, sequences, masked):
    wrapper = layers.Bidirectional(layers.LSTM(3, return_sequences=sequences), merge_mode)
    call = {"mask": lamina.tensor(MASK)} if masked else {}
    found = wrapper(X, **call)
    (ahead, *_), (back, *_) = directions(wrapper, X, **call)
    if merge_mode is None:
        near(found[0], ahead)
        near(found[1], back)
    else:
        near(found, MERGES[merge_mode](ahead, back))
    shapes = wrapper.compute_output_shape((None, 5, 2))
    real = [y.shape for y in found] if merge_mode is None else found.shape
    assert (shapes if merge_mode is None else [shapes]) == [(None, *s[1:]) for s in ([real] if merge_mode else real)]


@pytest.mark.parametrize("in_list", [False, True])
def test_states_in_and_out(in_list):
    wrapper = layers.Bidirectional(layers.LSTM(3, return_state=True))
    states = [GENERATOR.normal(size=(3, 3)).astype(np.float32) for _ in range(4)]
    found = wrapper([X, *states]) if in_list else wrapper(X, initial_state=states)
    (ahead, *first), (back, *second) = directions(wrapper, X, initial_state=states)
    near(found[0], np.concatenate([ahead, back], -1))
    for one, other in zip(found[1:], [*first, *second], strict=True):
        near(one, other)


def test_symbolic_states():
    x, target = lamina.Input((5, 2)), lamina.Input((None, 2))
    _, *states = layers.Bidirectional(layers.LSTM(3, return_state=True))(x)
    out = layers.Bidirectional(layers.LSTM(3))(target, initial_state=states)
    model = lamina.Model([x, target], out)
    assert model.predict([X, X[:, :2]], verbose=0).shape == (3, 6)


def test_masks_go_on_with_all_steps_only():
    x = lamina.tensor(X)
    mask = x._mask = lamina.tensor(MASK)
    assert layers.Bidirectional(layers.GRU(2, return_sequences=True))(x)._mask is mask
    assert layers.Bidirectional(layers.GRU(2))(x)._mask is None
    pair = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)(x)
    assert [y._mask for y in pair] == [mask, mask]


def test_names_and_copies():
    inner = layers.GRU(2, name="inner")
    wrapper = layers.Bidirectional(inner, name="both")
    wrapper(X)
    assert [w.name for w in wrapper.weights][::3] == ["both/forward_inner/kernel", "both/backward_inner/kernel"]
    assert not inner.built
    assert wrapper.forward_layer is not inner
    assert wrapper.get_config()["layer"]["config"]["name"] == "inner"


def test_another_layer_for_the_way_back(tmp_path):
    back = layers.LSTM(4, go_backwards=True, return_sequences=True, name="back")
    wrapper = layers.Bidirectional(layers.GRU(2, return_sequences=True), backward_layer=back)
    model = lamina.Sequential([lamina.Input((5, 2)), wrapper])
    expected = model.predict(X, verbose=0)
    assert expected.shape == (3, 5, 6)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(lamina.load_model(tmp_path / "model").predict(X, verbose=0), expected)


def test_stateful():
    wrapper = layers.Bidirectional(layers.GRU(2, stateful=True))
    first = wrapper(X).numpy()
    assert wrapper.stateful
    assert len(wrapper.carried_states) == 2
    assert np.abs(wrapper(X).numpy() - first).max() > 1e-4
    wrapper.reset_states()
    near(wrapper(X), first)


def test_frozen():
    wrapper = layers.Bidirectional(layers.GRU(2))
    wrapper(X)
    wrapper.trainable = False
    assert wrapper.trainable_weights == []


def test_eager_equals_replayed_for_a_single_example():
    wrapper = layers.Bidirectional(layers.GRU(2, return_sequences=True))
    wrapper(X)
    step = lamina.function(lambda x: wrapper(x))
    for _ in range(4):
        found = step(lamina.tensor(X[:1]))
    near(found, wrapper(X[:1]))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((layers.Dense(2),), ArgumentTypeError, "layer is"),
        ((3,), ArgumentTypeError, "layer is 3"),
        ((layers.LSTM(2), "middle"), ArgumentError, "merge_mode is 'middle'"),
    ],
)
def test_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        layers.Bidirectional(*arguments)


@pytest.mark.parametrize(
    ("settings", "match"), [({}, "go_backwards"), ({"go_backwards": True, "return_state": True}, "return_state")]
)
def test_a_way_back_that_does_not_fit(settings, match):
    with pytest.raises(ArgumentError, match=match):
        layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2, **settings))


def test_an_odd_number_of_states():
    with pytest.raises(ArgumentError, match="1 initial state"):
        layers.Bidirectional(layers.GRU(2))(X, initial_state=[np.zeros((3, 2), np.float32)])

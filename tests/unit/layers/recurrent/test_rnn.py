"""RNN: cells of one's own, stacked cells, masks, states from batch to batch, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Variable, layers, ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from lamina.serialization import custom_object_scope

GENERATOR = np.random.default_rng(3)
X = GENERATOR.normal(size=(4, 6, 3)).astype(np.float32)
MASK = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
KINDS = [layers.SimpleRNN, layers.GRU, layers.LSTM]


def near(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


class Leaky(layers.Layer):
    """A cell with two states of unequal sizes, whose output is neither."""

    def __init__(self, units, **common):
        super().__init__(**common)
        self.units = units
        self.state_size = [units, 1]
        self.output_size = units + 1

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")

    def call(self, inputs, states):
        h, count = states
        h = h * 0.5 + ops.matmul(inputs, self.kernel)
        return ops.concatenate([h, count], -1), [h, count + 1.0]


class Doubling:
    """A cell that is no Layer."""

    state_size = 3

    def call(self, inputs, states):
        y = inputs + states[0] * 2.0
        return y, [y]


class TestCells:
    def test_of_ones_own(self):
        layer = layers.RNN(Leaky(2), return_sequences=True, return_state=True)
        sequence, h, count = layer(X)
        expected, after = [], np.zeros((4, 2))
        for t in range(6):
            after = after * 0.5 + X[:, t] @ layer.weights[0].numpy()
            expected.append(np.concatenate([after, np.full((4, 1), t)], -1))
        near(sequence, np.stack(expected, 1))
        near(h, after)
        near(count, np.full((4, 1), 6.0))
        assert layer.compute_output_shape((None, 6, 3)) == [(None, 6, 3), (None, 2), (None, 1)]
        assert [w.name for w in layer.weights] == [f"{layer.name}/kernel"]

    def test_that_is_no_layer(self):
        layer = layers.RNN(Doubling())
        expected = np.zeros((4, 3))
        for t in range(6):
            expected = X[:, t] + 2 * expected
        near(layer(X), expected)
        assert layer.compute_output_shape((2, 6, 3)) == (2, 3)

    def test_saved_and_loaded_by_name(self, tmp_path):
        model = lamina.Sequential([lamina.Input((6, 3)), layers.RNN([Leaky(2), layers.GRUCell(4)])])
        expected = model.predict(X, verbose=0)
        model.save(tmp_path / "model")
        with pytest.raises(UnknownNameError):
            lamina.load_model(tmp_path / "model")
        with custom_object_scope({"Leaky": Leaky}):
            loaded = lamina.load_model(tmp_path / "model")
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
        assert type(loaded.layers[0].cell.cells[0]) is Leaky

    def test_a_subclass_of_a_cell_of_ours_does_its_own_step(self):
        class Halved(layers.SimpleRNNCell):
            def call(self, inputs, states, training=False):
                output, states = super().call(inputs, states, training)
                return output * 0.5, states

        cell = Halved(2)
        found = layers.RNN(cell)(X)
        plain = layers.RNN(layers.SimpleRNNCell(2))
        plain(X)
        plain.set_weights(cell.get_weights())
        near(found, 0.5 * plain(X).numpy())

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_layer_is_its_cell_over_time(self, kind):
        layer = kind(4, return_sequences=True)
        cell = getattr(layers, f"{kind.__name__}Cell")(4)
        layer(X)
        states = cell.get_initial_state(4)
        expected = []
        for t in range(6):
            if not cell.built:
                cell(X[:, t], states)
                cell.set_weights(layer.get_weights())
            output, states = cell(X[:, t], states)
            expected.append(output.numpy())
        near(layer(X), np.stack(expected, 1))


class TestStackedCells:
    def test_of_unequal_sizes(self):
        layer = layers.RNN([layers.LSTMCell(5), layers.GRUCell(2), layers.SimpleRNNCell(4)], return_state=True)
        output, first, second, third = layer(X)
        assert output.shape == (4, 4)
        assert [s.shape for s in first] == [(4, 5), (4, 5)]
        assert [s.shape for s in (second, third)] == [(4, 2), (4, 4)]
        near(third, output)
        assert layer.compute_output_shape((4, 6, 3)) == [(4, 4), [(4, 5), (4, 5)], (4, 2), (4, 4)]

    def test_set_weights_and_names(self):
        made = [layers.RNN([layers.LSTMCell(5), layers.GRUCell(2)], name="deep") for _ in range(2)]
        for layer in made:
            layer(X)
        made[1].set_weights([w * 1.5 for w in made[0].get_weights()])
        made[0].set_weights(made[1].get_weights())
        np.testing.assert_array_equal(made[0](X).numpy(), made[1](X).numpy())
        assert [w.name for w in made[0].weights][::3] == ["deep/RNNCell_0/kernel", "deep/RNNCell_1/kernel"]

    def test_equal_layers_one_after_the_other(self):
        stack = layers.RNN([layers.LSTMCell(5), layers.GRUCell(2)])
        below, above = layers.LSTM(5, return_sequences=True), layers.GRU(2)
        above(below(X))
        stack(X)
        stack.set_weights([*below.get_weights(), *above.get_weights()])
        near(stack(X), above(below(X)))

    @pytest.mark.parametrize("nested", [True, False])
    def test_initial_states(self, nested):
        layer = layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)])
        states = [np.full((4, n), 0.1 * n, np.float32) for n in (2, 3, 3)]
        given = [[states[0]], states[1:]] if nested else states
        first = layer(X, initial_state=given)
        layers_apart = layers.GRU(2, return_sequences=True), layers.LSTM(3)
        layers_apart[1](layers_apart[0](X))
        layers_apart[0].set_weights(layer.get_weights()[:3])
        layers_apart[1].set_weights(layer.get_weights()[3:])
        near(first, layers_apart[1](layers_apart[0](X, initial_state=states[0]), initial_state=states[1:]))


class TestMasks:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("backwards", [False, True])
    def test_equal_the_sequence_without_the_masked_steps(self, kind, backwards):
        layer = kind(4, go_backwards=backwards)
        found = layer(X, mask=lamina.tensor(MASK)).numpy()
        for i, keep in enumerate(MASK):
            expected = layer(X[i : i + 1, keep]).numpy() if keep.any() else np.zeros((1, 4))
            near(found[i : i + 1], expected)

    def test_outputs_repeat_or_are_zero(self):
        layer, zero = (
            layers.GRU(2, return_sequences=True),
            layers.GRU(2, return_sequences=True, zero_output_for_mask=True),
        )
        repeated = layer(X, mask=lamina.tensor(MASK)).numpy()
        zero(X)
        zero.set_weights(layer.get_weights())
        zeros = zero(X, mask=lamina.tensor(MASK)).numpy()
        near(zeros, np.where(MASK[..., None], repeated, 0))
        near(repeated[0, 3:], np.repeat(repeated[0, 2:3], 3, 0))
        assert np.abs(repeated[0, 3:]).max() > 0

    def test_a_first_step_that_is_masked_gives_the_first_state(self):
        h = np.full((4, 2), 0.7, np.float32)
        found = layers.SimpleRNN(2, return_sequences=True)(X, initial_state=h, mask=lamina.tensor(MASK))
        near(found[2, 0], h[2])
        near(found[3], np.tile(h[3], (6, 1)))

    def test_of_cells_of_ones_own(self):
        layer = layers.RNN(Leaky(2), return_sequences=True, return_state=True)
        sequence, _, count = layer(X, mask=lamina.tensor(MASK))
        near(count[:, 0], MASK.sum(1))
        near(sequence[0, 3:], np.repeat(sequence[0, 2:3].numpy(), 3, 0))
        near(sequence[3], np.zeros((6, 3)))

    def test_two_branches_keep_their_own(self):
        """Each of two inputs has zeros to be masked in other places; one branch must not see the other's."""
        left, right = lamina.Input((6, 3)), lamina.Input((6, 3))
        ends = [layers.GRU(2, name=name) for name in ("left", "right")]
        out = layers.Concatenate()([end(layers.Masking()(x)) for end, x in zip(ends, (left, right), strict=True)])
        model = lamina.Model([left, right], out)
        a, b = X * MASK[..., None], X * MASK[::-1, :, None]
        found = model.predict([a, b], verbose=0)
        alone = [end(x, mask=lamina.tensor(m)) for end, x, m in zip(ends, (a, b), (MASK, MASK[::-1]), strict=True)]
        near(found, np.concatenate([one.numpy() for one in alone], -1))
        unmasked = np.concatenate([end(x).numpy() for end, x in zip(ends, (a, b), strict=True)], -1)
        assert np.abs(found - unmasked).max() > 1e-3

    def test_go_on_with_all_steps_only(self):
        x = lamina.tensor(X)
        mask = lamina.tensor(MASK)
        x._mask = mask
        sequence, state = layers.GRU(2, return_sequences=True, return_state=True)(x)
        assert sequence._mask is mask
        assert state._mask is None
        assert layers.GRU(2)(x)._mask is None


class TestDirections:
    @pytest.mark.parametrize("kind", KINDS)
    def test_backwards_is_the_reversed_input(self, kind):
        layer, forward = kind(4, go_backwards=True, return_sequences=True), kind(4, return_sequences=True)
        layer(X), forward(X)
        forward.set_weights(layer.get_weights())
        near(layer(X), forward(X[:, ::-1]))

    def test_unroll_gives_the_same_numbers(self):
        one, other = layers.LSTM(3, unroll=True), layers.LSTM(3)
        one(X), other(X)
        other.set_weights(one.get_weights())
        np.testing.assert_array_equal(one(X).numpy(), other(X).numpy())


class TestCarriedStates:
    @pytest.mark.parametrize("kind", KINDS)
    def test_parts_equal_the_whole(self, kind):
        layer, whole = kind(4, stateful=True), kind(4)
        for part in (X[:, :2], X[:, 2:3], X[:, 3:]):
            found = layer(part)
        whole(X)
        whole.set_weights(layer.get_weights())
        near(found, whole(X))
        layer.reset_states()
        near(layer(X), whole(X))

    def test_are_no_weights(self):
        layer = layers.LSTM(4, stateful=True)
        layer(X)
        assert len(layer.weights) == 3
        assert [v.shape for v in layer.carried_states] == [(4, 4), (4, 4)]
        assert layer.carried_batch_size == 4

    def test_in_a_model_that_is_replayed(self):
        model = lamina.Sequential([lamina.Input(batch_shape=(4, 2, 3)), layers.GRU(5, stateful=True), layers.Dense(1)])
        whole = layers.GRU(5)
        whole(X)
        whole.set_weights(model.layers[0].get_weights())
        for _ in range(3):
            model.reset_states()
            for part in (X[:, :2], X[:, 2:4], X[:, 4:]):
                found = model.predict_on_batch(part)
            near(found, model.layers[1](whole(X)))

    def test_trained_in_recorded_steps_as_in_eager_ones(self):
        histories, states = [], []
        for eager in (False, True):
            lamina.random.set_seed(1)
            gru = layers.GRU(3, stateful=True)
            model = lamina.Sequential([lamina.Input(batch_shape=(2, 6, 3)), gru, layers.Dense(1)])
            model.compile("sgd", "mse", run_eagerly=eager)
            history = model.fit(X, X[:, 0, :1], batch_size=2, epochs=4, shuffle=False, verbose=0)
            histories.append(history.history["loss"])
            states.append(gru.get_states()[0])
        near(histories[0], histories[1])
        near(states[0], states[1])

    def test_a_number_of_examples_that_does_not_divide_is_refused(self):
        model = lamina.Sequential([lamina.Input(batch_shape=(3, 6, 3)), layers.GRU(3, stateful=True), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = model.get_weights()
        with pytest.raises(lamina.errors.DataError, match="4 examples in batches of 3"):
            model.fit(X, X[:, 0, :1], batch_size=3, verbose=0)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_another_batch_size_is_refused(self):
        layer = layers.SimpleRNN(2, stateful=True)
        layer(X)
        with pytest.raises(ShapeError, match="a batch of 3 examples"):
            layer(X[:3])

    def test_an_unknown_batch_size_is_refused(self):
        with pytest.raises(ShapeError, match="batch size is unknown"):
            layers.LSTM(2, stateful=True)(lamina.Input((6, 3)))

    def test_set_and_read(self):
        layer = layers.LSTM(2, stateful=True)
        layer(X)
        values = [np.full((4, 2), v, np.float32) for v in (0.25, 0.5)]
        layer.reset_states(values)
        for found, value in zip(layer.get_states(), values, strict=True):
            np.testing.assert_array_equal(found, value)
        with pytest.raises(ShapeError):
            layer.set_states([np.zeros((4, 3)), np.zeros((4, 2))])
        with pytest.raises(ArgumentError, match="1 initial state"):
            layer.set_states([np.zeros((4, 2))])

    def test_none_to_reset(self):
        layer = layers.LSTM(2)
        layer(X)
        assert layer.states is None
        with pytest.raises(ArgumentError, match="carries no states"):
            layer.reset_states()

    def test_gradients_stop_at_the_batch(self):
        layer = layers.SimpleRNN(2, stateful=True)
        layer(X)
        x = Variable(X)
        _, pairs = gradients_of_variables(lambda: ops.sum(layer(x)), [x])
        assert np.abs(pairs[0][1].numpy()).max() > 0


class TestInitialStates:
    def test_symbolic_ones_of_an_encoder(self):
        source, target = lamina.Input((6, 3)), lamina.Input((None, 3))
        encoder, decoder = layers.GRU(4, return_state=True), layers.GRU(4, return_sequences=True)
        _, state = encoder(source)
        model = lamina.Model([source, target], decoder(target, initial_state=state))
        expected = decoder(X[:, :2], initial_state=encoder(X)[1])
        near(model.predict([X, X[:, :2]], verbose=0), expected)
        again = lamina.Model.from_config(model.get_config())
        again.set_weights(model.get_weights())
        near(again.predict([X, X[:, :2]], verbose=0), expected)

    def test_of_wrong_number_or_shape(self):
        layer = layers.LSTM(4)
        with pytest.raises(ArgumentError, match="1 initial state"):
            layer(X, initial_state=[np.zeros((4, 4))])
        with pytest.raises(ShapeError, match=r"\(4, 5\)"):
            layer(X, initial_state=[np.zeros((4, 4)), np.zeros((4, 5))])
        with pytest.raises(ShapeError, match=r"\(3, 4\)"):
            layer([X, np.zeros((3, 4), np.float32), np.zeros((4, 4), np.float32)])

    @pytest.mark.parametrize(("cell", "given"), [("LSTMCell", 1), ("GRUCell", 0), ("SimpleRNNCell", 2)])
    def test_of_a_cell(self, cell, given):
        one = getattr(layers, cell)(4)
        with pytest.raises(ArgumentError, match=f"{cell} got {given} initial state"):
            one(X[:, 0], [np.zeros((4, 4), np.float32)] * given)
        with pytest.raises(ShapeError, match=r"\(4, 5\)"):
            one(X[:, 0], [np.zeros((4, 5), np.float32)] * len(one.get_initial_state(4)))


class TestDropout:
    def test_masks_are_the_same_for_all_steps(self):
        """With a kernel of ones and nothing recurrent, equal inputs give equal outputs at all steps."""
        layer = layers.SimpleRNN(
            1, dropout=0.5, seed=3, return_sequences=True, kernel_initializer="ones", recurrent_initializer="zeros"
        )
        found = layer(np.ones((8, 5, 4), np.float32), training=True).numpy()
        np.testing.assert_array_equal(found, np.repeat(found[:, :1], 5, 1))
        assert len(np.unique(found[:, 0])) > 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_stacked_cells_and_layers_draw_alike(self, kind):
        cell = getattr(layers, f"{kind.__name__}Cell")
        layer = kind(4, dropout=0.4, recurrent_dropout=0.4, seed=5)
        stack = layers.RNN([cell(4, dropout=0.4, recurrent_dropout=0.4, seed=5)])
        layer(X), stack(X)
        stack.set_weights(layer.get_weights())
        near(layer(X, training=True), stack(X, training=True))

    def test_every_call_draws_anew(self):
        layer = layers.GRU(3, dropout=0.5, seed=1)
        assert np.abs(layer(X, training=True).numpy() - layer(X, training=True).numpy()).max() > 0

    def test_a_rate_of_one_leaves_nothing(self):
        layer = layers.SimpleRNN(3, dropout=1.0, recurrent_dropout=1.0)
        near(layer(X, training=True), np.zeros((4, 3)))


class TestRefused:
    @pytest.mark.parametrize(
        "cell", [3, layers.Dense(2), layers.LSTMCell, {"class_name": "Dense", "config": {"units": 1}}]
    )
    def test_what_is_no_cell(self, cell):
        with pytest.raises(ArgumentTypeError, match="as a cell"):
            layers.RNN(cell)

    def test_no_cells(self):
        with pytest.raises(ArgumentError, match="cells is empty"):
            layers.StackedRNNCells([])

    @pytest.mark.parametrize("value", [0, -1, 2.5, "3", True, None, float("nan")])
    @pytest.mark.parametrize("kind", [*KINDS, layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell])
    def test_units(self, kind, value):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="units"):
            kind(value)

    @pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
    @pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "0.5", True])
    def test_rates(self, name, value):
        with pytest.raises((ArgumentError, ArgumentTypeError), match=name):
            layers.LSTM(3, **{name: value})

    @pytest.mark.parametrize("name", ["return_sequences", "return_state", "go_backwards", "stateful", "unroll"])
    def test_flags(self, name):
        with pytest.raises(ArgumentTypeError, match=name):
            layers.GRU(3, **{name: "yes"})

    @pytest.mark.parametrize("shape", [(4, 3), (4, 6, 3, 2), (4, 0, 3)])
    def test_shapes(self, shape):
        with pytest.raises(ShapeError, match="LSTM got an input of shape"):
            layers.LSTM(3)(np.zeros(shape, np.float32))

    def test_other_features_than_built_for(self):
        layer = layers.LSTM(3)
        layer(X)
        with pytest.raises(ShapeError, match=r"LSTM got an input of shape \(4, 6, 2\)"):
            layer(X[..., :2])

    def test_a_window_larger_than_the_image(self):
        with pytest.raises(ShapeError, match="smaller than its window"):
            layers.ConvLSTM2D(2, 5)(np.zeros((1, 2, 4, 4, 1), np.float32))


class TestConfigs:
    def test_keras_keys_that_mean_nothing_here(self):
        config = {**layers.LSTM(3).get_config(), "implementation": 2, "time_major": False, "use_cudnn": True}
        assert layers.LSTM.from_config(config).units == 3

    def test_settings_beside_a_cell_as_tensorflowjs_writes_them(self):
        cell = {"units": 2, "activation": "relu", "name": "c"}
        config = {
            "name": "r",
            "cell": {"class_name": "SimpleRNNCell", "config": cell},
            "units": 2,
            "activation": "relu",
        }
        assert layers.RNN.from_config(config).cell.units == 2

    def test_input_length_and_input_dim(self):
        assert layers.LSTM(3, input_dim=2, input_length=5).batch_input_shape == (None, 5, 2)

    def test_an_unknown_setting(self):
        with pytest.raises(lamina.errors.SerializationError, match="unitz"):
            layers.GRU.from_config({"units": 2, "unitz": 3})

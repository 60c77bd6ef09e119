"""Calling a layer: masks on tensors, several arguments, names of weights, input_spec, direct builds."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentTypeError, DTypeError, NotBuiltError, ShapeError

WORDS = lamina.tensor([[1, 2, 0], [3, 0, 0]], dtype="int32")


class Passes(layers.Layer):
    supports_masking = True

    def call(self, x):
        return x


class Ends(layers.Layer):
    def call(self, x):
        return x


class FirstStep(layers.Layer):
    """Gives its input as it is, and says that only the first step counts."""

    supports_masking = True

    def call(self, x):
        return x

    def compute_mask(self, inputs, mask=None):
        return lamina.tensor([[True, False, False]] * inputs.shape[0])


class Mixes(layers.Layer):
    """Two tensors with their masks."""

    def build(self, left_shape, right_shape):
        self.shapes = left_shape, right_shape
        self.kernel = self.add_weight((left_shape[-1], right_shape[-1]), "ones", name="kernel")

    def call(self, left, right=None, left_mask=None, right_mask=None):
        self.masks = left_mask, right_mask
        return lamina.matmul(left, self.kernel) + right


class Block(layers.Layer):
    def build(self, input_shape):
        self.dense = layers.Dense(2, name="inner")

    def call(self, x):
        return self.dense(x)


def embedded():
    return layers.Embedding(4, 2, mask_zero=True)(WORDS)


def test_a_mask_hangs_on_the_tensor():
    np.testing.assert_array_equal(embedded().mask, WORDS.numpy() != 0)
    assert embedded().relu().mask is None


def test_a_layer_passes_it_or_ends_it():
    x = embedded()
    assert Passes()(x).mask is x.mask
    assert Ends()(x).mask is None
    assert x.mask is not None


def test_a_new_mask_leaves_the_other_branch_alone():
    x = embedded()
    other = FirstStep()(x)
    np.testing.assert_array_equal(other.mask, [[True, False, False]] * 2)
    np.testing.assert_array_equal(x.mask, WORDS.numpy() != 0)


def test_branches_of_a_model_have_masks_of_their_own():
    words = lamina.Input(shape=(3,), dtype="int32")
    x = layers.Embedding(4, 2, mask_zero=True)(words)
    model = lamina.Model(words, [FirstStep()(x), Ends()(x), Passes()(x)])
    first, ended, passed = model(WORDS)
    np.testing.assert_array_equal(first.mask, [[True, False, False]] * 2)
    assert ended.mask is None
    np.testing.assert_array_equal(passed.mask, WORDS.numpy() != 0)


def test_gradients_pass_where_a_mask_ends():
    def f(x):
        x = Passes()(x)
        return (Ends()(x) * x).sum()

    x = lamina.ones((1, 3, 2))
    x._mask = lamina.tensor([[True, False, True]])
    np.testing.assert_array_equal(lamina.grad(f)(x), 2.0 * np.ones((1, 3, 2)))


def test_several_arguments_have_their_shapes_and_masks():
    layer = Mixes()
    layer(embedded(), right=embedded())
    assert layer.shapes == ((2, 3, 2), (2, 3, 2))
    for mask in layer.masks:
        np.testing.assert_array_equal(mask, WORDS.numpy() != 0)


def test_several_symbolic_arguments():
    left, right = lamina.Input(shape=(3, 2)), lamina.Input(shape=(3, 5))
    output = Mixes()(left, right)
    assert output.shape == (None, 3, 5)
    model = lamina.Model([left, right], output)
    assert model([lamina.ones((1, 3, 2)), lamina.ones((1, 3, 5))]).tolist() == [[[3.0] * 5] * 3]


def test_the_first_argument_by_name():
    assert layers.Dense(1, kernel_initializer="ones")(x=[[1.0, 2.0]]).tolist() == [[3.0]]


def test_weights_within_a_layer_are_named_below_it():
    first, second = Block(name="a"), Block(name="b")
    second(first(lamina.ones((1, 2))))
    assert [v.name for v in (*first.weights, *second.weights)] == [
        "a/inner/kernel", "a/inner/bias", "b/inner/kernel", "b/inner/bias",
    ]  # fmt: skip


def test_a_wrapper_names_the_weights_it_wraps():
    class Around(layers.Wrapper):
        def call(self, x):
            return self.layer(x)

    layer = Around(layers.Dense(1), name="around")
    layer(lamina.ones((1, 2)))
    assert [v.name for v in layer.weights] == ["around/kernel", "around/bias"]
    again = Around.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    with pytest.raises(ArgumentTypeError, match="Around was given 3"):
        Around(3)


def test_a_layer_that_was_built_directly_is_not_built_again():
    layer = layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.kernel
    layer(lamina.ones((1, 3)))
    assert layer.built
    assert layer.kernel is kernel


def test_first_weights():
    layer = layers.Dense(1, weights=[np.full((2, 1), 2.0), np.zeros(1)])
    assert layer([[1.0, 2.0]]).tolist() == [[6.0]]
    with pytest.raises(ShapeError):
        layers.Dense(1, weights=[np.zeros((3, 1)), np.zeros(1)])([[1.0, 2.0]])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ndim": 3}, "3 axes"),
        ({"min_ndim": 3}, "at least 3"),
        ({"max_ndim": 1}, "at most 1"),
        ({"axes": {1: 4}}, "size of 4 on axis 1"),
        ({"axes": {5: None}}, "axis 5"),
        ({"shape": (None, 4)}, r"the shape \(None, 4\)"),
    ],
)
def test_an_input_that_does_not_fit(spec, expected):
    layer = Passes(name="p")
    layer.input_spec = layers.InputSpec(**spec)
    with pytest.raises(ShapeError, match=rf"the layer 'p' got an input of shape \(2, 3\)(.|\n)*{expected}"):
        layer(lamina.ones((2, 3)))


def test_input_specs():
    layer = Passes()
    layer.input_spec = [layers.InputSpec(shape=(None, 3)), layers.InputSpec(dtype="int32")]
    layer([lamina.ones((2, 3)), lamina.ones((2,), "int32")])
    with pytest.raises(DTypeError, match="dtype float32"):
        layer([lamina.ones((2, 3)), lamina.ones((2,))])
    with pytest.raises(ArgumentTypeError, match="got 1 inputs"):
        layer([lamina.ones((2, 3))])
    spec = layers.InputSpec(ndim=2, axes={-1: 3}, allow_last_axis_squeeze=True)
    assert layers.InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()
    assert repr(spec) == "InputSpec(ndim=2, axes={-1: 3})"


@pytest.mark.parametrize("dtype", ["float64", {"class_name": "DTypePolicy", "config": {"name": "float64"}}])
def test_dtypes(dtype):
    assert layers.Dense(1, dtype=dtype)([[1.0]]).dtype == "float64"


def test_a_mixed_policy_is_refused():
    with pytest.raises(DTypeError, match="mixed_float16"):
        layers.Dense(1, dtype="mixed_float16")


def test_several_symbolic_arguments_are_saved():
    left, right = lamina.Input(shape=(3, 2), name="l"), lamina.Input(shape=(3, 5), name="r")
    with lamina.custom_object_scope({"Mixes": Mixes}):
        for model in (
            lamina.Model([left, right], Mixes()(left, right)),
            lamina.Model([left, right], Mixes()(left, right=layers.Dense(5)(right))),
        ):
            model.save("memory://several")
            again = lamina.load_model("memory://several")
            data = [np.random.default_rng(0).normal(size=(2, *s)).astype("float32") for s in ((3, 2), (3, 5))]
            np.testing.assert_array_equal(again.predict(data), model.predict(data))


def test_serialize_and_deserialize():
    layer = Passes(name="p")
    again = layers.deserialize(layers.serialize(layer), custom_objects={"Passes": Passes})
    assert isinstance(again, Passes)
    assert again.get_config() == layer.get_config()


def test_what_states_must_be_like():
    cells = [layers.LSTMCell(4), layers.GRUCell(3)]
    assert [spec.shape for spec in layers.RNN(cells).state_spec] == [(None, 4), (None, 4), (None, 3)]
    images = layers.ConvLSTM2D(2, 3)
    with pytest.raises(NotBuiltError):
        images.state_spec  # noqa: B018
    images(lamina.ones((1, 2, 5, 5, 1)))
    assert [spec.shape for spec in images.state_spec] == [(None, 3, 3, 2)] * 2


def test_category_encoding_may_leave_integers_as_they_are():
    layer = layers.CategoryEncoding(output_mode="int")
    assert layer(lamina.tensor([[3, 5]])).tolist() == [[3, 5]]
    with pytest.raises(ArgumentTypeError, match="num_tokens"):
        layers.CategoryEncoding()


@pytest.mark.parametrize(
    "use", [lambda x: x + 1.0, lambda x: np.ones(3) * x, lambda x: x @ x, lambda x: -x, lambda x: x[:, 0]]
)
def test_operators_on_symbolic_tensors_say_what_to_write_instead(use):
    with pytest.raises(lamina.errors.ArgumentTypeError, match=r"layers\.Add"):
        use(lamina.Input((3,)))

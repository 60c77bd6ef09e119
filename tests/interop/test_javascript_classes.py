"""Layers that TensorFlow.js does not have: the classes that are written for them predict the same there."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import lamina
from interop.agreeing import assert_alike, predicted, with_weights
from interop.tensorflowjs import TensorFlowJSError, node, node_modules
from lamina import layers, ops
from lamina.models.exporting import findings_text, tfjs_findings
from lamina.models.exporting.javascript import classes_module, javascript_class
from lamina.structures import flatten

L = layers
ENDS_OF_BATCHES = (1, 5)


def exported(model, folder, names=None):
    """Saves a model, and the classes of its layers, or of those with some names, beside it."""
    chosen = [x for x in model.layers if (x.name in names if names else not isinstance(x, L.InputLayer))]
    nodes = {x.name: [n for n in model.graph.nodes if n.layer is x] for x in chosen}
    classes = [javascript_class(layer, nodes[layer.name]) for layer in chosen]
    model.save(folder)
    (folder / "layers.js").write_text(classes_module(classes), encoding="utf-8")
    return [folder / "layers.js"]


def batch(model, size, seed=3, length=7):
    """Inputs of a batch size; unknown lengths are ``length``."""
    random = np.random.default_rng(seed)
    made = []
    for x in model.inputs:
        shape = (size, *(length if n is None else n for n in x.shape[1:]))
        made.append(random.uniform(-1, 1, shape) if x.dtype.startswith("float") else random.integers(0, 2, shape))
        made[-1] = made[-1].astype(x.dtype)
    return made if len(made) > 1 else made[0]


def check(tfjs, folder, model, names=None, lengths=(7, 7)):
    scripts = exported(with_weights(model), folder, names)
    for size, length in zip(ENDS_OF_BATCHES, lengths, strict=True):
        x = batch(model, size, length=length)
        assert_alike(tfjs.predict(folder, x, scripts=scripts), predicted(model, x))
    tfjs.resave(folder, folder / "there", scripts=scripts)
    for place in (folder, folder / "there"):
        again = lamina.load_model(place)
        assert [type(x) for x in again.layers] == [type(x) for x in model.layers]
        assert_alike(predicted(again, x), predicted(model, x))


SINGLE = {
    "einsum": (L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation="silu"), [(4, 6)]),
    "einsum_dots": (L.EinsumDense("...x,xy->...y", 5), [(None, 6)]),
    "group_norm": (L.GroupNormalization(2), [(5, 6)]),
    "group_norm_first": (L.GroupNormalization(3, axis=1), [(6, 4, 3)]),
    "rms_norm": (L.RMSNormalization(), [(4, 6)]),
    "unit_norm": (L.UnitNormalization(axis=(1, 2)), [(4, 6)]),
    "layer_norm_axes": (L.LayerNormalization(axis=[2, 1]), [(4, 6)]),
    "layer_norm_rms": (L.LayerNormalization(rms_scaling=True), [(None, 6)]),
    "conv1d_groups": (L.Conv1D(6, 3, groups=2, padding="same", activation="gelu"), [(None, 4)]),
    "conv1d_causal": (L.Conv1D(3, 3, padding="causal", dilation_rate=2), [(8, 4)]),
    "conv2d_groups": (L.Conv2D(6, 3, groups=2, strides=2, padding="same"), [(9, 8, 4)]),
    "conv2d_depthwise": (L.Conv2D(8, 3, groups=4, padding="same"), [(9, 8, 4)]),
    "conv2d_first": (L.Conv2D(6, 3, groups=2, data_format="channels_first"), [(4, 9, 8)]),
    "conv2d_mish": (L.Conv2D(4, (3, 2), activation="mish", padding="same"), [(None, None, 3)]),
    "conv3d": (L.Conv3D(4, 2, groups=2, dilation_rate=2), [(5, 6, 5, 4)]),
    "transposed1d": (L.Conv1DTranspose(3, 3, strides=2, padding="same"), [(6, 4)]),
    "transposed2d": (L.Conv2DTranspose(3, 3, strides=2, output_padding=1), [(5, 4, 2)]),
    "transposed2d_dilated": (L.Conv2DTranspose(3, 3, dilation_rate=2), [(5, 4, 2)]),
    "transposed3d": (L.Conv3DTranspose(2, 2, strides=2), [(3, 4, 3, 2)]),
    "depthwise_dilated": (L.DepthwiseConv2D(3, dilation_rate=2, depth_multiplier=2), [(9, 8, 3)]),
    "depthwise1d": (L.DepthwiseConv1D(3, depth_multiplier=2), [(8, 3)]),
    "separable1d": (L.SeparableConv1D(4, 3, strides=2), [(9, 3)]),
    "batch_norm": (L.BatchNormalization(axis=1), [(4, 6)]),
    "spectral": (L.SpectralNormalization(L.Dense(3)), [(4,)]),
    "silu": (L.Activation("silu"), [(4,)]),
    "celu": (L.Activation("celu"), [(4,)]),
    "log_softmax": (L.Activation("log_softmax"), [(4,)]),
    "dense": (L.Dense(3, activation="gelu"), [(None, 4)]),
    "prelu": (L.PReLU(), [(4,)]),
    "relu": (L.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.2), [(4,)]),
    "softmax": (L.Softmax(axis=1), [(4, 3)]),
    "max_pool": (L.MaxPooling2D(3, strides=2, padding="same"), [(8, 7, 2)]),
    "max_pool1d": (L.MaxPooling1D(3, padding="same", data_format="channels_first"), [(2, 8)]),
    "average_pool": (L.AveragePooling2D(3, strides=1, padding="same"), [(8, 7, 2)]),
    "average_pool3d": (L.AveragePooling3D(2), [(4, 5, 4, 2)]),
    "global": (L.GlobalMaxPooling3D(keepdims=True), [(4, 5, 4, 2)]),
    "padding": (L.ZeroPadding3D(1), [(None, 3, 2, 1)]),
    "cropping": (L.Cropping1D((1, 2)), [(None, 3)]),
    "normalization": (L.Normalization(mean=[1.0, 2.0], variance=[2.0, 3.0]), [(2,)]),
    "discretization": (L.Discretization(bin_boundaries=[-0.5, 0.0, 0.5]), [(4,)]),
    "gru": (L.GRU(3, reset_after=True), [(4, 2)]),
    "gru_of_any_length": (L.GRU(3, return_sequences=True), [(None, 2)]),
    "gru_before": (L.GRU(3, reset_after=False, use_bias=False), [(None, 2)]),
    "gru_backwards": (L.GRU(3, go_backwards=True), [(None, 2)]),
    "lstm_of_any_length": (L.LSTM(3, return_sequences=True), [(None, 2)]),
    "attention": (L.Attention(use_scale=True, score_mode="concat"), [(None, 4), (5, 4)]),
    "attention_three": (L.Attention(), [(None, 4), (None, 3), (None, 4)]),
    "additive": (L.AdditiveAttention(), [(3, 4), (5, 4)]),
    "subtract": (L.Subtract(), [(3, 4), (3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
def test_layer(tfjs, tmp_path, name):
    layer, shapes = SINGLE[name]
    config = {**layer.get_config(), "name": f"{name}_of_tests"}
    layer = type(layer).from_config(config)
    inputs = [lamina.Input(shape) for shape in shapes]
    output = layer(inputs if len(inputs) > 1 else inputs[0])
    check(tfjs, tmp_path, lamina.Model(inputs, output), lengths=(7, 8))


HEADS = {
    "plain": (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, {}),
    "gated": (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "value_dim": 2, "use_gate": True}, {}),
    "sizes": (L.MultiHeadAttention, {"num_heads": 1, "key_dim": 3, "output_shape": 5, "use_bias": False}, {}),
    "causal": (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, {"use_causal_mask": True}),
    "window": (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "sliding_window": 2}, {"use_causal_mask": True}),
    "scores": (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, {"return_attention_scores": True}),
    "grouped": (L.GroupQueryAttention, {"num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 3}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("length", [6, None])
def test_attention_to_itself_and_back_to_its_input(tfjs, tmp_path, name, length):
    kind, settings, given = HEADS[name]
    x = lamina.Input((length, 4))
    layer = kind(**settings, name=f"heads_{name}_{length}")
    found = layer(x, x, **given)
    first = found[0] if isinstance(found, (list, tuple)) else found
    joined = L.Concatenate(name="joined")([x, first])
    model = lamina.Model(x, [joined, *flatten(found)[1:]])
    check(tfjs, tmp_path, model, [layer.name], lengths=(length or 7, length or 8))


@pytest.mark.parametrize("dtype", ["bool", "float32"])
def test_attention_with_a_mask_as_an_input(tfjs, tmp_path, dtype):
    query, value, key = lamina.Input((None, 4)), lamina.Input((5, 3)), lamina.Input((5, 6))
    mask = lamina.Input((None, 5), dtype=dtype)
    layer = L.MultiHeadAttention(2, 3, name=f"masked_{dtype}")
    model = lamina.Model([query, value, key, mask], layer(query, value, key, attention_mask=mask))
    check(tfjs, tmp_path, model)


def test_two_of_one_class_with_different_settings_and_one_that_is_known_there(tfjs, tmp_path):
    x = lamina.Input((9, 9, 4))
    y = L.Conv2D(4, 3, groups=2, name="two_groups")(x)
    y = L.Conv2D(4, 3, groups=4, activation="silu", name="four_groups")(y)
    y = L.Conv2D(2, 3, name="known_there")(y)
    check(tfjs, tmp_path, lamina.Model(x, y), ["two_groups", "four_groups"])


def test_one_layer_called_on_one_and_on_two_tensors(tfjs, tmp_path):
    x, y = lamina.Input((3, 4)), lamina.Input((5, 4))
    layer = L.MultiHeadAttention(2, 3, name="both_ways")
    check(tfjs, tmp_path, lamina.Model([x, y], [layer(x, x), layer(x, y)]))


@lamina.serialization.register("Tests>Gate")
class Gate(L.Layer):
    def __init__(self, units, **common):
        super().__init__(**common)
        self.units = units

    def build(self, input_shape):
        self.inner = L.Dense(self.units, name="inner")
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.limit = self.add_weight((), name="limit", trainable=False)

    def call(self, x):
        y = ops.matmul(x, self.kernel) * ops.sigmoid(self.inner(x))
        mean = ops.sum(y, 1, keepdims=True) / x.shape[1]
        return ops.where(y > self.limit, y - mean, ops.flip(x[..., : self.units], 1)) + ops.arange(x.shape[1])[:, None]


@lamina.serialization.register("halved_of_tests")
def halved(x, by):
    return ops.cumsum(x, 1)[:, 1:] / by


def test_layer_and_function_of_ones_own(tfjs, tmp_path):
    x = lamina.Input((None, 4))
    y = Gate(3, name="gate")(x)
    y = L.Lambda(halved, arguments={"by": 2.0}, name="lambda_of_tests")(y)
    check(tfjs, tmp_path, lamina.Model(x, y), lengths=(7, 8))


def test_exported_with_all_that_a_model_can_have(tfjs, tmp_path):
    """A residual block with attention of one tensor to itself, in a model within a model, beside layers known there."""
    x = lamina.Input((6, 4))
    y = L.AdditiveAttention(name="sums")([x, x])
    y = L.GroupNormalization(2, name="groups", gamma_initializer=lamina.initializers.Constant(0.5))(L.Add()([x, y]))
    y = L.Add()([y, L.MultiHeadAttention(2, 3, name="heads")(y, y, use_causal_mask=True)])
    inner = lamina.Model(x, y, name="block")
    begin = lamina.Input((6, 3))
    model = with_weights(lamina.Model(begin, L.Dense(2)(L.Activation("exponential")(inner(L.Dense(4)(begin))))))
    model.export(tmp_path)
    for size in ENDS_OF_BATCHES:
        data = batch(model, size)
        assert_alike(tfjs.predict(tmp_path, data, scripts=[tmp_path / "layers.js"]), predicted(model, data))
    assert_alike(predicted(lamina.load_model(tmp_path), data), predicted(model, data))


@pytest.mark.parametrize("kind", ["cjs", "mjs"])
def test_it_is_imported_in_node(tmp_path, kind):
    model_with_heads().export(tmp_path)
    (tmp_path / "package.json").write_text('{"type": "commonjs"}')
    register = {
        "cjs": "const {register} = require('./layers.js');",
        "mjs": "import {createRequire} from 'node:module'; import {register} from './layers.js';"
        "const require = createRequire(import.meta.url);",
    }[kind]
    check = "const name = 'MultiHeadAttention'; const map = tf.serialization.SerializationMap.getMap().classNameMap;"
    tf = f"const tf = require({json.dumps(str(node_modules() / '@tensorflow' / 'tfjs'))});"
    script = tmp_path / f"main.{kind}"
    script.write_text(
        f"{register}{tf}{check}const before = name in map; register(tf); console.log(before, name in map);"
    )
    done = subprocess.run([node(), str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1:] == ["false true"], done.stderr


def model_with_heads():
    x = lamina.Input((6, 4))
    y = L.MultiHeadAttention(2, 3, name="heads_of_tests")(x, x, use_causal_mask=True)
    return with_weights(lamina.Model(x, L.RMSNormalization(name="rms_of_tests")(L.Add()([x, y]))))


@pytest.mark.parametrize(
    "trained",
    [
        L.RMSNormalization(name="rms_trained"),
        L.GRU(3, return_sequences=True, name="gru_trained"),
        L.GRU(3, return_sequences=True, reset_after=False, name="gru_before_trained"),
        L.LSTM(3, return_sequences=True, name="lstm_trained"),
    ],
    ids=lambda layer: layer.name,
)
def test_it_trains_there(tfjs, tmp_path, trained):
    x = lamina.Input((None, 4))
    y = L.GlobalAveragePooling1D()(type(trained).from_config(trained.get_config())(x))
    model = with_weights(lamina.Model(x, L.Dense(1)(y)))
    scripts = exported(model, tmp_path, [trained.name])
    data, labels = batch(model, 4), np.ones((4, 1), np.float32)
    how = {"optimizer": {"class_name": "SGD", "config": {"learningRate": 0.1}}, "loss": "meanSquaredError"}
    losses = tfjs.train(tmp_path, [(data, labels)] * 3, tmp_path / "there", scripts=scripts, compile=how)
    model.compile(lamina.optimizers.SGD(0.1), "mse")
    assert_alike([np.array(losses).ravel()], [np.array([model.train_on_batch(data, labels) for _ in range(3)])])
    assert_alike(predicted(lamina.load_model(tmp_path / "there"), data), predicted(model, data), 1e-4)


def test_lengths_that_have_to_be_equal_are_checked_there(tfjs, tmp_path):
    places = [lamina.Input((None, 4)), lamina.Input((None, 4))]
    model = lamina.Model(places, L.Subtract(name="checked")(places))
    scripts = exported(model, tmp_path)
    one, other = np.ones((1, 3, 4), np.float32), np.ones((1, 1, 4), np.float32)
    with pytest.raises(TensorFlowJSError, match="have to be equal"):
        tfjs.predict(tmp_path, [one, other], scripts=scripts)


MASKED = {
    "heads": lambda y: L.MultiHeadAttention(2, 3, name="masked_heads")(y, y),
    "causal": lambda y: L.MultiHeadAttention(1, 2, name="masked_causal")(y, y, use_causal_mask=True),
    "average": lambda y: L.GlobalAveragePooling1D(name="masked_average")(y),
    "gru": lambda y: L.GRU(2, name="masked_gru")(y),
    "handed_on": lambda y: L.LSTM(2)(L.UnitNormalization(name="masked_unit")(y)),
    "handed_on_by_heads": lambda y: L.LSTM(2)(L.MultiHeadAttention(2, 3, name="masked_before")(y, y)),
}


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("length", [5, None])
def test_masks_that_come_with_inputs(tfjs, tmp_path, name, length):
    x = lamina.Input((length,), dtype="int32")
    model = with_weights(lamina.Model(x, MASKED[name](L.Embedding(6, 4, mask_zero=True)(x))))
    model.export(tmp_path)
    data = np.array([[1, 2, 3, 0, 0], [4, 5, 1, 2, 0]], np.int32)
    assert_alike(tfjs.predict(tmp_path, data, scripts=[tmp_path / "layers.js"]), predicted(model, data))


def test_masks_of_other_inputs_are_refused_before():
    x = lamina.Input((5,), dtype="int32")
    y = L.Embedding(6, 4, mask_zero=True)(x)
    model = lamina.Model(x, L.MultiHeadAttention(1, 2)(L.Reshape((5, 4))(L.Flatten()(y)), y))
    assert "masks come with other inputs" in findings_text(tfjs_findings(model))

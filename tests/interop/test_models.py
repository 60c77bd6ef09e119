"""Models of every shape, there and back: states, masks, nested, shared, of several inputs; weights of every kind."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import lamina
from interop.agreeing import assert_alike, predicted, with_weights
from interop.tensorflowjs import TensorFlowJSError
from lamina import layers
from lamina.io import decode_weights, encode_weights, load_artifacts, load_weights, save_artifacts


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


WORDS = np.array([[1, 5, 9, 0, 0, 0], [3, 3, 1, 2, 8, 0], [4, 0, 0, 0, 0, 0]], np.int32)
STEPS = np.where(np.arange(6)[None, :, None] < np.array([2, 5, 6])[:, None, None], normal(3, 6, 4), 0.0).astype(
    "float32"
)


def residual_blocks():
    x = inputs = lamina.Input((8, 8, 3))
    for filters in (4, 8):
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        x = layers.MaxPooling2D()(layers.Add()([layers.Conv2D(filters, 1)(x), y]))
    return lamina.Model(inputs, layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(x))), normal(2, 8, 8, 3)


def masked_words():
    inputs = lamina.Input((6,), dtype="int32")
    hidden = layers.Embedding(10, 4, mask_zero=True)(inputs)
    hidden = layers.LSTM(3, return_sequences=True)(layers.Dropout(0.5)(hidden))
    return lamina.Model(inputs, layers.GRU(2, reset_after=False)(hidden)), WORDS


def masked_steps():
    inputs = lamina.Input((6, 4))
    hidden = layers.Masking()(inputs)
    hidden = layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True))(hidden)
    return lamina.Model(inputs, layers.LSTM(2)(hidden)), STEPS


def encoder_and_decoder():
    source, target = lamina.Input((5, 3)), lamina.Input((4, 2))
    _, *state = layers.LSTM(6, return_state=True)(source)
    hidden = layers.LSTM(6, return_sequences=True)(target, initial_state=state)
    return lamina.Model([source, target], layers.TimeDistributed(layers.Dense(2))(hidden)), [
        normal(3, 5, 3),
        normal(3, 4, 2),
    ]


def stacked_cells():
    inputs = lamina.Input((5, 3))
    cells = [layers.LSTMCell(4), layers.GRUCell(3, reset_after=False), layers.SimpleRNNCell(2)]
    return lamina.Model(inputs, layers.RNN(cells, return_sequences=True)(inputs)), normal(2, 5, 3)


def states_as_outputs():
    inputs = lamina.Input((5, 3))
    return lamina.Model(inputs, layers.LSTM(4, return_sequences=True, return_state=True)(inputs)), normal(2, 5, 3)


def recurrent_pictures():
    inputs = lamina.Input((4, 6, 6, 2))
    hidden = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(inputs)
    return lamina.Model(inputs, layers.ConvLSTM2D(2, 3)(hidden)), normal(2, 4, 6, 6, 2)


def nested_and_shared():
    inner = lamina.Sequential([layers.Dense(4, "tanh", input_shape=(3,)), layers.BatchNormalization()], name="inner")
    a, b, c = lamina.Input((3,)), lamina.Input((3,)), lamina.Input((3,))
    middle = lamina.Model(c, [layers.Dense(4)(c), layers.Dense(4, "relu")(c)], name="middle")
    (one, two), (three, _) = middle(a), middle(b)
    shared = layers.Dense(2, name="shared")
    first = shared(layers.Multiply()([one, inner(b), three]))
    return lamina.Model([a, b], [first, layers.Average()([shared(two), shared(inner(a))])]), [
        normal(5, 3), normal(5, 3, seed=4),
    ]  # fmt: skip


def stacks_in_stacks():
    core = lamina.Sequential([layers.Dense(3, input_shape=(4,)), layers.LeakyReLU(0.2)])
    outer = lamina.Sequential([lamina.Sequential([core, layers.Dense(2)]), layers.Softmax()])
    return outer, normal(3, 4)


def stateful():
    inputs = lamina.Input(batch_shape=(2, 3, 4))
    hidden = layers.GRU(3, stateful=True, reset_after=False, return_sequences=True)(inputs)
    return lamina.Model(inputs, layers.LSTM(2, stateful=True)(hidden)), normal(2, 3, 4)


def volumes():
    inputs = lamina.Input((4, 4, 4, 1))
    hidden = layers.Conv3D(2, 2, activation="elu")(inputs)
    hidden = layers.Conv3DTranspose(2, 2, strides=2)(layers.AveragePooling3D(1)(hidden))
    return lamina.Model(inputs, layers.MaxPooling3D()(hidden)), normal(2, 4, 4, 4, 1)


def dots():
    a, b = lamina.Input((4, 3)), lamina.Input((4, 3))
    scores = layers.Dot(axes=2, normalize=True)([a, b])
    return lamina.Model([a, b], layers.Dot(axes=1)([layers.Softmax()(scores), layers.Permute((1, 2))(b)])), [
        normal(2, 4, 3), normal(2, 4, 3, seed=5),
    ]  # fmt: skip


MAKERS = [
    residual_blocks, masked_words, masked_steps, encoder_and_decoder, stacked_cells, states_as_outputs,
    recurrent_pictures, nested_and_shared, stacks_in_stacks, volumes, dots,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_there_and_back(tfjs, tmp_path, make):
    model, x = make()
    with_weights(model).save(tmp_path / "here")
    expected = predicted(model, x)
    assert_alike(tfjs.predict(tmp_path / "here", x), expected, what="there")
    said = tfjs.resave(tmp_path / "here", tmp_path / "there")
    assert {name for name, _ in said["weights"]} == {w.name for w in model.weights}
    again = lamina.load_model(tmp_path / "there")
    assert_alike(predicted(again, x), expected, what="here again")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_a_layer_of_two_models_has_no_form_there(tfjs, tmp_path):
    """Its topologies hold a layer once for each model that it is in, so that TensorFlow.js makes two of it."""
    inner = lamina.Sequential([layers.Dense(2, input_shape=(2,))])
    a = lamina.Input((2,))
    outer = lamina.Model(a, inner(lamina.Sequential([inner, layers.ReLU()])(a)))
    outer.save(tmp_path)
    assert_alike(predicted(lamina.load_model(tmp_path), normal(3, 2)), predicted(outer, normal(3, 2)))
    with pytest.raises(TensorFlowJSError, match="Duplicate weight name"):
        tfjs.predict(tmp_path, normal(3, 2))


def test_states_go_on_from_batch_to_batch(tfjs, tmp_path):
    model, x = stateful()
    with_weights(model).save(tmp_path)
    expected = [predicted(model, x) for _ in range(3)]
    for found, outputs in zip(tfjs.predict_each(tmp_path, [x] * 3), expected, strict=True):
        assert_alike(found, outputs)
    assert not np.allclose(expected[0][0], expected[1][0])


def test_the_statistics_of_batches_go_with_a_model(tfjs, tmp_path):
    model, x = residual_blocks()
    model.compile("adam", "categorical_crossentropy")
    y = np.eye(3, dtype=np.float32)[[0, 2]]
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path)
    assert_alike(tfjs.predict(tmp_path, x), predicted(model, x))


def test_frozen_layers_stay_frozen(tfjs, tmp_path):
    model = lamina.Sequential([layers.Dense(3, input_shape=(4,), name="frozen"), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mean_squared_error")
    model.save(tmp_path / "here")
    tfjs.train(tmp_path / "here", [(normal(8, 4), normal(8, 1))] * 2, to=tmp_path / "there")
    again = lamina.load_model(tmp_path / "there")
    np.testing.assert_array_equal(again.layers[0].get_weights()[0], model.layers[0].get_weights()[0])
    assert not np.array_equal(again.layers[1].get_weights()[0], model.layers[1].get_weights()[0])
    assert again.layers[0].trainable is False


def test_several_weight_files(tfjs, tmp_path):
    model = lamina.Sequential([layers.Dense(1500, input_shape=(1000,)), layers.Dense(3)])
    model.save(tmp_path)
    assert len(list(tmp_path.glob("*.bin"))) > 1
    x = normal(2, 1000)
    assert_alike(tfjs.predict(tmp_path, x), predicted(model, x))


def quantized(array: np.ndarray, dtype: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The bytes and the record of a quantized weight, and the values that it stands for."""
    if dtype == "float16":
        return array.astype(np.float16), {"dtype": dtype, "original_dtype": "float32"}
    least, most = float(array.min()), float(array.max())
    levels = np.iinfo(dtype).max
    scale = (most - least) / levels
    stored = np.round((array - least) / scale).astype(dtype)
    return stored, {"dtype": dtype, "original_dtype": "float32", "scale": scale, "min": least}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16"])
def test_quantized_weights_mean_the_same_to_both(tfjs, tmp_path, dtype):
    model = with_weights(lamina.Sequential([layers.Dense(6, "tanh", input_shape=(4,)), layers.Dense(3)]))
    records, data = [], b""
    for weight in model.weights:
        stored, how = quantized(weight.numpy(), dtype)
        records.append({"name": weight.name, "shape": list(weight.shape), "dtype": "float32", "quantization": how})
        data += stored.tobytes()
    model.save(tmp_path, fingerprint=False)
    document = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    document["weightsManifest"] = [{"paths": ["quantized.bin"], "weights": records}]
    (tmp_path / "model.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "quantized.bin").write_bytes(data)
    x = normal(5, 4)
    again = lamina.load_model(tmp_path)
    assert_alike(tfjs.predict(tmp_path, x), predicted(again, x))
    again.save(tmp_path / "whole")
    assert_alike(tfjs.predict(tmp_path / "whole", x), predicted(again, x))


TENSORS = {
    "floats": np.array([[1.5, np.inf, -0.0]], np.float32),
    "integers": np.array([-(2**31), 2**31 - 1], np.int32),
    "truths": np.array([[True], [False], [True]]),
    "complex": np.array([[1 + 2j, -3.5j]], np.complex64),
    "words": np.array(["", "lämina", "多層", "a" * 300], dtype=object),
    "scalar": np.array(7, np.int32),
    "none": np.zeros((2, 0), np.float32),
}


def test_weights_of_every_kind_from_there(tfjs, tmp_path):
    tfjs.save_tensors(TENSORS, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    found = load_weights(manifest, tmp_path)
    assert found.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        assert found[name].shape == array.shape


def test_weights_of_every_kind_to_there(tfjs, tmp_path):
    specs, data = encode_weights([(name, array, None) for name, array in TENSORS.items()])
    save_artifacts(tmp_path, lamina.io.ModelArtifacts({"class_name": "Sequential"}, specs, data))
    document = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    found = tfjs.load_tensors(document["weightsManifest"], tmp_path)
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    back = load_artifacts(tmp_path)
    for spec, array in decode_weights(back.weight_specs, back.weight_data):
        np.testing.assert_array_equal(array, TENSORS[spec.name], err_msg=spec.name)

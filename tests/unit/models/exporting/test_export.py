"""Exports of whole models: what is kept, changed and told, and that nothing is written if a layer is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, optimizers
from lamina.errors import ArgumentError, SerializationError
from lamina.io import decode_weights, load_artifacts
from lamina.models.exporting import findings_text, tfjs_findings

GENERATOR = np.random.default_rng(3)
X = GENERATOR.normal(size=(6, 8, 4)).astype(np.float32)
Y = GENERATOR.normal(size=(6, 2)).astype(np.float32)


def sequences(compiled: Any = None) -> Any:
    model = lamina.Sequential([
        layers.ZeroPadding1D(1, input_shape=(8, 4), name="pad"),
        layers.SeparableConv1D(6, 3, activation="leaky_relu", name="conv"),
        layers.UpSampling1D(2, name="up"),
        layers.GlobalAveragePooling1D(name="pool"),
        layers.EinsumDense("ab,bc->ac", 2, bias_axes="c", name="dense"),
    ])  # fmt: skip
    if compiled is not None:
        model.compile(compiled, "mean_squared_error", metrics=["mae"])
    return model


def loaded(model: Any, address: str = "memory://exported", **settings: Any) -> Any:
    model.export(address, **settings)
    return lamina.load_model(address)


def assert_same(one: Any, other: Any, x: Any) -> None:
    for a, b in zip(*(lamina.structures.flatten(m.predict(x, verbose=0)) for m in (one, other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_the_model_stays_as_it_is():
    model = sequences("adam")
    model.train_on_batch(X, Y)
    config, state = model.get_config(), [w.copy() for w in [*model.get_weights(), *model.optimizer.get_weights()]]
    loaded(model)
    assert model.get_config() == config
    for one, other in zip([*model.get_weights(), *model.optimizer.get_weights()], state, strict=True):
        np.testing.assert_array_equal(one, other)


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1), "sgd with momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True), "adam": lambda: optimizers.Adam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5), "adamw": lambda: optimizers.AdamW(0.01),
    "adamax": lambda: optimizers.Adamax(0.01),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on(name):
    """With weights in other shapes, and the state of the optimizer with them."""
    model = sequences(OPTIMIZERS[name]())
    for _ in range(3):
        model.train_on_batch(X, Y)
    again = loaded(model)
    assert int(again.optimizer.iterations.numpy()) == 3
    np.testing.assert_allclose(
        [again.train_on_batch(X, Y)[0] for _ in range(4)], [model.train_on_batch(X, Y)[0] for _ in range(4)], rtol=1e-4
    )


def test_momentum_is_written_as_tensorflow_js_has_it():
    loaded(sequences(optimizers.SGD(0.05, momentum=0.9)))
    training = load_artifacts("memory://exported").training_config
    assert training["optimizer_config"]["class_name"] == "Momentum"


def test_without_the_optimizer():
    model = sequences("adam")
    model.train_on_batch(X, Y)
    assert loaded(model, include_optimizer=False).optimizer is None
    assert all(spec.group is None for spec in load_artifacts("memory://exported").weight_specs)


def test_an_untrained_model():
    again = loaded(sequences("adam"))
    assert int(again.optimizer.iterations.numpy()) == 0


def shared_layers() -> Any:
    """A layer called on inputs of different sizes, in models and beside them."""
    shared = layers.EinsumDense("abc,cd->abd", (None, 5), name="shared")
    a, b, c = lamina.Input((8, 4), name="a"), lamina.Input((3, 4), name="b"), lamina.Input((8, 4))
    inner = lamina.Model(
        c, layers.Subtract()([shared(c), layers.EinsumDense("abc,cd->abd", (None, 5))(c)]), name="inner"
    )
    pooled = [layers.GlobalMaxPooling1D()(y) for y in (inner(a), shared(b))]
    return lamina.Model([a, b], layers.Concatenate()(pooled)), [X, X[:, :3]]


def same_tensor_twice() -> Any:
    x = lamina.Input((8, 4))
    y = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    z = layers.Subtract()([layers.Multiply()([y, y]), layers.Dense(4, "leaky_relu")(y)])
    return lamina.Model(x, [z, y]), X


def in_two_models() -> Any:
    shared = layers.Dense(4, name="shared")
    a, b = lamina.Input((4,)), lamina.Input((4,))
    one = lamina.Model(a, layers.Identity(name="one_identity")(shared(a)), name="one")
    two = lamina.Sequential([lamina.Input((4,)), shared, layers.Activation("hard_silu", name="two_hard")], name="two")
    return lamina.Model([b], layers.Subtract()([one(b), two(b)])), X[:, 0]


def masked() -> Any:
    x = lamina.Input((5,), dtype="int32")
    hidden = layers.Identity()(layers.Embedding(10, 4, mask_zero=True)(x))
    return lamina.Model(x, layers.LSTM(3)(layers.Dropout(0.5)(hidden))), np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]])


def named_outputs() -> Any:
    x = {"left": lamina.Input((4,), name="left"), "right": lamina.Input((4,), name="right")}
    difference = layers.Subtract(name="difference")([x["left"], x["right"]])
    return lamina.Model(x, {"d": difference}), {"left": X[:, 0], "right": X[:, 1]}


MODELS = [shared_layers, same_tensor_twice, in_two_models, masked, named_outputs]


@pytest.mark.parametrize("maker", MODELS)
def test_models_of_every_shape(maker):
    model, x = maker()
    again = loaded(model)
    assert_same(again, model, x)
    if isinstance(model.output_shape, dict):
        assert set(again.predict(x, verbose=0)) == {"d"}


def test_names_and_trainable_flags_stay():
    model = sequences()
    model.get_layer("conv").trainable = False
    again = loaded(model)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert [len(layer.trainable_weights) for layer in again.layers] == [0, 0, 0, 0, 2]


def test_metadata_and_fingerprint():
    model = sequences()
    model.set_user_defined_metadata({"labels": ["a", "b"]})
    again = loaded(model)
    assert again.get_user_defined_metadata() == {"labels": ["a", "b"]}
    assert load_artifacts("memory://exported").user_defined_metadata["lamina"]["fingerprint"]


def test_everything_that_hinders_is_told_before_anything_is_written(tmp_path):
    x = lamina.Input((8, 4))
    y = layers.Lambda(lambda t: t, name="own")(layers.GRU(3, return_sequences=True, name="gru", stateful=False)(x))
    model = lamina.Model(x, layers.Resizing(2, 2, name="sizes")(layers.Reshape((8, 3, 1))(y)))
    target = tmp_path / "model"
    with pytest.raises(SerializationError) as error:
        model.export(target)
    assert all(name in str(error.value) for name in ("own (Lambda)", "sizes (Resizing)"))
    assert not target.exists()


def test_a_model_with_a_call_of_its_own():
    class Own(lamina.Model):
        def call(self, x):
            return x

    (found,) = tfjs_findings(Own())
    assert (found.severity, found.what) == ("refused", "its call method is Python.")
    with pytest.raises(SerializationError, match="its call method"):
        Own().export("memory://own")


def test_findings():
    x = lamina.Input((4,), dtype="float64", name="x")
    dense = layers.Dense(
        3, kernel_regularizer=lamina.regularizers.OrthogonalRegularizer(), activity_regularizer="l2", name="d"
    )
    model = lamina.Model(x, layers.ActivityRegularization(0.1, name="a")(dense(x)))
    model.compile("adamw", "huber", metrics=["mse", "r2_score"])
    text = findings_text(tfjs_findings(model))
    told = [
        "float64 becomes float32", "the kernel regularizer Orthogonal", "the activity regularizer",
        "becomes Activation, linear", "no optimizer AdamW", "no loss huber", "no metric r2_score",
    ]  # fmt: skip
    assert [words for words in told if words not in text] == []
    assert tfjs_findings(lamina.Sequential([layers.Dense(3, "relu", input_shape=(4,))])) == []
    again = loaded(model)
    assert again.layers[0].dtype == "float32"
    assert_same(again, model, X[:, 0])


@pytest.mark.parametrize("quantization", ["uint8", "uint16", "float16", {"uint8": "conv/*", "float16": True}])
def test_quantized(quantization):
    """The optimizer's state is not, and the fingerprint is that of the quantized model."""
    model = sequences("adam")
    model.train_on_batch(X, Y)
    model.export("memory://quantized", quantization={"uint8": True} if isinstance(quantization, dict) else quantization)
    again = lamina.load_model("memory://quantized")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), atol=0.05)
    specs = load_artifacts("memory://quantized").weight_specs
    assert all((spec.quantization is None) == (spec.group == "optimizer") for spec in specs)


def test_groups_by_layer(tmp_path):
    model = sequences("adam")
    model.train_on_batch(X, Y)
    model.export(tmp_path, split_by_layer=True, shard_bytes=40)
    manifest = json.loads((tmp_path / "model.json").read_text())["weightsManifest"]
    owners = [{w["name"].rpartition("/")[0] for w in group["weights"]} for group in manifest]
    assert [len(owner) for owner in owners[:-1]] == [1, 1]
    assert all(weight["group"] == "optimizer" for weight in manifest[-1]["weights"])
    assert all((tmp_path / path).stat().st_size <= 40 for group in manifest for path in group["paths"])
    assert_same(lamina.load_model(tmp_path), model, X)


def test_formats():
    with pytest.raises(ArgumentError, match="'onnx'"):
        sequences().export("memory://x", "onnx")
    with pytest.raises(ArgumentError):
        sequences().export("memory://x", quantization="int4")


def test_weights_are_those_of_the_model():
    model = sequences()
    model.export("memory://exported")
    artifacts = load_artifacts("memory://exported")
    found = sorted(float(array.sum()) for _, array in decode_weights(artifacts.weight_specs, artifacts.weight_data))
    np.testing.assert_allclose(found, sorted(float(w.sum()) for w in model.get_weights()), rtol=1e-6)


def test_models_of_other_programs_say_so():
    artifacts = load_artifacts(_saved(sequences()))
    theirs = lamina.io.from_memory(_with(artifacts, generated_by="TensorFlow.js tfjs-layers v4.22.0"))
    model = lamina.load_model(theirs)
    for again in (model, lamina.load_model(_saved(model))):
        again.export("memory://converted")
        found = load_artifacts("memory://converted")
        assert found.generated_by == "TensorFlow.js tfjs-layers v4.22.0"
        assert found.converted_by.startswith("lamina v")
    own = load_artifacts(_saved(sequences()))
    assert (own.generated_by[:8], own.converted_by) == ("lamina v", None)


def _saved(model: Any) -> str:
    model.save("memory://saved")
    return "memory://saved"


def _with(artifacts: Any, **changes: Any) -> Any:
    return replace(artifacts, **changes)

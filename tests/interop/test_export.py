"""Exported models in TensorFlow.js: every layer that has a way there, with the same predictions, trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamina
from interop.agreeing import TRAINED, assert_alike, predicted
from interop.tensorflowjs import TensorFlowJSError
from lamina import layers, optimizers
from lamina.models.exporting import tfjs_findings
from lamina.models.exporting.words import LAYERS
from unit.layers.layer_case import Case
from unit.layers.test_every_layer import CASES
from unit.models.exporting.test_export import MODELS, OPTIMIZERS, X, Y, sequences
from unit.models.exporting.test_lowering import COMPOSED, data_of, model_of
from unit.models.exporting.test_masks import averaged, flat, merged, sequence_again, softened, stacked, without_its_mask


def is_exported(case: Case) -> bool:
    return not any(found.severity == "refused" for found in tfjs_findings(model_of(case)))


def findings_of(case: Case) -> set[str]:
    return {found.severity for found in tfjs_findings(model_of(case))}


EXPORTED = [case for case in CASES if is_exported(case)]
LOWERED = [case for case in EXPORTED if "exact" in findings_of(case)]


def test_its_registry_has_what_is_said(tfjs):
    assert set(tfjs.classes()) >= LAYERS


def scripts(folder: Path) -> dict[str, list[str]]:
    return {"scripts": [str(path) for path in folder.glob("layers.js")]}


@pytest.mark.parametrize("case", EXPORTED, ids=str)
def test_predictions(tfjs, tmp_path, case):
    model, x = model_of(case), data_of(case)
    model.export(tmp_path)
    assert_alike(tfjs.predict(tmp_path, x, **scripts(tmp_path)), predicted(model, x))


def is_trained(case: Case) -> bool:
    """Whether it has weights to train, and nothing is told about its training there."""
    model = model_of(case)
    return bool(model.trainable_weights) and all(found.severity == "exact" for found in tfjs_findings(model))


@pytest.mark.parametrize("case", [case for case in LOWERED if is_trained(case)], ids=str)
def test_training_goes_on(tfjs, tmp_path, case):
    """Some steps here, then the same steps here and there."""
    model, x = model_of(case), data_of(case)
    y = np.zeros(predicted(model, x)[0].shape, np.float32)
    model.compile(optimizers.Adam(0.01), "mean_squared_error")
    model.train_on_batch(x, y)
    model.export(tmp_path)
    found = tfjs.train(tmp_path, [(x, y)] * 3)
    np.testing.assert_allclose(np.ravel(found), [model.train_on_batch(x, y) for _ in range(3)], rtol=TRAINED, atol=1e-5)


ROWS = np.linspace(-4, 4, 48, dtype=np.float32).reshape(8, 6)


@pytest.mark.parametrize("name", COMPOSED)
def test_activations(tfjs, tmp_path, name):
    model = lamina.Sequential([layers.Activation(name, input_shape=(6,)), layers.Dense(3, name)])
    model.export(tmp_path)
    assert_alike(tfjs.predict(tmp_path, ROWS), predicted(model, ROWS))


@pytest.mark.parametrize("maker", MODELS)
def test_models_of_every_shape(tfjs, tmp_path, maker):
    model, x = maker()
    model.export(tmp_path)
    assert_alike(tfjs.predict(tmp_path, list(x.values()) if isinstance(x, dict) else x), predicted(model, x))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"adamw", "adamax"}))
def test_training_goes_on_with_every_optimizer(tfjs, tmp_path, name):
    """There, and then here again with what was saved there."""
    model = sequences(OPTIMIZERS[name]())
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.export(tmp_path / "here")
    found = tfjs.train(tmp_path / "here", [(X, Y)] * 3, to=tmp_path / "there")
    expected = [model.train_on_batch(X, Y) for _ in range(3)]
    np.testing.assert_allclose(found, expected, rtol=TRAINED, atol=1e-5)
    again = lamina.load_model(tmp_path / "there")
    np.testing.assert_allclose(again.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=TRAINED, atol=1e-5)


@pytest.mark.parametrize("quantization", ["uint8", "uint16", "float16"])
def test_quantized_weights(tfjs, tmp_path, quantization):
    """What is read there is what is read here."""
    model = sequences("adam")
    model.train_on_batch(X, Y)
    model.export(tmp_path, quantization=quantization, split_by_layer=True, shard_bytes=64)
    assert_alike(tfjs.predict(tmp_path, X), predicted(lamina.load_model(tmp_path), X))


@pytest.mark.parametrize("maker", [stacked, flat])
def test_masks_that_are_the_same(tfjs, tmp_path, maker):
    x = lamina.Input((5,), dtype="int32")
    model = lamina.Model(x, maker(x))
    model.export(tmp_path)
    words = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]], np.int32)
    assert_alike(tfjs.predict(tmp_path, words), predicted(model, words))


@pytest.mark.parametrize("maker", [sequence_again, without_its_mask, merged, averaged, softened])
def test_masks_that_are_others(tfjs, tmp_path, maker):
    """Saved as they are, they raise there or give other numbers."""
    x = lamina.Input((5,), dtype="int32")
    model = lamina.Model(x, maker(x))
    model.save(tmp_path)
    words = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]], np.int32)
    with pytest.raises((TensorFlowJSError, AssertionError)):
        assert_alike(tfjs.predict(tmp_path, words), predicted(model, words))


def test_layers_with_a_class_are_trained(tfjs, tmp_path):
    """Between others, from the state of the optimizer, and then here again."""
    model = lamina.Sequential([
        layers.Conv1D(4, 3, input_shape=(8, 4)), layers.GroupNormalization(2), layers.GRU(3, reset_after=True),
        layers.RMSNormalization(), layers.Dense(2, "leaky_relu"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(0.01), "mean_squared_error")
    model.train_on_batch(X, Y)
    model.export(tmp_path / "here")
    found = tfjs.train(tmp_path / "here", [(X, Y)] * 3, to=tmp_path / "there", **scripts(tmp_path / "here"))
    expected = [model.train_on_batch(X, Y) for _ in range(3)]
    np.testing.assert_allclose(np.ravel(found), expected, rtol=TRAINED, atol=1e-5)
    again = lamina.load_model(tmp_path / "there")
    np.testing.assert_allclose(again.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=TRAINED, atol=1e-5)

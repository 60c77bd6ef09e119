"""Exported models in TensorFlow.js: every layer that has a way there, with the same predictions, trained on."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from interop.agreeing import TRAINED, assert_alike, predicted
from lamina import layers, optimizers
from lamina.models.exporting import tfjs_findings
from lamina.models.exporting.words import LAYERS
from unit.layers.layer_case import Case
from unit.layers.test_every_layer import CASES
from unit.models.exporting.test_lowering import COMPOSED, data_of, model_of


def is_exported(case: Case) -> bool:
    return not any(found.severity == "refused" for found in tfjs_findings(model_of(case)))


def findings_of(case: Case) -> set[str]:
    return {found.severity for found in tfjs_findings(model_of(case))}


EXPORTED = [case for case in CASES if is_exported(case)]
LOWERED = [case for case in EXPORTED if "exact" in findings_of(case)]


def test_its_registry_has_what_is_said(tfjs):
    assert set(tfjs.classes()) >= LAYERS


@pytest.mark.parametrize("case", EXPORTED, ids=str)
def test_predictions(tfjs, tmp_path, case):
    model, x = model_of(case), data_of(case)
    model.export(tmp_path)
    assert_alike(tfjs.predict(tmp_path, x), predicted(model, x))


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


X = np.linspace(-4, 4, 48, dtype=np.float32).reshape(8, 6)


@pytest.mark.parametrize("name", COMPOSED)
def test_activations(tfjs, tmp_path, name):
    model = lamina.Sequential([layers.Activation(name, input_shape=(6,)), layers.Dense(3, name)])
    model.export(tmp_path)
    assert_alike(tfjs.predict(tmp_path, X), predicted(model, X))

"""The process of TensorFlow.js that the other tests ask: what goes there and back, and how it fails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import lamina
from interop.tensorflowjs import TensorFlowJS, TensorFlowJSError
from lamina import layers

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harness") / "model"
    model = lamina.Sequential([layers.Dense(3, activation="tanh", input_shape=(4,)), layers.Dense(2)])
    model.compile("sgd", "mean_squared_error")
    model.save(folder)
    return model, folder


X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
Y = np.linspace(0, 1, 10, dtype=np.float32).reshape(5, 2)


def test_it_is_the_version_that_is_pinned(tfjs):
    pinned = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]["@tensorflow/tfjs"]
    assert tfjs.version == pinned == "4.22.0"


def test_the_lock_file_names_no_place_that_packages_come_from():
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "integrity" in lock
    assert "resolved" not in lock
    assert not re.search(r"https?://[^\"]*registry|\.tgz", lock)


def test_predictions_evaluation_and_training(tfjs, saved, tmp_path):
    model, folder = saved
    np.testing.assert_allclose(tfjs.predict(folder, X)[0], model.predict(X), atol=1e-6)
    np.testing.assert_allclose(tfjs.evaluate(folder, X, Y)[0], model.evaluate(X, Y, verbose=0), rtol=1e-5)
    steps = tfjs.train(folder, [(X, Y)] * 3, to=tmp_path / "trained")
    assert steps[2][0] < steps[1][0] < steps[0][0]
    history = tfjs.fit(tmp_path / "trained", X, Y, epochs=2, batchSize=5)
    assert history["loss"][1] < history["loss"][0] < steps[2][0]


def test_values_of_every_kind_go_there_and_back(tfjs, tmp_path):
    tensors = {
        "floats": np.array([[1.5, np.inf], [np.nan, -0.0]], np.float32),
        "integers": np.array([-(2**31), 7], np.int32),
        "truths": np.array([[True], [False]]),
        "complex": np.array([1 + 2j, -3j], np.complex64),
        "words": np.array(["", "lämina", "多"], dtype=object),
        "nothing": np.zeros((0, 3), np.float32),
        "one": np.float32(3.0).reshape(()),
    }
    specs = tfjs.save_tensors(tensors, tmp_path)
    found = tfjs.load_tensors([{"paths": ["weights.bin"], "weights": specs}], tmp_path)
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_what_it_raises_has_its_words(tfjs, tmp_path):
    with pytest.raises(TensorFlowJSError, match=r"ENOENT.*model\.json"):
        tfjs.predict(tmp_path, X)
    unknown = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Nothing", "config": {}}]}}
    with pytest.raises(TensorFlowJSError, match="Unknown layer: Nothing"):
        tfjs.make(unknown, tmp_path)
    assert "Dense" in tfjs.classes()  # and it goes on


def test_an_answer_that_does_not_come(tmp_path):
    endless = tmp_path / "endless.js"
    endless.write_text("for (;;) {}", encoding="utf-8")
    with TensorFlowJS() as tfjs, pytest.raises(TensorFlowJSError, match=r"predict: no answer within 0\.5 s"):
        tfjs.request("predict", model="", runs=[], scripts=[endless], timeout=0.5)


def test_a_process_that_ends(tmp_path):
    ending = tmp_path / "ending.js"
    ending.write_text("console.error('the end'); tf.engine().constructor.constructor('return process')().exit(3)")
    with TensorFlowJS() as tfjs:
        with pytest.raises(TensorFlowJSError, match=r"predict: the process ended\. the end"):
            tfjs.request("predict", model="", runs=[], scripts=[ending])
        with pytest.raises(TensorFlowJSError, match="ended"):
            tfjs.classes()


def test_where_something_is_missing_it_says_what(monkeypatch, tmp_path):
    monkeypatch.setenv("LAMINA_NODE_MODULES", str(tmp_path))
    with pytest.raises(TensorFlowJSError, match=r"@tensorflow/tfjs is not in .*install\.py"):
        TensorFlowJS().__enter__()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TensorFlowJSError, match=r"Node\.js is not installed"):
        TensorFlowJS().__enter__()

"""Training that goes on where the other one stopped: every optimizer whose state TensorFlow.js keeps, both ways."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import lamina
from interop.agreeing import TRAINED, predicted
from interop.tensorflowjs import TensorFlowJSError
from lamina import layers, optimizers

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(32, 5)).astype(np.float32)
Y = np.tanh(X[:, :2] @ GENERATOR.normal(size=(2, 3))).astype(np.float32)
BATCHES = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 32, 8)]

OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.Momentum(0.05, 0.9),
    "nesterov": lambda: optimizers.Momentum(0.05, 0.9, use_nesterov=True),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0, form="tensorflow.js"),
    "adam": lambda: optimizers.Adam(0.02),
    "adam of tensorflow.js": lambda: optimizers.Adam(0.02, beta_2=0.99, form="tensorflow.js"),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop with momentum": lambda: optimizers.RMSprop(0.01, rho=0.8, momentum=0.5),
    "centered rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True, form="tensorflow.js"),
}

THEIRS = {
    "SGD": {"learningRate": 0.1},
    "Momentum": {"learningRate": 0.05, "momentum": 0.9, "useNesterov": True},
    "Adagrad": {"learningRate": 0.1, "initialAccumulatorValue": 0.1},
    "Adadelta": {"learningRate": 1.0, "rho": 0.9, "epsilon": 1e-6},
    "Adam": {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-7},
    "RMSProp": {"learningRate": 0.01, "decay": 0.8, "momentum": 0.3, "epsilon": 1e-7, "centered": True},
}


def network() -> Any:
    """With batch statistics, which training moves too."""
    lamina.utils.set_random_seed(7)
    first = layers.Dense(6, activation="tanh", use_bias=False, input_shape=(5,))
    return lamina.Sequential([first, layers.BatchNormalization(momentum=0.8), layers.Dense(3)])


def trained(model: Any, batches: Any) -> np.ndarray:
    return np.array([np.ravel(model.train_on_batch(*batch)) for batch in batches])


def assert_losses(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=TRAINED, atol=TRAINED)


def assert_same_state(model: Any, other: Any) -> None:
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=TRAINED)
    states = zip(model.optimizer.save_names, model.optimizer.get_weights(), other.optimizer.get_weights(), strict=True)
    for name, one, two in states:
        # Without momentum nobody needs the last step: TensorFlow.js keeps it, lamina keeps zeros in its place.
        if not name.endswith("/momentum") or model.optimizer.momentum:
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=TRAINED, err_msg=name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_begun_here_and_gone_on_with_there_and_here_again(tfjs, tmp_path, name):
    model = network()
    model.compile(OPTIMIZERS[name](), "mean_squared_error", metrics=["mae"])
    trained(model, BATCHES)
    model.save(tmp_path / "here")
    found = tfjs.train(tmp_path / "here", BATCHES, to=tmp_path / "there")
    assert_losses(found, trained(model, BATCHES))
    again = lamina.load_model(tmp_path / "there")
    assert type(again.optimizer) is type(model.optimizer)
    assert_same_state(again, model)
    assert_losses(trained(again, BATCHES), trained(model, BATCHES))


@pytest.mark.parametrize("name", THEIRS)
def test_begun_there_and_gone_on_with_here_and_there_again(tfjs, tmp_path, name):
    network().save(tmp_path / "new")
    settings = {"optimizer": {"class_name": name, "config": THEIRS[name]}, "loss": "meanSquaredError"}
    tfjs.train(tmp_path / "new", BATCHES, to=tmp_path / "there", compile=settings)
    model = lamina.load_model(tmp_path / "there")
    expected = tfjs.train(tmp_path / "there", BATCHES, to=tmp_path / "further")
    assert_losses(trained(model, BATCHES), expected)
    assert_same_state(model, lamina.load_model(tmp_path / "further"))
    model.save(tmp_path / "here")
    assert_losses(tfjs.train(tmp_path / "here", BATCHES), tfjs.train(tmp_path / "further", BATCHES))


def test_fit_gives_the_same_history(tfjs, tmp_path):
    model = network()
    model.compile("adam", "mean_squared_error", metrics=["mae"])
    model.save(tmp_path)
    found = tfjs.fit(tmp_path, X, Y, epochs=3, batchSize=8)
    history = model.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0).history
    assert_losses(found["loss"], history["loss"])
    assert_losses(found["mae"], history["mae"])


LOSSES = {
    "mean_squared_error": ("linear", Y), "mean_absolute_error": ("linear", Y),
    "mean_absolute_percentage_error": ("linear", Y),
    "mean_squared_logarithmic_error": ("sigmoid", np.abs(Y)), "hinge": ("tanh", np.sign(Y)),
    "squared_hinge": ("tanh", np.sign(Y)), "categorical_hinge": ("linear", np.eye(3, dtype=np.float32)[Y.argmax(1)]),
    "log_cosh": ("linear", Y), "categorical_crossentropy": ("softmax", np.eye(3, dtype=np.float32)[Y.argmax(1)]),
    "sparse_categorical_crossentropy": ("softmax", Y.argmax(1).astype(np.float32)[:, None]),
    "binary_crossentropy": ("sigmoid", (Y > 0).astype(np.float32)),
    "kl_divergence": ("softmax", np.abs(Y) / np.abs(Y).sum(1, keepdims=True)), "poisson": ("softplus", np.abs(Y)),
    "cosine_similarity": ("linear", Y),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_go_by_their_names(tfjs, tmp_path, loss):
    activation, y = LOSSES[loss]
    model = lamina.Sequential([layers.Dense(4, "tanh", input_shape=(5,)), layers.Dense(3, activation)])
    model.compile(optimizers.SGD(0.05), loss)
    model.save(tmp_path / "here")
    assert json.loads((tmp_path / "here" / "model.json").read_text(encoding="utf-8"))["trainingConfig"]["loss"]
    found = tfjs.train(tmp_path / "here", [(X, y)] * 3, to=tmp_path / "there")
    assert_losses(np.ravel(found), np.ravel(trained(model, [(X, y)] * 3)))
    again = lamina.load_model(tmp_path / "there")
    assert_losses(trained(again, [(X, y)]), trained(model, [(X, y)]))


def test_a_loss_for_each_output(tfjs, tmp_path):
    inputs = lamina.Input((5,), name="x")
    hidden = layers.Dense(6, "relu")(inputs)
    model = lamina.Model(inputs, [layers.Dense(3, name="a")(hidden), layers.Dense(1, "sigmoid", name="b")(hidden)])
    y = [Y, (Y[:, :1] > 0).astype(np.float32)]
    model.compile("adam", {"a": "mean_squared_error", "b": "binary_crossentropy"})
    model.save(tmp_path / "here")
    found = tfjs.train(tmp_path / "here", [(X, y)] * 3, to=tmp_path / "there")
    assert_losses(np.array(found)[:, 0], trained(model, [(X, y)] * 3)[:, 0])
    again = lamina.load_model(tmp_path / "there")
    assert_losses(trained(again, [(X, y)])[:, 0], trained(model, [(X, y)])[:, 0])


UNKNOWN_THERE = {
    "adamw": lambda: optimizers.AdamW(0.01),
    "keras's adadelta": lambda: optimizers.Adadelta(1.0),
    "adamax, whose state it cannot keep": lambda: optimizers.Adamax(0.01),
    "a schedule": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
    "clipped": lambda: optimizers.Adam(0.01, clipnorm=1.0),
}


@pytest.mark.parametrize("name", UNKNOWN_THERE)
def test_what_it_could_not_go_on_with_is_left_out_for_it_and_kept_for_us(tfjs, tmp_path, name):
    model = network()
    model.compile(UNKNOWN_THERE[name](), "mean_squared_error")
    trained(model, BATCHES)
    model.save(tmp_path / "here")
    np.testing.assert_allclose(tfjs.predict(tmp_path / "here", X)[0], predicted(model, X)[0], rtol=1e-5, atol=1e-5)
    with pytest.raises(TensorFlowJSError, match="not compiled"):
        tfjs.train(tmp_path / "here", BATCHES)
    again = lamina.load_model(tmp_path / "here")
    np.testing.assert_array_equal(trained(again, BATCHES), trained(model, BATCHES))


def test_what_lamina_keeps_beside_is_not_believed_after_a_change_there(tfjs, tmp_path):
    """TensorFlow.js hands the user's metadata on, and in it lamina's: the optimizer and the outputs of before."""
    model = network()
    model.compile("adam", "mean_squared_error")
    model.set_user_defined_metadata({"who": "me"})
    model.save(tmp_path / "here")
    settings = {"optimizer": {"class_name": "RMSProp", "config": THEIRS["RMSProp"]}, "loss": "meanAbsoluteError"}
    tfjs.train(tmp_path / "here", BATCHES, to=tmp_path / "there", compile=settings)
    handed = json.loads((tmp_path / "there" / "model.json").read_text(encoding="utf-8"))["userDefinedMetadata"]
    assert "fingerprint" in handed["lamina"]
    again = lamina.load_model(tmp_path / "there")
    assert isinstance(again.optimizer, optimizers.RMSprop)
    assert again.get_user_defined_metadata() == {"who": "me"}
    assert_losses(again.evaluate(X, Y, verbose=0), tfjs.evaluate(tmp_path / "there", X, Y)[0])

"""Keras itself with ``.h5`` files, in both directions: the same predictions, and training that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_side import NEAR, assert_near, keras, keras_gives, lamina_gives, load, randomized

import lamina
from lamina.layers import SymbolicTensor
from lamina.structures import flatten, map_structure
from lamina_keras.objects import UNKNOWN_THERE
from unit.layers.layer_case import Arguments
from unit.layers.test_every_layer import CASE_MODULES, CASES

NOT_THERE = {
    "AlphaDropout(rate=0.5, noise_shape=(None, 1, None), seed=3)": "Keras cannot write it",
    "Conv1DTranspose(filters=3, kernel_size=1, strides=2, output_padding=3, data_format='channels_first')": "not there",
    "Conv2D(filters=6, kernel_size=(3, 2), groups=2, strides=2, dilation_rate=(1, 2))": "not in Keras",
    "LayerNormalization(axis=1, center=False, gamma_regularizer='l2')": "not in Keras on PyTorch",
    "RMSNormalization(axis=[1])": "not in Keras on PyTorch",
    "SeparableConv1D(filters=3, kernel_size=2, padding='causal')": "not in Keras",
    "Lambda(function='relu', arguments={'max_value': 0.5})": "the function has no such name there",
}
"""Cases that Keras itself does not take."""

ALONE = ("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells")
"""Cells are layers here; in Keras they go into an RNN."""


def is_known(case: Any) -> bool:
    name = case.kind.__name__
    return name not in UNKNOWN_THERE["layers"] and name not in ALONE and str(case) not in NOT_THERE


KNOWN = {str(case): case for module in CASE_MODULES for case in module.CASES if is_known(case)}
KNOWN.update({str(case): case for case in CASES if is_known(case)})


def there_and_back(model: Any, inputs: Any, folder: Path) -> tuple[Any, Any]:
    """Saves a model of lamina, loads it in Keras, saves it there, and loads it here; all give the same."""
    model.save(folder / "lamina.h5")
    theirs = load(folder / "lamina.h5")
    expected = lamina_gives(model, inputs)
    assert_near(keras_gives(theirs, inputs), expected, "lamina to Keras")
    theirs.save(folder / "keras.h5")
    again = lamina.load_model(folder / "keras.h5")
    assert_near(lamina_gives(again, inputs), expected, "Keras to lamina")
    return theirs, again


@pytest.mark.parametrize("case", KNOWN.values(), ids=str)
def test_every_layer(case: Any, tmp_path: Path) -> None:
    arguments = list(case.inputs) if isinstance(case.inputs, Arguments) else [case.inputs]
    symbolic = [map_structure(lambda x: lamina.Input(batch_shape=x.shape, dtype=str(x.dtype)), a) for a in arguments]
    outputs = case.kind(**case.settings)(*symbolic)
    tensors = [x for x in flatten(symbolic) if isinstance(x, SymbolicTensor)]
    arrays = flatten(arguments)
    model = lamina.Model(tensors if len(tensors) > 1 else tensors[0], outputs)
    there_and_back(randomized(model), arrays if len(arrays) > 1 else arrays[0], tmp_path)


def outer(of: Any, seed: int = 3) -> Any:
    """A model with nested, shared, frozen and wrapped layers, in lamina or in Keras."""
    kinds = of.layers
    x = of.Input((5, 4), name="x")
    each = of.Sequential([of.Input((4,)), kinds.Dense(4), kinds.BatchNormalization(), kinds.Dense(4)], name="e")
    frozen = of.Sequential([of.Input((4,)), kinds.BatchNormalization(), kinds.Dense(4)], name="frozen")
    frozen.trainable = False
    start = of.Input((4,))
    inner = of.Model(start, kinds.Dense(4, name="in")(kinds.LayerNormalization(name="n")(start)), name="inner")
    y = kinds.TimeDistributed(each, name="each")(x)
    y = kinds.Bidirectional(kinds.GRU(3, return_sequences=True, name="gru"), name="both")(y)
    cells = [kinds.LSTMCell(4, name="l"), kinds.GRUCell(4, reset_after=False, name="g")]
    y = kinds.RNN(kinds.StackedRNNCells(cells), name="cells")(y)
    shared = kinds.Dense(4, name="shared")
    return of.Model(x, [frozen(shared(y)), inner(shared(inner(y)))], name="outer")


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def test_nested_models_to_keras_and_back(tmp_path: Path) -> None:
    theirs, again = there_and_back(randomized(outer(lamina)), numbers(2, 5, 4), tmp_path)
    assert [w.shape for w in again.trainable_weights] == [tuple(w.shape) for w in theirs.trainable_weights]


def test_nested_models_from_keras_and_back(tmp_path: Path) -> None:
    theirs = randomized(outer(keras))
    theirs.save(tmp_path / "keras.h5")
    expected = keras_gives(theirs, numbers(2, 5, 4))
    ours = lamina.load_model(tmp_path / "keras.h5")
    assert_near(lamina_gives(ours, numbers(2, 5, 4)), expected, "Keras to lamina")
    ours.save(tmp_path / "lamina.h5")
    assert_near(keras_gives(load(tmp_path / "lamina.h5"), numbers(2, 5, 4)), expected, "lamina to Keras")


def test_weights_alone_go_both_ways(tmp_path: Path) -> None:
    ours, theirs = randomized(outer(lamina)), outer(keras)
    ours.save_weights(tmp_path / "lamina.h5")
    theirs.load_weights(tmp_path / "lamina.h5")
    assert_near(keras_gives(theirs, numbers(2, 5, 4)), lamina_gives(ours, numbers(2, 5, 4)), "lamina to Keras")
    theirs.load_weights(tmp_path / "lamina.h5", by_name=True)
    other = outer(lamina)
    randomized(theirs).save(tmp_path / "keras.h5")
    other.load_weights(tmp_path / "keras.h5")
    assert_near(lamina_gives(other, numbers(2, 5, 4)), keras_gives(theirs, numbers(2, 5, 4)), "Keras to lamina")


OPTIMIZERS = [
    ("SGD", {"momentum": 0.9}), ("SGD", {"use_ema": True}), ("Adam", {"amsgrad": True}), ("AdamW", {}), ("Adamax", {}),
    ("Nadam", {}), ("Adagrad", {}), ("Adadelta", {"learning_rate": 0.5}), ("Ftrl", {}), ("Lion", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
]  # fmt: skip


def stack(of: Any) -> Any:
    kinds = of.layers
    return of.Sequential(
        [of.Input((3,)), kinds.Dense(4, activation="tanh"), kinds.BatchNormalization(), kinds.Dense(2)]
    )


def train(model: Any, steps: int) -> None:
    for step in range(steps):
        model.train_on_batch(numbers(8, 3) + step, numbers(8, 2))


def weights(model: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(w) for w in model.get_weights()]


@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=str)
def test_training_goes_on_here_from_the_state_in_keras(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    theirs = randomized(stack(keras))
    theirs.compile(getattr(keras.optimizers, name)(**settings), "mse", metrics=["mae"])
    train(theirs, 2)
    theirs.save(tmp_path / "keras.h5")
    ours = lamina.load_model(tmp_path / "keras.h5")
    ours.save(tmp_path / "lamina.h5")
    again = lamina.load_model(tmp_path / "lamina.h5")
    for model in (theirs, ours, again):
        train(model, 2)
    assert_near(weights(ours), weights(theirs), "trained on", 10 * NEAR)
    assert_near(weights(again), weights(ours), "trained on after another save")


@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=str)
def test_keras_takes_how_a_model_was_compiled(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    """Keras itself makes no room for the state of an optimizer when it reads ``.h5``, of its own files neither."""
    model = randomized(stack(lamina))
    model.compile(getattr(lamina.optimizers, name)(**settings), "mse", metrics=["mae", "accuracy"])
    train(model, 2)
    model.save(tmp_path / "lamina.h5")
    theirs = load(tmp_path / "lamina.h5")
    assert type(theirs.optimizer).__name__ == name
    assert int(theirs.optimizer.iterations) == 2
    expected = model.evaluate(numbers(8, 3), numbers(8, 2), verbose=0)
    np.testing.assert_allclose(theirs.evaluate(numbers(8, 3), numbers(8, 2), verbose=0), expected, rtol=1e-5)


def test_losses_by_short_names(tmp_path: Path) -> None:
    """Files that Keras itself cannot read again, as of losses by short names, it reads when they come from here."""
    model = stack(lamina)
    model.compile("adam", {model.output_names[0]: "mse"}, weighted_metrics=["mse"])
    train(model, 1)
    model.save(tmp_path / "lamina.h5")
    assert load(tmp_path / "lamina.h5").compiled

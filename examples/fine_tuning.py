"""Reads a model that was trained for TensorFlow.js, gives it a new head, trains that, and writes it back.

Run ``python examples/fine_tuning.py path/to/model.json`` for a classifier of 8 by 8 images, or without a path: the
script then makes one, which tells even from odd digits, and saves it for the browser.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import lamina
from lamina import layers


def load_data():
    """Images of digits and the digits: 1,000 for whoever trained the first model, 150 for us, the rest to test on."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images = images[order].reshape(-1, 8, 8, 1).astype("float32") / 16.0
    labels = labels[order].astype("int32")
    return [(images[a:b], labels[a:b]) for a, b in ((0, 1000), (1000, 1150), (1150, None))]


def someone_elses(folder, x, y):
    """A model for the browser that tells even from odd digits: model.json and weight files."""
    lamina.random.set_seed(1)
    stack = [
        layers.Conv2D(16, 3, activation="relu", input_shape=(8, 8, 1), name="edges"),
        layers.Conv2D(32, 3, activation="relu", name="strokes"),
        layers.GlobalMaxPooling2D(name="anywhere"),
        layers.Dense(1, activation="sigmoid", name="odd"),
    ]
    model = lamina.Sequential(stack, name="parity")
    model.compile("adam", "binary_crossentropy")
    model.fit(x, (y % 2).astype("float32"), epochs=12, seed=1, verbose=0)
    model.export(folder)
    return Path(folder, "model.json")


def with_new_head(model, trainable):
    """The same layers up to the last one, and ten classes."""
    for layer in model.layers:
        layer.trainable = trainable
    lamina.random.set_seed(2)
    inner = model.layers[-2].output
    tuned = lamina.Model(model.inputs, layers.Dense(10, activation="softmax", name="digit")(inner), name="digits")
    tuned.compile(lamina.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return tuned


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    first, few, test = load_data()
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else someone_elses(folder, *first)
        print("read:", json.loads(Path(path).read_text()).get("generatedBy", "an unknown program"), path)
        model = lamina.load_model(path)
    model.summary()

    tuned = with_new_head(model, trainable=False)
    before = [w.copy() for w in model.get_weights()[:-2]]
    tuned.fit(*few, epochs=60, seed=3, verbose=0)
    head = tuned.evaluate(*test, verbose=0)[1]
    unchanged = all(np.array_equal(one, two) for one, two in zip(before, tuned.get_weights(), strict=False))

    for layer in tuned.layers:
        layer.trainable = True
    tuned.compile(lamina.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    tuned.fit(*few, epochs=30, seed=4, verbose=0)
    whole = tuned.evaluate(*test, verbose=0)[1]
    print(f"of {len(test[1])} unseen digits right: {head:.1%} with a new head, {whole:.1%} with all layers tuned")

    with tempfile.TemporaryDirectory() as folder:
        tuned.export(folder)
        again = lamina.load_model(folder)
        same = np.allclose(again.predict(test[0], verbose=0), tuned.predict(test[0], verbose=0), atol=1e-6)
    check("what was frozen did not change", unchanged)
    check("at least 85 % are right after 150 examples", whole >= 0.85)
    check("what was written for the browser predicts the same", same)


if __name__ == "__main__":
    main()

"""Trains on scikit-learn's handwritten digits, saves the model, loads it back, and resumes training exactly.

Run ``python examples/digits.py``; ``LAMINA_BACKEND=torch python examples/digits.py`` does the same on PyTorch.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import lamina
from lamina import layers

EPOCHS, SAVED_AT = 40, 25


def load_data():
    """1,797 images of 8 by 8 pixels: 1,437 to train on and 360 to test, split the same way each time."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images = images[order].reshape(-1, 8, 8, 1).astype("float32") / 16.0
    labels = labels[order].astype("int32")
    return (images[:1437], labels[:1437]), (images[1437:], labels[1437:])


def make_model():
    """A small convolutional network; the seed makes its first weights the same each time."""
    lamina.random.set_seed(7)
    model = lamina.Sequential(
        [
            layers.Conv2D(16, 3, padding="same", activation="relu", input_shape=(8, 8, 1), name="conv"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="hidden"),
            layers.Dropout(0.2, seed=1, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    (x_train, y_train), (x_test, y_test) = load_data()
    print(f"lamina {lamina.__version__} on {lamina.get_backend().name}")
    model = make_model()
    model.summary()

    started = time.perf_counter()
    history = model.fit(x_train, y_train, batch_size=32, epochs=EPOCHS, validation_data=(x_test, y_test), seed=3)
    seconds = time.perf_counter() - started
    for name, values in history.history.items():
        print(f"{name:>14}: {' '.join(f'{value:.3f}' for value in values[::6])} ... {values[-1]:.3f}")
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"trained {EPOCHS} epochs in {seconds:.1f} s; test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    check("at least 96 % of the test digits are right", accuracy >= 0.96)

    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder, "digits"), Path(folder, "digits-part")
        model.save(whole)
        print("saved:", ", ".join(f"{f.name} ({f.stat().st_size} bytes)" for f in sorted(whole.iterdir())))
        loaded = lamina.load_model(whole)
        same = np.array_equal(model.predict(x_test), loaded.predict(x_test))
        check("the loaded model predicts the same, bit for bit", same)

        interrupted = make_model()
        interrupted.fit(x_train, y_train, batch_size=32, epochs=SAVED_AT, seed=3, verbose=0)
        interrupted.save(part)
        resumed = lamina.load_model(part)
        resumed.fit(x_train, y_train, batch_size=32, initial_epoch=SAVED_AT, epochs=EPOCHS, seed=3, verbose=0)
        pairs = zip(model.get_weights(), resumed.get_weights(), strict=True)
        check("the resumed run equals the uninterrupted one, bit for bit", all(np.array_equal(a, b) for a, b in pairs))


if __name__ == "__main__":
    main()

"""Begins to train on one backend and goes on on another, as if nothing had happened.

Run ``python examples/switching_backends.py``. It starts on NumPy and moves to PyTorch and back; without PyTorch, or as
``python examples/switching_backends.py cupy``, to another backend that is there.
"""

import sys

import numpy as np
from sklearn.datasets import load_wine

import lamina
from lamina import layers

EPOCHS = 30


def load_data():
    """178 wines: 13 measurements, scaled, and three cultivars."""
    x, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return ((x - x.mean(0)) / x.std(0)).astype("float32")[order], y.astype("int32")[order]


def make_model():
    """A small network with dropout, whose random numbers are the same on every backend."""
    lamina.random.set_seed(7)
    stack = [layers.Dense(16, activation="relu", input_shape=(13,)), layers.Dropout(0.2, seed=1), layers.Dense(3)]
    model = lamina.Sequential(stack, name="wines")
    loss = lamina.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(lamina.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    return model


def other_backend():
    """The backend to move to: the one that was asked for, or the first that is there and is not NumPy."""
    missing = lamina.list_backends()
    wanted = sys.argv[1:] or [name for name in ("torch", "cupy", *missing) if name != "numpy" and missing[name] is None]
    if not wanted:
        print("Only NumPy is here. pip install 'lamina[torch]' brings another backend to move to.")
        sys.exit(2)
    return wanted[0]


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    x, y = load_data()
    other = other_backend()
    stays, moves = make_model(), make_model()
    stays.to("numpy")
    stays.fit(x, y, epochs=EPOCHS, seed=3, verbose=0)

    for name, first, last in (("numpy", 0, 10), (other, 10, 20), ("numpy", 20, EPOCHS)):
        moves.to(name)  # weights, what Adam remembers, metrics and random numbers
        history = moves.fit(x, y, initial_epoch=first, epochs=last, seed=3, verbose=0)
        print(f"epochs {first:2} to {last:2} on {name:>6}: loss {history.history['loss'][-1]:.4f}")

    pairs = zip(stays.get_weights(), moves.get_weights(), strict=True)
    largest = max(np.abs(one - two).max() for one, two in pairs)
    print(f"largest difference of a weight from a run that stayed on NumPy: {largest:.1e}")
    check("it is below 1e-4", largest < 1e-4)
    check("at least 95 % of the wines are right", moves.evaluate(x, y, verbose=0)[1] >= 0.95)


if __name__ == "__main__":
    main()

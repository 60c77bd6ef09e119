"""Takes a Keras file of a classifier of digits to the browser: a folder with a page that draws and classifies them.

Run ``python examples/browser/make.py digits.keras`` if you have such a file; without a name it trains one, with Keras
if that is installed, else with lamina. Then ``python -m http.server --directory digits-page`` serves the page.
"""

import argparse
import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import lamina
from lamina.models.exporting import tfjs_findings

EPOCHS = 25
PAGE = Path(__file__).parent / "page"


def load_data():
    """1,797 images of 8 by 8 pixels from 0 to 1: 1,437 to train on and 360 to test, split the same way each time."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order].reshape(-1, 8, 8, 1).astype("float32") / 16.0, labels[order].astype("int32")
    return (images[:1437], labels[:1437]), (images[1437:], labels[1437:])


def varied(images, generator):
    """The images, each a little wider or narrower, slanted and moved to a side, as drawings of other people are."""
    wider, slant, aside = generator.uniform([0.75, -0.3, -0.6], [1.4, 0.3, 0.6], (len(images), 3)).T[..., None, None]
    row, column = np.mgrid[:8, :8] - 3.5
    there = (column + slant * row + aside) / wider + 3.5  # from where in its row each pixel comes, between two
    before = np.floor(there).astype(int)
    padded = np.pad(images[..., 0], ((0, 0), (0, 0), (8, 9)))
    left, right = (np.take_along_axis(padded, np.clip(before + 8 + step, 0, 24), 2) for step in (0, 1))
    return (left + (there - before) * (right - left))[..., None].astype("float32")


def write_keras_file(path, library):
    """Trains a classifier and saves it. ``library`` is keras or lamina: the code is the same for both."""
    layers = library.layers
    library.utils.set_random_seed(7)
    model = library.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    (x, y), _ = load_data()
    generator = np.random.default_rng(1)
    for _ in range(EPOCHS):
        model.fit(varied(x, generator), y, batch_size=32, verbose=0)
    model.save(path)
    print(f"{library.__name__} {library.__version__} trained {path}")


def check(model):
    """Says how good a model is at the images that it was not trained on, and stops if it is no classifier of digits."""
    shapes = [x.shape for x in (*model.inputs, *model.outputs)]
    if len(shapes) != 2 or np.prod(shapes[0][1:]) != 64 or shapes[1][1:] != (10,):
        sys.exit(
            f"the model goes from {shapes[0]} to {shapes[-1]}; the page needs one from 64 pixels to 10 probabilities"
        )
    _, (x, y) = load_data()
    said = model.predict(x.reshape(-1, *shapes[0][1:]), verbose=0)
    if said.min() < 0 or abs(said.sum(1) - 1).max() > 1e-3:
        sys.exit("the model gives no probabilities: let it end in softmax")
    print(f"{np.mean(said.argmax(1) == y):.1%} of {len(y)} test digits are right")


def make_page(keras_file, folder, quantization=None):
    """The page, and the model in the form that TensorFlow.js loads, in one folder."""
    model = lamina.load_model(keras_file)
    check(model)
    for finding in tfjs_findings(model):
        print(finding)
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    result = model.export(Path(folder, "model"), quantization=quantization, include_optimizer=False)
    print(f"{folder} is ready: {result.weight_bytes:,} bytes of weights")
    print(f"python -m http.server --bind 127.0.0.1 --directory {folder}  # then open http://127.0.0.1:8000")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("keras_file", nargs="?", help="the model; without it, one is trained and saved as digits.keras")
    parser.add_argument("--folder", default="digits-page", help="where the page goes")
    parser.add_argument("--quantization", choices=["uint8", "uint16", "float16"], help="weights in fewer bytes")
    given = parser.parse_args(arguments)
    if given.keras_file is None:
        given.keras_file = "digits.keras"
        keras = importlib.util.find_spec("keras") is not None
        write_keras_file(given.keras_file, importlib.import_module("keras") if keras else lamina)
    make_page(given.keras_file, given.folder, given.quantization)


if __name__ == "__main__":
    main()

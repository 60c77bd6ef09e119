"""Finds the pixels of discs among squares and noise with a small U-Net.

Run ``python examples/segmentation.py``. The script draws the images: each has some discs and squares in shades of grey,
and the mask to learn is that of the discs alone (Ronneberger et al. 2015, arXiv:1505.04597).
"""

import sys

import numpy as np

import lamina
from lamina import layers

SIZE, COUNT = 32, 320


def draw(random):
    """An image of 32 by 32 pixels and the mask of its discs."""
    image = random.normal(0.3, 0.1, (SIZE, SIZE))
    mask = np.zeros((SIZE, SIZE), bool)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for shape in random.permutation(["disc", "disc", "square", "square"]):
        row, column = random.integers(4, SIZE - 4, 2)
        radius = random.integers(3, 6)
        disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        square = np.maximum(abs(rows - row), abs(columns - column)) <= radius - 1
        inside = disc if shape == "disc" else square
        image[inside] = random.uniform(0.6, 1.0) + random.normal(0, 0.05, inside.sum())
        mask[inside] = shape == "disc"
    return image, mask


def load_data():
    """Images and masks, the last quarter to test on."""
    random = np.random.default_rng(0)
    drawn = [draw(random) for _ in range(COUNT)]
    images = np.array([image for image, _ in drawn], np.float32)[..., None]
    masks = np.array([mask for _, mask in drawn], np.float32)[..., None]
    split = COUNT * 3 // 4
    return (images[:split], masks[:split]), (images[split:], masks[split:])


def block(x, filters):
    """Two convolutions, each normalized."""
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x


def make_model():
    """Down twice, up twice; what was there before going down is joined to what comes up."""
    lamina.random.set_seed(5)
    image = lamina.Input((SIZE, SIZE, 1))
    first = block(image, 8)
    second = block(layers.MaxPooling2D()(first), 16)
    deepest = block(layers.MaxPooling2D()(second), 32)
    up = layers.Conv2DTranspose(16, 2, strides=2)(deepest)
    up = block(layers.Concatenate()([second, up]), 16)
    up = layers.Conv2DTranspose(8, 2, strides=2)(up)
    up = block(layers.Concatenate()([first, up]), 8)
    model = lamina.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(up), name="u_net")
    overlap = lamina.metrics.BinaryIoU([1], threshold=0.5, name="overlap")
    model.compile(lamina.optimizers.Adam(0.004), "binary_crossentropy", metrics=[overlap])
    return model


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    (x, y), (x_test, y_test) = load_data()
    model = make_model()
    model.summary(line_length=100)
    model.fit(x, y, batch_size=16, epochs=16, validation_data=(x_test, y_test), seed=1, verbose=2)

    overlap = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["overlap"]
    bright = lamina.metrics.BinaryIoU([1], threshold=0.5)
    bright.update_state(y_test, x_test)
    print(
        f"overlap with the discs (intersection over union): {overlap:.2f}; bright pixels {bright.result().item():.2f}"
    )
    found = model.predict(x_test[:1], verbose=0)[0, ..., 0] > 0.5
    for row in range(0, SIZE, 2):
        told = (x_test[0, row, :, 0] > 0.5, y_test[0, row, :, 0] > 0.5, found[row])
        print("   ".join("".join("#" if pixel else "." for pixel in line) for line in told))
    check("the overlap is at least 0.65", overlap >= 0.65)


if __name__ == "__main__":
    main()

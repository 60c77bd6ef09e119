"""Learns to draw digits: a variational autoencoder with a training step of its own.

Run ``python examples/variational_autoencoder.py``. The encoder gives a mean and a spread for two numbers, a draw from
them goes through the decoder, and the loss is the negative evidence lower bound (Kingma and Welling 2013).
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import lamina
from lamina import layers, ops

PIXELS, LATENT = 64, 2


class VariationalAutoencoder(lamina.Model):
    """Encoder, draw and decoder; ``train_step`` and ``test_step`` are what ``fit`` and ``evaluate`` do with a batch."""

    def __init__(self):
        super().__init__(name="autoencoder")
        self.encoder = lamina.Sequential([layers.Dense(64, "relu"), layers.Dense(2 * LATENT)], name="encoder")
        self.decoder = lamina.Sequential([layers.Dense(64, "relu"), layers.Dense(PIXELS)], name="decoder")
        self.noise = lamina.random.SeedGenerator(4)
        self.parts = [lamina.metrics.Mean(name) for name in ("bound", "pixels", "divergence")]

    @property
    def metrics(self):
        return self.parts

    def call(self, images, training=False):
        mean, log_variance = ops.split(self.encoder(images), 2, axis=-1)
        if training:
            drawn = ops.random.normal(mean.shape, seed=self.noise)
            return self.decoder(mean + ops.exp(0.5 * log_variance) * drawn), mean, log_variance
        return self.decoder(mean), mean, log_variance

    def bound(self, images, training):
        """The negative evidence lower bound of a batch, in nats per image, and its two parts."""
        logits, mean, log_variance = self(images, training=training)
        each = ops.maximum(logits, 0.0) - logits * images + ops.log1p(ops.exp(-ops.abs(logits)))
        pixels = ops.mean(ops.sum(each, axis=-1))
        spread = 1.0 + log_variance - ops.square(mean) - ops.exp(log_variance)
        divergence = -0.5 * ops.mean(ops.sum(spread, axis=-1))
        return pixels + divergence, pixels, divergence

    def report(self, values):
        for metric, value in zip(self.parts, values, strict=True):
            metric.update_state(value)
        return {metric.name: metric.result() for metric in self.parts}

    def train_step(self, data):
        (images,) = data
        found = []

        def loss():
            found[:] = self.bound(images, training=True)
            return found[0]

        self.optimizer.minimize(loss, var_list=self.trainable_variables)
        return self.report(found)

    def test_step(self, data):
        (images,) = data
        return self.report(self.bound(images, training=False))


def draw(image):
    """A digit in characters."""
    shades = " .:-=+*#%@"
    return [" ".join(shades[int(value * 9.99)] for value in row) for row in np.clip(image, 0, 1).reshape(8, 8)]


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    images = (load_digits().data / 16.0).astype("float32")
    lamina.random.set_seed(3)
    model = VariationalAutoencoder()
    model.compile(lamina.optimizers.Adam(0.002))
    model(images[:1])  # makes the weights
    before = model.evaluate(images[1500:], verbose=0, return_dict=True)["bound"]
    model.fit(images[:1500], batch_size=64, epochs=40, seed=2, verbose=0)
    after = model.evaluate(images[1500:], verbose=0, return_dict=True)
    print(f"nats per unseen image: {before:.1f} before training, {after['bound']:.1f} after")

    places = np.array([[-1.5, 0.0], [0.0, 1.5], [1.5, 0.0], [0.0, -1.5]], np.float32)
    drawn = [draw(image) for image in lamina.sigmoid(model.decoder(places)).numpy()]
    print("\n".join("    ".join(lines) for lines in zip(*drawn, strict=True)))
    check("the bound is below 25 nats per unseen image", after["bound"] < 25.0)
    check("what it draws in different places differs", np.std(model.decoder(places).numpy(), axis=0).max() > 1.0)


if __name__ == "__main__":
    main()

"""The layer, and how its configurations of earlier versions become those of today."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ArgumentError
from lamina.layers import Layer


class SqueezeExcitation(Layer):
    """Weighs the channels of images: y = x * sigmoid(relu(mean(x) @ squeeze) @ excite).

    The mean is that of each channel over the image, and in between there are channels / ``ratio`` numbers, at least 1.
    (batch, height, width, channels) gives the same shape. Raises ArgumentError for a ratio under 1.
    """

    def __init__(self, ratio: int = 16, **common: Any) -> None:
        super().__init__(**common)
        if ratio < 1:
            raise ArgumentError(f"ratio is {ratio}.", expected="1 or more.")
        self.ratio = ratio

    def build(self, input_shape: Any) -> None:
        channels = input_shape[-1]
        few = max(1, channels // self.ratio)
        self.squeeze = self.add_weight((channels, few), "he_normal", name="squeeze")
        self.excite = self.add_weight((few, channels), "glorot_uniform", name="excite")

    def call(self, x: Any) -> Any:
        means = ops.mean(x, axis=(1, 2))
        weights = ops.sigmoid(ops.relu(means @ self.squeeze) @ self.excite)
        return x * ops.reshape(weights, (-1, 1, 1, x.shape[-1]))


def migrate(config: dict[str, Any], version: str) -> dict[str, Any]:
    """Version 1 called the ratio a reduction."""
    if version.startswith("1."):
        config["ratio"] = config.pop("reduction")
    return config

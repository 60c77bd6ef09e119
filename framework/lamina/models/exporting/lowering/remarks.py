"""What is to be told of layers that compute the same in TensorFlow.js, and train otherwise there, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def remarks(layer: Any) -> Iterator[str]:
    """Sentences about a layer, without the full stop."""
    name = layer.class_name
    if name == "BatchNormalization" and not (layer.center and layer.scale):
        yield "TensorFlow.js trains it with center and scale only, and raises or gives other numbers without"
    if name == "UpSampling2D":
        yield "TensorFlow.js's CPU backend has a wrong gradient for batches of several images; others train it"
    if name == "Conv3DTranspose":
        yield "TensorFlow.js cannot train it"
    if name.startswith(("Conv", "Depthwise", "Separable")) and max(getattr(layer, "dilation_rate", (1,))) > 1:
        yield "TensorFlow.js cannot train dilated convolutions"
    if any(getattr(v, "constraint", None) is not None for v in layer.weights):
        yield "TensorFlow.js applies constraints when it loads, not while it trains"

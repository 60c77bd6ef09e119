"""Layers that models of keras.applications have of their own."""

from __future__ import annotations

from typing import Any, Final

from lamina.initializers import Constant
from lamina.layers import Dropout, Layer
from lamina.layers.arguments import number, positive

MODULES: Final = {
    "CustomScaleLayer": "keras.src.applications.inception_resnet_v2",
    "LayerScale": "keras.src.applications.convnext",
    "StochasticDepth": "keras.src.applications.convnext",
}
"""Where Keras has them."""


class LayerScale(Layer):
    """Of ConvNeXt: x * gamma, with a weight for each of ``projection_dim`` channels that starts at ``init_values``.

    >>> from lamina import ops
    >>> LayerScale(0.5, 2)(ops.ones((1, 2))).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, init_values: float, projection_dim: int, **common: Any) -> None:
        super().__init__(**common)
        self.init_values: float = number(init_values, "init_values")
        self.projection_dim: int = positive(projection_dim, "projection_dim")

    def build(self, input_shape: Any) -> None:
        self.gamma: Any = self.add_weight((self.projection_dim,), Constant(self.init_values), name="gamma")

    def call(self, x: Any) -> Any:
        return x * self.gamma


class StochasticDepth(Dropout):
    """Of ConvNeXt: in training, leaves out whole examples with the probability ``drop_path_rate``.

    >>> from lamina import ops
    >>> StochasticDepth(0.5)(ops.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, drop_path_rate: float, **common: Any) -> None:
        super().__init__(drop_path_rate, **common)
        self.drop_path_rate: float = self.rate

    def call(self, x: Any, training: bool = False) -> Any:
        self.noise_shape: tuple[int | None, ...] | None = (None, *(1 for _ in x.shape[1:]))
        return super().call(x, training)


class CustomScaleLayer(Layer):
    """Of InceptionResNetV2: a + scale * b, for a list of the two.

    >>> from lamina import ops
    >>> CustomScaleLayer(0.5)([ops.ones((1, 2)), ops.ones((1, 2))]).tolist()
    [[1.5, 1.5]]
    """

    def __init__(self, scale: float, **common: Any) -> None:
        super().__init__(**common)
        self.scale: float = number(scale, "scale")

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale

"""The kit's checks of layers find what is wrong with a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.testing import LayerCase, check_layer

X = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)


class Scale(layers.Layer):
    """A right layer: a factor, and a weight for each feature."""

    def __init__(self, factor: float = 2.0, **common: Any) -> None:
        super().__init__(**common)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, x: Any) -> Any:
        return x * self.scale * self.factor


class Forgetful(Scale):
    """Its config has another factor than it was given."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": 2.0}


class Misshapen(Scale):
    """It is wrong about its shape."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], 1)


class Wrong(Scale):
    """Its gradient is twice the slope."""

    def call(self, x: Any) -> Any:
        def doubled(x: Any) -> Any:
            return ops.identity(x), lambda dy: 2.0 * dy

        return super().call(lamina.custom_gradient(doubled)(x))


class Frozen(Scale):
    """It counts in Python, which a recorded step does not see."""

    calls = 0

    def call(self, x: Any) -> Any:
        self.calls += 1
        return super().call(x) * (1.0 if self.calls < 5 else 3.0)


class Lost(Scale):
    """Part of what it computes with is not saved."""

    def __init__(self, factor: float = 2.0, **common: Any) -> None:
        super().__init__(factor, **common)
        self.hidden = float(np.random.default_rng().normal())

    def call(self, x: Any) -> Any:
        return super().call(x) * self.hidden


class Partial(Scale):
    """It does something else on Torch."""

    def call(self, x: Any) -> Any:
        return super().call(x) * (2.0 if lamina.get_backend().name == "torch" else 1.0)


class Upwards(Scale):
    """Training it raises the loss."""

    def call(self, x: Any) -> Any:
        y = super().call(x)
        return ops.subtract(2.0 * ops.stop_gradient(y), y)


class Lopsided(layers.Layer):
    """It has two data formats, and pays attention to one only."""

    def __init__(self, data_format: str = "channels_last", **common: Any) -> None:
        super().__init__(**common)
        self.data_format = data_format

    def call(self, x: Any) -> Any:
        return ops.cumsum(x, axis=-1)


def test_a_right_layer() -> None:
    check_layer(Scale, {"factor": 3.0}, X)


def test_a_layer_of_several_arguments() -> None:
    generator = np.random.default_rng(2)
    query, value = (generator.normal(size=(2, steps, 6)).astype(np.float32) for steps in (4, 5))
    settings = {"num_heads": 2, "key_dim": 3, "dropout": 0.2, "seed": 1}
    check_layer(layers.MultiHeadAttention, settings, query, further={"value": value}, backends=lamina_backends())


def lamina_backends() -> list[str]:
    return [name for name in ("numpy", "torch") if lamina.list_backends()[name] is None]


def test_a_wrong_gradient_of_a_further_argument() -> None:
    class Pair(layers.Layer):
        def call(self, x: Any, y: Any) -> Any:
            return x * lamina.custom_gradient(lambda t: (ops.identity(t), lambda dy: 2.0 * dy))(y)

    with pytest.raises(AssertionError, match="the gradient of input"):
        LayerCase(Pair, {}, X, further={"y": X + 1.0}).check_gradients()


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Forgetful, "config"),
        (Misshapen, "shapes"),
        (Wrong, "gradients"),
        (Frozen, "replay"),
        (Lost, "config"),
        (Lost, "saving"),
        (Upwards, "training"),
    ],
)
def test_wrong_layers(kind: type[layers.Layer], check: str) -> None:
    with pytest.raises(AssertionError):
        getattr(LayerCase(kind, {"factor": 3.0}, X), f"check_{check}")()


def test_another_data_format() -> None:
    with pytest.raises(AssertionError):
        LayerCase(Lopsided, {}, np.ones((2, 3, 4), np.float32)).check_data_format()


def test_backends_that_do_not_agree() -> None:
    pytest.importorskip("torch")
    with pytest.raises(AssertionError, match="on torch, as on numpy"):
        LayerCase(Partial, {}, X).check_backends(("numpy", "torch"))


def test_another_gradient_on_purpose() -> None:
    LayerCase(Wrong, {}, X, gradients=False).check_gradients()

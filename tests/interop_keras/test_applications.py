"""Models of keras.applications with random weights: in Keras, here, in TensorFlow.js, and back in Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_side import assert_near, from_keras_and_back, keras, keras_gives, randomized

import lamina
from interop.tensorflowjs import TensorFlowJS
from lamina import backend_scope

SMALL = {
    "MobileNetV2": {"alpha": 0.35},
    "ResNet50": {},
    "EfficientNetB0": {},
    "MobileNetV3Small": {},
    "ConvNeXtTiny": {},
}
"""Those that are tried each time: plain, with squeeze and excitation, with functions and with layers of their own."""


@pytest.mark.parametrize("name", SMALL)
def test_architectures(name: str, tmp_path: Path, tfjs: TensorFlowJS) -> None:
    settings: dict[str, Any] = SMALL[name]
    model = getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), classes=10, **settings)
    generator = np.random.default_rng(0)
    for weight in randomized(model).weights:
        if weight.path.endswith("kernel"):  # large enough for numbers to differ, small enough for none to vanish
            shape = tuple(weight.shape)
            spread = np.sqrt(2.0 / max(1, int(np.prod(shape[:-1]))))
            weight.assign(generator.normal(0, spread, shape).astype(np.float32))
    pixels = generator.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    with backend_scope("torch"):
        from_keras_and_back(model, pixels, tmp_path)
        model.save(tmp_path / "model.keras")
        lamina.load_model(tmp_path / "model.keras").export(tmp_path / "web")
    scripts = [str(path) for path in (tmp_path / "web").glob("layers.js")]
    assert_near(
        tfjs.predict(tmp_path / "web", pixels, scripts=scripts), keras_gives(model, pixels), "Keras to TensorFlow.js"
    )

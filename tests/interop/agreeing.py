"""Models with one layer in them, with weights that are all different, and what it is for two results to agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import lamina
from lamina.structures import flatten

TOLERANCE = 1e-5
TRAINED = 1e-4


def one_layer_model(layer: Any, inputs: Any, seed: int = 5) -> Any:
    """A model that is one layer for such inputs, a batch of one array or of several."""
    places = [lamina.Input(x.shape[1:], dtype=str(x.dtype)) for x in _listed(inputs)]
    given = places if isinstance(inputs, list) else places[0]
    return with_weights(lamina.Model(given, layer(given)), seed)


def with_weights(model: Any, seed: int = 5) -> Any:
    """The model with weights that are all different from what initializers give, and above zero."""
    generator = np.random.default_rng(seed)
    model.set_weights([generator.uniform(0.2, 1.0, w.shape).astype(w.dtype) for w in model.weights])
    return model


def predicted(model: Any, inputs: Any) -> list[Any]:
    return [np.asarray(x) for x in flatten(model.predict(inputs, verbose=0))]


def assert_alike(found: Sequence[Any], expected: Sequence[Any], tolerance: float = TOLERANCE, what: str = "") -> None:
    """As many arrays of the same shapes, with values near those expected or, above 1, relatively near."""
    assert len(found) == len(expected), f"{what}: {len(found)} outputs, and {len(expected)}"
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape, f"{what}: shape {one.shape}, and {other.shape}"
        np.testing.assert_allclose(
            np.asarray(one, np.float64), np.asarray(other, np.float64), rtol=tolerance, atol=tolerance, err_msg=what
        )


def _listed(inputs: Any) -> list[Any]:
    return inputs if isinstance(inputs, list) else [inputs]

"""Cases of dense and merging layers, of embeddings, activations and noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import layers
from unit.layers.layer_case import Case, normal

INDICES = np.array([[0, 4, 2], [1, 1, 3]], np.int32)
X = normal(2, 3, 4)
PAIR = [normal(2, 3), normal(2, 3)]
RANKS = [normal(2, 4, 3), normal(2, 3)]


def exponentials(x: Any, axis: Any = -1) -> Any:
    y = np.exp(x - x.max(axis, keepdims=True))
    return y / y.sum(axis, keepdims=True)


def unchanged(x: Any) -> Any:
    return x


def batches(equation: str) -> Any:
    """A reference of ``Dot``: the equation without the batch."""
    return lambda x: np.stack([np.einsum(equation, a, b) for a, b in zip(*x, strict=True)])


def cosine(x: Any) -> Any:
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in x)
    return (a * b).sum(1, keepdims=True)


def merged(function: Any) -> Any:
    """A reference that gives the second input an axis after the batch."""
    return lambda x: function(x[0], x[1][:, None])


CASES = [
    Case(
        layers.EinsumDense,
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de", "activation": "relu"},
        X,
        {"kernel": (4, 2, 3), "bias": (2, 3)},
        lambda x, k, b: np.maximum(np.einsum("abc,cde->abde", x, k) + b, 0),
    ),
    Case(
        layers.EinsumDense,
        {"equation": "...x,xy->...y", "output_shape": 5, "bias_axes": None},
        X,
        {"kernel": (4, 5)},
        lambda x, k: x @ k,
    ),
    Case(
        layers.EinsumDense,
        {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"},
        X,
        {"kernel": (3, 5), "bias": (5, 1)},
        lambda x, k, b: np.einsum("abd,bc->acd", x, k) + b,
    ),
    Case(
        layers.ReversibleEmbedding,
        {"input_dim": 5, "output_dim": 3},
        INDICES,
        {"embeddings": (5, 3)},
        lambda x, e: e[x],
    ),
    Case(
        layers.PositionEmbedding,
        {"sequence_length": 4},
        X.astype(np.int32),
        {"embeddings": (4, 4)},
        lambda x, e: np.broadcast_to(e[: x.shape[-2]], x.shape),
    ),
    Case(layers.Subtract, {}, PAIR, {}, lambda x: x[0] - x[1]),
    Case(layers.Multiply, {}, RANKS, {}, merged(np.multiply)),
    Case(layers.Average, {}, [*PAIR, normal(2, 1)], {}, lambda x: (x[0] + x[1] + x[2]) / 3),
    Case(layers.Maximum, {}, RANKS, {}, merged(np.maximum)),
    Case(layers.Minimum, {}, RANKS, {}, merged(np.minimum)),
    Case(layers.Dot, {"axes": 1}, [normal(2, 3, 4), normal(2, 3, 5)], {}, batches("ka,kb->ab")),
    Case(layers.Dot, {"axes": (2, 1)}, [normal(2, 3, 4), normal(2, 4)], {}, batches("ak,k->a")),
    Case(layers.Dot, {"axes": (2, -1)}, [normal(2, 3, 4, 2), normal(2, 6, 4)], {}, batches("akb,ck->abc")),
    Case(layers.Dot, {"axes": 1, "normalize": True}, PAIR, {}, cosine),
    Case(
        layers.ReLU,
        {"max_value": 1.0, "negative_slope": 0.25, "threshold": 0.5},
        X,
        {},
        lambda x: np.where(x >= 1, 1, np.where(x > 0.5, x, 0.25 * (x - 0.5))),
    ),
    Case(layers.LeakyReLU, {}, X, {}, lambda x: np.where(x > 0, x, 0.3 * x)),
    Case(layers.PReLU, {}, X, {"alpha": (3, 4)}, lambda x, a: np.where(x > 0, x, a * x)),
    Case(layers.PReLU, {"shared_axes": [1]}, X, {"alpha": (1, 4)}, lambda x, a: np.where(x > 0, x, a * x)),
    Case(layers.ELU, {"alpha": 0.5}, X, {}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    Case(layers.ThresholdedReLU, {"theta": 0.5}, X, {}, lambda x: np.where(x > 0.5, x, 0)),
    Case(layers.Softmax, {}, X, {}, exponentials),
    Case(layers.Softmax, {"axis": [1, 2]}, X, {}, lambda x: exponentials(x, (1, 2))),
    Case(layers.Softmax, {"axis": [0, -1]}, X, {}, lambda x: exponentials(x, (0, 2))),
    Case(layers.SpatialDropout1D, {"rate": 0.5}, X, {}, unchanged),
    Case(layers.SpatialDropout2D, {"rate": 0.5, "data_format": "channels_first"}, normal(2, 3, 4, 5), {}, unchanged),
    Case(layers.SpatialDropout3D, {"rate": 0.5, "seed": 3}, normal(2, 3, 4, 5, 2), {}, unchanged),
    Case(layers.GaussianNoise, {"stddev": 0.5}, X, {}, unchanged),
    Case(layers.GaussianDropout, {"rate": 0.5}, X, {}, unchanged),
    Case(layers.AlphaDropout, {"rate": 0.5, "noise_shape": (None, 1, None), "seed": 3}, X, {}, unchanged),
]

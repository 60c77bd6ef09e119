"""Cases of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import layers
from unit.layers.layer_case import Arguments, Case, normal


def softmax(x: Any) -> Any:
    y = np.exp(x - x.max(-1, keepdims=True))
    return y / y.sum(-1, keepdims=True)


def by_products(x: Any, scale: Any = 1.0) -> Any:
    return softmax(scale * x[0] @ np.swapaxes(x[-1], -1, -2)) @ x[1]


def by_sums(x: Any, *weights: Any) -> Any:
    scale, weight = weights if len(weights) == 2 else (1.0, *weights)
    scores = weight * np.tanh(scale * (x[0][:, :, None] + x[-1][:, None])).sum(-1)
    return softmax(scores) @ x[1]


def additive(x: Any, scale: Any = 1.0) -> Any:
    return softmax((scale * np.tanh(x[0][:, :, None] + x[1][:, None])).sum(-1)) @ x[1]


def flat(x: Any, attended: tuple[int, ...]) -> Any:
    """The attended axes as one, the last but that of the features."""
    others = [a for a in range(x.ndim - 1) if a not in attended]
    moved = x.transpose(*others, *attended, x.ndim - 1)
    return moved.reshape(*(x.shape[a] for a in others), -1, x.shape[-1])


def heads(*attended: int, shared: int = 1) -> Any:
    """A reference of heads between projections, for the axes attended to, which are the last but the features."""

    def attend(x: Arguments, *weights: Any) -> Any:
        with_bias = weights[1].ndim < weights[0].ndim
        kernels, biases = (weights[::2], weights[1::2]) if with_bias else (weights, [0.0] * len(weights))
        query, value = flat(x.query, attended), flat(x.value, attended)
        sources = (query, value, value) if len(kernels) == 4 else (query, value, query, value)
        projected = [
            np.swapaxes(np.tensordot(source, kernel, 1) + bias, -2, -3)
            for source, kernel, bias in zip(sources, kernels, biases, strict=False)
        ]
        q, k, v = projected[0], np.repeat(projected[1], shared, -3), np.repeat(projected[-1], shared, -3)
        found = softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])) @ v
        if len(projected) == 4:
            found = found / (1 + np.exp(-projected[2]))
        result = np.tensordot(np.swapaxes(found, -2, -3), kernels[-1], 2) + biases[-1]
        return result.reshape(*x.query.shape[:-1], -1)

    return attend


def projections(features: int, size: int, many: int, few: int, *, gate: bool = False, value: int = 0) -> dict[str, Any]:
    value = value or size
    names = {"query": (many, size), "key": (few, size), "gate": (many, value), "value": (few, value)}
    found: dict[str, Any] = {}
    for name, shape in names.items():
        if gate or name != "gate":
            found |= {f"{name}/kernel": (features, *shape), f"{name}/bias": shape}
    return {**found, "attention_output/kernel": (many, value, features), "attention_output/bias": (features,)}


TWO = [normal(2, 4, 3), normal(2, 5, 3)]
PAIR = Arguments(normal(2, 4, 6), normal(2, 5, 6))
IMAGE = Arguments(normal(2, 3, 4, 6), normal(2, 3, 5, 6))
WHOLE = Arguments(normal(2, 3, 4, 6), normal(2, 2, 5, 6))

CASES = [
    Case(layers.Attention, {}, TWO, {}, by_products),
    Case(layers.Attention, {"use_scale": True, "dropout": 0.5, "seed": 2}, TWO, {"scale": ()}, by_products),
    Case(layers.Attention, {"score_mode": "concat"}, [*TWO, normal(2, 5, 3)], {"concat_score_weight": ()}, by_sums),
    Case(
        layers.Attention,
        {"score_mode": "concat", "use_scale": True},
        TWO,
        {"scale": (), "concat_score_weight": ()},
        by_sums,
    ),
    Case(layers.AdditiveAttention, {}, TWO, {"scale": (3,)}, additive),
    Case(layers.AdditiveAttention, {"use_scale": False}, TWO, {}, additive),
    Case(layers.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, PAIR, projections(6, 3, 2, 2), heads(1)),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": 4, "use_gate": True, "dropout": 0.5, "seed": 1},
        PAIR,
        projections(6, 3, 2, 2, gate=True, value=4),
        heads(1),
    ),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "attention_axes": (2,), "use_bias": False},
        IMAGE,
        {k: v for k, v in projections(6, 3, 2, 2).items() if "kernel" in k},
        heads(2),
    ),
    Case(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3},
        WHOLE,
        projections(6, 3, 2, 2),
        heads(1, 2),
    ),
    Case(
        layers.GroupQueryAttention,
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        PAIR,
        projections(6, 3, 4, 2),
        heads(1, shared=2),
    ),
    Case(
        layers.GroupQueryAttention,
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 1, "use_gate": True},
        PAIR,
        projections(6, 3, 4, 1, gate=True),
        heads(1, shared=4),
    ),
]

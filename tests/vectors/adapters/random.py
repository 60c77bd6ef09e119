"""Random numbers: TensorFlow.js's dtypes may be null, its seeds fractions, and its booleans integers."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


def _whole(seed: Any) -> Any:
    return None if seed is None else int(seed)


@adapter("randomUniform")
def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    if dtype == "bool":
        return lamina.random.randint(shape, minval, maxval, _whole(seed)).cast("bool")
    return lamina.random.uniform(shape, minval, maxval, dtype or "float32", _whole(seed))


@adapter("randomNormal")
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return lamina.random.normal(shape, mean, stddev, dtype or "float32", _whole(seed))


@adapter("randomStandardNormal")
def standard_normal(shape: Any, dtype: Any = None, seed: Any = None) -> Any:
    return lamina.random.standard_normal(shape, dtype or "float32", _whole(seed))


@adapter("truncatedNormal")
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return lamina.random.truncated_normal(shape, mean, stddev, dtype or "float32", _whole(seed))


@adapter("randomGamma")
def gamma(shape: Any, alpha: Any, beta: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return lamina.random.gamma(shape, alpha, beta, dtype or "float32", _whole(seed))


@adapter("randomUniformInt")
def randint(shape: Any, minval: Any, maxval: Any, seed: Any = None) -> Any:
    return lamina.random.randint(shape, minval, maxval, _whole(seed))


@adapter("multinomial")
def multinomial(logits: TensorLike, num_samples: Any, seed: Any = None, normalized: Any = False) -> Any:
    return lamina.random.multinomial(logits, num_samples, _whole(seed), normalized)

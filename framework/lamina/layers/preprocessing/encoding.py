"""Categories as vectors."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.dtypes import INTEGER
from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import choice, flag, positive
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor

MODES = ("multi_hot", "one_hot", "count")


def encoded(indices: Tensor, depth: int, mode: str, dtype: str, weights: Any = None) -> Tensor:
    """Integers below ``depth`` as vectors: one for each ('one_hot'), or one for each row ('multi_hot', 'count').

    A row lies along the first axis behind the batch. For 'one_hot' an axis of size 1 at the end makes place for the
    new one. Integers outside give zeros.
    """
    hot = ops.one_hot(indices, depth, dtype=dtype)
    if mode == "one_hot":
        return ops.squeeze(hot, -2) if indices.ndim > 1 and indices.shape[-1] == 1 else hot
    if indices.ndim == 0:
        return hot if weights is None else ops.multiply(hot, weights)
    row = min(1, indices.ndim - 1)
    if mode == "multi_hot":
        return ops.max(hot, row)
    if weights is not None:
        hot = ops.multiply(hot, ops.expand_dims(ops.cast(weights, dtype), -1))
    return ops.sum(hot, row)


class CategoryEncoding(Layer):
    """Integers from 0 to ``num_tokens`` - 1 as vectors of ``num_tokens``.

    Input (batch, n, ...); ``output_mode`` says what comes of it:

    - 'one_hot': a vector for each integer, (batch, n, ..., num_tokens), in place of a last axis of size 1 if there is
      one;
    - 'multi_hot': (batch, ..., num_tokens), with 1 for each integer that occurs among the n;
    - 'count': (batch, ..., num_tokens), how often each occurs, or with ``count_weights`` of the shape of the input the
      sum of its weights;
    - 'tf_idf': the counts times ``count_weights``, one for each token, as in TensorFlow.js;
    - 'int': the integers as they are; only then may ``num_tokens`` be None.

    Integers outside the range give zeros, as in Keras; TensorFlow.js refuses them. ``sparse`` can only be False.
    Raises ShapeError for weights of another shape.

    >>> CategoryEncoding(3)(ops.tensor([[0, 2], [1, 1]])).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """

    autocast = False

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **common: Any
    ) -> None:
        super().__init__(**common)
        self.output_mode: str = choice(output_mode, "output_mode", (*MODES, "tf_idf", "int"))
        unused = num_tokens is None and self.output_mode == "int"
        self.num_tokens: Any = None if unused else positive(num_tokens, "num_tokens")
        if flag(sparse, "sparse"):
            raise ArgumentError("sparse is True.", expected="False: sparse results are not supported.")
        self.sparse = False

    def call(self, x: Tensor, count_weights: Any = None) -> Tensor:
        if count_weights is not None and self.output_mode not in ("count", "tf_idf"):
            raise ArgumentError(
                f"count_weights for the output_mode {self.output_mode!r}.", expected="'count' or 'tf_idf' with them."
            )
        indices = x if x.dtype in INTEGER else ops.cast(x, "int32")
        if self.output_mode == "int":
            return indices
        if self.output_mode == "tf_idf":
            return self._weighted(encoded(indices, self.num_tokens, "count", self.dtype), count_weights)
        if count_weights is not None and count_weights.shape != x.shape:
            raise ShapeError(
                f"count_weights is {count_weights.shape} and the input {x.shape}.", expected="equal shapes."
            )
        return encoded(indices, self.num_tokens, self.output_mode, self.dtype, count_weights)

    def _weighted(self, counts: Tensor, weights: Any) -> Tensor:
        if weights is None or weights.shape != (self.num_tokens,):
            raise ShapeError(
                f"count_weights is {None if weights is None else weights.shape} for the output_mode 'tf_idf'.",
                expected=f"({self.num_tokens},): a weight for each token.",
            )
        return ops.multiply(counts, ops.cast(weights, self.dtype))

"""Attention without projections: the query, the key and the value are taken as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.errors import ArgumentTypeError, ShapeError
from lamina.layers.activation.softmax import masked_softmax
from lamina.layers.arguments import choice, flag, rate
from lamina.layers.attention.masking import as_condition, band, both
from lamina.layers.layer import Layer
from lamina.layers.weights import random_stream
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int


class DirectAttention(Layer):
    """Base of attention between tensors as they are: y = softmax(scores) @ value.

    Called on [query, value] or [query, value, key]: (..., queries, features), (..., keys, any) and (..., keys,
    features), where the key is the value if there is none. The output is (..., queries, features of the value). A mask
    of the value says which keys count (where none does, all count alike), one of the query which rows of the output are
    not 0; with ``use_causal_mask`` query i sees keys up to i. With ``return_attention_scores`` the weights
    (..., queries, keys) come as well.

    ``dropout`` is the fraction of the weights that are dropped in training.
    """

    supports_masking = True
    lends_settings = True

    def __init__(self, dropout: float = 0.0, seed: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.dropout: float = rate(dropout, "dropout")
        self.seed: int | None = None if seed is None else as_int(seed, "seed")
        self._generator = random_stream(self.seed, self.name) if self.dropout > 0 else None

    def check_input(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) or len(input_shape) not in (2, 3):
            raise ArgumentTypeError(
                f"{type(self).__name__} was called on {_counted(input_shape)}.",
                expected="a list: [query, value] or [query, value, key].",
            )
        query, value = input_shape[:2]
        key = input_shape[-1]
        same = [
            (query[-1:], key[-1:]),
            (value[-2:-1], key[-2:-1]),
            *((query[:-2], other[:-2]) for other in (value, key)),
        ]
        if len({len(s) for s in input_shape}) > 1 or len(query) < 2 or not all(_agree(a, b) for a, b in same):
            raise ShapeError(
                f"{type(self).__name__} got a query of shape {query}, a value of shape {value}"
                + (f" and a key of shape {key}." if len(input_shape) > 2 else "."),
                expected="(..., queries, features), (..., keys, any) and (..., keys, features).",
            )

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well each key fits each query: (..., queries, keys)."""
        raise NotImplementedError

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = inputs[0], inputs[1], inputs[-1]
        query_mask, value_mask = _two_masks(mask)
        scores = self.scores(query, key)
        of_value = None if value_mask is None else ops.expand_dims(value_mask, -2)
        counted = both(of_value, band(scores.shape[-2], scores.shape[-1], use_causal_mask))
        weights = ops.softmax(scores) if counted is None else masked_softmax(scores, counted, some_count=True)
        if training and self.dropout > 0:
            weights = ops.dropout(weights, self.dropout, seed=self._generator)
        result = ops.matmul(weights, value)
        if query_mask is not None:
            result = ops.where(ops.expand_dims(query_mask, -1), result, 0.0)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return _two_masks(mask)[0]


def _counted(shapes: Any) -> str:
    return f"a list of {len(shapes)} tensors" if isinstance(shapes, list) else "one tensor"


def _agree(a: Any, b: Any) -> bool:
    return all(None in (x, y) or x == y for x, y in zip(a, b, strict=True))


def _two_masks(mask: Any) -> tuple[Any, Any]:
    """The masks of the query and of the value."""
    if mask is None:
        return None, None
    if not isinstance(mask, (list, tuple)) or len(mask) < 2:
        raise ArgumentTypeError(
            f"mask is {mask!r}.", expected="a list: the masks of query and value, or None for each."
        )
    query, value = (None if m is None else as_condition(m) for m in mask[:2])
    return query, value


class Attention(DirectAttention):
    """Attention by products: y = softmax(query @ key.T) @ value (Luong et al. 2015, arXiv:1508.04025).

    With ``use_scale`` the scores are multiplied by a weight ``scale`` (). With score_mode='concat' they are
    w * sum(tanh(scale * (query + key))), w being the weight ``concat_score_weight`` (). Inputs, masks, output and the
    other settings are those of ``DirectAttention``.

    Raises ArgumentTypeError unless called on a list of two or three tensors, ShapeError if they do not fit.

    >>> query, value = ops.tensor([[[1.0, 0.0]]]), ops.tensor([[[0.0, 5.0], [0.0, 7.0]]])
    >>> Attention()([query, value]).tolist()
    [[[0.0, 6.0]]]
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **common: Any,
    ) -> None:
        super().__init__(dropout, seed, **common)
        self.use_scale: bool = flag(use_scale, "use_scale")
        self.score_mode: str = choice(score_mode, "score_mode", ("dot", "concat"))

    def build(self, input_shape: Any) -> None:
        if self.use_scale:
            self.scale: Variable = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight: Variable = self.add_weight((), "ones", name="concat_score_weight")

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            found = ops.matmul(query, key, transpose_b=True)
            return ops.multiply(found, self.scale) if self.use_scale else found
        sums = sum_of_each_pair(query, key)
        return ops.multiply(
            ops.sum(ops.tanh(ops.multiply(sums, self.scale) if self.use_scale else sums), -1), self.concat_score_weight
        )


class AdditiveAttention(DirectAttention):
    """Attention by sums: y = softmax(sum(scale * tanh(query + key))) @ value (Bahdanau et al. 2014, arXiv:1409.0473).

    ``scale`` is a weight (features,), or 1 without ``use_scale``. Inputs, masks, output and the other settings are
    those of ``DirectAttention``. Raises as ``Attention``.

    >>> query, value = ops.tensor([[[1.0, 0.0]]]), ops.tensor([[[0.0, 5.0], [0.0, 5.0]]])
    >>> AdditiveAttention()([query, value]).tolist()
    [[[0.0, 5.0]]]
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, seed: int | None = None, **common: Any) -> None:
        super().__init__(dropout, seed, **common)
        self.use_scale: bool = flag(use_scale, "use_scale")

    def build(self, input_shape: Any) -> None:
        if self.use_scale:
            self.scale: Variable = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        fits = ops.tanh(sum_of_each_pair(query, key))
        return ops.sum(ops.multiply(fits, self.scale) if self.use_scale else fits, -1)


def sum_of_each_pair(query: Tensor, key: Tensor) -> Tensor:
    """query + key for each pair of both: (..., queries, keys, features)."""
    return ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))

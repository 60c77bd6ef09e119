"""Attention between projections, in several heads: what grouped and ungrouped heads share."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lamina import ops, regularizers
from lamina.errors import ArgumentTypeError, ShapeError
from lamina.layers.activation.softmax import masked_softmax
from lamina.layers.arguments import flag, positive, rate
from lamina.layers.attention.heads import Axes, axes_of, sizes_along
from lamina.layers.attention.masking import as_condition, band, both
from lamina.layers.einsum_dense import EinsumDense
from lamina.layers.kernel import KernelSettings
from lamina.layers.masks import with_mask
from lamina.layers.probing import probe
from lamina.layers.weights import random_stream
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class ProjectedAttention(KernelSettings):
    """Base of attention in several heads, between projections of the query, the key and the value.

    Called on ``query`` and ``value``, and on ``key`` where that is not the value. The masks ``value_mask`` and
    ``key_mask`` say which keys count, ``attention_mask`` (batch, queries, keys) which keys count for which query; with
    ``use_causal_mask`` query i sees keys up to i, with ``sliding_window`` w only those less than w away. A query for
    which no key counts finds 0. The mask of the query is that of the output. With ``return_attention_scores`` the
    weights (batch, heads, queries, keys) come as well.

    ``dropout`` is the fraction of the weights that are dropped in training. With ``use_gate`` what a head found is
    multiplied by the sigmoid of a further projection of the query. ``use_bias`` and the settings of ``KernelSettings``
    are those of the projections, and so is ``activity_regularizer``. ``flash_attention`` is kept and changes nothing.
    """

    supports_masking = True
    lends_settings = True
    kept_as: ClassVar[dict[str, str]] = {"activity_regularizer": "inner_activity_regularizer"}
    masked_queries_find_nothing: ClassVar[bool] = False
    attention_axes: tuple[int, ...] | None = None
    heads: int
    key_heads: int
    key_size: int
    value_size: int

    def __init__(
        self,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        activity_regularizer: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.dropout: float = rate(dropout, "dropout")
        self.use_bias: bool = flag(use_bias, "use_bias")
        self.sliding_window: int | None = None if sliding_window is None else positive(sliding_window, "sliding_window")
        self.flash_attention: bool | None = (
            None if flash_attention is None else flag(flash_attention, "flash_attention")
        )
        self.inner_activity_regularizer: Any = regularizers.get(activity_regularizer)
        self.use_gate: bool = flag(use_gate, "use_gate")
        self.seed: int | None = None if seed is None else as_int(seed, "seed")
        self._generator = random_stream(self.seed, self.name) if self.dropout > 0 else None

    def check_input(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        name = type(self).__name__
        if not isinstance(query_shape, tuple) or not isinstance(value_shape, tuple):
            raise ArgumentTypeError(
                f"{name} was not called on a query and a value.",
                expected="layer(query, value) or layer(query, value, key).",
            )
        key_shape = value_shape if key_shape is None else key_shape
        if not self._fit(query_shape, value_shape, key_shape):
            raise ShapeError(
                f"{name} got a query of shape {query_shape}, a value of shape {value_shape} and a key of shape "
                f"{key_shape}.",
                expected="(batch, queries, features), (batch, keys, features) and (batch, keys, features), or more "
                "axes, equal where they are not attended to.",
            )
        if self.built:
            for dense, shape in self._projections(query_shape, value_shape, key_shape):
                dense.check_input(shape)

    def _fit(self, *shapes: Any) -> bool:
        if len({len(shape) for shape in shapes}) > 1 or len(shapes[0]) < 3:
            return False
        axes = axes_of(self.attention_axes, len(shapes[0]))
        query, value, key = shapes
        pairs = [*zip(value[:-1], key[:-1], strict=True), *((query[a], value[a]) for a in axes.others)]
        return all(None in pair or pair[0] == pair[1] for pair in pairs)

    def _projections(self, query: Any, value: Any, key: Any) -> list[tuple[EinsumDense, Any]]:
        return [(self.query_dense, query), (self.key_dense, key), (self.value_dense, value)]

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        found = (self.heads, self.value_size)
        self.query_dense: EinsumDense = self._projected("query", query_shape, (self.heads, self.key_size))
        self.key_dense: EinsumDense = self._projected("key", key_shape or value_shape, (self.key_heads, self.key_size))
        if self.use_gate:
            self.gate_dense: EinsumDense = self._projected("gate", query_shape, found)
        self.value_dense: EinsumDense = self._projected("value", value_shape, (self.key_heads, self.value_size))
        self.output_dense: EinsumDense = self._projected(
            "attention_output", (*query_shape[:-1], *found), self.result_sizes(query_shape), 2
        )

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """The shape of the output, without that of the weights, which ``return_attention_scores`` adds."""
        self.check_input(tuple(query_shape), tuple(value_shape), None if key_shape is None else tuple(key_shape))
        return (*query_shape[:-1], *self.result_sizes(query_shape))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Found from ``call``: what comes out depends on more than shapes."""
        return probe(self.call, (args, {**kwargs, "training": False}))

    def _run_without_values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._build_and_run(args, kwargs)

    def result_sizes(self, query_shape: Any) -> tuple[int, ...]:
        """The sizes of the features of the output."""
        return (query_shape[-1],)

    def _projected(self, name: str, input_shape: Any, result: tuple[int, ...], summed: int = 1) -> EinsumDense:
        """A projection of the last axes, ``summed`` in number, to axes of the sizes ``result``."""
        inner, outer = "abc"[:summed], "defghijklmnopqrstuvwxyz"[: len(result)]
        dense = EinsumDense(
            f"...{inner},{inner}{outer}->...{outer}", result, bias_axes=outer if self.use_bias else None, name=name,
            kernel_initializer=self.kernel_initializer, bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer, bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint, bias_constraint=self.bias_constraint,
            activity_regularizer=self.inner_activity_regularizer, dtype=self.dtype,
        )  # fmt: skip
        dense._build_once(tuple(input_shape))
        return dense

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        axes = axes_of(self.attention_axes, query.ndim)
        lengths, key_lengths = sizes_along(query.shape, axes.attended), sizes_along(value.shape, axes.attended)
        masks = (value_mask, key_mask, attention_mask, query_mask if self.masked_queries_find_nothing else None)
        counted = self._counted(axes, lengths, key_lengths, masks, use_causal_mask)
        scores = self._scores(axes, query, value if key is None else key)
        weights = self._softmax(scores, counted)
        found = axes.from_heads(self._found(axes, weights, value, training), lengths)
        if self.use_gate:
            found = ops.multiply(found, ops.sigmoid(self.gate_dense(query)))
        result = self.output_dense(found)
        if not return_attention_scores:
            return result
        shape = (*scores.shape[:-2], *lengths, *key_lengths)
        weights = weights if weights.shape == shape else ops.reshape(weights, shape)
        return with_mask(result, query._mask), with_mask(weights, _of_rank(counted, weights.ndim))

    def _scores(self, axes: Axes, query: Tensor, key: Tensor) -> Tensor:
        """How well each key fits each query: (others..., heads, queries, keys)."""
        q = axes.to_heads(ops.multiply(self.query_dense(query), 1.0 / math.sqrt(self.key_size)))
        k = axes.to_heads(self.key_dense(key))
        scores = ops.matmul(self._grouped(q), k, transpose_b=True)
        return self._ungrouped(scores)

    def _softmax(self, scores: Tensor, counted: Tensor | None) -> Tensor:
        return ops.softmax(scores) if counted is None else masked_softmax(scores, counted)

    def _found(self, axes: Axes, weights: Tensor, value: Tensor, training: bool) -> Tensor:
        """What each head found: (others..., heads, queries, size)."""
        if training and self.dropout > 0:
            weights = ops.dropout(weights, self.dropout, seed=self._generator)
        v = axes.to_heads(self.value_dense(value))
        return self._ungrouped(ops.matmul(self._grouped(weights), v))

    def _grouped(self, x: Tensor) -> Tensor:
        """(..., heads, queries, size) with the queries of all heads that share a key one after the other."""
        if self.heads == self.key_heads:
            return x
        shared = self.heads // self.key_heads
        return ops.reshape(x, (*x.shape[:-3], self.key_heads, shared * x.shape[-2], x.shape[-1]))

    def _ungrouped(self, x: Tensor) -> Tensor:
        """The reverse of ``_grouped``."""
        if self.heads == self.key_heads:
            return x
        shared = self.heads // self.key_heads
        return ops.reshape(x, (*x.shape[:-3], self.heads, x.shape[-2] // shared, x.shape[-1]))

    def _counted(self, axes: Axes, lengths: Any, key_lengths: Any, masks: Any, causal: bool) -> Tensor | None:
        """Which keys count for which query, to be broadcast to (others..., heads, queries, keys)."""
        of_keys = [None if m is None else ops.expand_dims(axes.mask_by_length(as_condition(m)), -2) for m in masks[:2]]
        given = None if masks[2] is None else axes.mask_of_pairs(as_condition(masks[2]), lengths, key_lengths)
        of_queries = None if masks[3] is None else ops.expand_dims(axes.mask_by_length(as_condition(masks[3])), -1)
        return both(
            *of_keys, given, of_queries, band(math.prod(lengths), math.prod(key_lengths), causal, self.sliding_window)
        )


def _of_rank(mask: Tensor | None, ndim: int) -> Tensor | None:
    """A mask with ones before its sizes, so that it has as many axes as what it belongs to."""
    return None if mask is None else ops.reshape(mask, (*(1,) * (ndim - mask.ndim), *mask.shape))

"""Attention in several heads."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina.layers.arguments import positive
from lamina.layers.attention.projected import ProjectedAttention
from lamina.shapes import as_entries, as_int


class MultiHeadAttention(ProjectedAttention):
    """Attention in several heads (Vaswani et al. 2017, arXiv:1706.03762).

    Each head projects query and key to ``key_dim`` and the value to ``value_dim`` (None: as many) features and finds
    softmax(query @ key.T / sqrt(key_dim)) @ value; a last projection of what all heads found gives the output.

    Inputs (batch, queries, features), (batch, keys, features) and maybe (batch, keys, features); output as the query,
    or with features of the sizes ``output_shape``. Where tensors have more axes, ``attention_axes`` are those that are
    attended to, None for all between the batch and the features. How it is called and the other settings are those of
    ``ProjectedAttention``.

    Weights: ``query/kernel`` (features, heads, key_dim), ``query/bias`` (heads, key_dim), the same for ``key``, with
    value_dim for ``gate``, if there is one, and ``value``, ``attention_output/kernel`` (heads, value_dim, features) and
    its bias.

    Raises ArgumentTypeError if called on a query alone, ShapeError if query, value, key and masks do not fit.

    >>> from lamina import ops
    >>> layer = MultiHeadAttention(num_heads=2, key_dim=3)
    >>> x = ops.ones((1, 4, 6))
    >>> y, weights = layer(x, x, return_attention_scores=True, use_causal_mask=True)
    >>> y.shape, weights[0, 0, 1].tolist()
    ((1, 4, 6), [0.5, 0.5, 0.0, 0.0])
    """

    kept_as: ClassVar[dict[str, str]] = {**ProjectedAttention.kept_as, "output_shape": "output_sizes"}

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(dropout, use_bias, **common)
        self.num_heads: int = positive(num_heads, "num_heads")
        self.key_dim: int = positive(key_dim, "key_dim")
        self.value_dim: int = self.key_dim if value_dim is None else positive(value_dim, "value_dim")
        self.heads: int = self.num_heads
        self.key_heads: int = self.num_heads
        self.key_size: int = self.key_dim
        self.value_size: int = self.value_dim
        self.output_sizes: tuple[int, ...] | None = (
            None
            if output_shape is None
            else tuple(positive(size, "output_shape") for size in as_entries(output_shape, "output_shape"))
        )
        self.attention_axes: tuple[int, ...] | None = (
            None
            if attention_axes is None
            else tuple(as_int(axis, "attention_axes") for axis in as_entries(attention_axes, "attention_axes"))
        )

    def result_sizes(self, query_shape: Any) -> tuple[int, ...]:
        return super().result_sizes(query_shape) if self.output_sizes is None else self.output_sizes

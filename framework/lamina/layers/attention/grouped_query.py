"""Attention in several heads, groups of which share a key and a value."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError
from lamina.layers.arguments import positive
from lamina.layers.attention.projected import ProjectedAttention


class GroupQueryAttention(ProjectedAttention):
    """Attention in several heads, groups of which share a key and a value (Ainslie et al. 2023, arXiv:2305.13245).

    There are ``num_query_heads`` heads of the size ``head_dim``, and ``num_key_value_heads`` of the key and the value,
    which divides the former; with 1 all heads share one. Otherwise as ``MultiHeadAttention``. It is usually called
    grouped; ``GroupedQueryAttention`` is another name of it.

    Inputs (batch, queries, features), (batch, keys, features) and maybe (batch, keys, features); output as the query.
    How it is called and the other settings are those of ``ProjectedAttention``. Weights: ``query/kernel``
    (features, num_query_heads, head_dim) and its bias, ``key/kernel`` (features, num_key_value_heads, head_dim) and its
    bias, with use_gate ``gate`` as query, ``value`` as key, ``attention_output/kernel`` (num_query_heads, head_dim,
    features) and its bias.

    Where the mask of the query is False, a query finds 0, as in Keras.

    Raises ArgumentError if one number of heads does not divide the other, otherwise as ``MultiHeadAttention``.

    >>> from lamina import ops
    >>> layer = GroupQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)
    >>> layer(ops.ones((1, 5, 6)), ops.ones((1, 7, 6))).shape
    (1, 5, 6)
    """

    masked_queries_find_nothing = True

    def __init__(self, head_dim: int, num_query_heads: int, num_key_value_heads: int, **common: Any) -> None:
        super().__init__(**common)
        self.head_dim: int = positive(head_dim, "head_dim")
        self.num_query_heads: int = positive(num_query_heads, "num_query_heads")
        self.num_key_value_heads: int = positive(num_key_value_heads, "num_key_value_heads")
        self.key_size: int = self.head_dim
        self.value_size: int = self.head_dim
        self.heads: int = self.num_query_heads
        self.key_heads: int = self.num_key_value_heads
        if self.heads % self.key_heads:
            raise ArgumentError(
                f"num_query_heads is {self.heads} and num_key_value_heads is {self.key_heads}.",
                expected="the first to be a multiple of the second.",
            )
        self.activity_regularizer: Any = self.inner_activity_regularizer  # of the output too, as in Keras


GroupedQueryAttention = GroupQueryAttention

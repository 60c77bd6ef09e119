"""Attention: each element of a query looks at the elements of a value, weighed by how well their keys fit."""

from lamina.layers.attention.direct import AdditiveAttention, Attention
from lamina.layers.attention.grouped_query import GroupedQueryAttention, GroupQueryAttention
from lamina.layers.attention.multi_head import MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]

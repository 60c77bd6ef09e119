"""Where the axes of a tensor go when it is split into heads: those that are attended to are brought together."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from lamina import ops
from lamina.errors import ShapeError
from lamina.runtime.tensor import Tensor
from lamina.shapes import Shape


class Axes(NamedTuple):
    """The axes of a query or value: which are attended to, and the others but the last, of the features."""

    attended: tuple[int, ...]
    others: tuple[int, ...]

    def to_heads(self, x: Tensor) -> Tensor:
        """(axes..., heads, size) as (others..., heads, length, size): the attended axes become one."""
        order = self._order()
        moved = ops.transpose(x, order)
        if len(self.attended) == 1:
            return moved
        first = len(self.others) + 1
        return ops.reshape(moved, (*moved.shape[:first], prod(moved.shape[first:-1]), moved.shape[-1]))

    def from_heads(self, x: Tensor, lengths: Shape) -> Tensor:
        """The reverse of ``to_heads`` for the sizes of the attended axes."""
        whole = x if len(lengths) == 1 else ops.reshape(x, (*x.shape[:-2], *lengths, x.shape[-1]))
        order = self._order()
        return ops.transpose(whole, [order.index(a) for a in range(len(order))])

    def _order(self) -> list[int]:
        heads = len(self.attended) + len(self.others)
        return [*self.others, heads, *self.attended, heads + 1]

    def mask_by_length(self, mask: Tensor) -> Tensor:
        """A mask (axes...), or of the batch and the attended axes only, as (others..., 1, length)."""
        if self.others and mask.ndim == 1 + len(self.attended) < len(self.others) + len(self.attended):
            ones = (1,) * len(self.others)
            return ops.reshape(mask, (mask.shape[0], *ones, prod(mask.shape[1:])))
        moved = ops.transpose(mask, [*self.others, *self.attended])
        sizes = moved.shape
        first = len(self.others)
        return ops.reshape(moved, (*sizes[:first], 1, prod(sizes[first:])))

    def mask_of_pairs(self, mask: Tensor, lengths: Shape, key_lengths: Shape) -> Tensor:
        """A mask (others..., lengths..., key lengths...), the first maybe missing, as (others..., 1, length, keys)."""
        pairs = 2 * len(self.attended)
        given = mask.ndim - pairs
        if not 0 <= given <= len(self.others) + 1:
            raise ShapeError(
                f"attention_mask is {mask.shape}.",
                expected=f"{pairs} to {pairs + len(self.others) + 1} axes, the last ones {(*lengths, *key_lengths)}.",
            )
        first = mask.shape[:given]
        if pairs > 2:
            mask = ops.broadcast_to(mask, (*first, *lengths, *key_lengths))
        sizes = mask.shape[given:]
        half = len(self.attended)
        ones = (1,) * (len(self.others) + 1 - given)
        return ops.reshape(mask, (*first, *ones, prod(sizes[:half]), prod(sizes[half:])))


def axes_of(attention_axes: tuple[int, ...] | None, ndim: int) -> Axes:
    """The axes of a tensor with that many; None attends to all but the first and the last."""
    inner = range(1, ndim - 1)
    attended = tuple(inner) if attention_axes is None else tuple(a + ndim if a < 0 else a for a in attention_axes)
    if any(a not in inner for a in attended) or len(set(attended)) != len(attended):
        raise ShapeError(
            f"attention_axes is {attention_axes} for tensors with {ndim} axes.",
            expected=f"different ones of the axes 1 to {ndim - 2}, between the batch and the features.",
        )
    return Axes(attended, tuple(a for a in range(ndim - 1) if a not in attended))


def sizes_along(shape: Any, axes: tuple[int, ...]) -> Any:
    """The sizes of a shape along axes."""
    return tuple(shape[a] for a in axes)

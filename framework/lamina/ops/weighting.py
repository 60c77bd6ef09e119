"""Labels beside predictions, and sample weights over them: what losses and metrics share.

Plain functions of ops, no ops of their own. The rules are Keras's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.elementwise import cast, divide, equal, logical_and, multiply, where
from lamina.ops.reduction import mean, sum
from lamina.ops.shaping import broadcast_to, expand_dims, squeeze
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor


def same_rank(a: Tensor, b: Tensor, *, expand: bool = True) -> tuple[Tensor, Tensor]:
    """Two tensors with as many axes, where one has a last axis of size 1 that the other lacks.

    The last axis is removed; but a vector beside (n, 1) gets one instead, unless ``expand`` is False.

    >>> [t.shape for t in same_rank(to_tensor([1.0, 2.0]), to_tensor([[1.0], [2.0]]))]
    [(2, 1), (2, 1)]
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, expand_dims(b, -1)) if b.ndim == 1 and expand else (squeeze(a, -1), b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (expand_dims(a, -1), b) if a.ndim == 1 and expand else (a, squeeze(b, -1))
    return a, b


def floating(x: Any, dtype: str | None = None) -> Tensor:
    """x as a floating tensor: in ``dtype``, or None: as it is, integers and bool as float32."""
    tensor = to_tensor(x)
    wanted = dtype or (tensor.dtype if tensor.dtype in FLOATING else "float32")
    return tensor if tensor.dtype == wanted else cast(tensor, dtype=wanted)


def precise(x: Any) -> Tensor:
    """x as a tensor, of at least float32 if it is floating: small probabilities and sums of many need the digits."""
    tensor = to_tensor(x)
    return cast(tensor, dtype="float32") if tensor.dtype in ("float16", "bfloat16") else tensor


def divide_or_zero(a: Tensor | float, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    empty = equal(b, 0.0)
    return where(empty, 0.0, divide(a, where(empty, 1.0, b)))


def _check_weight(weight: Tensor, values: Tensor) -> None:
    sizes = zip(weight.shape, values.shape, strict=False)
    if weight.ndim > values.ndim or any(w not in (1, v) for w, v in sizes):
        raise ShapeError(
            f"sample_weight is {weight.shape} and the values it weighs are {values.shape}.",
            expected="one weight for each sample, or for each value.",
        )


def mask_of(x: Any) -> Tensor | None:
    """The mask that hangs on a tensor, if x is a tensor that has one."""
    return x._mask if isinstance(x, Tensor) else None


def all_masks(masks: Sequence[Any]) -> Any:
    """One mask that is True where all of them are, those that are None left out; None if there are no others."""
    given = [mask for mask in masks if mask is not None]
    if len(given) < 2:
        return given[0] if given else None
    found = cast(given[0], dtype="bool")
    for mask in given[1:]:
        found = logical_and(*same_rank(found, cast(mask, dtype="bool")))
    return found


def masked_weight(weight: Tensor | None, mask: Any, dtype: str, *, keep_mean: bool) -> Tensor | None:
    """A sample weight with a mask multiplied into it. ``keep_mean`` makes up for the masked values in a mean."""
    if mask is None:
        return weight
    kept = floating(mask, dtype)
    if keep_mean:
        kept = multiply(kept, divide_or_zero(float(kept.size), sum(kept)))
    if weight is None:
        return kept
    kept, weight = same_rank(kept, weight)
    if weight.ndim < kept.ndim:
        weight = leading_weight(weight, kept)
    return multiply(weight, leading_weight(kept, weight) if kept.ndim < weight.ndim else kept)


def reduce_loss(values: Tensor, weight: Any, mask: Any, reduction: str | None) -> Tensor:
    """A loss from one value for each sample, weighted: their "sum", mean, or None for the values themselves.

    "sum_over_batch_size" (also "mean") divides by the number of values, "mean_with_sample_weight" by the sum of the
    weights.
    """
    means = reduction in ("sum_over_batch_size", "mean")
    weight = None if weight is None else floating(weight, values.dtype)
    weight = masked_weight(weight, mask, values.dtype, keep_mean=means)
    if weight is None:
        if reduction is None or not values.shape:
            return values
        return sum(values) if reduction == "sum" else mean(values)
    values, weight = same_rank(values, weight)
    weight = leading_weight(weight, values)
    values = multiply(values, weight)
    if reduction is None or not values.shape:
        return values
    if means:
        return mean(values)
    total = sum(values)
    return total if reduction == "sum" else divide_or_zero(total, sum(weight))


def leading_weight(weight: Tensor, values: Tensor) -> Tensor:
    """A weight whose axes are the first ones of the values, ready to broadcast."""
    if weight.ndim and weight.ndim <= values.ndim:
        _check_weight(weight, values)
        while weight.ndim < values.ndim:
            weight = expand_dims(weight, -1)
    return weight


def whole_weight(weight: Tensor, values: Tensor) -> Tensor:
    """A weight for each sample, or each value, as one for each value. Raises ShapeError if it does not fit."""
    weight = weight if weight.ndim <= values.ndim else same_rank(values, weight, expand=False)[1]
    return broadcast_to(leading_weight(weight, values), values.shape)


def samplewise(values: Tensor, weight: Any, reduce: Any = mean) -> tuple[Tensor, Tensor]:
    """The sum of the weighted values, and of the weights: what a weighted running mean adds up.

    All axes but the first are reduced (by ``mean`` or ``sum``), so that each sample counts once.
    """
    if weight is None:
        rest = tuple(range(1, values.ndim))
        count = float(values.shape[0] if values.shape else 1)
        return sum(reduce(values, rest) if rest else values), to_tensor(count, values.dtype, values._backend)
    weight = floating(weight, values.dtype)
    values, weight = same_rank(values, weight)
    _check_weight(weight, values)
    rest = tuple(range(weight.ndim, values.ndim))
    values = reduce(values, rest) if rest else values
    weight = broadcast_to(weight, values.shape)
    values = multiply(values, weight)
    inner = tuple(range(1, values.ndim))
    if inner:
        values, weight = reduce(values, inner), reduce(weight, inner)
    return (sum(values), sum(weight)) if values.ndim else (values, weight)

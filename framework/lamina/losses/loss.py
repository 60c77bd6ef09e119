"""The base of losses, and the one that wraps a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import ArgumentError, DTypeError
from lamina.measures.settings import named
from lamina.ops.weighting import all_masks, floating, mask_of, precise, reduce_loss, same_rank
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.serialization import construct, lookup_function, serialize_as

REDUCTIONS: Final = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(ABC):
    """Base of losses: ``call`` gives one value per sample, calling the object weighs and reduces them to a scalar.

    ``reduction`` is "sum_over_batch_size" (the mean; also "mean"), "mean_with_sample_weight", "sum", or None (also
    "none") for the values themselves. ``dtype`` None computes in the dtype of the predictions, at least in float32.
    Raises ArgumentError for another ``reduction``; when it is called, ShapeError if labels, predictions or weights do
    not fit.

    >>> from lamina import ops
    >>> class Absolute(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.mean(ops.abs(y_true - y_pred), axis=-1)
    >>> Absolute()([[1.0, 2.0]], [[0.0, 0.0]]).item()
    1.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(f"reduction is {reduction!r}.", expected=f"one of {', '.join(map(str, REDUCTIONS))}.")
        self.name: str = named(name, type(self).__name__)
        self.reduction = None if reduction == "none" else reduction
        self.dtype: str | None = None if dtype is None else canonical_dtype(dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Tensor:
        """The loss of a batch.

        ``y_true`` and ``y_pred`` have the shape (samples, ...); ``sample_weight`` has one weight per sample, or per
        value of ``call``; ``mask`` is False where a value must not count, and so is the mask that hangs on y_pred.
        Raises ShapeError if they do not fit.
        """
        masks = [mask, mask_of(y_pred)]
        y_pred = floating(precise(y_pred), self.dtype)
        y_true = to_tensor(y_true)
        if y_true.dtype == "string":
            raise DTypeError("y_true has dtype string.", expected="numbers.", fix="number the classes first.")
        if y_true.dtype in FLOATING:
            y_true = floating(y_true, y_pred.dtype)
        values = self.call(y_true, y_pred)
        masks += [self.compute_mask(y_true, y_pred), mask_of(values)]
        return reduce_loss(values, sample_weight, all_masks(masks), self.reduction)

    @abstractmethod
    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """One value per sample: usually the mean over the last axis."""

    def compute_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        """Which values count, as bool in the shape of ``call``'s result; None: all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        """The loss of a config. Raises SerializationError for an unknown key."""
        return construct(cls, config)


class LossFunctionWrapper(Loss):
    """A loss made of a function ``f(y_true, y_pred, **settings)`` with one value per sample.

    ``fn`` is the function; further settings are handed on to it.

    >>> from lamina import ops
    >>> loss = LossFunctionWrapper(lambda t, p: ops.mean(ops.abs(t - p), axis=-1), name="distance")
    >>> loss([[1.0]], [[3.0]]).item()
    2.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", "loss"), reduction, dtype)
        self.fn = fn
        self.settings = settings

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = same_rank(y_true, y_pred)
        return floating(self.fn(y_true, y_pred, **self.settings))

    def get_config(self) -> dict[str, Any]:
        own = {"fn": serialize_as("losses", self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**super().get_config(), **own, **self.settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        if cls is not LossFunctionWrapper:
            return construct(cls, config)
        return cls(**{**config, "fn": lookup_function("losses", config.get("fn"))})

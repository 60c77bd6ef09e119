"""Vectors for integers, and back; vectors for places."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import constraints, initializers, ops, regularizers
from lamina.dtypes import INTEGER, canonical_dtype
from lamina.errors import ShapeError
from lamina.layers.arguments import flag, number, positive
from lamina.layers.layer import Layer
from lamina.layers.plain_weights import PlainWeights
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int


class Embedding(PlainWeights):
    """Turns non-negative integers into vectors: y = embeddings[x].

    Input (...) of integers below ``input_dim``, output (..., output_dim). Weight: ``embeddings`` (input_dim,
    output_dim). With ``mask_zero`` the value 0 is padding, and the layer gives a mask. ``embeddings_initializer``,
    ``embeddings_regularizer`` and ``embeddings_constraint`` are those of the weight, by name, object or config;
    ``lora_rank`` and the like those of ``PlainWeights``. ``input_length`` changes nothing. Raises OutOfRangeError for
    an integer of ``input_dim`` or above (negative ones count from the end), ArgumentError for sizes below 1.

    >>> Embedding(3, 2, embeddings_initializer="ones")(ops.tensor([[0, 2]])).shape
    (1, 2, 2)
    """

    autocast = False

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **common: Any,
    ) -> None:
        if input_length is not None and "input_shape" not in common and "batch_input_shape" not in common:
            lengths = (input_length,) if hasattr(input_length, "__index__") else tuple(input_length)
            common["input_shape"] = lengths
        super().__init__(**common)
        self.input_dim: int = positive(input_dim, "input_dim")
        self.output_dim: int = positive(output_dim, "output_dim")
        self.embeddings_initializer: Any = initializers.get(embeddings_initializer)
        self.embeddings_regularizer: Any = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint: Any = constraints.get(embeddings_constraint)
        self.mask_zero: bool = flag(mask_zero, "mask_zero")
        self.input_length = input_length
        self.supports_masking: bool = self.mask_zero

    def build(self, input_shape: Any) -> None:
        self.embeddings: Variable = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def call(self, x: Tensor) -> Tensor:
        indices = x if x.dtype == "int64" else ops.cast(x, canonical_dtype("int32"))
        return ops.gather(self.embeddings, indices, axis=0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None


class ReversibleEmbedding(Embedding):
    """An embedding that can also be applied backwards, from vectors to scores of the integers.

    Called with ``reverse=True`` on (..., output_dim) it gives (..., input_dim): x @ embeddings.T, or with
    ``tie_weights=False`` x @ reverse_embeddings, a weight (output_dim, input_dim) of its own. ``logit_soft_cap`` c
    bounds the scores: c * tanh(scores / c). ``reverse_dtype`` is the dtype in which scores are computed, None for that
    of the layer. Otherwise as ``Embedding``. The settings of the weights are those of ``Embedding``, and so are the
    errors: it raises OutOfRangeError for integers that it has no vector for.

    >>> layer = ReversibleEmbedding(3, 2, embeddings_initializer="ones")
    >>> layer(ops.tensor([[1.0, 2.0]]), reverse=True).tolist()
    [[3.0, 3.0, 3.0]]
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero,
            **common,
        )  # fmt: skip
        self.tie_weights: bool = flag(tie_weights, "tie_weights")
        self.reverse_dtype: str | None = None if reverse_dtype is None else canonical_dtype(reverse_dtype)
        self.logit_soft_cap: float | None = (
            None if logit_soft_cap is None else number(logit_soft_cap, "logit_soft_cap", minimum=0)
        )

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings: Variable = self.add_weight(
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, x: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            return super().call(x)
        if x.shape[-1] != self.output_dim:
            raise ShapeError(
                f"ReversibleEmbedding got an input of shape {x.shape} with reverse=True.",
                expected=f"a last axis of {self.output_dim}, its output_dim.",
            )
        weight = self.embeddings if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.dtype
        rows = ops.cast(ops.reshape(x, (prod(x.shape[:-1]), x.shape[-1])), dtype)
        scores = ops.matmul(rows, ops.cast(weight, dtype), transpose_b=self.tie_weights)
        if self.logit_soft_cap is not None:
            scores = ops.multiply(ops.tanh(ops.divide(scores, self.logit_soft_cap)), self.logit_soft_cap)
        return ops.reshape(scores, (*x.shape[:-1], self.input_dim))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return super().compute_mask(inputs, mask) if inputs.dtype in INTEGER else None


class PositionEmbedding(Layer):
    """A vector for each place in a sequence, to be added to what stands there: y = embeddings[start_index + place].

    Input (..., steps, features), of which only the shape counts; output of the same shape. ``call`` takes
    ``start_index``, the place of the first step. Weight: ``embeddings`` (sequence_length, features). As TensorFlow.js
    and KerasHub. Raises ShapeError for a sequence longer than ``sequence_length``.

    >>> PositionEmbedding(4, initializer="ones")(ops.zeros((2, 3, 2))).tolist()[1]
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, sequence_length: int, initializer: Any = "glorot_uniform", **common: Any) -> None:
        super().__init__(**common)
        self.sequence_length: int = positive(sequence_length, "sequence_length")
        self.initializer: Any = initializers.get(initializer)

    def check_input(self, input_shape: Any) -> None:
        steps = input_shape[-2] if len(input_shape) > 1 else 0
        if steps == 0 or (steps is not None and steps > self.sequence_length):
            raise ShapeError(
                f"PositionEmbedding got an input of shape {input_shape}.",
                expected=f"(..., steps, features) with 1 to {self.sequence_length} steps.",
            )

    def build(self, input_shape: Any) -> None:
        self.embeddings: Variable = self.add_weight(
            (self.sequence_length, input_shape[-1]), self.initializer, name="embeddings"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return tuple(input_shape)

    def call(self, x: Tensor, start_index: int = 0) -> Tensor:
        first = as_int(start_index, "start_index", minimum=0, maximum=self.sequence_length - x.shape[-2])
        return ops.broadcast_to(self.embeddings[first : first + x.shape[-2]], x.shape)

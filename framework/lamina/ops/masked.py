"""Whole sequences of steps in one call, of which some are passed over: there the states stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lamina.dtypes import BOOL, FLOATING
from lamina.errors import ShapeError
from lamina.ops.activation import sigmoid, tanh
from lamina.ops.creation import zeros
from lamina.ops.elementwise import add, cast, identity, multiply, subtract, where
from lamina.ops.gated import gru_gradients, gru_outputs, gru_shape
from lamina.ops.matmul import matmul
from lamina.ops.recurrent import input_products, lstm_shapes, lstm_steps_back, states_before
from lamina.ops.reduction import sum as sum_
from lamina.ops.shaping import concatenate, expand_dims, reshape, split, stack, unstack
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

_ARRAYS: Final = ("inputs", "kernel", "recurrent_kernel", "bias", "h")
_GRU: Final = {**dict.fromkeys(_ARRAYS, FLOATING), "mask": BOOL}
_LSTM: Final = {**_GRU, "c": FLOATING}


def _check_mask(mask: Any, inputs: Any) -> None:
    """Raises ShapeError unless there is a value for each step."""
    if mask.shape != inputs.shape[:2]:
        raise ShapeError(
            f"mask is {mask.shape} and inputs is {inputs.shape}.", expected="a mask of shape (batch, time)."
        )


def _gru(*given: Any, reset_after: bool) -> Spec:
    """Raises ShapeError unless the shapes fit each other."""
    spec = gru_shape(*given[:5], reset_after=reset_after)
    _check_mask(given[5], given[0])
    return spec


@composite_op(result=_gru, dtypes=_GRU, promote=_ARRAYS, outputs=("outputs",), public=False)
def masked_gru(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    mask: TensorLike,
    reset_after: bool = True,
) -> Tensor:
    """As ``gru``; where ``mask``, of shape (batch, time), is False, h stays as it is.

    >>> weights = [[0.0, 0.0, 1.0]], [[0.0] * 3], [[0.0] * 3] * 2
    >>> outputs = masked_gru([[[1.0]] * 3], *weights, [[0.0]], [[True, False, True]])
    >>> [round(x, 4) for x in outputs.reshape((3,)).tolist()]
    [0.3808, 0.3808, 0.5712]
    """
    return gru_outputs((inputs, kernel, recurrent_kernel, bias, h), reset_after, mask)


@masked_gru.gradient("inputs", "kernel", "recurrent_kernel", "bias", "h")
def _(
    dy: Tensor, *, inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, h: Tensor, mask: Tensor,
    reset_after: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    return masked_gru_gradient(dy, inputs, kernel, recurrent_kernel, bias, h, mask, reset_after=reset_after)


@composite_op(
    result=lambda d_outputs, *given, reset_after: tuple(x.spec for x in given[:5]),
    dtypes={"d_outputs": FLOATING, **_GRU},
    promote=("d_outputs", *_ARRAYS),
    outputs=("d_inputs", "d_kernel", "d_recurrent_kernel", "d_bias", "dh"),
    public=False,
)
def masked_gru_gradient(
    d_outputs: TensorLike,
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    mask: TensorLike,
    reset_after: bool = True,
) -> tuple[Tensor, ...]:
    """The gradients of ``masked_gru`` with respect to all that it takes but the mask.

    >>> weights = [[0.0] * 3], [[0.0] * 3], [[0.0] * 3] * 2
    >>> masked_gru_gradient([[[1.0]]], [[[2.0]]], *weights, [[0.0]], [[False]])[4].tolist()
    [[1.0]]
    """
    return gru_gradients(d_outputs, (inputs, kernel, recurrent_kernel, bias, h), reset_after, mask)


def _lstm(*given: Any) -> tuple[Spec, Spec]:
    """Raises ShapeError unless the shapes fit each other."""
    specs = lstm_shapes(*given[:6])
    _check_mask(given[6], given[0])
    return specs


@composite_op(result=_lstm, dtypes=_LSTM, promote=(*_ARRAYS, "c"), outputs=("outputs", "last_c"), public=False)
def masked_lstm(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    c: TensorLike,
    mask: TensorLike,
) -> tuple[Tensor, Tensor]:
    """As ``lstm``; where ``mask``, of shape (batch, time), is False, h and c stay as they are.

    >>> weights = [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4
    >>> outputs, c = masked_lstm([[[1.0]] * 3], *weights, [[0.0]], [[0.0]], [[True, False, True]])
    >>> outputs.shape, round(c.item(), 4)
    ((1, 3, 1), 0.5712)
    """
    outputs, cells = _lstm_states(input_products(inputs, kernel, bias), recurrent_kernel, h, c, mask)
    return outputs, cells[:, -1] if cells.shape[1] else identity(c)


def _lstm_states(
    projected: Tensor, recurrent_kernel: Tensor, h: Tensor, c: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """h and c after each step."""
    outputs, cells = [], []
    for step, keep in zip(unstack(projected, 1), unstack(mask, 1), strict=True):
        i, f, g, o = split(add(step, matmul(h, recurrent_kernel)), 4, axis=1)
        new_c = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)))
        new_h, keep = multiply(sigmoid(o), tanh(new_c)), expand_dims(keep, 1)
        h, c = where(keep, new_h, h), where(keep, new_c, c)
        outputs.append(h)
        cells.append(c)
    if not outputs:
        nothing = zeros((h.shape[0], 0, h.shape[1]), h.dtype)
        return nothing, nothing
    return stack(outputs, 1), stack(cells, 1)


@masked_lstm.gradient("inputs", "kernel", "recurrent_kernel", "bias", "h", "c")
def _(
    dy: tuple[Tensor, Tensor], *, inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor,
    h: Tensor, c: Tensor, mask: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    return masked_lstm_gradient(*dy, inputs, kernel, recurrent_kernel, bias, h, c, mask)


@composite_op(
    result=lambda d_outputs, d_last_c, *given: tuple(x.spec for x in given[:6]),
    dtypes={"d_outputs": FLOATING, "d_last_c": FLOATING, **_LSTM},
    promote=("d_outputs", "d_last_c", *_ARRAYS, "c"),
    outputs=("d_inputs", "d_kernel", "d_recurrent_kernel", "d_bias", "dh", "dc"),
    public=False,
)
def masked_lstm_gradient(
    d_outputs: TensorLike,
    d_last_c: TensorLike,
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    c: TensorLike,
    mask: TensorLike,
) -> tuple[Tensor, ...]:
    """The gradients of ``masked_lstm`` with respect to all that it takes but the mask.

    >>> weights = [[0.0] * 4], [[0.0] * 4], [0.0] * 4
    >>> found = masked_lstm_gradient([[[1.0]]], [[2.0]], [[[2.0]]], *weights, [[0.0]], [[0.0]], [[False]])
    >>> found[4].tolist(), found[5].tolist()
    ([[1.0]], [[2.0]])
    """
    units, features = h.shape[1], inputs.shape[2]
    projected = input_products(inputs, kernel, bias)
    outputs, cells = _lstm_states(projected, recurrent_kernel, h, c, mask)
    before = reshape(states_before(h, outputs), (-1, units))
    products, dh, dc = projected, multiply(h, 0.0), identity(d_last_c)
    if inputs.shape[1]:
        gates = _masked_gates(add(projected, reshape(matmul(before, recurrent_kernel), projected.shape)), mask)
        skipped = expand_dims(subtract(1.0, cast(mask, h.dtype)), 2)
        d_cells = concatenate([multiply(cells[:, 1:], 0.0), expand_dims(d_last_c, 1)], 1)
        c_before = states_before(c, cells)
        products, dh, dc = lstm_steps_back(d_outputs, d_cells, recurrent_kernel, c_before, cells, gates, skipped)
    rows = reshape(products, (-1, 4 * units))
    return (
        reshape(matmul(rows, kernel, transpose_b=True), inputs.shape),
        matmul(reshape(inputs, (-1, features)), rows, transpose_a=True),
        matmul(before, rows, transpose_a=True),
        sum_(rows, 0),
        dh,
        dc,
    )


def _masked_gates(products: Tensor, mask: Tensor) -> Sequence[Tensor]:
    """The gates of all steps; those of steps that are passed over are 0, or 1 for f, where no slope is."""
    i, f, g, o = split(products, 4, axis=2)
    keep = expand_dims(mask, 2)
    return where(keep, sigmoid(i), 0.0), where(keep, sigmoid(f), 1.0), tanh(g), where(keep, sigmoid(o), 0.0)

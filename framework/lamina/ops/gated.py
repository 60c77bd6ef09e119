"""Gated recurrent units: the gates of a step, and whole sequences of steps in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.activation import sigmoid, tanh
from lamina.ops.creation import zeros
from lamina.ops.elementwise import add, multiply, square, subtract, where
from lamina.ops.matmul import matmul
from lamina.ops.recurrent import input_products, slope_of_sigmoid, states_before
from lamina.ops.reduction import sum as sum_
from lamina.ops.shaping import concatenate, expand_dims, reshape, split, stack, unstack
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

Activation = Callable[[Any], Any]


def gru_gates(
    projected: Tensor,
    h: Tensor,
    recurrent_kernel: TensorLike,
    recurrent_bias: Tensor | None,
    reset_after: bool,
    activation: Activation = tanh,
    recurrent_activation: Activation = sigmoid,
) -> tuple[Tensor, Tensor]:
    """The update gate and the new candidate of a step of gated recurrent units.

    The reset gate acts on the product of the state or, unless ``reset_after``, on the state itself; only the former
    has a ``recurrent_bias``.
    """
    sizes = [2 * h.shape[1], h.shape[1]]
    x_gates, x_candidate = split(projected, sizes, axis=1)
    if reset_after:
        product = matmul(h, recurrent_kernel)
        product = product if recurrent_bias is None else add(product, recurrent_bias)
        h_gates, h_candidate = split(product, sizes, axis=1)
        z, r = _activated(add(x_gates, h_gates), recurrent_activation)
        return z, activation(add(x_candidate, multiply(r, h_candidate)))
    of_gates, of_candidate = split(recurrent_kernel, sizes, axis=1)
    z, r = _activated(add(x_gates, matmul(h, of_gates)), recurrent_activation)
    return z, activation(add(x_candidate, matmul(multiply(r, h), of_candidate)))


def _activated(gates: Tensor, activation: Activation) -> tuple[Tensor, Tensor]:
    """The update and the reset gate of what lies side by side. One that looks along an axis gets each by itself."""
    if activation is sigmoid:
        z, r = split(activation(gates), 2, axis=1)
        return z, r
    z, r = split(gates, 2, axis=1)
    return activation(z), activation(r)


def gru_shape(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, h: Any, *, reset_after: bool) -> Spec:
    """Raises ShapeError unless the shapes fit each other."""
    fits = inputs.ndim == 3 and h.ndim == 2 and h.shape[0] == inputs.shape[0]
    if fits:
        units, features = h.shape[1], inputs.shape[2]
        fits = kernel.shape == (features, 3 * units) and recurrent_kernel.shape == (units, 3 * units)
        fits = fits and bias.shape == ((2, 3 * units) if reset_after else (3 * units,))
    if not fits:
        shapes = {"inputs": inputs, "kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias, "h": h}
        raise ShapeError(
            "gru: " + ", ".join(f"{name} is {tensor.shape}" for name, tensor in shapes.items()) + ".",
            expected="inputs (batch, time, features), kernel (features, 3 * units), recurrent_kernel "
            "(units, 3 * units), bias (2, 3 * units), or (3 * units,) with reset_after False, and h (batch, units).",
        )
    return Spec((*inputs.shape[:2], units), inputs.dtype)


@composite_op(result=gru_shape, dtypes=FLOATING, outputs=("outputs",), public=False)
def gru(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    reset_after: bool = True,
) -> Tensor:
    """A whole layer of gated recurrent units: h after each step, (batch, time, units).

    With the thirds z, r and candidate of the kernels, and ``bias`` (2, 3 * units), for the inputs and for the state:
    z and r are sigmoids, the candidate tanh(inputs' + r * state's), and h = z * h + (1 - z) * candidate. Unless
    ``reset_after``, r acts on the state before the product, and ``bias`` is (3 * units,).

    >>> outputs = gru([[[1.0]] * 2], [[0.0, 0.0, 1.0]], [[0.0] * 3], [[0.0] * 3] * 2, [[0.0]])
    >>> [round(x, 4) for x in outputs.reshape((2,)).tolist()]
    [0.3808, 0.5712]
    """
    return gru_outputs((inputs, kernel, recurrent_kernel, bias, h), reset_after)


def gru_outputs(given: Sequence[Tensor], reset_after: bool, mask: Tensor | None = None) -> Tensor:
    """h after each step of ``gru``; it stays where ``mask``, (batch, time), is False."""
    inputs, kernel, recurrent_kernel, bias, h = given
    first, second = _two_biases(bias, reset_after)
    steps = unstack(input_products(inputs, kernel, first), 1)
    outputs = []
    for step, keep in zip(steps, [None] * len(steps) if mask is None else unstack(mask, 1), strict=True):
        z, candidate = gru_gates(step, h, recurrent_kernel, second, reset_after)
        new = add(candidate, multiply(z, subtract(h, candidate)))
        h = new if keep is None else where(expand_dims(keep, 1), new, h)
        outputs.append(h)
    return stack(outputs, 1) if outputs else zeros((h.shape[0], 0, h.shape[1]), h.dtype)


def _two_biases(bias: Tensor, reset_after: bool) -> tuple[Tensor, Tensor | None]:
    """The bias of the inputs' products and, if there is one, of the state's."""
    return (bias[0], bias[1]) if reset_after else (bias, None)


@gru.gradient()
def _(
    dy: Tensor, *, inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, h: Tensor, reset_after: bool
) -> tuple[Tensor, ...]:
    return gru_gradient(dy, inputs, kernel, recurrent_kernel, bias, h, reset_after=reset_after)


@composite_op(
    result=lambda d_outputs, *inputs, reset_after: tuple(x.spec for x in inputs),
    dtypes=FLOATING,
    outputs=("d_inputs", "d_kernel", "d_recurrent_kernel", "d_bias", "dh"),
    public=False,
)
def gru_gradient(
    d_outputs: TensorLike,
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike,
    h: TensorLike,
    reset_after: bool = True,
) -> tuple[Tensor, ...]:
    """The gradients of ``gru`` with respect to all that it takes.

    The steps are computed anew; a recorded step need not, where the backend keeps what they left.

    >>> weights = [[0.0] * 3], [[0.0] * 3], [[0.0] * 3] * 2
    >>> found = gru_gradient([[[1.0]]], [[[2.0]]], *weights, [[0.0]])
    >>> found[1].tolist(), found[3].tolist()
    ([[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.5], [0.0, 0.0, 0.25]])
    """
    return gru_gradients(d_outputs, (inputs, kernel, recurrent_kernel, bias, h), reset_after)


def gru_gradients(
    d_outputs: Tensor, given: Sequence[Tensor], reset_after: bool, mask: Tensor | None = None
) -> tuple[Tensor, ...]:
    """The gradients of ``gru_outputs`` for all that is given."""
    inputs, kernel, recurrent_kernel, bias, h = given
    units, features = h.shape[1], inputs.shape[2]
    before = states_before(h, gru_outputs(given, reset_after, mask))
    first, second = _two_biases(bias, reset_after)
    rows = reshape(before, (-1, units))
    z, candidate, r, inner = _all_gates(
        reshape(input_products(inputs, kernel, first), (-1, 3 * units)), rows, recurrent_kernel, second
    )
    if mask is not None:
        z = where(reshape(mask, (-1, 1)), z, 1.0)  # so all slopes are 0, and h passes whole
    by_z = multiply(subtract(rows, candidate), slope_of_sigmoid(z))
    by_candidate = multiply(subtract(1.0, z), subtract(1.0, square(candidate)))
    kept = [reshape(x, before.shape) for x in (z, r, by_z, by_candidate, multiply(inner, slope_of_sigmoid(r)))]
    d_products, dh = _gru_steps_back(d_outputs, h, recurrent_kernel, kept, reset_after)
    of_inputs, of_state = (reshape(x, (-1, 3 * units)) for x in d_products)
    sums = sum_(of_inputs, 0)
    if reset_after:
        d_recurrent, d_bias = matmul(rows, of_state, transpose_a=True), stack([sums, sum_(of_state, 0)])
    else:
        gates, last = split(of_state, [2 * units, units], axis=1)
        parts = matmul(rows, gates, transpose_a=True), matmul(multiply(r, rows), last, transpose_a=True)
        d_recurrent, d_bias = concatenate(parts, 1), sums
    d_inputs = reshape(matmul(of_inputs, kernel, transpose_b=True), inputs.shape)
    d_kernel = matmul(reshape(inputs, (-1, features)), of_inputs, transpose_a=True)
    return d_inputs, d_kernel, d_recurrent, d_bias, dh


def _all_gates(
    projected: Tensor, h: Tensor, recurrent_kernel: Tensor, recurrent_bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The update gate, the candidate, the reset gate and what it acts on, of all steps."""
    units = h.shape[1]
    product = matmul(h, recurrent_kernel)
    inner = h
    if recurrent_bias is not None:
        product = add(product, recurrent_bias)
        inner = product[:, 2 * units :]
    z, r = split(sigmoid(add(projected[:, : 2 * units], product[:, : 2 * units])), 2, axis=1)
    reset = multiply(r, inner)
    added = reset if recurrent_bias is not None else matmul(reset, recurrent_kernel[:, 2 * units :])
    return z, tanh(add(projected[:, 2 * units :], added)), r, inner


def _gru_steps_back(
    d_outputs: Tensor, h: Tensor, recurrent_kernel: Tensor, kept: Sequence[Tensor], reset_after: bool
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """The gradients of what the inputs and what the state gave to each step, and of the first state."""
    units, dh = h.shape[1], multiply(h, 0.0)
    of_gates, of_candidate = split(recurrent_kernel, [2 * units, units], axis=1)
    of_inputs: list[Tensor] = []
    of_state: list[Tensor] = []
    steps = list(zip(*(unstack(x, 1) for x in (d_outputs, *kept)), strict=True))
    for d_output, z, r, by_z, by_candidate, by_r in reversed(steps):
        dh = add(dh, d_output)
        dz, d_candidate, passed = multiply(dh, by_z), multiply(dh, by_candidate), multiply(dh, z)
        if reset_after:
            dr, last = multiply(d_candidate, by_r), multiply(d_candidate, r)
            passed = add(passed, matmul(last, of_candidate, transpose_b=True))
        else:
            d_reset, last = matmul(d_candidate, of_candidate, transpose_b=True), d_candidate
            dr, passed = multiply(d_reset, by_r), add(passed, multiply(d_reset, r))
        dh = add(passed, matmul(concatenate([dz, dr], 1), of_gates, transpose_b=True))
        of_inputs.append(concatenate([dz, dr, d_candidate], 1))
        of_state.append(concatenate([dz, dr, last], 1))
    if not steps:
        nothing = zeros((h.shape[0], 0, 3 * units), h.dtype)
        return (nothing, nothing), dh
    return (stack(of_inputs[::-1], 1), stack(of_state[::-1], 1)), dh

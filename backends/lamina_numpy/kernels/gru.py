"""A whole layer of gated recurrent units in two loops, forward and back, over views that are made once.

As in ``lstm``, everything lies feature-major, and a step's product takes h, the inputs and a row of ones together.
Where the reset gate acts on the state's product, that has rows of its own beside the inputs'; where it acts on the
state, a second product follows in each step. Where a mask passes over steps, z is 1 and h is copied.

Gates are in the order z, r, candidate here, after the state's rows for the candidate if there are any: what the state
gives lies together, and so does what the inputs give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.kernels.elementwise import quiet
from lamina_numpy.kernels.recurrent import features_first, skipped, threads_for, working
from lamina_numpy.scratch import scratch

kernels = KernelTable()
rewritten = KernelTable()
"""Kernels of what only programs hold that ``lamina_numpy.passes`` has rewritten; no op has their names."""


class Kept(NamedTuple):
    """What the steps leave: what each took (h, inputs, ones), and its gates with the candidate as the last."""

    taken: Any
    gates: Any


def kept_specs(inputs: Spec, h: Spec, reset_after: bool) -> tuple[Spec, ...]:
    """The shapes of what is kept, in the order of ``Kept``."""
    (batch, time, features), units = inputs.shape, h.shape[1]
    rows = (time + 1, units + features + 1), (time, (3 + reset_after) * units)
    return tuple(Spec((*shape, batch), working(inputs.dtype)) for shape in rows)


def _new(inputs: Any, h: Any, reset_after: bool) -> Kept:
    specs = kept_specs(Spec(inputs.shape, inputs.dtype.name), Spec(h.shape, h.dtype.name), reset_after)
    return Kept(*(np.empty(s.shape, s.dtype) for s in specs))


def _weights(given: Sequence[Any], reset_after: bool, dtype: Any) -> Any:
    """The weights of a step's product: a row for each unit of each gate, columns for h, the inputs and ones."""
    _, kernel, recurrent_kernel, bias, h = given[:5]
    units, features = h.shape[1], kernel.shape[0]
    weights = np.zeros(((3 + reset_after) * units, units + features + 1), dtype)
    of_inputs = weights[reset_after * units :]
    gates = of_inputs[: 2 * units]
    of_inputs[:, units:-1], of_inputs[:, -1] = kernel.T, bias[0] if reset_after else bias
    gates[:, :units] = recurrent_kernel[:, : 2 * units].T
    if reset_after:
        gates[:, -1] += bias[1, : 2 * units]
        weights[:units, :units], weights[:units, -1] = recurrent_kernel[:, 2 * units :].T, bias[1, 2 * units :]
    gates *= 0.5
    return weights


class Forward:
    """The loop forward. Views are kept as long as they are of the same arrays."""

    def __init__(self, units: int, reset_after: bool) -> None:
        self.units, self.reset_after = units, reset_after
        self.kept: Kept | None = None
        self.steps: list[tuple[Any, ...]] = []

    def _look_at(self, kept: Kept) -> None:
        if self.kept is not None and all(a is b for a, b in zip(self.kept, kept, strict=True)):
            return
        units, self.kept = self.units, kept
        inner, gates = (kept.gates, kept.gates[:, units:]) if self.reset_after else (kept.taken[:-1], kept.gates)
        self.steps = [
            (taken, products, products_of[: 2 * units], products_of[:units], products_of[units : 2 * units],
             products_of[2 * units :], reset[:units], taken[:units], next_taken[:units])
            for taken, products, products_of, reset, next_taken in zip(
                kept.taken[:-1], kept.gates, gates, inner, kept.taken[1:], strict=True)
        ]  # fmt: skip

    def __call__(self, given: Sequence[Any], kept: Kept, outputs: Any) -> None:
        inputs, _, recurrent_kernel, _, h = given[:5]
        units, taken = self.units, kept.taken
        taken[0, :units] = h.T
        taken[:-1, units:-1], taken[:, -1] = inputs.transpose(1, 2, 0), 1
        weights = _weights(given, self.reset_after, taken.dtype)
        last = None if self.reset_after else np.array(recurrent_kernel[:, 2 * units :].T, taken.dtype, order="C")
        self._look_at(kept)
        with threads_for(h.shape[0], units):
            self._loop(weights, last, skipped(given, 5), *np.empty((2, units, h.shape[0]), taken.dtype))
        outputs[...] = taken[1:, :units].transpose(2, 0, 1)

    def _loop(self, weights: Any, last: Any, skips: Any, term: Any, added: Any) -> None:
        matmul, tanh, multiply, add, subtract = np.matmul, np.tanh, np.multiply, np.add, np.subtract
        half = np.asarray(0.5, weights.dtype)
        for (taken, products, sigmoids, z, r, candidate, inner, h, new_h), skip in zip(self.steps, skips, strict=True):
            matmul(weights, taken, products)
            tanh(sigmoids, sigmoids)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            multiply(r, inner, term)
            add(candidate, term if last is None else matmul(last, term, added), candidate)
            tanh(candidate, candidate)
            subtract(h, candidate, term)
            multiply(z, term, term)
            add(candidate, term, new_h)
            if skip is not None:
                np.copyto(z, 1, where=skip)  # so all slopes are 0
                np.copyto(new_h, h, where=skip)


class _Slopes(NamedTuple):
    """By how much each row of the products moves h or, for r that acts on the state, what it gives; of all steps."""

    rows: Any
    z: Any
    r: Any


def _slopes(kept: Kept, units: int, reset_after: bool) -> _Slopes:
    time, rows, batch = kept.gates.shape
    gates = kept.gates.reshape(time, rows // units, units, batch)
    z, r, candidate = gates[:, -3:].swapaxes(0, 1)
    h = kept.taken[:-1, :units]
    slopes = np.subtract(1, gates, scratch("gru slopes", gates.shape, gates.dtype))
    by_z, by_r, by_candidate = slopes[:, -3:].swapaxes(0, 1)
    np.multiply(candidate, candidate, by_candidate)
    np.subtract(1, by_candidate, by_candidate)
    by_candidate *= by_z  # 1 - z yet
    by_z *= z
    by_z *= np.subtract(h, candidate, scratch("gru difference", z.shape, gates.dtype))
    by_r *= r
    by_r *= gates[:, 0] if reset_after else h
    if reset_after:
        by_r *= by_candidate
        np.multiply(by_candidate, r, slopes[:, 0])
    return _Slopes(slopes, z, r)


def _back(given: Sequence[Any], kept: Kept, d_outputs: Any, reset_after: bool) -> tuple[Any, Any]:
    """The gradients of all products, as (time, rows, batch), and of the first h."""
    recurrent_kernel, (batch, units), dtype = given[2], given[4].shape, kept.taken.dtype
    slopes = _slopes(kept, units, reset_after)
    found = scratch("gru products", slopes.rows.shape, dtype)
    d_steps = scratch("gru outputs", (found.shape[0], units, batch), dtype)
    d_steps[...] = d_outputs.transpose(1, 2, 0)
    dh, weights = np.zeros((units, batch), dtype), np.asarray(recurrent_kernel, dtype)
    with threads_for(batch, units):
        if reset_after:
            ordered = np.concatenate([weights[:, 2 * units :], weights[:, : 2 * units]], 1)
            _after_product(d_steps, slopes, found, ordered, dh)
        else:
            _before_product(d_steps, slopes, found, weights, dh)
    return found.reshape(kept.gates.shape), dh


def _after_product(d_steps: Any, slopes: _Slopes, found: Any, weights: Any, dh: Any) -> None:
    matmul, multiply, add = np.matmul, np.multiply, np.add
    passed, (units, batch) = np.empty_like(dh), dh.shape
    of_state = found[:, :3].reshape(len(found), 3 * units, batch)
    steps = zip(d_steps, slopes.rows, slopes.z, found, of_state, strict=True)
    for d_step, by, z, d_products, d_state in list(steps)[::-1]:
        add(dh, d_step, dh)
        multiply(dh, by, d_products)
        multiply(dh, z, passed)
        matmul(weights, d_state, dh)
        add(dh, passed, dh)


def _before_product(d_steps: Any, slopes: _Slopes, found: Any, weights: Any, dh: Any) -> None:
    matmul, multiply, add = np.matmul, np.multiply, np.add
    passed, d_reset, (units, batch) = np.empty_like(dh), np.empty_like(dh), dh.shape
    of_gates, of_candidate = (np.ascontiguousarray(w) for w in np.split(weights, [2 * units], axis=1))
    d_gates = found[:, :2].reshape(len(found), 2 * units, batch)
    by, to = slopes.rows.swapaxes(0, 1), found.swapaxes(0, 1)
    steps = zip(d_steps, *by, *to, slopes.z, slopes.r, d_gates, strict=True)
    for d_step, by_z, by_r, by_candidate, dz, dr, d_candidate, z, r, d_both in list(steps)[::-1]:
        add(dh, d_step, dh)
        multiply(dh, by_z, dz)
        multiply(dh, by_candidate, d_candidate)
        multiply(dh, z, passed)
        matmul(of_candidate, d_candidate, d_reset)
        multiply(d_reset, by_r, dr)
        multiply(d_reset, r, d_reset)
        add(passed, d_reset, passed)
        matmul(of_gates, d_both, dh)
        add(dh, passed, dh)


def gradient(given: Sequence[Any], kept: Kept, d_outputs: Any, out: Sequence[Any], reset_after: bool) -> None:
    """Fills ``out``: the gradients for all arguments; the first may be None."""
    units, kernel = given[4].shape[1], given[1]
    products, dh = _back(given, kept, d_outputs, reset_after)
    rows, taken = features_first("gru rows", products), features_first("gru taken", kept.taken[:-1])
    by_weight = np.matmul(rows, taken.T)
    d_inputs, d_kernel, d_recurrent_kernel, d_bias, d_first = out
    of_inputs = by_weight[reset_after * units :]
    d_kernel[...] = of_inputs[:, units:-1].T
    d_recurrent_kernel[:, : 2 * units] = of_inputs[: 2 * units, :units].T
    if reset_after:
        d_recurrent_kernel[:, 2 * units :] = by_weight[:units, :units].T
        d_bias[0], d_bias[1, : 2 * units], d_bias[1, 2 * units :] = (
            of_inputs[:, -1], of_inputs[: 2 * units, -1], by_weight[:units, -1])  # fmt: skip
    else:
        resets = features_first("gru resets", kept.gates[:, units : 2 * units])
        resets *= taken[:units]
        d_recurrent_kernel[:, 2 * units :] = np.matmul(resets, rows[2 * units :].T)
        d_bias[...] = of_inputs[:, -1]
    d_first[...] = dh.T
    if d_inputs is not None:
        weights = np.asarray(kernel, products.dtype)
        d_inputs[...] = np.matmul(weights, products[:, reset_after * units :]).transpose(2, 0, 1)


def _outputs(inputs: Any, h: Any) -> Any:
    return np.empty((*inputs.shape[:2], h.shape[1]), h.dtype)


@kernels("masked_gru", out=True)
@kernels("gru", out=True)
@quiet
def gru(*given: Any, reset_after: bool, out: Any = None) -> Any:
    inputs, h = given[0], given[4]
    outputs = _outputs(inputs, h) if out is None else out
    Forward(h.shape[1], reset_after)(given, _new(inputs, h, reset_after), outputs)
    return outputs


@kernels("masked_gru_gradient", out=True)
@kernels("gru_gradient", out=True)
@quiet
def gru_gradient(d_outputs: Any, *given: Any, reset_after: bool, out: Any = None) -> Any:
    inputs, h = given[0], given[4]
    kept = _new(inputs, h, reset_after)
    Forward(h.shape[1], reset_after)(given, kept, _outputs(inputs, h))
    found = out or tuple(np.empty(a.shape, a.dtype) for a in given[:5])
    gradient(given[:5], kept, d_outputs, found, reset_after)
    return tuple(found)


@rewritten("masked_gru_kept", out=True)
@rewritten("gru_kept", out=True)
@quiet
def gru_kept(*given: Any, reset_after: bool, out: Any = None) -> Any:
    """``gru``, and what its steps leave."""
    inputs, h = given[0], given[4]
    found = out or (_outputs(inputs, h), *_new(inputs, h, reset_after))
    Forward(h.shape[1], reset_after)(given, Kept(*found[1:]), found[0])
    return tuple(found)


@rewritten.specialized("masked_gru_kept")
@rewritten.specialized("gru_kept")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    forward = Forward(inputs[4].shape[1], attrs["reset_after"])
    return lambda *arrays: forward(arrays[:-1], Kept(*arrays[-1][1:]), arrays[-1][0])


@rewritten("masked_gru_kept_gradient", out=True)
@rewritten("gru_kept_gradient", out=True)
@quiet
def gru_kept_gradient(d_outputs: Any, *given: Any, reset_after: bool, to_inputs: bool, out: Any = None) -> Any:
    """``gru_gradient`` with what the steps left behind its arguments; without ``to_inputs`` that one is left out."""
    first = 0 if to_inputs else 1
    found = tuple(out or (np.empty(a.shape, a.dtype) for a in given[first:5]))
    results = found if to_inputs else (None, *found)
    gradient(given[:5], Kept(*given[-2:]), d_outputs, results, reset_after)
    return found

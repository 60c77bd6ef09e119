"""A whole LSTM in two loops, forward and back, over views that are made once.

Everything lies feature-major, (features, batch), so that each gate is one run of memory. A step's product takes h, the
inputs and a row of ones together, so that it adds the bias and needs no product for the inputs alone. A sigmoid is
(1 + tanh(x / 2)) / 2: the halves are put into the weights, so that one tanh does all gates. What a step leaves, kept
for the gradient, saves computing it anew; the gradients of the weights are one product over all steps. Where a mask
passes over steps, h is copied, and gates of 0, and 1 for c, keep c and stop the gradients.

Gates are in the order g, i, f, o here: what goes into sigmoids lies together, and so does what depends on c.
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
_ORDER = (2, 0, 1, 3)


class Kept(NamedTuple):
    """What the steps leave: what each took (h, inputs, ones), its gates, the c before and after each, and tanh of c."""

    taken: Any
    gates: Any
    cells: Any
    wide: Any


def kept_specs(inputs: Spec, h: Spec) -> tuple[Spec, ...]:
    """The shapes of what is kept, in the order of ``Kept``."""
    (batch, time, features), units = inputs.shape, h.shape[1]
    rows = (time + 1, units + features + 1), (time, 4 * units), (time + 1, units), (time, units)
    return tuple(Spec((*shape, batch), working(inputs.dtype)) for shape in rows)


def _new(inputs: Any, h: Any) -> Kept:
    specs = kept_specs(Spec(inputs.shape, inputs.dtype.name), Spec(h.shape, h.dtype.name))
    return Kept(*(np.empty(s.shape, s.dtype) for s in specs))


def _blocks(weights: Any, units: int) -> Any:
    """The columns of i, f, g and o as rows of g, i, f and o, the gates an axis of their own."""
    return weights.reshape(*weights.shape[:-1], 4, units)[..., _ORDER, :]


class Forward:
    """The loop forward. Views are kept as long as they are of the same arrays."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.kept: Kept | None = None
        self.steps: list[tuple[Any, ...]] = []

    def _look_at(self, kept: Kept) -> None:
        if self.kept is not None and all(a is b for a, b in zip(self.kept, kept, strict=True)):
            return
        units, self.kept = self.units, kept
        self.steps = [
            (taken, z, *(z[units:], z[:units], z[units : 2 * units], z[2 * units : 3 * units], z[3 * units :]),
             before, after, wide, next_taken[:units])
            for taken, z, before, after, wide, next_taken in zip(
                kept.taken[:-1], kept.gates, kept.cells[:-1], kept.cells[1:], kept.wide, kept.taken[1:], strict=True)
        ]  # fmt: skip

    def __call__(self, given: Sequence[Any], kept: Kept, outputs: Any, last_c: Any) -> None:
        inputs, kernel, recurrent_kernel, bias, h, c = given[:6]
        units, taken = self.units, kept.taken
        taken[0, :units], kept.cells[0] = h.T, c.T
        taken[:-1, units:-1], taken[:, -1] = inputs.transpose(1, 2, 0), 1
        weights = np.empty((4, units, taken.shape[1]), taken.dtype)
        for part, at in ((recurrent_kernel, slice(units)), (kernel, slice(units, -1)), (bias[None], slice(-1, None))):
            weights[:, :, at] = _blocks(part, units).transpose(1, 2, 0)
        weights[1:] *= 0.5
        self._look_at(kept)
        with threads_for(h.shape[0], units):
            self._loop(weights.reshape(4 * units, -1), skipped(given, 6), np.empty((units, h.shape[0]), taken.dtype))
        outputs[...], last_c[...] = taken[1:, :units].transpose(2, 0, 1), kept.cells[-1].T

    def _loop(self, weights: Any, skips: Any, term: Any) -> None:
        matmul, tanh, multiply, add = np.matmul, np.tanh, np.multiply, np.add
        half = np.asarray(0.5, weights.dtype)
        stopped = np.asarray([0, 0, 1, 0], weights.dtype).reshape(4, 1, 1)
        for (taken, z, sigmoids, g, i, f, o, before, after, wide, h), skip in zip(self.steps, skips, strict=True):
            matmul(weights, taken, z)
            tanh(z, z)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            if skip is not None:  # c goes on as it is, and all slopes are 0
                np.copyto(z.reshape(4, *term.shape), stopped, where=skip)
            multiply(f, before, after)
            multiply(i, g, term)
            add(after, term, after)
            tanh(after, wide)
            multiply(o, wide, h)
            if skip is not None:
                np.copyto(h, taken[: len(term)], where=skip)


def _slopes(kept: Kept, units: int) -> tuple[Any, Any]:
    """By how much each gate's product moves c or, for o, h, as (time, gate, units, batch); and c moves h."""
    time, _, batch = kept.gates.shape
    gates = kept.gates.reshape(time, 4, units, batch)
    g, i, _, o = gates.swapaxes(0, 1)
    slopes = np.subtract(1, gates, scratch("lstm slopes", gates.shape, gates.dtype))
    slopes *= gates  # of a sigmoid; g is a tanh
    np.multiply(g, g, slopes[:, 0])
    np.subtract(1, slopes[:, 0], slopes[:, 0])
    for gate, by in enumerate((i, g, kept.cells[:-1], kept.wide)):
        slopes[:, gate] *= by
    by_c = np.multiply(kept.wide, kept.wide, scratch("lstm by c", kept.wide.shape, gates.dtype))
    np.subtract(1, by_c, by_c)
    by_c *= o
    return slopes, by_c


def _back(given: Sequence[Any], kept: Kept, d_outputs: Any, d_last_c: Any) -> tuple[Any, Any, Any]:
    """The gradients of all products, as (time, 4 * units, batch), and of the first h and c."""
    recurrent_kernel, (batch, units), dtype = given[2], given[4].shape, kept.taken.dtype
    slopes, by_c = _slopes(kept, units)
    products = (slopes.shape[0], 4 * units, batch)
    weights = np.ascontiguousarray(_blocks(recurrent_kernel, units), dtype).reshape(units, 4 * units)
    found = scratch("lstm products", slopes.shape, dtype)
    given_back = scratch("lstm outputs", (slopes.shape[0], units, batch), dtype)
    given_back[...] = d_outputs.transpose(1, 2, 0)
    dh, dc, term = (
        np.zeros((units, batch), dtype),
        np.array(d_last_c.T, dtype, order="C"),
        np.empty((units, batch), dtype),
    )
    stays = [None] * len(found) if len(given) < 7 else np.asarray(skipped(given, 6), dtype)
    steps = zip(
        stays, given_back, by_c, found[:, :3], slopes[:, :3], found[:, 3],
        slopes[:, 3], kept.gates[:, 2 * units : 3 * units], found.reshape(products), strict=True,
    )  # fmt: skip
    matmul, multiply, add = np.matmul, np.multiply, np.add
    with threads_for(batch, units):
        for stay, d_output, c_slope, by_cell, cell_slopes, by_output, output_slope, f, dz in list(steps)[::-1]:
            add(dh, d_output, dh)
            multiply(dh, c_slope, term)
            add(dc, term, dc)
            multiply(dc, cell_slopes, by_cell)
            multiply(dh, output_slope, by_output)
            multiply(dc, f, dc)
            passed = None if stay is None else multiply(dh, stay, term)
            matmul(weights, dz, dh)
            if passed is not None:
                add(dh, passed, dh)
    return found.reshape(products), dh, dc


def _gates_last(rows: Any, units: int) -> Any:
    """Rows of g, i, f and o as columns of i, f, g and o."""
    blocks = rows.reshape(4, units, *rows.shape[1:])
    return np.moveaxis(blocks[(1, 2, 0, 3), ...].reshape(4 * units, *rows.shape[1:]), 0, -1)


def gradient(given: Sequence[Any], kept: Kept, d_outputs: Any, d_last_c: Any, out: Sequence[Any]) -> None:
    """Fills ``out``: the gradients for all arguments; the first may be None."""
    units, kernel = given[4].shape[1], given[1]
    dz, dh, dc = _back(given, kept, d_outputs, d_last_c)
    rows, taken = features_first("lstm rows", dz), features_first("lstm taken", kept.taken[:-1])
    by_weight = np.matmul(rows, taken.T)
    d_inputs, d_kernel, d_recurrent_kernel, d_bias, d_first_h, d_first_c = out
    d_recurrent_kernel[...] = _gates_last(by_weight[:, :units], units)
    d_kernel[...] = _gates_last(by_weight[:, units:-1], units)
    d_bias[...] = _gates_last(by_weight[:, -1], units)
    d_first_h[...], d_first_c[...] = dh.T, dc.T
    if d_inputs is not None:
        weights = np.asarray(_blocks(kernel, units), dz.dtype).reshape(-1, 4 * units)
        d_inputs[...] = np.matmul(weights, dz).transpose(2, 0, 1)


@kernels("masked_lstm", out=True)
@kernels("lstm", out=True)
@quiet
def lstm(*given: Any, out: Any = None) -> Any:
    inputs, h, c = given[0], given[4], given[5]
    outputs, last_c = out or (np.empty((*inputs.shape[:2], h.shape[1]), h.dtype), np.empty(c.shape, c.dtype))
    Forward(h.shape[1])(given, _new(inputs, h), outputs, last_c)
    return outputs, last_c


@kernels("masked_lstm_gradient", out=True)
@kernels("lstm_gradient", out=True)
@quiet
def lstm_gradient(d_outputs: Any, d_last_c: Any, *given: Any, out: Any = None) -> Any:
    inputs, h, c = given[0], given[4], given[5]
    kept = _new(inputs, h)
    outputs = np.empty((*inputs.shape[:2], h.shape[1]), h.dtype)
    Forward(h.shape[1])(given, kept, outputs, np.empty(c.shape, c.dtype))
    found = out or tuple(np.empty(a.shape, a.dtype) for a in given[:6])
    gradient(given, kept, d_outputs, d_last_c, found)
    return tuple(found)


@rewritten("masked_lstm_kept", out=True)
@rewritten("lstm_kept", out=True)
@quiet
def lstm_kept(*given: Any, out: Any = None) -> Any:
    """``lstm``, and what its steps leave."""
    inputs, h, c = given[0], given[4], given[5]
    found = out or (np.empty((*inputs.shape[:2], h.shape[1]), h.dtype), np.empty(c.shape, c.dtype), *_new(inputs, h))
    Forward(h.shape[1])(given, Kept(*found[2:]), *found[:2])
    return tuple(found)


@rewritten.specialized("masked_lstm_kept")
@rewritten.specialized("lstm_kept")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    forward = Forward(inputs[4].shape[1])
    return lambda *arrays: forward(arrays[:-1], Kept(*arrays[-1][2:]), *arrays[-1][:2])


@rewritten("masked_lstm_kept_gradient", out=True)
@rewritten("lstm_kept_gradient", out=True)
@quiet
def lstm_kept_gradient(d_outputs: Any, d_last_c: Any, *given: Any, to_inputs: bool, out: Any = None) -> Any:
    """``lstm_gradient`` with what the steps left behind its arguments; without ``to_inputs`` that one is left out."""
    first = 0 if to_inputs else 1
    found = tuple(out or (np.empty(a.shape, a.dtype) for a in given[first:6]))
    gradient(given[:-4], Kept(*given[-4:]), d_outputs, d_last_c, found if to_inputs else (None, *found))
    return found

"""Sequences of steps in one loop over views that are made once.

A sigmoid is (1 + tanh(x / 2)) / 2: the halves are put into the weights, so that one tanh does all gates of a step.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_numpy.kernels.elementwise import quiet
from lamina_numpy.scratch import scratch
from lamina_numpy.threads import MANY_PRODUCTS, ONE_THREAD

kernels = KernelTable()


def _gates_first(x: Any, units: int) -> Any:
    """The last axis, the gates i, f, g and o, in the order i, f, o, g; what goes into sigmoids halved."""
    found = np.empty(x.shape, x.dtype)
    np.multiply(x[..., : 2 * units], 0.5, found[..., : 2 * units])
    np.multiply(x[..., 3 * units :], 0.5, found[..., 2 * units : 3 * units])
    found[..., 3 * units :] = x[..., 2 * units : 3 * units]
    return found


def threads_for(batch: int, units: int) -> Any:
    """The products of a step are mostly too small for a second thread."""
    return ONE_THREAD if 4 * batch * units * units < MANY_PRODUCTS else contextlib.nullcontext()


def working(dtype: str) -> str:
    """What half precision is computed in."""
    return dtype if dtype == "float64" else "float32"


def features_first(name: str, steps: Any) -> Any:
    """What was (time, features, batch) as a matrix (features, time * batch)."""
    time, features, batch = steps.shape
    found = scratch(name, (features, time, batch), steps.dtype)
    np.copyto(found, steps.swapaxes(0, 1))
    return found.reshape(features, time * batch)


def skipped(given: Sequence[Any], count: int) -> Any:
    """Where steps are passed over, as (time, 1, batch), if a mask follows so many arguments; else None for each."""
    if len(given) > count:
        return np.logical_not(given[count].T[:, None], order="C")
    return itertools.repeat(None, given[0].shape[1])


def _before(first: Any, after: Any) -> Any:
    """The states before each step, the time first, in memory of their own."""
    found = np.empty((after.shape[1], *first.shape), after.dtype)
    found[:1] = first
    found[1:] = after.swapaxes(0, 1)[:-1]
    return found


@kernels("lstm_sequence", out=True)
@quiet
def lstm_sequence(projected: Any, recurrent_kernel: Any, h: Any, c: Any, out: Any = None) -> Any:
    batch, time, _ = projected.shape
    units = h.shape[1]
    outputs, cells = out or tuple(np.empty((batch, time, units), projected.dtype) for _ in range(2))
    steps = _gates_first(projected.swapaxes(0, 1), units)
    kernel = _gates_first(recurrent_kernel, units)
    z, wide = np.empty((batch, 4 * units), h.dtype), np.empty((batch, units), h.dtype)
    gates, (i, f, o, g) = z[:, : 3 * units], np.split(z, 4, axis=1)
    half = np.asarray(0.5, h.dtype)
    states = np.empty((2, time, batch, units), h.dtype)
    with threads_for(batch, units):
        for step, new_h, new_c in zip(steps, *states, strict=True):
            np.matmul(h, kernel, z)
            np.add(z, step, z)
            np.tanh(z, z)
            np.multiply(gates, half, gates)
            np.add(gates, half, gates)
            np.multiply(f, c, new_c)
            np.multiply(i, g, wide)
            np.add(new_c, wide, new_c)
            np.tanh(new_c, wide)
            np.multiply(o, wide, new_h)
            h, c = new_h, new_c
    outputs[...], cells[...] = states.swapaxes(1, 2)
    return outputs, cells


@kernels("lstm_sequence_gradient", out=True)
@quiet
def lstm_sequence_gradient(
    d_outputs: Any, d_cells: Any, projected: Any, recurrent_kernel: Any, h: Any, c: Any, outputs: Any, cells: Any,
    out: Any = None,
) -> Any:  # fmt: skip
    batch, time, _ = projected.shape
    units = h.shape[1]
    d_projected, dh, dc = out or (np.empty(projected.shape, h.dtype), np.empty(h.shape, h.dtype), np.empty_like(c))
    z = _gates(projected, recurrent_kernel, _before(h, outputs))
    (i, f, o, g), wide = np.split(z, 4, axis=2), np.tanh(cells.swapaxes(0, 1))
    by_c = o * (1 - wide * wide)
    slopes = np.empty((time, batch, 4, units), h.dtype)  # of i, f, g by dc, and of o by dh
    slopes[:, :, 0], slopes[:, :, 1] = g * i * (1 - i), _before(c, cells) * f * (1 - f)
    slopes[:, :, 2], slopes[:, :, 3] = i * (1 - g * g), wide * o * (1 - o)
    dz, back = np.empty_like(slopes), np.ascontiguousarray(recurrent_kernel.T)
    dh[...], dc[...] = 0, 0
    term = np.empty_like(dh)
    with threads_for(batch, units):
        for t in reversed(range(time)):
            np.add(dh, d_outputs[:, t], dh)
            np.add(dc, d_cells[:, t], dc)
            np.multiply(dh, by_c[t], term)
            np.add(dc, term, dc)
            np.multiply(slopes[t, :, :3], dc[:, None], dz[t, :, :3])
            np.multiply(slopes[t, :, 3], dh, dz[t, :, 3])
            np.multiply(dc, f[t], dc)
            np.matmul(dz[t].reshape(batch, 4 * units), back, dh)
    d_projected[...] = dz.reshape(time, batch, 4 * units).swapaxes(0, 1)
    return d_projected, dh, dc


def _gates(projected: Any, recurrent_kernel: Any, before: Any) -> Any:
    """The gates i, f, o and g of all steps, the time first."""
    time, batch, units = before.shape
    kernel = _gates_first(recurrent_kernel, units)
    z = np.matmul(before.reshape(time * batch, units), kernel).reshape(time, batch, 4 * units)
    np.add(z, _gates_first(projected.swapaxes(0, 1), units), z)
    np.tanh(z, z)
    gates = z[..., : 3 * units]
    np.multiply(gates, 0.5, gates)
    np.add(gates, 0.5, gates)
    return z

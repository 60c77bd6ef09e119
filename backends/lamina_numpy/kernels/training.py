"""Updates of optimizers: tensor by tensor into buffers, or all at once where they lie side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import quiet
from lamina_numpy.memory import as_one
from lamina_numpy.parallel import beside, parts, threads

kernels = KernelTable()
Arrays = Sequence[Any]
_BLOCK = 1 << 17
"""Elements of a block: smaller ones cost more calls than they save memory traffic."""

_SHARED = 1 << 18
"""Elements from which on two threads are faster than one."""


def _lists(arrays: Arrays, count: int) -> list[list[Any]]:
    return [list(arrays[i : i + count]) for i in range(0, len(arrays), count)]


@kernels("bias_correction", out=True)
@quiet
def bias_correction(step: Any, beta_1: float, beta_2: float, dtype: str, out: Any = None) -> Any:
    logs = [np.log(beta) for beta in (beta_1, beta_2)]
    first, second = (-np.expm1(np.multiply(step, log, dtype=np.float64)) for log in logs)
    correction = (np.sqrt(second) / first).astype(numpy_dtype(dtype))
    if out is None:
        return correction
    out[...] = correction
    return out


@kernels.specialized("bias_correction")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    """Plain floats: one call of each function is cheaper on them than on arrays without axes."""
    betas = attrs["beta_1"], attrs["beta_2"]
    if inputs[0].shape or min(betas) <= 0.0:
        return None
    log_1, log_2 = math.log(betas[0]), math.log(betas[1])
    expm1, sqrt = math.expm1, math.sqrt

    def kernel(step: Any, out: Any) -> None:
        t = float(step)
        out[()] = sqrt(-expm1(t * log_2)) / -expm1(t * log_1) if t > 0 else math.nan

    return kernel


@kernels("adam_update", out=True)
@quiet
def adam_update(
    alpha: Any, *arrays: Any, count: int, beta_1: float, beta_2: float, epsilon: float, out: Any = None
) -> tuple[Any, ...]:
    out = (
        tuple(np.empty_like(a) for i in (0, 2, 3) for a in arrays[i * count : (i + 1) * count]) if out is None else out
    )
    attrs = {"count": count, "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    bind_adam_update((alpha, *arrays), out, attrs)()
    return tuple(out)


def bind_adam_update(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> Callable[[], None]:
    """The update between given arrays as a function without arguments.

    Arrays that lie side by side are done in blocks that stay in cache, many of them on all threads. Of others all
    moments are done before any parameter, for a gradient may be another parameter's memory.
    """
    count = attrs["count"]
    alpha, lists = inputs[0], [*_lists(inputs[1:], count), *_lists(outputs, count)]
    kind = lists[0][0].dtype.type
    rates = [np.asarray(kind(x)) for x in (1.0 - attrs["beta_1"], 1.0 - attrs["beta_2"], attrs["epsilon"])]
    together = [as_one(arrays) for arrays in lists]
    flat = [a for a in together if a is not None]
    if len(flat) < len(together) or any(a.size != flat[0].size for a in flat):
        return _adam(
            [(*each, np.empty_like(each[0]), np.empty_like(each[0])) for each in zip(*lists, strict=True)],
            alpha,
            *rates,
        )
    shared = threads() if flat[0].size >= _SHARED else 1
    starts = range(0, flat[0].size, _BLOCK)
    shares = [_blockwise(flat, some, alpha, *rates) for some in parts(starts, shared)]
    return shares[0] if len(shares) == 1 else lambda: _all([(share, ()) for share in shares])


def _all(calls: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
    beside(calls)


def _blockwise(flat: Arrays, starts: Sequence[int], alpha: Any, *rates: Any) -> Callable[[], None]:
    """The update of the blocks that start there; all compute in the same memory."""
    memory = [np.empty(min(_BLOCK, flat[0].size), flat[0].dtype) for _ in range(2)]
    blocks = [tuple(a[start : start + _BLOCK] for a in flat) for start in starts]
    runs = [_adam([(*b, *(t[: b[0].size] for t in memory))], alpha, *rates) for b in blocks]

    def update() -> None:
        with np.errstate(all="ignore"):  # which each thread has of its own
            for run in runs:
                run()

    return runs[0] if len(runs) == 1 else update


def _adam(arrays: Sequence[Sequence[Any]], alpha: Any, rate_1: Any, rate_2: Any, epsilon: Any) -> Callable[[], None]:
    """The update of (p, g, m, v, new p, new m, new v) each, with two arrays to compute in."""
    add, subtract, multiply, divide, sqrt = np.add, np.subtract, np.multiply, np.divide, np.sqrt
    given = list(arrays)

    def update() -> None:
        for _, g, m, v, _, out_m, out_v, t, _ in given:
            subtract(g, m, t)
            multiply(t, rate_1, t)
            add(m, t, out_m)
            multiply(g, g, t)
            subtract(t, v, t)
            multiply(t, rate_2, t)
            add(v, t, out_v)
        for p, _, _, _, out_p, m, v, t, u in given:
            sqrt(v, t)
            add(t, epsilon, t)
            multiply(m, alpha, u)
            divide(u, t, t)
            subtract(p, t, out_p)

    return update


@kernels("momentum_update", out=True)
@quiet
def momentum_update(
    rate: Any, *arrays: Any, count: int, momentum: float, nesterov: bool, out: Any = None
) -> tuple[Any, ...]:
    out = tuple(np.empty_like(a) for i in (0, 2) for a in arrays[i * count : (i + 1) * count]) if out is None else out
    bind_momentum_update((rate, *arrays), out, {"count": count, "momentum": momentum, "nesterov": nesterov})()
    return tuple(out)


def bind_momentum_update(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> Callable[[], None]:
    """As ``bind_adam_update``, for momentum."""
    count = attrs["count"]
    rate, (p, g, m) = inputs[0], _lists(inputs[1:], count)
    new_p, new_m = _lists(outputs, count)
    together = [as_one(arrays) for arrays in (p, g, m, new_p, new_m)]
    if all(a is not None and together[0] is not None and a.size == together[0].size for a in together):
        p, g, m, new_p, new_m = ([a] for a in together)
    scratch = [np.empty_like(a) for a in p]
    momentum, nesterov = np.asarray(p[0].dtype.type(attrs["momentum"])), attrs["nesterov"]
    pairs = list(zip(p, g, m, new_p, new_m, scratch, strict=True))
    add, subtract, multiply = np.add, np.subtract, np.multiply

    def update() -> None:
        for _, g_, m_, _, out_m, t in pairs:
            multiply(g_, rate, t)
            multiply(m_, momentum, out_m)
            subtract(out_m, t, out_m)
        for p_, _, _, out_p, m_, t in pairs:
            if nesterov:  # t still holds rate * g
                np.negative(t, t)
                t += m_ * momentum
                add(p_, t, out_p)
            else:
                add(p_, m_, out_p)

    return update

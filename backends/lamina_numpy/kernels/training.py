"""Updates of optimizers: tensor by tensor into buffers, or all at once where they lie side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.calls import Arrays, Call, in_order
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels.elementwise import quiet
from lamina_numpy.memory import as_one
from lamina_numpy.parallel import beside, parts, threads

kernels = KernelTable()
_BLOCK = 1 << 17
"""Elements of a block: smaller ones cost more calls than they save memory traffic."""

_SHARED = 1 << 18
"""Elements from which on two threads are faster than one."""

_FEW = 1 << 13
"""Elements up to which a pass costs less than a call."""


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
    """The update between given arrays as a function without arguments."""
    return in_order(adam_calls(inputs, outputs, attrs))


def adam_calls(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> list[Call]:
    """The update between given arrays.

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
        return _adam([(*each, *_pair(each[0])) for each in zip(*lists, strict=True)], alpha, *rates)
    if flat[0].size <= _FEW and (calls := _of_few(flat, alpha, *rates)):
        return calls
    shared = threads() if flat[0].size >= _SHARED else 1
    starts = range(0, flat[0].size, _BLOCK)
    shares = [_blockwise(flat, some, alpha, *rates) for some in parts(starts, shared)]
    return shares[0] if len(shares) == 1 else [Call(beside, ([(_quietly(share), ()) for share in shares],))]


def _pair(like: Any) -> tuple[Any, Any]:
    """Two arrays to compute in."""
    return np.empty_like(like), np.empty_like(like)


def _quietly(calls: Sequence[Call]) -> Callable[[], None]:
    """The calls as one function for another thread, which has warnings of its own."""
    run = in_order(calls)

    def update() -> None:
        with np.errstate(all="ignore"):
            run()

    return update


def _blockwise(flat: Arrays, starts: Sequence[int], alpha: Any, *rates: Any) -> list[Call]:
    """The update of the blocks that start there; all compute in the same memory."""
    memory = [np.empty(min(_BLOCK, flat[0].size), flat[0].dtype) for _ in range(2)]
    blocks = [tuple(a[start : start + _BLOCK] for a in flat) for start in starts]
    return [call for b in blocks for call in _adam([(*b, *(t[: b[0].size] for t in memory))], alpha, *rates)]


def _adam(arrays: Sequence[Sequence[Any]], alpha: Any, rate_1: Any, rate_2: Any, epsilon: Any) -> list[Call]:
    """The update of (p, g, m, v, new p, new m, new v) each, with two arrays to compute in."""
    moments = [
        call
        for _, g, m, v, _, out_m, out_v, t, _ in arrays
        for call in (
            Call(np.subtract, (g, m, t)),
            Call(np.multiply, (t, rate_1, t)),
            Call(np.add, (m, t, out_m)),
            Call(np.multiply, (g, g, t)),
            Call(np.subtract, (t, v, t)),
            Call(np.multiply, (t, rate_2, t)),
            Call(np.add, (v, t, out_v)),
        )
    ]
    return moments + [
        call
        for p, _, _, _, out_p, m, v, t, u in arrays
        for call in _adam_parameters(p, m, v, out_p, t, u, alpha, epsilon)
    ]


def _adam_parameters(p: Any, m: Any, v: Any, out_p: Any, t: Any, u: Any, alpha: Any, epsilon: Any) -> tuple[Call, ...]:
    return (
        Call(np.sqrt, (v, t)),
        Call(np.add, (t, epsilon, t)),
        Call(np.multiply, (m, alpha, u)),
        Call(np.divide, (u, t, t)),
        Call(np.subtract, (p, t, out_p)),
    )


def _of_few(flat: Arrays, alpha: Any, rate_1: Any, rate_2: Any, epsilon: Any) -> list[Call]:
    """For few numbers, of which the calls cost most: both moments in one, if they lie side by side; else nothing."""
    p, g, m, v, out_p, out_m, out_v = flat
    before, after = as_one([m, v]), as_one([out_m, out_v])
    if before is None or after is None:
        return []
    both = np.empty_like(before)
    t, u = both[: m.size], both[m.size :]
    rates = np.concatenate([np.full_like(m, rate_1), np.full_like(v, rate_2)])
    return [
        Call(np.subtract, (g, m, t)),
        Call(np.multiply, (g, g, u)),
        Call(np.subtract, (u, v, u)),
        Call(np.multiply, (both, rates, both)),
        Call(np.add, (before, both, after)),
        *_adam_parameters(p, out_m, out_v, out_p, u, t, alpha, epsilon),
    ]


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
    return in_order(momentum_calls(inputs, outputs, attrs))


def momentum_calls(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> list[Call]:
    """As ``adam_calls``, for momentum."""
    count = attrs["count"]
    rate, lists = inputs[0], [*_lists(inputs[1:], count), *_lists(outputs, count)]
    together = [as_one(arrays) for arrays in lists]
    if all(a is not None and together[0] is not None and a.size == together[0].size for a in together):
        lists = [[a] for a in together]
    momentum = np.asarray(lists[0][0].dtype.type(attrs["momentum"]))
    groups = [(*each, *_pair(each[0])) for each in zip(*lists, strict=True)]
    moments = [
        call
        for _, g, m, _, out_m, t, _ in groups
        for call in (
            Call(np.multiply, (g, rate, t)),
            Call(np.multiply, (m, momentum, out_m)),
            Call(np.subtract, (out_m, t, out_m)),
        )
    ]
    if not attrs["nesterov"]:
        return moments + [Call(np.add, (p, m, out_p)) for p, _, _, out_p, m, _, _ in groups]
    return moments + [
        call
        for p, _, _, out_p, m, t, u in groups  # t still holds rate * g
        for call in (
            Call(np.multiply, (m, momentum, u)),
            Call(np.subtract, (u, t, u)),
            Call(np.add, (p, u, out_p)),
        )
    ]

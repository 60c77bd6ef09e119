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

kernels = KernelTable()
Arrays = Sequence[Any]


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
    """The update between given arrays as a function without arguments; all moments are done before any parameter."""
    count = attrs["count"]
    alpha, (p, g, m, v) = inputs[0], _lists(inputs[1:], count)
    new_p, new_m, new_v = _lists(outputs, count)
    together = [as_one(arrays) for arrays in (p, g, m, v, new_p, new_m, new_v)]
    if all(a is not None and together[0] is not None and a.size == together[0].size for a in together):
        p, g, m, v, new_p, new_m, new_v = ([a] for a in together)
    scratch, more = [np.empty_like(a) for a in p], [np.empty_like(a) for a in p]
    kind = p[0].dtype.type
    rate_1, rate_2, epsilon = (
        np.asarray(kind(x)) for x in (1.0 - attrs["beta_1"], 1.0 - attrs["beta_2"], attrs["epsilon"])
    )
    add, subtract, multiply, divide, sqrt = np.add, np.subtract, np.multiply, np.divide, np.sqrt
    moments = list(zip(g, m, v, new_m, new_v, scratch, strict=True))
    steps = list(zip(p, new_p, new_m, new_v, scratch, more, strict=True))

    def update() -> None:
        for g_, m_, v_, out_m, out_v, t in moments:
            subtract(g_, m_, t)
            multiply(t, rate_1, t)
            add(m_, t, out_m)
            multiply(g_, g_, t)
            subtract(t, v_, t)
            multiply(t, rate_2, t)
            add(v_, t, out_v)
        for p_, out_p, m_, v_, t, u in steps:
            sqrt(v_, t)
            add(t, epsilon, t)
            multiply(m_, alpha, u)
            divide(u, t, t)
            subtract(p_, t, out_p)

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

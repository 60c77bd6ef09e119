"""Updates of optimizers: one launch for each tensor, or for all where they lie side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from lamina.contract import KernelTable
from lamina_cupy.cuda import SUPPORTED
from lamina_cupy.cuda.updates import kernels as cuda
from lamina_cupy.memory import as_one

kernels = KernelTable()
Arrays = Sequence[Any]


@kernels("bias_correction")
def bias_correction(step: Any, beta_1: float, beta_2: float, dtype: str) -> Any:
    logs = [np.float64(math.log(beta) if beta > 0.0 else -math.inf) for beta in (beta_1, beta_2)]
    found = cupy.empty(step.shape, dtype if dtype in SUPPORTED else "float32")
    cuda("correction", found.dtype.name, found.size, step.astype(cupy.float64), found, *logs)
    return found.astype(dtype, copy=False)


@kernels("adam_update")
def adam_update(
    alpha: Any, *arrays: Any, count: int, beta_1: float, beta_2: float, epsilon: float, out: Any = None
) -> tuple[Any, ...]:
    return _update("adam", alpha, arrays, (0, 2, 3), out, count, (1.0 - beta_1, 1.0 - beta_2, epsilon), ())


@kernels("momentum_update")
def momentum_update(
    rate: Any, *arrays: Any, count: int, momentum: float, nesterov: bool, out: Any = None
) -> tuple[Any, ...]:
    return _update("momentum", rate, arrays, (0, 2), out, count, (momentum,), (int(nesterov),))


def _update(
    name: str, rate: Any, arrays: Arrays, updated: Sequence[int], out: Any, count: int,
    numbers: Sequence[float], flags: Sequence[int],
) -> tuple[Any, ...]:  # fmt: skip
    """Launches an update over lists of ``count`` arrays; half precision is computed in float32."""
    lists = [list(arrays[i : i + count]) for i in range(0, len(arrays), count)]
    made = out or tuple(cupy.empty(a.shape, a.dtype) for i in updated for a in lists[i])
    results = [list(made[i : i + count]) for i in range(0, len(made), count)]
    for *members, targets in _together(lists, results):
        kind = members[0].dtype.name if members[0].dtype.name in SUPPORTED else "float32"
        given = [cupy.ascontiguousarray(a, dtype=kind) for a in (rate, *members)]
        places = [t if t.dtype == kind else cupy.empty(t.shape, kind) for t in targets]
        cuda(name, kind, given[1].size, *given, *places, *(np.dtype(kind).type(x) for x in numbers), *flags)
        for target, place in zip(targets, places, strict=True):
            if target is not place:
                target[...] = place.astype(target.dtype)
    return tuple(made)


def _together(lists: list[list[Any]], results: list[list[Any]]) -> list[tuple[Any, ...]]:
    """(arguments of a launch ..., [their results]): one for all tensors if they lie side by side, else one for each."""
    flat = [as_one(arrays) for arrays in (*lists, *results)]
    if all(a is not None and flat[0] is not None and a.size == flat[0].size for a in flat):
        return [(*flat[: len(lists)], flat[len(lists) :])]
    members = zip(zip(*lists, strict=True), zip(*results, strict=True), strict=True)
    return [(*given, targets) for given, targets in members]

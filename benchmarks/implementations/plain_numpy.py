"""NumPy by hand: what single ops cost without a library around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.workloads import EagerOp

OPS = {
    "add": np.add,
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "sum": np.sum,
    "matmul": np.matmul,
}


def eager(workload: EagerOp) -> Callable[[], float]:
    x, y = workload.arrays()
    op, arguments = OPS[workload.op], (x,) if workload.op in ("relu", "sum") else (x, y)
    steps = range(workload.steps)

    def task() -> float:
        for _ in steps:
            found = op(*arguments)
        return float(found.ravel()[0])

    return task

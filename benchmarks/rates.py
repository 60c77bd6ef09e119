"""How fast this machine copies and multiplies: ``python -m benchmarks.rates THREADS`` prints both as JSON.

NumPy does both, and the best of some tries counts, because disturbance only slows: the time of day, or the processor
time of each thread if that is less. With several threads each copies a part of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from benchmarks.costs import Rates

COPIED = 64 * 1024 * 1024
"""Bytes that are copied: more than caches hold."""

SIDE = 1024
"""Rows and columns of the matrices that are multiplied."""

TRIES = 15


def best(task: Callable[[], None], threads: int, tries: int = TRIES) -> float:
    """The seconds of the shortest of some calls, after one that warms up."""
    task()
    found = []
    for _ in range(tries):
        start, busy = time.perf_counter(), time.process_time()
        task()
        found += [time.perf_counter() - start, (time.process_time() - busy) / threads]
    return max(min(found), time.get_clock_info("process_time").resolution)


def copying(threads: int, size: int = COPIED) -> Callable[[], None]:
    """Copies memory with so many threads."""
    source, target = (np.ones(size // 4, np.float32) for _ in range(2))
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))

    def task() -> None:
        others = [threading.Thread(target=np.copyto, args=part) for part in parts[1:]]
        for thread in others:
            thread.start()
        np.copyto(*parts[0])
        for thread in others:
            thread.join()

    return task


def multiplying(side: int = SIDE) -> Callable[[], None]:
    """Multiplies two square matrices into a third."""
    a, b = (np.random.default_rng(seed).standard_normal((side, side), np.float32) for seed in (1, 2))
    out = np.empty_like(a)

    def task() -> None:
        np.matmul(a, b, out=out)

    return task


def measured(threads: int) -> Rates:
    """The rates of this process, whose libraries use so many threads already."""
    return Rates(2.0 * SIDE**3 / best(multiplying(), threads), 2.0 * COPIED / best(copying(threads), threads))


def measure(threads: int) -> Rates:
    """The rates of a process of its own, that is kept to so many cores."""
    from benchmarks.process import thread_variables

    command = [sys.executable, "-m", "benchmarks.rates", str(threads)]
    environment = {**os.environ, **thread_variables(threads)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return Rates(**json.loads(run.stdout))


def main() -> None:
    """Measures and prints."""
    from benchmarks.worker import keep_to_cores

    threads = int(sys.argv[1])
    keep_to_cores(threads)
    found = measured(threads)
    print(json.dumps({"operations": found.operations, "bytes": found.bytes}))


if __name__ == "__main__":
    main()

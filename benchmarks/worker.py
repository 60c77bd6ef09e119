"""One implementation in a process of its own: ``python -m benchmarks.worker NAME THREADS``.

Reads requests and writes answers as JSON, one a line: "prepare" makes a workload ready, warms it up and chooses how
often its task is repeated in a round; "round" times one round; "release" forgets the workload.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.implementations import find
from benchmarks.workloads import PeakMemory, Workload
from benchmarks.workloads import find as find_workload

ROUND_SECONDS = 0.1
"""How long a round should at least take; short tasks are repeated."""

MOST_REPEATS = 20_000


class Worker:
    """Holds one workload at a time."""

    def __init__(self, name: str, threads: int) -> None:
        self._module = importlib.import_module(f"benchmarks.implementations.{find(name).module}")
        self._threads = threads
        self._task: Callable[[], float] | None = None
        self._workload: Workload | None = None
        self._repeats = 1

    def prepare(self, workload: str) -> dict[str, Any]:
        """Makes a workload ready. The answer's ``check`` is the number that its first call gave."""
        self._workload = find_workload(workload)
        self._task = task = getattr(self._module, self._workload.kind)(self._workload)
        self._fix_threads()
        check, *_ = [task() for _ in range(self._workload.warm_up)]
        self._repeats = 1
        if self._workload.repeats:
            seconds, _ = self._timed()
            self._repeats = min(MOST_REPEATS, max(1, round(ROUND_SECONDS / seconds)))
        return {"check": check, "steps": self._repeats * self._workload.steps}

    def peak(self, workload: str) -> dict[str, Any]:
        """The most memory that this process has used so far, in MB, before and after an epoch of training."""
        before = peak_memory()
        measured = find_workload(workload)
        assert isinstance(measured, PeakMemory)
        task = self._module.training(measured.training())
        self._fix_threads()
        check = task()
        return {"check": check, "before": before, "after": peak_memory()}

    def _fix_threads(self) -> None:
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(self._threads)

    def round(self) -> dict[str, Any]:
        """Times one round: seconds per step, and how many cores it kept busy."""
        assert self._workload is not None
        seconds, busy = self._timed()
        steps = self._repeats * self._workload.steps
        return {"seconds": seconds / steps, "cores": busy / seconds}

    def _timed(self) -> tuple[float, float]:
        """Seconds on the clock and on the processors for the repeated task."""
        task = self._task
        assert task is not None
        gc.collect()
        busy, start = time.process_time(), time.perf_counter()
        for _ in range(self._repeats):
            task()
        return time.perf_counter() - start, time.process_time() - busy

    def release(self) -> dict[str, Any]:
        """Forgets the workload and its data."""
        self._task = self._workload = None
        gc.collect()
        return {}


def peak_memory() -> float:
    """The largest resident size that this process has had, in MB. Linux counts in kilobytes, macOS in bytes."""
    import resource

    scale = 2.0**20 if sys.platform == "darwin" else 2.0**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def keep_to_cores(count: int) -> None:
    """Lets this process run on the first ``count`` cores only: XLA's threads know no other limit."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def main() -> None:
    """Answers until there are no more requests."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer
    name, threads = sys.argv[1:]
    keep_to_cores(int(threads))
    worker = Worker(name, int(threads))
    for line in sys.stdin:
        request, *arguments = json.loads(line)
        print(json.dumps(getattr(worker, request)(*arguments)), file=answers)


if __name__ == "__main__":
    main()

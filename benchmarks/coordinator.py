"""Runs the rounds: one worker after the other, A B C A B C, so that what disturbs the machine disturbs all alike."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.costs import Rates
from benchmarks.implementations import Implementation
from benchmarks.imports import loaded_too_much, measure_imports
from benchmarks.machine import load
from benchmarks.process import WorkerFailedError, WorkerProcess
from benchmarks.summary import Series
from benchmarks.workloads import Import, PeakMemory, Workload

REST = 0.03
"""Seconds between two workers' turns, in which the first one's threads stop to spin."""

LEAST_ROUNDS = 3
"""Rounds that are timed even if the time is up."""


class Asked(Protocol):
    """What the coordinator needs of a worker."""

    name: str
    implementation: Implementation

    def ask(self, request: str, *arguments: Any) -> dict[str, Any]:
        """Answers a request, or raises WorkerFailedError."""


@dataclass
class Result:
    """The timings of one workload, who did not run and why, and the machine's load before each series of rounds."""

    workload: Workload
    series: list[Series] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    load: list[float | None] = field(default_factory=list)
    floors: dict[int, float] = field(default_factory=dict)


class Allowance:
    """The time that is left, shared out to what is left to be measured; ``seconds`` None is without end."""

    def __init__(self, seconds: float | None, parts: int) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._parts = parts

    @property
    def is_up(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and time.monotonic() >= self._end

    def next_part(self) -> Callable[[int], bool]:
        """For the next part: whether, after so many rounds, it may have one more."""
        parts, self._parts = self._parts, self._parts - 1
        if self._end is None:
            return lambda rounds: True
        now = time.monotonic()
        end = now + (self._end - now) / max(1, parts)
        return lambda rounds: rounds < LEAST_ROUNDS or time.monotonic() < end


def measure(
    workloads: Sequence[Workload],
    implementations: Sequence[Implementation],
    rates: Mapping[int, Rates | None],
    rounds: int,
    tell: Callable[[str], None],
    seconds: float | None = None,
) -> list[Result]:
    """Measures all workloads, with each number of threads in ``rates`` in turn: those of the machine, if known.

    After ``seconds`` no workload has more than three rounds, and nothing is measured that takes long to compile.
    """
    results = [Result(workload, floors=floors(workload, rates)) for workload in workloads]
    in_turns = [r for r in results if not isinstance(r.workload, (Import, PeakMemory))]
    allowance = Allowance(seconds, len(results) - len(in_turns) + len(in_turns) * len(rates))
    for result in results:
        if isinstance(result.workload, Import):
            tell(f"{result.workload.name} ...")
            measure_import(result, result.workload, 2 * rounds, allowance.next_part())
        elif isinstance(result.workload, PeakMemory):
            tell(f"{result.workload.name} ...")
            allowance.next_part()
            measure_memory(result, result.workload, implementations, min(rates), min(rounds, 2))
    for count in rates if in_turns else ():
        with_workers(in_turns, implementations, count, rounds, tell, allowance)
    return results


def floors(workload: Workload, rates: Mapping[int, Rates | None]) -> dict[int, float]:
    """The seconds under which a step cannot be done, for each number of threads."""
    cost = workload.floor()
    return {} if cost is None else {count: cost.seconds(found) for count, found in rates.items() if found is not None}


def measure_import(result: Result, workload: Import, repeats: int, goes_on: Callable[[int], bool]) -> None:
    """Times the imports, and notes what ours load that they must not."""
    result.load.append(load())
    installed = []
    for statement in workload.statements:
        missing = [library for library in statement.needs if importlib.util.find_spec(library) is None]
        if missing:
            result.not_run[statement.name] = f"not installed: {', '.join(missing)}"
        else:
            installed.append(statement)
    result.series = measure_imports(installed, repeats, goes_on)
    for statement in (s for s in installed if s.role == "ours"):
        extra = loaded_too_much(statement)
        found = f"loads {', '.join(extra)}" if extra else "loads no torch, cupy, jax, keras and no plugin"
        result.notes.append(f"`{statement.name}` {found}")


def measure_memory(
    result: Result, workload: PeakMemory, implementations: Sequence[Implementation], threads: int, rounds: int
) -> None:
    """The most memory that training takes: a fresh process for each implementation, each time."""
    result.load.append(load())
    able = [i for i in implementations if workload.kind in i.kinds]
    result.not_run = {i.name: f"not installed: {', '.join(i.missing())}" for i in able if i.missing()}
    series = {i.name: Series(i.name, i.ours, threads) for i in able}
    before: dict[str, float] = {}
    for _ in range(rounds):
        for i in [i for i in able if i.name not in result.not_run]:
            worker = WorkerProcess(i, threads)
            try:
                answer = worker.ask("peak", workload.name)
            except WorkerFailedError as error:
                result.not_run[i.name] = f"failed: {error}"
            else:
                series[i.name].values.append(answer["after"])
                series[i.name].check, before[i.name] = answer["check"], answer["before"]
            finally:
                worker.close()
    result.series = [one for name, one in series.items() if name not in result.not_run]
    told = [f"{s.name} {before[s.name]:.0f} MB" for s in result.series]
    result.notes.append(f"Of which before the training, libraries imported: {', '.join(told)}")


def with_workers(
    results: Sequence[Result],
    implementations: Sequence[Implementation],
    threads: int,
    rounds: int,
    tell: Callable[[str], None],
    allowance: Allowance,
) -> None:
    """Starts a worker for each implementation that is installed, and measures all workloads with them."""
    wanted = [i for i in implementations if any(r.workload.kind in i.kinds for r in results)]
    workers = [WorkerProcess(i, threads) for i in wanted if not i.missing()]
    try:
        for result in results:
            tell(f"{result.workload.name}, threads: {threads} ...")
            for i in wanted:
                if i.missing() and result.workload.kind in i.kinds:
                    result.not_run[i.name] = f"not installed: {', '.join(i.missing())}"
            able = [w for w in workers if result.workload.kind in w.implementation.kinds]
            if allowance.is_up:
                late = [w.name for w in able if w.implementation.compiles_long]
                result.not_run.update(dict.fromkeys(late, "the time was up before it was compiled"))
                able = [w for w in able if w.name not in late]
            goes_on = allowance.next_part()
            measure_rounds(result, able, threads, min(rounds, result.workload.most_rounds), goes_on)
    finally:
        for worker in workers:
            worker.close()


def measure_rounds(
    result: Result,
    workers: Sequence[Asked],
    threads: int,
    rounds: int,
    goes_on: Callable[[int], bool],
    rest: float = REST,
) -> None:
    """Prepares the workers one by one, then times them in turns; one that fails is left out, with the reason."""
    ready: list[tuple[Asked, Series]] = []
    for worker in workers:
        series = Series(worker.name, worker.implementation.ours, threads)
        try:
            series.check = worker.ask("prepare", result.workload.name)["check"]
        except WorkerFailedError as error:
            result.not_run[worker.name] = f"failed: {error}"
        else:
            ready.append((worker, series))
    result.load.append(load())
    for number in range(rounds):
        if not goes_on(number):
            break
        for worker, series in list(ready):
            time.sleep(rest)
            try:
                answer = worker.ask("round")
            except WorkerFailedError as error:
                result.not_run[worker.name] = f"failed: {error}"
                ready.remove((worker, series))
            else:
                series.values.append(answer["seconds"])
                series.cores.append(answer["cores"])
    for worker, _ in ready:
        worker.ask("release")
    result.series += [series for _, series in ready]

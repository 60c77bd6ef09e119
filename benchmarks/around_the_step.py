"""``python -m benchmarks.around_the_step``: what ``fit`` costs more than the steps in it, and what a new shape costs.

In processor time, in turns, the lowest of all rounds: disturbance only adds. The first table has the loop around the
step of a 30-16-16-2 network, with what ``fit`` can be asked for besides; each loop is compared with its own recorded
step, whose program holds the metrics too. The second has what ``fit`` of two batches of a size never seen takes more
than two replayed steps, in eager steps of the same network.
"""

from __future__ import annotations

import argparse
import gc
import io
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

import lamina
from benchmarks import machine
from benchmarks.implementations.blocks import model_of
from benchmarks.table import aligned, number
from benchmarks.workloads import SUBJECTS, Training
from lamina import losses, optimizers
from lamina.models import callbacks
from lamina.runtime.exhaustion import adopted

BATCHES = 200
"""Steps of an epoch."""


class Terminal(io.StringIO):
    """What a progress bar takes for a terminal."""

    def isatty(self) -> bool:
        return True


LOOPS: dict[str, dict[str, Any]] = {
    "silent": {},
    "a line per epoch": {"verbose": 2},
    "progress bar": {"verbose": 1},
    "metrics": {"metrics": ["accuracy"]},
    "metrics and progress bar": {"metrics": ["accuracy"], "verbose": 1},
    "early stopping, plateaus, a schedule": {
        "metrics": ["accuracy"],
        "callbacks": lambda: [
            callbacks.EarlyStopping(monitor="loss", patience=10**6),
            callbacks.ReduceLROnPlateau(monitor="loss", patience=10**6),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate),
        ],
    },
    "a callback that is told of each batch": {
        "callbacks": lambda: [callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]
    },
    "a callback that reads the loss of each batch": {
        "metrics": ["accuracy"],
        "callbacks": lambda: [callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: logs["loss"])],
    },
    "shuffled": {"shuffle": True},
    "sample weights": {"weighted": True},
}
"""What ``compile`` and ``fit`` are given besides the data."""


def model_for(workload: Training, **settings: Any) -> Any:
    """The workload's model, compiled as for the benchmarks of training."""
    model = model_of(workload.network, lamina)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizers.Adam(workload.learning_rate), loss=loss, **settings)
    return model


def loop(workload: Training, settings: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """An epoch by ``fit``, and as many replays of its step by what the backend made of it, on batches at hand."""
    given = dict(settings)
    model = model_for(workload, metrics=given.pop("metrics", None))
    weights = {"sample_weight": np.ones(workload.batch * BATCHES, np.float32)} if given.pop("weighted", False) else {}
    told = {"verbose": 0, "shuffle": False, **given, **weights}
    make = told.pop("callbacks", lambda: [])
    x, y = workload.data()

    def fit() -> None:
        with redirect_stderr(Terminal()), redirect_stdout(io.StringIO()):
            model.fit(x, y, batch_size=workload.batch, callbacks=make(), **told)

    fit()
    backend, size = lamina.get_backend(), workload.batch
    program = model.recorded_step("train").programs[0]
    step = backend.load(program)
    state = backend.allocate([program.slots[slot] for slot in program.state])
    arrays = [adopted(array[:size], backend) for array in (x, y, *weights.values())]

    def replays() -> None:
        for _ in range(BATCHES):
            step(arrays, state)

    return fit, replays


def new_sizes(workload: Training) -> tuple[Callable[[], Any], Callable[[], Any], Callable[[], Any]]:
    """``fit`` of two batches of a size never seen, the same again, and two eager steps."""
    model, eager = model_for(workload), model_for(workload, run_eagerly=True)
    x, y = workload.data()
    sizes = iter(range(workload.batch - 1, 0, -1))
    now = [workload.batch]

    def fit(fitted: Any) -> None:
        size = now[0]
        fitted.fit(x[: 2 * size], y[: 2 * size], batch_size=size, shuffle=False, verbose=0)

    def anew() -> None:
        now[0] = next(sizes, now[0])
        fit(model)

    fit(model)
    fit(model)
    return anew, lambda: fit(model), lambda: fit(eager)


def lowest(tasks: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Seconds of the processor for each task: the lowest of the rounds, in which they take turns."""
    found = []
    for _ in range(rounds):
        gc.collect()
        found.append([_seconds(task) for task in tasks])
    return [min(column) for column in zip(*found, strict=True)]


def _seconds(task: Callable[[], Any]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def loop_row(name: str, rounds: int) -> list[str]:
    """The line of one loop, in microseconds a step."""
    subject = SUBJECTS[0]
    workload = Training(subject.name, "", subject.network, subject.batch, BATCHES)
    fit, replays = (seconds / BATCHES * 1e6 for seconds in lowest(loop(workload, LOOPS[name]), rounds))
    return [name, number(fit), number(replays), f"{fit - replays:.1f}"]


def new_size_row(index: int, rounds: int) -> list[str]:
    """The line of one network, in milliseconds and in eager steps."""
    subject = SUBJECTS[index]
    workload = Training(subject.name, "", subject.network, subject.batch, 2)
    anew, again, eager = lowest(new_sizes(workload), min(rounds, subject.batch - 1))
    more = anew - again
    return [subject.name, number(1e3 * more), number(1e3 * eager / 2), f"{more / (eager / 2):.2f}"]


def main() -> None:
    """Measures and prints both tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.around_the_step", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="turns of each (default 25)")
    parser.add_argument("--backend", default="numpy", help="the backend (default numpy)")
    parser.add_argument("--networks", type=int, default=3, help="how many of the seven meet new sizes (default 3)")
    asked = parser.parse_args()
    print(machine.line(machine.describe()), end="\n\n")
    with lamina.backend_scope(asked.backend):
        rows = [loop_row(name, asked.rounds) for name in LOOPS]
        print(aligned([["fit", "us a step", "of which the step", "around it"], *rows]), end="\n\n")
        rows = [new_size_row(index, asked.rounds) for index in range(asked.networks)]
        print(aligned([["network", "a new size, ms", "an eager step, ms", "eager steps"], *rows]))


if __name__ == "__main__":
    main()

"""What training leaves in memory: ``python -m benchmarks.memory [BACKEND ...]``.

Two growths of the resident size, each in a process of its own: over 20,000 steps of training one model, and over 100
models that are built, fitted and deleted. Both start after a warm-up that does the same on a smaller scale, in which
libraries make their own buffers and caches.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 20_000
MODELS = 100
MEGABYTE = 1024.0 * 1024.0


def resident() -> float:
    """The resident size of this process in MB."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def trained(steps: int, model: Any = None) -> Any:
    """A model after so many hundred steps of training; a new one unless one is given."""
    from lamina import Sequential, layers

    if model is None:
        model = Sequential([layers.Dense(16, activation="relu", input_shape=(30,)), layers.Dense(2)])
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    x, y = np.ones((3200, 30), np.float32), np.ones((3200, 2), np.float32)
    for _ in range(steps // 100):
        model.fit(x, y, batch_size=32, verbose=0)
    return model


def growth_over_steps(steps: int = STEPS) -> float:
    """What one model's training adds, in MB."""
    model = trained(steps // 5)
    before = resident()
    trained(steps, model)
    return resident() - before


def growth_over_models(models: int = MODELS) -> float:
    """What models that are built, fitted and deleted leave, in MB."""
    for _ in range(models // 5):
        trained(100)
    before = resident()
    for _ in range(models):
        trained(100)
    return resident() - before


MEASURES: dict[str, Callable[[], float]] = {"steps": growth_over_steps, "models": growth_over_models}


def main() -> None:
    """Measures both on the backends that are named, else on those that are installed."""
    if sys.argv[1:2] == ["--measure"]:
        print(f"{MEASURES[sys.argv[2]]():.2f}")
        return
    backends = sys.argv[1:] or ["numpy", *(["torch"] if importlib.util.find_spec("torch") else [])]
    for backend in backends:
        for name, count in (("steps", STEPS), ("models", MODELS)):
            command = [sys.executable, "-m", "benchmarks.memory", "--measure", name]
            environment = {**os.environ, "LAMINA_BACKEND": backend}
            found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            print(f"{backend}: {found.stdout.strip()} MB over {count:,} {name}", flush=True)


if __name__ == "__main__":
    main()

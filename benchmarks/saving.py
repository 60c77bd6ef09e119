"""What saving and loading large models costs: ``python -m benchmarks.saving [ROUNDS] [MEGABYTES]``.

A model of a few Dense layers, 400 MB of float32 unless another size is given, is saved and loaded by each way that is
installed: lamina's formats, safetensors' own library, and Keras's ``.keras``. Every save and every load is a process of
its own; the ways take turns, round by round. A time is that of the call alone, after one with a model of four numbers
that brings in what is imported late, and without making the model to save. ``peak`` is by how much the resident size
grows at most during the call; loading has the file in the system's cache. lamina's saves are synced to the disk before
they count; the other libraries do not sync, so a plain write of as many bytes is measured with and without.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine

LAYERS = 4
LIBRARY = "safetensors, its library"

Step = Callable[[str, int], Callable[[], Any]]
"""Makes ready for a path and a width, outside the clock, and gives what is timed."""


def arrays(width: int) -> dict[str, np.ndarray[Any, Any]]:
    """The weights, as arrays."""
    random = np.random.default_rng(0)
    return {f"dense_{i}/kernel": random.random((width, width), np.float32) for i in range(LAYERS)}


def lamina_model(width: int) -> Any:
    """The model of lamina."""
    from lamina import Sequential, layers

    names = [f"dense_{i}" for i in range(LAYERS)]
    stack = [layers.Dense(width, use_bias=False, kernel_initializer="zeros", name=name) for name in names]
    model = Sequential([layers.InputLayer((width,)), *stack])
    model.set_weights(list(arrays(width).values()))
    return model


@contextlib.contextmanager
def beside(path: str) -> Iterator[str]:
    """A path for a model of the same kind, in a folder that goes at the end."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        yield os.path.join(folder, os.path.basename(path))


def save_lamina(path: str, width: int) -> Callable[[], Any]:
    model = lamina_model(width)
    with beside(path) as tiny:
        lamina_model(1).save(tiny)
    return lambda: model.save(path)


def load_lamina(path: str, width: int) -> Callable[[], Any]:
    import lamina

    with beside(path) as tiny:
        lamina_model(1).save(tiny)
        lamina.load_model(tiny)
    return lambda: lamina.load_model(path)


def save_lamina_weights(path: str, width: int) -> Callable[[], Any]:
    model = lamina_model(width)
    with beside(path) as tiny:
        lamina_model(1).save_weights(tiny)
    return lambda: model.save_weights(path)


def load_lamina_weights(path: str, width: int) -> Callable[[], Any]:
    model = lamina_model(width)
    with beside(path) as tiny:
        lamina_model(1).save_weights(tiny)
        lamina_model(1).load_weights(tiny)
    return lambda: model.load_weights(path)


def save_library(path: str, width: int) -> Callable[[], Any]:
    from safetensors.numpy import save_file

    made = arrays(width)
    return lambda: save_file(made, path)


def load_library(path: str, width: int) -> Callable[[], Any]:
    from safetensors.numpy import load_file

    return lambda: load_file(path)


def keras_model(width: int) -> Any:
    """The model of Keras."""
    import keras

    stack = [keras.layers.Dense(width, use_bias=False, kernel_initializer="zeros") for _ in range(LAYERS)]
    model = keras.Sequential([keras.Input((width,)), *stack])
    model.set_weights(list(arrays(width).values()))
    return model


def save_keras(path: str, width: int) -> Callable[[], Any]:
    model = keras_model(width)
    with beside(path) as tiny:
        keras_model(1).save(tiny)
    return lambda: model.save(path)


def load_keras(path: str, width: int) -> Callable[[], Any]:
    import keras

    with beside(path) as tiny:
        keras_model(1).save(tiny)
        keras.saving.load_model(tiny)
    return lambda: keras.saving.load_model(path)


def write_plain(path: str, width: int, synced: bool = False) -> Callable[[], Any]:
    data = memoryview(np.random.default_rng(0).random((LAYERS * width, width), np.float32)).cast("B")

    def write() -> None:
        with open(path, "wb", buffering=0) as file:
            file.write(data)
            if synced:
                os.fsync(file.fileno())

    return write


def write_synced(path: str, width: int) -> Callable[[], Any]:
    return write_plain(path, width, synced=True)


def read_plain(path: str, width: int) -> Callable[[], Any]:
    return lambda: np.fromfile(path, np.float32)


WAYS: dict[str, tuple[str, str | None, Step, Step]] = {
    LIBRARY: ("library.safetensors", "safetensors", save_library, load_library),
    "lamina, weights to .safetensors": ("w.safetensors", None, save_lamina_weights, load_lamina_weights),
    "lamina, .safetensors": ("m.safetensors", None, save_lamina, load_lamina),
    "lamina, model.json": ("folder", None, save_lamina, load_lamina),
    "lamina, .keras": ("m.keras", None, save_lamina, load_lamina),
    "lamina, .h5": ("m.h5", None, save_lamina, load_lamina),
    "Keras, .keras": ("keras.keras", "keras", save_keras, load_keras),
    "a plain write and read": ("plain", None, write_plain, read_plain),
    "a plain write, synced": ("synced", None, write_synced, read_plain),
}
"""Each way: its file, the library it needs, and how it saves and loads."""


def _resident(what: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what)) << 10


def measured(way: str, action: str, folder: str, width: int) -> dict[str, float]:
    """Seconds of one call in this process, and by how many bytes its memory grew at most."""
    name, _, save, load = WAYS[way]
    call = (save if action == "save" else load)(os.path.join(folder, name), width)
    before = _resident("VmRSS")
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    start = time.perf_counter()
    kept = call()
    seconds = time.perf_counter() - start
    del kept
    return {"seconds": seconds, "peak": _resident("VmHWM") - before}


def _in_a_process(way: str, action: str, folder: str, width: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.saving", "--measure", way, action, folder, str(width)]
    environment = {"KERAS_BACKEND": "jax", **os.environ}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return told


def compared(rounds: int, width: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """All measurements by way and action."""
    ways = [way for way, (_, needs, _, _) in WAYS.items() if needs is None or importlib.util.find_spec(needs)]
    found: dict[str, dict[str, list[dict[str, float]]]] = {way: {"save": [], "load": []} for way in ways}
    with tempfile.TemporaryDirectory(dir=os.curdir) as folder:
        for _ in range(rounds):
            for way in ways:
                for action in ("save", "load"):
                    found[way][action].append(_in_a_process(way, action, os.path.abspath(folder), width))
    return found


def printed(found: dict[str, dict[str, list[dict[str, float]]]], size: int) -> None:
    """The medians, as ratios to safetensors' own library where it is there, and memory as shares of the weights."""
    medians = {
        way: {action: statistics.median(one["seconds"] for one in ones) for action, ones in actions.items()}
        for way, actions in found.items()
    }
    best = medians.get(LIBRARY) or next(iter(medians.values()))
    print(f"{'':34}{'save':>10}{'ratio':>7}{'peak':>7}{'load':>10}{'ratio':>7}{'peak':>7}")
    for way, actions in found.items():
        cells = ""
        for action in ("save", "load"):
            peak = max(one["peak"] for one in actions[action]) / size
            cells += f"{medians[way][action]:9.2f}s{medians[way][action] / best[action]:7.2f}{peak:7.2f}"
        print(f"{way:34}{cells}")


def main() -> None:
    """Measures, prints, and writes the measurements beside the other results."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(*sys.argv[2:5], int(sys.argv[5]))))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    width = round((megabytes * 1e6 / 4 / LAYERS) ** 0.5)
    described = machine.describe()
    print(machine.line(described))
    found = compared(rounds, width)
    size = 4 * LAYERS * width * width
    printed(found, size)
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H%M")
    place = Path(__file__).parent / "results" / f"{when}-saving.json"
    place.write_text(json.dumps({"machine": described, "bytes": size, "measurements": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

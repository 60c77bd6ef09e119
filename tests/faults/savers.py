"""Processes that save models and are killed, or get in each other's way; run as a program by the tests beside it.

``python savers.py kill|race MEDIUM ADDRESS TRIES SEED`` prints ``{"loads": how many were whole, "seen": of which
models}``. A medium is one of ``MEDIA``: how a model is saved at an address, and told when it is loaded.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

import lamina
from lamina.errors import ModelNotFoundError
from lamina.io import ModelArtifacts, encode_weights, load_artifacts, save_artifacts, shards
from lamina.models.resuming import Backup

MODELS = 3
LONGEST_LIFE = 0.3


def model(number: int) -> ModelArtifacts:
    """One of the models: they differ in size, have as many weight files, and share the first of these."""
    weights = [("same", np.zeros(128, "float32"), None), ("w", np.full(300 + number, number, "float32"), None)]
    specs, data = encode_weights(weights)
    return ModelArtifacts({"class_name": "Sequential", "config": {"number": number}}, specs, data)


def number_of(found: ModelArtifacts) -> int:
    """Which model was loaded; raises AssertionError if it is not exactly one of them."""
    number = found.topology["config"]["number"]
    assert found.weight_specs == model(number).weight_specs
    assert found.weight_data == model(number).weight_data
    return int(number)


class Artifacts:
    """What handlers keep."""

    def save(self, address: str, number: int) -> None:
        save_artifacts(address, model(number))

    def load(self, address: str) -> int:
        return number_of(load_artifacts(address))


@functools.cache
def built(number: int, purpose: str = "whole") -> Any:
    """A compiled model of layers, of which every weight, the optimizer's too, is the number; one for each purpose."""
    found = lamina.Sequential([lamina.layers.Dense(300, input_shape=(50,), name="a"),
                               lamina.layers.Dense(2 + number, name="b")])  # fmt: skip
    found.compile("adam", "mse")
    found.optimizer.build(found.trainable_weights)
    for held in (found, found.optimizer):
        held.set_weights([np.full_like(w, number) for w in held.get_weights()])
    return found


def number_of_built(found: Any) -> int:
    """Which of the models of layers was loaded."""
    held = [*found.get_weights(), *(found.optimizer.get_weights() if found.optimizer else ())]
    (number,) = {float(value) for array in held for value in np.unique(array)}
    assert [w.shape for w in held] == [w.shape for w in (*found.get_weights(), *optimizer_of(found, number))]
    return int(number)


def optimizer_of(found: Any, number: float) -> list[Any]:
    return built(int(number)).optimizer.get_weights() if found.optimizer else []


class Files:
    """Whole models in files."""

    def save(self, address: str, number: int) -> None:
        built(number).save(address)

    def load(self, address: str) -> int:
        found = lamina.load_model(address)
        assert found.optimizer is not None
        return number_of_built(found)


class Weights:
    """Weights in files; those that are all of one shape."""

    def save(self, address: str, number: int) -> None:
        model = built(0, "weights")
        model.set_weights([np.full_like(w, number) for w in model.get_weights()])
        model.save_weights(address)

    def load(self, address: str) -> int:
        found = lamina.models.clone_model(built(0, "weights"))
        found.load_weights(address)
        return number_of_built(found)


class Backups:
    """The state of training runs, at an epoch that is the model's number."""

    def save(self, address: str, number: int) -> None:
        backup, model, run = Backup(address), built(0, "backup"), self._run()
        model.set_weights([np.full_like(w, number) for w in model.get_weights()])
        backup._serial = self._serial
        backup.save(model, run, number, 0)
        self._serial = backup._serial

    def load(self, address: str) -> int:
        backup, model, run = Backup(address), lamina.models.clone_model(built(0, "backup")), self._run()
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_weights)
        if not backup.load(model, run):
            raise ModelNotFoundError("there is no backup")
        self._serial = backup._serial
        (number,) = {float(value) for array in model.get_weights() for value in np.unique(array)}
        assert run.at == (number, 0)
        return int(number)

    _serial = 0

    def _run(self) -> Any:
        feed = SimpleNamespace(batch_size=2, key=None)
        run = SimpleNamespace(rounds=SimpleNamespace(steps=4, feed=feed), interrupted=False, logs={}, told=[], at=None)
        run.skip_to = lambda epoch, batch, logs: setattr(run, "at", (epoch, batch))
        return run


MEDIA: dict[str, Any] = {"artifacts": Artifacts(), "files": Files(), "weights": Weights(), "backups": Backups()}


def save_for_ever(medium: Any, address: str, seed: int, times: int | None = None) -> None:
    chosen = random.Random(seed)
    while times is None or times > 0:
        medium.save(address, chosen.randrange(MODELS))
        times = None if times is None else times - 1


def start(medium: Any, address: str, seed: int, times: int | None = None) -> int:
    """A process that saves; this one has a single thread, so it may fork."""
    child = os.fork()
    if child == 0:
        try:
            save_for_ever(medium, address, seed, times)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return child


def kill(medium: Any, address: str, tries: int, seed: int) -> list[int]:
    """Kills a saver at random moments; what is there afterwards must be whole."""
    chosen = random.Random(seed)
    medium.save(address, 0)
    seen = []
    for number in range(tries):
        child = start(medium, address, seed + number)
        time.sleep(chosen.uniform(0, LONGEST_LIFE))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the saver failed before it was killed"
        seen.append(medium.load(address))
    return seen


def race(medium: Any, address: str, tries: int, seed: int) -> list[int]:
    """Three processes save to one address while this one reads."""
    children = [start(medium, address, seed + number, times=tries) for number in range(3)]
    seen = []
    while children:
        try:
            seen.append(medium.load(address))
        except ModelNotFoundError:
            assert not seen, "the model was there and is gone"
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            assert status == 0, f"a saver failed with status {status}"
            children.remove(done)
    seen.append(medium.load(address))
    return seen


if __name__ == "__main__":
    _, action, medium, address, tries, seed = sys.argv
    if medium == "artifacts":
        shards.SHARD_BYTES = 256
    for number in range(MODELS):
        built(number)
    found = {"kill": kill, "race": race}[action](MEDIA[medium], address, int(tries), int(seed))
    print(json.dumps({"loads": len(found), "seen": sorted(set(found))}))

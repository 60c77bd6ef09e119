"""Processes that save models and are killed, or get in each other's way; run as a program by the tests beside it.

``python savers.py kill|race|churn ADDRESS TRIES SEED`` prints how many models were whole, and which were seen:
``{"loads": 20, "seen": [0, 1, 2]}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable

import numpy as np

from lamina.errors import ModelNotFoundError
from lamina.io import (
    ModelArtifacts,
    encode_weights,
    list_models,
    load_artifacts,
    move_model,
    remove_model,
    save_artifacts,
    shards,
)

MODELS = 3
LONGEST_LIFE = 0.06


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


def save_for_ever(address: str, seed: int, times: int | None = None) -> None:
    chosen = random.Random(seed)
    while times is None or times > 0:
        save_artifacts(address, model(chosen.randrange(MODELS)))
        times = None if times is None else times - 1


def start(address: str, seed: int, times: int | None = None, work: Callable[..., None] = save_for_ever) -> int:
    """A process that works; this one has a single thread, so it may fork."""
    child = os.fork()
    if child == 0:
        try:
            work(address, seed, times)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return child


def kill(address: str, tries: int, seed: int) -> list[int]:
    """Kills a saver at random moments; what is there afterwards must be whole."""
    chosen = random.Random(seed)
    save_artifacts(address, model(0))
    seen = []
    for number in range(tries):
        child = start(address, seed + number)
        time.sleep(chosen.uniform(0, LONGEST_LIFE))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        seen.append(number_of(load_artifacts(address)))
    return seen


def race(address: str, tries: int, seed: int) -> list[int]:
    """Three processes save to one address while this one reads."""
    children = [start(address, seed + number, times=tries) for number in range(3)]
    seen = []
    while children:
        try:
            seen.append(number_of(load_artifacts(address)))
        except ModelNotFoundError:
            assert not seen, "the model was there and is gone"
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            assert status == 0, f"a saver failed with status {status}"
            children.remove(done)
    seen.append(number_of(load_artifacts(address)))
    return seen


def use(address: str, seed: int, times: int) -> None:
    """Saves, loads, lists, moves and removes under three names that others use too."""
    chosen = random.Random(seed)
    scheme = address.partition("://")[0]
    for _ in range(times):
        name = f"{address}{chosen.randrange(3)}"
        with contextlib.suppress(ModelNotFoundError):
            match chosen.randrange(6):
                case 0 | 1:
                    save_artifacts(name, model(chosen.randrange(MODELS)))
                case 2 | 3:
                    number_of(load_artifacts(name))
                case 4:
                    remove_model(name)
                case 5:
                    assert all(found.weight_bytes > 0 for found in list_models(scheme).values())
                    move_model(name, f"{address}{seed}-own")
                    number_of(load_artifacts(f"{address}{seed}-own"))


def churn(address: str, tries: int, seed: int) -> list[int]:
    """Four processes use one store for everything at once; what is left must be whole."""
    children = [start(address, seed + number, tries, use) for number in range(4)]
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, f"a process failed with status {status}"
    return [number_of(load_artifacts(name)) for name in list_models(address.partition("://")[0])]


if __name__ == "__main__":
    shards.SHARD_BYTES = 256
    _, action, address, tries, seed = sys.argv
    found = {"kill": kill, "race": race, "churn": churn}[action](address, int(tries), int(seed))
    print(json.dumps({"loads": len(found), "seen": sorted(set(found))}))

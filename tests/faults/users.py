"""Processes that use one store for everything at once; run as a program by ``test_stores.py``.

``python users.py SCHEME TIMES SEED`` prints how many models are left, which must all be whole.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys

from savers import MODELS, model, number_of  # run as a program: its folder is the first on the path

from lamina.errors import ModelNotFoundError
from lamina.io import list_models, load_artifacts, move_model, remove_model, save_artifacts, shards


def use(scheme: str, times: int, seed: int) -> None:
    """Saves, loads, lists, moves and removes under three names that others use too."""
    chosen = random.Random(seed)
    for _ in range(times):
        name = f"{scheme}://m{chosen.randrange(3)}"
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
                    move_model(name, f"{scheme}://own{seed}")
                    number_of(load_artifacts(f"{scheme}://own{seed}"))


def main(scheme: str, times: int, seed: int) -> None:
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                use(scheme, times, seed + number)
                status = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    print(len([number_of(load_artifacts(name)) for name in list_models(scheme)]))


if __name__ == "__main__":
    shards.SHARD_BYTES = 256
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

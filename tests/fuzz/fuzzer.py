"""Loads damaged files of one format for some seconds, and tells what came of them.

``python fuzzer.py FORMAT SEED SECONDS FOLDER``. An escape is another error than a ModelFileError, more memory than was
promised, a file, socket or program opened elsewhere, or a load of over ten seconds, which ends the process. The number
of the case at hand is kept in ``FOLDER/case``; a case is made anew from the format, the seed and its number.
"""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import gc
import json
import os
import random
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import lamina
from attacks import child
from attacks.attacking import PER_BYTE, SLACK
from fuzz.seeds import FORMATS, SINGLE, damaged_folder, models
from lamina.errors import ModelFileError

SECONDS_PER_CASE = 10
FEWEST = 30
"""So many cases are tried however long they take."""
_ADDRESS_SPACE = 2 << 30
_REACHING_OUT = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename", "ctypes.",
    "pickle.", "shutil.", "urllib.",
)  # fmt: skip


class Fuzzer:
    """Damages good files of a format, and loads them."""

    def __init__(self, kind: str, seed: str, folder: Path) -> None:
        self.kind, self.seed, self.folder = kind, seed, folder
        self.models = models()
        self.good = [self._saved(model, number) for number, model in enumerate(self.models)]

    def _saved(self, model: Any, number: int) -> Any:
        if self.kind == "model.json":
            place = self.folder / f"good{number}"
            model.save(place)
            return {path.name: path.read_bytes() for path in place.iterdir()}
        place = self.folder / f"good{number}{self.kind}"
        (model.save_weights if self.kind == ".weights.h5" else model.save)(place)
        return place.read_bytes()

    def write(self, case: int) -> tuple[Path, int, Any]:
        """Writes the damaged file of a case: where, how many bytes, and the model for which it is."""
        chance = random.Random(f"{self.kind} {self.seed} {case}")
        number = chance.randrange(len(self.good))
        if self.kind != "model.json":
            path = self.folder / f"case{self.kind}"
            data = SINGLE[self.kind](self.good[number], chance)
            path.write_bytes(data)
            return path, len(data), self.models[number]
        path = self.folder / "case-folder"
        path.mkdir(exist_ok=True)
        for old in path.iterdir():
            old.unlink()
        found = damaged_folder(self.good[number], chance)
        for name, data in found.items():
            (path / name).write_bytes(data)
        return path, sum(map(len, found.values())), self.models[number]

    def load(self, path: Path, model: Any) -> str:
        """What came of a load: the name of a ModelFileError, or "loaded". Other errors are raised."""
        try:
            if self.kind == ".weights.h5":
                model.load_weights(path)
            else:
                lamina.load_model(path)
        except ModelFileError as error:
            return type(error).__name__
        return "loaded"

    def run(self, case: int) -> tuple[str, str | None]:
        """What came of a case, and how it escaped, if it did."""
        path, size, model = self.write(case)
        gc.collect(0)
        child.reset_peak()
        before = child.peak()
        child.events = []
        problem = None
        try:
            outcome = self.load(path, model)
        except BaseException as error:
            outcome, problem = "escaped", f"{type(error).__name__}: {error}"[:500]
        events, child.events = child.events, None
        grown = child.peak() - before
        if grown > SLACK + PER_BYTE * size:
            problem = f"{grown >> 20} MiB for a file of {size} bytes"
        for name, what in events or ():
            if name.startswith(_REACHING_OUT) or (name == "open" and not self._is_inside(what)):
                problem = f"{name} {what}"
        return outcome, problem

    def _is_inside(self, path: str) -> bool:
        """Weight files are opened beneath their folder, by their bare names."""
        places = (str(self.folder), "/proc/", *sys.path[1:], sys.prefix, sys.base_prefix)
        return os.path.abspath(path).startswith(places) or os.path.basename(path) == path


def main(kind: str, seed: str, seconds: float, folder: Path) -> dict[str, Any]:
    assert kind in FORMATS
    warnings.simplefilter("ignore")
    faulthandler.enable()
    fuzzer = Fuzzer(kind, seed, folder)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    sys.addaudithook(child.hook)
    outcomes: collections.Counter[str] = collections.Counter()
    escapes: list[str] = []
    end, case = time.monotonic() + seconds, 0
    with open(folder / "case", "w", encoding="ascii") as noted:
        while (time.monotonic() < end or case < FEWEST) and len(escapes) < 20:
            noted.seek(0)
            noted.write(f"{case:12d}")
            noted.flush()
            faulthandler.dump_traceback_later(SECONDS_PER_CASE, exit=True)
            outcome, problem = fuzzer.run(case)
            faulthandler.cancel_dump_traceback_later()
            outcomes[outcome] += 1
            if problem is not None:
                escapes.append(f"case {case}: {problem}")
            case += 1
    return {"cases": case, "outcomes": dict(outcomes), "escapes": escapes}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        told = main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
    print(json.dumps(told))

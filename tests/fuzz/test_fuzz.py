"""No damaged file of any format leads to an error that is not ours, to much memory or time, or out of its folder.

``LAMINA_FUZZ_SECONDS`` says for how long each format is tried, ``LAMINA_FUZZ_SEED`` which damages are made.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fuzz.fuzzer import FEWEST, Fuzzer
from fuzz.mutations import damaged_bytes, damaged_tree
from fuzz.seeds import FORMATS

SECONDS = float(os.environ.get("LAMINA_FUZZ_SECONDS", "2"))
SEED = os.environ.get("LAMINA_FUZZ_SEED", "1")


def fuzzed(kind, folder):
    """What the process that tries a format told, and how it ended."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("fuzzer.py")
    done = subprocess.run(
        [sys.executable, str(script), kind, SEED, str(SECONDS), str(folder)],
        env=environment, capture_output=True, text=True, check=False, timeout=SECONDS + 120,
    )  # fmt: skip
    case = (folder / "case").read_text() if (folder / "case").exists() else "none"
    return done, f"seed {SEED}, case {case}"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of all formats, which are tried at once."""
    with ThreadPoolExecutor(len(FORMATS)) as pool:
        jobs = {kind: pool.submit(fuzzed, kind, tmp_path_factory.mktemp("fuzz")) for kind in FORMATS}
        return {kind: job.result() for kind, job in jobs.items()}


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files(kind, results, capsys):
    done, where = results[kind]
    assert done.returncode == 0, f"{where}: {done.stderr[-3000:]}"
    told = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{kind}: {told['cases']} cases, seed {SEED}: {told['outcomes']}")
    assert told["escapes"] == [], f"seed {SEED}"
    assert told["cases"] >= FEWEST
    assert len(told["outcomes"]) > 2


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_damaged_loads_before(kind, tmp_path):
    fuzzer = Fuzzer(kind, "0", tmp_path)
    for number, model in enumerate(fuzzer.models):
        place = tmp_path / (f"good{number}" if kind == "model.json" else f"good{number}{kind}")
        assert fuzzer.load(place, model) == "loaded"


def test_an_escape_is_seen(tmp_path, monkeypatch):
    fuzzer = Fuzzer("model.json", "0", tmp_path)

    def escaping(path, model):
        raise KeyError("units")

    monkeypatch.setattr(fuzzer, "load", escaping)
    assert fuzzer.run(0) == ("escaped", "KeyError: 'units'")


def test_damages_follow_from_the_seed():
    tree = {"a": [1, 2, {"b": "c"}], "d": None}
    for damage, good in ((damaged_bytes, bytes(range(200))), (damaged_tree, tree)):
        first = [damage(good, random.Random(seed)) for seed in range(50)]
        assert first == [damage(good, random.Random(seed)) for seed in range(50)]
        assert sum(found != good for found in first) > 40

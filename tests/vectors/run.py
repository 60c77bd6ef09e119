#!/usr/bin/env python
"""Runs recorded calls of TensorFlow.js or Keras against lamina on one backend.

    python tests/vectors/run.py [DIR] --backend numpy

DIR defaults to the folder that LAMINA_VECTORS names, else to ``shared/vectors`` beside the project. Whose recordings
it holds shows in its files, and all kinds are run that it has:

* TensorFlow.js: ``ops``, ``grads``, ``op_errors``, ``layers``, ``layer_errors``, ``losses_metrics``, ``optimizers``,
  ``models``, ``model_errors``, ``artifacts`` (saved models);
* Keras: ``layers``, ``losses``, ``metrics``, ``optimizers``, ``misc`` (activations, initializers, regularizers,
  constraints and schedules).

Prints a line for each op, class or function and a total; exits with 1 if a record fails that disagreements.toml does
not list; with --strict, for the recordings that it was made from, also if a listed one passes. Records about classes
that lamina does not have fail unless a rule says so, which has to be true; they are counted by themselves. What is
compared of a kind stands in the module that checks it; tolerances stand in comparing.py.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # also when a test imports this file

from disagreements import FILE, Disagreement, rules
from records import default_folder
from suites import Kind, kinds_in, subject

import lamina


@dataclass
class Tally:
    """What became of the records of one op, class or function."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    messages: list[str] = field(default_factory=list)

    def kinds(self) -> Counter[str]:
        """How many records of each kind."""
        return self.passed + self.failed + self.listed + self.absent


def run(
    folder: Path, kinds: list[Kind], chosen: set[str], listed: list[Disagreement], strict: bool = False
) -> dict[str, Tally]:
    """Every record of the folder against the active backend, by what it is about."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for kind in kinds:
        for record in kind.records(folder):
            if not chosen or subject(record) in chosen:
                _judge(kind, record, tallies[subject(record)], listed, strict)
    return tallies


def _judge(of: Kind, record: dict[str, Any], tally: Tally, listed: list[Disagreement], strict: bool) -> None:
    wrong, kind = of.failure(record), of.name
    rule = next((r for r in listed if r.covers(kind, record)), None)
    if rule is not None and wrong is None:
        wrong = f"passes, but disagreements.toml lists it: {rule.reason}" if strict else None
    elif rule is not None:
        try:
            rule.prove(record)
        except Exception as error:
            wrong = f"the proof of its disagreement fails: {type(error).__name__}: {error}"
        else:
            (tally.absent if rule.proof == "not_offered" else tally.listed)[kind] += 1
            return
    if wrong is None:
        tally.passed[kind] += 1
    else:
        tally.failed[kind] += 1
        tally.messages.append(f"{kind} {record['id']}: {wrong}")


def report(tallies: dict[str, Tally], shown: int) -> bool:
    """Prints a line for each op, class or function and the total; whether nothing failed."""
    for name in sorted(tallies):
        tally = tallies[name]
        print(f"{name}: {tally.passed.total()} passed, {tally.failed.total()} failed{_listed(tally)}")
        for message in tally.messages[:shown]:
            print(f"    {message}")
    for kind in dict.fromkeys(kind for tally in tallies.values() for kind in tally.kinds()):
        print(_share(kind, sum(tally.kinds()[kind] for tally in tallies.values()), tallies))
    failed = sum(t.failed.total() for t in tallies.values())
    print(f"{sum(t.passed.total() for t in tallies.values())} passed, {failed} failed")
    return not failed


def _listed(tally: Tally) -> str:
    listed = f", {tally.listed.total()} listed" if tally.listed else ""
    return listed + (f", {tally.absent.total()} not offered" if tally.absent else "")


def _share(kind: str, count: int, tallies: dict[str, Tally]) -> str:
    """How many records of a kind are listed, of those about what lamina has."""
    out = sum(tally.listed[kind] for tally in tallies.values())
    absent = sum(tally.absent[kind] for tally in tallies.values())
    share = 100 * out / max(1, count - absent)
    beside = f", {absent} about what is not offered" if absent else ""
    return f"{kind}: {count} records{beside}, {out} listed as disagreements ({share:.1f} %)"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=None, metavar="DIR")
    parser.add_argument("--backend", default="numpy", help="the backend to run on (default: numpy)")
    parser.add_argument("--kinds", default="", help="names of the files to run, by commas (default: all there are)")
    parser.add_argument("--ops", default="", help="ops, classes or functions to run, by commas (default: all)")
    parser.add_argument("--show", type=int, default=3, help="how many failures of each to print (default: 3)")
    parser.add_argument("--disagreements", type=Path, default=FILE, help="another list of disagreements")
    parser.add_argument("--strict", action="store_true", help="whether a listed record must not pass")
    given = parser.parse_args(arguments)
    folder = given.folder or default_folder()
    kinds = kinds_in(folder)
    if not kinds:
        parser.error(f"there are no recordings at {folder}")
    wanted = [name for name in given.kinds.split(",") if name] or [kind.file for kind in kinds]
    if unknown := sorted(set(wanted) - {kind.file for kind in kinds}):
        parser.error(f"there are no {', '.join(unknown)} at {folder}, only {', '.join(kind.file for kind in kinds)}")
    lamina.set_backend(given.backend)
    np.seterr(all="ignore")  # recorded are also infinities and NaN
    chosen = {name for name in given.ops.split(",") if name}
    tallies = run(
        folder, [kind for kind in kinds if kind.file in wanted], chosen, rules(given.disagreements), given.strict
    )
    return 0 if report(tallies, given.show) else 1


if __name__ == "__main__":
    sys.exit(main())
